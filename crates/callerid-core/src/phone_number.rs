//! [`PhoneNumber`]: ten digits, parsed from any format that people write.
//!
//! # Accepted formats
//!
//! The parser reads a text as Google's libphonenumber does on a phone in the United States: `Parse`
//! with the default region US, followed by `IsValidNumber` under country code 1. That covers the
//! United States, Canada and the other members of the North American Numbering Plan (NANP). The
//! text may contain:
//!
//! - anything except digits and plus signs before the number: `Phone: `, `tel:`, `sip:`;
//! - the prefixes `+1`, `1` and `011 1`, each optionally followed by a national `1`;
//! - hyphens, dashes, spaces, no-break spaces, full stops, slashes, brackets, tildes, stars and
//!   their full-width forms between the digits;
//! - decimal digits of any script;
//! - three or more vanity letters after the first three digits, as in `1-800-FLOWERS`; one or two
//!   letters are treated as typing errors;
//! - punctuation and an [extension](Extension) after the number;
//! - the parameters `;phone-context=` (a prefix or a domain) and `;isub=` of a `tel:` URI (RFC
//!   3966).
//!
//! The text may be at most 250 characters long. libphonenumber's metadata also decides which
//! numbers are valid and which [`Kind`] they are; see [`METADATA_RELEASE`].
//!
//! # When the numbering plan changes
//!
//! A later release of the metadata may withdraw a number that was valid when it was parsed. By then
//! the number is in stores and in responses. [`PhoneNumber::parse_possible`] reads such numbers
//! without consulting the plan again, so that one withdrawn number does not make a whole list
//! unreadable.
//!
//! # Differences from libphonenumber
//!
//! - A `PhoneNumber` has ten digits. Canada's seven-digit `310-XXXX` is valid in libphonenumber but
//!   too short here.
//! - The digits of an extension are converted to ASCII, because an extension exists to be dialled.
//!   libphonenumber keeps the digits of other scripts as written.
//! - A text over 250 characters is invalid, as in libphonenumber's Java edition. The C++ edition
//!   has no limit.
//! - A text with two numbers is invalid, with the reason [`TwoNumbers`](Reason::TwoNumbers).
//!   libphonenumber also rejects most such texts, with these exceptions: it reads the first number
//!   of `415-867-5309 x302/x2303`; the second of the two lines `415-867-5309` and `415-867-5310 /
//!   x22`; the URI of a `tel:` URI with a number before it; and from `867-5309 x302 / x2303`, a
//!   number that nobody wrote, 867-530-9302. Two forms are still read as in libphonenumber, because
//!   the second number may be an extension: anything after `/x` or `\x` that follows a number
//!   without an extension is dropped, and ten or more digits after a semicolon are an extension.
//! - A vowel sign after the number (in Hebrew, Devanagari and other scripts) is stray text.
//!   libphonenumber drops it.
//!
//! Where libphonenumber's editions differ, this crate follows the C++ edition, with one exception:
//! it accepts a full-width tilde (U+FF5E) between groups of digits, as the Java edition does.

mod as_you_type;
mod character;
mod completion;
#[cfg(feature = "phonenumber")]
mod conversion;
mod dial_string;
mod error;
mod extension;
mod fast_path;
mod kind;
mod numbering_plan;
mod parser;

pub use error::{InvalidPhoneNumber, Reason};
pub use extension::Extension;
pub use kind::Kind;

use crate::serde_text::serde_text;
use error::Problem;
use std::fmt;
use std::str::FromStr;

/// A North American phone number: ten digits, valid when it was parsed.
///
/// ```
/// use callerid_core::PhoneNumber;
///
/// let number = PhoneNumber::parse("+1 (415) 867.5309")?;
/// assert_eq!(number.as_str(), "4158675309");
/// assert_eq!(number.national().as_str(), "(415) 867-5309");
/// assert_eq!(number.e164().as_str(), "+14158675309");
/// assert_eq!(PhoneNumber::parse("1-800-FLOWERS")?.as_str(), "8003569377");
/// # Ok::<(), callerid_core::InvalidPhoneNumber>(())
/// ```
///
/// Google's libphonenumber decides what is accepted and what is valid. Where its editions and ports
/// (Java, JavaScript, Rust) differ, the C++ edition counts. The [module](self) documentation lists
/// the accepted formats and the differences.
///
/// Numbers are ordered by their digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber {
    /// ASCII digits.
    digits: [u8; 10],
}

/// The libphonenumber release whose metadata decides which numbers are valid.
pub const METADATA_RELEASE: &str = numbering_plan::METADATA_RELEASE;

impl PhoneNumber {
    /// Parses a number in any of the formats that the [module](self) documentation lists.
    ///
    /// ```
    /// use callerid_core::PhoneNumber;
    /// use callerid_core::phone_number::Reason;
    ///
    /// let number = PhoneNumber::parse("(415) 867-5309")?;
    /// assert_eq!(number, PhoneNumber::parse("tel:+1-415-867-5309")?);
    ///
    /// let error = PhoneNumber::parse("415-867-5309 or 415-867-5310").unwrap_err();
    /// assert_eq!((error.reason(), error.at()), (Reason::TwoNumbers, 16));
    /// assert_eq!(error.to_string(), "two numbers: the second is at offset 16; write one, like 415-555-0123");
    /// # Ok::<(), callerid_core::InvalidPhoneNumber>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidPhoneNumber`] says what is wrong and where. A number with an extension is invalid,
    /// with the reason [`Extension`](Reason::Extension); use
    /// [`parse_with_extension`](Self::parse_with_extension) to accept one.
    pub fn parse(text: &str) -> Result<Self, InvalidPhoneNumber> {
        fast_path::parse(text).unwrap_or_else(|| Self::parse_any(text))
    }

    /// Parses the first line of a text as [`parse`](Self::parse) does, and returns its number and
    /// the remaining lines. A line ends with `\n`, `\r\n` or the end of the text. The number is
    /// `None` if the line is not a valid number or not UTF-8.
    ///
    /// For a list of many numbers, this is faster than [`parse`](Self::parse), because the caller
    /// does not have to split the text into lines first.
    ///
    /// ```
    /// use callerid_core::PhoneNumber;
    ///
    /// let (number, rest) = PhoneNumber::parse_line(b"(415) 867-5309\nhello\n");
    /// assert_eq!(number.unwrap().as_str(), "4158675309");
    /// assert_eq!(PhoneNumber::parse_line(rest), (None, &b""[..]));
    /// ```
    #[inline]
    pub fn parse_line(text: &[u8]) -> (Option<Self>, &[u8]) {
        if let Some((digits, [b'\n', rest @ ..] | [b'\r', b'\n', rest @ ..])) =
            fast_path::digits(text)
            && let Some(number) = digits.assigned_number()
        {
            return (Some(number), rest);
        }
        Self::parse_any_line(text)
    }

    #[cold]
    fn parse_any_line(text: &[u8]) -> (Option<Self>, &[u8]) {
        let end = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
        let line = text.get(..end).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let number = std::str::from_utf8(line).ok().and_then(|line| Self::parse(line).ok());
        (number, text.get(end.saturating_add(1)..).unwrap_or_default())
    }

    /// Parses a number in any of the formats that the [module](self) documentation lists, and
    /// splits off its extension.
    ///
    /// ```
    /// use callerid_core::PhoneNumber;
    ///
    /// let (number, extension) = PhoneNumber::parse_with_extension("(415) 867-5309 ext. 42")?;
    /// assert_eq!(number.as_str(), "4158675309");
    /// assert_eq!(extension.unwrap().as_str(), "42");
    /// # Ok::<(), callerid_core::InvalidPhoneNumber>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidPhoneNumber`] says what is wrong and where.
    pub fn parse_with_extension(
        text: &str,
    ) -> Result<(Self, Option<Extension>), InvalidPhoneNumber> {
        if let Some(number) = fast_path::parse(text) {
            return Ok((number?, None));
        }
        let parsed = parser::parse(text)?;
        Ok((parsed.number, parsed.extension.map(|(extension, _)| extension)))
    }

    /// Parses a number that was valid earlier, such as one from a store or a response. It checks
    /// only the number's shape and ignores the current numbering plan. If the number is no longer
    /// in the plan, its kind is [`Kind::Unassigned`].
    ///
    /// The shape is that of [`from_digits`](Self::from_digits). Any other text is parsed as user
    /// input, with [`parse`](Self::parse).
    ///
    /// ```
    /// use callerid_core::{PhoneNumber, phone_number::Kind};
    ///
    /// let withdrawn = "2215550123";
    /// assert!(PhoneNumber::parse(withdrawn).is_err());
    /// assert_eq!(PhoneNumber::parse_possible(withdrawn)?.kind(), Kind::Unassigned);
    /// # Ok::<(), callerid_core::InvalidPhoneNumber>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidPhoneNumber`], as for [`parse`](Self::parse).
    pub fn parse_possible(text: &str) -> Result<Self, InvalidPhoneNumber> {
        Self::from_digits(text).map_or_else(|| Self::parse(text), Ok)
    }

    /// A number from its ten digits, the first of which is not 0 or 1, optionally preceded by `+1`:
    /// what a document contains. `None` for any other text. The numbering plan is not consulted.
    ///
    /// ```
    /// use callerid_core::PhoneNumber;
    ///
    /// assert_eq!(PhoneNumber::from_digits("+14158675309").unwrap().as_str(), "4158675309");
    /// assert!(PhoneNumber::from_digits("415-867-5309").is_none());
    /// ```
    pub fn from_digits(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("+1").unwrap_or(text);
        match <[u8; 10]>::try_from(digits.as_bytes()) {
            Ok(digits @ [b'2'..=b'9', ..]) if digits.iter().all(u8::is_ascii_digit) => {
                Some(Self { digits })
            }
            _ => None,
        }
    }

    /// Whether a text is not a valid number, but becomes one if the right digits are typed after it:
    /// for checks while somebody types.
    ///
    /// ```
    /// use callerid_core::PhoneNumber;
    ///
    /// assert!(PhoneNumber::is_incomplete("(415) 86"));
    /// // No area code begins so, no exchange does, and this is a number.
    /// for text in ["911", "(415) 1", "(415) 867-5309"] {
    ///     assert!(!PhoneNumber::is_incomplete(text));
    /// }
    /// ```
    pub fn is_incomplete(text: &str) -> bool {
        Self::parse(text).is_err() && completion::is_incomplete(text)
    }

    /// Formats what has been typed of a number, as libphonenumber's `AsYouTypeFormatter` does on a
    /// phone in the United States. `caret` is the caret's byte offset in the text. Returns the
    /// formatted text, and the offset in it after the same digit.
    ///
    /// A text that contains more than digits, their separators and a leading plus sign is returned
    /// unchanged, as is a number of another country.
    ///
    /// ```
    /// use callerid_core::PhoneNumber;
    ///
    /// assert_eq!(PhoneNumber::format_as_you_type("4158", 4), ("415-8".to_owned(), 5));
    /// assert_eq!(PhoneNumber::format_as_you_type("41586753", 8).0, "(415) 867-53");
    /// ```
    pub fn format_as_you_type(text: &str, caret: usize) -> (String, usize) {
        as_you_type::format(text, caret)
    }

    #[cold]
    fn parse_any(text: &str) -> Result<Self, InvalidPhoneNumber> {
        let parsed = parser::parse(text)?;
        match parsed.extension {
            Some((_, at)) => Err(InvalidPhoneNumber::new(Problem::Extension, at)),
            None => Ok(parsed.number),
        }
    }

    /// The ten digits without formatting: `4158675309`.
    pub fn as_str(&self) -> &str {
        text(&self.digits)
    }

    /// The ten digits in ASCII.
    pub fn as_bytes(&self) -> &[u8; 10] {
        &self.digits
    }

    /// The ten digits in packed BCD, four bits each, with the last digit in the lowest bits:
    /// `0x41_5867_5309`.
    #[inline(always)]
    pub fn to_bcd(&self) -> u64 {
        dial_string::from_ascii(self.digits)
    }

    /// The number in national format: `(415) 867-5309`.
    pub fn national(&self) -> National {
        let [a, b, c, d, e, f, g, h, i, j] = self.digits;
        National([b'(', a, b, c, b')', b' ', d, e, f, b'-', g, h, i, j])
    }

    /// The number in international format (ITU-T E.164): `+14158675309`.
    pub fn e164(&self) -> E164 {
        let [a, b, c, d, e, f, g, h, i, j] = self.digits;
        E164([b'+', b'1', a, b, c, d, e, f, g, h, i, j])
    }

    /// The number's kind, as far as the numbering plan determines it.
    pub fn kind(&self) -> Kind {
        kind::kind_of(self.to_bcd()).unwrap_or(Kind::Unassigned)
    }
}

// Stored and received numbers were valid once, so they must remain readable when the plan changes.
serde_text!(PhoneNumber, as_str, parse_possible);

/// Writes the ten digits.
impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PhoneNumber").field(&format_args!("{self}")).finish()
    }
}

/// Same as [`PhoneNumber::parse`].
impl FromStr for PhoneNumber {
    type Err = InvalidPhoneNumber;

    fn from_str(text: &str) -> Result<Self, InvalidPhoneNumber> {
        Self::parse(text)
    }
}

/// Same as [`PhoneNumber::parse`].
impl TryFrom<&str> for PhoneNumber {
    type Error = InvalidPhoneNumber;

    fn try_from(text: &str) -> Result<Self, InvalidPhoneNumber> {
        Self::parse(text)
    }
}

/// Returns the ten digits.
impl AsRef<str> for PhoneNumber {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

/// A number in national format: `(415) 867-5309`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct National([u8; 14]);

/// A number in international format (ITU-T E.164): `+14158675309`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct E164([u8; 12]);

impl National {
    /// The formatted number.
    pub fn as_str(&self) -> &str {
        text(&self.0)
    }
}

impl E164 {
    /// The formatted number.
    pub fn as_str(&self) -> &str {
        text(&self.0)
    }
}

impl AsRef<str> for National {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for E164 {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for National {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Converts ASCII bytes to a string slice.
fn text(ascii: &[u8]) -> &str {
    std::str::from_utf8(ascii).unwrap_or_default()
}
