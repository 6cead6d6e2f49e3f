//! Node.js: checks its version, and installs the packages of a lock file with its npm.

use std::path::Path;
use std::process::Command;

use crate::{Outcome, run};

/// The minimum version of Node, which is also in `engines` in `pkg/package.json`.
const OLDEST: (u32, u32) = (20, 19);

/// The command `node`.
pub(crate) fn node() -> Command {
    Command::new("node")
}

/// The command `npm`.
pub(crate) fn npm() -> Command {
    Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
}

/// Installs the packages in a folder's `package-lock.json`, unless they are installed.
pub(crate) fn install(folder: &Path) -> Outcome {
    check()?;
    let modified = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
    let installed = modified(&folder.join("node_modules/.package-lock.json"));
    if installed.is_some() && installed >= modified(&folder.join("package-lock.json")) {
        return Ok(());
    }
    eprintln!("npm installs what {} names", folder.join("package-lock.json").display());
    run(npm().args(["ci", "--no-audit", "--no-fund"]).current_dir(folder))
}

/// Checks that a sufficiently new Node is installed.
pub(crate) fn check() -> Outcome {
    let (major, minor) = OLDEST;
    let wanted = format!("Node.js {major}.{minor} or newer is needed (https://nodejs.org)");
    let output =
        node().arg("--version").output().map_err(|_| format!("{wanted}: none is found"))?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let mut numbers = version.trim_start_matches('v').split('.').map(|part| part.parse().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(found), Some(release)) if (found, release) >= OLDEST => Ok(()),
        _ => Err(format!("{wanted}: found {version:?}").into()),
    }
}
