//! CSV, written as RFC 4180 describes it: a header row of element names, then a row a record, each line
//! ended by CR LF, what needs it quoted.
//!
//! # Spreadsheets
//!
//! A friendly name is written as it is, also where it begins with `=`, `+`, `-` or `@`, which a spreadsheet
//! that opens the file takes for a formula. Marking such names with an apostrophe or a tab would give every
//! reader that is no spreadsheet a name that the account never had, and `+1 office` is a fair name. Quoting does not
//! keep a spreadsheet from it. Import the column as text.

use super::Document;
use super::element::{Field, Wire, each_record};
use crate::ApiVersion;

pub(super) fn encode(version: ApiVersion, document: &Document<'_>) -> Vec<u8> {
    let wire = Wire::of(version);
    let mut out = Vec::with_capacity(document.size_guess());
    if let Document::CallerIds(_) = document {
        // A list without rows has its header all the same.
        line(&mut out, wire.caller_id_elements().map(|element| element.name()));
    }
    each_record(wire, document, &mut |_, fields: &[Field<'_>]| {
        if !matches!(document, Document::CallerIds(_)) {
            line(&mut out, fields.iter().map(|(element, _)| element.name()));
        }
        line(&mut out, fields.iter().map(|(_, text)| text.unwrap_or_default()));
    });
    out
}

fn line<'a>(out: &mut Vec<u8>, cells: impl Iterator<Item = &'a str>) {
    for (column, text) in cells.enumerate() {
        if column > 0 {
            out.push(b',');
        }
        cell(out, text);
    }
    out.extend_from_slice(b"\r\n");
}

fn cell(out: &mut Vec<u8>, text: &str) {
    let is_special = |byte: u8| matches!(byte, b',' | b'"' | b'\r' | b'\n');
    // RFC 4180 makes a space part of its field, but not every reader does unless it is quoted.
    let is_padded = text.starts_with(' ') || text.ends_with(' ');
    if !is_padded && !text.bytes().any(is_special) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    out.push(b'"');
}
