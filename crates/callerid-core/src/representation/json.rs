//! JSON: encodes the `.json` representation; [`to_string`] encodes all other JSON output.

use std::io;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::ser::Formatter;

use super::record::{Field, Record, lower_case, records};
use super::{Document, PageUris};
use crate::api_version::ApiVersion;
use crate::outgoing_caller_id::OutgoingCallerId;
use crate::page::Page;

pub(super) fn encode(version: ApiVersion, document: &Document<'_>) -> Vec<u8> {
    let mut records = records(version, ".json", document);
    match (version, document) {
        (ApiVersion::V2008, Document::CallerIds(..)) => {
            let rows = records.map(Wrapped::from).collect::<Vec<_>>();
            to_vec(&Only("TwilioResponse", Only("OutgoingCallerIds", rows)))
        }
        (ApiVersion::V2008, _) => {
            to_vec(&Only("TwilioResponse", records.next().map(Wrapped::from)))
        }
        (ApiVersion::V2010, Document::CallerIds(page, uris)) => {
            to_vec(&PlainPage::new(page, uris, records.map(Plain).collect()))
        }
        (ApiVersion::V2010, _) => to_vec(&records.next().map(Plain)),
    }
}

/// An object with one property.
struct Only<T>(&'static str, T);

impl<T: Serialize> Serialize for Only<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(self.0, &self.1)])
    }
}

/// A record in the specification's format: the names of the XML elements, and all values as
/// strings.
type Wrapped<'a> = Only<Texts<'a>>;

struct Texts<'a>(Vec<Field<'a>>);

impl<'a> From<Record<'a>> for Wrapped<'a> {
    fn from(Record { name, fields }: Record<'a>) -> Self {
        Self(name, Texts(fields))
    }
}

impl Serialize for Texts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, text)| (name, text)))
    }
}

/// A record in the newer API's format: names in snake case, and numbers for `code` and `status`.
struct Plain<'a>(Record<'a>);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = self.0.fields.iter().filter(|(name, _)| *name != "Detail");
        let mut map = serializer.serialize_map(None)?;
        for (name, text) in fields {
            let key = lower_case(name, '_');
            let number = text.as_ref().and_then(|text| text.parse::<u32>().ok());
            match (*name, number) {
                ("Code" | "Status", Some(number)) => map.serialize_entry(&key, &number)?,
                _ => map.serialize_entry(&key, text)?,
            }
        }
        map.end()
    }
}

/// A list in the newer API's format, with the paging fields next to the rows.
#[derive(Serialize)]
struct PlainPage<'a> {
    first_page_uri: Option<&'a str>,
    end: u64,
    previous_page_uri: Option<&'a str>,
    outgoing_caller_ids: Vec<Plain<'a>>,
    uri: Option<&'a str>,
    page_size: u32,
    start: u64,
    next_page_uri: Option<&'a str>,
    page: u64,
}

impl<'a> PlainPage<'a> {
    fn new(
        page: &Page<OutgoingCallerId>,
        uris: &'a PageUris,
        outgoing_caller_ids: Vec<Plain<'a>>,
    ) -> Self {
        let uri = |uri: &'a str| Some(uri).filter(|uri| !uri.is_empty());
        Self {
            first_page_uri: uri(&uris.first),
            end: page.end(),
            previous_page_uri: uri(&uris.previous),
            outgoing_caller_ids,
            uri: uri(&uris.this),
            page_size: page.size,
            start: page.start(),
            next_page_uri: uri(&uris.next),
            page: page.number,
        }
    }
}

/// Encodes a value as JSON on one line. `<`, control characters and line separators are escaped, so
/// that the text is safe in a script and on a terminal.
pub fn to_string(value: &(impl Serialize + ?Sized)) -> String {
    String::from_utf8(to_vec(value)).unwrap_or_default()
}

fn to_vec(value: &(impl Serialize + ?Sized)) -> Vec<u8> {
    let mut out = Vec::new();
    let written = value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, Escaping));
    debug_assert!(written.is_ok(), "a Vec takes whatever is written to it");
    out
}

struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let is_escaped =
            |char: char| matches!(char, '<' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}');
        for part in fragment.split_inclusive(is_escaped) {
            match part.chars().next_back().filter(|char| is_escaped(*char)) {
                Some(char) => {
                    writer.write_all(part.trim_end_matches(char).as_bytes())?;
                    write!(writer, "\\u{:04x}", u32::from(char))?;
                }
                None => writer.write_all(part.as_bytes())?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_round_trip_through_a_json_parser() {
        for text in ["", "a\"b\\c", "\0\u{1}\t\r\n", "</script>", "é中😀\u{2028}\u{7f}\u{9f}"] {
            let written = to_string(text);
            assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text, "{written}");
            assert!(!written.contains('<') && written.chars().all(|char| char >= ' '), "{written}");
        }
        assert_eq!(to_string("<<\u{7f}é\u{2029}\n"), r#""\u003c\u003c\u007fé\u2029\n""#);
    }
}
