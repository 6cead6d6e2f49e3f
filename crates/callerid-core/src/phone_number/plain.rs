//! The quick way: one pass over the bytes of a plainly written number.
//!
//! Plain is ASCII with nothing but digits, the usual separators and a plus sign from the first digit on, as nearly all
//! numbers are written. Everything else is left to [`written`](super::written), which gives the same answers to plain
//! texts too.

use super::dialled::{Dialled, Misdialled};
use super::error::InvalidPhoneNumber;
use super::{PhoneNumber, written};

/// Reads a plain text; `None` if it is not plain.
#[inline]
pub(super) fn read(text: &[u8]) -> Option<Result<PhoneNumber, InvalidPhoneNumber>> {
    if text.len() > written::MAX_CHARACTERS {
        return None;
    }
    // Leading text is no matter, but it must not hide a digit of another script, or a parameter of a `tel:` URI.
    let mut from_start = text;
    while let [first, rest @ ..] = from_start {
        if first.is_ascii_digit() || *first == b'+' {
            break;
        }
        if !first.is_ascii() || *first == b';' {
            return None;
        }
        from_start = rest;
    }
    let mut number = from_start;
    while let [b'+', rest @ ..] = number {
        number = rest;
    }

    let mut digits: u64 = 0;
    let mut count: u32 = 0;
    let mut plain = true;
    for byte in number {
        let digit = byte.wrapping_sub(b'0');
        let is_digit = digit < 10;
        digits = if is_digit { digits << 4 | u64::from(digit) } else { digits };
        count = count.wrapping_add(u32::from(is_digit));
        plain &= is_digit | is_plain_separator(*byte);
    }
    if !plain || count == 0 {
        return None;
    }
    let international = number.len() < from_start.len();
    let dialled = Dialled::from_packed(digits, count, international)?;
    Some(dialled.number().map_err(|error| locate(text, count, error)))
}

/// ASCII separators, but for those that may begin an extension or a second number.
#[inline]
fn is_plain_separator(byte: u8) -> bool {
    const SEPARATORS: u64 = {
        let mut set = 0;
        let mut separators: &[u8] = b" ()*-./[]";
        while let [separator, rest @ ..] = separators {
            set |= 1 << (*separator - b' ');
            separators = rest;
        }
        set
    };
    let place = byte.wrapping_sub(b' ');
    place < 64 && SEPARATORS >> place & 1 == 1
}

#[cold]
fn locate(text: &[u8], count: u32, error: Misdialled) -> InvalidPhoneNumber {
    let past_last = error.digit >= count;
    let wanted = if past_last { count.saturating_sub(1) } else { error.digit };
    let mut digits = text.iter().enumerate().filter(|(_, byte)| byte.is_ascii_digit());
    let at = digits.nth(wanted as usize).map_or(0, |(at, _)| at);
    InvalidPhoneNumber::new(error.problem, at.saturating_add(usize::from(past_last)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Texts that are plain, or nearly.
    fn nearly_plain() -> impl Strategy<Value = String> {
        let prefix =
            prop_oneof!["", "\\+", "1", "1-", "011 ?1?", "00", "tel:\\+?1?", "[a-z+;:é( ]{0,3}"];
        let area_code = prop_oneof!["[2-9][0-8][0-9]", "[0-9]{3}", "415", "24[26]", "8[0-9]{2}"];
        let number = (area_code, "[ ().*/-]{0,2}[0-9]{3}[-. ]?[0-9]{3,5}");
        let suffix = prop_oneof![4 => "", 1 => "[ -.x,#;*é0-9]{0,4}"];
        (prefix, number, suffix).prop_map(|(prefix, (area_code, number), suffix)| {
            format!("{prefix}{area_code}{number}{suffix}")
        })
    }

    fn answers_agree(text: &str) -> Result<(), TestCaseError> {
        if let Some(quick) = read(text.as_bytes()) {
            let thorough = written::read(text);
            prop_assert_eq!(thorough.as_ref().err(), quick.as_ref().err(), "{:?}", text);
            prop_assert_eq!(thorough.as_ref().map(|it| it.number), quick.as_ref().copied());
            prop_assert!(thorough.is_ok_and(|it| it.extension.is_none()) || quick.is_err());
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn the_quick_way_s_answer_is_the_thorough_one_s(text in nearly_plain()) {
            answers_agree(&text)?;
        }

        #[test]
        fn also_for_digits_and_signs_in_disorder(text in "[0-9 ().*/+-]{0,20}") {
            answers_agree(&text)?;
        }
    }

    #[test]
    fn most_numbers_are_written_plainly() {
        for plain in [
            "4158675309",
            "(415) 867-5309",
            "415.867.5309",
            "415/867-5309",
            "1-415-867-5309",
            "+1 415 867 5309",
            "tel:+1-415-867-5309",
            "Phone: 415-867-5309",
            "011 1 415 867 5309",
        ] {
            assert!(matches!(read(plain.as_bytes()), Some(Ok(_))), "{plain}");
        }
        for other in
            ["", "hello", "415-867-5309 x1", "415–867–5309", "é 4158675309", "800-FLOWERS", ";415"]
        {
            assert!(read(other.as_bytes()).is_none(), "{other}");
        }
    }
}
