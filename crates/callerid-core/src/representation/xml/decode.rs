//! Reading XML, from servers that need not mean well.
//!
//! Elements and attributes that are not known are skipped, with all that is in them, so that a newer
//! service does not break an older client; so is text where only elements are expected. Elements may come in
//! any order, but not twice. A prefix of an element's name is passed over, an attribute with a prefix is
//! unknown.
//!
//! White space is kept in names and messages, and trimmed from all other text.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::BufRead as _;

use quick_xml::Reader;
use quick_xml::events::attributes::AttrError;
use quick_xml::events::{BytesDecl, BytesStart, Event};

use super::super::element::{
    CALLER_ID, Element, FIGURES, REST_EXCEPTION, URIS, VALIDATION_REQUEST,
};
use super::super::{
    CallerIdPage, Decoded, InvalidDocument, InvalidDocumentReason as Reason, MAX_DEPTH,
    MAX_DOCUMENT_BYTES, PageUris, ReceivedPage,
};
use crate::friendly_name::is_xml_char;
use crate::page::decimal;
use crate::{
    AccountSid, CallSid, CallerIdSid, Date, FriendlyName, OutgoingCallerId, Page, PhoneNumber,
    RestException, ValidationCode, ValidationRequest,
};

/// Reads whichever document it is.
///
/// # Errors
/// [`InvalidDocument`] for what is none, with the byte offset of what is wrong.
pub fn decode(bytes: &[u8]) -> Result<Decoded, InvalidDocument> {
    located(bytes).map(|(_, decoded)| decoded)
}

/// Reads a page of caller IDs.
///
/// # Errors
/// As [`decode`], and for any other document.
pub fn decode_caller_ids(bytes: &[u8]) -> Result<ReceivedPage, InvalidDocument> {
    match located(bytes)? {
        (_, Decoded::CallerIds(page)) => Ok(page),
        (at, other) => Err(unexpected(at, Element::OutgoingCallerIds, &other)),
    }
}

/// Reads one caller ID.
///
/// # Errors
/// As [`decode`], and for any other document.
pub fn decode_caller_id(bytes: &[u8]) -> Result<OutgoingCallerId, InvalidDocument> {
    match located(bytes)? {
        (_, Decoded::CallerId(caller_id)) => Ok(caller_id),
        (at, other) => Err(unexpected(at, Element::OutgoingCallerId, &other)),
    }
}

/// Reads the answer to a create.
///
/// # Errors
/// As [`decode`], and for any other document.
pub fn decode_validation_request(bytes: &[u8]) -> Result<ValidationRequest, InvalidDocument> {
    match located(bytes)? {
        (_, Decoded::ValidationRequest(request)) => Ok(request),
        (at, other) => Err(unexpected(at, Element::ValidationRequest, &other)),
    }
}

/// Reads an error: the specification's, or the 2010 version's, which has its elements in another order.
///
/// # Errors
/// As [`decode`], and for any other document.
pub fn decode_exception(bytes: &[u8]) -> Result<RestException, InvalidDocument> {
    match located(bytes)? {
        (_, Decoded::Exception(exception)) => Ok(exception),
        (at, other) => Err(unexpected(at, Element::RestException, &other)),
    }
}

fn unexpected(at: usize, expected: Element, decoded: &Decoded) -> InvalidDocument {
    let found = decoded.element().name().to_owned();
    InvalidDocument::new(at, Reason::Unexpected { expected: expected.name(), found })
}

impl Decoded {
    fn element(&self) -> Element {
        match self {
            Self::CallerIds(_) => Element::OutgoingCallerIds,
            Self::CallerId(_) => Element::OutgoingCallerId,
            Self::ValidationRequest(_) => Element::ValidationRequest,
            Self::Exception(_) => Element::RestException,
        }
    }
}

/// The document, and the byte offset of its element within the response.
fn located(bytes: &[u8]) -> Result<(usize, Decoded), InvalidDocument> {
    if bytes.len() > MAX_DOCUMENT_BYTES {
        return Err(InvalidDocument::new(MAX_DOCUMENT_BYTES, Reason::TooLarge));
    }
    let mut decoder = Decoder::new(bytes);
    let root = decoder.root()?;
    let document = if root.name() == Element::TwilioResponse.name() {
        decoder.response(&root)?
    } else {
        decoder.document(&root)?.ok_or_else(|| {
            let (expected, found) = ("TwilioResponse or RestException", excerpt(root.name()));
            InvalidDocument::new(root.at, Reason::Unexpected { expected, found })
        })?
    };
    decoder.end()?;
    Ok(document)
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

type Read<T> = Result<T, InvalidDocument>;

struct Decoder<'a> {
    bytes: &'a [u8],
    reader: Reader<&'a [u8]>,
    /// How many elements are open.
    depth: usize,
    /// Bytes that the reader takes off before it begins to count.
    before: usize,
}

/// What is left of the reader's events once comments, instructions and references are dealt with.
enum Token<'a> {
    Open(Tag<'a>),
    Close,
    Text(Cow<'a, str>),
}

/// A start tag.
struct Tag<'a> {
    start: BytesStart<'a>,
    at: usize,
    /// Whether the element is empty: no [`Token::Close`] follows.
    empty: bool,
}

impl Tag<'_> {
    /// The element's name without its prefix.
    fn name(&self) -> &str {
        let name = self.start.name().0;
        match name.bytes().any(|byte| byte == b':') {
            true => self.start.local_name().into_inner(),
            false => name,
        }
    }
}

/// The text of an element, and where it is.
struct Text<'a> {
    text: Cow<'a, str>,
    at: usize,
}

impl<'a> Decoder<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let before = if bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        Self { bytes, reader: Reader::from_reader(bytes), depth: 0, before }
    }

    /// Byte offset of the next event.
    fn at(&self) -> usize {
        let at = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX);
        at.saturating_add(self.before)
    }

    /// The root's start tag, and what may stand before it.
    fn root(&mut self) -> Read<Tag<'a>> {
        loop {
            let at = self.at();
            match self.event(at)? {
                Event::Start(start) => {
                    self.depth = 1;
                    return Ok(Tag { start, at, empty: false });
                }
                Event::Empty(start) => return Ok(Tag { start, at, empty: true }),
                event => self.outside(at, &event)?,
            }
        }
    }

    /// What may stand after the root.
    fn end(&mut self) -> Read<()> {
        loop {
            let at = self.at();
            match self.event(at)? {
                Event::Eof => return Ok(()),
                Event::Start(_) | Event::Empty(_) => {
                    return Err(malformed(at, "a document has one root element"));
                }
                event => self.outside(at, &event)?,
            }
        }
    }

    fn outside(&self, at: usize, event: &Event<'_>) -> Read<()> {
        match event {
            Event::Comment(_) | Event::PI(_) => Ok(()),
            Event::Text(text) if text.trim_ascii().is_empty() => Ok(()),
            Event::Decl(declaration) if at == self.before => is_utf8(declaration)
                .then_some(())
                .ok_or_else(|| InvalidDocument::new(at, Reason::NotUtf8)),
            Event::Decl(_) => {
                Err(malformed(at, "the XML declaration stands at the start or nowhere"))
            }
            Event::DocType(_) => Err(InvalidDocument::new(at, Reason::Doctype)),
            Event::Eof => Err(malformed(at, "there is no root element")),
            _ => Err(malformed(at, "there is text outside the root element")),
        }
    }

    #[inline]
    fn event(&mut self, at: usize) -> Read<Event<'a>> {
        self.reader.read_event().map_err(|error| self.broken(at, &error))
    }

    #[cold]
    fn broken(&self, at: usize, error: &quick_xml::Error) -> InvalidDocument {
        if let Err(error) = std::str::from_utf8(self.bytes) {
            return InvalidDocument::new(error.valid_up_to(), Reason::NotUtf8);
        }
        malformed(at, &excerpt(&error.to_string()))
    }

    /// The next token within the root.
    fn token(&mut self) -> Read<Token<'a>> {
        loop {
            let at = self.at();
            return Ok(match self.event(at)? {
                Event::Start(start) => {
                    self.depth = self.depth.saturating_add(1);
                    if self.depth > MAX_DEPTH {
                        return Err(InvalidDocument::new(at, Reason::TooDeep));
                    }
                    Token::Open(Tag { start, at, empty: false })
                }
                Event::Empty(start) => Token::Open(Tag { start, at, empty: true }),
                Event::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    Token::Close
                }
                Event::Text(text) => Token::Text(text.xml10_content()),
                Event::CData(text) => Token::Text(text.xml10_content()),
                Event::GeneralRef(name) => match referred(&name) {
                    Some(char) => Token::Text(Cow::Owned(char.into())),
                    None => {
                        return Err(InvalidDocument::new(at, Reason::Reference(excerpt(&name))));
                    }
                },
                Event::Comment(_) | Event::PI(_) => continue,
                Event::Decl(_) => {
                    return Err(malformed(at, "an XML declaration within an element"));
                }
                Event::DocType(_) => return Err(InvalidDocument::new(at, Reason::Doctype)),
                Event::Eof => return Err(malformed(at, "an element is not closed")),
            });
        }
    }

    /// The next child of an element whose earlier children have been read; `None` at its end.
    fn child(&mut self, parent: &Tag<'_>) -> Read<Option<Tag<'a>>> {
        if parent.empty {
            return Ok(None);
        }
        loop {
            match self.token()? {
                Token::Open(tag) => return Ok(Some(tag)),
                Token::Close => return Ok(None),
                Token::Text(_) => {}
            }
        }
    }

    /// Passes over the element that was opened last.
    fn skip(&mut self, tag: &Tag<'_>) -> Read<()> {
        let outer = self.depth.saturating_sub(1);
        while !tag.empty && self.depth > outer {
            self.token()?;
        }
        Ok(())
    }

    /// The text of the element that was opened last, without that of the elements in it.
    fn text(&mut self, tag: &Tag<'_>) -> Read<Text<'a>> {
        let mut text = Text { text: Cow::Borrowed(""), at: self.at() };
        if tag.empty {
            return Ok(text);
        }
        loop {
            match self.token()? {
                Token::Text(part) if text.text.is_empty() => text.text = part,
                Token::Text(part) => text.text.to_mut().push_str(&part),
                Token::Open(child) => self.skip(&child)?,
                Token::Close => return Ok(text),
            }
        }
    }

    /// The document within a TwilioResponse.
    fn response(&mut self, root: &Tag<'_>) -> Read<(usize, Decoded)> {
        let mut found = None;
        while let Some(tag) = self.child(root)? {
            match self.document(&tag)? {
                Some(document) if found.is_none() => found = Some(document),
                Some((at, _)) => return Err(malformed(at, "a TwilioResponse has one document")),
                None => self.skip(&tag)?,
            }
        }
        found.ok_or_else(|| {
            let name = "OutgoingCallerIds, OutgoingCallerId, ValidationRequest or RestException";
            let parent = Element::TwilioResponse.name();
            InvalidDocument::new(root.at, Reason::Missing { name, parent })
        })
    }

    /// The document that an element is; `None`, and nothing read, where it is none.
    fn document(&mut self, tag: &Tag<'_>) -> Read<Option<(usize, Decoded)>> {
        let decoded = match tag.name() {
            "OutgoingCallerIds" => Decoded::CallerIds(self.caller_ids(tag)?),
            "OutgoingCallerId" => Decoded::CallerId(self.caller_id(tag)?),
            "ValidationRequest" => Decoded::ValidationRequest(self.validation_request(tag)?),
            "RestException" => Decoded::Exception(self.exception(tag)?),
            _ => return Ok(None),
        };
        Ok(Some((tag.at, decoded)))
    }

    fn caller_ids(&mut self, tag: &Tag<'_>) -> Read<ReceivedPage> {
        let mut received = page_attributes(tag)?;
        // Reserved for what the server claims, but never for more than the document can hold.
        let Page { items, size, .. } = &mut received.list.page;
        let claimed = usize::try_from(*size).unwrap_or(usize::MAX);
        items.reserve(claimed.min(self.bytes.len() / ROW_BYTES_MIN));
        while let Some(child) = self.child(tag)? {
            if child.name() == Element::OutgoingCallerId.name() {
                items.push(self.caller_id(&child)?);
            } else {
                self.skip(&child)?;
            }
        }
        let page = &mut received.list.page;
        if received.stated_total.is_none() {
            let rows = u64::try_from(page.items.len()).unwrap_or(u64::MAX);
            let start = page.number.saturating_mul(page.size.into());
            page.total = start.saturating_add(rows).saturating_add(page.more.into());
        }
        Ok(received)
    }

    fn caller_id(&mut self, tag: &Tag<'_>) -> Read<OutgoingCallerId> {
        let mut record = self.record(tag, Element::OutgoingCallerId, &CALLER_ID)?;
        Ok(OutgoingCallerId {
            sid: record.required(Element::Sid, CallerIdSid::parse)?,
            account_sid: record.required(Element::AccountSid, AccountSid::parse)?,
            friendly_name: record.required(Element::FriendlyName, FriendlyName::new)?,
            phone_number: record.required(Element::PhoneNumber, PhoneNumber::restore)?,
            date_created: record.required(Element::DateCreated, Date::parse)?,
            date_updated: record.required(Element::DateUpdated, Date::parse)?,
        })
    }

    fn validation_request(&mut self, tag: &Tag<'_>) -> Read<ValidationRequest> {
        let mut record = self.record(tag, Element::ValidationRequest, &VALIDATION_REQUEST)?;
        Ok(ValidationRequest {
            account_sid: record.required(Element::AccountSid, AccountSid::parse)?,
            phone_number: record.required(Element::PhoneNumber, PhoneNumber::restore)?,
            // An empty element stands for a name that was not given.
            friendly_name: record.optional(Element::FriendlyName, FriendlyName::new)?,
            validation_code: record.required(Element::ValidationCode, ValidationCode::parse)?,
            call_sid: record.optional(Element::CallSid, CallSid::parse)?,
        })
    }

    fn exception(&mut self, tag: &Tag<'_>) -> Read<RestException> {
        let mut record = self.record(tag, Element::RestException, &REST_EXCEPTION)?;
        Ok(RestException {
            status: record.required(Element::Status, number)?,
            message: record.required(Element::Message, message)?,
            code: record.optional(Element::Code, number)?,
            more_info: record.optional(Element::MoreInfo, message)?,
        })
    }

    /// The text of an element with no attributes and nothing but plain text in it, where that comes next. It is
    /// read from the bytes themselves, in half the time that the reader's three events take. `None`, and nothing read, for everything else.
    fn plain(&mut self, element: Element) -> Option<Text<'a>> {
        let all = *self.reader.get_ref();
        let tag = all.trim_ascii_start();
        let rest = tag.strip_prefix(element.start_tag().as_bytes())?;
        let length = memchr::memchr3(b'<', b'&', b'\r', rest)?;
        let (text, after) = rest.split_at_checked(length)?;
        let text = Cow::Borrowed(std::str::from_utf8(text).ok()?);
        let left = after.strip_prefix(element.end_tag().as_bytes())?;
        let at = self.at().saturating_add(all.len().saturating_sub(rest.len()));
        self.reader.stream().consume(all.len().saturating_sub(left.len()));
        Some(Text { text, at })
    }

    /// Reads the texts of an element's known elements.
    fn record(
        &mut self,
        tag: &Tag<'_>,
        element: Element,
        names: &'static [Element],
    ) -> Read<Record<'a>> {
        let mut record = Record { at: tag.at, element, names, texts: [const { None }; 6] };
        if tag.empty {
            return Ok(record);
        }
        // Looks first for the element after the one that came last: as they are usually written, it comes next.
        let mut order = names.iter().copied().cycle();
        loop {
            let mut candidates = order.by_ref().take(names.len());
            let plain = candidates.find_map(|name| Some((name, self.plain(name)?)));
            if let Some((name, text)) = plain {
                let at = text.at.saturating_sub(name.start_tag().len());
                record.put(at, name, text)?;
                continue;
            }
            let Some(child) = self.child(tag)? else { return Ok(record) };
            match names.iter().find(|name| name.name() == child.name()) {
                Some(name) => {
                    let text = self.text(&child)?;
                    record.put(child.at, *name, text)?;
                }
                None => self.skip(&child)?,
            }
        }
    }
}

/// An element of elements that hold only text.
struct Record<'a> {
    at: usize,
    element: Element,
    names: &'static [Element],
    /// The texts found, each in the place of its name.
    texts: [Option<Text<'a>>; 6],
}

impl<'a> Record<'a> {
    fn slot(&mut self, name: Element) -> Option<&mut Option<Text<'a>>> {
        let mut slots = self.names.iter().zip(&mut self.texts);
        slots.find(|(known, _)| **known == name).map(|(_, text)| text)
    }

    fn put(&mut self, at: usize, name: Element, text: Text<'a>) -> Read<()> {
        if let Some(slot) = self.slot(name)
            && slot.replace(text).is_some()
        {
            return Err(InvalidDocument::new(at, Reason::Repeated { name: name.name() }));
        }
        Ok(())
    }

    /// The value of an element that must be there.
    fn required<T, E: Display>(
        &mut self,
        name: Element,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Read<T> {
        match self.slot(name).and_then(Option::take) {
            Some(text) => text.parse(name, parse),
            None => {
                let (name, parent) = (name.name(), self.element.name());
                Err(InvalidDocument::new(self.at, Reason::Missing { name, parent }))
            }
        }
    }

    /// The value of an element that may be missing or empty.
    fn optional<T, E: Display>(
        &mut self,
        name: Element,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Read<Option<T>> {
        let text = self.slot(name).and_then(Option::take).filter(|text| !text.text.is_empty());
        text.map(|text| text.parse(name, parse)).transpose()
    }
}

impl Text<'_> {
    fn parse<T, E: Display>(
        &self,
        name: Element,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Read<T> {
        let text = match name {
            Element::FriendlyName | Element::Message | Element::MoreInfo => self.text.as_ref(),
            _ => self.text.trim_ascii(),
        };
        parse(text).map_err(|error| invalid_value(self.at, name.name(), &error))
    }
}

/// A row takes no fewer bytes than this, its elements' tags alone being longer.
const ROW_BYTES_MIN: usize = 128;

fn page_attributes(tag: &Tag<'_>) -> Read<ReceivedPage> {
    let mut figures = [None; FIGURES.len()];
    let mut uris = [const { String::new() }; URIS.len()];
    for attribute in tag.start.attributes() {
        let attribute = attribute.map_err(|error| invalid_attribute(tag.at, &error))?;
        let is = |(name, _): &(&'static str, _)| *name == attribute.key.as_ref();
        if let Some((name, figure)) = FIGURES.into_iter().zip(&mut figures).find(is) {
            let value = attribute_value(tag.at, &attribute.value)?;
            let value = number(value.trim_ascii());
            *figure = Some(value.map_err(|why| invalid_value(tag.at, name, &why))?);
        }
        let is = |(name, _): &(&'static str, _)| *name == attribute.key.as_ref();
        if let Some((_, uri)) = URIS.into_iter().zip(&mut uris).find(is) {
            *uri = attribute_value(tag.at, &attribute.value)?;
        }
    }
    let [page, stated_pages, size, total, stated_start, stated_end] = figures;
    let [this, first, previous, next, last] = uris;
    let required = |figure: Option<u64>, name| {
        let parent = Element::OutgoingCallerIds.name();
        figure.ok_or_else(|| InvalidDocument::new(tag.at, Reason::Missing { name, parent }))
    };
    let [page_name, _, size_name, ..] = FIGURES;
    let size = u32::try_from(required(size, size_name)?)
        .map_err(|_| invalid_value(tag.at, size_name, &NOT_A_NUMBER))?;
    let page = Page {
        items: Vec::new(),
        number: required(page, page_name)?,
        size,
        total: total.unwrap_or_default(),
        more: !next.is_empty(),
    };
    let uris = PageUris { this, first, previous, next, last };
    let list = CallerIdPage { page, uris };
    Ok(ReceivedPage { list, stated_pages, stated_total: total, stated_start, stated_end })
}

/// The value of an attribute, its references replaced and its line ends and tabs read as spaces.
fn attribute_value(at: usize, raw: &str) -> Read<String> {
    if !raw.chars().all(is_xml_char) {
        return Err(malformed(at, UNPRINTABLE));
    }
    let mut value = String::with_capacity(raw.len());
    for (index, part) in raw.split('&').enumerate() {
        let text = if index == 0 {
            part
        } else {
            let (name, text) = part.split_once(';').unwrap_or((part, ""));
            let char = referred(name).ok_or_else(|| Reason::Reference(excerpt(name)));
            value.push(char.map_err(|reason| InvalidDocument::new(at, reason))?);
            text
        };
        let spaced = |char| if matches!(char, '\t' | '\n' | '\r') { ' ' } else { char };
        value.extend(text.replace("\r\n", " ").chars().map(spaced));
    }
    Ok(value)
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
    let is_number = digits.chars().all(|digit| digit.is_digit(radix));
    let code = u32::from_str_radix(digits, radix).ok().filter(|_| is_number)?;
    char::from_u32(code).filter(|char| is_xml_char(*char))
}

fn is_utf8(declaration: &BytesDecl<'_>) -> bool {
    match declaration.encoding() {
        None => true,
        Some(Ok(encoding)) => encoding.eq_ignore_ascii_case("utf-8"),
        Some(Err(_)) => false,
    }
}

const UNPRINTABLE: &str = "there is a control character that XML cannot carry";
const NOT_A_NUMBER: &str = "not a whole number, or too large";

fn number<T: TryFrom<u64>>(text: &str) -> Result<T, &'static str> {
    decimal(text).and_then(|number| number.try_into().ok()).ok_or(NOT_A_NUMBER)
}

fn message(text: &str) -> Result<String, &'static str> {
    let carried = text.chars().all(is_xml_char);
    carried.then(|| text.to_owned()).ok_or(UNPRINTABLE)
}

/// The beginning of a text that may be of any length.
fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT_CHARS).collect()
}

const EXCERPT_CHARS: usize = 100;

#[cold]
fn malformed(at: usize, why: &str) -> InvalidDocument {
    InvalidDocument::new(at, Reason::Malformed(why.to_owned()))
}

#[cold]
fn invalid_value(at: usize, name: &'static str, why: &dyn Display) -> InvalidDocument {
    InvalidDocument::new(at, Reason::Value { name, why: why.to_string() })
}

#[cold]
fn invalid_attribute(at: usize, error: &AttrError) -> InvalidDocument {
    let (place, why) = match error {
        AttrError::ExpectedEq(place) => (place, "expected = after the name of an attribute"),
        AttrError::ExpectedValue(place) => (place, "expected the value of an attribute"),
        AttrError::UnquotedValue(place) => (place, "expected a quote before the value"),
        AttrError::ExpectedQuote(place, _) => (place, "expected a quote after the value"),
        AttrError::Duplicated(place, _) => (place, "the attribute stands twice"),
    };
    // Counted from behind the tag's opening bracket.
    malformed(at.saturating_add(1).saturating_add(*place), why)
}
