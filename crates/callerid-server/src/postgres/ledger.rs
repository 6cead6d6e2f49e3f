//! Ledgers: for each account, how many rows it has and the id of its newest event. Whoever changes an
//! account's rows locks the account, so that the counts are exact and the ids dense.

use std::collections::BTreeMap;

use callerid_core::AccountSid;
use callerid_service::Change;
use deadpool_postgres::ClientWrapper;
use futures_util::try_join;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::error::PostgresError;
use super::{events, locks, parsed};

/// What an account's ledger says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ledger {
    /// The account's id in other tables.
    pub(super) account: i64,
    pub(super) live_calls: u32,
    /// The id of the account's newest event.
    events: i64,
}

/// Locks an account; its ledger, if it exists.
pub(super) async fn lock(
    client: &ClientWrapper,
    account: &AccountSid,
) -> Result<Option<Ledger>, PostgresError> {
    locks::lock(client, [], [account]).await?;
    Ok(of(client, [account]).await?.into_values().next())
}

/// The ledgers of those of these accounts that exist. They are locked.
pub(super) async fn of(
    client: &ClientWrapper,
    accounts: impl IntoIterator<Item = &AccountSid>,
) -> Result<BTreeMap<AccountSid, Ledger>, PostgresError> {
    let sids: Vec<&str> = accounts.into_iter().map(AccountSid::as_str).collect();
    let find = "SELECT sid, id, live_calls, events
         FROM account JOIN ledger ON ledger.account = account.id WHERE sid = ANY($1)";
    let rows = client.query(&client.prepare_cached(find).await?, &[&sids]).await?;
    rows.iter().map(|row| Ok((parsed(row, "sid", AccountSid::parse)?, from_row(row)?))).collect()
}

/// The ledger of a row with `id`, `live_calls` and `events`.
pub(super) fn from_row(row: &Row) -> Result<Ledger, PostgresError> {
    let live_calls: i64 = row.try_get("live_calls")?;
    Ok(Ledger {
        account: row.try_get("id")?,
        live_calls: live_calls.try_into().unwrap_or(u32::MAX),
        events: row.try_get("events")?,
    })
}

/// The part of a connection in the count of all live calls. A part of its own, so that no change waits
/// for the commit of another one; of 64.
pub(super) const OWN_PART: &str = "pg_backend_pid() % 64";

/// More than the calls that all servers can be adding at the same moment.
const UNDER_WAY: u32 = 4_096;

/// Whether so few calls are left to the limit on all live calls that creates must be made one by one.
pub(super) fn is_near(all_calls: u32, limit: u32) -> bool {
    all_calls.saturating_add(UNDER_WAY) > limit
}

/// Adds to the count of all live calls.
async fn count_live_calls(client: &ClientWrapper, more: i64) -> Result<(), PostgresError> {
    if more != 0 {
        let add = format!("UPDATE live_calls SET calls = calls + $1 WHERE part = {OWN_PART}");
        client.execute(&client.prepare_cached(&add).await?, &[&more]).await?;
    }
    Ok(())
}

/// How the rows of accounts change.
#[derive(Debug)]
pub(super) struct Entries<'a>(BTreeMap<i64, Entry<'a>>);

#[derive(Debug)]
struct Entry<'a> {
    /// The id of the account's newest event before these changes.
    newest_event: i64,
    caller_ids: i64,
    live_calls: i64,
    changes: Vec<Change<'a>>,
}

impl Entry<'_> {
    fn is_empty(&self) -> bool {
        self.caller_ids == 0 && self.live_calls == 0 && self.changes.is_empty()
    }
}

impl<'a> Entries<'a> {
    /// Of the accounts with these ledgers, which are locked.
    pub(super) fn of<'l>(ledgers: impl IntoIterator<Item = &'l Ledger>) -> Self {
        let entry = |ledger: &Ledger| {
            let (newest_event, changes) = (ledger.events, Vec::new());
            (ledger.account, Entry { newest_event, caller_ids: 0, live_calls: 0, changes })
        };
        Self(ledgers.into_iter().map(entry).collect())
    }

    pub(super) fn add_change(&mut self, account: i64, change: Change<'a>) {
        if let Some(entry) = self.0.get_mut(&account) {
            entry.changes.push(change);
        }
    }

    /// Adds to the number of caller IDs.
    pub(super) fn add_caller_ids(&mut self, account: i64, more: i64) {
        if let Some(entry) = self.0.get_mut(&account) {
            entry.caller_ids += more;
        }
    }

    /// Adds to the number of live calls.
    pub(super) fn add_live_calls(&mut self, account: i64, more: i64) {
        if let Some(entry) = self.0.get_mut(&account) {
            entry.live_calls += more;
        }
    }

    /// Writes everything to the ledgers, and appends the events.
    pub(super) async fn write(mut self, client: &ClientWrapper) -> Result<(), PostgresError> {
        self.0.retain(|_, entry| !entry.is_empty());
        if self.0.is_empty() {
            return Ok(());
        }
        let column = |of: fn(&Entry<'a>) -> i64| self.0.values().map(of).collect::<Vec<_>>();
        let accounts: Vec<i64> = self.0.keys().copied().collect();
        let caller_ids = column(|entry| entry.caller_ids);
        let live_calls = column(|entry| entry.live_calls);
        let events = column(|entry| entry.changes.len() as i64);
        let update = "UPDATE ledger SET caller_ids = ledger.caller_ids + more.caller_ids,
                 live_calls = ledger.live_calls + more.live_calls, events = ledger.events + more.events
             FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])
                 AS more (account, caller_ids, live_calls, events)
             WHERE ledger.account = more.account";
        let update = client.prepare_cached(update).await?;
        let values: [&(dyn ToSql + Sync); 4] = [&accounts, &caller_ids, &live_calls, &events];
        let update = async { Ok(client.execute(&update, &values).await?) };
        let count = count_live_calls(client, live_calls.iter().sum());
        let numbered: Vec<_> = self
            .0
            .iter()
            .flat_map(|(account, entry)| {
                let ids = entry.newest_event + 1..;
                ids.zip(&entry.changes).map(|(id, change)| (*account, id, change))
            })
            .collect();
        // In one trip.
        try_join!(update, count, events::append(client, &numbered)).map(drop)
    }
}
