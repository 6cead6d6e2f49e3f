//! Texts of others, as an error's message shows them.

use std::fmt::{self, Write as _};

/// The first so many characters of a text that may be of any length.
pub(crate) fn excerpt(text: &str, most: usize) -> &str {
    let end = text.char_indices().nth(most).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}

/// A text in double quotes, what cannot be seen in it written as `\u{202e}`. (`{:?}` does nearly the same, with tables that
/// take 3.5 KB of compressed .wasm.)
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for char in self.0.chars() {
            match char {
                '"' | '\\' => {
                    f.write_char('\\')?;
                    f.write_char(char)?;
                }
                char if is_hidden(char) => push_code(f, char)?,
                char => f.write_char(char)?,
            }
        }
        f.write_char('"')
    }
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

fn push_code(f: &mut fmt::Formatter<'_>, char: char) -> fmt::Result {
    f.write_str("\\u{")?;
    let code = u32::from(char);
    let digits = [12, 8, 4, 0].map(|shift| (code >> shift) as u8 & 0xf);
    let zeros = digits.iter().take_while(|digit| **digit == 0).count().min(3);
    for digit in digits.into_iter().skip(zeros) {
        f.write_char(char::from(crate::sid::hex_digit(digit)))?;
    }
    f.write_char('}')
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
            assert_eq!(Quoted(text).to_string(), shown);
        }
    }

    #[test]
    fn an_excerpt_ends_between_characters() {
        assert_eq!((excerpt("éab", 2), excerpt("éa", 2), excerpt("", 2)), ("éa", "éa", ""));
    }
}
