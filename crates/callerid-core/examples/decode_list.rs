//! Reads an XML list of caller IDs, as the API returns it, and prints one line for each.
//!
//! ```sh
//! cargo run --example decode_list < crates/callerid-core/tests/fixtures/caller-ids.xml
//! ```

use std::error::Error;
use std::io::{self, Read, Write};

use callerid_core::representation::xml;

fn main() -> Result<(), Box<dyn Error>> {
    decode_list(io::stdin().lock(), io::stdout().lock())
}

pub(crate) fn decode_list(
    mut input: impl Read,
    mut output: impl Write,
) -> Result<(), Box<dyn Error>> {
    let mut document = Vec::new();
    input.read_to_end(&mut document)?;
    let page = xml::decode_caller_ids(&document)?.page;
    writeln!(output, "{} of {}:", page.items.len(), page.total)?;
    for caller_id in page.items {
        let since = caller_id.date_created;
        writeln!(output, "{}  {}  {since}", caller_id.phone_number, caller_id.friendly_name)?;
    }
    Ok(())
}
