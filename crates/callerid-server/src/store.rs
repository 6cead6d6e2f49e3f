//! The durable store: SQLite in a directory.
//!
//! # The directory
//!
//! | file | holds |
//! |---|---|
//! | `callerid.sqlite3`, and SQLite's `-wal` and `-shm` beside it | everything |
//! | `key` | the key that tokens are sealed with, unless it is given from outside (see [`seal`](crate::seal)) |
//! | `lock` | locked by the one server that works on the directory |
//!
//! Any number of processes may open a directory, but only one as its server; so an account can be
//! added or a number cleared while the server runs, and it knows at its next request.
//!
//! # Durability
//!
//! A change is answered when it is on disk: the database is in WAL mode with `synchronous=FULL`, so
//! that a commit ends with an fsync. Changes go to one thread, which commits together whatever has
//! arrived while the last commit was under way: many connections share an fsync. A change that fails
//! is rolled back by itself; if the commit fails, all that shared it do.
//!
//! Once the directory, its database or its lock is another than was opened, every change and every read fails: see
//! [`SqliteStore::gone`]. What stands in their place is not written.
//!
//! # What is secret
//!
//! Tokens are sealed, and the user and the password in the URL of a callback. A validation code is in clear while its call is live and is set to null when it
//! ends, when it is worth nothing any more; `secure_delete=FAST` overwrites it in the page that the change
//! writes anyway. The files are for their owner alone.
//!
//! # Cost
//!
//! With the rows of an account no method's cost grows by more than a logarithm: a page is one range of an index,
//! from the place of a neighbour's row on, and the total is counted as rows come and go. Three reads are linear,
//! in steps over an index alone: to a page that is asked for by its number, from the nearer end of the list; the total
//! of a list that is filtered by a name alone; and to the callbacks whose turn it is, of all that are due.

mod accounts;
mod backup;
mod callback_target;
mod callbacks;
mod caller_ids;
mod calls;
mod connect;
mod counted;
mod events;
mod numbers;
mod open;
mod presence;
mod readers;
mod schema;
mod sessions;
#[cfg(test)]
mod tests;
mod turns;
mod unreadable;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use callerid_core::{
    AccountSid, AuthToken, CallSid, CallerIdSid, Credentials, Filter, FriendlyName, Moment,
    OutgoingCallerId, Page, PageRequest, PhoneNumber,
};
use callerid_service::{
    Account, Admitted, Call, Callback, CallbackSlots, Events, Ineligible, Limits, Newest,
    NumberUsage, Store, StoreError, Transition,
};
use rusqlite::{Connection, ErrorCode};
use tokio::sync::watch;
use tokio::time::sleep;

pub use backup::{BackupError, Checked, backup, check_backup, check_directory};
pub use open::{OpenError, Options};

use crate::metrics::METRICS;
use crate::seal::SealingKey;
use crate::sessions::SessionStore;
use presence::Presence;
use readers::Readers;
use unreadable::Unreadable;
use writer::Writer;

/// How often the files are looked at where nothing is written.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Keeps everything in an SQLite database in a directory.
///
/// Reads are made on the thread that asks, each from one snapshot; changes on a thread of their own. A
/// future that is dropped before it is done may have made its change or not, whole either way.
pub struct SqliteStore {
    key: SealingKey,
    readers: Readers,
    writer: Writer,
    presence: Arc<Presence>,
    rows_set_aside: AtomicU64,
    _lock: Option<open::Lock>,
}

impl SqliteStore {
    /// Opens the store in that directory; both are made where there are none.
    ///
    /// # Errors
    /// [`OpenError`], which names what is in the way.
    pub fn open(directory: &Path, options: Options) -> Result<Self, OpenError> {
        open::open(directory, options)
    }

    /// Counts the commits of this process: it changes whenever something in the store may have.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.writer.commits()
    }

    /// Whether the files are still those that were opened, and a change would be made: it makes one that changes nothing.
    ///
    /// # Errors
    /// What the next change would fail with.
    pub async fn health(&self) -> Result<(), StoreError> {
        const VERSION: &str = "user_version";
        self.write(|connection| {
            // Not a row set to what it is: SQLite writes nothing then, though the disk be full.
            let version: i32 = connection.pragma_query_value(None, VERSION, |row| row.get(0))?;
            Ok(connection.pragma_update(None, VERSION, version)?)
        })
        .await
    }

    /// Ready once the directory, its database or its lock has been removed or replaced, with the reason. From then on
    /// the store fails; it is to be opened again.
    pub fn gone(&self) -> impl Future<Output = StoreError> + Send + use<> {
        let presence = Arc::clone(&self.presence);
        async move {
            loop {
                match presence.check() {
                    Ok(()) => sleep(LOOK_EVERY).await,
                    Err(gone) => return gone.into(),
                }
            }
        }
    }

    /// Adds an account; `false` where there is one with its Sid already.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn add_account(&self, account: Account) -> Result<bool, StoreError> {
        let sealed = accounts::seal(&self.key, &account)?;
        self.write(move |connection| accounts::add(connection, &account.sid, &sealed)).await
    }

    /// The accounts, in the order they were added.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn accounts(&self) -> Result<Vec<AccountSid>, StoreError> {
        self.read(accounts::list)
    }

    /// Gives an account another token, which its next request must carry, and ends its sessions; `false` where there is no
    /// such account.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn rotate(&self, account: Account) -> Result<bool, StoreError> {
        let sealed = accounts::seal(&self.key, &account)?;
        self.write(move |connection| {
            sessions::end(connection, &account.sid)?;
            accounts::rotate(connection, &account.sid, &sealed)
        })
        .await
    }

    /// Removes an account and all that is its own; `false` where there is no such account.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn remove_account(&self, account: &AccountSid) -> Result<bool, StoreError> {
        let account = *account;
        self.write(move |connection| accounts::remove(connection, &account)).await
    }

    /// Adds a code that begins one session of the account, within ten minutes; `false` where there is no such account.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn add_code(
        &self,
        account: &AccountSid,
        code: AuthToken,
        now: Moment,
    ) -> Result<bool, StoreError> {
        let account = *account;
        self.write(move |connection| Ok(sessions::add_code(connection, &account, &code, now)?))
            .await
    }

    /// Where the page is, as the server that was started last has said.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn page_url(&self) -> Result<Option<String>, StoreError> {
        self.read(|connection| Ok(sessions::page_url(connection)?))
    }

    /// Keeps where the page is.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn set_page_url(&self, url: &str) -> Result<(), StoreError> {
        let url = url.to_owned();
        self.write(move |connection| Ok(sessions::set_page_url(connection, &url)?)).await
    }

    /// Numbers that have had wrong entries in a row, those with the most first.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn failed_numbers(&self) -> Result<Vec<(PhoneNumber, NumberUsage)>, StoreError> {
        self.read(numbers::failed)
    }

    /// Forgets a number's wrong entries, those of its live calls included, and its calls, so that it takes calls
    /// again; returns what was known of it.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn clear_number(&self, number: &PhoneNumber) -> Result<NumberUsage, StoreError> {
        let number = *number;
        self.write(move |connection| numbers::clear(connection, &number)).await
    }

    /// Puts caller IDs in as they stand, without a validation, each in place of one with the same Sid or
    /// the same number, all in one commit. No event tells of them. All are to be of `account`, which
    /// must exist.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn import(
        &self,
        account: &AccountSid,
        rows: impl IntoIterator<Item = OutgoingCallerId> + Send + 'static,
    ) -> Result<(), StoreError> {
        let account = *account;
        self.write(move |connection| caller_ids::import(connection, &account, rows)).await
    }

    /// Rows that could not be read and were set aside since the store was opened: calls that end without a step, and
    /// callbacks that are not sent.
    pub fn rows_set_aside(&self) -> u64 {
        self.rows_set_aside.load(Ordering::Relaxed)
    }

    /// Sees to it that rows which cannot be read keep no others waiting.
    async fn set_aside(
        &self,
        what: &'static str,
        rows: Vec<Unreadable>,
        set_aside: fn(&Connection, &Unreadable) -> Result<(), SqliteError>,
    ) -> Result<(), StoreError> {
        let count = rows.len();
        for row in &rows {
            row.log_set_aside(what);
        }
        self.write(move |connection| rows.iter().try_for_each(|row| set_aside(connection, row)))
            .await?;
        self.rows_set_aside.fetch_add(count.try_into().unwrap_or(u64::MAX), Ordering::Relaxed);
        Ok(())
    }

    /// A read of several statements.
    fn snapshot<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, SqliteError>,
    ) -> Result<T, StoreError> {
        self.readers.snapshot(read).map_err(failed)
    }

    /// A read of one statement.
    fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, SqliteError>,
    ) -> Result<T, StoreError> {
        self.readers.read(read).map_err(failed)
    }

    async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.write_for(None, change).await
    }

    /// A change of that account, which it has in its turn.
    async fn write_for<T: Send + 'static>(
        &self,
        account: impl Into<Option<AccountSid>>,
        change: impl FnOnce(&Connection) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let started = Instant::now();
        let written = self.writer.write(account.into(), change).await.map_err(failed);
        METRICS.written(started.elapsed());
        written
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.readers.path()).finish_non_exhaustive()
    }
}

impl Store for SqliteStore {
    async fn health(&self) -> Result<(), StoreError> {
        SqliteStore::health(self).await
    }

    async fn account(&self, sid: &AccountSid) -> Result<Option<Account>, StoreError> {
        self.read(|connection| accounts::find(connection, &self.key, sid))
    }

    async fn caller_id(
        &self,
        account: &AccountSid,
        sid: &CallerIdSid,
    ) -> Result<Option<OutgoingCallerId>, StoreError> {
        self.read(|connection| caller_ids::find(connection, account, sid))
    }

    async fn list(
        &self,
        account: &AccountSid,
        filter: &Filter,
        page: PageRequest,
    ) -> Result<Page<OutgoingCallerId>, StoreError> {
        self.snapshot(|connection| caller_ids::list(connection, account, filter, page))
    }

    async fn rename(
        &self,
        account: &AccountSid,
        sid: &CallerIdSid,
        name: Option<FriendlyName>,
        now: Moment,
    ) -> Result<Option<OutgoingCallerId>, StoreError> {
        let (account, sid) = (*account, *sid);
        let rename = move |it: &Connection| caller_ids::rename(it, &account, &sid, name, now);
        self.write_for(account, rename).await
    }

    async fn remove(&self, account: &AccountSid, sid: &CallerIdSid) -> Result<bool, StoreError> {
        let (account, sid) = (*account, *sid);
        let remove = move |it: &Connection| caller_ids::remove(it, &account, &sid);
        self.write_for(account, remove).await
    }

    async fn add_call(
        &self,
        call: Call,
        limits: &Limits,
    ) -> Result<Result<Admitted, Ineligible>, StoreError> {
        let (account, key, limits) = (call.account_sid, self.key.clone(), *limits);
        let add = move |connection: &Connection| calls::add(connection, &key, call, &limits);
        let added = self.write_for(account, add).await?;
        counted::added(&added);
        Ok(added)
    }

    async fn call(&self, sid: &CallSid) -> Result<Option<Call>, StoreError> {
        self.read(|connection| calls::find(connection, &self.key, sid))
    }

    async fn calls(&self, account: &AccountSid, which: Newest) -> Result<Vec<Call>, StoreError> {
        self.snapshot(|connection| calls::of_account(connection, &self.key, account, which))
    }

    async fn save(&self, steps: Vec<Transition>) -> Result<Vec<bool>, StoreError> {
        let ends = steps.iter().map(counted::outcome).collect::<Vec<_>>();
        // Several are those that time has come for, of whichever accounts.
        let account = steps.first().filter(|_| steps.len() == 1).map(|step| step.call.account_sid);
        let save = move |it: &Connection| calls::save_all(it, &steps);
        let saved = self.write_for(account, save).await?;
        counted::saved(&ends, &saved);
        Ok(saved)
    }

    async fn due(&self, now: Moment, limit: usize) -> Result<Vec<Call>, StoreError> {
        let due = |connection: &Connection| calls::due(connection, &self.key, now, limit);
        loop {
            let (calls, unreadable) = self.snapshot(due)?;
            // They may have stood in the place of others, if not of all.
            if unreadable.is_empty() {
                return Ok(calls);
            }
            self.set_aside("call", unreadable, calls::set_aside).await?;
        }
    }

    async fn wake_at(&self) -> Result<Option<Moment>, StoreError> {
        self.read(calls::wake_at)
    }

    async fn callbacks(
        &self,
        account: &AccountSid,
        which: Newest,
    ) -> Result<Vec<Callback>, StoreError> {
        self.snapshot(|connection| callbacks::of_account(connection, &self.key, account, which))
    }

    async fn due_callbacks(
        &self,
        now: Moment,
        slots: &CallbackSlots,
    ) -> Result<Vec<Callback>, StoreError> {
        let due = |connection: &Connection| callbacks::due(connection, &self.key, now, slots);
        loop {
            let (callbacks, unreadable) = self.snapshot(due)?;
            if unreadable.is_empty() {
                return Ok(callbacks);
            }
            self.set_aside("callback", unreadable, callbacks::set_aside).await?;
        }
    }

    async fn callbacks_wake_at(&self) -> Result<Option<Moment>, StoreError> {
        self.read(callbacks::wake_at)
    }

    async fn save_callback(&self, callback: Callback) -> Result<bool, StoreError> {
        let outcome = counted::attempt(&callback);
        let saved = self.write(move |connection| callbacks::save(connection, &callback)).await?;
        counted::attempted(outcome, saved);
        Ok(saved)
    }

    async fn events_after(
        &self,
        account: &AccountSid,
        id: u64,
        limit: usize,
    ) -> Result<Events, StoreError> {
        self.snapshot(|connection| events::after(connection, account, id, limit))
    }
}

impl SessionStore for SqliteStore {
    async fn begin_session(
        &self,
        credentials: &Credentials,
        session: &AuthToken,
        now: Moment,
    ) -> Result<bool, StoreError> {
        let (key, credentials, session) = (self.key.clone(), credentials.clone(), session.clone());
        self.write(move |connection| sessions::begin(connection, &key, &credentials, &session, now))
            .await
    }

    async fn session_account(
        &self,
        credentials: &Credentials,
        now: Moment,
    ) -> Result<Option<Account>, StoreError> {
        self.snapshot(|connection| sessions::account(connection, &self.key, credentials, now))
    }
}

fn failed(error: SqliteError) -> StoreError {
    METRICS.store_failures.inc();
    error.into()
}

/// The place that all are older than; the end of time where none is named. (No Sid is greater than the text.)
fn before(which: &Newest) -> (i64, String) {
    let place = which.before.map(|(created_at, sid)| (created_at.unix_millis(), sid.to_string()));
    place.unwrap_or_else(|| (i64::MAX, "~".to_owned()))
}

/// What a store runs into.
#[derive(Debug)]
enum SqliteError {
    Database(rusqlite::Error),
    /// The account is not, or no longer, there.
    NoAccount(AccountSid),
    /// A token that the key does not unseal.
    Sealed(AccountSid),
    NoRandomness(getrandom::Error),
    /// The changes of a batch share its commit, and its failure.
    Commit(Arc<SqliteError>),
    /// The thread that writes has ended.
    Stopped,
    /// What was opened under that name is not there any more.
    Gone(PathBuf),
}

impl SqliteError {
    /// Whether it may go well later: another process has the database locked, or it is gone.
    fn is_unavailable(&self) -> bool {
        match self {
            Self::Database(error) => matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::CannotOpen)
            ),
            Self::Commit(failure) => failure.is_unavailable(),
            Self::Stopped | Self::Gone(_) => true,
            Self::NoAccount(_) | Self::Sealed(_) | Self::NoRandomness(_) => false,
        }
    }

    /// Whether it is one row that cannot be read: not SQLite that fails, but what it has is no value of ours.
    fn is_unreadable(&self) -> bool {
        match self {
            Self::Database(error) => unreadable::is_unreadable(error),
            Self::Sealed(_) => true,
            _ => false,
        }
    }
}

impl From<SqliteError> for StoreError {
    fn from(error: SqliteError) -> Self {
        if error.is_unavailable() {
            Self::unavailable(error)
        } else if error.is_unreadable() {
            Self::unreadable(error)
        } else {
            Self::new(error)
        }
    }
}

impl fmt::Display for SqliteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(error) => write!(f, "{error}"),
            Self::NoAccount(sid) => write!(f, "there is no account {sid}"),
            Self::Sealed(sid) => write!(f, "the token of account {sid} cannot be unsealed"),
            Self::NoRandomness(error) => write!(f, "no randomness: {error}"),
            Self::Commit(failure) => write!(f, "not committed: {failure}"),
            Self::Stopped => write!(f, "the thread that writes has ended"),
            Self::Gone(path) => {
                write!(f, "{} was removed or replaced while it was in use", path.display())
            }
        }
    }
}

impl std::error::Error for SqliteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Database(error) => Some(error),
            Self::NoRandomness(error) => Some(error),
            Self::Commit(failure) => failure.source(),
            Self::NoAccount(_) | Self::Sealed(_) | Self::Stopped | Self::Gone(_) => None,
        }
    }
}

impl From<rusqlite::Error> for SqliteError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

/// A column's text as the value it was written from.
fn parsed<T, E: std::error::Error + Send + Sync + 'static>(
    row: &rusqlite::Row<'_>,
    column: usize,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    parse(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Text,
            Box::new(error),
        )
    })
}

/// A column that may be null, as the value it was written from.
fn optional<T, E: std::error::Error + Send + Sync + 'static>(
    row: &rusqlite::Row<'_>,
    column: usize,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> rusqlite::Result<Option<T>> {
    let is_null = row.get_ref(column)?.as_str_or_null()?.is_none();
    if is_null { Ok(None) } else { parsed(row, column, parse).map(Some) }
}
