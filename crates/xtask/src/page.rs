//! The page: put together for a static host, and its tests, which are Playwright in a Chromium of this machine, over the
//! real server and over the mock.

/// As the server links it.
#[path = "../../callerid-server/build/link.rs"]
mod link;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{Outcome, cargo, node, root, run, target_dir};

const NO_BROWSER: &str = "the page's tests need a Chromium or Chrome, and none is found. Install one \
    (Debian: apt-get install --no-install-recommends chromium), or name one in CHROME";

/// Puts the page together in `target/page`, for any static host: `www/`, and of the package what it loads, linked.
pub(crate) fn assemble() -> Outcome {
    crate::package_dist()?;
    let page = target_dir().join("page");
    if page.exists() {
        fs::remove_dir_all(&page)?;
    }
    let mut files = link::Files::new();
    link::read(&root().join("www"), "", &mut files)?;
    link::read(&root().join("pkg/dist"), "callerid/", &mut files)?;
    for (path, bytes) in link::link(files)? {
        let file = page.join(path);
        fs::create_dir_all(file.parent().unwrap_or(&page))?;
        fs::write(file, bytes)?;
    }
    println!("{}", page.display());
    Ok(())
}

/// Builds what the page is made of into the server, and runs its tests.
pub(crate) fn test() -> Outcome {
    let tests = root().join("tests/page");
    node::install(&tests)?;
    if !has_browser(&tests) {
        install_browser(&tests)?;
    }
    crate::package_dist()?;
    run(cargo().args(["build", "--locked", "--package", "callerid-server"]))?;
    let program =
        target_dir().join("debug").join(format!("callerid{}", std::env::consts::EXE_SUFFIX));
    run(node::npm().args(["test"]).current_dir(&tests).env("CALLERID_PROGRAM", program))
}

/// Whether the tests find a browser.
fn has_browser(tests: &Path) -> bool {
    let mut find = node::node();
    let find = find.arg("browser.js").current_dir(tests).stdout(Stdio::null());
    find.status().is_ok_and(|status| status.success())
}

/// Installs a browser where that can be done without asking: as root with apt, else by Playwright.
fn install_browser(tests: &Path) -> Outcome {
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    let has_apt = Command::new("apt-get").arg("--version").output().is_ok();
    if is_root && has_apt {
        eprintln!("apt-get installs chromium");
        run(Command::new("apt-get").args(["update", "--quiet"]))?;
        let install = ["install", "--quiet", "--yes", "--no-install-recommends", "chromium"];
        run(Command::new("apt-get").args(install).env("DEBIAN_FRONTEND", "noninteractive"))?;
    } else {
        eprintln!("Playwright installs its Chromium");
        let install = ["exec", "playwright", "install", "chromium"];
        run(node::npm().args(install).current_dir(tests)).map_err(|_| NO_BROWSER)?;
    }
    if has_browser(tests) { Ok(()) } else { Err(NO_BROWSER.into()) }
}
