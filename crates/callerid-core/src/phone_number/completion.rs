//! Whether a text can still become a number while somebody types it.

use super::PhoneNumber;
use super::character::decimal_digit;
use super::kind;
use super::parser::vanity_digit;

/// Whether some digits, typed after a text, make it a valid number. The text is not one itself.
///
/// The digits are derived from the numbering plan, and the parser decides whether they do, so that
/// there is no second set of rules for everything else in a text.
pub(super) fn is_incomplete(text: &str) -> bool {
    let letters_skipped = ascii(text.chars().filter_map(decimal_digit));
    let letters_dialled = ascii(text.chars().filter_map(vanity_digit));
    [letters_skipped, letters_dialled]
        .iter()
        .flat_map(|typed| completions(typed))
        .any(|completion| PhoneNumber::parse(&format!("{text}{completion}")).is_ok())
}

fn ascii(digits: impl Iterator<Item = u8>) -> String {
    digits.filter_map(|digit| char::from_digit(digit.into(), 10)).collect()
}

/// The prefixes that a number can have, except for a plus sign.
const PREFIXES: [&str; 6] = ["", "1", "11", "111", "0111", "01111"];

/// What makes the typed digits a number of the plan, for each prefix.
fn completions(typed: &str) -> impl Iterator<Item = String> {
    PREFIXES.iter().filter_map(move |prefix| {
        let (rest_of_prefix, begun) = match typed.strip_prefix(prefix) {
            Some(begun) => ("", begun),
            None => (prefix.strip_prefix(typed)?, ""),
        };
        let number = kind::first_number(begun.as_bytes())?;
        let rest_of_number = std::str::from_utf8(number.get(begun.len()..)?).ok()?;
        Some(format!("{rest_of_prefix}{rest_of_number}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A text that is neither a number nor the beginning of one.
    fn is_invalid(text: &str) -> bool {
        PhoneNumber::parse(text).is_err() && !is_incomplete(text)
    }

    #[test]
    fn every_beginning_of_a_number_is_incomplete() {
        for number in [
            "4158675309",
            "(415) 867-5309",
            "1-415-867-5309",
            "1 (415) 867.5309",
            "+1 415 867 5309",
            "+114158675309",
            "1114158675309",
            "011 1 415 867 5309",
            "tel:+1-415-867-5309",
            "Phone: 415/867/5309",
            "1-800-FLOWERS",
            "415-867-530o9",
            "\u{ff0b}\u{ff11}\u{ff14}\u{ff11}\u{ff15} 867 5309",
            "٤١٥٨٦٧٥٣٠٩",
            // An area code with few exchanges.
            "242-225-1234",
            "867-975-1234",
        ] {
            assert!(PhoneNumber::parse(number).is_ok(), "{number}");
            for (at, _) in number.char_indices() {
                let begun = number.get(..at).unwrap();
                let valid = PhoneNumber::parse(begun).is_ok();
                assert!(valid || is_incomplete(begun), "{begun}");
            }
        }
    }

    #[test]
    fn what_no_digits_complete_is_invalid() {
        for text in [
            "911",
            "9",
            "0",
            "00",
            "415-1",
            "415-867-53099",
            "221",
            "+4",
            "+44 20",
            "011 44",
            "415-867-5309 x1",
            "415#",
            "415-867-5309 or 2",
            "242-1",
            "1111 1",
        ] {
            let wanted = !matches!(text, "9" | "0");
            assert_eq!(is_invalid(text), wanted, "{text}");
        }
        assert!(is_invalid(&"4".repeat(300)));
    }

    #[test]
    fn first_number_is_the_first_assigned_one() {
        assert_eq!(kind::first_number(b""), Some(*b"2012000000"));
        assert_eq!(kind::first_number(b"4158675309"), Some(*b"4158675309"));
        assert_eq!(kind::first_number(b"41586753091"), None);
    }

    proptest! {
        #[test]
        fn the_first_number_begins_with_what_was_typed(typed in "[2-9][0-9]{0,9}") {
            if let Some(number) = kind::first_number(typed.as_bytes()) {
                let number = std::str::from_utf8(&number).unwrap();
                prop_assert!(number.starts_with(&typed) && PhoneNumber::parse(number).is_ok());
            } else {
                // No other ending does either.
                for ending in ["0000000000", "2000000000", "5551234567", "9999999999"] {
                    let number = [typed.as_str(), ending].concat();
                    prop_assert!(PhoneNumber::parse(number.get(..10).unwrap()).is_err());
                }
            }
        }
    }
}
