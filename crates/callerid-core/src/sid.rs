//! Sids: the 34-character identifiers of accounts, caller IDs and calls.
//!
//! A Sid is two letters for the type, followed by 32 hexadecimal digits of either case. The
//! specification's own samples mix cases, so case is kept and compared.

use std::fmt;

use crate::serde_text::serde_text;
use crate::text_conversions::{from_text, to_text};

/// Length of a Sid: two letters and 32 hexadecimal digits.
pub const SID_LENGTH: usize = 34;

macro_rules! sid {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; SID_LENGTH]);

        impl $name {
            /// The two letters at its start.
            pub const PREFIX: &'static str = $prefix;

            /// Parses a Sid: the prefix and 32 hexadecimal digits of either case, with nothing
            /// around them.
            ///
            /// # Errors
            /// [`InvalidSid`] with the byte offset of the first invalid character.
            pub fn parse(text: &str) -> Result<Self, InvalidSid> {
                parse(text, Self::PREFIX).map(Self)
            }

            /// Generates a Sid from 16 random bytes.
            pub fn from_random_bytes(random_bytes: &[u8; 16]) -> Self {
                Self(compose(Self::PREFIX, random_bytes))
            }

            /// The 34 characters.
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(&self.0).unwrap_or_default()
            }
        }

        serde_text!($name, as_str, parse);
        from_text!($name, parse, InvalidSid);
        to_text!($name);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

sid! {
    /// Identifies an account: `AC` and 32 hexadecimal digits.
    AccountSid, "AC"
}
sid! {
    /// Identifies an [`OutgoingCallerId`](crate::OutgoingCallerId): `PN` and 32 hexadecimal digits.
    CallerIdSid, "PN"
}
sid! {
    /// Identifies a validation call: `CA` and 32 hexadecimal digits.
    CallSid, "CA"
}

sid! {
    /// Identifies a request: `RQ` and 32 hexadecimal digits.
    RequestSid, "RQ"
}

fn parse(text: &str, prefix: &'static str) -> Result<[u8; SID_LENGTH], InvalidSid> {
    // Without an early return, the compiler vectorizes this comparison.
    if let (Some(digits), Ok(bytes)) = (text.strip_prefix(prefix), text.as_bytes().try_into())
        && digits.bytes().fold(true, |all, digit| all & digit.is_ascii_hexdigit())
    {
        return Ok(bytes);
    }
    let fits = |(at, byte): (usize, u8)| match prefix.as_bytes().get(at) {
        Some(letter) => byte == *letter,
        None => at < SID_LENGTH && byte.is_ascii_hexdigit(),
    };
    let wrong = text.bytes().enumerate().position(|place| !fits(place));
    match (wrong, text.as_bytes().try_into()) {
        (None, Ok(bytes)) => Ok(bytes),
        (at, _) => Err(InvalidSid { prefix, at: at.unwrap_or(text.len()) }),
    }
}

fn compose(prefix: &str, random_bytes: &[u8; 16]) -> [u8; SID_LENGTH] {
    let text = format!("{prefix}{:032x}", u128::from_be_bytes(*random_bytes));
    let mut sid = [b'0'; SID_LENGTH];
    sid.iter_mut().zip(text.bytes()).for_each(|(place, byte)| *place = byte);
    sid
}

/// A text that is not a Sid of the expected type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidSid {
    prefix: &'static str,
    at: usize,
}

impl InvalidSid {
    /// The byte offset of the first invalid character, or the length of a text that is too short.
    pub fn at(&self) -> usize {
        self.at
    }
}

impl fmt::Display for InvalidSid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { prefix, at } = self;
        write!(f, "not a Sid from byte {at} on: expected {prefix:?} and 32 hexadecimal digits")
    }
}

impl std::error::Error for InvalidSid {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specifications_samples_are_read_and_keep_their_case() {
        for sid in ["PNe536dfda7c6184afab78d980cb8cdf43", "PNe536dfda7c6DDd455fed980cb83345FF"] {
            assert_eq!(CallerIdSid::parse(sid).unwrap().as_str(), sid);
        }
        assert!(AccountSid::parse("AC309475e5fede1b49e100272a8640f438").is_ok());
    }

    #[test]
    fn an_error_says_where() {
        let at = |text| CallerIdSid::parse(text).unwrap_err().at();
        assert_eq!(at(""), 0);
        assert_eq!(at("PN"), 2);
        assert_eq!(at("AC309475e5fede1b49e100272a8640f438"), 0);
        assert_eq!(at("PNe536dfda7c6184afab78d980cb8cdf4"), 33);
        assert_eq!(at("PNe536dfda7c6184afab78d980cb8cdf430"), 34);
        assert_eq!(at("PNe536dfdé7c6184afab78d980cb8cdf43"), 9);
        assert_eq!(
            CallerIdSid::parse("PNx").unwrap_err().to_string(),
            "not a Sid from byte 2 on: expected \"PN\" and 32 hexadecimal digits"
        );
    }

    #[test]
    fn a_new_sid_spells_its_entropy() {
        let random_bytes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0xa, 0xbc, 0xde, 0xf0, 0x12, 0xff];
        let sid = CallSid::from_random_bytes(&random_bytes);
        assert_eq!(sid.as_str(), "CA000102030405060708090abcdef012ff");
        assert_eq!(CallSid::parse(sid.as_str()), Ok(sid));
    }
}
