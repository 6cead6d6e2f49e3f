use super::character::{decimal_digit, find, trim_end};
use std::fmt;

/// The digits to dial after a call is answered: one to twenty.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Extension {
    digits: [u8; MAX_DIGITS],
    length: u8,
}

/// The maximum number of digits after an unambiguous label.
const MAX_DIGITS: usize = 20;
/// After `,,` or `;`, which phones dial as pauses.
const MAX_DIGITS_AFTER_PAUSE: usize = 15;
/// After just `x`, `#` or a comma, which can mean something else.
const MAX_DIGITS_AFTER_SIGN: usize = 9;
/// After just a space or hyphen, with a final `#`.
const MAX_DIGITS_UNLABELLED: usize = 6;

impl Extension {
    /// The extension's digits in ASCII, including leading zeros.
    pub fn as_str(&self) -> &str {
        let digits = self.digits.get(..usize::from(self.length)).unwrap_or_default();
        std::str::from_utf8(digits).unwrap_or_default()
    }

    /// Creates an extension from decimal digits of any script, unless there are too many.
    fn from_digits(text: &str) -> Option<Self> {
        let mut extension = Extension { digits: [b'0'; MAX_DIGITS], length: 0 };
        for digit in text.chars().filter_map(decimal_digit) {
            *extension.digits.get_mut(usize::from(extension.length))? = digit.saturating_add(b'0');
            extension.length = extension.length.saturating_add(1);
        }
        Some(extension)
    }
}

impl AsRef<str> for Extension {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Extension({})", self.as_str())
    }
}

/// Finds the extension at the end of a text. Returns its start, including its label and the
/// separators before it.
///
/// Extensions are written as `;ext=123`, `ext. 123`, `x123`, `#123`, `int 123`, `доб 123`, `,,123`,
/// `;123`, `,123` or `- 123#`. If there are two ways to read one, the one that starts first wins.
pub(super) fn at_end(text: &str) -> Option<(usize, Extension)> {
    let unsigned = text.strip_suffix("#");
    let with_digits = unsigned.unwrap_or(text);
    let before = trim_end(with_digits, |c| decimal_digit(c).is_some());
    let digits = with_digits.get(before.len()..).filter(|digits| !digits.is_empty())?;
    let extension = Extension::from_digits(digits)?;

    let uri = if unsigned.is_none() { strip_folded(before, ";ext=") } else { None };
    let unlabelled = trim_end(before, |c| matches!(c, '-' | ' '));
    let unlabelled = (unsigned.is_some() && unlabelled.len() < before.len()).then_some(unlabelled);
    let mut first: Option<usize> = None;
    let mut may_begin = |start: Option<&str>, most| {
        if let Some(start) = start
            && usize::from(extension.length) <= most
            && first.is_none_or(|first| start.len() < first)
        {
            first = Some(start.len());
        }
    };
    may_begin(uri, MAX_DIGITS);
    may_begin(before_label(before, strip_plain_label), MAX_DIGITS);
    may_begin(before_label(before, strip_sign), MAX_DIGITS_AFTER_SIGN);
    may_begin(before_pause(before), MAX_DIGITS_AFTER_PAUSE);
    may_begin(before_commas(before), MAX_DIGITS_AFTER_SIGN);
    may_begin(unlabelled, MAX_DIGITS_UNLABELLED);
    Some((first?, extension))
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\t')
}

fn is_space_or_comma(c: char) -> bool {
    is_space(c) || c == ','
}

/// Characters that may separate a label from its digits.
fn is_after_label(c: char) -> bool {
    is_space_or_comma(c) || c == '-'
}

/// Strips one full stop or colon, which may directly follow a label.
fn strip_point(text: &str) -> Option<&str> {
    text.strip_suffix(|c| matches!(c, ':' | '.' | '\u{ff0e}'))
}

/// The text before a label and its surrounding separators.
fn before_label(text: &str, strip: fn(&str) -> Option<&str>) -> Option<&str> {
    let label = trim_end(text, is_after_label);
    let before = strip(label).or_else(|| strip(strip_point(label)?))?;
    Some(trim_end(before, is_space_or_comma))
}

/// The text before two commas or a semicolon.
fn before_pause(text: &str) -> Option<&str> {
    let pause = trim_end(text, is_after_label);
    let before = pause
        .strip_suffix(";")
        .or_else(|| strip_point(pause)?.strip_suffix(";"))
        .or_else(|| strip_point(pause)?.strip_suffix(",,"))
        .or_else(|| before_first(text, pause.len(), ",,"))?;
    Some(trim_end(before, is_space))
}

/// The text before one or more commas.
fn before_commas(text: &str) -> Option<&str> {
    let commas = trim_end(text, is_after_label);
    let before = strip_point(commas)
        .filter(|commas| commas.ends_with(','))
        .map(|commas| trim_end(commas, |c| c == ','))
        .or_else(|| before_first(text, commas.len(), ","))?;
    Some(trim_end(before, is_space))
}

/// The text before the first occurrence of `commas` from an index on.
fn before_first<'a>(text: &'a str, from: usize, commas: &str) -> Option<&'a str> {
    let at = find(text.get(from..)?, commas)?;
    text.get(..from.saturating_add(at))
}

/// Strips `ext`, `extension` and similar labels: English, Spanish and Russian, abbreviated or not,
/// full-width or not.
fn strip_plain_label(text: &str) -> Option<&str> {
    let ascii = strip_folded(text, "n").unwrap_or(text);
    let ascii = strip_any(ascii, &["ensio", "ensi\u{f3}", "ensio\u{301}"]).unwrap_or(ascii);
    if let Some(before) = strip_folded(ascii, "xt") {
        return Some(strip_folded(before, "e").unwrap_or(before));
    }
    let full_width = strip_folded(text, "ｎ").unwrap_or(text);
    if let Some(before) = strip_folded(full_width, "ｘｔ") {
        return Some(strip_folded(before, "ｅ").unwrap_or(before));
    }
    strip_any(text, &["доб", "anexo"])
}

/// Strips a sign or a word that can also mean something else.
fn strip_sign(text: &str) -> Option<&str> {
    strip_any(text, &["x", "ｘ", "#", "＃", "~", "～", "int", "ｉｎｔ"])
}

/// Strips the first label that matches.
fn strip_any<'a>(text: &'a str, labels: &[&str]) -> Option<&'a str> {
    labels.iter().find_map(|label| strip_folded(text, label))
}

/// Strips a label, which is given in lower case, ignoring case.
fn strip_folded<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    let mut rest = text.chars();
    for expected in label.chars().rev() {
        if fold(rest.next_back()?) != expected {
            return None;
        }
    }
    Some(rest.as_str())
}

/// Converts to lower case, for the letters used in labels.
fn fold(c: char) -> char {
    match c {
        '\u{17f}' => 's',
        'Д' => 'д',
        'О' => 'о',
        'Б' => 'б',
        'Ó' => 'ó',
        'Ｅ' => 'ｅ',
        'Ｉ' => 'ｉ',
        'Ｎ' => 'ｎ',
        'Ｔ' => 'ｔ',
        'Ｘ' => 'ｘ',
        _ => c.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(text: &str, before: &str, digits: &str) {
        let (at, extension) = at_end(text).unwrap();
        assert_eq!((text.get(..at), extension.as_str()), (Some(before), digits));
    }

    #[test]
    fn labels() {
        for label in [
            "ext",
            "ext.",
            "Ext:",
            "EXTENSION",
            "extn",
            "xtn",
            "extensión",
            "extensio\u{301}n",
            "anexo",
            "доб.",
            "ДОБ",
            "ｅｘｔｎ",
            "ＸＴ",
            "int",
            "x",
            "X",
            "#",
            "~",
            "＃",
        ] {
            for space in ["", " ", "\t", "\u{a0}", " , "] {
                reads(&format!("4155550123{space}{label}42"), "4155550123", "42");
                reads(&format!("4155550123{space}{label}{space}007#"), "4155550123", "007");
            }
        }
        reads("4155550123;ext=42", "4155550123", "42");
        assert_eq!(at_end("4155550123;ext=42#"), None);
        reads("415 555 0123 - 42#", "415 555 0123", "42");
    }

    #[test]
    fn pauses() {
        reads("4155550123,,42", "4155550123", "42");
        reads("4155550123 ;42", "4155550123", "42");
        reads("4155550123 ;:,42", "4155550123", "42");
        reads("4155550123,,,.-42", "4155550123", "42");
        reads("4155550123 ,42", "4155550123", "42");
        reads("4155550123,,1234567890", "4155550123", "1234567890");
        assert_eq!(at_end("4155550123,1234567890"), None);
    }

    #[test]
    fn the_more_a_label_may_mean_the_fewer_the_digits() {
        let text = |label: &str, digits: usize| format!("4155550123{label}{}", "1".repeat(digits));
        for (label, most) in [("ext", 20), (";ext=", 20), (";", 15), (",,", 15), ("x", 9), (",", 9)]
        {
            assert!(at_end(&text(label, most)).is_some(), "{label}");
            assert!(at_end(&text(label, most + 1)).is_none(), "{label}");
        }
        assert!(at_end(&(text("-", 6) + "#")).is_some());
        assert!(at_end(&(text("-", 7) + "#")).is_none());
        assert!(at_end("4155550123").is_none());
    }

    #[test]
    fn digits_of_any_script_are_kept_as_ascii() {
        reads("4155550123 x２٠", "4155550123", "20");
    }
}
