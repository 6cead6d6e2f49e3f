//! `cargo xtask package --sizes`: what takes the space in each .wasm.
//!
//! The code is that of a build with debug information, before pruning and wasm-opt: its shares tell where to look, the
//! compressed sizes whether it helped.

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use addr2line::Loader;
use wasmparser::{Parser, Payload};

/// How many lines of each table are printed.
const LINES: usize = 25;
/// The code is looked at in steps of so many bytes.
const STEP: u64 = 2;

/// Prints how many bytes of code come from each crate and from each source file: from the file that they were written
/// in, wherever they were inlined.
pub(super) fn print_origins(wasm: &Path) -> Result<(), Box<dyn Error>> {
    let code = code_bytes(&fs::read(wasm)?)?;
    let loader = Loader::new(wasm)?;
    let mut files: HashMap<String, u64> = HashMap::new();
    for address in (0..code).step_by(STEP as usize) {
        let place = loader.find_location(address)?;
        let file = place.and_then(|place| place.file).unwrap_or("of no file");
        *files.entry(file.to_owned()).or_default() += STEP;
    }
    let mut crates: HashMap<String, u64> = HashMap::new();
    for (file, bytes) in &files {
        *crates.entry(crate_of(file).to_owned()).or_default() += bytes;
    }
    println!("{code} bytes of code, by crate:");
    print(crates);
    println!("by file:");
    print(files);
    Ok(())
}

fn print(bytes: HashMap<String, u64>) {
    let mut lines: Vec<(String, u64)> = bytes.into_iter().collect();
    lines.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    for (name, bytes) in lines.iter().take(LINES) {
        println!("{bytes:>8}  {name}");
    }
}

/// The folder that a crate's `src` is in.
fn crate_of(file: &str) -> &str {
    let folder = file.rsplit_once("/src/").map_or(file, |(folder, _)| folder);
    folder.rsplit('/').next().unwrap_or(folder)
}

fn code_bytes(wasm: &[u8]) -> Result<u64, Box<dyn Error>> {
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::CodeSectionStart { size, .. } = payload? {
            return Ok(size.into());
        }
    }
    Err("the module has no code".into())
}
