//! The fields of each document, their names and order, defined once for all representations.

use std::ops::Deref;
use std::slice;

use serde::{Serialize, Serializer};

use crate::api_version::ApiVersion;
use crate::date::{Date, Rfc2822};
use crate::outgoing_caller_id::OutgoingCallerId;
use crate::phone_number::{E164, PhoneNumber};
use crate::rest_exception::RestException;
use crate::validation_request::ValidationRequest;

use super::Document;

/// The numeric attributes of a list.
pub(super) const FIGURES: [&str; 6] = ["page", "numpages", "pagesize", "total", "start", "end"];

/// The attributes of a list that are URIs. They follow the numeric ones.
pub(super) const URIS: [&str; 5] =
    ["uri", "firstpageuri", "previouspageuri", "nextpageuri", "lastpageuri"];

/// The elements of an OutgoingCallerId. The newer API adds its URI.
pub(super) const CALLER_ID: [&str; 6] =
    ["Sid", "AccountSid", "FriendlyName", "PhoneNumber", "DateCreated", "DateUpdated"];

/// The element that the newer API adds to an OutgoingCallerId.
const URI: &str = "Uri";

/// An element whose children contain only text.
pub(super) struct Record<'a> {
    pub(super) name: &'static str,
    pub(super) fields: Vec<Field<'a>>,
}

/// An element's name and its text; `None` if the element is null.
pub(super) type Field<'a> = (&'static str, Option<Text<'a>>);

/// The text of a field. Those of a list's rows are not allocated.
pub(super) enum Text<'a> {
    /// Only letters and digits.
    Plain(&'a str),
    Borrowed(&'a str),
    Owned(String),
    Date(Rfc2822),
    Number(E164),
}

impl Text<'_> {
    /// Whether XML needs no escapes for it, whatever the values are.
    pub(super) const fn is_plain_in_xml(&self) -> bool {
        matches!(self, Self::Plain(_) | Self::Date(_) | Self::Number(_))
    }
}

impl Deref for Text<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        match self {
            Self::Plain(text) | Self::Borrowed(text) => text,
            Self::Owned(text) => text,
            Self::Date(date) => date.as_str(),
            Self::Number(number) => number.as_str(),
        }
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self::Borrowed(text)
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self::Owned(text)
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

/// The records of a document: any number for a list, one for other documents. `extension` is
/// appended to URIs.
pub(super) fn records<'a>(
    version: ApiVersion,
    extension: &'static str,
    document: &Document<'a>,
) -> impl Iterator<Item = Record<'a>> {
    let (caller_ids, other) = match *document {
        Document::CallerIds(page, _) => (page.items.as_slice(), None),
        Document::CallerId(caller_id) => (slice::from_ref(caller_id), None),
        Document::ValidationRequest(request) => {
            (&[][..], Some(validation_request(version, request)))
        }
        Document::Exception(exception) => (&[][..], Some(self::exception(version, exception))),
    };
    caller_ids.iter().map(move |row| caller_id(version, extension, row)).chain(other)
}

/// The names of the elements of an OutgoingCallerId, in order.
pub(super) fn caller_id_names(version: ApiVersion) -> impl Iterator<Item = &'static str> {
    CALLER_ID.into_iter().chain((version == ApiVersion::V2010).then_some(URI))
}

fn caller_id<'a>(
    version: ApiVersion,
    extension: &str,
    caller_id: &'a OutgoingCallerId,
) -> Record<'a> {
    let OutgoingCallerId { sid, account_sid, .. } = caller_id;
    let OutgoingCallerId { date_created, date_updated, .. } = *caller_id;
    let created = date(version, date_created);
    // Most caller IDs were never renamed.
    let updated = if date_updated == date_created { created } else { date(version, date_updated) };
    let [sid_name, account_name, friendly_name, number_name, created_name, updated_name] =
        CALLER_ID;
    let mut fields = vec![
        (sid_name, Some(Text::Plain(sid.as_str()))),
        (account_name, Some(Text::Plain(account_sid.as_str()))),
        (friendly_name, Some(caller_id.friendly_name.as_str().into())),
        (number_name, Some(number(version, &caller_id.phone_number))),
        (created_name, Some(Text::Date(created))),
        (updated_name, Some(Text::Date(updated))),
    ];
    if version == ApiVersion::V2010 {
        let uri = format!("{}/{sid}{extension}", version.list_path(account_sid));
        fields.push((URI, Some(uri.into())));
    }
    Record { name: "OutgoingCallerId", fields }
}

fn validation_request(version: ApiVersion, request: &ValidationRequest) -> Record<'_> {
    let name = request.friendly_name.as_ref().map(|name| name.as_str().into());
    let mut fields = vec![
        ("AccountSid", Some(request.account_sid.as_str().into())),
        ("PhoneNumber", Some(number(version, &request.phone_number))),
        ("FriendlyName", name),
        ("ValidationCode", Some(request.validation_code.expose().into())),
    ];
    if version == ApiVersion::V2010 {
        fields.push(("CallSid", request.call_sid.as_ref().map(|sid| sid.as_str().into())));
    }
    Record { name: "ValidationRequest", fields }
}

fn exception(version: ApiVersion, exception: &RestException) -> Record<'_> {
    let status = ("Status", Some(exception.status.to_string().into()));
    let message = ("Message", Some(exception.message.as_str().into()));
    let code = exception.code.map(|code| ("Code", Some(code.to_string().into())));
    let more_info = exception.more_info.as_deref().map(|text| ("MoreInfo", Some(text.into())));
    let fields = match version {
        ApiVersion::V2008 => [Some(status), Some(message), code, more_info, None],
        ApiVersion::V2010 => [code, Some(("Detail", None)), Some(message), more_info, Some(status)],
    };
    Record { name: "RestException", fields: fields.into_iter().flatten().collect() }
}

/// The newer API formats numbers as E.164.
fn number(version: ApiVersion, number: &PhoneNumber) -> Text<'_> {
    match version {
        ApiVersion::V2008 => Text::Plain(number.as_str()),
        ApiVersion::V2010 => Text::Number(number.e164()),
    }
}

/// The newer API formats dates in GMT.
fn date(version: ApiVersion, date: Date) -> Rfc2822 {
    let date = match version {
        ApiVersion::V2008 => date,
        ApiVersion::V2010 => date.to_utc(),
    };
    date.to_rfc2822()
}

/// Converts an element's name to lower case, with a separator between its words.
pub(super) fn lower_case(name: &str, separator: char) -> String {
    let mut lower = String::with_capacity(name.len().saturating_add(2));
    for char in name.chars() {
        if char.is_ascii_uppercase() && !lower.is_empty() {
            lower.push(separator);
        }
        lower.push(char.to_ascii_lowercase());
    }
    lower
}
