//! Numbers: their consecutive wrong entries and their calls, across all accounts.

use callerid_core::{Moment, PhoneNumber};
use callerid_service::{CLOCK_TOLERANCE_SECONDS, NumberUsage, RINGS_PERIOD_SECONDS, Transition};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{SqliteError, line, parsed};
use crate::durable_store::FailedNumber;

pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<NumberUsage> {
    Ok(NumberUsage {
        failed_entries: row.get("failed_entries")?,
        failed_at: Moment::from_unix_millis(row.get("failed_at")?),
        rings: row.get("rings")?,
        rings_since: Moment::from_unix_millis(row.get("rings_since")?),
    })
}

pub(super) fn find(connection: &Connection, number: &PhoneNumber) -> rusqlite::Result<NumberUsage> {
    let mut find = connection.prepare_cached("SELECT * FROM number WHERE number = ?1")?;
    Ok(find.query_row([number.as_str()], from_row).optional()?.unwrap_or_default())
}

pub(super) fn put(
    connection: &Connection,
    number: &PhoneNumber,
    usage: &NumberUsage,
) -> rusqlite::Result<()> {
    let mut put = connection.prepare_cached(
        "INSERT OR REPLACE INTO number (number, failed_entries, failed_at, rings, rings_since)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    put.execute(params![
        number.as_str(),
        usage.failed_entries,
        usage.failed_at.unix_millis(),
        usage.rings,
        usage.rings_since.unix_millis(),
    ])?;
    Ok(())
}

/// Applies a transition of a number's call to the number's usage.
pub(super) fn step(connection: &Connection, step: &Transition) -> rusqlite::Result<()> {
    let number = &step.call.phone_number;
    let before = find(connection, number)?;
    let after = before.after(step);
    if after == before { Ok(()) } else { put(connection, number, &after) }
}

/// Deletes the numbers whose usage has no effect any more; see [`NumberUsage::is_forgotten`].
pub(super) fn forget(connection: &Connection, now: Moment) -> rusqlite::Result<()> {
    let period = i64::from(RINGS_PERIOD_SECONDS) * 1_000;
    // Each statement is a range of an index. A single statement would scan all numbers.
    for (forget, moment) in [
        (
            "DELETE FROM number INDEXED BY number_rings WHERE failed_entries = 0 AND rings_since <= ?1",
            now.unix_millis().saturating_sub(period),
        ),
        (
            "DELETE FROM number INDEXED BY number_rings WHERE failed_entries = 0 AND rings_since > ?1",
            now.plus_seconds(CLOCK_TOLERANCE_SECONDS).unix_millis(),
        ),
    ] {
        connection.prepare_cached(forget)?.execute([moment])?;
    }
    Ok(())
}

pub(super) fn failed(connection: &Connection) -> Result<Vec<FailedNumber>, SqliteError> {
    let mut failed = connection.prepare_cached(
        "SELECT number, ifnull(failed_entries, 0) AS failed_entries, ifnull(failed_at, 0) AS failed_at,
             ifnull(rings, 0) AS rings, ifnull(rings_since, 0) AS rings_since,
             ifnull(wrong_entries, 0) AS wrong_entries
         FROM number FULL JOIN line_number USING (number)
         WHERE failed_entries > 0 OR wrong_entries > 0
         ORDER BY ifnull(failed_entries, 0) DESC, number",
    )?;
    let failed = failed.query_map([], |row| {
        Ok(FailedNumber {
            number: parsed(row, 0, PhoneNumber::parse_possible)?,
            usage: from_row(row)?,
            wrong_codes_on_line: row.get("wrong_entries")?,
            calls_on_line: 0,
        })
    })?;
    Ok(failed.collect::<Result<_, _>>()?)
}

pub(super) fn clear(
    connection: &Connection,
    number: &PhoneNumber,
) -> Result<FailedNumber, SqliteError> {
    let usage = find(connection, number)?;
    let mut clear = connection.prepare_cached("DELETE FROM number WHERE number = ?1")?;
    clear.execute([number.as_str()])?;
    let (wrong_codes_on_line, calls_on_line) = line::clear(connection, number)?;
    Ok(FailedNumber { number: *number, usage, wrong_codes_on_line, calls_on_line })
}
