//! The events of all changes, numbered for each account.

use callerid_core::AccountSid;
use callerid_service::{Change, EVENTS_KEPT, Event, Events};
use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;

use super::error::PostgresError;

const KEPT: i64 = EVENTS_KEPT as i64;
/// Events beyond those that are kept are invisible at once, and deleted with each of an account's
/// events whose id is a multiple of this.
const PRUNED_WITH_EVERY: i64 = 500;

/// Appends events: an account, an id and a change each.
pub(super) async fn append(
    client: &ClientWrapper,
    events: &[(i64, i64, &Change<'_>)],
) -> Result<(), PostgresError> {
    if events.is_empty() {
        return Ok(());
    }
    let accounts: Vec<i64> = events.iter().map(|event| event.0).collect();
    let ids: Vec<i64> = events.iter().map(|event| event.1).collect();
    let names: Vec<&str> = events.iter().map(|event| event.2.name()).collect();
    let data: Vec<String> = events.iter().map(|event| event.2.to_json()).collect();
    let insert = "INSERT INTO event (account, id, name, data)
         SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[])";
    let insert = client.prepare_cached(insert).await?;
    client.execute(&insert, &[&accounts, &ids, &names, &data]).await?;
    for (account, ..) in events.iter().filter(|event| event.1 % PRUNED_WITH_EVERY == 0) {
        // The newest of those that are not kept stays: it marks where the kept ones begin.
        let prune = "DELETE FROM event WHERE account = $1 AND id < (
                 SELECT id FROM event WHERE account = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)";
        let prune = client.prepare_cached(prune).await?;
        client.execute(&prune, &[account, &KEPT]).await?;
    }
    Ok(())
}

pub(super) async fn after(
    client: &ClientWrapper,
    account: &AccountSid,
    id: u64,
    limit: usize,
) -> Result<Events, PostgresError> {
    let id = i64::try_from(id).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    // Whatever is dropped has so many newer ones. Those of a directory that was imported are not dense.
    let select = "SELECT newest, dropped, event.* FROM (
             SELECT ledger.account AS of, ledger.events AS newest, coalesce(
                 CASE WHEN $2 < ledger.events - $4 THEN (SELECT id FROM event
                     WHERE account = ledger.account ORDER BY id DESC LIMIT 1 OFFSET $4) END, 0) AS dropped
             FROM account JOIN ledger ON ledger.account = account.id WHERE sid = $1) AS ledger
         LEFT JOIN LATERAL (SELECT id, name, data FROM event
             WHERE account = ledger.of AND id > greatest($2, dropped)
             ORDER BY id LIMIT $3) AS event ON true
         ORDER BY event.id";
    let select = client.prepare_cached(select).await?;
    let rows = client.query(&select, &[&account.as_str(), &id, &limit, &KEPT]).await?;
    let Some(first) = rows.first() else {
        return Ok(Events { gap: id > 0, ..Events::default() });
    };
    let (newest, last_dropped): (i64, i64) = (first.try_get("newest")?, first.try_get("dropped")?);
    let event = |row: &Row| {
        let Some(id) = row.try_get::<_, Option<i64>>("id")? else { return Ok(None) };
        Ok(Some(Event {
            id: id.unsigned_abs(),
            account_sid: *account,
            name: row.try_get::<_, &str>("name")?.into(),
            data: row.try_get("data")?,
        }))
    };
    let events = rows.iter().map(event).filter_map(Result::transpose);
    Ok(Events {
        events: events.collect::<Result<_, PostgresError>>()?,
        newest: newest.unsigned_abs(),
        gap: id < last_dropped || id > newest,
    })
}
