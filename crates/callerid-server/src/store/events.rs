//! The events of all changes.

use callerid_core::AccountSid;
use callerid_service::{Change, EVENTS_KEPT, Event, Events};
use rusqlite::{Connection, OptionalExtension as _};

use super::{SqliteError, accounts};

const KEPT: i64 = EVENTS_KEPT as i64;
/// Events beyond those that are kept are invisible at once, and deleted with one in so many new ones:
/// at random, because accounts share the ids. The newest of them stays: it marks where the kept ones
/// begin.
const PRUNED_WITH_ONE_IN: u32 = 500;

pub(super) fn append(
    connection: &Connection,
    account: i64,
    change: &Change<'_>,
) -> rusqlite::Result<()> {
    let mut append =
        connection.prepare_cached("INSERT INTO event (account, name, data) VALUES (?1, ?2, ?3)")?;
    append.execute((account, change.name(), change.to_json()))?;
    if rand::random_ratio(1, PRUNED_WITH_ONE_IN) {
        let dropped = last_dropped(connection, account)?;
        let mut prune =
            connection.prepare_cached("DELETE FROM event WHERE account = ?1 AND id < ?2")?;
        prune.execute((account, dropped))?;
    }
    Ok(())
}

pub(super) fn after(
    connection: &Connection,
    account: &AccountSid,
    id: u64,
    limit: usize,
) -> Result<Events, SqliteError> {
    let newest = newest(connection)?;
    let id = i64::try_from(id).unwrap_or(i64::MAX);
    let row = accounts::id(connection, account)?.unwrap_or_default();
    // Whatever is dropped has so many newer ones of its account.
    let last_dropped = if id < newest - KEPT { last_dropped(connection, row)? } else { 0 };
    let mut events = connection.prepare_cached(
        "SELECT id, name, data FROM event WHERE account = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let events = events.query_map((row, id.max(last_dropped), limit), |row| {
        Ok(Event {
            id: row.get::<_, i64>(0)?.unsigned_abs(),
            account_sid: *account,
            name: row.get_ref(1)?.as_str()?.into(),
            data: row.get(2)?,
        })
    })?;
    Ok(Events {
        events: events.collect::<Result<_, _>>()?,
        newest: newest.unsigned_abs(),
        gap: id < last_dropped || id > newest,
    })
}

/// The newest event of an account that is no longer kept; 0 if all are.
fn last_dropped(connection: &Connection, account: i64) -> rusqlite::Result<i64> {
    let mut dropped = connection.prepare_cached(
        "SELECT id FROM event WHERE account = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2",
    )?;
    Ok(dropped.query_row((account, KEPT), |row| row.get(0)).optional()?.unwrap_or_default())
}

/// The id of the newest event ever; 0 before the first.
pub(super) fn newest(connection: &Connection) -> rusqlite::Result<i64> {
    let mut newest =
        connection.prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = 'event'")?;
    Ok(newest.query_row([], |row| row.get(0)).optional()?.unwrap_or_default())
}
