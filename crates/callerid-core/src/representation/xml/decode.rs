//! Reading XML, from servers that need not mean well.
//!
//! Elements and attributes that are not known are skipped, with all that is in them, so that a newer
//! service does not break an older client; so is text where only elements are expected. Elements may come in
//! any order, but not twice. A prefix of an element's name is passed over, an attribute with a prefix is
//! unknown.
//!
//! White space is kept in names and messages, and trimmed from all other text.

use std::fmt::Display;

use super::super::record::{CALLER_ID, FIGURES, URIS};
use super::super::{
    CallerIdPage, Decoded, InvalidDocument, InvalidDocumentReason as Reason, MAX_DOCUMENT_BYTES,
    PageUris, ReceivedPage,
};
use super::reader::{Attribute, EXCERPT_CHARS, Read, Reader, Tag, Text, malformed};
use crate::date::Date;
use crate::friendly_name::{FriendlyName, is_xml_char};
use crate::outgoing_caller_id::OutgoingCallerId;
use crate::page::{Page, decimal};
use crate::phone_number::PhoneNumber;
use crate::rest_exception::RestException;
use crate::sid::{AccountSid, CallSid, CallerIdSid};
use crate::validation_code::ValidationCode;
use crate::validation_request::ValidationRequest;

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
        (at, other) => Err(unexpected(at, "OutgoingCallerIds", &other)),
    }
}

/// Reads one caller ID.
///
/// # Errors
/// As [`decode`], and for any other document.
pub fn decode_caller_id(bytes: &[u8]) -> Result<OutgoingCallerId, InvalidDocument> {
    match located(bytes)? {
        (_, Decoded::CallerId(caller_id)) => Ok(caller_id),
        (at, other) => Err(unexpected(at, "OutgoingCallerId", &other)),
    }
}

/// Reads the answer to a create.
///
/// # Errors
/// As [`decode`], and for any other document.
pub fn decode_validation_request(bytes: &[u8]) -> Result<ValidationRequest, InvalidDocument> {
    match located(bytes)? {
        (_, Decoded::ValidationRequest(request)) => Ok(request),
        (at, other) => Err(unexpected(at, "ValidationRequest", &other)),
    }
}

/// Reads an error: the specification's, or the 2010 version's, which has its elements in another order.
///
/// # Errors
/// As [`decode`], and for any other document.
pub fn decode_exception(bytes: &[u8]) -> Result<RestException, InvalidDocument> {
    match located(bytes)? {
        (_, Decoded::Exception(exception)) => Ok(exception),
        (at, other) => Err(unexpected(at, "RestException", &other)),
    }
}

fn unexpected(at: usize, expected: &'static str, decoded: &Decoded) -> InvalidDocument {
    let found = decoded.name().to_owned();
    InvalidDocument::new(at, Reason::Unexpected { expected, found })
}

impl Decoded {
    fn name(&self) -> &'static str {
        match self {
            Self::CallerIds(_) => "OutgoingCallerIds",
            Self::CallerId(_) => "OutgoingCallerId",
            Self::ValidationRequest(_) => "ValidationRequest",
            Self::Exception(_) => "RestException",
        }
    }
}

/// The document, and the byte offset of its element within the response.
fn located(bytes: &[u8]) -> Result<(usize, Decoded), InvalidDocument> {
    if bytes.len() > MAX_DOCUMENT_BYTES {
        return Err(InvalidDocument::new(MAX_DOCUMENT_BYTES, Reason::TooLarge));
    }
    let mut decoder = Decoder { reader: Reader::new(bytes)? };
    let root = decoder.reader.root()?;
    let document = if root.name == "TwilioResponse" {
        decoder.response(root.at)?
    } else {
        decoder.document(&root)?.ok_or_else(|| {
            let (expected, found) =
                ("TwilioResponse or RestException", format!("{:.EXCERPT_CHARS$}", root.name));
            InvalidDocument::new(root.at, Reason::Unexpected { expected, found })
        })?
    };
    decoder.reader.finish()?;
    Ok(document)
}

struct Decoder<'a> {
    reader: Reader<'a>,
}

impl<'a> Decoder<'a> {
    /// The document within a TwilioResponse.
    fn response(&mut self, at: usize) -> Read<(usize, Decoded)> {
        let mut found = None;
        while let Some(tag) = self.reader.child()? {
            match self.document(&tag)? {
                Some(document) if found.is_none() => found = Some(document),
                Some((at, _)) => return Err(malformed(at, "a TwilioResponse has one document")),
                None => self.reader.skip()?,
            }
        }
        found.ok_or_else(|| {
            let name = "OutgoingCallerIds, OutgoingCallerId, ValidationRequest or RestException";
            let parent = "TwilioResponse";
            InvalidDocument::new(at, Reason::Missing { name, parent })
        })
    }

    /// The document that an element is; `None`, and nothing read, where it is none.
    fn document(&mut self, tag: &Tag<'_>) -> Read<Option<(usize, Decoded)>> {
        let decoded = match tag.name {
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
        items.reserve(claimed.min(self.reader.len() / ROW_BYTES_MIN));
        while let Some(child) = self.reader.child()? {
            if child.name == "OutgoingCallerId" {
                items.push(self.caller_id(&child)?);
            } else {
                self.reader.skip()?;
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
        let mut record = self.record(tag, "OutgoingCallerId", &CALLER_ID)?;
        Ok(OutgoingCallerId {
            sid: record.required("Sid", CallerIdSid::parse)?,
            account_sid: record.required("AccountSid", AccountSid::parse)?,
            friendly_name: record.required("FriendlyName", FriendlyName::new)?,
            phone_number: record.required("PhoneNumber", PhoneNumber::parse_possible)?,
            date_created: record.required("DateCreated", Date::parse)?,
            date_updated: record.required("DateUpdated", Date::parse)?,
        })
    }

    fn validation_request(&mut self, tag: &Tag<'_>) -> Read<ValidationRequest> {
        let mut record = self.record(
            tag,
            "ValidationRequest",
            &["AccountSid", "PhoneNumber", "FriendlyName", "ValidationCode", "CallSid"],
        )?;
        Ok(ValidationRequest {
            account_sid: record.required("AccountSid", AccountSid::parse)?,
            phone_number: record.required("PhoneNumber", PhoneNumber::parse_possible)?,
            // An empty element stands for a name that was not given.
            friendly_name: record.optional("FriendlyName", FriendlyName::new)?,
            validation_code: record.required("ValidationCode", ValidationCode::parse)?,
            call_sid: record.optional("CallSid", CallSid::parse)?,
        })
    }

    fn exception(&mut self, tag: &Tag<'_>) -> Read<RestException> {
        let mut record =
            self.record(tag, "RestException", &["Status", "Message", "Code", "MoreInfo"])?;
        Ok(RestException {
            status: record.required("Status", number)?,
            message: record.required("Message", message)?,
            code: record.optional("Code", number)?,
            more_info: record.optional("MoreInfo", message)?,
        })
    }

    /// Reads the texts of an element's known elements.
    fn record(
        &mut self,
        tag: &Tag<'_>,
        name: &'static str,
        known: &[&'static str],
    ) -> Read<Record<'a>> {
        let mut texts: Vec<(&str, Text<'a>)> = Vec::with_capacity(known.len());
        while let Some(child) = self.reader.child()? {
            match known.iter().find(|name| **name == child.name) {
                Some(name) if texts.iter().any(|(found, _)| found == name) => {
                    return Err(InvalidDocument::new(child.at, Reason::Repeated { name }));
                }
                Some(name) => texts.push((name, self.reader.text()?)),
                None => self.reader.skip()?,
            }
        }
        Ok(Record { at: tag.at, name, texts })
    }
}

/// An element of elements that hold only text, each under its name.
struct Record<'a> {
    at: usize,
    name: &'static str,
    texts: Vec<(&'static str, Text<'a>)>,
}

impl<'a> Record<'a> {
    fn take(&mut self, name: &str) -> Option<Text<'a>> {
        let place = self.texts.iter().position(|(found, _)| *found == name)?;
        Some(self.texts.swap_remove(place).1)
    }

    /// The value of an element that must be there.
    fn required<T, E: Display>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Read<T> {
        let text = self.take(name).ok_or_else(|| {
            InvalidDocument::new(self.at, Reason::Missing { name, parent: self.name })
        })?;
        text.parse(name, parse)
    }

    /// The value of an element that may be missing or empty.
    fn optional<T, E: Display>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Read<Option<T>> {
        let text = self.take(name).filter(|text| !text.text.is_empty());
        text.map(|text| text.parse(name, parse)).transpose()
    }
}

impl Text<'_> {
    fn parse<T, E: Display>(
        &self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Read<T> {
        let text = match name {
            "FriendlyName" | "Message" | "MoreInfo" => self.text.as_ref(),
            _ => self.text.trim_ascii(),
        };
        parse(text).map_err(|error| invalid_value(self.at, name, &error))
    }
}

/// A row takes no fewer bytes than this, its elements' tags alone being longer.
const ROW_BYTES_MIN: usize = 128;

fn page_attributes(tag: &Tag<'_>) -> Read<ReceivedPage> {
    let mut figures = [None; FIGURES.len()];
    let mut uris = PageUris::default();
    for Attribute { at, name, value } in &tag.attributes {
        let figure = FIGURES.into_iter().zip(&mut figures).find(|(known, _)| known == name);
        if let Some((name, figure)) = figure {
            let value = number(value.trim_ascii()).map_err(|why| invalid_value(*at, name, &why))?;
            *figure = Some(value);
        }
        let uri = URIS.into_iter().zip(uris.in_order_mut()).find(|(known, _)| known == name);
        if let Some((name, uri)) = uri {
            *uri = message(value).map_err(|why| invalid_value(*at, name, &why))?;
        }
    }
    let [page, stated_pages, size, total, stated_start, stated_end] = figures;
    let required = |figure: Option<u64>, name| {
        let parent = "OutgoingCallerIds";
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
        more: !uris.next.is_empty(),
    };
    let list = CallerIdPage { page, uris };
    Ok(ReceivedPage { list, stated_pages, stated_total: total, stated_start, stated_end })
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

#[cold]
fn invalid_value(at: usize, name: &'static str, why: &dyn Display) -> InvalidDocument {
    InvalidDocument::new(at, Reason::Value { name, why: why.to_string() })
}
