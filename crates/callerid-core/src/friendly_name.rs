//! `FriendlyName`: what a person calls a number, up to 64 characters.

use std::fmt;

use crate::phone_number::PhoneNumber;
use crate::serde_text::serde_text;
use crate::text_conversions::{from_text, to_text};

/// The longest friendly name, in Unicode scalar values. The specification says "up to 64 characters";
/// that a character is a scalar value is this project's choice.
pub const FRIENDLY_NAME_MAX_CHARS: usize = 64;

/// A human readable description of a caller ID: at most 64 characters, all of which XML 1.0 can carry.
///
/// White space at either end is kept, and names that differ in case are different names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FriendlyName(Box<str>);

impl FriendlyName {
    /// Takes a text as a name, unchanged.
    ///
    /// # Errors
    /// [`InvalidFriendlyName`] where it is over 64 characters or has one that XML 1.0 cannot carry.
    pub fn new(text: &str) -> Result<Self, InvalidFriendlyName> {
        // As most names are; the compiler compares many bytes at once.
        if text.len() <= FRIENDLY_NAME_MAX_CHARS
            && text.bytes().fold(true, |all, byte| all & matches!(byte, b' '..=b'~'))
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

    /// How many characters a text has, of which [`FRIENDLY_NAME_MAX_CHARS`] are the most that a name may have.
    pub fn count(text: &str) -> usize {
        // Told by their first bytes. (`chars().count()` is faster, and a kilobyte larger.)
        text.bytes()
            .fold(0, |count: usize, byte| count.saturating_add(usize::from(byte & 0xc0 != 0x80)))
    }

    /// The name of a caller ID that was given none: the number nicely formatted, `(415) 867-5309`.
    pub fn default_for(number: &PhoneNumber) -> Self {
        Self(number.national().as_str().into())
    }

    /// The name as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

serde_text!(FriendlyName, as_str, new);
from_text!(FriendlyName, new, InvalidFriendlyName);
to_text!(FriendlyName);

/// The `Char` production of XML 1.0: what a document can carry, as itself or as a reference.
/// It stands with the name, whose rule it is: the representations are built on the names.
pub(crate) fn is_xml_char(char: char) -> bool {
    matches!(char, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

impl fmt::Debug for FriendlyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Why a text is no friendly name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidFriendlyName {
    /// Over [`FRIENDLY_NAME_MAX_CHARS`] characters.
    TooLong {
        /// The byte offset of the first one too many.
        at: usize,
    },
    /// A control character or noncharacter that XML 1.0 cannot carry.
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
    fn what_xml_cannot_carry_is_refused_by_its_place() {
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
    fn the_default_is_the_number_nicely_formatted() {
        let number = PhoneNumber::parse("4158675309").unwrap();
        assert_eq!(FriendlyName::default_for(&number).as_str(), "(415) 867-5309");
    }
}
