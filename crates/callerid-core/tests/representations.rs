//! Every document in every representation, as bytes on the wire.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use callerid_core::representation::{CallerIdPage, Document, PageUris, Representation};
use callerid_core::{
    AccountSid, CallerIdSid, Date, ErrorCode, FriendlyName, OutgoingCallerId, Page, PhoneNumber,
    RestException, ValidationCode, ValidationRequest,
};

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
        account_sid: AccountSid::parse("AC309475e5fede1b49e100272a8640f438").unwrap(),
        phone_number: PhoneNumber::parse("4158675309").unwrap(),
        friendly_name: name.map(|name| FriendlyName::new(name).unwrap()),
        validation_code: ValidationCode::parse("012345").unwrap(),
    }
}

fn page(items: Vec<OutgoingCallerId>) -> CallerIdPage {
    let total = items.len() as u64;
    CallerIdPage {
        page: Page { items, number: 0, size: 50, total },
        uris: PageUris { this: "/list?page=0&num=50".into(), ..PageUris::default() },
    }
}

fn encode(representation: Representation, document: Document<'_>) -> String {
    String::from_utf8(representation.encode(&document)).unwrap()
}

#[test]
fn xml_has_the_specifications_elements_in_their_order() {
    assert_eq!(
        encode(Representation::Xml, Document::CallerIds(&page(vec![caller_id("A & <B>\r\n")]))),
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
    let empty = page(Vec::new());
    assert_eq!(
        encode(Representation::Xml, Document::CallerIds(&empty)),
        "<?xml version=\"1.0\"?>\n<TwilioResponse><OutgoingCallerIds page=\"0\" numpages=\"0\" \
         pagesize=\"50\" total=\"0\" start=\"0\" end=\"0\" uri=\"/list?page=0&amp;num=50\" \
         firstpageuri=\"\" previouspageuri=\"\" nextpageuri=\"\" lastpageuri=\"\"/></TwilioResponse>"
    );
    assert_eq!(
        encode(Representation::Json, Document::CallerIds(&empty)),
        r#"{"TwilioResponse":{"OutgoingCallerIds":[]}}"#
    );
    assert_eq!(
        encode(Representation::Csv, Document::CallerIds(&empty)),
        "Sid,AccountSid,FriendlyName,PhoneNumber,DateCreated,DateUpdated\r\n"
    );
    assert_eq!(
        encode(Representation::Html, Document::CallerIds(&empty)),
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
    let list = page(vec![caller_id("a"), caller_id("\"b\"")]);
    let row = |name: &str| {
        format!(
            "{{\"OutgoingCallerId\":{{\"Sid\":\"PNe536dfda7c6184afab78d980cb8cdf43\",\
             \"AccountSid\":\"AC35542fc30a091bed0c1ed511e1d9935d\",\"FriendlyName\":\"{name}\",\
             \"PhoneNumber\":\"4158675309\",\"DateCreated\":\"Tue, 01 Apr 2008 11:26:32 -0700\",\
             \"DateUpdated\":\"Tue, 01 Apr 2008 18:26:33 +0000\"}}}}"
        )
    };
    assert_eq!(
        encode(Representation::Json, Document::CallerIds(&list)),
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
    let exception = RestException::new(ErrorCode::InvalidCallDelay);
    assert_eq!(
        encode(Representation::Json, Document::Exception(&exception)),
        r#"{"TwilioResponse":{"RestException":{"Status":"400","Message":"Invalid CallDelay","Code":"21454","MoreInfo":"http://www.twilio.com/docs/errors/21454"}}}"#
    );
}

#[test]
fn csv_quotes_what_needs_it_and_changes_nothing() {
    let list = page(vec![caller_id("=A, \"B\"\r\n"), caller_id("+1 office")]);
    assert_eq!(
        encode(Representation::Csv, Document::CallerIds(&list)),
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
fn an_exception_has_a_code_only_where_it_has_one() {
    let exception = RestException::because(ErrorCode::InvalidFriendlyName, "U+0000 \0 \u{ffff}");
    assert_eq!(
        encode(Representation::Xml, Document::Exception(&exception)),
        "<?xml version=\"1.0\"?>\n<TwilioResponse><RestException><Status>400</Status>\
         <Message>Invalid FriendlyName: U+0000 \u{fffd} \u{fffd}</Message><Code>20002</Code>\
         <MoreInfo>http://www.twilio.com/docs/errors/20002</MoreInfo></RestException></TwilioResponse>"
    );
    let exception = RestException::not_found("/x");
    assert_eq!(
        encode(Representation::Xml, Document::Exception(&exception)),
        "<?xml version=\"1.0\"?>\n<TwilioResponse><RestException><Status>404</Status>\
         <Message>The requested resource /x was not found</Message></RestException></TwilioResponse>"
    );
}
