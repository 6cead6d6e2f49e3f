use std::fmt::{self, Write as _};

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
///     "too few digits: 9 at byte 11, where a number has 10, like 415-555-0123"
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
}

impl Reason {
    /// Every reason.
    pub const ALL: [Reason; 10] = [
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
        }
    }

    /// Where it is: a byte offset into the text, on a character's boundary.
    ///
    /// It is the offset of the first digit too many, of the area code, the exchange, the country code, the extension,
    /// the stray character, or of the 251st character; for too few digits, the end of the last digit.
    pub fn at(&self) -> usize {
        usize::from(self.at)
    }
}

impl fmt::Display for InvalidPhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at;
        match self.problem {
            Problem::Empty => f.write_str(
                "no phone number: the text is empty; a number has 10 digits, like 415-555-0123",
            ),
            Problem::TooShort { digits: 7 } => write!(
                f,
                "too few digits: 7 at byte {at}, where a number has 10; put the area code first, like 415-555-0123"
            ),
            Problem::TooShort { digits } => write!(
                f,
                "too few digits: {digits} at byte {at}, where a number has 10, like 415-555-0123"
            ),
            Problem::TooLong { digits } => write!(
                f,
                "too many digits: {digits}, where a number has 10; the first too many is at byte {at}"
            ),
            Problem::AnotherCountry { code } => write!(
                f,
                "another country's number: +{code} at byte {at}, where only +1 (North America) is read"
            ),
            Problem::Extension => {
                write!(f, "an extension at byte {at}: write the number without it")
            }
            Problem::ImpossibleAreaCode { area_code: area_code @ 200.. } => write!(
                f,
                "impossible area code {area_code} at byte {at}: {area_code} is a service code"
            ),
            Problem::ImpossibleAreaCode { area_code } => {
                write!(
                    f,
                    "impossible area code {area_code:03} at byte {at}: an area code begins with 2 to 9"
                )?;
                if area_code >= 100 {
                    f.write_str("; if the 1 is the country code, a digit is missing")?;
                }
                Ok(())
            }
            Problem::UnassignedAreaCode { area_code } => {
                write!(f, "area code {area_code} at byte {at} is not assigned")
            }
            Problem::ImpossibleExchange { exchange } => write!(
                f,
                "impossible exchange {exchange:03} at byte {at}: an exchange begins with 2 to 9"
            ),
            Problem::UnassignedExchange { area_code, exchange } => write!(
                f,
                "area code {area_code} has no such number in exchange {exchange:03}, at byte {at}"
            ),
            Problem::StrayText { found } => {
                f.write_str("stray text: ")?;
                // What could hide in a log or change it (controls, line ends, marks of direction) is named by number.
                if found.is_ascii_graphic() {
                    f.write_char('\'')?;
                    f.write_char(found)?;
                    f.write_char('\'')?;
                } else {
                    write!(f, "U+{:04X}", u32::from(found))?;
                }
                write!(
                    f,
                    " at byte {at} is no part of a number; write 10 digits, like 415-555-0123"
                )
            }
            Problem::TextTooLong => {
                write!(f, "the text goes on past 250 characters at byte {at}: no number is so long")
            }
        }
    }
}

impl std::error::Error for InvalidPhoneNumber {}
