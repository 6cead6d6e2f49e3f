//! CSV as described in RFC 4180: a header row of element names and one row per record. Lines end
//! with CR LF, and cells are quoted if necessary.
//!
//! # Spreadsheets
//!
//! A friendly name is written unchanged even if it begins with `=`, `+`, `-` or `@`, which makes a
//! spreadsheet interpret it as a formula. An apostrophe or tab as a prefix would change the name
//! for every other program, and `+1 office` is a legitimate name. Quoting does not prevent the
//! interpretation. Import the column as text.

use std::borrow::Cow;

use super::Document;
use super::record::{caller_id_names, records};
use crate::api_version::ApiVersion;

pub(super) fn encode(version: ApiVersion, document: &Document<'_>) -> Vec<u8> {
    let mut out = String::with_capacity(document.size_guess());
    let is_list = matches!(document, Document::CallerIds(..));
    if is_list {
        // An empty list has a header, too.
        line(&mut out, caller_id_names(version));
    }
    for record in records(version, "", document) {
        if !is_list {
            line(&mut out, record.fields.iter().map(|(name, _)| *name));
        }
        line(&mut out, record.fields.iter().map(|(_, text)| text.as_deref().unwrap_or_default()));
    }
    out.into_bytes()
}

fn line<'a>(out: &mut String, cells: impl Iterator<Item = &'a str>) {
    let cells = cells.map(cell).collect::<Vec<_>>();
    out.push_str(&cells.join(","));
    out.push_str("\r\n");
}

fn cell(text: &str) -> Cow<'_, str> {
    // RFC 4180 makes spaces part of a field, but some parsers trim them unless the field is quoted.
    let is_padded = text.starts_with(' ') || text.ends_with(' ');
    if is_padded || text.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\"")).into()
    } else {
        text.into()
    }
}
