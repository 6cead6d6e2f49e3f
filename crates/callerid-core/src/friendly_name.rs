//! `FriendlyName`: what people call a number, in up to 64 characters.

use std::fmt;

use crate::phone_number::PhoneNumber;
use crate::serde_text::serde_text;
use crate::text_conversions::{from_text, to_text};

/// The maximum length of a friendly name, in Unicode scalar values. The specification says "up to
/// 64 characters"; counting scalar values is this project's choice.
pub const FRIENDLY_NAME_MAX_CHARS: usize = 64;

/// A human-readable description of a caller ID: at most 64 characters, all of which XML 1.0 can
/// represent.
///
/// White space at either end is kept. Names are case-sensitive.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FriendlyName(Box<str>);

impl FriendlyName {
    /// Creates a name from a text, without changing it.
    ///
    /// # Errors
    /// [`InvalidFriendlyName`] if the text has more than 64 characters, or one that XML 1.0 cannot
    /// represent.
    pub fn new(text: &str) -> Result<Self, InvalidFriendlyName> {
        // The fast path for most names: without control characters, and without those whose first
        // byte is 0xEF, as that of noncharacters is. The compiler vectorizes this comparison.
        if text.len() <= FRIENDLY_NAME_MAX_CHARS
            && text.bytes().fold(true, |all, byte| all & (byte >= b' ') & (byte != 0xef))
        {
            return Ok(Self(text.into()));
        }
        if let Some((at, _)) = text.char_indices().nth(FRIENDLY_NAME_MAX_CHARS) {
            return Err(InvalidFriendlyName::TooLong { at });
        }
        match text.char_indices().find(|(_, char)| !is_xml_char(*char)) {
            Some((at, char)) => Err(InvalidFriendlyName::Unprintable { char, at }),
            None => Ok(Self(text.into())),
        }
    }

    /// The number of characters in a text. A name has at most [`FRIENDLY_NAME_MAX_CHARS`].
    pub fn count(text: &str) -> usize {
        // Counts the first byte of each character. (`chars().count()` is faster, but adds a
        // kilobyte of code.)
        text.bytes()
            .fold(0, |count: usize, byte| count.saturating_add(usize::from(byte & 0xc0 != 0x80)))
    }

    /// The name of a caller ID that was created without one: its number in national format, `(415)
    /// 867-5309`.
    pub fn default_for(number: &PhoneNumber) -> Self {
        Self(number.national().as_str().into())
    }

    /// The name, unchanged.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

serde_text!(FriendlyName, as_str, new);
from_text!(FriendlyName, new, InvalidFriendlyName);
to_text!(FriendlyName);

/// The `Char` production of XML 1.0: the characters that a document can contain, directly or as
/// references. It is defined here because names depend on it; the representations build on names.
pub(crate) fn is_xml_char(char: char) -> bool {
    matches!(char, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

impl fmt::Debug for FriendlyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Why a text is not a valid friendly name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidFriendlyName {
    /// It has more than [`FRIENDLY_NAME_MAX_CHARS`] characters.
    TooLong {
        /// The byte offset of the first character over the maximum.
        at: usize,
    },
    /// It contains a control character or noncharacter that XML 1.0 cannot represent.
    Unprintable {
        /// The character.
        char: char,
        /// Its byte offset.
        at: usize,
    },
}

impl InvalidFriendlyName {
    /// The reason as a word: `too-long`, `unprintable`.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::TooLong { .. } => "too-long",
            Self::Unprintable { .. } => "unprintable",
        }
    }

    /// The byte offset of the character that cannot be there.
    pub const fn at(self) -> usize {
        match self {
            Self::TooLong { at } | Self::Unprintable { at, .. } => at,
        }
    }

    /// What is wrong, for the person who typed the name, without the offset.
    pub fn user_message(self) -> String {
        match self {
            Self::TooLong { .. } => {
                format!("A name has at most {FRIENDLY_NAME_MAX_CHARS} characters.")
            }
            Self::Unprintable { char, .. } => {
                format!("The name has a character that cannot be shown: U+{:04X}.", u32::from(char))
            }
        }
    }

    /// The same error with another offset, for a language whose strings are not counted in bytes: [`at`](Self::at) and the
    /// message then say `at`.
    #[must_use]
    pub const fn with_offset(self, at: usize) -> Self {
        match self {
            Self::TooLong { .. } => Self::TooLong { at },
            Self::Unprintable { char, .. } => Self::Unprintable { char, at },
        }
    }
}

impl fmt::Display for InvalidFriendlyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { .. } => {
                write!(f, "more than {FRIENDLY_NAME_MAX_CHARS} characters")
            }
            Self::Unprintable { char, at } => {
                let code = u32::from(*char);
                write!(f, "the character U+{code:04X} at offset {at} cannot be shown")
            }
        }
    }
}

impl std::error::Error for InvalidFriendlyName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_converts_from_and_to_text() {
        let name: FriendlyName = "Bob".parse().unwrap();
        assert_eq!(FriendlyName::try_from("Bob"), Ok(name.clone()));
        assert_eq!(name.as_ref(), "Bob");
        let too_long = InvalidFriendlyName::TooLong { at: 64 };
        assert_eq!("x".repeat(65).parse::<FriendlyName>(), Err(too_long));
        assert_eq!((too_long.reason(), too_long.with_offset(1).at()), ("too-long", 1));
    }

    #[test]
    fn sixty_four_characters_of_any_width_are_a_name_and_one_more_is_not() {
        for char in ["a", "é", "中", "😀"] {
            assert!(FriendlyName::new(&char.repeat(64)).is_ok());
            let too_long = InvalidFriendlyName::TooLong { at: 64 * char.len() };
            assert_eq!(FriendlyName::new(&char.repeat(65)), Err(too_long));
        }
    }

    #[test]
    fn white_space_and_case_are_kept() {
        assert_eq!(FriendlyName::new(" \tBob\n").unwrap().as_str(), " \tBob\n");
        assert_ne!(FriendlyName::new("bob"), FriendlyName::new("Bob"));
    }

    #[test]
    fn characters_that_xml_cannot_represent_are_refused_with_their_position() {
        for char in ['\0', '\u{8}', '\u{b}', '\u{1f}', '\u{fffe}', '\u{ffff}'] {
            let error = FriendlyName::new(&format!("é{char}")).unwrap_err();
            assert_eq!(error, InvalidFriendlyName::Unprintable { char, at: 2 });
        }
        assert_eq!(
            FriendlyName::new("a\0").unwrap_err().to_string(),
            "the character U+0000 at offset 1 cannot be shown"
        );
    }

    #[test]
    fn the_default_is_the_number_in_national_format() {
        let number = PhoneNumber::parse("4158675309").unwrap();
        assert_eq!(FriendlyName::default_for(&number).as_str(), "(415) 867-5309");
    }
}
