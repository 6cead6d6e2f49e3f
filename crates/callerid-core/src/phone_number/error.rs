use super::text;
use std::fmt;

/// Why a text is not read as a phone number, and where.
///
/// Displayed, it says what is wrong, where, and what would be right:
///
/// ```
/// use callerid_core::PhoneNumber;
///
/// let error = PhoneNumber::parse("415-555-121").unwrap_err();
/// assert_eq!(error.reason().as_str(), "too-short");
/// assert_eq!(error.at(), 11);
/// assert_eq!(
///     error.to_string(),
///     "too few digits: 9 at offset 11, where a number has 10, like 415-555-0123"
/// );
/// ```
///
/// It is cheap to make, since much of what people type is no number: it holds no text and formats nothing until it is
/// displayed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidPhoneNumber {
    pub(super) problem: Problem,
    pub(super) at: u16,
}

/// What is wrong with a text that is no phone number.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reason {
    /// The text is empty or blank.
    Empty,
    /// Fewer than ten digits.
    TooShort,
    /// More than ten digits.
    TooLong,
    /// An international number with another country's code than 1.
    AnotherCountry,
    /// A number with an extension, where only a number is taken.
    Extension,
    /// An area code that cannot be: it begins with 0 or 1, or it is a service code like 911.
    AreaCode,
    /// An exchange (the three digits after the area code) that cannot be, or that has no numbers in its area code.
    Exchange,
    /// An area code that is not assigned.
    UnassignedAreaCode,
    /// Something in the text that is no part of a phone number.
    StrayText,
    /// More than 250 characters.
    TextTooLong,
    /// Two numbers, or a number with two extensions.
    TwoNumbers,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Reason; 11] = [
        Reason::Empty,
        Reason::TooShort,
        Reason::TooLong,
        Reason::AnotherCountry,
        Reason::Extension,
        Reason::AreaCode,
        Reason::Exchange,
        Reason::UnassignedAreaCode,
        Reason::StrayText,
        Reason::TextTooLong,
        Reason::TwoNumbers,
    ];

    /// The reason as a stable word: `too-short`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Reason::Empty => "empty",
            Reason::TooShort => "too-short",
            Reason::TooLong => "too-long",
            Reason::AnotherCountry => "another-country",
            Reason::Extension => "extension",
            Reason::AreaCode => "area-code",
            Reason::Exchange => "exchange",
            Reason::UnassignedAreaCode => "unassigned-area-code",
            Reason::StrayText => "stray-text",
            Reason::TextTooLong => "text-too-long",
            Reason::TwoNumbers => "two-numbers",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A reason with what its message names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Problem {
    Empty,
    TooShort { digits: u8 },
    TooLong { digits: u8 },
    AnotherCountry { code: u16 },
    Extension,
    ImpossibleAreaCode { area_code: u16 },
    UnassignedAreaCode { area_code: u16 },
    ImpossibleExchange { exchange: u16 },
    UnassignedExchange { area_code: u16, exchange: u16 },
    StrayText { found: char },
    TextTooLong,
    SecondNumber,
    SecondExtension,
}

impl Problem {
    /// Whether a number of this form could be assigned one day.
    pub(super) fn is_unassigned(self) -> bool {
        matches!(self, Problem::UnassignedAreaCode { .. } | Problem::UnassignedExchange { .. })
    }
}

impl InvalidPhoneNumber {
    /// `at` is an offset into a text of at most 250 characters, or just past them.
    pub(super) fn new(problem: Problem, at: usize) -> Self {
        InvalidPhoneNumber { problem, at: u16::try_from(at).unwrap_or(u16::MAX) }
    }

    /// What is wrong.
    pub fn reason(&self) -> Reason {
        match self.problem {
            Problem::Empty => Reason::Empty,
            Problem::TooShort { .. } => Reason::TooShort,
            Problem::TooLong { .. } => Reason::TooLong,
            Problem::AnotherCountry { .. } => Reason::AnotherCountry,
            Problem::Extension => Reason::Extension,
            Problem::ImpossibleAreaCode { .. } => Reason::AreaCode,
            Problem::UnassignedAreaCode { .. } => Reason::UnassignedAreaCode,
            Problem::ImpossibleExchange { .. } | Problem::UnassignedExchange { .. } => {
                Reason::Exchange
            }
            Problem::StrayText { .. } => Reason::StrayText,
            Problem::TextTooLong => Reason::TextTooLong,
            Problem::SecondNumber | Problem::SecondExtension => Reason::TwoNumbers,
        }
    }

    /// Where it is: a byte offset into the text, on a character's boundary.
    ///
    /// It is the offset of the first digit too many, of the area code, the exchange, the country code, the extension,
    /// the stray character, the second number, or of the 251st character; for too few digits, the end of the last digit.
    pub fn at(&self) -> usize {
        usize::from(self.at)
    }

    /// The same error with its place counted anew, for a language whose strings are not of bytes: what
    /// [`at`](Self::at) and the message then say is `at`.
    #[must_use]
    pub fn with_offset(self, at: usize) -> Self {
        Self::new(self.problem, at)
    }
}

impl InvalidPhoneNumber {
    /// The message as a template, and the numbers that it names: `#` is the first, `%` the second, in three digits; `@` is
    /// the place and `?` the stray character.
    ///
    /// (`write!` brings machinery for all that could be written, and `callerid/phone` is to be a small .wasm.)
    fn template(&self) -> (&'static str, u16, u16) {
        match self.problem {
            Problem::Empty => (
                "no phone number: the text is empty; a number has 10 digits, like 415-555-0123",
                0,
                0,
            ),
            Problem::TooShort { digits: 7 } => (
                "too few digits: 7 at offset @, where a number has 10; put the area code first, like 415-555-0123",
                0,
                0,
            ),
            Problem::TooShort { digits } => (
                "too few digits: # at offset @, where a number has 10, like 415-555-0123",
                digits.into(),
                0,
            ),
            Problem::TooLong { digits } => (
                "too many digits: #, where a number has 10; the first too many is at offset @",
                digits.into(),
                0,
            ),
            Problem::AnotherCountry { code } => (
                "another country's number: +# at offset @, where only +1 (North America) is read",
                code,
                0,
            ),
            Problem::Extension => ("an extension at offset @: write the number without it", 0, 0),
            Problem::ImpossibleAreaCode { area_code: area_code @ 200.. } => {
                ("impossible area code # at offset @: # is a service code", area_code, 0)
            }
            Problem::ImpossibleAreaCode { area_code: area_code @ 100.. } => (
                "impossible area code # at offset @: an area code begins with 2 to 9; if the 1 is the country code, a digit is missing",
                area_code,
                0,
            ),
            Problem::ImpossibleAreaCode { area_code } => (
                "impossible area code % at offset @: an area code begins with 2 to 9",
                0,
                area_code,
            ),
            Problem::UnassignedAreaCode { area_code } => {
                ("area code # at offset @ is not assigned", area_code, 0)
            }
            Problem::ImpossibleExchange { exchange } => {
                ("impossible exchange % at offset @: an exchange begins with 2 to 9", 0, exchange)
            }
            Problem::UnassignedExchange { area_code, exchange } => {
                ("area code # has no such number in exchange %, at offset @", area_code, exchange)
            }
            Problem::StrayText { .. } => (
                "stray text: ? at offset @ is no part of a number; write 10 digits, like 415-555-0123",
                0,
                0,
            ),
            Problem::SecondNumber => {
                ("two numbers: the second is at offset @; write one, like 415-555-0123", 0, 0)
            }
            Problem::SecondExtension => (
                "two numbers: a second extension is at offset @; write one number with one extension",
                0,
                0,
            ),
            Problem::TextTooLong => {
                ("the text goes on past 250 characters at offset @: no number is so long", 0, 0)
            }
        }
    }

    /// Gives the message, as it is displayed, in pieces to `write`, without what `write!` brings into a small .wasm.
    ///
    /// # Errors
    ///
    /// The first one of `write`.
    pub fn write_message(&self, write: &mut dyn FnMut(&str) -> fmt::Result) -> fmt::Result {
        let (template, first, second) = self.template();
        template.bytes().try_for_each(|byte| match (byte, self.problem) {
            (b'#', _) => write_digits(write, first.into(), 10, 1),
            (b'%', _) => write_digits(write, second.into(), 10, 3),
            (b'@', _) => write_digits(write, self.at.into(), 10, 1),
            (b'?', Problem::StrayText { found }) => write_character(write, found),
            _ => write(text(&[byte])),
        })
    }
}

impl fmt::Display for InvalidPhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_message(&mut |piece| f.write_str(piece))
    }
}

/// A character in quotes; by its number where it could hide in a log or change it: controls, line ends, marks of
/// direction.
fn write_character(write: &mut dyn FnMut(&str) -> fmt::Result, c: char) -> fmt::Result {
    match u8::try_from(c) {
        Ok(byte) if byte.is_ascii_graphic() => write(text(&[b'\'', byte, b'\''])),
        _ => {
            write("U+")?;
            write_digits(write, c.into(), 16, 4)
        }
    }
}

/// A number to a base of at most 16, in so many digits at least.
fn write_digits(
    write: &mut dyn FnMut(&str) -> fmt::Result,
    number: u32,
    base: u32,
    least: u32,
) -> fmt::Result {
    let digit = number.checked_rem(base).unwrap_or_default() as usize;
    let rest = number.checked_div(base).unwrap_or_default();
    if rest > 0 || least > 1 {
        write_digits(write, rest, base, least.saturating_sub(1))?;
    }
    write("0123456789ABCDEF".get(digit..=digit).unwrap_or_default())
}

impl std::error::Error for InvalidPhoneNumber {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_names_what_is_wrong_and_where() {
        let shown = |problem, at| InvalidPhoneNumber { problem, at }.to_string();
        for (problem, message) in [
            (
                Problem::Empty,
                "no phone number: the text is empty; a number has 10 digits, like 415-555-0123",
            ),
            (
                Problem::TooShort { digits: 7 },
                "too few digits: 7 at offset 12, where a number has 10; put the area code first, like 415-555-0123",
            ),
            (
                Problem::TooShort { digits: 9 },
                "too few digits: 9 at offset 12, where a number has 10, like 415-555-0123",
            ),
            (
                Problem::TooLong { digits: 255 },
                "too many digits: 255, where a number has 10; the first too many is at offset 12",
            ),
            (
                Problem::AnotherCountry { code: 44 },
                "another country's number: +44 at offset 12, where only +1 (North America) is read",
            ),
            (
                Problem::AnotherCountry { code: 0 },
                "another country's number: +0 at offset 12, where only +1 (North America) is read",
            ),
            (Problem::Extension, "an extension at offset 12: write the number without it"),
            (
                Problem::ImpossibleAreaCode { area_code: 911 },
                "impossible area code 911 at offset 12: 911 is a service code",
            ),
            (
                Problem::ImpossibleAreaCode { area_code: 155 },
                "impossible area code 155 at offset 12: an area code begins with 2 to 9; if the 1 is the country code, a digit is missing",
            ),
            (
                Problem::ImpossibleAreaCode { area_code: 15 },
                "impossible area code 015 at offset 12: an area code begins with 2 to 9",
            ),
            (
                Problem::UnassignedAreaCode { area_code: 221 },
                "area code 221 at offset 12 is not assigned",
            ),
            (
                Problem::ImpossibleExchange { exchange: 0 },
                "impossible exchange 000 at offset 12: an exchange begins with 2 to 9",
            ),
            (
                Problem::UnassignedExchange { area_code: 876, exchange: 211 },
                "area code 876 has no such number in exchange 211, at offset 12",
            ),
            (
                Problem::StrayText { found: '#' },
                "stray text: '#' at offset 12 is no part of a number; write 10 digits, like 415-555-0123",
            ),
            (
                Problem::StrayText { found: '\u{1f4de}' },
                "stray text: U+1F4DE at offset 12 is no part of a number; write 10 digits, like 415-555-0123",
            ),
            (
                Problem::StrayText { found: '\n' },
                "stray text: U+000A at offset 12 is no part of a number; write 10 digits, like 415-555-0123",
            ),
            (
                Problem::TextTooLong,
                "the text goes on past 250 characters at offset 12: no number is so long",
            ),
            (
                Problem::SecondNumber,
                "two numbers: the second is at offset 12; write one, like 415-555-0123",
            ),
            (
                Problem::SecondExtension,
                "two numbers: a second extension is at offset 12; write one number with one extension",
            ),
        ] {
            assert_eq!(shown(problem, 12), message);
        }
        assert!(shown(Problem::Extension, 65_535).contains(" 65535:"));
    }
}
