//! Properties of all documents: encoding loses nothing, and no input breaks the decoder.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use callerid_core::representation::{
    Decoded, Document, MAX_DOCUMENT_BYTES, PageUris, ReceivedPage, Representation, xml,
};
use callerid_core::{
    AccountSid, ApiVersion, CallerIdSid, Date, FriendlyName, OutgoingCallerId, Page, PhoneNumber,
    RestException, ValidationCode, ValidationRequest,
};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use quick_xml::events::Event;
use serde_json::{Value, json};

/// Characters that XML can represent, with an emphasis on those that often cause trouble.
fn char() -> impl Strategy<Value = char> {
    let troublesome: Vec<char> =
        "\t\n\r \"&'<>,;]=+@\\/\u{7f}\u{85}\u{a0}\u{2028}\u{fffd}é😀".chars().collect();
    prop_oneof![
        3 => select(troublesome),
        2 => proptest::char::range(' ', '~'),
        1 => any::<char>().prop_filter("XML", |char| FriendlyName::new(char.encode_utf8(&mut [0; 4])).is_ok()),
    ]
}

fn text(length: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = String> {
    let longest = *length.end();
    let chars = prop::collection::vec(char(), length).prop_map(String::from_iter);
    // Texts with a pattern that random characters would rarely produce.
    let marked = (chars, select(vec!["", "]]>", "\r\n", "&amp;", "<!--", "\"\"", "&#13;"]));
    marked.prop_map(move |(text, mark)| (mark.to_owned() + &text).chars().take(longest).collect())
}

fn name(length: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = FriendlyName> {
    text(length).prop_map(|text| FriendlyName::new(&text).unwrap())
}

fn number() -> impl Strategy<Value = PhoneNumber> {
    (select(vec![212, 415, 604, 800, 809]), 5_550_000..9_999_999_u32)
        .prop_filter_map("valid", |(area, rest)| PhoneNumber::parse(&format!("{area}{rest}")).ok())
}

fn date() -> impl Strategy<Value = Date> {
    let seconds = prop_oneof![0..4_000_000_000_i64, any::<i64>()];
    let offset = prop_oneof![Just(-420_i16), any::<i16>()];
    (seconds, offset).prop_map(|(seconds, offset)| Date::new(seconds, offset))
}

prop_compose! {
    fn caller_id()(
        sid: [u8; 16],
        account: [u8; 16],
        friendly_name in name(0..=64),
        phone_number in number(),
        date_created in date(),
        date_updated in date(),
    ) -> OutgoingCallerId {
        let (sid, account_sid) =
            (CallerIdSid::from_random_bytes(&sid), AccountSid::from_random_bytes(&account));
        OutgoingCallerId { sid, account_sid, friendly_name, phone_number, date_created, date_updated }
    }
}

prop_compose! {
    fn uris()(uris in prop::array::uniform5(text(0..=40))) -> PageUris {
        let [this, first, previous, next, last] = uris;
        PageUris { this, first, previous, next, last }
    }
}

prop_compose! {
    fn page()(
        items in prop::collection::vec(caller_id(), 0..4),
        (number, size, total) in any::<(u64, u32, u64)>(),
        uris in uris(),
    ) -> Decoded {
        let page = Page { items, number, size, total, more: !uris.next.is_empty() };
        Decoded::CallerIds(ReceivedPage {
            stated_total: Some(total),
            stated_pages: Some(page.pages()),
            stated_start: Some(page.start()),
            stated_end: Some(page.end()),
            page,
            uris,
        })
    }
}

prop_compose! {
    fn validation_request()(
        account: [u8; 16],
        phone_number in number(),
        friendly_name in prop::option::of(name(1..=64)),
        code in 0..1_000_000_u32,
    ) -> Decoded {
        let account_sid = AccountSid::from_random_bytes(&account);
        let validation_code = ValidationCode::parse(&format!("{code:06}")).unwrap();
        Decoded::ValidationRequest(
            ValidationRequest { account_sid, call_sid: None, phone_number, friendly_name, validation_code }
        )
    }
}

prop_compose! {
    fn exception()(
        status: u16,
        message in text(0..=100),
        code: Option<u32>,
        more_info in prop::option::of(text(1..=100)),
    ) -> Decoded {
        Decoded::Exception(RestException { status, message, code, more_info })
    }
}

fn document() -> impl Strategy<Value = Decoded> {
    prop_oneof![page(), caller_id().prop_map(Decoded::CallerId), validation_request(), exception()]
}

type Record = Vec<(&'static str, Option<String>)>;

/// A document's name, and the names and texts of its records: an independent statement of what is
/// expected.
fn records(document: &Decoded) -> (&'static str, Vec<Record>) {
    let text = |text: &dyn ToString| Some(text.to_string());
    let caller_id = |row: &OutgoingCallerId| {
        vec![
            ("Sid", text(&row.sid)),
            ("AccountSid", text(&row.account_sid)),
            ("FriendlyName", text(&row.friendly_name)),
            ("PhoneNumber", text(&row.phone_number.as_str())),
            ("DateCreated", text(&row.date_created)),
            ("DateUpdated", text(&row.date_updated)),
        ]
    };
    match document {
        Decoded::CallerIds(received) => {
            ("OutgoingCallerIds", received.page.items.iter().map(caller_id).collect())
        }
        Decoded::CallerId(row) => ("OutgoingCallerId", vec![caller_id(row)]),
        Decoded::ValidationRequest(request) => (
            "ValidationRequest",
            vec![vec![
                ("AccountSid", text(&request.account_sid)),
                ("PhoneNumber", text(&request.phone_number.as_str())),
                ("FriendlyName", request.friendly_name.as_ref().map(ToString::to_string)),
                ("ValidationCode", text(&request.validation_code.expose())),
            ]],
        ),
        Decoded::Exception(exception) => {
            let mut fields =
                vec![("Status", text(&exception.status)), ("Message", text(&exception.message))];
            fields.extend(exception.code.map(|code| ("Code", text(&code))));
            fields.extend(exception.more_info.clone().map(|info| ("MoreInfo", Some(info))));
            ("RestException", vec![fields])
        }
    }
}

/// Reads RFC 4180: rows of cells, each row ended by CR LF.
fn read_csv(text: &str) -> Vec<Vec<String>> {
    let mut rows = vec![vec![String::new()]];
    let mut chars = text.chars().peekable();
    let mut quoted = false;
    while let Some(char) = chars.next() {
        let row = rows.last_mut().unwrap();
        let cell = row.last_mut().unwrap();
        match char {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(String::new()),
            '\r' if !quoted => {
                assert_eq!(chars.next(), Some('\n'), "a bare CR outside of quotes");
                rows.push(vec![String::new()]);
            }
            '\n' if !quoted => panic!("a bare LF outside of quotes"),
            char => cell.push(char),
        }
    }
    assert_eq!(rows.pop(), Some(vec![String::new()]), "the last line has its end");
    rows
}

/// The classes and texts of the innermost `div`s, in order. This HTML is valid XML, so it is read
/// as XML.
fn read_html(html: &[u8]) -> Vec<(String, String)> {
    let mut reader = quick_xml::Reader::from_reader(html);
    let mut found = Vec::new();
    let mut open: Option<(String, String)> = None;
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => return found,
            Event::Start(tag) => {
                let class = tag.try_get_attribute("class").unwrap().map(|it| it.value.into_owned());
                open = class.map(|class| (class, String::new()));
            }
            Event::End(_) => found.extend(open.take()),
            Event::Text(part) => open.iter_mut().for_each(|(_, text)| text.push_str(&part)),
            Event::GeneralRef(name) => {
                let char = name.resolve_char_ref().unwrap();
                let char = char.unwrap_or_else(|| match name.as_ref() {
                    "amp" => '&',
                    "lt" => '<',
                    "gt" => '>',
                    other => panic!("{other}"),
                });
                open.iter_mut().for_each(|(_, text)| text.push(char));
            }
            other => panic!("{other:?}"),
        }
    }
}

fn dashed(name: &str) -> String {
    let spaced = |char: char| {
        let dash = char.is_ascii_uppercase().then_some('-');
        dash.into_iter().chain([char.to_ascii_lowercase()])
    };
    name.chars().flat_map(spaced).collect::<String>().trim_start_matches('-').to_owned()
}

proptest! {
    #[test]
    fn xml_gives_back_what_it_was_given(document in document()) {
        let written = Representation::Xml.encode(ApiVersion::V2008, &document.as_document());
        prop_assert_eq!(xml::decode(&written), Ok(document.clone()));
        // The layout does not matter: here, every element's text is in several pieces.
        let text = String::from_utf8(written).unwrap();
        let apart = text.replace("</", "<?apart?></");
        prop_assert_eq!(xml::decode(apart.as_bytes()), Ok(document));
    }

    #[test]
    fn json_has_the_same_values(document in document()) {
        let written = Representation::Json.encode(ApiVersion::V2008, &document.as_document());
        let read: Value = serde_json::from_slice(&written).unwrap();
        let (name, records) = records(&document);
        let objects = records.into_iter().map(|fields| {
            Value::Object(fields.into_iter().map(|(name, text)| (name.into(), json!(text))).collect())
        });
        let expected = match document {
            Decoded::CallerIds(_) => {
                objects.map(|object| json!({ "OutgoingCallerId": object })).collect()
            }
            _ => objects.collect::<Vec<_>>().remove(0),
        };
        prop_assert_eq!(read, json!({ "TwilioResponse": { name: expected } }));
    }

    #[test]
    fn csv_has_the_same_values(document in document()) {
        let written = Representation::Csv.encode(ApiVersion::V2008, &document.as_document());
        let mut read = read_csv(std::str::from_utf8(&written).unwrap()).into_iter();
        let (_, records) = records(&document);
        let header = read.next().expect("a header");
        for record in records {
            let (names, cells): (Vec<_>, Vec<_>) =
                record.into_iter().map(|(name, text)| (name, text.unwrap_or_default())).unzip();
            prop_assert_eq!(&header, &names);
            prop_assert_eq!(read.next(), Some(cells));
        }
        prop_assert_eq!(read.next(), None);
    }

    #[test]
    fn html_has_the_same_values(document in document()) {
        let written = Representation::Html.encode(ApiVersion::V2008, &document.as_document());
        let (_, records) = records(&document);
        let expected: Vec<_> = records
            .into_iter()
            .flatten()
            .map(|(name, text)| (dashed(name), text.unwrap_or_default()))
            .collect();
        let mut read = read_html(&written);
        if expected.is_empty() {
            prop_assert_eq!(read.pop(), Some(("outgoing-caller-ids".into(), String::new())));
        }
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn a_message_of_any_characters_can_be_written_and_read(message: String) {
        let exception = RestException::http(400, message.as_str());
        let written = Representation::Xml.encode(ApiVersion::V2008, &Document::Exception(&exception));
        let read = xml::decode_exception(&written).unwrap();
        prop_assert_eq!(read.message.chars().count(), message.chars().count());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        survives(&bytes)?;
    }

    #[test]
    fn any_markup_is_read_or_refused(pieces in prop::collection::vec(select(PIECES.to_vec()), 0..40)) {
        survives(pieces.concat().as_bytes())?;
    }

    #[test]
    fn documents_with_something_changed_are_read_or_refused(
        document in document(),
        changes in prop::collection::vec((any::<Index>(), 0..6_usize, any::<u8>(), select(PIECES.to_vec())), 1..5),
    ) {
        let mut bytes = Representation::Xml.encode(ApiVersion::V2008, &document.as_document());
        for (at, kind, byte, piece) in changes {
            let at = at.index(bytes.len());
            match kind {
                0 => *bytes.get_mut(at).unwrap() = byte,
                1 => bytes.truncate(at.max(1)),
                2 => drop(bytes.splice(at..at, piece.bytes())),
                3 => drop(bytes.drain(at..bytes.len().min(at.saturating_add(byte.into())))),
                4 => bytes.extend_from_within(at..),
                _ => bytes.insert(at, byte),
            }
            if bytes.is_empty() {
                bytes.push(byte);
            }
        }
        survives(&bytes)?;
    }
}

const PIECES: [&str; 40] = [
    "<TwilioResponse>",
    "</TwilioResponse>",
    "<OutgoingCallerIds page='0' pagesize='50' total='0'>",
    "<OutgoingCallerIds page=\"&#48;\" ",
    "</OutgoingCallerIds>",
    "<OutgoingCallerId>",
    "</OutgoingCallerId>",
    "<ValidationRequest>",
    "</ValidationRequest>",
    "<RestException>",
    "</RestException>",
    "<Sid>PNe536dfda7c6184afab78d980cb8cdf43</Sid>",
    "<AccountSid>AC35542fc30a091bed0c1ed511e1d9935d</AccountSid>",
    "<FriendlyName>",
    "</FriendlyName>",
    "<PhoneNumber>4158675309</PhoneNumber>",
    "<DateCreated>Tue, 01 Apr 2008 11:26:32 -0700</DateCreated>",
    "<DateUpdated>Tue, 01 Apr 2008 11:26:32 -0700</DateUpdated>",
    "<ValidationCode>000000</ValidationCode>",
    "<Status>400</Status>",
    "<Message>",
    "</Message>",
    "<Code/>",
    "<a:b c:d='e'/>",
    "<",
    ">",
    "/>",
    "&amp;",
    "&",
    "&#x10ffff;",
    "&#xd800;",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "<!DOCTYPE a [",
    "<?xml version='1.0'?>",
    "<?xml encoding='",
    "\u{feff}",
    "'\"=\r\n\t é\0",
];

/// The decoder either reports what is wrong and where, or returns a document that can be encoded
/// and decoded again.
fn survives(bytes: &[u8]) -> Result<(), TestCaseError> {
    match xml::decode(bytes) {
        Err(error) => {
            prop_assert!(error.at() <= bytes.len().min(MAX_DOCUMENT_BYTES), "{}", error);
            prop_assert!(!error.to_string().is_empty());
        }
        Ok(document) => {
            let written = Representation::Xml.encode(ApiVersion::V2008, &document.as_document());
            let again =
                xml::decode(&written).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(again.as_document(), document.as_document());
        }
    }
    Ok(())
}
