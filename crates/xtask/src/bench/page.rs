//! The page's startup in Chromium. `tests/page/start.js` measures; this module shows the results.

use super::{Table, measured};
use crate::{Outcome, cargo, node, package_dist, root, run, target_dir};

/// Builds the program in release mode, and starts its page.
pub(super) fn start() -> Vec<Table> {
    let tests = root().join("tests/page");
    let program = target_dir().join("release/callerid");
    let prepare = || -> Outcome {
        node::install(&tests)?;
        package_dist()?;
        run(cargo().args(["build", "--release", "--locked", "--package", "callerid-server"]))
    };
    let script = || {
        node::node().arg("start.js").current_dir(&tests).env("CALLERID_PROGRAM", &program).output()
    };
    prepare().and_then(|()| measured(script()?)).unwrap_or_else(|error| {
        eprintln!("the page was not measured: {error}");
        Vec::new()
    })
}
