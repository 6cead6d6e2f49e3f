//! Formats a number while somebody types it, as libphonenumber's `AsYouTypeFormatter` does on a
//! phone in the United States.

use super::character::{decimal_digit, is_plus, is_separator};

/// The most digits of a number with a layout: more are shown without separators.
const DIGITS: usize = 10;

/// Formats what has been typed of a number. `caret` is a byte offset in the text; it is returned as
/// an offset in the formatted text, after the same digit.
///
/// A text that contains anything except digits, their separators and a plus sign at the start is
/// returned unchanged, as is a number of another country.
pub(super) fn format(text: &str, caret: usize) -> (String, usize) {
    let mut typed = String::new();
    let mut typed_before_caret: usize = 0;
    for (at, c) in text.char_indices() {
        match decimal_digit(c).and_then(|digit| char::from_digit(digit.into(), 10)) {
            Some(digit) => typed.push(digit),
            None if is_plus(c) && typed.is_empty() => typed.push('+'),
            // These can begin an extension, or mean something else to a phone.
            None if !is_separator(c) || matches!(c, 'x' | 'X' | '*' | '~') => {
                return (text.to_owned(), caret);
            }
            None => continue,
        }
        if at < caret {
            typed_before_caret = typed.len();
        }
    }
    let Some(layout) = layout(&typed) else { return (text.to_owned(), caret) };
    lay_out(&typed, layout, typed_before_caret)
}

/// Separators between digits, each of which is a `d`: those of a prefix, and those of the number.
type Layout = (&'static str, &'static str);

const NONE: Layout = ("", "");

/// The layout of the digits typed so far; `None` for those of another country.
fn layout(typed: &str) -> Option<Layout> {
    Some(match typed.as_bytes() {
        [b'+'] => NONE,
        [b'+', b'1', number @ ..] => international(number).map_or(NONE, |it| ("+d ", it)),
        [b'+', ..] => return None,
        b"011" => ("ddd ", ""),
        [b'0', b'1', b'1', b'1', number @ ..] => {
            international(number).map_or(NONE, |it| ("ddd d ", it))
        }
        [b'0', b'1', b'1', b'2'..=b'9', ..] => return None,
        [b'1', number @ ..] => after_national_prefix(number).map_or(NONE, |it| ("d ", it)),
        number => national(number).map_or(NONE, |it| ("", it)),
    })
}

fn national(number: &[u8]) -> Option<&'static str> {
    match number {
        [b'2'..=b'9', ..] if number.len() <= 7 => Some("ddd-dddd"),
        [b'2'..=b'9', ..] if number.len() <= DIGITS => Some("(ddd) ddd-dddd"),
        _ => None,
    }
}

fn after_national_prefix(number: &[u8]) -> Option<&'static str> {
    match number {
        [] | [_] => None,
        [b'2'..=b'9', _] => Some("ddd"),
        [b'3', b'1', b'0', rest @ ..] if rest.len() <= 4 => Some("ddd-dddd"),
        [b'2'..=b'9', ..] if number.len() <= DIGITS => Some("(ddd) ddd-dddd"),
        _ => None,
    }
}

fn international(number: &[u8]) -> Option<&'static str> {
    match number {
        [] => Some(""),
        [b'0' | b'1', rest @ ..] => rest.len().le(&1).then_some("dd"),
        [b'3', b'1', b'0', rest @ ..] if rest.len() <= 4 => Some("ddd-dddd"),
        _ => (number.len() <= DIGITS).then_some("ddd-ddd-dddd"),
    }
}

/// Writes the digits with their separators, each of which follows when its next digit is there.
fn lay_out(typed: &str, (prefix, number): Layout, typed_before_caret: usize) -> (String, usize) {
    let mut text = String::new();
    let mut caret = 0;
    let mut layout = prefix.chars().chain(number.chars()).peekable();
    for (place, c) in (1..).zip(typed.chars()) {
        while let Some(separator) = layout.next_if(|it| !matches!(it, 'd' | '+')) {
            text.push(separator);
        }
        layout.next();
        text.push(c);
        if place == typed_before_caret {
            caret = text.len();
        }
    }
    // The international prefix is complete.
    if number.is_empty() && prefix.starts_with("ddd") {
        text.push(' ');
    }
    (text, caret)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The formatted text of every prefix.
    fn typed(text: &str) -> Vec<String> {
        let begun = (1..=text.len()).filter_map(|end| text.get(..end));
        begun.map(|begun| format(begun, 0).0).collect()
    }

    /// libphonenumber's own results; `tests/package` compares many more with its JavaScript edition.
    #[test]
    fn every_prefix_is_formatted_as_libphonenumber_does() {
        for (number, shown) in [
            (
                "41586753091",
                "4,41,415,415-8,415-86,415-867,415-8675,(415) 867-53,(415) 867-530,(415) 867-5309,41586753091",
            ),
            (
                "141586753091",
                "1,14,1 41,1 (415,1 (415) 8,1 (415) 86,1 (415) 867,1 (415) 867-5,1 (415) 867-53,1 (415) 867-530,1 (415) 867-5309,141586753091",
            ),
            (
                "+141586753091",
                "+,+1,+1 4,+1 41,+1 415,+1 415-8,+1 415-86,+1 415-867,+1 415-867-5,+1 415-867-53,+1 415-867-530,+1 415-867-5309,+141586753091",
            ),
            (
                "0111415867",
                "0,01,011 ,011 1 ,011 1 4,011 1 41,011 1 415,011 1 415-8,011 1 415-86,011 1 415-867",
            ),
            ("131012345", "1,13,1 31,1 310,1 310-1,1 310-12,1 310-123,1 310-1234,1 (310) 123-45"),
            ("+1141", "+,+1,+1 1,+1 14,+1141"),
            ("0441", "0,04,044,0441"),
            ("1112", "1,11,111,1112"),
        ] {
            assert_eq!(typed(number).join(","), shown);
        }
    }

    #[test]
    fn separators_are_replaced_and_digits_are_ascii() {
        for written in ["(415) 867-53", "415.867.53", "41586753", "415 \u{2013} 86753", "٤١٥٨٦٧٥٣"]
        {
            assert_eq!(format(written, 0).0, "(415) 867-53", "{written}");
        }
        assert_eq!(format("\u{ff0b}1415867", 0).0, "+1 415-867");
        assert_eq!(format("", 0), (String::new(), 0));
        assert_eq!(format("()", 1), (String::new(), 0));
    }

    #[test]
    fn other_texts_are_unchanged() {
        for text in
            ["+44 20 7946", "011 44 20", "1-800-FLOW", "415-867-5309 x1", "4+1", "415*", "é"]
        {
            assert_eq!(format(text, 1), (text.to_owned(), 1));
        }
    }

    #[test]
    fn the_caret_stays_after_its_digit() {
        // The caret is where the bar is.
        for (before, after) in [
            ("415|", "415|"),
            ("4158|", "415-8|"),
            ("41586753|", "(415) 867-53|"),
            ("(415) 867-5|3", "(415) 867-5|3"),
            // A digit typed in the middle, and deleted there.
            ("(4159|) 867-530", "(415) 9|86-7530"),
            ("(41|) 867-530", "(41|8) 675-30"),
            // A deleted separator comes back, and the caret passes it.
            ("(415| 867-530", "(415|) 867-530"),
            ("|4158675309", "|(415) 867-5309"),
            ("+1415|867", "+1 415|-867"),
            ("\u{ff14}\u{ff11}|5867", "41|5-867"),
        ] {
            let caret = before.find('|').unwrap();
            let (text, caret) = format(&before.replace('|', ""), caret);
            let shown =
                text.split_at_checked(caret).map(|(before, after)| format!("{before}|{after}"));
            assert_eq!(shown.as_deref(), Some(after), "{before}");
        }
    }
}
