//! The fast path: parses a plain number in one pass over its bytes.
//!
//! A plain text consists of ASCII digits and common separators, perhaps after `tel:` or a plus
//! sign. Almost all numbers are plain. The [`parser`](super::parser) handles all other texts, and
//! gives the same results for plain ones.

use super::dial_string::DialString;
use super::error::{InvalidPhoneNumber, Reason};
use super::{PhoneNumber, parser};

/// Parses a plain text. Returns `None` if the text is not plain, or if it may contain two numbers.
pub(super) fn parse(text: &str) -> Option<Result<PhoneNumber, InvalidPhoneNumber>> {
    let (digits, []) = digits(text.as_bytes())? else { return None };
    if let Some(number) = digits.assigned_number() {
        return Some(Ok(number));
    }
    let number = number_or_error(text.as_bytes(), digits);
    let is_too_long = number.is_err_and(|error| error.reason() == Reason::TooLong);
    let may_be_two = is_too_long && digits.count() as usize >= 2 * parser::LOCAL_DIGITS;
    (!may_be_two).then_some(number)
}

/// The digits of the plain text at the beginning of a text, and the rest, which is empty if all of
/// it is plain. Returns `None` if no number can have these digits.
///
/// The loop is written with slice patterns, because a small .wasm is compiled with almost no
/// inlining. A call for each byte would cost more than everything else.
pub(super) fn digits(text: &[u8]) -> Option<(DialString, &[u8])> {
    let number = match text {
        [b't', b'e', b'l', b':', number @ ..] => number,
        _ => text,
    };
    let (mut rest, international) = match number {
        [b'+', number @ ..] => (number, true),
        _ => (number, false),
    };
    let mut digits: u64 = 0;
    let mut bits: u32 = 0;
    while let [byte, after @ ..] = rest {
        // The only branch on the byte's value ends the loop. The processor could not predict
        // others, because digits and separators are in no particular order.
        let class = *CLASSES.get(usize::from(*byte)).unwrap_or(&OTHER);
        if class == OTHER {
            break;
        }
        let width = class >> 4;
        digits = digits << width | u64::from(class & 0xf);
        bits = bits.wrapping_add(u32::from(width));
        rest = after;
    }
    let is_short = text.len().wrapping_sub(rest.len()) <= parser::MAX_CHARACTERS;
    if bits == 0 || !is_short {
        return None;
    }
    Some((DialString::from_packed(digits, bits / DIGIT_BITS, international)?, rest))
}

/// The number of bits per digit.
const DIGIT_BITS: u32 = 4;
/// Marks the class of a digit, next to its value: the number of bits it takes.
const DIGIT: u8 = 0x40;
/// The class of bytes that are neither digits nor plain separators.
const OTHER: u8 = 0x80;

/// The class of each byte.
static CLASSES: [u8; 256] = {
    let mut classes = [OTHER; 256];
    let mut byte: u8 = 0;
    let mut rest: &mut [u8] = &mut classes;
    while let [class, after @ ..] = rest {
        *class = class_of(byte);
        byte = byte.wrapping_add(1);
        rest = after;
    }
    classes
};

/// The class of a digit, 0 for a separator, or `OTHER`. Separators that can begin an extension or a
/// second number, such as `~` and `x`, are also `OTHER`.
const fn class_of(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => DIGIT | byte & 0xf,
        b' ' | b'(' | b')' | b'*' | b'-' | b'.' | b'/' | b'[' | b']' => 0,
        _ => OTHER,
    }
}

/// The number that a plain text's digits dial, if they are not an assigned number by themselves; or
/// the error and its offset in the text.
#[cold]
fn number_or_error(text: &[u8], digits: DialString) -> Result<PhoneNumber, InvalidPhoneNumber> {
    digits.number_or_error().map_err(|error| {
        let past_last = error.digit >= digits.count();
        let wanted = error.digit.saturating_sub(u32::from(past_last));
        let digits = text.iter().enumerate().filter(|(_, byte)| byte.is_ascii_digit());
        let mut counted = (0..).zip(digits);
        let at = counted.find(|(digit, _)| *digit == wanted).map_or(0, |(_, (at, _))| at);
        InvalidPhoneNumber::new(error.problem, at.saturating_add(usize::from(past_last)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Texts that are plain or almost plain.
    fn nearly_plain() -> impl Strategy<Value = String> {
        let prefix =
            prop_oneof!["", "\\+", "1", "1-", "011 ?1?", "00", "tel:\\+?1?", "[a-z+;:é( ]{0,3}"];
        let area_code = prop_oneof!["[2-9][0-8][0-9]", "[0-9]{3}", "415", "24[26]", "8[0-9]{2}"];
        let area_code = prop_oneof![4 => area_code, 1 => Just(String::new())];
        let number = (area_code, "[ ().*/-]{0,2}[0-9]{3}[-. ]?[0-9]{3,5}");
        let suffix = prop_oneof![
            4 => "",
            1 => "[ -.x,#;*é0-9]{0,4}",
            1 => "[ /-]1?[2-9][0-9]{2}-[0-9]{4}",
        ];
        (prefix, number, suffix).prop_map(|(prefix, (area_code, number), suffix)| {
            format!("{prefix}{area_code}{number}{suffix}")
        })
    }

    fn answers_agree(text: &str) -> Result<(), TestCaseError> {
        if let Some(fast) = parse(text) {
            let parsed = parser::parse(text);
            prop_assert_eq!(parsed.as_ref().err(), fast.as_ref().err(), "{:?}", text);
            prop_assert_eq!(parsed.as_ref().map(|it| it.number), fast.as_ref().copied());
            prop_assert!(parsed.is_ok_and(|it| it.extension.is_none()) || fast.is_err());
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn fast_path_matches_parser(text in nearly_plain()) {
            answers_agree(&text)?;
        }

        #[test]
        fn parse_line_matches_parse(
            lines in proptest::collection::vec((nearly_plain(), "\r?\n"), 0..4),
            last in nearly_plain(),
        ) {
            let ended = |(line, end): &(String, String)| format!("{line}{end}");
            let text = lines.iter().map(ended).collect::<String>() + &last;
            let mut rest = text.as_bytes();
            for line in text.lines() {
                let (number, after) = PhoneNumber::parse_line(rest);
                prop_assert_eq!(number, PhoneNumber::parse(line).ok(), "{:?}", line);
                rest = after;
            }
            prop_assert!(rest.is_empty(), "{:?}", rest);
        }

        #[test]
        fn fast_path_matches_parser_on_digits_and_separators_in_any_order(text in "[0-9 ().*/+-]{0,20}") {
            answers_agree(&text)?;
        }
    }

    #[test]
    fn common_formats_take_the_fast_path() {
        for plain in [
            "4158675309",
            "(415) 867-5309",
            "415.867.5309",
            "415/867-5309",
            "1-415-867-5309",
            "+1 415 867 5309",
            "tel:+1-415-867-5309",
            "011 1 415 867 5309",
        ] {
            assert!(digits(plain.as_bytes()).is_some_and(|(it, _)| it.number().is_ok()), "{plain}");
        }
        for other in [
            "",
            "hello",
            "Phone: 415-867-5309",
            "415-867-5309 x1",
            "415–867–5309",
            "é 4158675309",
            "800-FLOWERS",
            ";415",
        ] {
            assert!(!matches!(digits(other.as_bytes()), Some((_, []))), "{other}");
        }
    }
}
