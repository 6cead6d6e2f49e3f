//! The browser of the tests: found, or installed.

use std::process::Stdio;

use crate::debian::{self, Package};
use crate::{node, root, run};

const NONE: &str = "these tests need a Chromium or Chrome, and none is found. Install one \
    (Debian: apt-get install --no-install-recommends chromium), or name one in CHROME";

/// The path of a Chromium, which is installed if that needs no interaction: with apt as root, otherwise
/// with Playwright. Tests take it from `CHROME`.
///
/// # Errors
/// What to install, if this cannot do it.
pub(crate) fn install() -> Result<String, Box<dyn std::error::Error>> {
    let tests = root().join("tests/page");
    node::install(&tests)?;
    if let Some(path) = find()? {
        return Ok(path);
    }
    if debian::can_install() {
        debian::install(&[Package { name: "chromium", program: Some("chromium") }])?;
    } else {
        eprintln!("Playwright installs its Chromium");
        let install = ["exec", "playwright", "install", "chromium"];
        run(node::npm().args(install).current_dir(&tests)).map_err(|_| NONE)?;
    }
    Ok(find()?.ok_or(NONE)?)
}

/// The path of the browser that is found, if any.
fn find() -> std::io::Result<Option<String>> {
    let mut find = node::node();
    find.arg("browser.js").current_dir(root().join("tests/page")).stderr(Stdio::inherit());
    let found = find.output()?;
    let path = String::from_utf8_lossy(&found.stdout).trim().to_owned();
    Ok(found.status.success().then_some(path))
}
