//! Ledgers: for each account, how many rows it has and the id of its newest event. Whoever changes an
//! account's rows locks its ledger, so that the counts are exact and the ids dense.

use std::collections::BTreeMap;

use callerid_core::AccountSid;
use callerid_service::Change;
use deadpool_postgres::ClientWrapper;
use futures_util::try_join;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::error::PostgresError;
use super::{accounts, events, parsed};

/// What an account's ledger says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ledger {
    /// The account's id in other tables.
    pub(super) account: i64,
    pub(super) live_calls: u32,
    /// The id of the account's newest event.
    pub(super) events: i64,
}

/// The statement of [`lock_all`].
pub(super) const LOCK_ALL: &str = "SELECT given.sid, given.id, ledger.live_calls, ledger.events
     FROM (SELECT sid, id FROM account WHERE sid = ANY($1) ORDER BY id OFFSET 0) AS given
     JOIN ledger ON ledger.account = given.id ORDER BY given.id FOR NO KEY UPDATE OF ledger";
/// The statement of [`all_live_calls`].
pub(super) const ALL_LIVE_CALLS: &str = "SELECT sum(calls)::bigint FROM live_calls";

/// Locks the ledger of an account, if the account exists.
pub(super) async fn lock(
    client: &ClientWrapper,
    account: &AccountSid,
) -> Result<Option<Ledger>, PostgresError> {
    let Some(account) = accounts::id(client, account).await? else { return Ok(None) };
    let lock =
        "SELECT account AS id, live_calls, events FROM ledger WHERE account = $1 FOR NO KEY UPDATE";
    let lock = client.prepare_cached(lock).await?;
    let row = client.query_opt(&lock, &[&account]).await?;
    row.map(|row| from_row(&row)).transpose()
}

/// Locks the ledgers of several accounts, in an order in which nobody waits for somebody who waits.
/// Returns those of the accounts that exist.
pub(super) async fn lock_all(
    client: &ClientWrapper,
    accounts: impl IntoIterator<Item = &AccountSid>,
) -> Result<BTreeMap<AccountSid, Ledger>, PostgresError> {
    let sids: Vec<&str> = accounts.into_iter().map(AccountSid::as_str).collect();
    let rows = client.query(&client.prepare_cached(LOCK_ALL).await?, &[&sids]).await?;
    rows.iter().map(|row| Ok((parsed(row, "sid", AccountSid::parse)?, from_row(row)?))).collect()
}

fn from_row(row: &Row) -> Result<Ledger, PostgresError> {
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
/// "LIVE": the advisory lock of creates. Near the limit on all live calls, one has it alone.
const LIVE_LOCK: i64 = 0x4c49_5645;

/// Whether so few calls are left to the limit on all live calls that creates must be made one by one.
pub(super) fn is_near(all_calls: u32, limit: u32) -> bool {
    all_calls.saturating_add(UNDER_WAY) > limit
}

/// Lets no create under way be unseen by one that is alone.
pub(super) async fn lock_live_calls(
    client: &ClientWrapper,
    alone: bool,
) -> Result<(), PostgresError> {
    let lock = client.prepare_cached(lock_of_live_calls(alone)).await?;
    client.execute(&lock, &[&LIVE_LOCK]).await?;
    Ok(())
}

/// The statement of [`lock_live_calls`].
pub(super) const fn lock_of_live_calls(alone: bool) -> &'static str {
    match alone {
        true => "SELECT pg_advisory_xact_lock($1)",
        false => "SELECT pg_advisory_xact_lock_shared($1)",
    }
}

/// The live calls of all accounts, without those of changes under way.
pub(super) async fn all_live_calls(client: &ClientWrapper) -> Result<u32, PostgresError> {
    let sum = client.prepare_cached(ALL_LIVE_CALLS).await?;
    let sum: i64 = client.query_one(&sum, &[]).await?.try_get(0)?;
    Ok(sum.try_into().unwrap_or_default())
}

/// Adds to the count of all live calls.
async fn count_live_calls(client: &ClientWrapper, more: i64) -> Result<(), PostgresError> {
    if more != 0 {
        let add = format!("UPDATE live_calls SET calls = calls + $1 WHERE part = {OWN_PART}");
        client.execute(&client.prepare_cached(&add).await?, &[&more]).await?;
    }
    Ok(())
}

/// How the rows of accounts change, whose ledgers are locked.
#[derive(Debug, Default)]
pub(super) struct Entries<'a>(BTreeMap<i64, Entry<'a>>);

#[derive(Debug, Default)]
struct Entry<'a> {
    caller_ids: i64,
    live_calls: i64,
    changes: Vec<Change<'a>>,
}

impl<'a> Entries<'a> {
    pub(super) fn add_change(&mut self, account: i64, change: Change<'a>) {
        self.0.entry(account).or_default().changes.push(change);
    }

    /// Adds to the number of caller IDs.
    pub(super) fn add_caller_ids(&mut self, account: i64, more: i64) {
        self.0.entry(account).or_default().caller_ids += more;
    }

    /// Adds to the number of live calls.
    pub(super) fn add_live_calls(&mut self, account: i64, more: i64) {
        self.0.entry(account).or_default().live_calls += more;
    }

    /// Writes everything to the ledgers, and appends the events.
    pub(super) async fn write(self, client: &ClientWrapper) -> Result<(), PostgresError> {
        let newest = self.write_ledgers(client).await?;
        events::append(client, &self.events_after(&newest)).await
    }

    /// The same in one trip, after `other` changes: what these ledgers said when they were locked tells
    /// the events' ids.
    pub(super) async fn write_with(
        self,
        client: &ClientWrapper,
        ledgers: impl IntoIterator<Item = &Ledger>,
        other: impl Future<Output = Result<(), PostgresError>>,
    ) -> Result<(), PostgresError> {
        let before = ledgers.into_iter().map(|ledger| (ledger.account, ledger.events)).collect();
        let events = self.events_after(&before);
        try_join!(other, self.write_ledgers(client), events::append(client, &events))?;
        Ok(())
    }

    /// Writes the counts. Returns the id of the newest event of each account before these.
    async fn write_ledgers(
        &self,
        client: &ClientWrapper,
    ) -> Result<BTreeMap<i64, i64>, PostgresError> {
        if self.0.is_empty() {
            return Ok(BTreeMap::new());
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
             WHERE ledger.account = more.account
             RETURNING ledger.account, ledger.events - more.events";
        let update = client.prepare_cached(update).await?;
        let values: [&(dyn ToSql + Sync); 4] = [&accounts, &caller_ids, &live_calls, &events];
        let update = async { Ok(client.query(&update, &values).await?) };
        let count = count_live_calls(client, live_calls.iter().sum());
        let (rows, ()) = try_join!(update, count)?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// The events, each with its account and id, after these newest ones.
    fn events_after(&self, newest: &BTreeMap<i64, i64>) -> Vec<(i64, i64, Change<'a>)> {
        let mut events = Vec::new();
        for (account, entry) in &self.0 {
            let Some(newest) = newest.get(account) else { continue };
            let changes = (newest + 1..).zip(&entry.changes);
            events.extend(changes.map(|(id, change)| (*account, id, change.clone())));
        }
        events
    }
}
