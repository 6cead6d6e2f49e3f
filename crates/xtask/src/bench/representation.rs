//! Encodes and decodes an XML list of 1,000 caller IDs, on one thread.
//!
//! The list is the same in every run: Sids from a fixed generator, sequential numbers, six
//! alternating names (two need escaping, two are not ASCII), and dates of which half were updated
//! later.
//!
//! Decoding is compared with a loop that only requests every quick-xml event for the same bytes,
//! which is the minimum work of any decoder based on these events. It is measured with the list as
//! encoded, and with the elements of each row in reverse order. Encoding is compared with
//! quick-xml's own writer, given the same elements, attributes and texts.

use super::{Row, Table};
use callerid_core::representation::{Document, PageUris, ReceivedPage, Representation, xml};
use callerid_core::{
    AccountSid, ApiVersion, CallerIdSid, Date, FriendlyName, OutgoingCallerId, Page, PhoneNumber,
};
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use quick_xml::{Reader, Writer};
use std::hint::black_box;
use std::time::Instant;

const ROWS: u16 = 1000;
/// Contenders take turns, so that other load on the machine affects all of them. The result is a
/// contender's median.
const TURNS: usize = 1001;

const NAMES: [&str; 6] = [
    "My Home Phone Number",
    "(415) 867-5309",
    "Bob & Carol's <office>",
    "Büro Zürich",
    "Company Main Line",
    "A \"quoted\" naïve & long name, up to what a name may have 😀",
];

pub(super) fn decode() -> Table {
    let (page, uris) = list();
    let usual = Representation::Xml.encode(ApiVersion::V2008, &Document::CallerIds(&page, &uris));
    let reversed = reversed(&usual);
    let same = |bytes: &[u8]| read(bytes) == read(&usual);
    assert!(same(&reversed), "the two say the same");
    let figures = take_turns(&mut [
        &mut || drop(black_box(read(black_box(&usual)))),
        &mut || events(black_box(&usual)),
        &mut || drop(black_box(read(black_box(&reversed)))),
        &mut || events(black_box(&reversed)),
    ]);
    let names = [
        "callerid",
        "quick-xml, events alone",
        "callerid, elements reversed",
        "quick-xml, events alone, reversed",
    ];
    table(
        format!("Reading a list of {ROWS} rows; limit: 1.5x the events alone"),
        usual.len(),
        &names,
        &figures,
    )
}

pub(super) fn encode() -> Table {
    let (page, uris) = list();
    let document = Document::CallerIds(&page, &uris);
    let written = Representation::Xml.encode(ApiVersion::V2008, &document);
    let same = read(&written_by_quick_xml(&page, &uris)) == read(&written);
    assert!(same, "the two say the same");
    let figures = take_turns(&mut [
        &mut || {
            drop(black_box(Representation::Xml.encode(ApiVersion::V2008, black_box(&document))))
        },
        &mut || drop(black_box(written_by_quick_xml(black_box(&page), &uris))),
    ]);
    let names = ["callerid", "quick-xml, its writer"];
    table(
        format!("Writing a list of {ROWS} rows; limit: its writer at least 1x"),
        written.len(),
        &names,
        &figures,
    )
}

fn table(title: String, bytes: usize, names: &[&str], figures: &[f64]) -> Table {
    let rows = names.iter().zip(figures).map(|(name, figure)| Row {
        name: (*name).to_owned(),
        figure: *figure,
        note: format!("{:.2} GB/s", bytes as f64 / figure / 1000.0),
    });
    Table {
        title: format!("{title} ({bytes} bytes of XML), one thread, median of {TURNS} turns"),
        unit: "µs per list",
        rows: rows.collect(),
    }
}

/// The median time of each contender, in microseconds.
fn take_turns(contenders: &mut [&mut dyn FnMut()]) -> Vec<f64> {
    let mut times = vec![Vec::with_capacity(TURNS); contenders.len()];
    for _ in 0..TURNS {
        for (contender, times) in contenders.iter_mut().zip(&mut times) {
            let start = Instant::now();
            contender();
            times.push(start.elapsed().as_nanos() as f64 / 1000.0);
        }
    }
    let median = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    times.into_iter().map(median).collect()
}

fn read(bytes: &[u8]) -> ReceivedPage {
    xml::decode_caller_ids(bytes).expect("a list")
}

fn events(bytes: &[u8]) {
    let mut reader = Reader::from_reader(bytes);
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Eof => return,
            event => drop(black_box(event)),
        }
    }
}

/// The list with the elements of each row in reverse order.
fn reversed(xml: &[u8]) -> Vec<u8> {
    const OPEN: &str = "<OutgoingCallerId>";
    const CLOSE: &str = "</OutgoingCallerId>";
    let text = std::str::from_utf8(xml).expect("UTF-8");
    let mut reversed = String::new();
    for (index, part) in text.split(OPEN).enumerate() {
        if index == 0 {
            reversed.push_str(part);
            continue;
        }
        let (row, rest) = part.split_once(CLOSE).expect("the row's end");
        let mut elements: Vec<&str> = Vec::new();
        let mut left = row;
        while let Some(start) = left.find("</") {
            let end = start + left[start..].find('>').expect("the tag's end") + 1;
            elements.push(&left[..end]);
            left = &left[end..];
        }
        elements.reverse();
        reversed.extend([OPEN, &elements.concat(), CLOSE, rest]);
    }
    reversed.into_bytes()
}

fn list() -> (Page<OutgoingCallerId>, PageUris) {
    let account_sid = AccountSid::from_random_bytes(&[0xac; 16]);
    let items = (0..ROWS).map(|row| {
        let created = Date::new(1_207_074_392 + i64::from(row) * 86_477, -420);
        let renamed = Date::new(created.unix_seconds() + 1_000_003, -420);
        let number = format!("415867{row:04}");
        OutgoingCallerId {
            sid: CallerIdSid::from_random_bytes(&random_bytes(row)),
            account_sid,
            friendly_name: FriendlyName::new(NAMES[usize::from(row) % NAMES.len()])
                .expect("a name"),
            phone_number: PhoneNumber::parse(&number).expect("a number"),
            date_created: created,
            date_updated: if row % 2 == 0 { created } else { renamed },
        }
    });
    let page = Page {
        items: items.collect(),
        number: 0,
        size: ROWS.into(),
        total: ROWS.into(),
        more: false,
    };
    let uri = format!("/2008-08-01/Accounts/{account_sid}/OutgoingCallerIds?page=0&num={ROWS}");
    let uris = PageUris { this: uri.clone(), first: uri.clone(), last: uri, ..PageUris::default() };
    (page, uris)
}

/// Sixteen bytes without a pattern, always the same for the same row.
fn random_bytes(row: u16) -> [u8; 16] {
    let mut state = 0x4158_6753_0900_0001_u64 ^ u64::from(row);
    std::array::from_fn(|_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    })
}

fn written_by_quick_xml(page: &Page<OutgoingCallerId>, uris: &PageUris) -> Vec<u8> {
    let mut writer = Writer::new(Vec::with_capacity(page.items.len() * 512));
    let mut write = |event: Event<'_>| writer.write_event(event).expect("a Vec takes anything");
    write(Event::Decl(BytesDecl::new("1.0", None, None)));
    write(Event::Text(BytesText::new("\n")));
    write(Event::Start(BytesStart::new("TwilioResponse")));
    let mut tag = BytesStart::new("OutgoingCallerIds");
    for (name, number) in [
        ("page", page.number),
        ("numpages", page.pages()),
        ("pagesize", page.size.into()),
        ("total", page.total),
        ("start", page.start()),
        ("end", page.end()),
    ] {
        tag.push_attribute((name, number.to_string().as_str()));
    }
    for (name, uri) in [
        ("uri", &uris.this),
        ("firstpageuri", &uris.first),
        ("previouspageuri", &uris.previous),
        ("nextpageuri", &uris.next),
        ("lastpageuri", &uris.last),
    ] {
        tag.push_attribute((name, uri.as_str()));
    }
    write(Event::Start(tag));
    for row in &page.items {
        write(Event::Start(BytesStart::new("OutgoingCallerId")));
        let dates = (row.date_created.to_rfc2822(), row.date_updated.to_rfc2822());
        for (name, text) in [
            ("Sid", row.sid.as_str()),
            ("AccountSid", row.account_sid.as_str()),
            ("FriendlyName", row.friendly_name.as_str()),
            ("PhoneNumber", row.phone_number.as_str()),
            ("DateCreated", dates.0.as_str()),
            ("DateUpdated", dates.1.as_str()),
        ] {
            write(Event::Start(BytesStart::new(name)));
            write(Event::Text(BytesText::new(text)));
            write(Event::End(BytesEnd::new(name)));
        }
        write(Event::End(BytesEnd::new("OutgoingCallerId")));
    }
    write(Event::End(BytesEnd::new("OutgoingCallerIds")));
    write(Event::End(BytesEnd::new("TwilioResponse")));
    writer.into_inner()
}
