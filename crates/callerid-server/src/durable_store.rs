//! What the program's commands need of a store that keeps everything.

use callerid_core::{AccountSid, AuthToken, Moment, PhoneNumber};
use callerid_service::{Account, Newest, NumberUsage, StoreError};

use crate::clock::Clock;
use crate::server_store::ServerStore;

/// A number with wrong entries, or what was forgotten of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailedNumber {
    /// The number.
    pub number: PhoneNumber,
    /// How it has been used.
    pub usage: NumberUsage,
    /// Wrong entries on a real line in all, whatever came after them.
    pub wrong_codes_on_line: u32,
    /// Calls on a real line within a day. Only of a number that is cleared.
    pub calls_on_line: u32,
}

/// A store that keeps everything, whose accounts are administered by commands. All methods fail with
/// the store's error.
pub trait DurableStore: ServerStore {
    /// The clock of those who use this store.
    fn clock(&self) -> Clock {
        Clock::system()
    }

    /// Adds an account; `false` if its Sid already exists.
    fn add_account(
        &self,
        account: Account,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// The accounts, in the order in which they were added.
    fn accounts(&self) -> impl Future<Output = Result<Vec<AccountSid>, StoreError>> + Send;

    /// Replaces an account's token, which its next request must carry, and ends its sessions.
    /// Returns `false` if the account does not exist.
    fn rotate(&self, account: Account) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Adds a code that can start one session of the account within ten minutes; `false` if the
    /// account does not exist.
    fn add_code(
        &self,
        account: &AccountSid,
        code: AuthToken,
        now: Moment,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// The page's URL, as reported by the most recently started server.
    fn page_url(&self) -> impl Future<Output = Result<Option<String>, StoreError>> + Send;

    /// Stores the page's URL.
    fn set_page_url(&self, url: &str) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Numbers with wrong entries, consecutive ones or on a real line, those with the most consecutive
    /// ones first.
    fn failed_numbers(&self) -> impl Future<Output = Result<Vec<FailedNumber>, StoreError>> + Send;

    /// Clears a number's calls and wrong entries, including those of its live calls, so that it can
    /// be called again. Returns its usage before that.
    fn clear_number(
        &self,
        number: &PhoneNumber,
    ) -> impl Future<Output = Result<FailedNumber, StoreError>> + Send;
}

/// The position that all rows must precede: the end of time if none is given. (No Sid is greater
/// than this text.)
pub(crate) fn before(which: &Newest) -> (i64, String) {
    let place = which.before.map(|(created_at, sid)| (created_at.unix_millis(), sid.to_string()));
    place.unwrap_or_else(|| (i64::MAX, "~".to_owned()))
}
