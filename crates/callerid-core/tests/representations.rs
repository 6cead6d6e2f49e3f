//! Every document in every representation, as bytes on the wire.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use callerid_core::phone_number::Kind;
use callerid_core::representation::{
    Document, InvalidDocumentReason, MAX_DEPTH, MAX_DOCUMENT_BYTES, PageUris, ReceivedPage,
    Representation, xml,
};
use callerid_core::{
    AccountSid, ApiVersion, CallerIdSid, Date, ErrorCode, FriendlyName, OutgoingCallerId, Page,
    PhoneNumber, RestException, ValidationCode, ValidationRequest,
};
use quick_xml::events::Event;

fn caller_id(name: &str) -> OutgoingCallerId {
    OutgoingCallerId {
        sid: CallerIdSid::parse("PNe536dfda7c6184afab78d980cb8cdf43").unwrap(),
        account_sid: AccountSid::parse("AC35542fc30a091bed0c1ed511e1d9935d").unwrap(),
        friendly_name: FriendlyName::new(name).unwrap(),
        phone_number: PhoneNumber::parse("4158675309").unwrap(),
        date_created: Date::parse("Tue, 01 Apr 2008 11:26:32 -0700").unwrap(),
        date_updated: Date::parse("Tue, 01 Apr 2008 18:26:33 +0000").unwrap(),
    }
}

fn validation_request(name: Option<&str>) -> ValidationRequest {
    ValidationRequest {
        call_sid: None,
        account_sid: AccountSid::parse("AC309475e5fede1b49e100272a8640f438").unwrap(),
        phone_number: PhoneNumber::parse("4158675309").unwrap(),
        friendly_name: name.map(|name| FriendlyName::new(name).unwrap()),
        validation_code: ValidationCode::parse("012345").unwrap(),
    }
}

fn page(items: Vec<OutgoingCallerId>) -> (Page<OutgoingCallerId>, PageUris) {
    let total = items.len() as u64;
    let uris = PageUris { this: "/list?page=0&num=50".into(), ..PageUris::default() };
    (Page { items, number: 0, size: 50, total, more: false }, uris)
}

fn encode(representation: Representation, document: Document<'_>) -> String {
    String::from_utf8(representation.encode(ApiVersion::V2008, &document)).unwrap()
}

/// The error with the address that a version adds when it writes the error.
fn explained(exception: RestException) -> RestException {
    let more_info = exception.code.map(|code| format!("http://www.twilio.com/docs/errors/{code}"));
    RestException { more_info, ..exception }
}

#[test]
fn xml_has_the_specifications_elements_in_their_order() {
    let (list, uris) = page(vec![caller_id("A & <B>\r\n")]);
    assert_eq!(
        encode(Representation::Xml, Document::CallerIds(&list, &uris)),
        "<?xml version=\"1.0\"?>\n<TwilioResponse>\
         <OutgoingCallerIds page=\"0\" numpages=\"1\" pagesize=\"50\" total=\"1\" start=\"0\" end=\"0\" \
         uri=\"/list?page=0&amp;num=50\" firstpageuri=\"\" previouspageuri=\"\" nextpageuri=\"\" \
         lastpageuri=\"\">\
         <OutgoingCallerId>\
         <Sid>PNe536dfda7c6184afab78d980cb8cdf43</Sid>\
         <AccountSid>AC35542fc30a091bed0c1ed511e1d9935d</AccountSid>\
         <FriendlyName>A &amp; &lt;B&gt;&#13;\n</FriendlyName>\
         <PhoneNumber>4158675309</PhoneNumber>\
         <DateCreated>Tue, 01 Apr 2008 11:26:32 -0700</DateCreated>\
         <DateUpdated>Tue, 01 Apr 2008 18:26:33 +0000</DateUpdated>\
         </OutgoingCallerId>\
         </OutgoingCallerIds>\
         </TwilioResponse>"
    );
}

#[test]
fn a_list_without_rows_and_a_request_without_a_name_have_empty_elements() {
    let (empty, uris) = page(Vec::new());
    assert_eq!(
        encode(Representation::Xml, Document::CallerIds(&empty, &uris)),
        "<?xml version=\"1.0\"?>\n<TwilioResponse><OutgoingCallerIds page=\"0\" numpages=\"0\" \
         pagesize=\"50\" total=\"0\" start=\"0\" end=\"0\" uri=\"/list?page=0&amp;num=50\" \
         firstpageuri=\"\" previouspageuri=\"\" nextpageuri=\"\" lastpageuri=\"\"/></TwilioResponse>"
    );
    assert_eq!(
        encode(Representation::Json, Document::CallerIds(&empty, &uris)),
        r#"{"TwilioResponse":{"OutgoingCallerIds":[]}}"#
    );
    assert_eq!(
        encode(Representation::Csv, Document::CallerIds(&empty, &uris)),
        "Sid,AccountSid,FriendlyName,PhoneNumber,DateCreated,DateUpdated\r\n"
    );
    assert_eq!(
        encode(Representation::Html, Document::CallerIds(&empty, &uris)),
        "<html><head><title>200</title></head><body class=\"twilio-response\">\
         <div class=\"outgoing-caller-ids\"></div></body></html>"
    );
    let request = validation_request(None);
    assert_eq!(
        encode(Representation::Xml, Document::ValidationRequest(&request)),
        "<?xml version=\"1.0\"?>\n<TwilioResponse><ValidationRequest>\
         <AccountSid>AC309475e5fede1b49e100272a8640f438</AccountSid>\
         <PhoneNumber>4158675309</PhoneNumber><FriendlyName/>\
         <ValidationCode>012345</ValidationCode></ValidationRequest></TwilioResponse>"
    );
    assert_eq!(
        encode(Representation::Json, Document::ValidationRequest(&request)),
        "{\"TwilioResponse\":{\"ValidationRequest\":{\
         \"AccountSid\":\"AC309475e5fede1b49e100272a8640f438\",\"PhoneNumber\":\"4158675309\",\
         \"FriendlyName\":null,\"ValidationCode\":\"012345\"}}}"
    );
}

#[test]
fn json_has_the_names_of_xml_and_strings() {
    let (list, uris) = page(vec![caller_id("a"), caller_id("\"b\"")]);
    let row = |name: &str| {
        format!(
            "{{\"OutgoingCallerId\":{{\"Sid\":\"PNe536dfda7c6184afab78d980cb8cdf43\",\
             \"AccountSid\":\"AC35542fc30a091bed0c1ed511e1d9935d\",\"FriendlyName\":\"{name}\",\
             \"PhoneNumber\":\"4158675309\",\"DateCreated\":\"Tue, 01 Apr 2008 11:26:32 -0700\",\
             \"DateUpdated\":\"Tue, 01 Apr 2008 18:26:33 +0000\"}}}}"
        )
    };
    assert_eq!(
        encode(Representation::Json, Document::CallerIds(&list, &uris)),
        format!(
            "{{\"TwilioResponse\":{{\"OutgoingCallerIds\":[{},{}]}}}}",
            row("a"),
            row("\\\"b\\\"")
        )
    );
    assert_eq!(
        encode(Representation::Json, Document::CallerId(&caller_id("a"))),
        format!("{{\"TwilioResponse\":{}}}", row("a"))
    );
    let exception = explained(RestException::new(ErrorCode::InvalidCallDelay));
    assert_eq!(
        encode(Representation::Json, Document::Exception(&exception)),
        r#"{"TwilioResponse":{"RestException":{"Status":"400","Message":"Invalid CallDelay","Code":"21454","MoreInfo":"http://www.twilio.com/docs/errors/21454"}}}"#
    );
}

#[test]
fn csv_quotes_what_needs_it_and_changes_nothing() {
    let (list, uris) = page(vec![caller_id("=A, \"B\"\r\n"), caller_id("+1 office")]);
    assert_eq!(
        encode(Representation::Csv, Document::CallerIds(&list, &uris)),
        "Sid,AccountSid,FriendlyName,PhoneNumber,DateCreated,DateUpdated\r\n\
         PNe536dfda7c6184afab78d980cb8cdf43,AC35542fc30a091bed0c1ed511e1d9935d,\
         \"=A, \"\"B\"\"\r\n\",4158675309,\
         \"Tue, 01 Apr 2008 11:26:32 -0700\",\"Tue, 01 Apr 2008 18:26:33 +0000\"\r\n\
         PNe536dfda7c6184afab78d980cb8cdf43,AC35542fc30a091bed0c1ed511e1d9935d,\
         +1 office,4158675309,\
         \"Tue, 01 Apr 2008 11:26:32 -0700\",\"Tue, 01 Apr 2008 18:26:33 +0000\"\r\n"
    );
    assert_eq!(
        encode(Representation::Csv, Document::Exception(&RestException::http(404, "no"))),
        "Status,Message\r\n404,no\r\n"
    );
}

#[test]
fn html_is_divs_with_dashed_names_under_the_status() {
    let html = encode(Representation::Html, Document::CallerId(&caller_id("<script>\"&")));
    assert_eq!(
        html,
        "<html><head><title>200</title></head><body class=\"twilio-response\">\
         <div class=\"outgoing-caller-id\">\
         <div class=\"sid\">PNe536dfda7c6184afab78d980cb8cdf43</div>\
         <div class=\"account-sid\">AC35542fc30a091bed0c1ed511e1d9935d</div>\
         <div class=\"friendly-name\">&lt;script&gt;\"&amp;</div>\
         <div class=\"phone-number\">4158675309</div>\
         <div class=\"date-created\">Tue, 01 Apr 2008 11:26:32 -0700</div>\
         <div class=\"date-updated\">Tue, 01 Apr 2008 18:26:33 +0000</div>\
         </div></body></html>"
    );
    let exception = RestException::new(ErrorCode::Authenticate);
    let html = encode(Representation::Html, Document::Exception(&exception));
    assert!(html.starts_with("<html><head><title>401</title>"), "{html}");
    assert!(
        html.contains("<div class=\"rest-exception\"><div class=\"status\">401</div>"),
        "{html}"
    );
}

#[test]
fn an_exception_has_a_code_element_only_if_it_has_a_code() {
    let exception =
        explained(RestException::because(ErrorCode::InvalidFriendlyName, "U+0000 \0 \u{ffff}"));
    assert_eq!(
        encode(Representation::Xml, Document::Exception(&exception)),
        "<?xml version=\"1.0\"?>\n<TwilioResponse><RestException><Status>400</Status>\
         <Message>Invalid FriendlyName: U+0000 \u{fffd} \u{fffd}</Message><Code>20002</Code>\
         <MoreInfo>http://www.twilio.com/docs/errors/20002</MoreInfo></RestException></TwilioResponse>"
    );
    let exception = RestException { code: None, ..RestException::not_found("/x") };
    assert_eq!(
        encode(Representation::Xml, Document::Exception(&exception)),
        "<?xml version=\"1.0\"?>\n<TwilioResponse><RestException><Status>404</Status>\
         <Message>The requested resource /x was not found</Message></RestException></TwilioResponse>"
    );
}

// Decoding.

/// The names of a document's elements, in order.
fn elements(document: &[u8]) -> Vec<String> {
    let mut reader = quick_xml::Reader::from_reader(document);
    let mut names = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => return names,
            Event::Start(tag) | Event::Empty(tag) => names.push(tag.name().0.to_owned()),
            _ => {}
        }
    }
}

/// The specification's samples, and errors as Twilio documents them.
const SAMPLES: [(&str, &[u8]); 5] = [
    ("caller-id", include_bytes!("fixtures/caller-id.xml")),
    ("caller-ids", include_bytes!("fixtures/caller-ids.xml")),
    ("validation-request", include_bytes!("fixtures/validation-request.xml")),
    ("exception-400", include_bytes!("fixtures/exception-400.xml")),
    ("exception-404", include_bytes!("fixtures/exception-404.xml")),
];

#[test]
fn the_specifications_samples_are_written_again_with_the_same_elements_in_the_same_order() {
    for (name, sample) in SAMPLES {
        let decoded = xml::decode(sample).unwrap();
        let written = Representation::Xml.encode(ApiVersion::V2008, &decoded.as_document());
        assert_eq!(elements(&written), elements(sample), "{name}");
        let again = xml::decode(&written).unwrap();
        assert_eq!(again.as_document(), decoded.as_document(), "{name}");
    }
}

#[test]
fn the_sample_of_a_list_is_read_as_it_stands_and_written_with_the_right_end() {
    let received = xml::decode_caller_ids(SAMPLES[1].1).unwrap();
    let ReceivedPage { page, uris, stated_pages, stated_start, stated_end, .. } = &received;
    // The sample's mistake: it has two rows, but `end="0"`.
    assert_eq!((*stated_pages, *stated_start, *stated_end), (Some(1), Some(0), Some(0)));
    assert_eq!((page.number, page.size, page.total), (0, 50, 2));
    assert_eq!((page.start(), page.end()), (0, 1));
    assert_eq!(*uris, PageUris::default());
    let [first, second] = page.items.as_slice() else { panic!("two rows") };
    assert_eq!(first.friendly_name.as_str(), "Bob Cell Phone");
    assert_eq!(second.sid.as_str(), "PNe536dfda7c6DDd455fed980cb83345FF");
    assert_eq!(second.phone_number.as_str(), "4158675310");
    assert_eq!(second.date_updated.to_string(), "Tue, 01 Apr 2008 11:26:32 -0700");
    let written = Representation::Xml.encode(ApiVersion::V2008, &Document::CallerIds(page, uris));
    assert_eq!(xml::decode_caller_ids(&written).unwrap().stated_end, Some(1));
}

#[test]
fn samples_of_other_documents_are_read() {
    let request = xml::decode_validation_request(SAMPLES[2].1).unwrap();
    assert_eq!(request.validation_code.expose(), "123456");
    assert_eq!(request.friendly_name.unwrap().as_str(), "My Home Phone Number");
    let exception = xml::decode_exception(SAMPLES[3].1).unwrap();
    assert_eq!((exception.status, exception.code), (400, Some(21452)));
    assert_eq!(exception.more_info.unwrap(), "http://www.twilio.com/docs/errors/21452");
    let exception = xml::decode_exception(SAMPLES[4].1).unwrap();
    assert_eq!((exception.status, exception.code, exception.more_info), (404, None, None));
}

#[test]
fn the_error_of_the_2010_version_is_read_with_or_without_its_wrapper() {
    let wrapped = include_str!("fixtures/exception-2010.xml");
    let exception = xml::decode_exception(wrapped.as_bytes()).unwrap();
    assert_eq!((exception.status, exception.code), (404, Some(20404)));
    let bare = wrapped.replace("<TwilioResponse>", "").replace("</TwilioResponse>", "");
    assert_eq!(xml::decode_exception(bare.as_bytes()).unwrap(), exception);
}

const CALLER_ID: &str = "<TwilioResponse><OutgoingCallerId>\
    <Sid>PNe536dfda7c6184afab78d980cb8cdf43</Sid>\
    <AccountSid>AC35542fc30a091bed0c1ed511e1d9935d</AccountSid>\
    <FriendlyName>Bob</FriendlyName><PhoneNumber>4158675309</PhoneNumber>\
    <DateCreated>Tue, 01 Apr 2008 11:26:32 -0700</DateCreated>\
    <DateUpdated>Tue, 01 Apr 2008 11:26:32 -0700</DateUpdated>\
    </OutgoingCallerId></TwilioResponse>";

fn name_of(document: &str) -> String {
    xml::decode_caller_id(document.as_bytes()).unwrap().friendly_name.as_str().to_owned()
}

#[test]
fn additions_of_a_newer_service_are_ignored() {
    let wanted = xml::decode_caller_id(CALLER_ID.as_bytes()).unwrap();
    for (from, to) in [
        ("<Sid>", "<Type a=\"1\"><Type><Sid>x</Sid></Type>y</Type><Sid>"),
        ("<Sid>", "<Uri/><Sid>"),
        ("<Sid>", "<!-- a comment --><?an instruction?>\n\t<Sid>"),
        ("<Sid>", "text<Sid type=\"new\">"),
        ("Bob", "B<!-- -->o<Sic/>b"),
        ("Bob", "<![CDATA[Bo]]>b"),
        ("Bob", "&#66;&#x6f;b"),
        ("4158675309", "\n    4158675309\r\n  "),
        ("4158675309", "415<Not>9</Not>8675309"),
        ("<TwilioResponse>", "\u{feff}<?xml version='1.0' encoding='utf-8'?>\n<TwilioResponse>"),
        ("<OutgoingCallerId>", "<Meta><OutgoingCallerId/></Meta><OutgoingCallerId new='1'>"),
        ("</TwilioResponse>", "</TwilioResponse>\n<!-- end -->\n"),
    ] {
        let document = CALLER_ID.replacen(from, to, 1);
        let read = xml::decode_caller_id(document.as_bytes()).map_err(|error| error.to_string());
        assert_eq!(read.as_ref(), Ok(&wanted), "{document}");
    }
    let prefixed = CALLER_ID.replace("</", "</t:").replace('<', "<t:").replace("<t:/t:", "</t:");
    let prefixed = prefixed.replacen("<t:TwilioResponse", "<t:TwilioResponse xmlns:t=\"u\"", 1);
    assert_eq!(xml::decode_caller_id(prefixed.as_bytes()), Ok(wanted), "{prefixed}");
}

#[test]
fn a_withdrawn_number_is_still_read() {
    for written in ["2215550123", "+12215550123"] {
        let caller_id = xml::decode_caller_id(CALLER_ID.replace("4158675309", written).as_bytes());
        let number = caller_id.unwrap().phone_number;
        assert_eq!((number.as_str(), number.kind()), ("2215550123", Kind::Unassigned));
    }
    for other in ["415867530", "1158675309", "415-867-5309"] {
        let error = xml::decode_caller_id(CALLER_ID.replace("4158675309", other).as_bytes());
        assert!(error.unwrap_err().to_string().contains("expected ten digits"), "{other}");
    }
}

#[test]
fn attributes_in_any_order_with_any_quotes_and_references_are_read() {
    let list = "<TwilioResponse><OutgoingCallerIds total='0' x:page='7' new=\"1\" pagesize=\"&#53;0\" \
        page='\n3' nextpageuri='/a?b=1&amp;c=&quot;&#x26;'/></TwilioResponse>";
    let ReceivedPage { page, uris, stated_end, .. } =
        xml::decode_caller_ids(list.as_bytes()).unwrap();
    assert_eq!((page.number, page.size, stated_end), (3, 50, None));
    assert_eq!(uris.next, "/a?b=1&c=\"&");
}

#[test]
fn white_space_is_kept_in_names_and_line_ends_are_read_as_xml_has_it() {
    for (written, read) in [
        ("  Bob\t\n", "  Bob\t\n"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a&#13;&#10;b&#xD;", "a\r\nb\r"),
        ("a]]&gt;b<![CDATA[&amp;\r\n]]>", "a]]>b&amp;\n"),
        ("", ""),
    ] {
        assert_eq!(name_of(&CALLER_ID.replace("Bob", written)), read, "{written}");
    }
    assert_eq!(
        name_of(&CALLER_ID.replace("<FriendlyName>Bob</FriendlyName>", "<FriendlyName />")),
        ""
    );
}

#[test]
fn an_error_says_what_is_wrong_and_where() {
    let list = "<TwilioResponse><OutgoingCallerIds page=\"0\" pagesize=\"50\" total=\"0\"/></TwilioResponse>";
    let replaced = |from: &str, to: &str| CALLER_ID.replacen(from, to, 1);
    let too_deep = "<a>".repeat(MAX_DEPTH + 1);
    for (document, expected) in [
        (String::new(), "there is no root element (at byte 0)"),
        ("  ".into(), "there is no root element (at byte 2)"),
        ("text".into(), "there is text outside the root element (at byte 0)"),
        ("{\"code\":20404}".into(), "there is text outside the root element (at byte 0)"),
        (
            "<html/>".into(),
            "expected the element TwilioResponse or RestException, found \"html\" (at byte 0)",
        ),
        (
            "<TwilioResponse><x/></TwilioResponse>".into(),
            "TwilioResponse has no OutgoingCallerIds, OutgoingCallerId, ValidationRequest or \
             RestException (at byte 0)",
        ),
        (
            list.into(),
            "expected the element OutgoingCallerId, found \"OutgoingCallerIds\" (at byte 16)",
        ),
        (list.replace("pagesize=", "size="), "OutgoingCallerIds has no pagesize (at byte 16)"),
        (
            list.replace("\"50\"", "\"99999999999\""),
            "pagesize: not a whole number, or too large (at byte 16)",
        ),
        (list.replace("\"0\"", "\"-1\""), "page: not a whole number, or too large (at byte 35)"),
        (list.replace("total", "page"), "page stands twice (at byte 58)"),
        (list.replace("\"50\"", "50"), "expected a quote before the value (at byte 53)"),
        (
            list.replace("\"50\"", "\"&x;\""),
            "\"&x;\" refers to neither a character nor one of amp, lt, gt, quot, apos (at byte 54)",
        ),
        (
            replaced("<Sid>", "<Id>").replacen("</Sid>", "</Id>", 1),
            "OutgoingCallerId has no Sid (at byte 16)",
        ),
        (replaced("<Sid>", "<Sid></Sid><Sid>"), "Sid stands twice (at byte 45)"),
        (
            replaced("PNe", "PNx"),
            "Sid: not a Sid from byte 2 on: expected \"PN\" and 32 hexadecimal digits (at byte 39)",
        ),
        (
            replaced("Bob", "B\0b"),
            "FriendlyName: the character U+0000 at offset 1 cannot be shown (at byte 152)",
        ),
        (
            replaced("Bob", "B&#0;b"),
            "\"&#0;\" refers to neither a character nor one of amp, lt, gt, quot, apos (at byte 153)",
        ),
        (
            replaced("Bob", "B&bob;b"),
            "\"&bob;\" refers to neither a character nor one of amp, lt, gt, quot, apos (at byte 153)",
        ),
        (replaced("Bob", "B]]>b"), "]]> stands in text, outside CDATA (at byte 153)"),
        (replaced("Bob", "B<!-- a -- b -->b"), "-- stands in a comment (at byte 160)"),
        (replaced("Bob", &"b".repeat(65)), "FriendlyName: more than 64 characters (at byte 152)"),
        (replaced("</Sid>", "</Cid>"), "expected </Sid>, found </Cid> (at byte 73)"),
        (
            replaced(
                "</OutgoingCallerId>",
                "</OutgoingCallerId><RestException><Status>1</Status><Message/></RestException>",
            ),
            "a TwilioResponse has one document (at byte 342)",
        ),
        (CALLER_ID.repeat(2), "a document has one root element (at byte 359)"),
        (CALLER_ID.replace("</TwilioResponse>", ""), "an element is not closed (at byte 342)"),
        (format!("{CALLER_ID}x"), "there is text outside the root element (at byte 359)"),
        (
            format!(" <?xml version='1.0'?>{CALLER_ID}"),
            "the XML declaration stands at the start or nowhere (at byte 1)",
        ),
        (format!("<?xml version='1.0' encoding='latin1'?>{CALLER_ID}"), "not in UTF-8 (at byte 0)"),
        (
            format!("<!DOCTYPE a [<!ENTITY b \"c\">]>{CALLER_ID}"),
            "a document type declaration is not read (at byte 0)",
        ),
        (
            replaced("<Sid>", "<!DOCTYPE a><Sid>"),
            "a document type declaration is not read (at byte 34)",
        ),
        (
            replaced("<Sid>", &format!("{too_deep}<Sid>")),
            "elements are nested over 64 deep (at byte 220)",
        ),
    ] {
        let error = xml::decode_caller_id(document.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), expected, "{document}");
        assert!(error.at() <= document.len());
    }
}

#[test]
fn what_is_not_utf_8_is_refused_by_its_place() {
    let (before, after) = CALLER_ID.split_once("Bob").unwrap();
    let document = [before.as_bytes(), b"B\xe9", after.as_bytes()].concat();
    let error = xml::decode(&document).unwrap_err();
    assert_eq!((error.at(), error.reason()), (before.len() + 1, &InvalidDocumentReason::NotUtf8));
    assert_eq!(xml::decode(b"\xff\xfe<\0").unwrap_err().reason(), &InvalidDocumentReason::NotUtf8);
}

#[test]
fn size_is_bounded_before_anything_is_read() {
    let padding = " ".repeat(MAX_DOCUMENT_BYTES - CALLER_ID.len());
    assert!(xml::decode(format!("{CALLER_ID}{padding}").as_bytes()).is_ok());
    let error = xml::decode(format!("{CALLER_ID}{padding} ").as_bytes()).unwrap_err();
    assert_eq!(error.reason(), &InvalidDocumentReason::TooLarge);
}

#[test]
fn a_page_size_that_a_server_claims_reserves_no_more_than_the_document_could_hold() {
    let list = "<OutgoingCallerIds page=\"0\" pagesize=\"4294967295\" total=\"0\"/>";
    let page = xml::decode_caller_ids(list.as_bytes()).unwrap().page;
    assert_eq!((page.size, page.items.capacity()), (u32::MAX, 0));
}
