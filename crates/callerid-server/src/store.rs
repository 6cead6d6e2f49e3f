//! The durable store: SQLite in a directory.
//!
//! # The directory
//!
//! | file | contents |
//! |---|---|
//! | `callerid.sqlite3`, and SQLite's `-wal` and `-shm` beside it | everything |
//! | `key` | the key that seals tokens, unless the environment provides it (see [`seal`](crate::seal)) |
//! | `lock` | locked by the directory's only server |
//!
//! Any number of processes can open a directory, but only one as its server. It is therefore
//! possible to add an account or clear a number while the server runs; the server sees the change
//! with its next request.
//!
//! # Durability
//!
//! A change is answered once it is on disk: the database is in WAL mode with `synchronous=FULL`, so
//! a commit ends with an fsync. One thread makes all changes. It commits all changes that arrived
//! during the previous commit together, so many connections share an fsync. A change that fails is
//! rolled back on its own; if the commit fails, all its changes fail.
//!
//! Once the directory, its database or its lock has been replaced, every change and every read
//! fails; see [`SqliteStore::gone`]. The replacement is not written to.
//!
//! # Secrets
//!
//! Tokens are sealed, and so are the user and the password in a callback's URL. A validation code is
//! stored in plain text while its call is live. When the call ends and the code is worthless, it is
//! set to null, and `secure_delete=FAST` overwrites it in the page that the change writes anyway. The
//! files are accessible only to their owner.
//!
//! # Cost
//!
//! With the number of an account's rows, no method's cost grows by more than a logarithm: a page is
//! one range of an index, starting at the position of a neighbouring row, and the total is updated
//! when rows are added and removed. Three reads take linear time, but step only over an index: a page
//! selected by number, from the nearer end of the list; the total of a list filtered by name only;
//! and the callbacks to send next, among all that are due.

mod accounts;
mod backup;
mod callback_target;
mod callbacks;
mod caller_ids;
mod calls;
mod connect;
mod contents;
mod events;
#[cfg(feature = "postgres")]
mod export;
mod line;
mod numbers;
mod open;
mod presence;
mod readers;
mod schema;
mod sessions;
#[cfg(test)]
mod tests;
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
    Account, AccountContents, Accounts, Admitted, Call, Callback, CallbackSlots, Events,
    Ineligible, Limits, Newest, OptOut, Store, StoreError, Transition, Unauthenticated,
};
use rusqlite::{Connection, ErrorCode, OptionalExtension as _};
use tokio::sync::watch;
use tokio::time::sleep;

pub use backup::{BackupError, Checked, backup, check_backup, check_directory};
#[cfg(feature = "postgres")]
pub(crate) use export::{Export, Totals};
pub(crate) use open::remove_unserved;
pub use open::{OpenError, Options};

pub use crate::durable_store::{DurableStore, FailedNumber};

use crate::counted;
use crate::metrics::METRICS;
use crate::seal::SealingKey;
use crate::server_store::ServerStore;
use presence::Presence;
use readers::Readers;
use unreadable::Unreadable;
use writer::Writer;

/// How often the files are checked when nothing is written.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Stores everything in an SQLite database in a directory.
///
/// Reads run on the calling thread, each with one snapshot. Changes run on a separate thread. If a
/// future is dropped before it completes, its change may or may not have been made, but never
/// partially.
pub struct SqliteStore {
    key: SealingKey,
    readers: Readers,
    writer: Writer,
    presence: Arc<Presence>,
    rows_set_aside: AtomicU64,
    _lock: Option<open::Lock>,
}

impl SqliteStore {
    /// Opens the store in this directory. Creates the directory and the store if they do not exist.
    ///
    /// # Errors
    /// [`OpenError`], which says what the problem is.
    pub fn open(directory: &Path, options: Options) -> Result<Self, OpenError> {
        open::open(directory, options)
    }

    /// Counts the commits of this process. The value changes whenever the store's contents may have
    /// changed.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.writer.commits()
    }

    /// Checks that the files are still those that were opened, and that changes are possible, by
    /// making a change without effect.
    ///
    /// # Errors
    /// The error that the next change would have.
    pub async fn health(&self) -> Result<(), StoreError> {
        const VERSION: &str = "user_version";
        self.write(|connection| {
            // Not a row set to its current value: SQLite would write nothing, even if the disk is
            // full.
            let version: i32 = connection.pragma_query_value(None, VERSION, |row| row.get(0))?;
            Ok(connection.pragma_update(None, VERSION, version)?)
        })
        .await
    }

    /// Completes with the reason once the directory, its database or its lock has been removed or
    /// replaced. From then on, all operations fail, and the store must be opened again.
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

    async fn add_any_account(
        &self,
        account: Account,
        is_sandbox: bool,
    ) -> Result<bool, StoreError> {
        let sealed = accounts::seal(&self.key, &account)?;
        self.write(move |it| accounts::add(it, &account.sid, &sealed, is_sandbox)).await
    }

    /// Removes an account and everything that belongs to it; `false` if it does not exist.
    ///
    /// # Errors
    /// The store's error.
    pub async fn remove_account(&self, account: &AccountSid) -> Result<bool, StoreError> {
        let account = *account;
        self.write(move |connection| accounts::remove(connection, &account)).await
    }

    /// Adds caller IDs without validation, all in one commit. Each replaces one with the same Sid
    /// or number. This creates no events. All must belong to `account`, which must exist.
    ///
    /// # Errors
    /// The store's error.
    pub async fn import(
        &self,
        account: &AccountSid,
        rows: impl IntoIterator<Item = OutgoingCallerId> + Send + 'static,
    ) -> Result<(), StoreError> {
        let account = *account;
        self.write(move |connection| caller_ids::import(connection, &account, rows)).await
    }

    /// The number of unreadable rows set aside since the store was opened: calls that end without a
    /// transition, and callbacks that are not sent.
    pub fn rows_set_aside(&self) -> u64 {
        self.rows_set_aside.load(Ordering::Relaxed)
    }

    /// Reads rows, after setting aside the unreadable ones among them.
    async fn readable<T>(
        &self,
        what: &'static str,
        read: impl Fn(&Connection) -> Result<(Vec<T>, Vec<Unreadable>), SqliteError>,
        set_aside: fn(&Connection, &Unreadable) -> Result<(), SqliteError>,
    ) -> Result<Vec<T>, StoreError> {
        loop {
            let (rows, unreadable) = self.snapshot(&read)?;
            // They may have taken the places of others, but not of all.
            if unreadable.is_empty() {
                return Ok(rows);
            }
            self.set_aside(what, unreadable, set_aside).await?;
        }
    }

    /// Sets unreadable rows aside, so that they do not block others.
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

    /// Performs a read with several statements.
    fn snapshot<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, SqliteError>,
    ) -> Result<T, StoreError> {
        self.readers.snapshot(read).map_err(failed)
    }

    /// Performs a read with one statement.
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
        admit: impl FnOnce(&Account) -> Result<(), Unauthenticated> + Send,
    ) -> Result<Result<Option<OutgoingCallerId>, Unauthenticated>, StoreError> {
        self.read(|connection| {
            accounts::read_if_admitted(connection, &self.key, account, admit, |id| {
                Ok(caller_ids::find(connection, id, account, sid)?)
            })
        })
    }

    async fn list(
        &self,
        account: &AccountSid,
        filter: &Filter,
        page: PageRequest,
        admit: impl FnOnce(&Account) -> Result<(), Unauthenticated> + Send,
    ) -> Result<Result<Page<OutgoingCallerId>, Unauthenticated>, StoreError> {
        self.read(|connection| {
            accounts::read_if_admitted(connection, &self.key, account, admit, |id| {
                Ok(caller_ids::list(connection, id, account, filter, page)?)
            })
        })
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

    async fn due(
        &self,
        accounts: &Accounts,
        now: Moment,
        limit: usize,
    ) -> Result<Vec<Call>, StoreError> {
        let due = |connection: &Connection| calls::due(connection, &self.key, accounts, now, limit);
        self.readable("call", due, calls::set_aside).await
    }

    async fn wake_at(&self, accounts: &Accounts) -> Result<Option<Moment>, StoreError> {
        self.read(|connection| calls::wake_at(connection, accounts))
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
        accounts: &Accounts,
        now: Moment,
        slots: &CallbackSlots,
    ) -> Result<Vec<Callback>, StoreError> {
        let due =
            |connection: &Connection| callbacks::due(connection, &self.key, accounts, now, slots);
        self.readable("callback", due, callbacks::set_aside).await
    }

    async fn callbacks_wake_at(&self, accounts: &Accounts) -> Result<Option<Moment>, StoreError> {
        self.read(|connection| callbacks::wake_at(connection, accounts))
    }

    async fn save_callback(&self, callback: Callback) -> Result<bool, StoreError> {
        let outcome = counted::attempt(&callback);
        let saved = self.write(move |connection| callbacks::save(connection, &callback)).await?;
        counted::attempted(outcome, saved);
        Ok(saved)
    }

    async fn add_sandbox(&self, account: Account) -> Result<bool, StoreError> {
        self.add_any_account(account, true).await
    }

    async fn remove_account(&self, account: &AccountSid) -> Result<bool, StoreError> {
        SqliteStore::remove_account(self, account).await
    }

    async fn add_caller_ids(
        &self,
        account: &AccountSid,
        caller_ids: Vec<OutgoingCallerId>,
    ) -> Result<(), StoreError> {
        self.import(account, caller_ids).await
    }

    async fn contents(&self, account: &AccountSid) -> Result<AccountContents, StoreError> {
        self.snapshot(|connection| contents::find(connection, &self.key, account))
    }

    async fn replace_contents(
        &self,
        account: &AccountSid,
        contents: AccountContents,
    ) -> Result<(), StoreError> {
        let (account, key) = (*account, self.key.clone());
        self.write_for(account, move |it| contents::replace(it, &key, &account, &contents)).await
    }

    async fn events_after(
        &self,
        account: &AccountSid,
        id: u64,
        limit: usize,
    ) -> Result<Events, StoreError> {
        self.snapshot(|connection| events::after(connection, account, id, limit))
    }

    async fn opt_out(&self, number: &PhoneNumber, now: Moment) -> Result<bool, StoreError> {
        let number = *number;
        self.write(move |connection| Ok(line::opt_out(connection, &number, now)?)).await
    }

    async fn remove_opt_out(&self, number: &PhoneNumber) -> Result<bool, StoreError> {
        let number = *number;
        self.write(move |connection| Ok(line::remove_opt_out(connection, &number)?)).await
    }

    async fn opt_outs(&self) -> Result<Vec<OptOut>, StoreError> {
        self.read(line::opt_outs)
    }

    async fn is_opted_out(&self, number: &PhoneNumber) -> Result<bool, StoreError> {
        self.read(|connection| Ok(line::is_opted_out(connection, number)?))
    }

    async fn stop_line(&self, now: Moment) -> Result<bool, StoreError> {
        self.write(move |connection| Ok(line::stop(connection, now)?)).await
    }

    async fn start_line(&self) -> Result<bool, StoreError> {
        self.write(|connection| Ok(line::start(connection)?)).await
    }

    async fn line_stopped_at(&self) -> Result<Option<Moment>, StoreError> {
        self.read(|connection| Ok(line::stopped_at(connection)?))
    }
}

impl DurableStore for SqliteStore {
    async fn add_account(&self, account: Account) -> Result<bool, StoreError> {
        self.add_any_account(account, false).await
    }

    async fn accounts(&self) -> Result<Vec<AccountSid>, StoreError> {
        self.read(accounts::list)
    }

    async fn rotate(&self, account: Account) -> Result<bool, StoreError> {
        let sealed = accounts::seal(&self.key, &account)?;
        self.write(move |connection| {
            sessions::end(connection, &account.sid)?;
            accounts::rotate(connection, &account.sid, &sealed)
        })
        .await
    }

    async fn add_code(
        &self,
        account: &AccountSid,
        code: AuthToken,
        now: Moment,
    ) -> Result<bool, StoreError> {
        let account = *account;
        self.write(move |connection| Ok(sessions::add_code(connection, &account, &code, now)?))
            .await
    }

    async fn page_url(&self) -> Result<Option<String>, StoreError> {
        self.read(|connection| Ok(sessions::page_url(connection)?))
    }

    async fn set_page_url(&self, url: &str) -> Result<(), StoreError> {
        let url = url.to_owned();
        self.write(move |connection| Ok(sessions::set_page_url(connection, &url)?)).await
    }

    async fn failed_numbers(&self) -> Result<Vec<FailedNumber>, StoreError> {
        self.read(numbers::failed)
    }

    async fn clear_number(&self, number: &PhoneNumber) -> Result<FailedNumber, StoreError> {
        let number = *number;
        self.write(move |connection| numbers::clear(connection, &number)).await
    }
}

impl ServerStore for SqliteStore {
    async fn begin_session(
        &self,
        credentials: &Credentials,
        session: &AuthToken,
        most: u32,
        now: Moment,
    ) -> Result<bool, StoreError> {
        let (key, credentials, session) = (self.key.clone(), credentials.clone(), session.clone());
        self.write(move |connection| {
            sessions::begin(connection, &key, &credentials, &session, most, now)
        })
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

/// The parameters of the condition `(instr(?, account.sid) > 0) = ?`, which selects accounts.
fn selected(accounts: &Accounts) -> (String, bool) {
    match accounts {
        Accounts::Only(account) => (account.to_string(), true),
        Accounts::Except(others) => (others.iter().map(AccountSid::as_str).collect(), false),
    }
}

/// The moment that a statement selects for these accounts, if any.
fn earliest(
    connection: &Connection,
    accounts: &Accounts,
    select: &str,
) -> Result<Option<Moment>, SqliteError> {
    let mut select = connection.prepare_cached(select)?;
    let earliest = select.query_row(selected(accounts), |row| row.get(0)).optional()?;
    Ok(earliest.map(Moment::from_unix_millis))
}

/// The store's errors.
#[derive(Debug)]
enum SqliteError {
    Database(rusqlite::Error),
    /// The account does not exist, or no longer.
    NoAccount(AccountSid),
    /// A token that the key cannot unseal.
    Sealed(AccountSid),
    NoRandomness(getrandom::Error),
    /// A batch's commit failed, and with it all changes of the batch.
    Commit(Arc<SqliteError>),
    /// The writer thread has ended.
    Stopped,
    /// The file that was opened under this name is gone.
    Gone(PathBuf),
}

impl SqliteError {
    /// Whether it can succeed later: another process has locked the database, or it is gone.
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

    /// Whether a single row is unreadable: SQLite works, but the row's contents are invalid.
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

/// Parses a text column.
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

/// Parses a text column that may be null.
fn optional<T, E: std::error::Error + Send + Sync + 'static>(
    row: &rusqlite::Row<'_>,
    column: usize,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> rusqlite::Result<Option<T>> {
    let is_null = row.get_ref(column)?.as_str_or_null()?.is_none();
    if is_null { Ok(None) } else { parsed(row, column, parse).map(Some) }
}
