//! Versions of the API.

use std::fmt;

use crate::sid::AccountSid;

/// A version of the API, as it is named in a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ApiVersion {
    /// `2008-08-01`: ten digit numbers, XML first, pages by number.
    #[default]
    V2008,
    /// `2010-04-01`: E.164 numbers, XML and JSON, pages by key; what today's clients speak.
    V2010,
}

impl ApiVersion {
    /// Every version.
    pub const ALL: [Self; 2] = [Self::V2008, Self::V2010];

    /// Its segment of a path: `2008-08-01`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2008 => "2008-08-01",
            Self::V2010 => "2010-04-01",
        }
    }

    /// The version that a path's first segment names.
    pub fn from_segment(segment: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.as_str() == segment)
    }

    /// The path of an account's caller IDs: `/2008-08-01/Accounts/AC…/OutgoingCallerIds`.
    pub fn list_path(self, account: &AccountSid) -> String {
        format!("/{self}/Accounts/{account}/OutgoingCallerIds")
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
