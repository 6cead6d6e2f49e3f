//! [`PhoneNumber`]: always ten digits, read from any format people write.
//!
//! # What is read
//!
//! A text is read as Google's libphonenumber reads it from a phone in the United States: its `Parse` with the default
//! region US, and then `IsValidNumber` under country code 1. That is the United States, Canada and the other places of
//! the North American Numbering Plan (NANP). The text may have:
//!
//! - before the number, anything that is neither a digit nor a plus sign: `Phone: `, `tel:`, `sip:`;
//! - the prefixes `+1`, `1`, `011 1`, and a national `1` after them;
//! - between the digits, hyphens, dashes, spaces, no-break spaces, full stops, slashes, brackets, tildes, stars and their
//!   full-width forms;
//! - decimal digits of any script;
//! - vanity letters after the first three digits, `1-800-FLOWERS`, if there are three or more; one or two are taken
//!   for slips;
//! - after the number, punctuation, and an [extension](Extension);
//! - a `tel:` URI's `;phone-context=` (a prefix or a domain) and `;isub=` (RFC 3966).
//!
//! It is at most 250 characters long. Which numbers are valid and of what [`Kind`] is libphonenumber's metadata too; see
//! [`METADATA_RELEASE`].
//!
//! # When the plan changes
//!
//! A later release may have withdrawn a number that was valid when it was read. It is in stores by then, and in the
//! answers of services: what comes from there is taken by [`PhoneNumber::parse_possible`], without asking the plan again, so
//! that one such number does not make a whole list unreadable.
//!
//! # Differences from libphonenumber
//!
//! - A `PhoneNumber` is ten digits. Canada's seven-digit `310-XXXX`, valid there, is too short here.
//! - An extension's digits are given in ASCII, where libphonenumber leaves those of other scripts as they were written:
//!   an extension is there to be dialled.
//! - A text over 250 characters is refused, as libphonenumber's Java edition does; its C++ edition has no limit.
//! - Two numbers in a text are refused, with [`TwoNumbers`](Reason::TwoNumbers) for the reason. libphonenumber refuses most
//!   too, but of `415-867-5309 x302/x2303` it reads the first, of two lines `415-867-5309` and `415-867-5310 / x22` the second, of
//!   a `tel:` URI and a number before it the URI, and of `867-5309 x302 / x2303` a number that nobody wrote, 867-530-9302.
//!   Two forms are still read as there, since the second number may be an extension: what follows `/x` or `\x` after a number
//!   without an extension is dropped, and ten digits or more after a semicolon are an extension.
//! - A vowel sign after the number (of Hebrew, Devanagari and other scripts) is stray text, where libphonenumber drops it.
//!
//! Where libphonenumber's editions differ, the C++ edition decides, with one exception: between groups of digits a
//! full-width tilde (U+FF5E) is read, as in Java's.

mod character;
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

/// A North American number: ten digits, valid when it was read.
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
/// The reference for what is read and what is valid is the C++ edition of Google's libphonenumber, where its editions and
/// ports (Java, JavaScript, Rust) differ; the [module](self) lists the formats and the differences.
///
/// Numbers are ordered as their digits are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber {
    /// In ASCII.
    digits: [u8; 10],
}

/// The release of libphonenumber whose metadata says which numbers are valid.
pub const METADATA_RELEASE: &str = numbering_plan::METADATA_RELEASE;

impl PhoneNumber {
    /// Reads a number in any format the [module](self) lists.
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
    /// [`InvalidPhoneNumber`] says what is wrong and where. A number with an extension is refused with the reason
    /// [`Extension`](Reason::Extension); see [`parse_with_extension`](Self::parse_with_extension).
    pub fn parse(text: &str) -> Result<Self, InvalidPhoneNumber> {
        fast_path::parse(text).unwrap_or_else(|| Self::parse_any(text))
    }

    /// Reads the first line of a text, which ends in `\n` or `\r\n` or with the text, and gives its number, as
    /// [`parse`](Self::parse) would, and the lines after it. There is no number where the line is none, or is not in UTF-8.
    ///
    /// It reads many numbers sooner than [`parse`](Self::parse), since nothing has to find the lines first.
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

    /// Reads a number in any format the [module](self) lists, and splits off its extension.
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

    /// Takes a number back that was read before, from a store or from a service's answer: by its shape, whatever the
    /// numbering plan says of it by now. Where it is no longer in the plan, its kind is [`Kind::Unassigned`].
    ///
    /// The shape is ten digits, the first not 0 or 1, perhaps after `+1`. Any other text is read as by
    /// [`parse`](Self::parse), which is for what people write.
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
    /// [`InvalidPhoneNumber`] as for [`parse`](Self::parse).
    pub fn parse_possible(text: &str) -> Result<Self, InvalidPhoneNumber> {
        let digits = text.strip_prefix("+1").unwrap_or(text);
        match <[u8; 10]>::try_from(digits.as_bytes()) {
            Ok(digits @ [b'2'..=b'9', ..]) if digits.iter().all(u8::is_ascii_digit) => {
                Ok(Self { digits })
            }
            _ => Self::parse(text),
        }
    }

    #[cold]
    fn parse_any(text: &str) -> Result<Self, InvalidPhoneNumber> {
        let parsed = parser::parse(text)?;
        match parsed.extension {
            Some((_, at)) => Err(InvalidPhoneNumber::new(Problem::Extension, at)),
            None => Ok(parsed.number),
        }
    }

    /// The ten digits, undecorated: `4158675309`.
    pub fn as_str(&self) -> &str {
        text(&self.digits)
    }

    /// The ten digits in ASCII.
    pub fn as_bytes(&self) -> &[u8; 10] {
        &self.digits
    }

    /// The ten digits in packed BCD: four bits each, the last digit lowest, `0x41_5867_5309`.
    #[inline(always)]
    pub fn to_bcd(&self) -> u64 {
        dial_string::from_ascii(self.digits)
    }

    /// The number as it is written at home: `(415) 867-5309`.
    pub fn national(&self) -> National {
        let [a, b, c, d, e, f, g, h, i, j] = self.digits;
        National([b'(', a, b, c, b')', b' ', d, e, f, b'-', g, h, i, j])
    }

    /// The number as it is written everywhere (ITU-T E.164): `+14158675309`.
    pub fn e164(&self) -> E164 {
        let [a, b, c, d, e, f, g, h, i, j] = self.digits;
        E164([b'+', b'1', a, b, c, d, e, f, g, h, i, j])
    }

    /// What the number is for, as far as the numbering plan tells.
    pub fn kind(&self) -> Kind {
        kind::kind_of(self.to_bcd()).unwrap_or(Kind::Unassigned)
    }
}

// A number that is stored or received was read before: it stays what it was, though the numbering plan has changed since.
serde_text!(PhoneNumber, as_str, parse_possible);

/// The bare digits.
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

/// As [`PhoneNumber::parse`].
impl FromStr for PhoneNumber {
    type Err = InvalidPhoneNumber;

    fn from_str(text: &str) -> Result<Self, InvalidPhoneNumber> {
        Self::parse(text)
    }
}

/// As [`PhoneNumber::parse`].
impl TryFrom<&str> for PhoneNumber {
    type Error = InvalidPhoneNumber;

    fn try_from(text: &str) -> Result<Self, InvalidPhoneNumber> {
        Self::parse(text)
    }
}

/// The bare digits.
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
    /// The text.
    pub fn as_str(&self) -> &str {
        text(&self.0)
    }
}

impl E164 {
    /// The text.
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

/// Bytes that are all ASCII, as text.
fn text(ascii: &[u8]) -> &str {
    std::str::from_utf8(ascii).unwrap_or_default()
}
