//! Callbacks: all pending ones, and the newest completed ones.

use callerid_core::{AccountSid, CallSid, Moment};
use callerid_service::{
    Accounts, CALLBACK_LONGEST_WAIT_SECONDS, CALLBACKS_KEPT, Callback, CallbackSlots, Newest,
};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::unreadable::{self, Survey, Unreadable, readable};
use super::{SqliteError, accounts, callback_target, earliest, parsed, selected};
use crate::durable_store::before;
use crate::seal::SealingKey;

/// The maximum number of callbacks that one change deletes, so that no change takes long.
const DROPPED_AT_ONCE: i64 = 16;

/// The columns that [`from_row`] reads.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT call_sid, account.sid, url, method, sealed_credentials, parameters, created_at, attempts,
                    next_at, last_status, last_error
             FROM callback JOIN account ON account.id = callback.account ",
            $rest
        )
    };
}

fn from_row(row: &Row<'_>, key: Option<&SealingKey>) -> rusqlite::Result<Callback> {
    let call_sid = parsed(row, 0, CallSid::parse)?;
    let to = callback_target::read(row, 2, key, &call_sid)?;
    let next_at: Option<i64> = row.get(8)?;
    Ok(Callback {
        call_sid,
        account_sid: parsed(row, 1, AccountSid::parse)?,
        to: to.ok_or(rusqlite::Error::InvalidColumnType(2, "url".into(), Type::Null))?,
        parameters: row.get(5)?,
        created_at: Moment::from_unix_millis(row.get(6)?),
        attempts: row.get(7)?,
        next_at: next_at.map(Moment::from_unix_millis),
        last_status: row.get(9)?,
        last_error: row.get(10)?,
    })
}

pub(super) fn of_account(
    connection: &Connection,
    key: &SealingKey,
    account: &AccountSid,
    which: Newest,
) -> Result<Vec<Callback>, SqliteError> {
    let Some(id) = accounts::id(connection, account)? else { return Ok(Vec::new()) };
    let (created_at, sid) = before(&which);
    let mut select = connection.prepare_cached(select!(
        "WHERE callback.account = ?1 AND (created_at, call_sid) < (?2, ?3)
         ORDER BY created_at DESC, call_sid DESC LIMIT ?4"
    ))?;
    let limit = i64::try_from(which.limit).unwrap_or(i64::MAX);
    let (mut callbacks, mut unreadable) = (Vec::new(), Vec::new());
    let from_row = readable(|row| from_row(row, Some(key)));
    let rows = select.query_map((id, created_at, sid, limit), from_row)?;
    unreadable::split(rows, &mut callbacks, &mut unreadable)?;
    unreadable.iter().for_each(Unreadable::log_left_out);
    Ok(callbacks)
}

/// The due callbacks in the order of turns, and the rows among them that cannot be read.
pub(super) fn due(
    connection: &Connection,
    key: &SealingKey,
    accounts: &Accounts,
    now: Moment,
    slots: &CallbackSlots,
) -> Result<(Vec<Callback>, Vec<Unreadable>), SqliteError> {
    let mut select = connection.prepare_cached(select!(
        "JOIN (
             SELECT call_sid AS due_call, row_number() OVER (PARTITION BY account ORDER BY next_at, call_sid) AS turn
             FROM (
                 SELECT account, next_at, call_sid, row_number() OVER (
                     PARTITION BY account, receiver ORDER BY next_at, call_sid) AS receivers_turn
                 FROM callback
                 WHERE next_at IS NOT NULL AND (next_at <= ?1 OR next_at > ?2)
                     AND account IN (SELECT id FROM account WHERE (instr(?6, sid) > 0) = ?7))
             WHERE receivers_turn <= ?3) ON due_call = call_sid
         WHERE turn <= ?4 ORDER BY turn, next_at, call_sid LIMIT ?5"
    ))?;
    let longest = now.plus_seconds(CALLBACK_LONGEST_WAIT_SECONDS);
    let [per_receiver, per_account, total] = [slots.per_receiver, slots.per_account, slots.total]
        .map(|slots| i64::try_from(slots).unwrap_or(i64::MAX));
    let (sids, is_among) = selected(accounts);
    let rows = select.query_map(
        (
            now.unix_millis(),
            longest.unix_millis(),
            per_receiver,
            per_account,
            total,
            sids,
            is_among,
        ),
        readable(|row| from_row(row, Some(key))),
    )?;
    let (mut callbacks, mut unreadable) = (Vec::new(), Vec::new());
    unreadable::split(rows, &mut callbacks, &mut unreadable)?;
    Ok((callbacks, unreadable))
}

/// Reads every callback. With a key, it also decrypts the credentials.
pub(super) fn survey(
    connection: &Connection,
    key: Option<&SealingKey>,
) -> Result<Survey, SqliteError> {
    unreadable::survey(connection, select!(""), |row| from_row(row, key))
}

/// Stops sending a callback that cannot be read.
pub(super) fn set_aside(connection: &Connection, row: &Unreadable) -> Result<(), SqliteError> {
    let set_aside = "UPDATE callback SET next_at = NULL WHERE CAST(call_sid AS BLOB) = ?1";
    unreadable::changed(connection.prepare_cached(set_aside)?.execute([&row.key])?)
}

pub(super) fn wake_at(
    connection: &Connection,
    accounts: &Accounts,
) -> Result<Option<Moment>, SqliteError> {
    earliest(
        connection,
        accounts,
        "SELECT next_at FROM callback JOIN account ON account.id = callback.account
         WHERE next_at IS NOT NULL AND (instr(?1, account.sid) > 0) = ?2 ORDER BY next_at LIMIT 1",
    )
}

/// The number of an account's pending callbacks, counted up to `most`.
pub(super) fn pending(connection: &Connection, account: i64, most: u32) -> rusqlite::Result<u32> {
    let mut pending = connection.prepare_cached(
        "SELECT count(*) FROM
             (SELECT 1 FROM callback WHERE account = ?1 AND next_at IS NOT NULL LIMIT ?2)",
    )?;
    pending.query_row((account, most), |row| row.get(0))
}

/// Adds the callback of a call, with the same sealed credentials.
pub(super) fn add(
    connection: &Connection,
    account: i64,
    callback: &Callback,
) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO callback (call_sid, account, url, method, parameters, created_at, attempts, next_at,
             receiver, sealed_credentials, last_status, last_error)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, (SELECT sealed_credentials FROM call WHERE sid = ?1), ?10, ?11)",
    )?;
    insert.execute(params![
        callback.call_sid.as_str(),
        account,
        callback.to.url(),
        callback.to.method().as_str(),
        callback.parameters,
        callback.created_at.unix_millis(),
        callback.attempts,
        callback.next_at.map(Moment::unix_millis),
        callback.to.receiver(),
        callback.last_status,
        callback.last_error,
    ])?;
    Ok(())
}

/// Saves a callback after an attempt, if it has not changed meanwhile.
pub(super) fn save(connection: &Connection, callback: &Callback) -> Result<bool, SqliteError> {
    let Some(id) = accounts::id(connection, &callback.account_sid)? else { return Ok(false) };
    let mut update = connection.prepare_cached(
        "UPDATE callback SET attempts = ?3, next_at = ?4, last_status = ?5, last_error = ?6
         WHERE call_sid = ?1 AND attempts = ?2",
    )?;
    let updated = update.execute(params![
        callback.call_sid.as_str(),
        callback.attempts.wrapping_sub(1),
        callback.attempts,
        callback.next_at.map(Moment::unix_millis),
        callback.last_status,
        callback.last_error,
    ])?;
    drop_old(connection, id)?;
    Ok(updated == 1)
}

/// Deletes completed callbacks of the account, except the newest. It deletes at most
/// `DROPPED_AT_ONCE`.
fn drop_old(connection: &Connection, account: i64) -> rusqlite::Result<()> {
    let mut newest_dropped = connection.prepare_cached(
        "SELECT created_at, call_sid FROM callback INDEXED BY callback_done
         WHERE account = ?1 AND next_at IS NULL ORDER BY created_at DESC, call_sid DESC LIMIT 1 OFFSET ?2",
    )?;
    let newest_dropped: Option<(i64, String)> = newest_dropped
        .query_row((account, CALLBACKS_KEPT as i64), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((created_at, call_sid)) = newest_dropped {
        let mut delete = connection.prepare_cached(
            "DELETE FROM callback WHERE call_sid IN (SELECT call_sid FROM callback INDEXED BY callback_done
             WHERE account = ?1 AND next_at IS NULL AND (created_at, call_sid) <= (?2, ?3) LIMIT ?4)",
        )?;
        delete.execute((account, created_at, call_sid, DROPPED_AT_ONCE))?;
    }
    Ok(())
}
