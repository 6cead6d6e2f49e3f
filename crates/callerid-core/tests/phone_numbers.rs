//! `PhoneNumber` beside libphonenumber's verdicts.
//!
//! `tests/data/phone-numbers.tsv.gz` holds what libphonenumber 9.0.33 (C++, default region US) says of 29,657 texts of
//! 30 classes, a line each: class, text (a JSON string), ten digits or `-`, extension. `tests/data/valid-prefixes.bits.gz` holds its
//! verdict on every seven-digit prefix from 2000000 to 9999999: bit p − 2000000, least significant first.

#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "the fence is the library's: a test reads files, prints and panics"
)]

use callerid_core::PhoneNumber;
use callerid_core::phone_number::{Kind, METADATA_RELEASE, Reason};
use flate2::read::GzDecoder;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;

fn data(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut bytes = Vec::new();
    GzDecoder::new(File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
    bytes
}

struct Verdict {
    class: String,
    text: String,
    /// The number and the extension's digits.
    number: Option<(String, Option<String>)>,
}

fn verdicts() -> Vec<Verdict> {
    let file = String::from_utf8(data("phone-numbers.tsv.gz")).unwrap();
    file.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let [class, text, digits, extension] =
                line.split('\t').collect::<Vec<_>>().try_into().unwrap();
            let extension = (!extension.is_empty()).then(|| extension.to_owned());
            Verdict {
                class: class.to_owned(),
                text: serde_json::from_str(text).unwrap(),
                number: (digits != "-").then(|| (digits.to_owned(), extension)),
            }
        })
        .collect()
}

/// libphonenumber leaves an extension's digits in the script they were written in; here they are ASCII's.
fn full_width_as_ascii(extension: &str) -> String {
    let ascii = |c| match c {
        '０'..='９' => char::from(b'0' + (u32::from(c) - u32::from('０')) as u8),
        _ => c,
    };
    extension.chars().map(ascii).collect()
}

#[test]
fn agrees_with_libphonenumber_on_every_class() {
    let verdicts = verdicts();
    assert_eq!(verdicts.len(), 29_657);
    let mut classes: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for Verdict { class, text, number } in &verdicts {
        let expected = number.as_ref().map(|(number, extension)| {
            (number.clone(), extension.as_deref().map(full_width_as_ascii))
        });
        let ours = PhoneNumber::parse_with_extension(text).ok().map(|(number, extension)| {
            (number.to_string(), extension.map(|extension| extension.to_string()))
        });
        let (agreed, all) = classes.entry(class).or_default();
        *all += 1;
        if ours == expected {
            *agreed += 1;
        } else {
            println!("{class}: {text:?}: {ours:?}, and libphonenumber {expected:?}");
        }
    }
    assert_eq!(classes.len(), 30);
    for (class, (agreed, all)) in &classes {
        println!(
            "{class:20} {agreed:5} of {all:5}  {:7.3} %",
            f64::from(*agreed) * 100.0 / f64::from(*all)
        );
    }
    for (class, (agreed, all)) in classes {
        assert_eq!(agreed, all, "{class}");
    }
}

#[test]
fn a_number_with_an_extension_is_refused_where_the_extension_begins() {
    for Verdict { text, number, .. } in verdicts() {
        let Some((number, extension)) = number else { continue };
        match (PhoneNumber::parse(&text), extension) {
            (Ok(ours), None) => assert_eq!(ours.as_str(), number, "{text:?}"),
            (Err(error), Some(extension)) => {
                assert_eq!(error.reason(), Reason::Extension, "{text:?}");
                let rest = &text[error.at()..];
                assert!(rest.contains(&extension), "{text:?} at {}", error.at());
            }
            (ours, extension) => panic!("{text:?}: {ours:?}, extension {extension:?}"),
        }
    }
}

#[test]
fn a_line_that_is_no_number_or_no_text_has_none() {
    let number = PhoneNumber::parse("4158675309").ok();
    let far = format!("{}4158675309\n415\n", " ".repeat(250));
    let cases: [(&[u8], _, &[u8]); 9] = [
        (b"", None, b""),
        (b"\n\n", None, b"\n"),
        (b"4158675309", number, b""),
        (b"4158675309\r", number, b""),
        (b"4158675309\r\n\r\n", number, b"\r\n"),
        (b"415\r8675309\n4158675309", None, b"4158675309"),
        ("415\u{2013}867\u{2013}5309\nhello".as_bytes(), number, b"hello"),
        (b"4158675309\xff\n415", None, b"415"),
        (far.as_bytes(), None, b"415\n"),
    ];
    for (text, expected, rest) in cases {
        assert_eq!(PhoneNumber::parse_line(text), (expected, rest), "{}", text.escape_ascii());
    }
}

#[test]
fn errors_point_into_the_text() {
    let mut reasons = BTreeSet::new();
    for Verdict { text, .. } in verdicts() {
        if let Err(error) = PhoneNumber::parse(&text) {
            assert!(text.is_char_boundary(error.at()), "{text:?}: {error}");
            reasons.insert(error.reason());
        }
    }
    // No text of the file is over-long.
    let missing: Vec<_> = Reason::ALL.iter().filter(|reason| !reasons.contains(reason)).collect();
    assert_eq!(missing, [&Reason::TextTooLong]);
}

#[test]
fn the_numbering_plan_is_libphonenumber_s() {
    let bits = data("valid-prefixes.bits.gz");
    assert_eq!(bits.len(), 1_000_000);
    let mut valid = 0;
    for prefix in 2_000_000..10_000_000 {
        let place = prefix - 2_000_000;
        let expected = bits[place / 8] >> (place % 8) & 1 == 1;
        valid += u32::from(expected);
        // The last three digits decide nothing; they are different ones each time.
        let number = format!("{prefix}{:03}", place * 7 % 1000);
        assert_eq!(PhoneNumber::parse(&number).is_ok(), expected, "{number}");
    }
    assert_eq!(valid, bits.iter().map(|byte| byte.count_ones()).sum::<u32>());
    assert_eq!(METADATA_RELEASE, "9.0.33");
}

#[test]
fn what_was_read_before_is_restored_whatever_the_plan_says() {
    let (mut assigned, mut withdrawn) = (0, 0);
    for prefix in (2_000_000..10_000_000).step_by(7) {
        let digits = format!("{prefix}{:03}", prefix % 1000);
        let restored = PhoneNumber::restore(&digits).unwrap();
        assert_eq!(PhoneNumber::restore(restored.e164().as_str()), Ok(restored));
        assert_eq!(restored.as_str(), digits);
        match PhoneNumber::parse(&digits) {
            Ok(parsed) => {
                assert_eq!((restored, restored.kind()), (parsed, parsed.kind()));
                assert_ne!(parsed.kind(), Kind::Unassigned);
                assigned += 1;
            }
            Err(_) => {
                assert_eq!(restored.kind(), Kind::Unassigned, "{digits}");
                withdrawn += 1;
            }
        }
    }
    assert!(assigned > 100_000 && withdrawn > 100_000, "{assigned}, {withdrawn}");
}

#[test]
fn what_has_not_the_shape_is_restored_as_it_is_parsed() {
    for text in [
        "",
        "415867530",
        "41586753091",
        "0155550123",
        "1155550123",
        "+12215550",
        "+442215550123",
        "12215550123",
        "(221) 555-0123",
        "２２１5550123",
        "221555012x",
        "(415) 867-5309",
        "415-867-5309 x1",
    ] {
        assert_eq!(PhoneNumber::restore(text), PhoneNumber::parse(text), "{text}");
    }
}

#[test]
fn kinds() {
    for (number, kind) in [
        ("2015550123", Kind::FixedLineOrMobile),
        ("6135550123", Kind::FixedLineOrMobile),
        ("2684601234", Kind::FixedLine),
        ("6713001234", Kind::FixedLineOrMobile),
        ("2687201234", Kind::Mobile),
        ("8002345678", Kind::TollFree),
        ("9002345678", Kind::PremiumRate),
        ("2469761234", Kind::PremiumRate),
        ("5002345678", Kind::PersonalNumber),
        ("6002012345", Kind::Voip),
        ("2684061234", Kind::Pager),
        ("2464301234", Kind::Uan),
        ("8686191234", Kind::Voicemail),
    ] {
        assert_eq!(PhoneNumber::parse(number).map(|number| number.kind()), Ok(kind), "{number}");
    }
}

/// Texts of what phone numbers are made of, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[0-9]{1,4}",
        1 => "[-. ()/~*x+#,;:\\\\\\[\\]\t\n\u{a0}\u{ad}\u{2010}-\u{2015}\u{2060}\u{3000}\u{ff08}-\u{ff0f}]{1,2}",
        1 => prop_oneof!["tel:", ";phone-context=", ";isub=", ";ext=", "ext", "xt", "доб", "anexo", "int"],
        1 => "[a-zA-Z]{1,4}",
        1 => "[\u{660}-\u{669}\u{ff10}-\u{ff19}\u{966}-\u{96f}]{1,3}",
        1 => "\\PC",
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn phone_number() -> impl Strategy<Value = PhoneNumber> {
    let areas = prop_oneof!["[2-9][0-8][0-9]", "415", "24[26]", "8[0-9]{2}", "52[34]"];
    (areas, "[2-9][0-9]{6}").prop_filter_map("not assigned", |(area_code, rest)| {
        PhoneNumber::parse(&format!("{area_code}{rest}")).ok()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn any_text_gets_an_answer_that_points_into_it(text in prop_oneof![any::<String>(), pieces()]) {
        let with_extension = PhoneNumber::parse_with_extension(&text);
        match PhoneNumber::parse(&text) {
            Ok(number) => prop_assert_eq!(with_extension, Ok((number, None))),
            Err(error) => {
                prop_assert!(text.is_char_boundary(error.at()), "{:?} at {}", text, error.at());
                prop_assert!(!error.to_string().is_empty());
                let has_extension = with_extension.is_ok_and(|(_, extension)| extension.is_some());
                prop_assert_eq!(error.reason() == Reason::Extension, has_extension);
            }
        }
    }

    #[test]
    fn a_number_is_read_back_from_every_format(number in phone_number()) {
        let [area_code, exchange, line] = [0..3, 3..6, 6..10].map(|part| &number.as_str()[part]);
        for text in [
            number.to_string(),
            number.national().to_string(),
            number.e164().to_string(),
            format!("{area_code}-{exchange}-{line}"),
            format!("1 {area_code} {exchange} {line}"),
            format!("tel:+1-{area_code}-{exchange}-{line}"),
            format!("tel:{exchange}{line};phone-context=+1{area_code}"),
            format!("011 1 {area_code}/{exchange}.{line}"),
            number.as_str().chars().map(full_width).collect(),
        ] {
            prop_assert_eq!(PhoneNumber::parse(&text), Ok(number), "{}", text);
            // What follows a context is not read.
            if !text.contains("phone-context") {
                let (read, extension) =
                    PhoneNumber::parse_with_extension(&format!("{text};ext=042")).unwrap();
                prop_assert_eq!(read, number);
                prop_assert_eq!(extension.map(|it| it.to_string()), Some("042".to_owned()));
            }
        }
    }
}

fn full_width(digit: char) -> char {
    char::from_u32(u32::from(digit) - u32::from('0') + u32::from('０')).unwrap()
}
