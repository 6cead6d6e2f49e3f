//! Texts: how messages are put together, how they show texts of others, and how a text is split.
//!
//! Not with `write!`, `format!` and `str`'s searches: those are ready for whatever could be written or looked for, and
//! together take two to three kilobytes of the compressed .wasm.

use std::fmt;

/// Texts one after another.
pub fn joined(texts: &[&str]) -> String {
    let mut joined = String::new();
    texts.iter().for_each(|text| joined.push_str(text));
    joined
}

/// The digits of a number that is not negative.
pub fn digits(number: impl TryInto<u64>) -> String {
    // One type, for each has its own code to write it.
    number.try_into().unwrap_or_default().to_string()
}

/// Writes texts one after another.
pub fn put(f: &mut fmt::Formatter<'_>, texts: &[&str]) -> fmt::Result {
    texts.iter().try_for_each(|text| f.write_str(text))
}

/// A text's part before the first of some ASCII characters, and the rest from that on; all of it and nothing where there is
/// none.
pub fn split_at<'a>(text: &'a str, ends: &[u8]) -> (&'a str, &'a str) {
    let is_end = |byte| ends.iter().fold(false, |is_end, end| is_end | (*end == byte));
    let length = text.bytes().position(is_end).unwrap_or(text.len());
    text.split_at_checked(length).unwrap_or((text, ""))
}

/// The parts before and after the first of an ASCII character, if there is one.
pub fn split_once(text: &str, separator: u8) -> Option<(&str, &str)> {
    let (before, rest) = split_at(text, &[separator]);
    Some((before, rest.get(1..)?))
}

/// The parts before and after the last of an ASCII character, if there is one.
pub fn rsplit_once(text: &str, separator: u8) -> Option<(&str, &str)> {
    let (before, rest) =
        text.split_at_checked(text.bytes().rposition(|byte| byte == separator)?)?;
    Some((before, rest.get(1..)?))
}

/// The parts between an ASCII character, of which there is always at least one.
pub fn split(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let (part, after) = split_at(rest?, &[separator]);
        rest = after.get(1..);
        Some(part)
    })
}

/// The first so many characters of a text that may be of any length.
pub fn excerpt(text: &str, most: usize) -> &str {
    let end = text.char_indices().nth(most).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}

/// A text in double quotes, what cannot be seen in it written as `\u{202e}`. (`{:?}` does nearly the same, with tables that
/// take 3.5 KB of compressed .wasm.)
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.push('\\'),
            char if is_hidden(char) => {
                push_code(&mut quoted, char);
                continue;
            }
            _ => {}
        }
        quoted.push(char);
    }
    quoted.push('"');
    quoted
}

/// Controls, and what changes how the text around it is shown.
fn is_hidden(char: char) -> bool {
    matches!(
        char,
        '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
    )
}

fn push_code(out: &mut String, char: char) {
    out.push_str("\\u{");
    push_hex(out, char.into(), 1);
    out.push('}');
}

/// Appends a number in hexadecimal, in so many digits at least.
pub fn push_hex(out: &mut String, number: u64, least: u32) {
    if number > 0xf || least > 1 {
        push_hex(out, number >> 4, least.saturating_sub(1));
    }
    out.push(char::from(crate::sid::hex_digit(number as u8)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_text_shows_what_it_hides() {
        for (text, shown) in [
            ("", r#""""#),
            ("Zoë 😀", r#""Zoë 😀""#),
            ("a\"b\\c", r#""a\"b\\c""#),
            ("a\nb\0\u{9f}", r#""a\u{a}b\u{0}\u{9f}""#),
            ("\u{202e}moc\u{feff}", r#""\u{202e}moc\u{feff}""#),
        ] {
            assert_eq!(quoted(text), shown);
        }
    }

    #[test]
    fn a_text_is_split_at_ascii_characters() {
        assert_eq!(split_at("é?b#c", b"#?"), ("é", "?b#c"));
        assert_eq!((split_at("é", b"#?"), split_at("", b"#")), (("é", ""), ("", "")));
        assert_eq!((split_once("a=é=", b'='), split_once("a", b'=')), (Some(("a", "é=")), None));
        assert_eq!((rsplit_once("a.é.", b'.'), rsplit_once("a", b'.')), (Some(("a.é", "")), None));
        for text in ["", "/", "a", "/a//é/"] {
            assert!(split(text, b'/').eq(text.split('/')), "{text}");
        }
    }

    #[test]
    fn numbers_are_written_in_digits() {
        assert_eq!((digits(0_u8), digits(u64::MAX)), ("0".into(), u64::MAX.to_string()));
        for (number, least, written) in [(0, 1, "0"), (0, 4, "0000"), (0x2e, 4, "002e")] {
            let mut out = String::new();
            push_hex(&mut out, number, least);
            assert_eq!(out, written);
        }
        let mut all = String::new();
        push_hex(&mut all, u64::MAX, 1);
        assert_eq!(all, format!("{:x}", u64::MAX));
    }

    #[test]
    fn an_excerpt_ends_between_characters() {
        assert_eq!((excerpt("éab", 2), excerpt("éa", 2), excerpt("", 2)), ("éa", "éa", ""));
    }
}
