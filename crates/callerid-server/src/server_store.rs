//! What a server needs of its store: sessions of browsers, and news of the store's other servers.

use callerid_core::{AccountSid, AuthToken, Credentials, Moment};
use callerid_service::{Account, Call, MemoryStore, Store, StoreError};
use futures_util::stream::{self, BoxStream, StreamExt as _};

/// How long a server that its store no longer hears from keeps its calls. Then others may adopt them.
pub(crate) const LEASE_SECONDS: u32 = 10;

/// What a server needs of its store beyond [`Store`]. A store without sessions and without other servers
/// need not implement any of it.
pub trait ServerStore: Store {
    /// Starts a session with this secret if the credentials' password is the account's token or one
    /// of its codes, which is then used up. Returns whether it did. If the account already has
    /// `most` sessions, the oldest ends.
    fn begin_session(
        &self,
        _credentials: &Credentials,
        _session: &AuthToken,
        _most: u32,
        _now: Moment,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send {
        async { Ok(false) }
    }

    /// The account whose session has the credentials' password as its secret.
    fn session_account(
        &self,
        _credentials: &Credentials,
        _now: Moment,
    ) -> impl Future<Output = Result<Option<Account>, StoreError>> + Send {
        async { Ok(None) }
    }

    /// What the other servers of this store do from now on, as far as it concerns this one.
    fn news(&self) -> BoxStream<'static, News> {
        stream::pending().boxed()
    }
}

impl ServerStore for MemoryStore {}

/// What other servers of the same store did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// They may have changed this account.
    Changed(AccountSid),
    /// They may have changed any account: their news were lost.
    Missed,
    /// They are gone, and calls or callbacks of theirs belong to this server now. These calls were
    /// placed.
    Adopted(Vec<Call>),
}
