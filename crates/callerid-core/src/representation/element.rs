//! The elements of every document: their names, and the order they come in. Stated once, for every
//! representation and both directions.

use crate::{Date, Rfc2822};

use super::Document;

macro_rules! elements {
    ($($name:ident $class:literal)+) => {
        /// An element of a document.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Element { $($name,)+ }

        impl Element {
            /// Its name in XML, JSON and the header of CSV.
            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// Its name in the dashed lower case of HTML.
            pub(super) const fn class(self) -> &'static str {
                match self { $(Self::$name => $class,)+ }
            }

            /// Its start tag in XML, where it has no attributes.
            pub(super) const fn start_tag(self) -> &'static str {
                match self { $(Self::$name => concat!("<", stringify!($name), ">"),)+ }
            }

            /// Its end tag in XML.
            pub(super) const fn end_tag(self) -> &'static str {
                match self { $(Self::$name => concat!("</", stringify!($name), ">"),)+ }
            }

            /// Its tag in XML, where there is nothing in it.
            pub(super) const fn empty_tag(self) -> &'static str {
                match self { $(Self::$name => concat!("<", stringify!($name), "/>"),)+ }
            }
        }
    };
}

elements! {
    TwilioResponse "twilio-response"
    OutgoingCallerIds "outgoing-caller-ids"
    OutgoingCallerId "outgoing-caller-id"
    ValidationRequest "validation-request"
    RestException "rest-exception"
    Sid "sid"
    AccountSid "account-sid"
    FriendlyName "friendly-name"
    PhoneNumber "phone-number"
    DateCreated "date-created"
    DateUpdated "date-updated"
    ValidationCode "validation-code"
    Status "status"
    Message "message"
    Code "code"
    MoreInfo "more-info"
}

/// What is in an OutgoingCallerId.
pub(super) const CALLER_ID: [Element; 6] = [
    Element::Sid,
    Element::AccountSid,
    Element::FriendlyName,
    Element::PhoneNumber,
    Element::DateCreated,
    Element::DateUpdated,
];

/// What is in a ValidationRequest.
pub(super) const VALIDATION_REQUEST: [Element; 4] =
    [Element::AccountSid, Element::PhoneNumber, Element::FriendlyName, Element::ValidationCode];

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

/// Hands over the records of a document one by one: a list has any number, other documents one.
pub(super) fn each_record(document: &Document<'_>, write: &mut dyn FnMut(Element, &[Field<'_>])) {
    match document {
        Document::CallerIds(list) => {
            let mut dates = Dates::default();
            for caller_id in &list.page.items {
                write_caller_id(caller_id, &mut dates, write);
            }
        }
        Document::CallerId(caller_id) => write_caller_id(caller_id, &mut Dates::default(), write),
        Document::ValidationRequest(request) => {
            let [account_sid, phone_number, friendly_name, validation_code] = VALIDATION_REQUEST;
            let fields = [
                (account_sid, Some(request.account_sid.as_str())),
                (phone_number, Some(request.phone_number.as_str())),
                (friendly_name, request.friendly_name.as_ref().map(|name| name.as_str())),
                (validation_code, Some(request.validation_code.expose())),
            ];
            write(Element::ValidationRequest, &fields);
        }
        Document::Exception(exception) => {
            let [status, message, code, more_info] = REST_EXCEPTION;
            let digits =
                (exception.status.to_string(), exception.code.map(|code| code.to_string()));
            let mut fields = vec![
                (status, Some(digits.0.as_str())),
                (message, Some(exception.message.as_str())),
            ];
            fields.extend(digits.1.as_deref().map(|text| (code, Some(text))));
            fields.extend(exception.more_info.as_deref().map(|text| (more_info, Some(text))));
            write(Element::RestException, &fields);
        }
    }
}

fn write_caller_id(
    caller_id: &crate::OutgoingCallerId,
    dates: &mut Dates,
    write: &mut dyn FnMut(Element, &[Field<'_>]),
) {
    let created = dates.write(caller_id.date_created);
    let updated = dates.write(caller_id.date_updated);
    let [sid, account_sid, friendly_name, phone_number, date_created, date_updated] = CALLER_ID;
    let fields = [
        (sid, Some(caller_id.sid.as_str())),
        (account_sid, Some(caller_id.account_sid.as_str())),
        (friendly_name, Some(caller_id.friendly_name.as_str())),
        (phone_number, Some(caller_id.phone_number.as_str())),
        (date_created, Some(created.as_str())),
        (date_updated, Some(updated.as_str())),
    ];
    write(Element::OutgoingCallerId, &fields);
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
