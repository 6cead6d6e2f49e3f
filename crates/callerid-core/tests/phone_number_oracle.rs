//! Compares `PhoneNumber` with the `phonenumber` crate, whose metadata is older but has the same
//! form: plain ten-digit numbers, their kinds, and the conversions.

use callerid_core::PhoneNumber;
use callerid_core::phone_number::{Kind, Reason};
use phonenumber::Type;
use phonenumber::metadata::DATABASE;

/// Prefixes (four digits) that were assigned after libphonenumber 9.0.33, the release that the
/// crate uses.
const NEWER: [&str; 17] = [
    "2732", "2733", "2734", "2735", "2736", "2737", "2738", "2739", "2743", "2744", "2745", "2746",
    "2748", "2749", "4725", "4726", "9835",
];

/// One number in every third exchange of every area code, with varying last four digits.
fn numbers() -> impl Iterator<Item = String> {
    (200_000..1_000_000u32)
        .step_by(3)
        .map(|prefix| format!("{prefix}{:04}", prefix.wrapping_mul(7919) % 10_000))
}

/// The `phonenumber` crate's kind of a plain number.
fn oracle(digits: &str) -> Option<(phonenumber::PhoneNumber, Kind)> {
    let number: phonenumber::PhoneNumber = format!("+1{digits}").parse().ok()?;
    let kind = match number.number_type(&DATABASE) {
        Type::FixedLine => Kind::FixedLine,
        Type::Mobile => Kind::Mobile,
        Type::FixedLineOrMobile => Kind::FixedLineOrMobile,
        Type::TollFree => Kind::TollFree,
        Type::PremiumRate => Kind::PremiumRate,
        Type::SharedCost => Kind::SharedCost,
        Type::PersonalNumber => Kind::PersonalNumber,
        Type::Voip => Kind::Voip,
        Type::Pager => Kind::Pager,
        Type::Uan => Kind::Uan,
        Type::Voicemail => Kind::Voicemail,
        _ => return None,
    };
    (number.national().to_string().len() == 10).then_some((number, kind))
}

#[test]
fn validity_kind_and_conversions_of_plain_numbers() {
    let mut valid = 0;
    for digits in numbers() {
        let ours = PhoneNumber::parse(&digits).ok();
        let oracle = oracle(&digits);
        if NEWER.iter().any(|newer| digits.starts_with(newer)) {
            let kind = ours.map(|number| number.kind());
            assert_eq!(kind, Some(Kind::FixedLineOrMobile), "{digits}");
            assert!(oracle.is_none(), "{digits} is not newer");
            continue;
        }
        let kinds = (ours.map(|number| number.kind()), oracle.as_ref().map(|(_, kind)| *kind));
        assert_eq!(kinds.0, kinds.1, "{digits}");
        let (Some(number), Some((theirs, _))) = (ours, oracle) else { continue };
        valid += 1;
        assert_eq!(phonenumber::PhoneNumber::from(number), theirs, "{digits}");
        assert_eq!(PhoneNumber::try_from(&theirs), Ok(number), "{digits}");
    }
    assert!(valid > 100_000, "{valid}");
}

#[test]
fn a_withdrawn_number_is_converted() {
    for digits in numbers() {
        let number = PhoneNumber::parse_possible(&digits).unwrap();
        let theirs = phonenumber::PhoneNumber::from(number);
        assert_eq!(theirs.national().to_string(), digits);
    }
}

#[test]
fn conversions_refuse_numbers_that_are_invalid_here() {
    let reason = |text: &str| {
        let number = phonenumber::parse(None, text).unwrap();
        PhoneNumber::try_from(&number).unwrap_err().reason()
    };
    assert_eq!(reason("+44 20 7946 0123"), Reason::AnotherCountry);
    assert_eq!(reason("+1 415 867 5309 ext. 42"), Reason::Extension);
    assert_eq!(reason("+1 415 867 530"), Reason::TooShort);
    assert_eq!(reason("+1 222 867 5309"), Reason::UnassignedAreaCode);
}
