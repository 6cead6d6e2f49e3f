//! Character classes in written phone numbers, from libphonenumber's patterns.

/// Removes the characters of a class from the end of a text. (The compiler instantiates
/// `trim_end_matches` for each class that calls it directly.)
pub(super) fn trim_end(text: &str, is_trimmed: fn(char) -> bool) -> &str {
    text.trim_end_matches(is_trimmed)
}

/// Removes the characters of a class from the start of a text.
pub(super) fn trim_start(text: &str, is_trimmed: fn(char) -> bool) -> &str {
    text.trim_start_matches(is_trimmed)
}

/// Finds the first occurrence of an ASCII text, such as a parameter's name or a scheme.
pub(super) fn find(text: &str, needle: &str) -> Option<usize> {
    let first = needle.bytes().next()?;
    let is_there = |at: &usize| text.get(*at..).is_some_and(|rest| rest.starts_with(needle));
    let places = text.bytes().enumerate().filter(|(_, byte)| *byte == first);
    places.map(|(at, _)| at).find(is_there)
}

/// A plus sign, which marks an international number.
pub(super) fn is_plus(c: char) -> bool {
    matches!(c, '+' | '\u{ff0b}')
}

/// Separators between digits: dashes, spaces, full stops, slashes, brackets, tildes, their
/// full-width forms, the star, and `x`, which people write as a placeholder.
///
/// This is libphonenumber's list. It does not include all dashes and spaces of Unicode: tab, U+202F
/// (narrow no-break space) and U+301C (wave dash) are not separators.
pub(super) fn is_separator(c: char) -> bool {
    matches!(
        c,
        '-' | ' ' | '(' | ')' | '.' | '/' | '[' | ']' | '~' | '*' | 'x' | 'X'
            | '\u{a0}' // no-break space
            | '\u{ad}' // soft hyphen
            | '\u{200b}' // zero width space
            | '\u{2010}'..='\u{2015}' // hyphen to horizontal bar
            | '\u{2053}' // swung dash
            | '\u{2060}' // word joiner
            | '\u{2212}' // minus sign
            | '\u{223c}' // tilde operator
            | '\u{3000}' // ideographic space
            | '\u{30fc}' // prolonged sound mark
            | '\u{ff08}' | '\u{ff09}' // full-width parentheses
            | '\u{ff0d}'..='\u{ff0f}' // full-width hyphen, full stop, slash
            | '\u{ff3b}' | '\u{ff3d}' // full-width brackets
            | '\u{ff5e}' // full-width tilde
    )
}

/// Characters that are dropped after a number: everything except letters, numbers and `#`.
///
/// libphonenumber decides by Unicode's general categories. The standard library also counts vowel
/// signs as letters, so a number followed by a vowel sign is invalid here, unlike in
/// libphonenumber.
pub(super) fn is_trailing(c: char) -> bool {
    let is_combining = matches!(c, '\u{345}' | '\u{363}'..='\u{36f}');
    let is_symbol = matches!(c, 'Ⓐ'..='ⓩ' | '🄰'..='🅉' | '🅐'..='🅩' | '🅰'..='🆉');
    !c.is_alphanumeric() && c != '#' || is_combining || is_symbol
}

/// A space of any width, or a line end.
pub(super) fn is_blank(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t'..='\r' | '\u{85}' | '\u{a0}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}'
            | '\u{205f}'..='\u{2064}' | '\u{3000}' | '\u{feff}'
    )
}

/// A letter of a vanity number. A case-insensitive pattern matches the last two as `s` and `k`.
pub(super) fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, '\u{17f}' | '\u{212a}')
}

/// The digit of a vanity letter on a telephone keypad (ITU-T E.161).
pub(super) fn keypad_digit(c: char) -> Option<u8> {
    let letter = u32::from(c.to_ascii_lowercase()).checked_sub(u32::from('a'))?;
    let digit = b"22233344455566677778889999".get(letter as usize)?;
    Some(digit & 0xf)
}

/// The value of a decimal digit of any script (Unicode's general category Nd).
pub(super) fn decimal_digit(c: char) -> Option<u8> {
    let c = u32::from(c);
    let zero = match c {
        0..0x660 => 0x30,
        _ => {
            let after = ZEROS.partition_point(|zero| *zero <= c);
            *ZEROS.get(after.checked_sub(1)?)?
        }
    };
    let value = u8::try_from(c.checked_sub(zero)?).ok()?;
    (value < 10).then_some(value)
}

/// The zero of every script's decimal digits except ASCII, as of Unicode 17. The digits one to nine
/// follow each zero.
static ZEROS: [u32; 76] = [
    0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6,
    0xE50, 0xED0, 0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50,
    0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
    0x104A0, 0x10D30, 0x10D40, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0,
    0x11650, 0x116C0, 0x116D0, 0x116DA, 0x11730, 0x118E0, 0x11950, 0x11BF0, 0x11C50, 0x11D50,
    0x11DA0, 0x11DE0, 0x11F50, 0x16130, 0x16A60, 0x16AC0, 0x16B50, 0x16D70, 0x1CCF0, 0x1D7CE,
    0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E4F0, 0x1E5F1, 0x1E950, 0x1FBF0,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_digit_is_numeric_and_the_list_is_sorted() {
        assert!(ZEROS.is_sorted());
        for zero in ZEROS {
            for value in 0..10 {
                let digit = char::from_u32(zero + value).unwrap();
                assert!(digit.is_numeric(), "{:X}", zero + value);
                assert_eq!(decimal_digit(digit).map(u32::from), Some(value));
            }
        }
    }

    #[test]
    fn symbols_marks_and_punctuation_are_dropped_after_a_number() {
        let dropped = "\t\n !\"$%&'()*+,-./:;<=>?@[]^_{|}~¡«»…‥—–•「」、。，．！？）☎📞️\u{301}\u{202c}\u{200e}\
                       ™℠˜⸺⸻।～Ⓐ🄰🅉🅐🅩🅰🆉\u{5be}\u{345}\u{363}\u{2028}\u{e000}\u{10ffff}";
        for c in dropped.chars() {
            assert!(is_trailing(c), "{:X}", u32::from(c));
        }
        for c in "aZ09#éßªº²½µǅʰ中가אءアⅷ①㉑𝟘𞤀𠀀".chars() {
            assert!(!is_trailing(c), "{:X}", u32::from(c));
        }
    }

    #[test]
    fn superscripts_fractions_and_circled_digits_are_not_decimal() {
        for c in "²½①⓪五Ⅷ/:٠٩ａ".chars().filter(|c| !"٠٩".contains(*c)) {
            assert_eq!(decimal_digit(c), None, "{c}");
        }
        assert_eq!(decimal_digit('٠'), Some(0));
        assert_eq!(decimal_digit('٩'), Some(9));
        assert_eq!(decimal_digit('\u{66a}'), None);
    }

    #[test]
    fn the_keypad_is_the_telephone_s() {
        let digits: Vec<_> = ('A'..='Z').filter_map(keypad_digit).collect();
        let expected =
            [2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6, 7, 7, 7, 7, 8, 8, 8, 9, 9, 9, 9];
        assert_eq!(digits, expected);
        assert_eq!(keypad_digit('s'), Some(7));
        assert_eq!(keypad_digit('é'), None);
    }
}
