//! Reads a document as elements and texts. quick-xml parses the markup; this module checks what
//! quick-xml does not.
//!
//! It rejects document type declarations, encodings other than UTF-8, and elements with more than
//! [`MAX_ATTRIBUTES`] attributes. It does not check the characters of names.

use std::borrow::Cow;

use memchr::{memchr, memchr2};
use quick_xml::encoding::EncodingError;
use quick_xml::errors::{IllFormedError, SyntaxError};
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::attributes::AttrError;
use quick_xml::events::{BytesRef, BytesStart, BytesText, Event};
use quick_xml::{Error, XmlVersion};

use super::super::{InvalidDocument, InvalidDocumentReason as Reason, MAX_DEPTH};
use crate::friendly_name::is_xml_char;

pub(super) type Read<T> = Result<T, InvalidDocument>;

/// The maximum number of attributes of an element, because each is compared with all previous ones.
/// The known documents have at most eleven.
const MAX_ATTRIBUTES: usize = 32;

/// A position in a document.
pub(super) struct Reader<'a> {
    document: &'a [u8],
    events: quick_xml::Reader<&'a [u8]>,
    /// Length of the byte order mark, which `events` does not count.
    mark: usize,
    /// Whether the document has a `]` or a CR. If not, no text has a `]]>` or a line end to replace.
    has_special_text: bool,
    /// The number of open elements.
    depth: usize,
    /// The last start tag. Its name is empty before the first start tag.
    tag: Tag<'a>,
}

/// The next item, ignoring comments and processing instructions.
enum Token<'a> {
    /// A start tag, stored in the reader's `tag`.
    Open,
    /// The end tag of the innermost open element. Empty elements have one, too.
    Close,
    /// Text with its references resolved.
    Text(Cow<'a, str>),
    /// The end of the document.
    End,
}

/// A start tag.
pub(super) struct Tag<'a> {
    /// Byte offset of the tag's `<`.
    pub(super) at: usize,
    content: BytesStart<'a>,
}

pub(super) struct Attribute<'a> {
    /// Byte offset of the name.
    pub(super) at: usize,
    pub(super) name: &'a str,
    /// The value with references resolved, and line ends and tabs replaced with spaces.
    pub(super) value: Cow<'a, str>,
}

impl<'a> Reader<'a> {
    /// Creates a reader at the start of the document.
    pub(super) fn new(document: &'a [u8]) -> Self {
        let mut events = quick_xml::Reader::from_reader(document);
        events.config_mut().expand_empty_elements = true;
        let mark = "\u{feff}".as_bytes();
        let mark = if document.starts_with(mark) { mark.len() } else { 0 };
        let has_special_text = memchr2(b']', b'\r', document).is_some();
        let tag = Tag { at: 0, content: BytesStart::new("") };
        Self { document, events, mark, has_special_text, depth: 0, tag }
    }

    /// The length of the document in bytes.
    pub(super) fn len(&self) -> usize {
        self.document.len()
    }

    /// Byte offset of the next token.
    pub(super) fn at(&self) -> usize {
        let position = usize::try_from(self.events.buffer_position()).unwrap_or(usize::MAX);
        self.mark.saturating_add(position).min(self.document.len())
    }

    /// Reads the next token. Inlined, because storing each token and loading it again takes longer
    /// than reading it.
    #[inline(always)]
    fn token(&mut self) -> Read<Token<'a>> {
        loop {
            let at = self.at();
            match self.events.read_event() {
                Ok(Event::Start(content)) => {
                    return self.start_tag(Tag { at, content }).map(|()| Token::Open);
                }
                Ok(Event::End(_)) => {
                    self.depth = self.depth.saturating_sub(1);
                    return Ok(Token::Close);
                }
                Ok(Event::Text(text)) if self.depth > 0 => {
                    return self.content(at, text).map(Token::Text);
                }
                Ok(Event::CData(text)) if self.depth > 0 => {
                    return Ok(Token::Text(text.xml10_content()));
                }
                Ok(Event::GeneralRef(name)) if self.depth > 0 => {
                    let text = replacement(&name).ok_or_else(|| invalid_reference(at, &name));
                    return text.map(Token::Text);
                }
                Ok(Event::Eof) => return self.end(at),
                Ok(event) => self.check(at, event)?,
                Err(error) => return Err(refused(at, &error)),
            }
        }
    }

    fn start_tag(&mut self, tag: Tag<'a>) -> Read<()> {
        let name = tag.name();
        if name.is_empty() {
            return Err(malformed(tag.at, "a tag has no name"));
        }
        if self.depth == 0 && !self.tag.name().is_empty() {
            return Err(malformed(tag.at, "a document has one root element"));
        }
        if self.depth >= MAX_DEPTH {
            return Err(InvalidDocument::new(tag.at, Reason::TooDeep));
        }
        if name.len() < tag.content.len() {
            tag.attributes().try_for_each(|attribute| attribute.map(drop))?;
        }
        self.depth = self.depth.saturating_add(1);
        self.tag = tag;
        Ok(())
    }

    /// Text between tags.
    fn content(&self, at: usize, text: BytesText<'a>) -> Read<Cow<'a, str>> {
        if !self.has_special_text {
            return Ok(text.into_inner());
        }
        match text.find("]]>") {
            Some(place) => {
                Err(malformed(at.saturating_add(place), "]]> stands in text, outside CDATA"))
            }
            None => Ok(text.xml10_content()),
        }
    }

    /// Checks an event that is ignored.
    #[cold]
    fn check(&self, at: usize, event: Event<'a>) -> Read<()> {
        let why = match event {
            Event::Text(text) if text.trim_matches(SPACE).is_empty() => return Ok(()),
            Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => {
                "there is text outside the root element"
            }
            Event::Comment(text) => {
                let dashes = text.find("--").or_else(|| text.strip_suffix('-').map(str::len));
                let Some(place) = dashes else { return Ok(()) };
                let at = at.saturating_add("<!--".len()).saturating_add(place);
                return Err(malformed(at, "-- stands in a comment"));
            }
            Event::Decl(declaration) if at == self.mark => return check_encoding(at, &declaration),
            Event::Decl(_) => "the XML declaration stands at the start or nowhere",
            Event::PI(instruction) if instruction.target().is_empty() => {
                "a processing instruction has no name"
            }
            Event::DocType(_) => return Err(InvalidDocument::new(at, Reason::Doctype)),
            _ => return Ok(()),
        };
        Err(malformed(at, why))
    }

    fn end(&self, at: usize) -> Read<Token<'a>> {
        match (self.depth, self.tag.name()) {
            (0, "") => Err(malformed(at, "there is no root element")),
            (0, _) => Ok(Token::End),
            _ => Err(malformed(at, "an element is not closed")),
        }
    }

    /// The last start tag.
    pub(super) fn tag(&self) -> &Tag<'a> {
        &self.tag
    }

    /// Reads to the end of the document after the root element.
    pub(super) fn finish(&mut self) -> Read<()> {
        self.token().map(drop)
    }

    /// Opens the next child of the current element and returns its name without a prefix, or `None`
    /// at the end of the element. At the start of the document, the child is the root element.
    pub(super) fn child(&mut self) -> Read<Option<&str>> {
        loop {
            match self.token()? {
                Token::Open => return Ok(Some(self.tag.local_name())),
                Token::Text(_) => {}
                Token::Close | Token::End => return Ok(None),
            }
        }
    }

    /// Skips the element that was opened last.
    pub(super) fn skip(&mut self) -> Read<()> {
        self.text().map(drop)
    }

    /// The text of the element that was opened last, without the text of its child elements.
    pub(super) fn text(&mut self) -> Read<Cow<'a, str>> {
        let mut text = Cow::Borrowed("");
        loop {
            match self.token()? {
                Token::Text(part) if text.is_empty() => text = part,
                Token::Text(part) => text.to_mut().push_str(&part),
                Token::Open => self.skip()?,
                Token::Close | Token::End => return Ok(text),
            }
        }
    }
}

/// White space as defined by XML.
const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

fn check_encoding(at: usize, declaration: &str) -> Read<()> {
    // The declaration is parsed like a tag. Its `<?` is one byte longer than `<`.
    let content = BytesStart::from_content(declaration, "xml".len());
    let tag = Tag { at: at.saturating_add(1), content };
    for attribute in tag.attributes() {
        let Attribute { name, value, .. } = attribute?;
        if name == "encoding" && !value.eq_ignore_ascii_case("utf-8") {
            return Err(InvalidDocument::new(at, Reason::NotUtf8));
        }
    }
    Ok(())
}

impl Tag<'_> {
    fn name(&self) -> &str {
        self.content.name().into_inner()
    }

    /// The name without a prefix.
    pub(super) fn local_name(&self) -> &str {
        let name = self.name();
        match memchr(b':', name.as_bytes()) {
            Some(colon) => name.get(colon.saturating_add(1)..).unwrap_or_default(),
            None => name,
        }
    }

    /// The attributes, parsed lazily.
    pub(super) fn attributes(&self) -> impl Iterator<Item = Read<Attribute<'_>>> {
        let content: &str = &self.content;
        let content_at = self.at.saturating_add("<".len());
        let offset = move |part: &str| {
            let within = part.as_ptr().addr().saturating_sub(content.as_ptr().addr());
            content_at.saturating_add(within)
        };
        let attributes = self.content.attributes().enumerate();
        attributes.map(move |(index, attribute)| {
            let attribute =
                attribute.map_err(|error| invalid_attribute(content_at, content, &error))?;
            let name = attribute.key.into_inner();
            if index >= MAX_ATTRIBUTES {
                let why = format!("an element has over {MAX_ATTRIBUTES} attributes");
                return Err(malformed(offset(name), &why));
            }
            let value_at = offset(&attribute.value);
            check_references(value_at, &attribute.value)?;
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|error| refused(value_at, &error))?;
            Ok(Attribute { at: offset(name), name, value })
        })
    }
}

fn check_references(at: usize, value: &str) -> Read<()> {
    for (place, _) in value.match_indices('&') {
        let rest = value.get(place.saturating_add(1)..).unwrap_or_default();
        let (name, is_closed) =
            rest.split_once(';').map_or((rest, false), |(name, _)| (name, true));
        if !is_closed || replacement(&BytesRef::new(name)).is_none() {
            return Err(invalid_reference(at.saturating_add(place), name));
        }
    }
    Ok(())
}

/// The character that a reference represents.
fn replacement(reference: &BytesRef<'_>) -> Option<Cow<'static, str>> {
    match reference.resolve_char_ref() {
        Ok(Some(char)) => is_xml_char(char).then(|| Cow::Owned(char.into())),
        Ok(None) => resolve_predefined_entity(reference).map(Cow::Borrowed),
        Err(_) => None,
    }
}

/// The maximum length of a name in an error message, because names can be of any length.
pub(super) const EXCERPT_CHARS: usize = 100;

#[cold]
pub(super) fn malformed(at: usize, why: &str) -> InvalidDocument {
    InvalidDocument::new(at, Reason::Malformed(why.to_owned()))
}

#[cold]
fn invalid_reference(at: usize, name: &str) -> InvalidDocument {
    InvalidDocument::new(at, Reason::Reference(format!("&{name:.EXCERPT_CHARS$};")))
}

/// Converts an error from quick-xml about markup that begins at `at`.
#[cold]
fn refused(at: usize, error: &Error) -> InvalidDocument {
    let why = match error {
        Error::Encoding(EncodingError::Utf8(error)) => {
            return InvalidDocument::new(at.saturating_add(error.valid_up_to()), Reason::NotUtf8);
        }
        Error::Syntax(SyntaxError::UnclosedDoctype)
        | Error::IllFormed(IllFormedError::MissingDoctypeName) => {
            return InvalidDocument::new(at, Reason::Doctype);
        }
        Error::IllFormed(IllFormedError::MismatchedEndTag { expected, found }) => {
            format!("expected </{expected:.EXCERPT_CHARS$}>, found </{found:.EXCERPT_CHARS$}>")
        }
        Error::IllFormed(IllFormedError::UnmatchedEndTag(found)) => {
            format!("</{found:.EXCERPT_CHARS$}> closes no element")
        }
        error => error.to_string(),
    };
    InvalidDocument::new(at, Reason::Malformed(why))
}

#[cold]
fn invalid_attribute(at: usize, content: &str, error: &AttrError) -> InvalidDocument {
    let (place, why) = match *error {
        AttrError::ExpectedEq(place) => (place, "expected = after the name of an attribute"),
        AttrError::ExpectedValue(place) | AttrError::UnquotedValue(place) => {
            (place, "expected a quote before the value")
        }
        AttrError::ExpectedQuote(place, _) => (place, "expected a quote after the value"),
        AttrError::Duplicated(place, _) => {
            let name = content.get(place..).unwrap_or_default();
            let name = name.split(['=', ' ', '\t', '\r', '\n']).next().unwrap_or_default();
            let why = format!("{name:.EXCERPT_CHARS$} stands twice");
            return malformed(at.saturating_add(place), &why);
        }
    };
    malformed(at.saturating_add(place), why)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of start tags with their attributes, `/` for each end tag, and the texts between
    /// them.
    fn tokens(document: &[u8]) -> Read<Vec<String>> {
        let mut reader = Reader::new(document);
        let mut tokens: Vec<String> = Vec::new();
        loop {
            match (reader.token()?, tokens.last_mut()) {
                (Token::Open, _) => {
                    let mut tag = format!("<{}", reader.tag.local_name());
                    for attribute in reader.tag.attributes() {
                        let Attribute { name, value, .. } = attribute?;
                        tag.push_str(&format!(" {name}={value}"));
                    }
                    tokens.push(tag);
                }
                (Token::Close, _) => tokens.push("/".to_owned()),
                (Token::Text(text), Some(last)) if last.starts_with('"') => last.push_str(&text),
                (Token::Text(text), _) => tokens.push(format!("\"{text}")),
                (Token::End, _) => return Ok(tokens),
            }
        }
    }

    #[test]
    fn markup_is_parsed_as_xml_specifies() {
        for (document, expected) in [
            ("<a/>", &["<a", "/"][..]),
            ("\u{feff}<?xml version='1.0'?>\n<a></a >\n<?x?><!---->", &["<a", "/"]),
            ("<?xml version=\"1.0\" encoding=\"Utf-8\" standalone='yes'?><a/>", &["<a", "/"]),
            (" <!--x--><a>\u{feff}</a>", &["<a", "\"\u{feff}", "/"]),
            ("<é>é</é>", &["<é", "\"é", "/"]),
            ("<p:a\nb = \"/>'\" c='&quot;'></p:a >", &["<a b=/>' c=\"", "/"]),
            ("<a b='\r\n\t\n&#9;&#10;&#xD;'/>", &["<a b=   \t\n\r", "/"]),
            ("<a b='&amp;amp;&#38;lt;'/>", &["<a b=&amp;&lt;", "/"]),
            ("<a>x<b>y</b>z<c/></a>", &["<a", "\"x", "<b", "\"y", "/", "\"z", "<c", "/", "/"]),
            ("<a>b\r\nc\rd\t</a>", &["<a", "\"b\nc\nd\t", "/"]),
            ("<a>\r&#10;&#13;\r</a>", &["<a", "\"\n\n\r\n", "/"]),
            ("<a>&amp;&lt;&gt;&quot;&apos;&#65;&#x2f;&#x2F;</a>", &["<a", "\"&<>\"'A//", "/"]),
            ("<a>&#9;&#xE000;&#x10ffff;</a>", &["<a", "\"\t\u{e000}\u{10ffff}", "/"]),
            ("<a>> ]] ]&gt; ]]&gt; \"'</a>", &["<a", "\"> ]] ]> ]]> \"'", "/"]),
            ("<a>]]<!---->></a>", &["<a", "\"]]>", "/"]),
            ("<a>b<!-- <c> - -->d<?go > on?>e</a>", &["<a", "\"bde", "/"]),
            (
                "<a><![CDATA[]]><![CDATA[<b>&c;\r\n]]]]><![CDATA[>]]></a>",
                &["<a", "\"<b>&c;\n]]>", "/"],
            ),
        ] {
            assert_eq!(tokens(document.as_bytes()).unwrap(), expected, "{document}");
        }
    }

    #[test]
    fn malformed_markup_is_rejected_with_its_offset() {
        let many = |count| (0..count).map(|number| format!(" a{number}=''")).collect::<String>();
        assert!(tokens(format!("<a{}/>", many(MAX_ATTRIBUTES)).as_bytes()).is_ok());
        let deep = |depth| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        assert!(tokens(deep(MAX_DEPTH).as_bytes()).is_ok());
        let reference = |name: &str| Reason::Reference(name.to_owned());
        let malformed = |why: &str| Reason::Malformed(why.to_owned());
        let unclosed = "there is no end";
        for (document, at, reason) in [
            // The structure of a document.
            ("", 0, malformed("there is no root element")),
            ("\u{feff} ", 4, malformed("there is no root element")),
            ("<a/><b/>", 4, malformed("a document has one root element")),
            ("<a/>b", 4, malformed("there is text outside the root element")),
            ("&#32;<a/>", 0, malformed("there is text outside the root element")),
            ("<a/>\n<![CDATA[]]>", 5, malformed("there is text outside the root element")),
            ("\u{feff}\u{feff}<a/>", 3, malformed("there is text outside the root element")),
            ("<a><b></b>", 10, malformed("an element is not closed")),
            (&deep(MAX_DEPTH + 1), 192, Reason::TooDeep),
            // The declaration.
            ("<?xml version='1.0' encoding='UTF-16'?><a/>", 0, Reason::NotUtf8),
            ("\u{feff}<?xml version='1.0' encoding='latin1'?><a/>", 3, Reason::NotUtf8),
            (
                "<a/><?xml version='1.0'?>",
                4,
                malformed("the XML declaration stands at the start or nowhere"),
            ),
            ("<?xml version=1.0?><a/>", 14, malformed("expected a quote before the value")),
            // A document type.
            ("<!DOCTYPE a><a/>", 0, Reason::Doctype),
            ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", 0, Reason::Doctype),
            ("<!doctype a><a/>", 0, Reason::Doctype),
            ("<!DOCTYPE><a/>", 0, Reason::Doctype),
            ("<a><!DOCTYPE a", 3, Reason::Doctype),
            // References.
            ("<a>é&b;</a>", 5, reference("&b;")),
            ("<a>&nbsp;</a>", 3, reference("&nbsp;")),
            ("<a>&;</a>", 3, reference("&;")),
            ("<a>&#0;</a>", 3, reference("&#0;")),
            ("<a>&#8;</a>", 3, reference("&#8;")),
            ("<a>&#xd800;</a>", 3, reference("&#xd800;")),
            ("<a>&#xffff;</a>", 3, reference("&#xffff;")),
            ("<a>&#x110000;</a>", 3, reference("&#x110000;")),
            ("<a>&#99999999999;</a>", 3, reference("&#99999999999;")),
            ("<a>&#+65;</a>", 3, reference("&#+65;")),
            ("<a>&#x;</a>", 3, reference("&#x;")),
            ("<a>&#X41;</a>", 3, reference("&#X41;")),
            ("<a b='é&amp;&c;'/>", 13, reference("&c;")),
            ("<a b='&&amp;'/>", 6, reference("&&amp;")),
            ("<a b='&#xB;'/>", 6, reference("&#xB;")),
            ("<a b='&amp'/>", 6, reference("&amp;")),
            ("<a>&amp</a>", 3, malformed(unclosed)),
            ("<a>& b</a>", 3, malformed(unclosed)),
            // Text, comments and instructions.
            ("<a>b]]>c</a>", 4, malformed("]]> stands in text, outside CDATA")),
            ("<a>&gt;]]]></a>", 8, malformed("]]> stands in text, outside CDATA")),
            ("<a><![CDATA[]]>]]></a>", 15, malformed("]]> stands in text, outside CDATA")),
            ("<a><!-- b -- c --></a>", 10, malformed("-- stands in a comment")),
            ("<a><!-- - b--c --></a>", 11, malformed("-- stands in a comment")),
            ("<a><!-- b ---></a>", 10, malformed("-- stands in a comment")),
            ("<!----><a/><!-->", 11, malformed(unclosed)),
            ("<a><!-- b</a>", 3, malformed(unclosed)),
            ("<a><![CDATA[b]]</a>", 3, malformed(unclosed)),
            ("<a><![cdata[b]]></a>", 3, malformed(unclosed)),
            ("<a><!b></a>", 3, malformed(unclosed)),
            ("<a><?b></a>", 3, malformed(unclosed)),
            ("<??><a/>", 0, malformed("a processing instruction has no name")),
            // Tags.
            ("<a><></a>", 3, malformed("a tag has no name")),
            ("< a/>", 0, malformed("a tag has no name")),
            ("</a>", 0, malformed("</a> closes no element")),
            ("<a></b>", 3, malformed("expected </a>, found </b>")),
            ("<a></p:a>", 3, malformed("expected </a>, found </p:a>")),
            ("<a", 0, malformed(unclosed)),
            ("<a>\n<b c='></a>", 4, malformed(unclosed)),
            // Attributes.
            ("<a b/>", 4, malformed("expected = after the name of an attribute")),
            ("<a b c=''/>", 5, malformed("expected = after the name of an attribute")),
            ("<a b=/>", 5, malformed("expected a quote before the value")),
            ("<a b=c/>", 5, malformed("expected a quote before the value")),
            ("<a b='' c=\"\" b=''/>", 13, malformed("b stands twice")),
            ("<a><c p:b='' p:b =''/></a>", 13, malformed("p:b stands twice")),
            (
                &format!("<a{}/>", many(MAX_ATTRIBUTES + 1)),
                217,
                malformed("an element has over 32 attributes"),
            ),
        ] {
            let error = tokens(document.as_bytes()).unwrap_err();
            assert_eq!(error.at(), at, "{document}: {error}");
            match error.reason() {
                Reason::Malformed(_) if reason == malformed(unclosed) => {}
                found => assert_eq!(found, &reason, "{document}"),
            }
        }
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_rejected_anywhere() {
        for document in [&b"<a>\xff</a>"[..], b"<a><!--\xed\xa0\x80--></a>", b"<a/><?b \xc0\x80?>"]
        {
            let error = tokens(document).unwrap_err();
            let place = document.iter().position(|byte| !byte.is_ascii());
            assert_eq!((Some(error.at()), error.reason()), (place, &Reason::NotUtf8));
        }
    }
}
