//! The [`Store`]: everything that must survive a crash.
//!
//! Each method is one atomic step that the domain needs, so a map in memory, an embedded database
//! and a database server can all implement it. A method that changes something returns once the
//! change is as durable as the store makes it. A store makes no decisions: within its steps, it
//! calls the domain's functions, which decide whether to admit a call or what a default name is.

mod memory;

use std::fmt;
use std::future::Future;

pub use memory::{InvalidSnapshot, MemoryStore};

use callerid_core::{
    AccountSid, CallSid, CallerIdSid, ErrorCode, Filter, FriendlyName, Moment, OutgoingCallerId,
    Page, PageRequest, PhoneNumber, RestException,
};

use serde::{Deserialize, Serialize};

use crate::account::{Account, Unauthenticated};
use crate::call::{Call, CallStatus};
use crate::callback::Callback;
use crate::eligibility::{Admitted, Ineligible};
use crate::event::Event;
use crate::limits::{CallbackSlots, Limits};
use crate::line_usage::OptOut;
use crate::transition::Transition;

/// How many ended calls a store keeps for each account: the newest.
pub const ENDED_CALLS_KEPT: usize = 100;
/// How many finished callbacks, delivered or failed, a store keeps for each account: the newest.
pub const CALLBACKS_KEPT: usize = 100;
/// How many events a store keeps for each account, for clients that resume a stream: the newest.
pub const EVENTS_KEPT: usize = 10_000;

/// Stores accounts, caller IDs, calls, counts of wrong entries, and the events of all changes.
///
/// Every change to a caller ID or a call appends its [`Event`] in the same step.
///
/// # Several hosts
///
/// A store may be shared by several hosts. Each call belongs to one of them: the one that added it, or
/// later the one that placed it. So does each callback, to the host that saved it. What
/// [`due`](Self::due), [`wake_at`](Self::wake_at) and the same methods for callbacks return belongs to
/// the host that asks, so that no two hosts do the same work. What belongs to a host that is gone is
/// [adopted](Self::adopt) by another one. Everything else is the same for every host.
pub trait Store: Send + Sync {
    /// Checks whether the store could make a change now. A store that cannot fail need not
    /// implement this.
    fn health(&self) -> impl Future<Output = Result<(), StoreError>> + Send {
        async { Ok(()) }
    }

    /// The account with this Sid.
    fn account(
        &self,
        sid: &AccountSid,
    ) -> impl Future<Output = Result<Option<Account>, StoreError>> + Send;

    /// One of the account's caller IDs, if `admit` admits the request to the account. The account
    /// is read in the same step, and nothing else unless the request is admitted.
    fn caller_id(
        &self,
        account: &AccountSid,
        sid: &CallerIdSid,
        admit: impl FnOnce(&Account) -> Result<(), Unauthenticated> + Send,
    ) -> impl Future<Output = Result<Result<Option<OutgoingCallerId>, Unauthenticated>, StoreError>> + Send;

    /// A page of the account's caller IDs that match the filter, ordered by
    /// [`OutgoingCallerId::list_key`]. A page that does not exist has no rows, but the list's
    /// total. `admit` decides as in [`caller_id`](Self::caller_id).
    fn list(
        &self,
        account: &AccountSid,
        filter: &Filter,
        page: PageRequest,
        admit: impl FnOnce(&Account) -> Result<(), Unauthenticated> + Send,
    ) -> impl Future<Output = Result<Result<Page<OutgoingCallerId>, Unauthenticated>, StoreError>> + Send;

    /// Renames a caller ID with [`OutgoingCallerId::rename`] and returns it; `None` if it does not
    /// exist.
    fn rename(
        &self,
        account: &AccountSid,
        sid: &CallerIdSid,
        name: Option<FriendlyName>,
        now: Moment,
    ) -> impl Future<Output = Result<Option<OutgoingCallerId>, StoreError>> + Send;

    /// Removes a caller ID; `false` if it does not exist.
    fn remove(
        &self,
        account: &AccountSid,
        sid: &CallerIdSid,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Adds a call if its [`Eligibility`](crate::Eligibility) admits it within these limits, and
    /// ends the call that it replaces. With [`Limits::line`](field@Limits::line), the call counts for
    /// [`LineUsage`](crate::LineUsage) for a day, also if its account is removed.
    fn add_call(
        &self,
        call: Call,
        limits: &Limits,
    ) -> impl Future<Output = Result<Result<Admitted, Ineligible>, StoreError>> + Send;

    /// A call of any account.
    fn call(&self, sid: &CallSid) -> impl Future<Output = Result<Option<Call>, StoreError>> + Send;

    /// Some of the account's calls, newest first: all live calls, and the ended calls that are
    /// kept.
    fn calls(
        &self,
        account: &AccountSid,
        which: Newest,
    ) -> impl Future<Output = Result<Vec<Call>, StoreError>> + Send;

    /// Saves transitions, each of them atomically, and returns for each whether it was saved. A
    /// transition is not saved if its call has changed (its revision is not the transition's
    /// revision minus one). Of several transitions, the store may also leave out one if its other
    /// data does not allow it.
    ///
    /// The same step saves the usage of the number
    /// ([`NumberUsage::after`](crate::NumberUsage::after)) and the caller ID that the transition
    /// adds, which replaces one with the same Sid or number. It adds
    /// [`wrong_entries_on_line`](Transition::wrong_entries_on_line) to those of the number, and the
    /// number to those that want no calls if the transition [opts out](Transition::opts_out). When a call ends, the account's oldest
    /// ended calls beyond [`ENDED_CALLS_KEPT`] may be dropped.
    fn save(
        &self,
        steps: Vec<Transition>,
    ) -> impl Future<Output = Result<Vec<bool>, StoreError>> + Send;

    /// The live calls of these accounts, among those that belong to this host, whose
    /// [`wake_at`](Call::wake_at) has passed, or that were created after `now`: at most `limit`,
    /// earliest first.
    fn due(
        &self,
        accounts: &Accounts,
        now: Moment,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Call>, StoreError>> + Send;

    /// The earliest [`wake_at`](Call::wake_at) of these accounts' live calls that belong to this host.
    fn wake_at(
        &self,
        accounts: &Accounts,
    ) -> impl Future<Output = Result<Option<Moment>, StoreError>> + Send;

    /// The live calls that belong to this host, those first that change first.
    fn live(&self) -> impl Future<Output = Result<Vec<Call>, StoreError>> + Send {
        async {
            let end_of_time = Moment::from_unix_millis(i64::MAX);
            self.due(&Accounts::ALL, end_of_time, usize::MAX).await
        }
    }

    /// Makes the live calls and the pending callbacks of hosts that are gone belong to this one, which
    /// has just started. Returns the calls among them that have been placed, and that must therefore
    /// not be placed again.
    ///
    /// By default the store has a single host, and everything belongs to it.
    fn adopt(&self) -> impl Future<Output = Result<Vec<Call>, StoreError>> + Send {
        async {
            let mut live = self.live().await?;
            live.retain(|call| call.status != CallStatus::Queued);
            Ok(live)
        }
    }

    /// Tells the store that this host ends, so that others can adopt what belongs to it at once.
    fn leave(&self) -> impl Future<Output = Result<(), StoreError>> + Send {
        async { Ok(()) }
    }

    /// Some of the account's callbacks, newest first: all pending callbacks, and the finished ones
    /// that are kept.
    fn callbacks(
        &self,
        account: &AccountSid,
        which: Newest,
    ) -> impl Future<Output = Result<Vec<Callback>, StoreError>> + Send;

    /// The callbacks of these accounts that belong to this host, [are due](Callback::is_due) and have a
    /// slot, if none are being sent. For each account and receiver, these are the ones with the earliest
    /// [`next_at`](Callback::next_at). Accounts take turns: the first callback of each comes before
    /// the second of any.
    fn due_callbacks(
        &self,
        accounts: &Accounts,
        now: Moment,
        slots: &CallbackSlots,
    ) -> impl Future<Output = Result<Vec<Callback>, StoreError>> + Send;

    /// The earliest [`next_at`](Callback::next_at) of these accounts' callbacks that belong to this
    /// host.
    fn callbacks_wake_at(
        &self,
        accounts: &Accounts,
    ) -> impl Future<Output = Result<Option<Moment>, StoreError>> + Send;

    /// Saves a callback after an attempt. Returns `false` if the callback has changed (its number
    /// of attempts is not one less). The account's oldest finished callbacks beyond
    /// [`CALLBACKS_KEPT`] are dropped.
    fn save_callback(
        &self,
        callback: Callback,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Adds a throw-away account of a test; `false` if its Sid already exists. What makes it one is
    /// in the service's memory, so a store that outlives the service removes it when the next
    /// service begins.
    fn add_sandbox(
        &self,
        account: Account,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Removes an account and everything that belongs to it; `false` if it does not exist.
    fn remove_account(
        &self,
        account: &AccountSid,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Adds caller IDs of an account, without validations and events. Each replaces one with the
    /// same Sid or number.
    fn add_caller_ids(
        &self,
        account: &AccountSid,
        caller_ids: Vec<OutgoingCallerId>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Everything that belongs to an account, except its token and events.
    fn contents(
        &self,
        account: &AccountSid,
    ) -> impl Future<Output = Result<AccountContents, StoreError>> + Send;

    /// Replaces everything that belongs to an account, except its token. Its events are dropped, and
    /// clients that follow them get a [`Change::Reset`](crate::Change::Reset). The usage of the
    /// numbers of its old and new calls is forgotten, but not that of a real line.
    fn replace_contents(
        &self,
        account: &AccountSid,
        contents: AccountContents,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The account's events after the event with this id, oldest first, at most `limit`.
    fn events_after(
        &self,
        account: &AccountSid,
        id: u64,
        limit: usize,
    ) -> impl Future<Output = Result<Events, StoreError>> + Send;

    /// Adds a number to those whose owners want no calls on a real line; `false` if it is one
    /// already.
    fn opt_out(
        &self,
        number: &PhoneNumber,
        now: Moment,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Removes a number from those whose owners want no calls; `false` if it is none of them.
    fn remove_opt_out(
        &self,
        number: &PhoneNumber,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// The numbers whose owners want no calls, in their order.
    fn opt_outs(&self) -> impl Future<Output = Result<Vec<OptOut>, StoreError>> + Send;

    /// Whether a number's owner wants no calls.
    fn is_opted_out(
        &self,
        number: &PhoneNumber,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Stops the real line: no call is admitted or placed any more, and those under way are ended.
    /// Returns `false` if it is stopped already.
    fn stop_line(&self, now: Moment) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Starts the real line again; `false` if it is not stopped.
    fn start_line(&self) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Since when the real line is stopped; `None` if it is not.
    fn line_stopped_at(&self) -> impl Future<Output = Result<Option<Moment>, StoreError>> + Send;
}

/// Selects accounts: those of a store have the same time, except in tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accounts {
    /// This account.
    Only(AccountSid),
    /// All accounts except these.
    Except(Vec<AccountSid>),
}

impl Accounts {
    /// All accounts.
    pub const ALL: Self = Self::Except(Vec::new());

    /// Whether an account is one of them.
    pub fn contains(&self, account: &AccountSid) -> bool {
        match self {
            Self::Only(only) => only == account,
            Self::Except(others) => !others.contains(account),
        }
    }
}

/// Everything that belongs to an account, except its token and events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountContents {
    /// In list order.
    pub caller_ids: Vec<OutgoingCallerId>,
    /// Oldest first.
    pub calls: Vec<Call>,
    /// Oldest first.
    pub callbacks: Vec<Callback>,
}

/// Selects an account's calls or callbacks: the newest, or those older than one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Newest {
    /// Only those older than this one: when it was created, and the Sid of its call.
    pub before: Option<(Moment, CallSid)>,
    /// The maximum number to return.
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
    /// Whether events between the requested one and the first of these may have been dropped.
    pub gap: bool,
}

/// A store's error, for example because the disk is full or the database is gone.
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
    /// Wraps an error of the store.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { source: source.into(), kind: Kind::Failed }
    }

    /// Wraps an error that temporarily prevents the store from doing anything: another process has
    /// locked it, or it is gone. The response is a 503 with `Retry-After`.
    pub fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { kind: Kind::Unavailable, ..Self::new(source) }
    }

    /// Wraps an error in a single row, which fails every time it is read.
    pub fn unreadable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { kind: Kind::Unreadable, ..Self::new(source) }
    }

    /// Whether it can help to try again later.
    pub fn is_unavailable(&self) -> bool {
        self.kind == Kind::Unavailable
    }

    /// Whether a single row is unreadable.
    pub fn is_unreadable(&self) -> bool {
        self.kind == Kind::Unreadable
    }

    /// The response to a request that fails with this error.
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
