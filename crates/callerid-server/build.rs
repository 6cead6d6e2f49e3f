//! Rebuilds the program when its page changes. rust-embed tells cargo about the files that it
//! found, but not about their folder.

fn main() {
    // cargo would treat a missing folder as changed in every build.
    let page = if std::path::Path::new("page").is_dir() { "page" } else { "." };
    println!("cargo::rerun-if-changed={page}");
}
