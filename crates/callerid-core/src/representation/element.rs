//! The elements of every document: their names, and the order they come in. Stated once, for every
//! representation and both directions.

use crate::{ApiVersion, Date, OutgoingCallerId, RestException, Rfc2822, ValidationRequest};

use super::Document;

macro_rules! elements {
    ($($name:ident $snake_case:literal)+) => {
        /// An element of a document.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Element { $($name,)+ }

        impl Element {
            /// Its name in XML, JSON and the header of CSV.
            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// Its name in the snake case of the newer API's JSON.
            pub(super) const fn snake_case(self) -> &'static str {
                match self { $(Self::$name => $snake_case,)+ }
            }
        }
    };
}

elements! {
    TwilioResponse "twilio_response"
    OutgoingCallerIds "outgoing_caller_ids"
    OutgoingCallerId "outgoing_caller_id"
    ValidationRequest "validation_request"
    RestException "rest_exception"
    Sid "sid"
    AccountSid "account_sid"
    FriendlyName "friendly_name"
    PhoneNumber "phone_number"
    DateCreated "date_created"
    DateUpdated "date_updated"
    ValidationCode "validation_code"
    CallSid "call_sid"
    Uri "uri"
    Status "status"
    Message "message"
    Code "code"
    Detail "detail"
    MoreInfo "more_info"
}

/// What is in an OutgoingCallerId; after these the newer API has its address.
pub(super) const CALLER_ID: [Element; 6] = [
    Element::Sid,
    Element::AccountSid,
    Element::FriendlyName,
    Element::PhoneNumber,
    Element::DateCreated,
    Element::DateUpdated,
];

/// What is in a ValidationRequest; the last is in the newer API's alone.
pub(super) const VALIDATION_REQUEST: [Element; 5] = [
    Element::AccountSid,
    Element::PhoneNumber,
    Element::FriendlyName,
    Element::ValidationCode,
    Element::CallSid,
];

/// What is in a RestException; the last two are not in every one.
pub(super) const REST_EXCEPTION: [Element; 4] =
    [Element::Status, Element::Message, Element::Code, Element::MoreInfo];

/// The attributes of a list that are numbers.
pub(super) const FIGURES: [&str; 6] = ["page", "numpages", "pagesize", "total", "start", "end"];

/// The attributes of a list that are addresses, after those that are numbers.
pub(super) const URIS: [&str; 5] =
    ["uri", "firstpageuri", "previouspageuri", "nextpageuri", "lastpageuri"];

/// An element without children, and its text; `None` where it is there but says nothing.
pub(super) type Field<'a> = (Element, Option<&'a str>);

/// What a version of the API makes of the values: the newer one writes numbers as E.164, dates in GMT, and the
/// address of each caller ID.
#[derive(Clone, Copy)]
pub(super) struct Wire {
    pub(super) version: ApiVersion,
    /// What addresses end in.
    pub(super) extension: &'static str,
}

/// The specification's version.
pub(super) const WIRE_2008: Wire = Wire::of(ApiVersion::V2008);

/// Hands over the records of a document one by one: a list has any number, other documents one.
pub(super) fn each_record(
    wire: Wire,
    document: &Document<'_>,
    write: &mut dyn FnMut(Element, &[Field<'_>]),
) {
    match document {
        Document::CallerIds(list) => {
            let mut dates = Dates::default();
            for caller_id in &list.page.items {
                wire.caller_id(caller_id, &mut dates, write);
            }
        }
        Document::CallerId(caller_id) => {
            wire.caller_id(caller_id, &mut Dates::default(), write);
        }
        Document::ValidationRequest(request) => wire.validation_request(request, write),
        Document::Exception(exception) => wire.exception(exception, write),
    }
}

impl Wire {
    /// That of a version, with addresses that name no representation.
    pub(super) const fn of(version: ApiVersion) -> Self {
        Self { version, extension: "" }
    }

    /// What is in an OutgoingCallerId, in order.
    pub(super) fn caller_id_elements(self) -> impl Iterator<Item = Element> {
        let uri = (self.version == ApiVersion::V2010).then_some(Element::Uri);
        CALLER_ID.into_iter().chain(uri)
    }

    fn caller_id(
        self,
        caller_id: &OutgoingCallerId,
        dates: &mut Dates,
        write: &mut dyn FnMut(Element, &[Field<'_>]),
    ) {
        let e164 = caller_id.phone_number.e164();
        let (number, created, updated, uri) = match self.version {
            ApiVersion::V2008 => {
                let OutgoingCallerId { date_created, date_updated, .. } = *caller_id;
                (caller_id.phone_number.as_str(), date_created, date_updated, None)
            }
            ApiVersion::V2010 => {
                let OutgoingCallerId { sid, account_sid, .. } = caller_id;
                let list = self.version.list_path(account_sid);
                let uri = format!("{list}/{sid}{}", self.extension);
                let created = caller_id.date_created.to_utc();
                (e164.as_str(), created, caller_id.date_updated.to_utc(), Some(uri))
            }
        };
        let created = dates.write(created);
        let updated = dates.write(updated);
        let [sid, account_sid, friendly_name, phone_number, date_created, date_updated] = CALLER_ID;
        let fields = [
            (sid, Some(caller_id.sid.as_str())),
            (account_sid, Some(caller_id.account_sid.as_str())),
            (friendly_name, Some(caller_id.friendly_name.as_str())),
            (phone_number, Some(number)),
            (date_created, Some(created.as_str())),
            (date_updated, Some(updated.as_str())),
            (Element::Uri, uri.as_deref()),
        ];
        let known = if uri.is_some() { fields.len() } else { CALLER_ID.len() };
        write(Element::OutgoingCallerId, fields.get(..known).unwrap_or_default());
    }

    fn validation_request(
        self,
        request: &ValidationRequest,
        write: &mut dyn FnMut(Element, &[Field<'_>]),
    ) {
        let e164 = request.phone_number.e164();
        let [account_sid, phone_number, friendly_name, validation_code, call_sid] =
            VALIDATION_REQUEST;
        let mut fields = vec![
            (account_sid, Some(request.account_sid.as_str())),
            (phone_number, Some(request.phone_number.as_str())),
            (friendly_name, request.friendly_name.as_ref().map(|name| name.as_str())),
            (validation_code, Some(request.validation_code.expose())),
        ];
        if self.version == ApiVersion::V2010 {
            fields.iter_mut().filter(|(element, _)| *element == phone_number).for_each(|field| {
                field.1 = Some(e164.as_str());
            });
            fields.push((call_sid, request.call_sid.as_ref().map(|sid| sid.as_str())));
        }
        write(Element::ValidationRequest, &fields);
    }

    fn exception(self, exception: &RestException, write: &mut dyn FnMut(Element, &[Field<'_>])) {
        let [status, message, code, more_info] = REST_EXCEPTION;
        let digits = (exception.status.to_string(), exception.code.map(|code| code.to_string()));
        let status = (status, Some(digits.0.as_str()));
        let message = (message, Some(exception.message.as_str()));
        let code = digits.1.as_deref().map(|text| (code, Some(text)));
        let more_info = exception.more_info.as_deref().map(|text| (more_info, Some(text)));
        let detail = (Element::Detail, None);
        let fields = match self.version {
            ApiVersion::V2008 => [Some(status), Some(message), code, more_info, None],
            ApiVersion::V2010 => [code, Some(detail), Some(message), more_info, Some(status)],
        };
        write(Element::RestException, &fields.into_iter().flatten().collect::<Vec<_>>());
    }
}

/// Writes dates; one that equals the date before it is not worked out again, as most rows never were
/// renamed.
#[derive(Default)]
struct Dates(Option<(Date, Rfc2822)>);

impl Dates {
    fn write(&mut self, date: Date) -> Rfc2822 {
        match self.0 {
            Some((last, written)) if last == date => written,
            _ => {
                let written = date.to_rfc2822();
                self.0 = Some((date, written));
                written
            }
        }
    }
}
