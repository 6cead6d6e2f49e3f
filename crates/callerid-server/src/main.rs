//! The `callerid` program.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Requests move between threads, which then free memory that others have allocated. glibc's
/// allocator can make them wait for each other: some processes took twice as long to serve a list.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    callerid_server::cli::run()
}
