//! Compares `PhoneNumber` with libphonenumber's results.
//!
//! `tests/data/phone-numbers.tsv.gz` has the results of libphonenumber 9.0.43 (C++, default region
//! US) for 29,657 texts in 30 classes. Each line has the class, the text (a JSON string), ten
//! digits or `-`, and the extension. `tests/data/valid-prefixes.bits.gz` has its result for every
//! seven-digit prefix from 2000000 to 9999999: bit p − 2000000, least significant bit first. That
//! program generated both files; do not edit them. (The numbering plan's own release,
//! [`METADATA_RELEASE`], may differ: 9.0.42 gives the same result for every prefix.)
//!
//! [`METADATA_RELEASE`]: callerid_core::phone_number::METADATA_RELEASE

#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "the fence is the library's: a test reads files, prints and panics"
)]

use callerid_core::PhoneNumber;
use callerid_core::phone_number::{Kind, Reason};
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

/// libphonenumber keeps an extension's digits in their original script; `PhoneNumber` converts them
/// to ASCII.
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
        // The C++ edition, which produced the results, does not accept a full-width tilde as a
        // separator; the Java edition does.
        if text.contains('\u{ff5e}') && number.is_none() {
            continue;
        }
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
fn parse_line_gives_none_for_an_invalid_number_or_utf8() {
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
    // No text in the file is too long.
    let missing: Vec<_> = Reason::ALL.iter().filter(|reason| !reasons.contains(reason)).collect();
    assert_eq!(missing, [&Reason::TextTooLong]);
}

#[test]
fn numbering_plan_matches_libphonenumber() {
    let bits = data("valid-prefixes.bits.gz");
    assert_eq!(bits.len(), 1_000_000);
    let mut valid = 0;
    for prefix in 2_000_000..10_000_000 {
        let place = prefix - 2_000_000;
        let expected = bits[place / 8] >> (place % 8) & 1 == 1;
        valid += u32::from(expected);
        // The last three digits do not matter, so they vary.
        let number = format!("{prefix}{:03}", place * 7 % 1000);
        assert_eq!(PhoneNumber::parse(&number).is_ok(), expected, "{number}");
    }
    assert_eq!(valid, bits.iter().map(|byte| byte.count_ones()).sum::<u32>());
}

#[test]
fn ten_digits_are_possible_whatever_the_plan_says() {
    let (mut assigned, mut withdrawn) = (0, 0);
    for prefix in (2_000_000..10_000_000).step_by(7) {
        let digits = format!("{prefix}{:03}", prefix % 1000);
        let possible = PhoneNumber::parse_possible(&digits).unwrap();
        assert_eq!(PhoneNumber::parse_possible(possible.e164().as_str()), Ok(possible));
        assert_eq!(possible.as_str(), digits);
        match PhoneNumber::parse(&digits) {
            Ok(parsed) => {
                assert_eq!((possible, possible.kind()), (parsed, parsed.kind()));
                assert_ne!(parsed.kind(), Kind::Unassigned);
                assigned += 1;
            }
            Err(_) => {
                assert_eq!(possible.kind(), Kind::Unassigned, "{digits}");
                withdrawn += 1;
            }
        }
    }
    assert!(assigned > 100_000 && withdrawn > 100_000, "{assigned}, {withdrawn}");
}

#[test]
fn parse_possible_parses_any_other_format_as_parse_does() {
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
        assert_eq!(PhoneNumber::parse_possible(text), PhoneNumber::parse(text), "{text}");
    }
}

#[test]
fn a_number_followed_by_symbols_that_libphonenumber_drops_is_read() {
    let number = PhoneNumber::parse("4158675309");
    for symbols in ["™", " ⸺", "\u{2dc}", "～", " Ⓐ", "।", "😀\u{fe0f}", "\u{301}"] {
        assert_eq!(PhoneNumber::parse(&format!("415-867-5309{symbols}")), number, "{symbols}");
    }
}

#[test]
fn a_full_width_tilde_between_groups_is_read_as_in_the_java_edition() {
    assert_eq!(PhoneNumber::parse("(623)～723-2159"), PhoneNumber::parse("6237232159"));
}

#[test]
fn two_numbers_are_refused_where_the_second_begins() {
    for (text, second) in [
        ("415-867-5309\n415-867-5310 / x22", "415-867-5310 / x22"),
        ("415-867-5309\r\n415-867-5310", "415-867-5310"),
        ("415-867-5309/415-867-5310", "415-867-5310"),
        ("415-867-5309, (415) 867-5310", "415) 867-5310"),
        ("(415) 867-5309;415-867-5310", "415-867-5310"),
        ("415-867-5309 or 415-867-5310", "415-867-5310"),
        ("+1 415 867 5309 and +1 415 867 5310", "+1 415 867 5310"),
        ("14158675309 14158675310", "14158675310"),
        ("Office: 415-867-5309 x302, home: 415-867-5310", "415-867-5310"),
        ("415-867-5309 or 867-5310", "867-5310"),
        ("867-5309 / 867-5310", "867-5310"),
        ("867-5309 or 867-5310", "867-5310"),
        ("1-800-FLOWERS or 415-867-5310", "415-867-5310"),
        ("415-867-5309 or 1-800-FLOWERS", "1-800-FLOWERS"),
        ("415-867-5309 tel:+1-415-867-5310", "+1-415-867-5310"),
        ("415-867-5309, 221-555-0123", "221-555-0123"),
        // Extensions.
        ("415\n867-5309 x302 / x2303", "/ x2303"),
        ("867-5309 x302 / x2303", "/ x2303"),
        ("415-867-5309 x302/x2303", "/x2303"),
        ("415-867-5309 x302 x2303", " x2303"),
        ("867-5309 x302 x2303", " x2303"),
        ("415-867-5309 ext. 302, 2303", ", 2303"),
        // Texts of which libphonenumber drops a part.
        ("415-867-5309/x22\n415-867-5310", "415-867-5310"),
        ("Call\nme or\n415-867-5309/x22\n415-867-5310", "415-867-5310"),
        ("415-867-5309;isub=12\n415-867-5310", "415-867-5310"),
        ("415-867-5309;isub=12 or 415-867-5310", "415-867-5310"),
        ("415-867-5310 tel:867-5309;phone-context=+1415", "867-5309;phone-context=+1415"),
        ("tel:867-5309;phone-context=+1415;415-867-5310", ";415-867-5310"),
        // Texts that would be one number without the word in between.
        ("800 and 4567", "4567"),
        ("41586 or 75309", "75309"),
    ] {
        match PhoneNumber::parse_with_extension(text) {
            Err(error) => {
                let found = (error.reason(), &text[error.at()..]);
                assert_eq!(found, (Reason::TwoNumbers, second), "{text}");
                assert_eq!(PhoneNumber::parse(text), Err(error), "{text}");
            }
            Ok(read) => panic!("{text:?} is read: {read:?}"),
        }
    }
}

#[test]
fn two_numbers_are_reported_where_libphonenumber_refuses_them() {
    for Verdict { text, number, .. } in
        verdicts().into_iter().filter(|verdict| verdict.class == "two_numbers")
    {
        if number.is_none() {
            let error = PhoneNumber::parse(&text).unwrap_err();
            assert_eq!(error.reason(), Reason::TwoNumbers, "{text}");
        }
    }
}

#[test]
fn one_number_in_many_groups_is_not_two() {
    for text in [
        "1 (4-1-5) 8-6-7 5-3-0-9",
        "415-867-5309 x12185",
        "415-867-5309 / x22",
        "415-867-5309\n",
        "tel:415-867-5309;isub=8675310",
        "415-867-5309;ext=8675310",
        "Line 415-867-5309 or",
        "one and only 415-867-5309",
    ] {
        assert!(PhoneNumber::parse_with_extension(text).is_ok(), "{text}");
    }
    for text in [
        "415\n867-5309",
        "+44 20 7946 0123 / 7946 0124",
        "+49 (0) 4841/7700123",
        "415-867-5309-1234",
        "4111 1111 1111 1111",
    ] {
        let error = PhoneNumber::parse_with_extension(text).unwrap_err();
        assert_ne!(error.reason(), Reason::TwoNumbers, "{text}");
    }
}

#[test]
fn a_number_converts_from_and_to_text() {
    let number: PhoneNumber = "415-867-5309".parse().unwrap();
    assert_eq!(PhoneNumber::try_from("(415) 867-5309"), Ok(number));
    assert_eq!(PhoneNumber::try_from("415-867-530"), PhoneNumber::parse("415-867-530"));
    let texts: [&dyn AsRef<str>; 3] = [&number, &number.national(), &number.e164()];
    assert_eq!(texts.map(AsRef::as_ref), ["4158675309", "(415) 867-5309", "+14158675309"]);
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

/// Texts made of parts of phone numbers, in any order.
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
            Ok(number) => {
                prop_assert_eq!(with_extension, Ok((number, None)));
                let with_another = format!("{text}\n{number}");
                prop_assert!(PhoneNumber::parse_with_extension(&with_another).is_err(), "{}", text);
            }
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
            // Anything after a context is ignored.
            if !text.contains("phone-context") {
                let (read, extension) =
                    PhoneNumber::parse_with_extension(&format!("{text};ext=042")).unwrap();
                prop_assert_eq!(read, number);
                prop_assert_eq!(extension.map(|it| it.to_string()), Some("042".to_owned()));
            }
        }
    }
}

proptest! {
    #[test]
    fn two_numbers_are_never_read_as_one(
        first in phone_number(),
        second in phone_number(),
        divider in prop_oneof!["/", " / ", ",", ", ", "; ", "\n", "\r\n", " or ", " and ", " & ", "\\|", " ", " x42, "],
    ) {
        for first in [first.to_string(), first.national().to_string(), first.e164().to_string()] {
            for second in [second.national().to_string(), second.e164().to_string()] {
                let text = format!("{first}{divider}{second}");
                let error = PhoneNumber::parse_with_extension(&text).unwrap_err();
                prop_assert_eq!(error.reason(), Reason::TwoNumbers, "{}", text);
            }
        }
    }
}

fn full_width(digit: char) -> char {
    char::from_u32(u32::from(digit) - u32::from('0') + u32::from('０')).unwrap()
}
