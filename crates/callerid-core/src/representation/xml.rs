//! XML, written and read: the default representation, and the one that has paging.

mod decode;
mod reader;

pub use decode::{
    decode, decode_caller_id, decode_caller_ids, decode_exception, decode_validation_request,
};

use super::element::{Element, FIGURES, URIS, Wire, each_record};
use super::{CallerIdPage, Document};
use crate::ApiVersion;
use crate::friendly_name::is_xml_char;
use crate::text::digits;

const DECLARATION: &[u8] = b"<?xml version=\"1.0\"?>\n";
/// The newer API's errors come from another writer than its answers.
const DECLARATION_OF_NEWER_EXCEPTION: &[u8] = b"<?xml version='1.0' encoding='UTF-8'?>\n";

pub(super) fn encode(version: ApiVersion, document: &Document<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(document.size_guess());
    out.extend_from_slice(match (version, document) {
        (ApiVersion::V2010, Document::Exception(_)) => DECLARATION_OF_NEWER_EXCEPTION,
        _ => DECLARATION,
    });
    push(&mut out, Element::TwilioResponse.start_tag());
    match document {
        Document::CallerIds(list) if list.page.items.is_empty() => {
            list_tag(&mut out, list);
            out.extend_from_slice(b"/>");
        }
        Document::CallerIds(list) => {
            list_tag(&mut out, list);
            out.push(b'>');
            records(&mut out, version, document);
            push(&mut out, Element::OutgoingCallerIds.end_tag());
        }
        _ => records(&mut out, version, document),
    }
    push(&mut out, Element::TwilioResponse.end_tag());
    out
}

fn records(out: &mut Vec<u8>, version: ApiVersion, document: &Document<'_>) {
    let wire = Wire { version, extension: "" };
    each_record(wire, document, &mut |record, fields| {
        push(out, record.start_tag());
        for (element, text) in fields {
            match text {
                Some(text) => {
                    push(out, element.start_tag());
                    if element.is_plain() {
                        push(out, text);
                    } else {
                        escape(out, text, Place::Text);
                    }
                    push(out, element.end_tag());
                }
                None => push(out, element.empty_tag()),
            }
        }
        push(out, record.end_tag());
    });
}

/// The list's start tag up to its closing bracket.
fn list_tag(out: &mut Vec<u8>, list: &CallerIdPage) {
    out.push(b'<');
    push(out, Element::OutgoingCallerIds.name());
    let CallerIdPage { page, uris } = list;
    let figures =
        [page.number, page.pages(), page.size.into(), page.total, page.start(), page.end()];
    for (name, figure) in FIGURES.into_iter().zip(figures) {
        attribute(out, name, &digits(figure));
    }
    for (name, uri) in URIS.into_iter().zip(uris.in_order()) {
        attribute(out, name, uri);
    }
}

fn attribute(out: &mut Vec<u8>, name: &str, value: &str) {
    out.push(b' ');
    push(out, name);
    push(out, "=\"");
    escape(out, value, Place::Attribute);
    out.push(b'"');
}

fn push(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

/// Where a text goes, which decides what of it must be escaped.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Between tags.
    Text,
    /// Between the double quotes of an attribute, where a reader takes line ends and tabs for spaces.
    Attribute,
}

/// Appends a text so that a reader finds exactly it. A reader takes a bare CR for a line feed, so CR
/// goes as a reference; a character that XML 1.0 cannot carry goes as U+FFFD.
pub(super) fn escape(out: &mut Vec<u8>, text: &str, place: Place) {
    // Nearly every text goes as it is. No early return: the compiler turns this into a few wide compares.
    let is_suspect =
        |byte: u8| byte < b' ' || matches!(byte, b'"' | b'&' | b'<' | b'>') || byte == 0xef;
    if !text.bytes().fold(false, |found, byte| found | is_suspect(byte)) {
        return push(out, text);
    }
    for char in text.chars() {
        match char {
            '&' => push(out, "&amp;"),
            '<' => push(out, "&lt;"),
            '>' => push(out, "&gt;"),
            '\r' => push(out, "&#13;"),
            '"' if place == Place::Attribute => push(out, "&quot;"),
            '\n' if place == Place::Attribute => push(out, "&#10;"),
            '\t' if place == Place::Attribute => push(out, "&#9;"),
            _ => {
                let char = if is_xml_char(char) { char } else { char::REPLACEMENT_CHARACTER };
                push(out, char.encode_utf8(&mut [0; 4]));
            }
        }
    }
}
