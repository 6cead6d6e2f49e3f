//! `cargo xtask serve`: builds the program as it is released, and runs it.

use std::path::PathBuf;

use crate::{Outcome, cargo, run};

/// Builds `callerid` in release mode and runs `callerid serve` with these arguments.
pub(crate) fn run_server(args: &[String]) -> Outcome {
    eprintln!("Building the server in release mode; from nothing that takes a few minutes.");
    run(cargo().args(["build", "--release", "--locked", "--package", "callerid-server"]))?;
    let mut program =
        PathBuf::from(std::env::var_os("CARGO_TARGET_DIR").unwrap_or("target".into()));
    program.extend(["release", "callerid"]);
    run(std::process::Command::new(program).arg("serve").args(args))
}
