//! The `callerid` program.
fn main() {}
