//! The keys of a telephone, and the digits entered with them.

use std::fmt;

use serde::{Deserialize, Serialize};

use callerid_core::{VALIDATION_CODE_DIGITS, ValidationCode};

/// A key of a telephone: a digit, `*` or `#`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(u8);

impl Key {
    /// The key with this label; `None` if telephones have no such key.
    pub fn new(label: char) -> Option<Self> {
        matches!(label, '0'..='9' | '*' | '#').then_some(Self(label as u8))
    }

    /// Parses one or more keys.
    ///
    /// # Errors
    /// [`InvalidKeys`] if the text is empty or contains anything other than keys.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, InvalidKeys> {
        let no_key = |(at, _): &(usize, char)| *at;
        let is_no_key = |(_, label): &(usize, char)| Self::new(*label).is_none();
        match text.char_indices().find(is_no_key).as_ref().map(no_key) {
            Some(at) => Err(InvalidKeys { at }),
            None if text.is_empty() => Err(InvalidKeys { at: 0 }),
            None => Ok(text.chars().filter_map(Self::new).collect()),
        }
    }
}

/// A text that is not a sequence of telephone keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidKeys {
    at: usize,
}

impl fmt::Display for InvalidKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected one or more of 0 to 9, * and #, from byte {} on", self.at)
    }
}

impl std::error::Error for InvalidKeys {}

/// The digits of an incomplete entry: at most five, because the sixth completes it.
///
/// `*` restarts the entry, and `#` ends it early. A `#` before any digit is ignored.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct DigitBuffer {
    digits: [u8; VALIDATION_CODE_DIGITS],
    length: u8,
}

impl From<String> for DigitBuffer {
    fn from(digits: String) -> Self {
        Self::resume(&digits)
    }
}

impl From<DigitBuffer> for String {
    fn from(keyed: DigitBuffer) -> Self {
        keyed.expose().to_owned()
    }
}

#[derive(PartialEq, Eq)]
pub(crate) enum CodeEntry {
    Code(ValidationCode),
    TooShort,
}

impl DigitBuffer {
    /// Restores an incomplete entry from its digits. Anything else becomes an empty entry.
    pub fn resume(digits: &str) -> Self {
        let mut keyed = Self::default();
        let fits = digits.len() < VALIDATION_CODE_DIGITS;
        if fits && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            digits.chars().filter_map(Key::new).for_each(|key| {
                keyed.press(key);
            });
        }
        keyed
    }

    /// The digits so far. Use them only in the store.
    pub fn expose(&self) -> &str {
        let digits = self.digits.get(..self.length.into()).unwrap_or_default();
        std::str::from_utf8(digits).unwrap_or_default()
    }

    /// The number of digits so far.
    pub fn len(&self) -> u8 {
        self.length
    }

    /// Whether no digit has been entered since the last entry.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    pub(crate) fn press(&mut self, key: Key) -> Option<CodeEntry> {
        match key.0 {
            b'*' => {
                *self = Self::default();
                None
            }
            b'#' => {
                let begun = !self.is_empty();
                *self = Self::default();
                begun.then_some(CodeEntry::TooShort)
            }
            digit => {
                *self.digits.get_mut(usize::from(self.length))? = digit;
                self.length = self.length.saturating_add(1);
                if usize::from(self.length) < VALIDATION_CODE_DIGITS {
                    return None;
                }
                let entered = std::mem::take(self);
                Some(
                    ValidationCode::parse(entered.expose())
                        .map_or(CodeEntry::TooShort, CodeEntry::Code),
                )
            }
        }
    }
}

impl fmt::Debug for DigitBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DigitBuffer({} digits)", self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_keys_are_refused_with_their_position() {
        for (text, at) in [("", 0), ("12a", 2), ("é", 0), ("1 2", 1)] {
            assert_eq!(Key::parse_all(text), Err(InvalidKeys { at }), "{text}");
        }
    }
}
