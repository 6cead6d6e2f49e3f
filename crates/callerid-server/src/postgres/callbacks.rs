//! Callbacks: all pending ones, and the newest completed ones.

use callerid_core::{AccountSid, Moment};
use callerid_service::{
    Accounts, CALLBACK_LONGEST_WAIT_SECONDS, CALLBACKS_KEPT, Callback, CallbackSlots, Newest,
};
use deadpool_postgres::ClientWrapper;

use super::error::PostgresError;
use super::{document, earliest, selected};
use crate::durable_store::before;
use crate::seal::SealingKey;

pub(super) async fn of_account(
    client: &ClientWrapper,
    key: &SealingKey,
    account: &AccountSid,
    which: Newest,
) -> Result<Vec<Callback>, PostgresError> {
    let select = "SELECT call_sid, document, sealed_credentials FROM callback
         WHERE account = (SELECT id FROM account WHERE sid = $1) AND (created_at, call_sid) < ($2, $3)
         ORDER BY created_at DESC, call_sid DESC LIMIT $4";
    let select = client.prepare_cached(select).await?;
    let (created_at, sid) = before(&which);
    let limit = i64::try_from(which.limit).unwrap_or(i64::MAX);
    let rows = client.query(&select, &[&account.as_str(), &created_at, &sid, &limit]).await?;
    Ok(document::readable(&rows, "call_sid", |row| document::callback(key, row)).0)
}

/// The node's due callbacks in the order of turns. Those that cannot be read are set aside.
pub(super) async fn due(
    client: &ClientWrapper,
    key: &SealingKey,
    node: i64,
    accounts: &Accounts,
    now: Moment,
    slots: &CallbackSlots,
) -> Result<Vec<Callback>, PostgresError> {
    let due = "SELECT call_sid, document, sealed_credentials FROM callback JOIN (
             SELECT call_sid AS due_call, row_number() OVER (PARTITION BY account ORDER BY next_at, call_sid) AS turn
             FROM (
                 SELECT account, next_at, call_sid, row_number() OVER (
                     PARTITION BY account, receiver ORDER BY next_at, call_sid) AS receivers_turn
                 FROM callback
                 WHERE node = $8 AND next_at IS NOT NULL AND (next_at <= $1 OR next_at > $2)
                     AND account IN (SELECT id FROM account WHERE (sid = ANY($6)) = $7)) AS due
             WHERE receivers_turn <= $3) AS turns ON due_call = call_sid
         WHERE turn <= $4 ORDER BY turn, next_at, call_sid LIMIT $5";
    let due = client.prepare_cached(due).await?;
    let longest = now.plus_seconds(CALLBACK_LONGEST_WAIT_SECONDS).unix_millis();
    let [per_receiver, per_account, total] = [slots.per_receiver, slots.per_account, slots.total]
        .map(|slots| i64::try_from(slots).unwrap_or(i64::MAX));
    let (sids, is_among) = selected(accounts);
    loop {
        let rows = client
            .query(
                &due,
                &[
                    &now.unix_millis(),
                    &longest,
                    &per_receiver,
                    &per_account,
                    &total,
                    &sids,
                    &is_among,
                    &node,
                ],
            )
            .await?;
        let (callbacks, unreadable) =
            document::readable(&rows, "call_sid", |row| document::callback(key, row));
        if unreadable.is_empty() {
            return Ok(callbacks);
        }
        let set_aside = "UPDATE callback SET next_at = NULL WHERE call_sid = ANY($1)";
        client.execute(set_aside, &[&unreadable]).await?;
    }
}

pub(super) async fn wake_at(
    client: &ClientWrapper,
    node: i64,
    accounts: &Accounts,
) -> Result<Option<Moment>, PostgresError> {
    let select = "SELECT next_at FROM callback JOIN account ON account.id = callback.account
         WHERE node = $3 AND next_at IS NOT NULL AND (account.sid = ANY($1)) = $2
         ORDER BY next_at LIMIT 1";
    earliest(client, select, accounts, node).await
}

/// Makes the pending callbacks of a node that is gone belong to another one. Returns how many there
/// were.
pub(super) async fn adopt(
    client: &ClientWrapper,
    from: i64,
    node: i64,
) -> Result<u64, PostgresError> {
    let adopt = "UPDATE callback SET node = $2 WHERE ctid = ANY (ARRAY(
             SELECT ctid FROM callback WHERE node = $1 AND next_at IS NOT NULL
             FOR NO KEY UPDATE SKIP LOCKED))";
    Ok(client.execute(&client.prepare_cached(adopt).await?, &[&from, &node]).await?)
}

/// Inserts callbacks, each with its account, that belong to a node.
pub(super) async fn insert(
    client: &ClientWrapper,
    key: &SealingKey,
    node: i64,
    callbacks: &[(i64, &Callback)],
) -> Result<(), PostgresError> {
    let insert = "INSERT INTO callback
             (call_sid, account, receiver, created_at, next_at, attempts, document, sealed_credentials, node)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let insert = client.prepare_cached(insert).await?;
    for (account, callback) in callbacks {
        let (document, sealed) = document::of_callback(key, callback)?;
        client
            .execute(
                &insert,
                &[
                    &callback.call_sid.as_str(),
                    account,
                    &callback.to.receiver(),
                    &callback.created_at.unix_millis(),
                    &callback.next_at.map(Moment::unix_millis),
                    &i16::from(callback.attempts),
                    &document,
                    &sealed,
                    &node,
                ],
            )
            .await?;
    }
    Ok(())
}

/// Saves a callback after an attempt, if it has not changed meanwhile.
pub(super) async fn save(
    client: &ClientWrapper,
    key: &SealingKey,
    callback: &Callback,
) -> Result<bool, PostgresError> {
    let update = "UPDATE callback SET attempts = $3, next_at = $4, document = $5
         WHERE call_sid = $1 AND attempts = $2 RETURNING account";
    let update = client.prepare_cached(update).await?;
    let (document, _) = document::of_callback(key, callback)?;
    let row = client
        .query_opt(
            &update,
            &[
                &callback.call_sid.as_str(),
                &i16::from(callback.attempts.wrapping_sub(1)),
                &i16::from(callback.attempts),
                &callback.next_at.map(Moment::unix_millis),
                &document,
            ],
        )
        .await?;
    let Some(row) = row else { return Ok(false) };
    let account: i64 = row.try_get(0)?;
    let delete = "DELETE FROM callback USING (SELECT created_at, call_sid FROM callback AS done
             WHERE done.account = $1 AND next_at IS NULL
             ORDER BY created_at DESC, call_sid DESC LIMIT 1 OFFSET $2) AS oldest
         WHERE callback.account = $1 AND callback.next_at IS NULL
             AND (callback.created_at, callback.call_sid) <= (oldest.created_at, oldest.call_sid)";
    let delete = client.prepare_cached(delete).await?;
    client.execute(&delete, &[&account, &(CALLBACKS_KEPT as i64)]).await?;
    Ok(true)
}
