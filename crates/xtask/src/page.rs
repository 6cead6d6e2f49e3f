//! The page: assembles it for a static host, and runs its Playwright tests in this machine's
//! Chromium, with the real server and with the mock.

#[cfg(feature = "package")]
use std::collections::BTreeMap;
#[cfg(feature = "package")]
use std::ffi::OsString;
use std::fs;
#[cfg(feature = "package")]
use std::io::Write as _;
use std::path::Path;

#[cfg(feature = "package")]
use flate2::{Compression, write::GzEncoder};

use crate::{Outcome, browser, copy_files, copy_folder, node, root, run, server, target_dir};

/// The page's initial connection in `host.js`, on a static host and when `callerid serve` serves it.
#[cfg(feature = "package")]
const CONNECTIONS: [&str; 2] = ["connection: \"page\"", "connection: \"server\""];

/// Shorter files fit into a packet without compression.
#[cfg(feature = "package")]
const MIN_COMPRESSED_BYTES: usize = 1024;

/// Assembles the page in `target/page`, for any static host.
pub(crate) fn assemble() -> Outcome {
    crate::package_dist()?;
    let page = target_dir().join("page");
    put_together(&page)?;
    println!("{}", page.display());
    Ok(())
}

/// Assembles the page in the server's crate, which includes it in the program. A page that is there
/// already is left alone: cargo compares files' times, and would compile the server again.
#[cfg(feature = "package")]
pub(crate) fn embed() -> Outcome {
    let page = target_dir().join("server-page");
    put_together(&page)?;
    let host = fs::read_to_string(page.join("host.js"))?;
    let [on_static_host, on_server] = CONNECTIONS;
    let (before, after) =
        host.split_once(on_static_host).ok_or("www/host.js names no initial connection")?;
    fs::write(page.join("host.js"), [before, on_server, after].concat())?;
    compress(&page)?;
    let embedded = root().join("crates/callerid-server/page");
    if !embedded.exists() || contents(&page)? != contents(&embedded)? {
        if embedded.exists() {
            fs::remove_dir_all(&embedded)?;
        }
        copy_folder(&page, &embedded)?;
    }
    Ok(())
}

/// The files in a folder, and in the folders in it, by their names.
#[cfg(feature = "package")]
fn contents(folder: &Path) -> std::io::Result<BTreeMap<OsString, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            let inner = contents(&entry.path())?;
            let inside = |name| Path::new(&entry.file_name()).join(name).into_os_string();
            files.extend(inner.into_iter().map(|(name, file)| (inside(name), file)));
        } else {
            files.insert(entry.file_name(), fs::read(entry.path())?);
        }
    }
    Ok(files)
}

/// Compresses each file, so that the server does not do it for each request. The compressed copy
/// takes the file's place.
#[cfg(feature = "package")]
fn compress(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()? {
        let path = entry.path();
        if path.is_dir() {
            compress(&path)?;
            continue;
        }
        let file = fs::read(&path)?;
        if file.len() >= MIN_COMPRESSED_BYTES {
            let mut copy = path.clone().into_os_string();
            copy.push(".gz");
            let mut gzip = GzEncoder::new(fs::File::create(copy)?, Compression::best());
            gzip.write_all(&file)?;
            gzip.finish()?;
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// The package's modules that the page does not use: its entries, and each .wasm as text.
const UNUSED: [&str; 6] =
    ["index.js", "inlined.js", "slim.js", "testing.js", "url.js", "workerd.js"];

/// Fills a folder with `www/` and the package's files.
fn put_together(page: &Path) -> Outcome {
    if page.exists() {
        fs::remove_dir_all(page)?;
    }
    copy_folder(&root().join("www"), page)?;
    join_styles(page)?;
    let is_used = |file: &Path| {
        let has_code = file.extension().is_some_and(|it| it == "js" || it == "wasm");
        has_code && !UNUSED.iter().any(|name| file.ends_with(name))
    };
    copy_files(&root().join("pkg/dist"), &page.join("callerid"), &is_used)?;
    Ok(())
}

/// Joins the files in `styles/`, in the order of their names: the browser shows nothing before it
/// has all of them.
fn join_styles(page: &Path) -> Outcome {
    let folder = page.join("styles");
    let files = fs::read_dir(&folder)?.map(|file| file.map(|file| file.path()));
    let mut files = files.collect::<Result<Vec<_>, _>>()?;
    files.sort();
    let styles = files.iter().map(fs::read_to_string).collect::<Result<Vec<_>, _>>()?;
    fs::write(page.join("styles.css"), styles.concat())?;
    Ok(fs::remove_dir_all(folder)?)
}

/// Builds the page and the server that includes it, and runs the page's tests.
pub(crate) fn test() -> Outcome {
    let browser = browser::install()?;
    crate::package_dist()?;
    let program = server::build("dev")?;
    let mut test = node::npm();
    test.args(["test"]).current_dir(root().join("tests/page"));
    run(test.env("CALLERID_PROGRAM", program).env("CHROME", browser))
}
