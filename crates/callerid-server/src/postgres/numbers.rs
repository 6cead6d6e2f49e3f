//! Numbers: their consecutive wrong entries and their calls, across all accounts.

use std::collections::BTreeMap;

use callerid_core::{Moment, PhoneNumber};
use callerid_service::{CLOCK_TOLERANCE_SECONDS, NumberUsage, RINGS_PERIOD_SECONDS, Transition};
use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;

use super::error::PostgresError;
use super::{line, locks, moment, parsed};
use crate::durable_store::FailedNumber;

/// The usage of a row with the table's columns, which are null if there is none.
pub(super) fn usage(row: &Row) -> Result<NumberUsage, PostgresError> {
    let Some(failed_entries) = row.try_get::<_, Option<i16>>("failed_entries")? else {
        return Ok(NumberUsage::default());
    };
    let rings: i64 = row.try_get("rings")?;
    Ok(NumberUsage {
        failed_entries: failed_entries.try_into().unwrap_or(u8::MAX),
        failed_at: moment(row, "failed_at")?,
        rings: rings.try_into().unwrap_or(u32::MAX),
        rings_since: moment(row, "rings_since")?,
    })
}

/// The usage of these numbers; those without any are absent.
async fn find(
    client: &ClientWrapper,
    numbers: &[&str],
) -> Result<BTreeMap<String, NumberUsage>, PostgresError> {
    let find = client.prepare_cached("SELECT * FROM number WHERE number = ANY($1)").await?;
    let rows = client.query(&find, &[&numbers]).await?;
    rows.iter().map(|row| Ok((row.try_get("number")?, usage(row)?))).collect()
}

pub(super) async fn put(
    client: &ClientWrapper,
    usages: &BTreeMap<String, NumberUsage>,
) -> Result<(), PostgresError> {
    if usages.is_empty() {
        return Ok(());
    }
    let numbers: Vec<&str> = usages.keys().map(String::as_str).collect();
    let failed: Vec<i16> = usages.values().map(|it| it.failed_entries.into()).collect();
    let failed_at: Vec<i64> = usages.values().map(|it| it.failed_at.unix_millis()).collect();
    let rings: Vec<i64> = usages.values().map(|it| it.rings.into()).collect();
    let since: Vec<i64> = usages.values().map(|it| it.rings_since.unix_millis()).collect();
    let put = "INSERT INTO number (number, failed_entries, failed_at, rings, rings_since)
         SELECT * FROM unnest($1::text[], $2::smallint[], $3::bigint[], $4::bigint[], $5::bigint[])
         ON CONFLICT (number) DO UPDATE SET failed_entries = excluded.failed_entries,
             failed_at = excluded.failed_at, rings = excluded.rings, rings_since = excluded.rings_since";
    let put = client.prepare_cached(put).await?;
    client.execute(&put, &[&numbers, &failed, &failed_at, &rings, &since]).await?;
    Ok(())
}

/// Applies transitions of the numbers' calls to the numbers' usage.
pub(super) async fn step(
    client: &ClientWrapper,
    steps: &[&Transition],
) -> Result<(), PostgresError> {
    let has_effect = |step: &&&Transition| step.wrong_entries > 0 || step.call.verified;
    let steps: Vec<_> = steps.iter().filter(has_effect).collect();
    if steps.is_empty() {
        return Ok(());
    }
    let numbers: Vec<&str> = steps.iter().map(|step| step.call.phone_number.as_str()).collect();
    let mut usages = find(client, &numbers).await?;
    let mut changed = BTreeMap::new();
    for step in steps {
        let number = step.call.phone_number.as_str();
        let before = usages.get(number).copied().unwrap_or_default();
        let after = before.after(step);
        if after != before {
            usages.insert(number.to_owned(), after);
            changed.insert(number.to_owned(), after);
        }
    }
    put(client, &changed).await
}

/// Deletes the numbers whose usage has no effect any more; see [`NumberUsage::is_forgotten`].
pub(super) async fn forget(client: &ClientWrapper, now: Moment) -> Result<(), PostgresError> {
    let period = i64::from(RINGS_PERIOD_SECONDS) * 1_000;
    let (before, ahead) = (
        now.unix_millis().saturating_sub(period),
        now.plus_seconds(CLOCK_TOLERANCE_SECONDS).unix_millis(),
    );
    // Rows that another transaction holds are forgotten by a later one.
    // Two ranges of an index, whatever the size of the table was when this was planned.
    let forget = "DELETE FROM number WHERE ctid = ANY (
             ARRAY(SELECT ctid FROM number WHERE failed_entries = 0 AND rings_since <= $1
                 FOR UPDATE SKIP LOCKED)
             || ARRAY(SELECT ctid FROM number WHERE failed_entries = 0 AND rings_since > $2
                 FOR UPDATE SKIP LOCKED))";
    let forget = client.prepare_cached(forget).await?;
    client.execute(&forget, &[&before, &ahead]).await?;
    Ok(())
}

/// Numbers with wrong entries, those with the most consecutive ones first.
pub(super) async fn failed(client: &ClientWrapper) -> Result<Vec<FailedNumber>, PostgresError> {
    let failed = "SELECT number, coalesce(failed_entries, 0::smallint) AS failed_entries,
             coalesce(failed_at, 0) AS failed_at, coalesce(rings, 0) AS rings,
             coalesce(rings_since, 0) AS rings_since, coalesce(wrong_entries, 0) AS wrong_entries
         FROM number FULL JOIN line_number USING (number)
         WHERE failed_entries > 0 OR wrong_entries > 0
         ORDER BY coalesce(failed_entries, 0) DESC, number";
    let rows = client.query(failed, &[]).await?;
    let read = |row: &Row| {
        let wrong: i64 = row.try_get("wrong_entries")?;
        Ok(FailedNumber {
            number: parsed(row, "number", PhoneNumber::parse_possible)?,
            usage: usage(row)?,
            wrong_codes_on_line: wrong.try_into().unwrap_or(u32::MAX),
            calls_on_line: 0,
        })
    };
    rows.iter().map(read).collect()
}

/// Forgets a number's usage; returns it.
pub(super) async fn clear(
    client: &ClientWrapper,
    number: &PhoneNumber,
) -> Result<FailedNumber, PostgresError> {
    locks::lock(client, [number], []).await?;
    let before = find(client, &[number.as_str()]).await?;
    client.execute("DELETE FROM number WHERE number = $1", &[&number.as_str()]).await?;
    let usage = before.into_values().next().unwrap_or_default();
    let (wrong_codes_on_line, calls_on_line) = line::clear(client, number).await?;
    Ok(FailedNumber { number: *number, usage, wrong_codes_on_line, calls_on_line })
}
