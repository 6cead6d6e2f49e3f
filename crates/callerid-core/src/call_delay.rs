//! Call delays: how long to wait before the phone rings.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text_conversions::from_text;

/// The longest delay before a validation call, in seconds. The specification says "between 0 and
/// 60".
pub const CALL_DELAY_MAX_SECONDS: u8 = 60;

/// How long to wait before the phone rings: 0 to 60 whole seconds.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "u8")]
pub struct CallDelay(u8);

impl CallDelay {
    /// Creates a delay of `seconds`.
    ///
    /// # Errors
    /// [`InvalidCallDelay`] if `seconds` is more than 60.
    pub fn new(seconds: u8) -> Result<Self, InvalidCallDelay> {
        if seconds <= CALL_DELAY_MAX_SECONDS { Ok(Self(seconds)) } else { Err(InvalidCallDelay) }
    }

    /// Parses a delay from decimal digits.
    ///
    /// # Errors
    /// [`InvalidCallDelay`] if the text is not a whole number from 0 to 60.
    pub fn parse(text: &str) -> Result<Self, InvalidCallDelay> {
        let seconds = crate::page::decimal(text).and_then(|seconds| seconds.try_into().ok());
        seconds.map_or(Err(InvalidCallDelay), Self::new)
    }

    /// The delay in seconds.
    pub fn seconds(self) -> u8 {
        self.0
    }
}

from_text!(CallDelay, parse, InvalidCallDelay);

/// Writes the seconds in decimal digits.
impl fmt::Display for CallDelay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<u8> for CallDelay {
    type Error = InvalidCallDelay;
    fn try_from(seconds: u8) -> Result<Self, InvalidCallDelay> {
        Self::new(seconds)
    }
}

/// A delay that is not a whole number of seconds from 0 to 60.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidCallDelay;

impl fmt::Display for InvalidCallDelay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a delay is a whole number of seconds from 0 to {CALL_DELAY_MAX_SECONDS}")
    }
}

impl std::error::Error for InvalidCallDelay {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_a_whole_number_from_0_to_60() {
        assert_eq!(CallDelay::parse("60").unwrap().seconds(), 60);
        assert_eq!(CallDelay::parse("007").unwrap().seconds(), 7);
        for text in ["", "61", "-1", "1.5", " 1", "256", "banana", "99999999999999999999"] {
            assert_eq!(CallDelay::parse(text), Err(InvalidCallDelay), "{text}");
        }
    }
}
