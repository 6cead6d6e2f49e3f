//! CSV, written as RFC 4180 describes it: a header row of element names, then a row a record, each line
//! ended by CR LF, what needs it quoted.
//!
//! # Spreadsheets
//!
//! A friendly name is written as it is, also where it begins with `=`, `+`, `-` or `@`, which a spreadsheet
//! that opens the file takes for a formula. Marking such names with an apostrophe or a tab would give every
//! reader that is no spreadsheet a name that the account never had, and `+1 office` is a fair name. Quoting does not
//! keep a spreadsheet from it. Import the column as text.

use std::borrow::Cow;

use super::Document;
use super::record::{caller_id_names, records};
use crate::api_version::ApiVersion;

pub(super) fn encode(version: ApiVersion, document: &Document<'_>) -> Vec<u8> {
    let mut out = String::with_capacity(document.size_guess());
    let is_list = matches!(document, Document::CallerIds(_));
    if is_list {
        // A list without rows has its header all the same.
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
    // RFC 4180 makes a space part of its field, but not every reader does unless it is quoted.
    let is_padded = text.starts_with(' ') || text.ends_with(' ');
    if is_padded || text.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\"")).into()
    } else {
        text.into()
    }
}
