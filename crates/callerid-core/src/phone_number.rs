//! `PhoneNumber`: always ten digits. (Being built.)

use std::fmt;

/// A valid North American number: ten digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber([u8; 10]);

/// The digits to dial after the call is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension(String);

impl Extension {
    /// The extension's digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is not a phone number, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidPhoneNumber {
    at: usize,
}

impl InvalidPhoneNumber {
    /// What is wrong, as a stable word.
    pub fn reason(&self) -> &'static str {
        "too-short"
    }
    /// Byte offset in the text.
    pub fn at(&self) -> usize {
        self.at
    }
}

impl fmt::Display for InvalidPhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a phone number")
    }
}

impl std::error::Error for InvalidPhoneNumber {}

impl PhoneNumber {
    /// Reads a number in any readable format.
    pub fn parse(text: &str) -> Result<Self, InvalidPhoneNumber> {
        Ok(Self::parse_with_extension(text)?.0)
    }

    /// Reads a number and splits off its extension.
    pub fn parse_with_extension(
        text: &str,
    ) -> Result<(Self, Option<Extension>), InvalidPhoneNumber> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).collect();
        let digits = digits.strip_prefix(b"1").unwrap_or(&digits);
        let digits = digits.try_into().map_err(|_| InvalidPhoneNumber { at: text.len() })?;
        Ok((PhoneNumber(digits), None))
    }

    /// The ten digits, undecorated.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// `(415) 867-5309`.
    pub fn national(&self) -> impl fmt::Display + use<> {
        let [a, b, c, d, e, f, g, h, i, j] = self.0.map(char::from);
        format!("({a}{b}{c}) {d}{e}{f}-{g}{h}{i}{j}")
    }

    /// `+14158675309`.
    pub fn e164(&self) -> impl fmt::Display + use<> {
        format!("+1{}", self.as_str())
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneNumber({})", self.as_str())
    }
}
