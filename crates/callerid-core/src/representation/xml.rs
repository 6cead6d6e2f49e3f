//! XML: the default representation, and the only one with paging in every API version.

mod decode;
mod reader;

pub use decode::{
    decode, decode_caller_id, decode_caller_ids, decode_exception, decode_validation_request,
};

use std::borrow::Cow;
use std::io;

use quick_xml::Writer;
use quick_xml::escape::partial_escape;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesDecl, BytesStart, BytesText, Event};
use quick_xml::name::QName;

use super::record::{self, FIGURES, Field, URIS};
use super::{Document, PageUris};
use crate::api_version::ApiVersion;
use crate::friendly_name::is_xml_char;
use crate::outgoing_caller_id::OutgoingCallerId;
use crate::page::Page;

const DECLARATION: &str = "xml version=\"1.0\"";
/// In the newer API, errors and other responses have different XML declarations.
const DECLARATION_OF_NEWER_EXCEPTION: &str = "xml version='1.0' encoding='UTF-8'";

type Output = Writer<Vec<u8>>;

/// Whether a `Content-Type` header specifies XML: `application/xml; charset=utf-8`,
/// `application/atom+xml`.
pub fn is_content_type(content_type: &str) -> bool {
    let media_type = super::media_type(content_type).to_ascii_lowercase();
    media_type.ends_with("/xml") || media_type.ends_with("+xml")
}

pub(super) fn encode(version: ApiVersion, document: &Document<'_>) -> Vec<u8> {
    let mut out = Writer::new(Vec::with_capacity(document.size_guess()));
    let written = write(&mut out, version, document);
    debug_assert!(written.is_ok(), "a Vec takes whatever is written to it");
    out.into_inner()
}

fn write(out: &mut Output, version: ApiVersion, document: &Document<'_>) -> io::Result<()> {
    let declaration = match (version, document) {
        (ApiVersion::V2010, Document::Exception(_)) => DECLARATION_OF_NEWER_EXCEPTION,
        _ => DECLARATION,
    };
    let declaration = BytesStart::from_content(declaration, "xml".len());
    out.write_event(Event::Decl(BytesDecl::from_start(declaration)))?;
    out.write_event(Event::Text(BytesText::from_escaped("\n")))?;
    let response = out.create_element("TwilioResponse");
    response.write_inner_content(|out| match document {
        Document::CallerIds(page, uris) => caller_ids(out, version, document, page, uris),
        _ => records(out, version, document),
    })?;
    Ok(())
}

fn caller_ids(
    out: &mut Output,
    version: ApiVersion,
    document: &Document<'_>,
    page: &Page<OutgoingCallerId>,
    uris: &PageUris,
) -> io::Result<()> {
    let figures =
        [page.number, page.pages(), page.size.into(), page.total, page.start(), page.end()];
    let mut element = out.create_element("OutgoingCallerIds");
    for (name, figure) in FIGURES.into_iter().zip(figures) {
        element = element.with_attribute((name, figure.to_string().as_str()));
    }
    for (name, uri) in URIS.into_iter().zip(uris.in_order()) {
        element = element.with_attribute(attribute(name, uri));
    }
    match page.items.is_empty() {
        true => element.write_empty()?,
        false => element.write_inner_content(|out| records(out, version, document))?,
    };
    Ok(())
}

fn records(out: &mut Output, version: ApiVersion, document: &Document<'_>) -> io::Result<()> {
    for record in record::records(version, "", document) {
        out.create_element(record.name).write_inner_content(|out| fields(out, &record.fields))?;
    }
    Ok(())
}

fn fields(out: &mut Output, fields: &[Field<'_>]) -> io::Result<()> {
    for (name, text) in fields {
        let element = out.create_element(*name);
        match text {
            Some(text) if text.is_plain_in_xml() => {
                element.write_text_content(BytesText::from_escaped(&**text))?
            }
            Some(text) => element.write_text_content(BytesText::from_escaped(escaped(text)))?,
            None => element.write_empty()?,
        };
    }
    Ok(())
}

/// Escapes text between tags so that it decodes to the same text. A CR is escaped because parsers
/// replace it with a line feed. A character that XML 1.0 does not allow is replaced with U+FFFD.
pub(super) fn escaped(text: &str) -> Cow<'_, str> {
    // Most texts are plain, and the compiler vectorizes this check.
    let is_plain = |byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'&' | b'<' | b'>');
    if text.bytes().fold(true, |all, byte| all & is_plain(byte)) {
        return Cow::Borrowed(text);
    }
    if text.chars().all(is_xml_char) {
        return partial_escape(text);
    }
    let carried = |char| if is_xml_char(char) { char } else { char::REPLACEMENT_CHARACTER };
    partial_escape(text.chars().map(carried).collect::<String>())
}

/// Escapes an attribute in double quotes. Line ends and tabs are escaped because parsers replace
/// them with spaces. quick-xml's own escaping would also escape apostrophes.
fn attribute<'a>(name: &'a str, value: &'a str) -> Attribute<'a> {
    let mut value = escaped(value);
    for (char, reference) in [('"', "&quot;"), ('\n', "&#10;"), ('\t', "&#9;")] {
        if value.contains(char) {
            value = Cow::Owned(value.replace(char, reference));
        }
    }
    Attribute { key: QName(name), value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_characters_that_parsers_would_change_are_escaped() {
        let text = "a'b\"c\n\t\r<&>\0\u{ffff}é";
        assert_eq!(escaped(text), "a'b\"c\n\t&#13;&lt;&amp;&gt;\u{fffd}\u{fffd}é");
        let value = "a'b&quot;c&#10;&#9;&#13;&lt;&amp;&gt;\u{fffd}\u{fffd}é";
        assert_eq!(attribute("uri", text).value, value);
    }

    #[test]
    fn xml_has_several_content_types() {
        for xml in ["application/xml", "Text/XML ; charset=utf-8", "application/atom+xml"] {
            assert!(is_content_type(xml), "{xml}");
        }
        for other in ["", "text/html", "application/xmlish", "text/plain; x=/xml"] {
            assert!(!is_content_type(other), "{other}");
        }
    }
}
