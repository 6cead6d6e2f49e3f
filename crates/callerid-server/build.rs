//! Puts the demo page into the program: the files of `www/`, and of the npm package what the page loads.
//!
//! The package need not have been built. Then the program has no page, and says so to whoever asks for it.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Entries of the package that the page does not load.
const NOT_LOADED: [&str; 4] = ["index.js", "inlined.js", "slim.js", "workerd.js"];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../..");
    let (www, package) = (root.join("www"), root.join("pkg/dist"));
    let mut files = Vec::new();
    collect(&www, "/", &mut files)?;
    if package.is_dir() {
        collect(&package, "/callerid/", &mut files)?;
        watch(&package);
    } else {
        // A path that is not there would be taken to have changed at every build.
        watch(&root.join("pkg"));
    }
    watch(&www);
    println!("cargo::rerun-if-changed=build.rs");
    // In the order in which they are looked for.
    files.sort();
    let mut table = String::from("[\n");
    for (path, file) in &files {
        let hash = fnv1a(&fs::read(file)?);
        let file = file.canonicalize()?;
        writeln!(
            table,
            "    File {{ path: {path:?}, etag: \"\\\"{hash:016x}\\\"\", bytes: include_bytes!({file:?}) }},"
        )?;
    }
    table.push_str("]\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("page_files.rs"), table)?;
    Ok(())
}

/// The files of a directory and those below it that a browser asks for, by their paths on the server.
fn collect(
    directory: &Path,
    prefix: &str,
    files: &mut Vec<(String, PathBuf)>,
) -> std::io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let file = entry?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_package = prefix.starts_with("/callerid/");
        if file.is_dir() {
            if !is_package {
                collect(&file, &format!("{prefix}{name}/"), files)?;
            }
            continue;
        }
        let extension = file.extension().unwrap_or_default();
        let is_served =
            ["html", "css", "js", "svg", "wasm"].iter().any(|known| extension == *known);
        if is_served && !(is_package && NOT_LOADED.contains(&name.as_str())) {
            let path = format!("{prefix}{name}");
            files.push((path.replace("/index.html", "/"), file));
        }
    }
    Ok(())
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
