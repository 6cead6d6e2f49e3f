//! The `callerid` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    callerid_server::cli::run()
}
