//! The page's startup in Chromium. `tests/page/start.js` measures; this module shows the results.

use super::{Table, measured};
use crate::{Outcome, browser, cargo, node, package_dist, root, run, target_dir};

/// Builds the program in release mode, and starts its page.
pub(super) fn start() -> Vec<Table> {
    let tests = root().join("tests/page");
    let program = target_dir().join("release/callerid");
    let prepare = || -> Outcome {
        package_dist()?;
        run(cargo().args(["build", "--release", "--locked", "--package", "callerid-server"]))
    };
    let script = || -> Result<_, Box<dyn std::error::Error>> {
        let mut start = node::node();
        start.arg("start.js").current_dir(&tests).env("CALLERID_PROGRAM", &program);
        Ok(start.env("CHROME", browser::install()?).output()?)
    };
    prepare().and_then(|()| measured(script()?)).unwrap_or_else(|error| {
        eprintln!("the page was not measured: {error}");
        Vec::new()
    })
}
