//! Reads one phone number per line, and prints its ten digits, national format and kind, or what is
//! wrong with it and where.
//!
//! ```sh
//! printf '(415) 867.5309\n415-555-121\n' | cargo run --example normalize
//! ```

use std::io::{self, BufRead, Write};

use callerid_core::PhoneNumber;

fn main() -> io::Result<()> {
    normalize(io::stdin().lock(), io::stdout().lock())
}

pub(crate) fn normalize(input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    for line in input.lines() {
        match PhoneNumber::parse(&line?) {
            Ok(number) => {
                let (national, kind) = (number.national(), number.kind());
                writeln!(output, "{number}  {national}  {kind}")?;
            }
            Err(error) => writeln!(output, "{error}")?,
        }
    }
    Ok(())
}
