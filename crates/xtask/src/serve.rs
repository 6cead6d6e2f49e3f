//! `cargo xtask serve`: builds the program in release mode, and runs it.

use std::process::Command;

use crate::{Outcome, package_dist, run, server};

/// Builds the page's package and `callerid` in release mode, and runs `callerid serve` with these
/// arguments.
pub(crate) fn run_server(args: &[String]) -> Outcome {
    eprintln!(
        "Building the npm package, which the page runs on; from nothing that takes a few minutes."
    );
    package_dist()?;
    eprintln!(
        "Building the server in release mode, with the page in it; that takes a few minutes more."
    );
    let program = server::build("release")?;
    run(Command::new(program).arg("serve").args(args))
}
