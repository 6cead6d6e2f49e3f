//! Call extensions: what to dial after a call is connected.

use std::fmt;

use crate::serde_text::serde_text;
use crate::text_conversions::{from_text, to_text};

/// What to dial after a call is connected: up to 32 digits and `w`s, each of which waits for half a
/// second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallExtension(Box<str>);

/// The maximum number of characters in a [`CallExtension`].
pub const CALL_EXTENSION_MAX_CHARS: usize = 32;

impl CallExtension {
    /// Creates an extension from a text.
    ///
    /// # Errors
    /// [`InvalidCallExtension`] if the text is empty, longer than [`CALL_EXTENSION_MAX_CHARS`], or
    /// contains any other character.
    pub fn new(text: &str) -> Result<Self, InvalidCallExtension> {
        let fits = (1..=CALL_EXTENSION_MAX_CHARS).contains(&text.len());
        let is_dialled = |byte: u8| byte.is_ascii_digit() || byte == b'w';
        if fits && text.bytes().all(is_dialled) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidCallExtension)
        }
    }

    /// The digits and `w`s.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

serde_text!(CallExtension, as_str, new);
from_text!(CallExtension, new, InvalidCallExtension);
to_text!(CallExtension);

/// A text that cannot be dialled after a call is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidCallExtension;

impl fmt::Display for InvalidCallExtension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = CALL_EXTENSION_MAX_CHARS;
        write!(f, "an extension is 1 to {most} digits, and w for half a second's wait")
    }
}

impl std::error::Error for InvalidCallExtension {}
