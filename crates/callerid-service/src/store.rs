//! The [`Store`]: all that must survive a crash.
//!
//! Each method is one atomic step that the domain needs, so that a map in memory, an embedded database and
//! a database server all fit behind it. A method that changes something returns when the change is as
//! durable as the store makes it. What the domain decides (whether a call is admitted, what a name
//! defaults to) is called from within the step; a store decides nothing.

mod memory;

use std::fmt;
use std::future::Future;

pub use memory::{InvalidSnapshot, MemoryStore};

use callerid_core::{
    AccountSid, CallSid, CallerIdSid, ErrorCode, Filter, FriendlyName, Moment, OutgoingCallerId,
    Page, PageRequest, RestException,
};

use crate::account::Account;
use crate::call::Call;
use crate::callback::Callback;
use crate::eligibility::{Admitted, Ineligible};
use crate::event::Event;
use crate::limits::{CallbackSlots, Limits};
use crate::transition::Transition;

/// Calls that have ended and are still kept for an account: the newest.
pub const ENDED_CALLS_KEPT: usize = 100;
/// Callbacks that are done, delivered or given up, and are still kept for an account: the newest.
pub const CALLBACKS_KEPT: usize = 100;
/// Events of an account that are kept for whoever resumes: the newest.
pub const EVENTS_KEPT: usize = 10_000;

/// Keeps accounts, caller IDs, calls, the count of wrong entries, and the events of every change.
///
/// Every change to a caller ID or a call appends its [`Event`] in the same step.
pub trait Store: Send + Sync {
    /// Whether a change would be made now. A store that cannot fail need not say so.
    fn health(&self) -> impl Future<Output = Result<(), StoreError>> + Send {
        async { Ok(()) }
    }

    /// The account with that Sid.
    fn account(
        &self,
        sid: &AccountSid,
    ) -> impl Future<Output = Result<Option<Account>, StoreError>> + Send;

    /// One of the account's caller IDs.
    fn caller_id(
        &self,
        account: &AccountSid,
        sid: &CallerIdSid,
    ) -> impl Future<Output = Result<Option<OutgoingCallerId>, StoreError>> + Send;

    /// A page of the account's caller IDs that match, in the order of [`OutgoingCallerId::list_key`]. A page that the
    /// list does not have comes back without rows, with the list's total.
    fn list(
        &self,
        account: &AccountSid,
        filter: &Filter,
        page: PageRequest,
    ) -> impl Future<Output = Result<Page<OutgoingCallerId>, StoreError>> + Send;

    /// Renames a caller ID with [`OutgoingCallerId::rename`] and returns it; `None` where there is none.
    fn rename(
        &self,
        account: &AccountSid,
        sid: &CallerIdSid,
        name: Option<FriendlyName>,
        now: Moment,
    ) -> impl Future<Output = Result<Option<OutgoingCallerId>, StoreError>> + Send;

    /// Removes a caller ID; `false` where there is none.
    fn remove(
        &self,
        account: &AccountSid,
        sid: &CallerIdSid,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Adds a call if its [`Eligibility`](crate::Eligibility) admits it within these limits, and ends the one it
    /// replaces.
    fn add_call(
        &self,
        call: Call,
        limits: &Limits,
    ) -> impl Future<Output = Result<Result<Admitted, Ineligible>, StoreError>> + Send;

    /// One of the calls of any account.
    fn call(&self, sid: &CallSid) -> impl Future<Output = Result<Option<Call>, StoreError>> + Send;

    /// Some of the account's calls, newest first: of every live one, and the ended ones that are kept.
    fn calls(
        &self,
        account: &AccountSid,
        which: Newest,
    ) -> impl Future<Output = Result<Vec<Call>, StoreError>> + Send;

    /// Saves steps, each whole or not at all, and says of each whether it was saved. One whose call has
    /// moved on (its revision is not the one before the step's) is not, nor, of several, one that the store does not
    /// take for what else it has. With a step go what is known of its number
    /// ([`NumberUsage::after`](crate::NumberUsage::after)) and the caller ID that it adds, in place of one with the same
    /// Sid or number. With a call that ends, the oldest of its account's ended calls beyond [`ENDED_CALLS_KEPT`] may be
    /// dropped.
    fn save(
        &self,
        steps: Vec<Transition>,
    ) -> impl Future<Output = Result<Vec<bool>, StoreError>> + Send;

    /// Live calls whose [`wake_at`](Call::wake_at) has come, or that were created after `now`; earliest
    /// first, at most `limit`.
    fn due(
        &self,
        now: Moment,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Call>, StoreError>> + Send;

    /// The earliest [`wake_at`](Call::wake_at) of all live calls.
    fn wake_at(&self) -> impl Future<Output = Result<Option<Moment>, StoreError>> + Send;

    /// Some of the account's callbacks, newest first: of every pending one, and the done ones that are kept.
    fn callbacks(
        &self,
        account: &AccountSid,
        which: Newest,
    ) -> impl Future<Output = Result<Vec<Callback>, StoreError>> + Send;

    /// Callbacks that [are due](Callback::is_due), for which there would be slots if none were being sent. Of each account
    /// and receiver they are those with the earliest [`next_at`](Callback::next_at), and so of each account; the accounts
    /// take turns, so that each one's first come before any one's second.
    fn due_callbacks(
        &self,
        now: Moment,
        slots: &CallbackSlots,
    ) -> impl Future<Output = Result<Vec<Callback>, StoreError>> + Send;

    /// The earliest [`next_at`](Callback::next_at) of all callbacks.
    fn callbacks_wake_at(&self) -> impl Future<Output = Result<Option<Moment>, StoreError>> + Send;

    /// Saves a callback after an attempt; `false` where it has moved on (its attempts are not one fewer). Of an
    /// account's callbacks that are done the oldest beyond [`CALLBACKS_KEPT`] are dropped.
    fn save_callback(
        &self,
        callback: Callback,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// The account's events after the one with that id, oldest first, at most `limit`.
    fn events_after(
        &self,
        account: &AccountSid,
        id: u64,
        limit: usize,
    ) -> impl Future<Output = Result<Events, StoreError>> + Send;
}

/// Which of an account's calls or callbacks: the newest, or those that are older than one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Newest {
    /// When the one was created that all are older than, and the Sid of its call.
    pub before: Option<(Moment, CallSid)>,
    /// How many at most.
    pub limit: usize,
}

impl Newest {
    /// All of them.
    pub const ALL: Self = Self { before: None, limit: usize::MAX };
}

/// Some of an account's events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// The events, oldest first.
    pub events: Vec<Event>,
    /// The id of the newest event of all accounts; 0 before the first.
    pub newest: u64,
    /// Whether events between the one asked for and the first of these may have been dropped.
    pub gap: bool,
}

/// A store that could not do what was asked: the disk is full, the database is gone.
#[derive(Debug)]
pub struct StoreError {
    source: Box<dyn std::error::Error + Send + Sync>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Failed,
    Unavailable,
    Unreadable,
}

impl StoreError {
    /// Wraps what the store ran into.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { source: source.into(), kind: Kind::Failed }
    }

    /// Wraps what keeps the store from doing anything for now: another process has it locked, or it is gone. It is
    /// answered with 503 and `Retry-After`.
    pub fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { kind: Kind::Unavailable, ..Self::new(source) }
    }

    /// Wraps what is wrong with one row, which cannot be read however often it is tried.
    pub fn unreadable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { kind: Kind::Unreadable, ..Self::new(source) }
    }

    /// Whether it may go well if it is tried again later.
    pub fn is_unavailable(&self) -> bool {
        self.kind == Kind::Unavailable
    }

    /// Whether it is one row that cannot be read.
    pub fn is_unreadable(&self) -> bool {
        self.kind == Kind::Unreadable
    }

    /// What is answered where it keeps a request from being done.
    pub(crate) fn to_exception(&self) -> RestException {
        RestException::new(match self.kind {
            Kind::Unavailable => ErrorCode::ServiceUnavailable,
            Kind::Failed | Kind::Unreadable => ErrorCode::Internal,
        })
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store failed: {}", self.source)
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.source.as_ref())
    }
}
