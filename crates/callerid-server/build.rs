//! Builds the program again when its page changes: rust-embed tells cargo of the files that it has found, not of their folder.

fn main() {
    // cargo takes a folder that is not there to have changed at every build.
    let page = if std::path::Path::new("page").is_dir() { "page" } else { "." };
    println!("cargo::rerun-if-changed={page}");
}
