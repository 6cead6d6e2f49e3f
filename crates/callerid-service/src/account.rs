//! Accounts: who may ask.

use std::fmt;

use serde::{Deserialize, Serialize};

use callerid_core::{AccountSid, AuthToken, Credentials};

/// An account and the token that its requests carry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Names the account; the user of HTTP Basic authentication.
    pub sid: AccountSid,
    /// The password of HTTP Basic authentication.
    pub auth_token: AuthToken,
}

impl Account {
    /// Says whether these credentials are its own.
    ///
    /// # Errors
    /// [`Unauthenticated`] where they are not.
    pub fn authenticate(&self, credentials: &Credentials) -> Result<(), Unauthenticated> {
        let is_own = self.sid == credentials.sid && self.auth_token == credentials.auth_token;
        if is_own { Ok(()) } else { Err(Unauthenticated) }
    }
}

/// Credentials that are not those of an account: answered with a 401.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unauthenticated;

impl fmt::Display for Unauthenticated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the credentials are not those of an account")
    }
}

impl std::error::Error for Unauthenticated {}
