//! The page's startup in Chromium. `tests/page/start.js` measures; this module shows the results.

use super::server::build;
use super::{Table, measured};
use crate::{browser, node, root};

/// Builds the program, and starts its page.
pub(super) fn start() -> Vec<Table> {
    let script = || -> Result<_, Box<dyn std::error::Error>> {
        let mut start = node::node();
        start.arg("start.js").current_dir(root().join("tests/page"));
        start.env("CALLERID_PROGRAM", build());
        Ok(start.env("CHROME", browser::install()?).output()?)
    };
    script().and_then(measured).unwrap_or_else(|error| {
        eprintln!("the page was not measured: {error}");
        Vec::new()
    })
}
