//! Decodes XML from untrusted servers.
//!
//! Unknown elements and attributes are skipped with their content, so that a newer service does not
//! break an older client. Text is skipped where only elements are expected. Elements can be in any
//! order, but must not be repeated. The prefix of an element's name is ignored; an attribute with a
//! prefix is unknown.
//!
//! White space is preserved in names and messages, and trimmed from all other text.

use std::borrow::Cow;
use std::fmt::Display;

use super::super::record::{CALLER_ID, FIGURES, URIS};
use super::super::{
    Decoded, InvalidDocument, InvalidDocumentReason as Reason, MAX_DOCUMENT_BYTES, PageUris,
    ReceivedPage,
};
use super::reader::{Attribute, EXCERPT_CHARS, Read, Reader, malformed};
use crate::date::Date;
use crate::friendly_name::{FriendlyName, is_xml_char};
use crate::outgoing_caller_id::OutgoingCallerId;
use crate::page::{Page, decimal};
use crate::phone_number::PhoneNumber;
use crate::rest_exception::RestException;
use crate::sid::{AccountSid, CallSid, CallerIdSid};
use crate::validation_code::ValidationCode;
use crate::validation_request::ValidationRequest;

/// Decodes any of the documents.
///
/// # Errors
/// [`InvalidDocument`] if the document is invalid, with the byte offset of the error.
pub fn decode(bytes: &[u8]) -> Result<Decoded, InvalidDocument> {
    located(bytes).map(|(_, decoded)| decoded)
}

/// Decodes a page of caller IDs.
///
/// # Errors
/// The same errors as [`decode`], and an error for any other document.
pub fn decode_caller_ids(bytes: &[u8]) -> Result<ReceivedPage, InvalidDocument> {
    match located(bytes)? {
        (_, Decoded::CallerIds(page)) => Ok(page),
        (at, other) => Err(unexpected(at, "OutgoingCallerIds", &other)),
    }
}

/// Decodes one caller ID.
///
/// # Errors
/// The same errors as [`decode`], and an error for any other document.
pub fn decode_caller_id(bytes: &[u8]) -> Result<OutgoingCallerId, InvalidDocument> {
    match located(bytes)? {
        (_, Decoded::CallerId(caller_id)) => Ok(caller_id),
        (at, other) => Err(unexpected(at, "OutgoingCallerId", &other)),
    }
}

/// Decodes the response to a create.
///
/// # Errors
/// The same errors as [`decode`], and an error for any other document.
pub fn decode_validation_request(bytes: &[u8]) -> Result<ValidationRequest, InvalidDocument> {
    match located(bytes)? {
        (_, Decoded::ValidationRequest(request)) => Ok(request),
        (at, other) => Err(unexpected(at, "ValidationRequest", &other)),
    }
}

/// Decodes an error, as specified or in the 2010 version, which orders the elements differently.
///
/// # Errors
/// The same errors as [`decode`], and an error for any other document.
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

/// The document, and the byte offset of its element in the response.
fn located(bytes: &[u8]) -> Result<(usize, Decoded), InvalidDocument> {
    if bytes.len() > MAX_DOCUMENT_BYTES {
        return Err(InvalidDocument::new(MAX_DOCUMENT_BYTES, Reason::TooLarge));
    }
    let mut reader = Reader::new(bytes);
    let is_response = reader.child()? == Some("TwilioResponse");
    let document = if is_response { reader.response()? } else { reader.root()? };
    reader.finish()?;
    Ok(document)
}

/// Each method reads the element that was opened last.
impl<'a> Reader<'a> {
    /// The document in a TwilioResponse.
    fn response(&mut self) -> Read<(usize, Decoded)> {
        let missing = Missing { at: self.tag().at, parent: "TwilioResponse" };
        let mut found = None;
        while self.child()?.is_some() {
            let at = self.tag().at;
            match self.document()? {
                Some(document) if found.is_none() => found = Some((at, document)),
                Some(_) => return Err(malformed(at, "a TwilioResponse has one document")),
                None => self.skip()?,
            }
        }
        let documents = "OutgoingCallerIds, OutgoingCallerId, ValidationRequest or RestException";
        found.ok_or_else(|| missing.error(documents))
    }

    /// The document that is the root element.
    fn root(&mut self) -> Read<(usize, Decoded)> {
        let at = self.tag().at;
        let document = self.document()?.ok_or_else(|| {
            let expected = "TwilioResponse or RestException";
            let found = format!("{:.EXCERPT_CHARS$}", self.tag().local_name());
            InvalidDocument::new(at, Reason::Unexpected { expected, found })
        })?;
        Ok((at, document))
    }

    /// The document in the element. Returns `None`, without reading anything, if the element is
    /// unknown.
    fn document(&mut self) -> Read<Option<Decoded>> {
        Ok(Some(match self.tag().local_name() {
            "OutgoingCallerIds" => Decoded::CallerIds(self.caller_ids()?),
            "OutgoingCallerId" => Decoded::CallerId(self.caller_id()?),
            "ValidationRequest" => Decoded::ValidationRequest(self.validation_request()?),
            "RestException" => Decoded::Exception(self.exception()?),
            _ => return Ok(None),
        }))
    }

    fn caller_ids(&mut self) -> Read<ReceivedPage> {
        let mut received = self.page_attributes()?;
        // Reserves space for the size that the server states, but no more than the document can
        // contain.
        let Page { items, size, .. } = &mut received.page;
        let claimed = usize::try_from(*size).unwrap_or(usize::MAX);
        items.reserve(claimed.min(self.len() / ROW_BYTES_MIN));
        while let Some(name) = self.child()? {
            match name {
                "OutgoingCallerId" => items.push(self.caller_id()?),
                _ => self.skip()?,
            }
        }
        let page = &mut received.page;
        if received.stated_total.is_none() {
            let rows = u64::try_from(page.items.len()).unwrap_or(u64::MAX);
            let start = page.number.saturating_mul(page.size.into());
            page.total = start.saturating_add(rows).saturating_add(page.more.into());
        }
        Ok(received)
    }

    fn page_attributes(&self) -> Read<ReceivedPage> {
        let mut figures = [None; FIGURES.len()];
        let mut uris = PageUris::default();
        for attribute in self.tag().attributes() {
            let Attribute { at, name, value } = attribute?;
            let figure = FIGURES.into_iter().zip(&mut figures).find(|(known, _)| *known == name);
            if let Some((name, figure)) = figure {
                let number = number(value.trim_ascii());
                *figure = Some(number.map_err(|why| invalid_value(at, name, &why))?);
            }
            let uri = URIS.into_iter().zip(uris.in_order_mut()).find(|(known, _)| *known == name);
            if let Some((name, uri)) = uri {
                *uri = printable(&value).map_err(|why| invalid_value(at, name, &why))?;
            }
        }
        let missing = Missing { at: self.tag().at, parent: "OutgoingCallerIds" };
        let [page, stated_pages, size, total, stated_start, stated_end] = figures;
        let [page_name, _, size_name, ..] = FIGURES;
        let size: u64 = size.ok_or_else(|| missing.error(size_name))?;
        let page = Page {
            items: Vec::new(),
            number: page.ok_or_else(|| missing.error(page_name))?,
            size: u32::try_from(size)
                .map_err(|_| invalid_value(missing.at, size_name, &NOT_A_NUMBER))?,
            total: total.unwrap_or_default(),
            more: !uris.next.is_empty(),
        };
        Ok(ReceivedPage { page, uris, stated_pages, stated_total: total, stated_start, stated_end })
    }

    fn caller_id(&mut self) -> Read<OutgoingCallerId> {
        let mut fields = CALLER_ID.map(Field::new);
        let missing = self.fields("OutgoingCallerId", &mut fields)?;
        let [sid, account_sid, friendly_name, phone_number, date_created, date_updated] = &fields;
        Ok(OutgoingCallerId {
            sid: sid.required(missing, CallerIdSid::parse)?,
            account_sid: account_sid.required(missing, AccountSid::parse)?,
            friendly_name: friendly_name.required(missing, FriendlyName::new)?,
            phone_number: phone_number.required(missing, received_number)?,
            date_created: date_created.required(missing, Date::parse)?,
            date_updated: date_updated.required(missing, Date::parse)?,
        })
    }

    fn validation_request(&mut self) -> Read<ValidationRequest> {
        let names = ["AccountSid", "PhoneNumber", "FriendlyName", "ValidationCode", "CallSid"];
        let mut fields = names.map(Field::new);
        let missing = self.fields("ValidationRequest", &mut fields)?;
        let [account_sid, phone_number, friendly_name, validation_code, call_sid] = &fields;
        Ok(ValidationRequest {
            account_sid: account_sid.required(missing, AccountSid::parse)?,
            phone_number: phone_number.required(missing, received_number)?,
            // An empty element means that no name was given.
            friendly_name: friendly_name.optional(FriendlyName::new)?,
            validation_code: validation_code.required(missing, ValidationCode::parse)?,
            call_sid: call_sid.optional(CallSid::parse)?,
        })
    }

    fn exception(&mut self) -> Read<RestException> {
        let mut fields = ["Status", "Message", "Code", "MoreInfo"].map(Field::new);
        let missing = self.fields("RestException", &mut fields)?;
        let [status, message, code, more_info] = &fields;
        Ok(RestException {
            status: status.required(missing, number)?,
            message: message.required(missing, printable)?,
            code: code.optional(number)?,
            more_info: more_info.optional(printable)?,
        })
    }

    /// Reads the texts of an element's known child elements. The result creates the error for one
    /// that is missing.
    fn fields(&mut self, parent: &'static str, fields: &mut [Field<'a>]) -> Read<Missing> {
        let missing = Missing { at: self.tag().at, parent };
        while let Some(name) = self.child()? {
            match fields.iter_mut().find(|field| field.name == name) {
                Some(Field { text: Some(_), name, .. }) => {
                    return Err(InvalidDocument::new(self.tag().at, Reason::Repeated { name }));
                }
                Some(field) => (field.at, field.text) = (self.at(), Some(self.text()?)),
                None => self.skip()?,
            }
        }
        Ok(missing)
    }
}

/// An element that lacks a required child element or attribute.
#[derive(Clone, Copy)]
struct Missing {
    at: usize,
    parent: &'static str,
}

impl Missing {
    fn error(self, name: &'static str) -> InvalidDocument {
        InvalidDocument::new(self.at, Reason::Missing { name, parent: self.parent })
    }
}

/// An element that contains only text.
struct Field<'a> {
    name: &'static str,
    /// Byte offset of the text.
    at: usize,
    text: Option<Cow<'a, str>>,
}

impl Field<'_> {
    fn new(name: &'static str) -> Self {
        Self { name, at: 0, text: None }
    }

    /// The value of a required element.
    fn required<T, E: Display>(
        &self,
        missing: Missing,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Read<T> {
        let text = self.text.as_deref().ok_or_else(|| missing.error(self.name))?;
        self.parse(text, parse)
    }

    /// The value of an element that can be missing or empty.
    fn optional<T, E: Display>(&self, parse: impl FnOnce(&str) -> Result<T, E>) -> Read<Option<T>> {
        let text = self.text.as_deref().filter(|text| !text.is_empty());
        text.map(|text| self.parse(text, parse)).transpose()
    }

    fn parse<T, E: Display>(
        &self,
        text: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Read<T> {
        let text = match self.name {
            "FriendlyName" | "Message" | "MoreInfo" => text,
            _ => text.trim_ascii(),
        };
        parse(text).map_err(|error| invalid_value(self.at, self.name, &error))
    }
}

/// The minimum size of a row in bytes. The tags of its elements alone are longer.
const ROW_BYTES_MIN: usize = 128;

const UNPRINTABLE: &str = "there is a control character that XML cannot carry";
const NOT_A_NUMBER: &str = "not a whole number, or too large";

fn number<T: TryFrom<u64>>(text: &str) -> Result<T, &'static str> {
    decimal(text).and_then(|number| number.try_into().ok()).ok_or(NOT_A_NUMBER)
}

/// What documents contain, without the formats that people write.
fn received_number(text: &str) -> Result<PhoneNumber, &'static str> {
    PhoneNumber::from_digits(text).ok_or("expected ten digits, perhaps after +1")
}

fn printable(text: &str) -> Result<String, &'static str> {
    let carried = text.chars().all(is_xml_char);
    carried.then(|| text.to_owned()).ok_or(UNPRINTABLE)
}

#[cold]
fn invalid_value(at: usize, name: &'static str, why: &dyn Display) -> InvalidDocument {
    InvalidDocument::new(at, Reason::Value { name, why: why.to_string() })
}
