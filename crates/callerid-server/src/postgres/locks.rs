//! Advisory locks, which are held until the end of the transaction.

use std::collections::BTreeSet;

use callerid_core::{AccountSid, PhoneNumber};
use deadpool_postgres::ClientWrapper;

use super::error::PostgresError;

/// "LIVE": of the creates near the limit on all live calls, one has it.
const LIVE_CALLS: i64 = 0x4c49_5645;
/// "LINE": of the creates on a real line, one has it. Its limits in all are thereby exact.
const LINE: i64 = 0x4c49_4e45;

/// Locks numbers and accounts, which a change does before it reads what depends on them: in one order,
/// numbers before accounts, so that nobody waits for somebody who waits. What is read in later
/// statements is as of then.
pub(super) async fn lock<'a>(
    client: &ClientWrapper,
    numbers: impl IntoIterator<Item = &'a PhoneNumber>,
    accounts: impl IntoIterator<Item = &'a AccountSid>,
) -> Result<(), PostgresError> {
    let numbers = numbers.into_iter().map(PhoneNumber::as_str);
    let names = numbers.chain(accounts.into_iter().map(AccountSid::as_str));
    let names: Vec<&str> = names.collect::<BTreeSet<_>>().into_iter().collect();
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended(name, 0))
         FROM (SELECT name FROM unnest($1::text[]) WITH ORDINALITY AS given (name, place)
               ORDER BY place OFFSET 0) AS ordered";
    client.query(&client.prepare_cached(lock).await?, &[&names]).await?;
    Ok(())
}

/// Locks the count of all live calls.
pub(super) async fn lock_live_calls(client: &ClientWrapper) -> Result<(), PostgresError> {
    lock_key(client, LIVE_CALLS).await
}

/// Locks what limits a real line.
pub(super) async fn lock_line(client: &ClientWrapper) -> Result<(), PostgresError> {
    lock_key(client, LINE).await
}

async fn lock_key(client: &ClientWrapper, key: i64) -> Result<(), PostgresError> {
    let lock = client.prepare_cached("SELECT pg_advisory_xact_lock($1)").await?;
    client.execute(&lock, &[&key]).await?;
    Ok(())
}
