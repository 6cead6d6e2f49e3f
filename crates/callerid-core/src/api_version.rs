//! Versions of the API.

use std::fmt;

use crate::sid::AccountSid;
use crate::text_conversions::{from_text, to_text};

/// A version of the API, as named in request paths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ApiVersion {
    /// `2008-08-01`: ten-digit numbers, XML by default, pages by number.
    #[default]
    V2008,
    /// `2010-04-01`: E.164 numbers, XML and JSON, pages by key. Current clients use this version.
    V2010,
}

impl ApiVersion {
    /// Every version.
    pub const ALL: [Self; 2] = [Self::V2008, Self::V2010];

    /// The path segment of this version: `2008-08-01`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2008 => "2008-08-01",
            Self::V2010 => "2010-04-01",
        }
    }

    /// Parses a version from the first segment of a path: `2008-08-01`.
    ///
    /// # Errors
    /// [`InvalidApiVersion`] for any other text.
    pub fn parse(text: &str) -> Result<Self, InvalidApiVersion> {
        Self::ALL.into_iter().find(|version| version.as_str() == text).ok_or(InvalidApiVersion)
    }

    /// The path of an account's caller IDs: `/2008-08-01/Accounts/AC…/OutgoingCallerIds`.
    pub fn list_path(self, account: &AccountSid) -> String {
        format!("/{self}/Accounts/{account}/OutgoingCallerIds")
    }
}

from_text!(ApiVersion, parse, InvalidApiVersion);
to_text!(ApiVersion);

/// A text that does not name a version of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidApiVersion;

impl fmt::Display for InvalidApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [older, newer] = ApiVersion::ALL;
        write!(f, "the API's versions are {older} and {newer}")
    }
}

impl std::error::Error for InvalidApiVersion {}
