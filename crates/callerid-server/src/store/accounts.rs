//! Accounts: their Sids, and their sealed tokens.

use callerid_core::{AccountSid, AuthToken};
use callerid_service::{Account, StoreError, Unauthenticated};
use rusqlite::{Connection, OptionalExtension as _};

use super::unreadable::{self, Survey};
use super::{SqliteError, parsed};
use crate::seal::SealingKey;

/// Seals an account's token for its Sid.
pub(super) fn seal(key: &SealingKey, account: &Account) -> Result<Vec<u8>, StoreError> {
    let sealed = key.seal(account.auth_token.expose().as_bytes(), account.sid.as_str().as_bytes());
    sealed.map_err(|error| StoreError::new(SqliteError::NoRandomness(error)))
}

fn unseal(key: &SealingKey, sid: &AccountSid, sealed: &[u8]) -> Result<AuthToken, SqliteError> {
    let token = key.unseal(sealed, sid.as_str().as_bytes());
    let token = token.and_then(|token| AuthToken::new(std::str::from_utf8(&token).ok()?).ok());
    token.ok_or(SqliteError::Sealed(*sid))
}

/// An account's id in other tables.
pub(super) fn id(connection: &Connection, sid: &AccountSid) -> rusqlite::Result<Option<i64>> {
    let mut find = connection.prepare_cached("SELECT id FROM account WHERE sid = ?1")?;
    find.query_row([sid.as_str()], |row| row.get(0)).optional()
}

pub(super) fn find(
    connection: &Connection,
    key: &SealingKey,
    sid: &AccountSid,
) -> Result<Option<Account>, SqliteError> {
    find_and(connection, key, sid, |found| Ok(found.map(|(_, account)| account)))
}

/// Reads what belongs to an account, by its id, if `admit` admits the request to the account.
pub(super) fn read_if_admitted<T>(
    connection: &Connection,
    key: &SealingKey,
    sid: &AccountSid,
    admit: impl FnOnce(&Account) -> Result<(), Unauthenticated>,
    read: impl FnOnce(i64) -> Result<T, SqliteError>,
) -> Result<Result<T, Unauthenticated>, SqliteError> {
    find_and(connection, key, sid, |found| match found {
        Some((id, account)) => match admit(&account) {
            Ok(()) => read(id).map(Ok),
            Err(unauthenticated) => Ok(Err(unauthenticated)),
        },
        None => Ok(Err(Unauthenticated)),
    })
}

/// Finds an account with its id in other tables, and performs a read that sees the same state.
fn find_and<T>(
    connection: &Connection,
    key: &SealingKey,
    sid: &AccountSid,
    read: impl FnOnce(Option<(i64, Account)>) -> Result<T, SqliteError>,
) -> Result<T, SqliteError> {
    let mut find =
        connection.prepare_cached("SELECT id, sealed_token FROM account WHERE sid = ?1")?;
    // Until these rows are dropped, SQLite is in one read transaction, which costs less than one
    // with BEGIN and COMMIT.
    let mut rows = find.query([sid.as_str()])?;
    let Some(row) = rows.next()? else { return read(None) };
    let sealed = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
    let account = Account { sid: *sid, auth_token: unseal(key, sid, sealed)? };
    read(Some((row.get(0)?, account)))
}

pub(super) fn list(connection: &Connection) -> Result<Vec<AccountSid>, SqliteError> {
    let mut list = connection.prepare_cached("SELECT sid FROM account ORDER BY id")?;
    let sids = list.query_map([], |row| parsed(row, 0, AccountSid::parse))?;
    Ok(sids.collect::<Result<_, _>>()?)
}

/// Checks every account's Sid.
pub(super) fn survey(connection: &Connection) -> Result<Survey, SqliteError> {
    unreadable::survey(connection, "SELECT sid FROM account", |row| {
        parsed(row, 0, AccountSid::parse)
    })
}

pub(super) fn add(
    connection: &Connection,
    sid: &AccountSid,
    sealed: &[u8],
    is_sandbox: bool,
) -> Result<bool, SqliteError> {
    let mut add = connection.prepare_cached(
        "INSERT INTO account (sid, sealed_token, is_sandbox) VALUES (?1, ?2, ?3)
         ON CONFLICT (sid) DO NOTHING",
    )?;
    Ok(add.execute((sid.as_str(), sealed, is_sandbox))? == 1)
}

/// Removes the sandboxes of a server that has ended.
pub(super) fn remove_sandboxes(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM account WHERE is_sandbox", []).map(|_| ())
}

/// Replaces an account's token.
pub(super) fn rotate(
    connection: &Connection,
    sid: &AccountSid,
    sealed: &[u8],
) -> Result<bool, SqliteError> {
    let mut rotate =
        connection.prepare_cached("UPDATE account SET sealed_token = ?2 WHERE sid = ?1")?;
    Ok(rotate.execute((sid.as_str(), sealed))? == 1)
}

/// Removes an account. The schema cascades this to its rows in other tables.
pub(super) fn remove(connection: &Connection, sid: &AccountSid) -> Result<bool, SqliteError> {
    let mut remove = connection.prepare_cached("DELETE FROM account WHERE sid = ?1")?;
    Ok(remove.execute([sid.as_str()])? == 1)
}
