//! Everything in a directory, for a copy in another store.

use std::path::Path;

use callerid_core::{AccountSid, Moment, OutgoingCallerId};
use callerid_service::{Account, Call, Callback, Newest, NumberUsage, OptOut, StoreError};
use rusqlite::{Connection, Row};

use super::connect::connect;
use super::open::{self, DATABASE, OpenError, Options};
use super::{
    SqliteError, SqliteStore, accounts, callbacks, caller_ids, calls, events, line, numbers,
};
use crate::seal::{KeyFile, SealingKey};

/// A directory that no server uses and in which nothing changes as long as this exists.
pub(crate) struct Export {
    connection: Connection,
    /// Has the lock of the directory's only server.
    store: SqliteStore,
}

/// A code or a session.
pub(crate) struct SignIn {
    /// The SHA-256 of its secret.
    pub(crate) secret_hash: Vec<u8>,
    /// The account's id.
    pub(crate) account: i64,
    pub(crate) is_session: bool,
    /// In milliseconds since 1970.
    pub(crate) expires_at: i64,
}

/// A call that a limit of a real line counts.
pub(crate) struct LineCall {
    /// `None` once the number was cleared.
    pub(crate) number: Option<String>,
    pub(crate) account_sid: String,
    /// In milliseconds since 1970.
    pub(crate) at: i64,
}

/// The numbers of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) accounts: u64,
    pub(crate) caller_ids: u64,
    pub(crate) calls: u64,
    pub(crate) callbacks: u64,
    pub(crate) events: u64,
}

impl Export {
    /// Opens an existing directory, and upgrades its tables if need be. Its tokens are unsealed with
    /// the key in it or, if it has none, with this one.
    ///
    /// # Errors
    /// [`OpenError`], which says what the problem is.
    pub(crate) fn open(directory: &Path, key: Option<SealingKey>) -> Result<Self, OpenError> {
        let path = directory.join(DATABASE);
        // Opening the store would create it.
        drop(open::existing(&path)?);
        let key = KeyFile::in_directory(directory).read()?.or(key);
        let options = Options { key, serve: true, ..Options::default() };
        let store = SqliteStore::open(directory, options)?;
        // Keeps others, such as `callerid account`, from making changes.
        let connection = connect(&path, "BEGIN IMMEDIATE");
        let connection = connection.map_err(|source| OpenError::Database { path, source })?;
        Ok(Self { connection, store })
    }

    /// The accounts with their ids in other tables, in the order in which they were added.
    pub(crate) fn accounts(&self) -> Result<Vec<(i64, Account)>, StoreError> {
        let account = |sid: AccountSid| {
            let id = accounts::id(&self.connection, &sid)?;
            let account = accounts::find(&self.connection, &self.store.key, &sid)?;
            id.zip(account).ok_or(SqliteError::NoAccount(sid))
        };
        let sids = accounts::list(&self.connection)?;
        Ok(sids.into_iter().map(account).collect::<Result<_, _>>()?)
    }

    /// An account's caller IDs, in list order.
    pub(crate) fn caller_ids(
        &self,
        account: &AccountSid,
    ) -> Result<Vec<OutgoingCallerId>, StoreError> {
        Ok(caller_ids::all(&self.connection, account)?)
    }

    /// An account's calls, except those that cannot be read.
    pub(crate) fn calls(&self, account: &AccountSid) -> Result<Vec<Call>, StoreError> {
        Ok(calls::of_account(&self.connection, &self.store.key, account, Newest::ALL)?)
    }

    /// An account's callbacks, except those that cannot be read.
    pub(crate) fn callbacks(&self, account: &AccountSid) -> Result<Vec<Callback>, StoreError> {
        Ok(callbacks::of_account(&self.connection, &self.store.key, account, Newest::ALL)?)
    }

    /// The id, name and data of an account's events.
    pub(crate) fn events(&self, account: i64) -> Result<Vec<(i64, String, String)>, StoreError> {
        let select = "SELECT id, name, data FROM event WHERE account = ?1 ORDER BY id";
        Ok(rows(&self.connection, select, [account], |row| row.try_into())?)
    }

    /// The id of the newest event ever, of whichever account; 0 before the first.
    pub(crate) fn newest_event(&self) -> Result<i64, StoreError> {
        Ok(events::newest(&self.connection).map_err(SqliteError::from)?)
    }

    /// How numbers have been used.
    pub(crate) fn numbers(&self) -> Result<Vec<(String, NumberUsage)>, StoreError> {
        let select = "SELECT * FROM number";
        let usage = |row: &Row<'_>| Ok((row.get("number")?, numbers::from_row(row)?));
        Ok(rows(&self.connection, select, [], usage)?)
    }

    /// Codes and sessions.
    pub(crate) fn sign_ins(&self) -> Result<Vec<SignIn>, StoreError> {
        let select = "SELECT secret_hash, account, is_session, expires_at FROM sign_in";
        Ok(rows(&self.connection, select, [], |row| {
            Ok(SignIn {
                secret_hash: row.get(0)?,
                account: row.get(1)?,
                is_session: row.get(2)?,
                expires_at: row.get(3)?,
            })
        })?)
    }

    /// The calls of a real line, in the order in which they were admitted.
    pub(crate) fn line_calls(&self) -> Result<Vec<LineCall>, StoreError> {
        let select = "SELECT number, account_sid, at FROM line_call ORDER BY id";
        Ok(rows(&self.connection, select, [], |row| {
            Ok(LineCall { number: row.get(0)?, account_sid: row.get(1)?, at: row.get(2)? })
        })?)
    }

    /// Numbers' wrong entries on a real line.
    pub(crate) fn line_numbers(&self) -> Result<Vec<(String, i64)>, StoreError> {
        let select = "SELECT number, wrong_entries FROM line_number";
        Ok(rows(&self.connection, select, [], |row| row.try_into())?)
    }

    /// Numbers whose owners want no calls.
    pub(crate) fn opt_outs(&self) -> Result<Vec<OptOut>, StoreError> {
        Ok(line::opt_outs(&self.connection)?)
    }

    /// When the operator stopped the line, unless it is started.
    pub(crate) fn line_stopped_at(&self) -> Result<Option<Moment>, StoreError> {
        Ok(line::stopped_at(&self.connection).map_err(SqliteError::from)?)
    }

    /// The numbers of rows, including those that cannot be read.
    pub(crate) fn totals(&self) -> Result<Totals, StoreError> {
        let count = |table: &str| {
            let count = format!("SELECT count(*) FROM {table}");
            let rows: i64 = self.connection.query_row(&count, [], |row| row.get(0))?;
            Ok::<_, SqliteError>(rows.unsigned_abs())
        };
        Ok(Totals {
            accounts: count("account")?,
            caller_ids: count("caller_id")?,
            calls: count("call")?,
            callbacks: count("callback")?,
            events: count("event")?,
        })
    }
}

fn rows<T>(
    connection: &Connection,
    select: &str,
    parameters: impl rusqlite::Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, SqliteError> {
    let mut select = connection.prepare_cached(select)?;
    let rows = select.query_map(parameters, read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}
