//! Puts the demo page into the program: the files of `www/`, and of the npm package what the page loads, linked; each as it
//! is and, where that is shorter, compressed, so that no request and no start spends time on it.
//!
//! The package need not have been built. Then the program has no page, and says so to whoever asks for it.

mod link;

use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;

use link::Files;

/// Which host serves the page: in `www/` the same file says that none in particular does.
const HOST: (&str, &[u8]) = ("host.js", b"export const host = { connection: \"server\" };\n");

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../..");
    let (www, package) = (root.join("www"), root.join("pkg/dist"));
    let mut files = Files::new();
    link::read(&www, "", &mut files)?;
    if package.is_dir() {
        link::read(&package, "callerid/", &mut files)?;
        watch(&package);
    } else {
        // A path that is not there would be taken to have changed at every build.
        watch(&root.join("pkg"));
    }
    watch(&www);
    println!("cargo::rerun-if-changed=build");
    let (path, host) = HOST;
    files.insert(path.to_owned(), host.to_vec());
    let mut files = link::link(files)?;
    let html = files.remove(link::HTML).unwrap_or_default();
    files.insert(String::new(), html);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut table = String::from("[\n");
    // In the order in which they are looked for.
    for (number, (path, bytes)) in files.iter().enumerate() {
        let hash = fnv1a(bytes);
        let file = out.join(format!("page-{number}"));
        fs::write(&file, bytes)?;
        write!(
            table,
            "    File {{ path: \"/{path}\", plain: Form {{ etag: \"\\\"{hash:016x}\\\"\", bytes: include_bytes!({file:?}) }}, "
        )?;
        let gzip = gzip(bytes)?;
        if gzip.len() < bytes.len() {
            let file = file.with_extension("gz");
            fs::write(&file, gzip)?;
            writeln!(
                table,
                "gzip: Some(Form {{ etag: \"\\\"{hash:016x}-gzip\\\"\", bytes: include_bytes!({file:?}) }}) }},"
            )?;
        } else {
            table.push_str("gzip: None },\n");
        }
    }
    table.push_str("]\n");
    fs::write(out.join("page_files.rs"), table)?;
    Ok(())
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn watch(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
}

/// Fowler, Noll and Vo's hash: another content, another tag.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
