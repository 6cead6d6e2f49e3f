//! The wasm32 target: the standard library for compiling the npm package.

use std::path::Path;
use std::process::Command;

use crate::{Outcome, run};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

const MISSING: &str = "Rust's wasm32-unknown-unknown target is missing. Install it with \
    `rustup target add wasm32-unknown-unknown`, which needs a network, or with the package of whatever installed Rust \
    (Debian: libstd-rust-dev-wasm32)";

/// Installs the target, if needed.
pub(crate) fn install() -> Outcome {
    if is_installed() {
        return Ok(());
    }
    eprintln!("rustup adds {TARGET}");
    run(Command::new("rustup").args(["target", "add", TARGET])).map_err(|_| MISSING)?;
    if is_installed() { Ok(()) } else { Err(MISSING.into()) }
}

fn is_installed() -> bool {
    let find =
        Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output();
    find.is_ok_and(|found| {
        let folder = String::from_utf8_lossy(&found.stdout);
        found.status.success() && Path::new(folder.trim()).is_dir()
    })
}
