//! HTML, written: a `div` an element, its class the element's name in dashed lower case. The page's title
//! is the HTTP status.

use super::Document;
use super::element::{Element, Wire, each_record};
use super::xml::escaped;
use crate::ApiVersion;

pub(super) fn encode(version: ApiVersion, document: &Document<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(document.size_guess());
    out.extend_from_slice(b"<html><head><title>");
    out.extend_from_slice(document.status().to_string().as_bytes());
    out.extend_from_slice(b"</title></head><body class=\"");
    class(&mut out, Element::TwilioResponse);
    out.extend_from_slice(b"\">");
    let is_list = matches!(document, Document::CallerIds(_));
    if is_list {
        open(&mut out, Element::OutgoingCallerIds);
    }
    each_record(Wire::of(version), document, &mut |record, fields| {
        open(&mut out, record);
        for (element, text) in fields {
            open(&mut out, *element);
            out.extend_from_slice(escaped(text.unwrap_or_default()).as_bytes());
            close(&mut out);
        }
        close(&mut out);
    });
    if is_list {
        close(&mut out);
    }
    out.extend_from_slice(b"</body></html>");
    out
}

fn open(out: &mut Vec<u8>, element: Element) {
    out.extend_from_slice(b"<div class=\"");
    class(out, element);
    out.extend_from_slice(b"\">");
}

/// An element's name in dashed lower case.
fn class(out: &mut Vec<u8>, element: Element) {
    let dashed = |byte| if byte == b'_' { b'-' } else { byte };
    out.extend(element.snake_case().bytes().map(dashed));
}

fn close(out: &mut Vec<u8>) {
    out.extend_from_slice(b"</div>");
}
