//! Everything that belongs to an account: read, and replaced, as a whole.

use callerid_core::AccountSid;
use callerid_service::{AccountContents, Change, Newest};
use rusqlite::Connection;

use super::{SqliteError, accounts, callback_target, callbacks, caller_ids, calls, events};
use crate::seal::SealingKey;

pub(super) fn find(
    connection: &Connection,
    key: &SealingKey,
    account: &AccountSid,
) -> Result<AccountContents, SqliteError> {
    let mut calls = calls::of_account(connection, key, account, Newest::ALL)?;
    let mut callbacks = callbacks::of_account(connection, key, account, Newest::ALL)?;
    calls.reverse();
    callbacks.reverse();
    Ok(AccountContents { caller_ids: caller_ids::all(connection, account)?, calls, callbacks })
}

pub(super) fn replace(
    connection: &Connection,
    key: &SealingKey,
    account: &AccountSid,
    contents: &AccountContents,
) -> Result<(), SqliteError> {
    let id = accounts::id(connection, account)?.ok_or(SqliteError::NoAccount(*account))?;
    let forget_numbers =
        "DELETE FROM number WHERE number IN (SELECT number FROM call WHERE account = ?1)";
    for delete in [
        forget_numbers,
        "DELETE FROM caller_id WHERE account = ?1",
        "DELETE FROM call WHERE account = ?1",
        "DELETE FROM callback WHERE account = ?1",
        "UPDATE account SET caller_ids = 0 WHERE id = ?1",
    ] {
        connection.prepare_cached(delete)?.execute([id])?;
    }
    caller_ids::import(connection, account, contents.caller_ids.iter().cloned())?;
    for call in &contents.calls {
        calls::insert(connection, key, id, call)?;
    }
    let mut set_credentials = connection
        .prepare_cached("UPDATE callback SET sealed_credentials = ?2 WHERE call_sid = ?1")?;
    for callback in &contents.callbacks {
        callbacks::add(connection, id, callback)?;
        let sealed = callback_target::seal(key, &callback.call_sid, Some(&callback.to))?;
        set_credentials.execute((callback.call_sid.as_str(), sealed))?;
    }
    connection.prepare_cached(forget_numbers)?.execute([id])?;
    connection.prepare_cached("DELETE FROM event WHERE account = ?1")?.execute([id])?;
    Ok(events::append(connection, id, &Change::Reset(account))?)
}
