//! The npm package compared with its JavaScript peers. `tests/package/bench.mjs` measures; this
//! module shows the results.

use super::{Table, measured};
use crate::{node, root, target_dir, with_feature};
use std::error::Error;

/// Packs the package, installs it next to its tests, and measures it there.
pub(super) fn run() -> Vec<Table> {
    match measure() {
        Ok(tables) => tables,
        Err(error) => {
            eprintln!("the npm package was not measured: {error}");
            Vec::new()
        }
    }
}

fn measure() -> Result<Vec<Table>, Box<dyn Error>> {
    with_feature("package", &[])?;
    let tests = root().join("tests/package");
    let tarball = target_dir().join(format!("npm/callerid-{}.tgz", env!("CARGO_PKG_VERSION")));
    // The check of its sizes also installs it, and runs nothing.
    crate::run(node::node().arg("run.mjs").arg(tarball).arg("sizes").current_dir(&tests))?;
    measured(node::node().arg("bench.mjs").current_dir(&tests).output()?)
}
