//! HTML: one `div` per element, whose class is the element's name in kebab case. The page's title
//! is the HTTP status.

use super::Document;
use super::record::{lower_case, records};
use super::xml::escaped;
use crate::api_version::ApiVersion;

pub(super) fn encode(version: ApiVersion, document: &Document<'_>) -> Vec<u8> {
    let mut out = String::with_capacity(document.size_guess());
    out.push_str("<html><head><title>");
    out.push_str(&document.status().to_string());
    out.push_str("</title></head><body class=\"twilio-response\">");
    let is_list = matches!(document, Document::CallerIds(..));
    if is_list {
        open(&mut out, "OutgoingCallerIds");
    }
    for record in records(version, "", document) {
        open(&mut out, record.name);
        for (name, text) in record.fields {
            open(&mut out, name);
            out.push_str(&escaped(text.as_deref().unwrap_or_default()));
            out.push_str(CLOSE);
        }
        out.push_str(CLOSE);
    }
    if is_list {
        out.push_str(CLOSE);
    }
    out.push_str("</body></html>");
    out.into_bytes()
}

fn open(out: &mut String, name: &str) {
    out.push_str("<div class=\"");
    out.push_str(&lower_case(name, '-'));
    out.push_str("\">");
}

const CLOSE: &str = "</div>";
