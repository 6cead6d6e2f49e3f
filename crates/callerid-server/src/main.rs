//! The `callerid` program.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Requests move between threads, which then free what others have allocated. glibc's allocator can make them wait for
/// one another: some processes took twice the time over a list.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    callerid_server::cli::run()
}
