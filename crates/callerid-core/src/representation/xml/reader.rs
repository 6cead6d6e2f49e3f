//! Reading XML 1.0 a token at a time: what a document of data has of it, and no more.
//!
//! It is this crate's own because quick-xml, which reads all of XML, takes 11 KB more of compressed .wasm. quick-xml is what
//! it is checked against, and what it is measured beside.
//!
//! Not read, but refused: a document type declaration, and every encoding but UTF-8. Not checked: which characters a
//! name has, and the attributes of elements that nobody asks for them.

use std::borrow::Cow;

use super::super::{InvalidDocument, InvalidDocumentReason as Reason, MAX_DEPTH};
use crate::friendly_name::is_xml_char;
use crate::text::{joined, split_at};

pub(super) type Read<T> = Result<T, InvalidDocument>;

/// Where it stands in a document.
pub(super) struct Reader<'a> {
    text: &'a str,
    /// What has not been read yet.
    rest: &'a str,
    /// The names of the elements that are open, the root's first.
    open: Vec<&'a str>,
    /// Whether the element that was opened last is empty: its end is the next token, though nothing is written for it.
    empty: bool,
    /// Whether the root has been opened.
    rooted: bool,
}

/// What comes next, once comments and processing instructions are passed over.
pub(super) enum Token<'a> {
    /// A start tag.
    Open(Tag<'a>),
    /// An end tag, of the element that was opened last.
    Close,
    /// Text, its references replaced.
    Text(Cow<'a, str>),
    /// The document's end.
    End,
}

/// A start tag.
#[derive(Clone, Copy)]
pub(super) struct Tag<'a> {
    /// Byte offset of its bracket.
    pub(super) at: usize,
    /// Its name, without a prefix.
    pub(super) name: &'a str,
    attributes: &'a str,
    attributes_at: usize,
}

/// A text, and the byte offset of where it begins.
pub(super) struct Text<'a> {
    pub(super) at: usize,
    pub(super) text: Cow<'a, str>,
}

impl<'a> Reader<'a> {
    /// At the document's beginning. Reads a byte order mark and the XML declaration.
    pub(super) fn new(bytes: &'a [u8]) -> Read<Self> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| InvalidDocument::new(error.valid_up_to(), Reason::NotUtf8))?;
        let rest = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = Self { text, rest, open: Vec::new(), empty: false, rooted: false };
        if let Some(rest) = rest.strip_prefix(DECLARATION)
            && rest.starts_with(|char: char| char.is_ascii_whitespace())
        {
            let at = reader.at();
            reader.rest = rest;
            let attributes_at = reader.at();
            let attributes = reader.until("?>", "the XML declaration is not closed")?;
            let declaration = Tag { at, name: "xml", attributes, attributes_at };
            declaration.each_attribute(&mut |_, name, encoding| match name != "encoding"
                || encoding.eq_ignore_ascii_case("utf-8")
            {
                true => Ok(()),
                false => Err(InvalidDocument::new(at, Reason::NotUtf8)),
            })?;
        }
        Ok(reader)
    }

    /// How many bytes of the document there are.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Byte offset of what has not been read yet.
    fn at(&self) -> usize {
        self.text.len().saturating_sub(self.rest.len())
    }

    /// Reads the next token.
    pub(super) fn token(&mut self) -> Read<Token<'a>> {
        if std::mem::take(&mut self.empty) {
            self.open.pop();
            return Ok(Token::Close);
        }
        loop {
            let at = self.at();
            let Some(markup) = self.rest.strip_prefix('<') else {
                let (raw, rest) = split_at(self.rest, b"<");
                if raw.is_empty() {
                    return self.end();
                }
                self.rest = rest;
                if !self.open.is_empty() {
                    return unescape(raw, at, Raw::Text).map(Token::Text);
                }
                if !raw.trim_ascii().is_empty() {
                    return Err(malformed(at, "there is text outside the root element"));
                }
                continue;
            };
            self.rest = markup;
            match markup.as_bytes() {
                [b'/', ..] => return self.end_tag(at),
                [b'?', ..] => {
                    self.rest = markup.strip_prefix('?').unwrap_or(markup);
                    let instruction = self.until("?>", "a processing instruction is not closed")?;
                    match split_at(instruction, SPACE).0 {
                        "xml" => {
                            let why = "the XML declaration stands at the start or nowhere";
                            return Err(malformed(at, why));
                        }
                        name if name.is_empty() || name.starts_with('>') => {
                            return Err(malformed(at, "a processing instruction has no name"));
                        }
                        _ => {}
                    }
                }
                [b'!', b'-', b'-', ..] => {
                    // Three, since the comment's two dashes are not at the same time those of its end.
                    self.rest = markup.get(3..).unwrap_or_default();
                    self.until("-->", "a comment is not closed")?;
                }
                [b'!', b'D', ..] => return Err(InvalidDocument::new(at, Reason::Doctype)),
                [b'!', ..] => {
                    let Some(text) = markup.strip_prefix("![CDATA[") else {
                        return Err(malformed(at, "<! begins neither a comment nor CDATA"));
                    };
                    self.rest = text;
                    let text = self.until("]]>", "CDATA is not closed")?;
                    if self.open.is_empty() {
                        return Err(malformed(at, "there is text outside the root element"));
                    }
                    return unescape(text, at, Raw::CharacterData).map(Token::Text);
                }
                _ => return self.start_tag(at).map(Token::Open),
            }
        }
    }

    fn end(&self) -> Read<Token<'a>> {
        match (self.open.is_empty(), self.rooted) {
            (true, true) => Ok(Token::End),
            (true, false) => Err(malformed(self.at(), "there is no root element")),
            (false, _) => Err(malformed(self.at(), "an element is not closed")),
        }
    }

    fn start_tag(&mut self, at: usize) -> Read<Tag<'a>> {
        let content_at = self.at();
        let mut quote = None;
        let is_end = |byte| {
            match (quote, byte) {
                (None, b'"' | b'\'') => quote = Some(byte),
                (Some(open), _) if open == byte => quote = None,
                _ => {}
            }
            byte == b'>' && quote.is_none()
        };
        let end = self.rest.bytes().position(is_end);
        let (content, rest) = end
            .and_then(|end| self.rest.split_at_checked(end))
            .ok_or_else(|| malformed(at, "a tag is not closed"))?;
        self.rest = rest.get(1..).unwrap_or_default();
        let written = content.strip_suffix('/');
        self.empty = written.is_some();
        let (name, attributes) = split_at(written.unwrap_or(content), SPACE);
        if name.is_empty() {
            return Err(malformed(at, "a tag has no name"));
        }
        if self.open.is_empty() && self.rooted {
            return Err(malformed(at, "a document has one root element"));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(InvalidDocument::new(at, Reason::TooDeep));
        }
        self.rooted = true;
        self.open.push(name);
        let attributes_at = content_at.saturating_add(name.len());
        let (prefix, local) = split_at(name, b":");
        let name = local.strip_prefix(':').unwrap_or(prefix);
        Ok(Tag { at, name, attributes, attributes_at })
    }

    fn end_tag(&mut self, at: usize) -> Read<Token<'a>> {
        let found = self.until(">", "a tag is not closed")?.trim_ascii_end();
        let found = found.strip_prefix('/').unwrap_or(found);
        match self.open.pop() {
            Some(name) if name == found => Ok(Token::Close),
            open => {
                let expected = open.unwrap_or_default();
                let (expected, found) = (excerpt(expected), excerpt(found));
                Err(malformed(at, &joined(&["expected </", expected, ">, found </", found, ">"])))
            }
        }
    }

    /// What stands before `end`, which is passed over.
    fn until(&mut self, end: &str, unclosed: &str) -> Read<&'a str> {
        let mut places = self.rest.as_bytes().windows(end.len());
        let length = places.position(|bytes| bytes == end.as_bytes());
        let Some((before, rest)) = length.and_then(|length| self.rest.split_at_checked(length))
        else {
            return Err(malformed(self.at(), unclosed));
        };
        self.rest = rest.strip_prefix(end).unwrap_or(rest);
        Ok(before)
    }

    /// The root's start tag.
    pub(super) fn root(&mut self) -> Read<Tag<'a>> {
        loop {
            if let Token::Open(tag) = self.token()? {
                return Ok(tag);
            }
        }
    }

    /// Reads on to the end, after the root.
    pub(super) fn finish(&mut self) -> Read<()> {
        self.token().map(drop)
    }

    /// The next child of the element whose earlier children have been read; `None` at its end.
    pub(super) fn child(&mut self) -> Read<Option<Tag<'a>>> {
        loop {
            match self.token()? {
                Token::Open(tag) => return Ok(Some(tag)),
                Token::Text(_) => {}
                Token::Close | Token::End => return Ok(None),
            }
        }
    }

    /// Passes over the element that was opened last.
    pub(super) fn skip(&mut self) -> Read<()> {
        let outer = self.open.len().saturating_sub(1);
        while self.open.len() > outer {
            self.token()?;
        }
        Ok(())
    }

    /// The text of the element that was opened last, without that of the elements in it.
    pub(super) fn text(&mut self) -> Read<Text<'a>> {
        let mut text = Text { at: self.at(), text: Cow::Borrowed("") };
        loop {
            match self.token()? {
                Token::Text(part) if text.text.is_empty() => text.text = part,
                Token::Text(part) => text.text.to_mut().push_str(&part),
                Token::Open(_) => self.skip()?,
                Token::Close | Token::End => return Ok(text),
            }
        }
    }

    /// An element with no attributes and nothing but plain text in it, where that comes next: its byte offset and its
    /// text, in less time than its three tokens take. `None`, and nothing read, for everything else.
    pub(super) fn plain(&mut self, start_tag: &str, end_tag: &str) -> Option<(usize, Text<'a>)> {
        let tag = self.rest.trim_ascii_start();
        let rest = tag.strip_prefix(start_tag)?;
        let (text, after) = split_at(rest, b"<&\r");
        let at = |rest: &str| self.text.len().saturating_sub(rest.len());
        let found = (at(tag), Text { at: at(rest), text: Cow::Borrowed(text) });
        self.rest = after.strip_prefix(end_tag)?;
        Some(found)
    }
}

const DECLARATION: &str = "<?xml";

impl<'a> Tag<'a> {
    /// Hands over each attribute: its byte offset, its name, and its value with references replaced and line ends and
    /// tabs read as spaces.
    pub(super) fn each_attribute(
        &self,
        read: &mut dyn FnMut(usize, &'a str, Cow<'a, str>) -> Read<()>,
    ) -> Read<()> {
        let mut rest = self.attributes.trim_ascii();
        let end = self.attributes_at.saturating_add(self.attributes.trim_ascii_end().len());
        while !rest.is_empty() {
            let at = |rest: &str| end.saturating_sub(rest.len());
            let start = at(rest);
            let (name, equals) = split_at(rest, b"= \t\n\r\x0c");
            let equals = equals.trim_ascii_start();
            let value = equals
                .strip_prefix('=')
                .ok_or_else(|| malformed(at(equals), "expected = after the name of an attribute"))?
                .trim_ascii_start();
            let quote = *value
                .as_bytes()
                .first()
                .filter(|byte| matches!(byte, b'"' | b'\''))
                .ok_or_else(|| malformed(at(value), "expected a quote before the value"))?;
            let value = value.get(1..).unwrap_or_default();
            let (raw, after) = split_at(value, &[quote]);
            let after = after
                .get(1..)
                .ok_or_else(|| malformed(at(after), "expected a quote after the value"))?;
            read(start, name, unescape(raw, at(value), Raw::Attribute)?)?;
            rest = after.trim_ascii_start();
        }
        Ok(())
    }
}

const SPACE: &[u8] = b" \t\n\r\x0c";

/// Where a text is written, which decides how.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Raw {
    Text,
    CharacterData,
    Attribute,
}

/// The text that is written so: references replaced, line ends read as line feeds, in an attribute as spaces.
fn unescape(raw: &str, at: usize, place: Raw) -> Read<Cow<'_, str>> {
    let is_special = |byte| match byte {
        b'&' => place != Raw::CharacterData,
        b'\n' | b'\t' => place == Raw::Attribute,
        byte => byte == b'\r',
    };
    if !raw.bytes().any(is_special) {
        return Ok(Cow::Borrowed(raw));
    }
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(char) = rest.chars().next() {
        let at = at.saturating_add(raw.len().saturating_sub(rest.len()));
        rest = rest.get(char.len_utf8()..).unwrap_or_default();
        text.push(match char {
            '&' if place != Raw::CharacterData => {
                let (name, after) = split_at(rest, b";");
                match (referred(name), after.strip_prefix(';')) {
                    (Some(char), Some(after)) => {
                        rest = after;
                        char
                    }
                    _ => {
                        return Err(InvalidDocument::new(
                            at,
                            Reason::Reference(joined(&["&", excerpt(name), ";"])),
                        ));
                    }
                }
            }
            '\r' if rest.starts_with('\n') => continue,
            '\r' | '\n' | '\t' if place == Raw::Attribute => ' ',
            '\r' => '\n',
            char => char,
        });
    }
    Ok(Cow::Owned(text))
}

/// The character that a reference stands for, by what is between `&` and `;`.
fn referred(name: &str) -> Option<char> {
    let code = match name {
        "amp" => return Some('&'),
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "quot" => return Some('"'),
        "apos" => return Some('\''),
        _ => name.strip_prefix('#')?,
    };
    let (digits, radix) = code.strip_prefix('x').map_or((code, 10), |hex| (hex, 16));
    // The standard library would read a sign, too.
    let is_number = digits.bytes().all(|digit| char::from(digit).is_digit(radix));
    let code = u32::from_str_radix(digits, radix).ok().filter(|_| is_number)?;
    char::from_u32(code).filter(|char| is_xml_char(*char))
}

/// The beginning of a text that may be of any length.
pub(super) fn excerpt(text: &str) -> &str {
    crate::text::excerpt(text, EXCERPT_CHARS)
}

const EXCERPT_CHARS: usize = 100;

#[cold]
pub(super) fn malformed(at: usize, why: &str) -> InvalidDocument {
    InvalidDocument::new(at, Reason::Malformed(why.to_owned()))
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "a test that cannot go on has failed")]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::{Index, select};
    use quick_xml::events::Event;

    use super::*;

    /// The names of start tags, `/` for each end, and the texts between them.
    fn tokens(document: &str) -> Option<Vec<String>> {
        let mut reader = Reader::new(document.as_bytes()).ok()?;
        let mut tokens = Vec::new();
        loop {
            match reader.token().ok()? {
                Token::Open(tag) => tokens.push(format!("<{}", tag.name)),
                Token::Close => tokens.push("/".to_owned()),
                Token::Text(text) => push(&mut tokens, &text),
                Token::End => return Some(tokens),
            }
        }
    }

    /// The same of quick-xml, where it can read the document.
    fn tokens_of_quick_xml(document: &str) -> Option<Vec<String>> {
        let mut reader = quick_xml::Reader::from_str(document);
        let (mut tokens, mut depth) = (Vec::new(), 0);
        loop {
            match reader.read_event().ok()? {
                Event::Start(tag) => {
                    depth += 1;
                    tokens.push(format!("<{}", tag.local_name().into_inner()));
                }
                Event::Empty(tag) => {
                    tokens.push(format!("<{}", tag.local_name().into_inner()));
                    tokens.push("/".to_owned());
                }
                Event::End(_) => {
                    depth -= 1;
                    tokens.push("/".to_owned());
                }
                Event::Text(text) if depth == 0 && text.trim_ascii().is_empty() => {}
                Event::Text(text) => push(&mut tokens, &text.xml10_content()),
                Event::CData(text) => push(&mut tokens, &text.xml10_content()),
                Event::GeneralRef(name) => match name.resolve_char_ref() {
                    Ok(Some(char)) => push(&mut tokens, char.encode_utf8(&mut [0; 4])),
                    _ => push(&mut tokens, quick_xml::escape::resolve_xml_entity(&name)?),
                },
                Event::Eof => return (depth == 0).then_some(tokens),
                _ => {}
            }
        }
    }

    fn push(tokens: &mut Vec<String>, text: &str) {
        match tokens.last_mut() {
            Some(last) if last.starts_with('"') => last.push_str(text),
            _ => tokens.push(format!("\"{text}")),
        }
    }

    fn element() -> impl Strategy<Value = String> {
        let pieces = [
            "text",
            " ",
            "\r\n",
            "\r",
            "\t",
            "é",
            ">",
            "\"",
            "'",
            "/",
            "&amp;",
            "&#65;",
            "&#x2f;",
            "&lt;",
            "<!---->",
            "<!-- <a> - -->",
            "<?go on?>",
            "<![CDATA[]]>",
            "<![CDATA[<a>&b;\r\n]]>",
            "<a/>",
            "<a b=''/>",
            "<p:a\nb = \"/>'\" c='&quot;'></p:a >",
        ];
        let leaf = select(pieces.map(str::to_owned).to_vec());
        leaf.prop_recursive(5, 40, 6, |inner| {
            (select(vec!["a", "b-c", "p:d", "é"]), prop::collection::vec(inner, 0..6))
                .prop_map(|(name, inner)| format!("<{name}>{}</{name}>", inner.concat()))
        })
    }

    proptest! {
        #[test]
        fn reads_as_quick_xml_does(
            inner in prop::collection::vec(element(), 0..6),
            before in select(vec!["", "\u{feff}", "<?xml version='1.0'?>\n", " <!--x-->"]),
            after in select(vec!["", "\n", "<?x?>"]),
        ) {
            let document = format!("{before}<root x=\"1\">{}</root>{after}", inner.concat());
            let read = tokens(&document);
            prop_assert!(read.is_some(), "{document}");
            prop_assert_eq!(read, tokens_of_quick_xml(&document), "{}", document);
        }

        #[test]
        fn what_is_damaged_is_read_as_quick_xml_does_or_not_at_all(
            inner in prop::collection::vec(element(), 0..6),
            place: Index,
            instead in select(vec!["", "<", ">", "/", "&", "]]>", "--", "\"", "<!"]),
        ) {
            let document = format!("<root>{}</root>", inner.concat());
            let (at, char) = place.get(&document.char_indices().collect::<Vec<_>>()).to_owned();
            let mut damaged = document;
            damaged.replace_range(at..at + char.len_utf8(), instead);
            if let Some(read) = tokens(&damaged) {
                prop_assert_eq!(Some(read), tokens_of_quick_xml(&damaged), "{}", damaged);
            }
        }
    }
}
