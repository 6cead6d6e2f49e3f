//! The npm package beside its peers in JavaScript: `tests/package/bench.mjs` measures, this shows.

use super::{Row, Table};
use crate::{cargo, node, root, target_dir};
use serde_json::Value;
use std::error::Error;

/// Packs the package, installs it where its tests are, and measures there.
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
    let build = ["run", "--quiet", "--release", "--package", "xtask", "--features", "package"];
    crate::run(cargo().args(build).args(["--", "package"]))?;
    let tests = root().join("tests/package");
    let tarball = target_dir().join(format!("npm/callerid-{}.tgz", env!("CARGO_PKG_VERSION")));
    // Its sizes are a check that installs it and runs nothing.
    crate::run(node::node().arg("run.mjs").arg(tarball).arg("sizes").current_dir(&tests))?;
    let output = node::node().arg("bench.mjs").current_dir(&tests).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let tables: Value = serde_json::from_slice(&output.stdout)?;
    let table = |table: &Value| {
        let row = |row: &Value| {
            Some(Row {
                name: row.get(0)?.as_str()?.to_owned(),
                figure: row.get(1)?.as_f64()?,
                note: String::new(),
            })
        };
        Some(Table {
            title: format!("npm package: {}", table.get("title")?.as_str()?),
            unit: match table.get("unit")?.as_str()? {
                "ns" => "ns",
                "ms" => "ms",
                _ => "bytes",
            },
            rows: table.get("rows")?.as_array()?.iter().filter_map(row).collect(),
        })
    };
    Ok(tables.as_array().into_iter().flatten().filter_map(table).collect())
}
