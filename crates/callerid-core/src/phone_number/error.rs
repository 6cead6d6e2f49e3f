use std::fmt;

/// An invalid phone number: what is wrong and where.
///
/// The message says what is wrong, where, and what is expected:
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
/// It is cheap to create and formats nothing until it is displayed, because much of what people
/// type is not a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidPhoneNumber {
    pub(super) problem: Problem,
    pub(super) at: u16,
}

/// What is wrong with an invalid phone number.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reason {
    /// The text is empty or blank.
    Empty,
    /// Fewer than ten digits.
    TooShort,
    /// More than ten digits.
    TooLong,
    /// An international number with a country code other than 1.
    AnotherCountry,
    /// A number with an extension, where only a number is accepted.
    Extension,
    /// An impossible area code: it starts with 0 or 1, or is a service code like 911.
    AreaCode,
    /// An exchange (the three digits after the area code) that is impossible or has no numbers in
    /// this area code.
    Exchange,
    /// An area code that is not assigned.
    UnassignedAreaCode,
    /// Something in the text that is not part of a phone number.
    StrayText,
    /// More than 250 characters.
    TextTooLong,
    /// Two numbers, or a number with two extensions.
    TwoNumbers,
}

impl Reason {
    /// All reasons.
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

    /// A stable identifier for the reason: `too-short`.
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

/// A reason, with the details for its message.
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
    /// Whether a number of this form could be assigned in the future.
    pub(super) fn is_unassigned(self) -> bool {
        matches!(self, Problem::UnassignedAreaCode { .. } | Problem::UnassignedExchange { .. })
    }
}

impl InvalidPhoneNumber {
    /// `at` is an offset into a text of at most 250 characters, or its end.
    pub(super) fn new(problem: Problem, at: usize) -> Self {
        InvalidPhoneNumber { problem, at: u16::try_from(at).unwrap_or(u16::MAX) }
    }

    /// The reason.
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

    /// The byte offset of the error, on a character boundary.
    ///
    /// This is the offset of the first excess digit, the area code, the exchange, the country code,
    /// the extension, the stray character, the second number, or the 251st character. If there are
    /// too few digits, it is the end of the last digit.
    pub fn at(&self) -> usize {
        usize::from(self.at)
    }

    /// How many digits the number has, and how many it should have, if the number of digits is what
    /// is wrong.
    pub fn digits(&self) -> Option<(u8, u8)> {
        match self.problem {
            Problem::TooShort { digits } | Problem::TooLong { digits } => Some((digits, DIGITS)),
            _ => None,
        }
    }

    /// The country code of another country's number; 0 for one that no country has.
    pub fn country_code(&self) -> Option<u16> {
        match self.problem {
            Problem::AnotherCountry { code } => Some(code),
            _ => None,
        }
    }

    /// The area code, if it or its exchange is what is wrong: three digits.
    pub fn area_code(&self) -> Option<u16> {
        match self.problem {
            Problem::ImpossibleAreaCode { area_code }
            | Problem::UnassignedAreaCode { area_code }
            | Problem::UnassignedExchange { area_code, .. } => Some(area_code),
            _ => None,
        }
    }

    /// The exchange, if it is what is wrong: three digits.
    pub fn exchange(&self) -> Option<u16> {
        match self.problem {
            Problem::ImpossibleExchange { exchange }
            | Problem::UnassignedExchange { exchange, .. } => Some(exchange),
            _ => None,
        }
    }

    /// The character that is not part of a number.
    pub fn stray(&self) -> Option<char> {
        match self.problem {
            Problem::StrayText { found } => Some(found),
            _ => None,
        }
    }

    /// What is wrong, for the person who typed the number: whole sentences, without the offset,
    /// because an interface marks the place.
    ///
    /// ```
    /// use callerid_core::PhoneNumber;
    ///
    /// let error = PhoneNumber::parse("415-555-121").unwrap_err();
    /// assert_eq!(error.user_message(), "That number has 9 digits. US numbers have 10.");
    /// ```
    pub fn user_message(&self) -> String {
        match self.problem {
            Problem::Empty => format!("Enter a phone number, {LIKE}."),
            Problem::TooShort { digits: 0 } => format!("Enter 10 digits, {LIKE}."),
            Problem::TooShort { digits: 1 } => "That is 1 digit. US numbers have 10.".to_owned(),
            Problem::TooShort { digits: 7 } => {
                "That number has 7 digits. Put the area code before it.".to_owned()
            }
            Problem::TooShort { digits } | Problem::TooLong { digits } => {
                format!("That number has {digits} digits. US numbers have {DIGITS}.")
            }
            Problem::AnotherCountry { code } => {
                format!("That number begins with +{code}. Only +1 numbers work here.")
            }
            Problem::Extension => "Enter the number without its extension.".to_owned(),
            Problem::ImpossibleAreaCode { area_code: code @ 200.. } => {
                format!("{code} is a service, not an area code.")
            }
            Problem::ImpossibleAreaCode { area_code } => {
                format!("{area_code:03} is not an area code: the first digit is 2 to 9.")
            }
            Problem::UnassignedAreaCode { area_code } => {
                format!("No place has the area code {area_code}.")
            }
            Problem::ImpossibleExchange { exchange } => {
                format!("{exchange:03} cannot follow an area code: the first digit is 2 to 9.")
            }
            Problem::UnassignedExchange { area_code, exchange } => {
                format!("No number in area code {area_code} continues with {exchange}.")
            }
            Problem::StrayText { found } if found.is_alphanumeric() || found.is_ascii_graphic() => {
                format!("\u{201c}{found}\u{201d} is not part of a phone number.")
            }
            Problem::StrayText { .. } => "Enter only the digits of the number.".to_owned(),
            Problem::TextTooLong => "That is too long for a phone number.".to_owned(),
            Problem::SecondNumber => "Those are two numbers. Enter one.".to_owned(),
            Problem::SecondExtension => "That number has two extensions.".to_owned(),
        }
    }

    /// The same error with another offset, for languages whose strings are not indexed by bytes.
    /// [`at`](Self::at) and the message then use `at`.
    #[must_use]
    pub fn with_offset(self, at: usize) -> Self {
        Self::new(self.problem, at)
    }
}

impl fmt::Display for InvalidPhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at;
        match self.problem {
            Problem::Empty => {
                write!(f, "the text is empty: a number has 10 digits, {LIKE}")
            }
            Problem::TooShort { digits: 7 } => write!(
                f,
                "too few digits: 7 at offset {at}, where a number has 10; put the area code first, {LIKE}"
            ),
            Problem::TooShort { digits } => {
                write!(f, "too few digits: {digits} at offset {at}, where a number has 10, {LIKE}")
            }
            Problem::TooLong { digits } => write!(
                f,
                "too many digits: {digits}, where a number has 10; the first too many is at offset {at}"
            ),
            Problem::AnotherCountry { code } => write!(
                f,
                "another country's number: +{code} at offset {at}, where only +1 (North America) is read"
            ),
            Problem::Extension => {
                write!(f, "an extension at offset {at}: write the number without it")
            }
            Problem::ImpossibleAreaCode { area_code: code @ 200.. } => {
                write!(f, "impossible area code {code} at offset {at}: {code} is a service code")
            }
            Problem::ImpossibleAreaCode { area_code } => {
                write!(
                    f,
                    "impossible area code {area_code:03} at offset {at}: an area code begins with 2 to 9"
                )?;
                match area_code {
                    100.. => f.write_str("; if the 1 is the country code, a digit is missing"),
                    _ => Ok(()),
                }
            }
            Problem::UnassignedAreaCode { area_code } => {
                write!(f, "area code {area_code} at offset {at} is not assigned")
            }
            Problem::ImpossibleExchange { exchange } => write!(
                f,
                "impossible exchange {exchange:03} at offset {at}: an exchange begins with 2 to 9"
            ),
            Problem::UnassignedExchange { area_code, exchange } => write!(
                f,
                "area code {area_code} has no such number in exchange {exchange}, at offset {at}"
            ),
            Problem::StrayText { found } if found.is_ascii_graphic() => write!(
                f,
                "stray text: '{found}' at offset {at} is not part of a number; write 10 digits, {LIKE}"
            ),
            // As a code point, because the character itself could be invisible in a log or corrupt
            // it.
            Problem::StrayText { found } => write!(
                f,
                "stray text: U+{:04X} at offset {at} is not part of a number; write 10 digits, {LIKE}",
                u32::from(found)
            ),
            Problem::TextTooLong => {
                write!(
                    f,
                    "the text is too long: more than 250 characters, at offset {at}; a number has 10 digits"
                )
            }
            Problem::SecondNumber => {
                write!(f, "two numbers: the second is at offset {at}; write one, {LIKE}")
            }
            Problem::SecondExtension => write!(
                f,
                "two numbers: a second extension is at offset {at}; write one number with one extension"
            ),
        }
    }
}

/// The number of digits of a number.
const DIGITS: u8 = 10;
/// An example of a valid number, for messages.
const LIKE: &str = "like 415-555-0123";

impl std::error::Error for InvalidPhoneNumber {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_for_users_are_sentences_without_offsets() {
        for (text, message) in [
            ("", "Enter a phone number, like 415-555-0123."),
            ("+", "Enter 10 digits, like 415-555-0123."),
            ("4", "That is 1 digit. US numbers have 10."),
            ("415-555-121", "That number has 9 digits. US numbers have 10."),
            ("867-5309", "That number has 7 digits. Put the area code before it."),
            ("415-867-53091", "That number has 11 digits. US numbers have 10."),
            ("+44 20 7946 0000", "That number begins with +44. Only +1 numbers work here."),
            ("415-867-5309 x1", "Enter the number without its extension."),
            ("911-555-0123", "911 is a service, not an area code."),
            ("015-555-0123", "015 is not an area code: the first digit is 2 to 9."),
            ("221-555-0123", "No place has the area code 221."),
            ("415-067-5309", "067 cannot follow an area code: the first digit is 2 to 9."),
            ("242-211-5309", "No number in area code 242 continues with 211."),
            ("415@8675309", "\u{201c}@\u{201d} is not part of a phone number."),
            ("415-867-5309 \u{e9}", "\u{201c}\u{e9}\u{201d} is not part of a phone number."),
            ("415\u{1f4de}8675309", "Enter only the digits of the number."),
            ("415-867-5309 or 415-867-5310", "Those are two numbers. Enter one."),
        ] {
            let error = crate::PhoneNumber::parse(text).unwrap_err();
            assert_eq!(error.user_message(), message, "{text}");
        }
        let long = crate::PhoneNumber::parse(&"4".repeat(251)).unwrap_err();
        assert_eq!(long.user_message(), "That is too long for a phone number.");
    }

    #[test]
    fn the_reason_has_its_values() {
        let error = |text| crate::PhoneNumber::parse(text).unwrap_err();
        assert_eq!(error("415-555-121").digits(), Some((9, 10)));
        assert_eq!(error("415-867-53091").digits(), Some((11, 10)));
        assert_eq!(error("+44 20 7946 0000").country_code(), Some(44));
        assert_eq!(error("221-555-0123").area_code(), Some(221));
        let exchange = error("242-211-5309");
        assert_eq!((exchange.area_code(), exchange.exchange()), (Some(242), Some(211)));
        assert_eq!(error("415-067-5309").exchange(), Some(67));
        assert_eq!(error("415@8675309").stray(), Some('@'));
        assert_eq!(error("").digits(), None);
    }

    #[test]
    fn messages_say_what_is_wrong_and_where() {
        let shown = |problem, at| InvalidPhoneNumber { problem, at }.to_string();
        for (problem, message) in [
            (Problem::Empty, "the text is empty: a number has 10 digits, like 415-555-0123"),
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
                "stray text: '#' at offset 12 is not part of a number; write 10 digits, like 415-555-0123",
            ),
            (
                Problem::StrayText { found: '\u{1f4de}' },
                "stray text: U+1F4DE at offset 12 is not part of a number; write 10 digits, like 415-555-0123",
            ),
            (
                Problem::StrayText { found: '\n' },
                "stray text: U+000A at offset 12 is not part of a number; write 10 digits, like 415-555-0123",
            ),
            (
                Problem::TextTooLong,
                "the text is too long: more than 250 characters, at offset 12; a number has 10 digits",
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
