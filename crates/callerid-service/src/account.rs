//! Accounts: who may send requests.

use std::fmt;

use serde::{Deserialize, Serialize};

use callerid_core::{AccountSid, AuthToken, Credentials};

/// An account and the token that its requests carry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The account's Sid: the user name of HTTP Basic authentication.
    pub sid: AccountSid,
    /// The password of HTTP Basic authentication.
    pub auth_token: AuthToken,
}

impl Account {
    /// Checks whether these credentials belong to this account.
    ///
    /// # Errors
    /// [`Unauthenticated`] if they do not.
    pub fn authenticate(&self, credentials: &Credentials) -> Result<(), Unauthenticated> {
        let is_own = self.sid == credentials.sid && self.auth_token == credentials.auth_token;
        if is_own { Ok(()) } else { Err(Unauthenticated) }
    }
}

/// The credentials do not belong to an account. The response is a 401.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unauthenticated;

impl fmt::Display for Unauthenticated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the credentials are not those of an account")
    }
}

impl std::error::Error for Unauthenticated {}
