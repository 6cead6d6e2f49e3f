//! Everything that belongs to an account: read, replaced and removed as a whole.

use callerid_core::AccountSid;
use callerid_service::{AccountContents, Change, Newest};
use deadpool_postgres::ClientWrapper;

use super::error::PostgresError;
use super::ledger::{self, Entries};
use super::{callbacks, caller_ids, calls, locks};
use crate::seal::SealingKey;

/// Statements that delete an account's rows.
const DELETE_ROWS: [&str; 4] = [
    "DELETE FROM caller_id WHERE account = $1",
    "DELETE FROM call WHERE account = $1",
    "DELETE FROM callback WHERE account = $1",
    "DELETE FROM event WHERE account = $1",
];

pub(super) async fn find(
    client: &ClientWrapper,
    key: &SealingKey,
    account: &AccountSid,
) -> Result<AccountContents, PostgresError> {
    let mut calls = calls::of_account(client, key, account, Newest::ALL).await?;
    let mut callbacks = callbacks::of_account(client, key, account, Newest::ALL).await?;
    calls.reverse();
    callbacks.reverse();
    Ok(AccountContents { caller_ids: caller_ids::all(client, account).await?, calls, callbacks })
}

pub(super) async fn replace(
    client: &ClientWrapper,
    key: &SealingKey,
    node: i64,
    account: &AccountSid,
    contents: &AccountContents,
) -> Result<(), PostgresError> {
    let mut used = calls::numbers(client, account).await?;
    used.extend(contents.calls.iter().map(|call| call.phone_number));
    locks::lock(client, &used, []).await?;
    let ledger = ledger::lock(client, account).await?.ok_or(PostgresError::NoAccount(*account))?;
    let id = ledger.account;
    let forget_numbers =
        "DELETE FROM number WHERE number IN (SELECT number FROM call WHERE account = $1)";
    client.execute(forget_numbers, &[&id]).await?;
    client.execute("UPDATE ledger SET caller_ids = 0 WHERE account = $1", &[&id]).await?;
    for delete in DELETE_ROWS {
        client.execute(delete, &[&id]).await?;
    }
    let mut entries = Entries::of([&ledger]);
    entries.add_live_calls(id, -i64::from(ledger.live_calls));
    let caller_ids: Vec<_> = contents.caller_ids.iter().map(|row| (id, row)).collect();
    caller_ids::put(client, &caller_ids, &mut entries).await?;
    let calls: Vec<_> = contents.calls.iter().map(|call| (id, call)).collect();
    calls::insert(client, key, node, &calls).await?;
    let live = contents.calls.iter().filter(|call| call.status.is_live()).count();
    entries.add_live_calls(id, live as i64);
    let callbacks: Vec<_> = contents.callbacks.iter().map(|callback| (id, callback)).collect();
    callbacks::insert(client, key, node, &callbacks).await?;
    client.execute(forget_numbers, &[&id]).await?;
    entries.add_change(id, Change::Reset(account));
    entries.write(client).await
}

/// Removes an account, and all that is its.
pub(super) async fn remove(
    client: &ClientWrapper,
    account: &AccountSid,
) -> Result<bool, PostgresError> {
    let Some(ledger) = ledger::lock(client, account).await? else { return Ok(false) };
    let mut entries = Entries::of([&ledger]);
    entries.add_live_calls(ledger.account, -i64::from(ledger.live_calls));
    entries.write(client).await?;
    for delete in DELETE_ROWS {
        client.execute(delete, &[&ledger.account]).await?;
    }
    Ok(client.execute("DELETE FROM account WHERE id = $1", &[&ledger.account]).await? == 1)
}
