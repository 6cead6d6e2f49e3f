//! Calls.

use std::collections::{BTreeMap, BTreeSet};

use callerid_core::{AccountSid, CallSid, Moment, PhoneNumber};
use callerid_service::{
    Accounts, Admitted, Call, Change, ENDED_CALLS_KEPT, Eligibility, Ineligible, Limits, LineUsage,
    Newest, Transition,
};
use deadpool_postgres::ClientWrapper;
use tokio_postgres::types::Json;

use super::error::PostgresError;
use super::ledger::{self, Entries};
use super::{callbacks, caller_ids, document, earliest, line, numbers, parsed, selected};
use crate::durable_store::before;
use crate::seal::SealingKey;

pub(super) async fn find(
    client: &ClientWrapper,
    key: &SealingKey,
    sid: &CallSid,
) -> Result<Option<Call>, PostgresError> {
    let find = "SELECT document, sealed_credentials FROM call WHERE sid = $1";
    let find = client.prepare_cached(find).await?;
    let row = client.query_opt(&find, &[&sid.as_str()]).await?;
    row.map(|row| document::call(key, &row)).transpose()
}

pub(super) async fn of_account(
    client: &ClientWrapper,
    key: &SealingKey,
    account: &AccountSid,
    which: Newest,
) -> Result<Vec<Call>, PostgresError> {
    let select = "SELECT sid, document, sealed_credentials FROM call
         WHERE account = (SELECT id FROM account WHERE account.sid = $1) AND (created_at, sid) < ($2, $3)
         ORDER BY created_at DESC, sid DESC LIMIT $4";
    let select = client.prepare_cached(select).await?;
    let (created_at, sid) = before(&which);
    let limit = i64::try_from(which.limit).unwrap_or(i64::MAX);
    let rows = client.query(&select, &[&account.as_str(), &created_at, &sid, &limit]).await?;
    Ok(document::readable(&rows, "sid", |row| document::call(key, row)).0)
}

/// The numbers of an account's calls.
pub(super) async fn numbers(
    client: &ClientWrapper,
    account: &AccountSid,
) -> Result<Vec<PhoneNumber>, PostgresError> {
    let select = "SELECT DISTINCT number FROM call
         WHERE account = (SELECT id FROM account WHERE account.sid = $1)";
    let rows = client.query(select, &[&account.as_str()]).await?;
    rows.iter().map(|row| parsed(row, "number", PhoneNumber::parse_possible)).collect()
}

/// The calls that are due. Those that cannot be read are set aside, so that they do not block others.
pub(super) async fn due(
    client: &ClientWrapper,
    key: &SealingKey,
    accounts: &Accounts,
    now: Moment,
    limit: usize,
) -> Result<Vec<Call>, PostgresError> {
    // Those that were created later come last, because a call is never due before it was created.
    let due = "(SELECT call.sid, document, sealed_credentials, 0 AS part, wake_at
              FROM call JOIN account ON account.id = call.account
              WHERE wake_at <= $1 AND (account.sid = ANY($3)) = $4 ORDER BY wake_at, call.sid LIMIT $2)
         UNION ALL
             (SELECT call.sid, document, sealed_credentials, 1 AS part, wake_at
              FROM call JOIN account ON account.id = call.account
              WHERE wake_at IS NOT NULL AND created_at > $1 AND wake_at > $1
                  AND (account.sid = ANY($3)) = $4 ORDER BY wake_at, call.sid LIMIT $2)
         ORDER BY part, wake_at, sid LIMIT $2";
    let due = client.prepare_cached(due).await?;
    let (sids, is_among) = selected(accounts);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    loop {
        let rows = client.query(&due, &[&now.unix_millis(), &limit, &sids, &is_among]).await?;
        let (calls, unreadable) = document::readable(&rows, "sid", |row| document::call(key, row));
        if unreadable.is_empty() {
            return Ok(calls);
        }
        // They may have taken the places of others.
        let set_aside = "UPDATE call SET wake_at = NULL WHERE sid = ANY($1)";
        client.execute(set_aside, &[&unreadable]).await?;
    }
}

pub(super) async fn wake_at(
    client: &ClientWrapper,
    accounts: &Accounts,
) -> Result<Option<Moment>, PostgresError> {
    let select = "SELECT wake_at FROM call JOIN account ON account.id = call.account
         WHERE wake_at IS NOT NULL AND (account.sid = ANY($1)) = $2 ORDER BY wake_at LIMIT 1";
    earliest(client, select, accounts).await
}

/// Adds a call. Returns `None` if that must be done again, `alone`, because the limit on all live
/// calls is near.
pub(super) async fn add(
    client: &ClientWrapper,
    key: &SealingKey,
    call: Call,
    limits: &Limits,
    alone: bool,
) -> Result<Option<Result<Admitted, Ineligible>>, PostgresError> {
    let (account, number) = (call.account_sid, call.phone_number);
    ledger::lock_live_calls(client, alone).await?;
    numbers::lock(client, [&number]).await?;
    if limits.line.is_some() {
        line::lock(client).await?;
    }
    let ledger = ledger::lock(client, &account).await?;
    let ledger = ledger.ok_or(PostgresError::NoAccount(account))?;
    let find = "SELECT EXISTS (SELECT 1 FROM caller_id WHERE account = $1 AND number = $2) AS is_caller_id,
             (SELECT count(*) FROM (SELECT 1 FROM callback
              WHERE account = $1 AND next_at IS NOT NULL LIMIT $3) AS pending) AS callbacks,
             live.sid, live.document, live.sealed_credentials
         FROM (SELECT 1) AS one LEFT JOIN call AS live
             ON live.account = $1 AND live.number = $2 AND live.wake_at IS NOT NULL";
    let find = client.prepare_cached(find).await?;
    let most_callbacks = i64::from(limits.callbacks_per_account);
    let row =
        client.query_one(&find, &[&ledger.account, &number.as_str(), &most_callbacks]).await?;
    let live = match row.try_get::<_, Option<&str>>("sid")? {
        Some(_) => Some(document::call(key, &row)?),
        None => None,
    };
    let usage = numbers::find(client, &[number.as_str()]).await?;
    let all_calls = ledger::all_live_calls(client).await?;
    if !alone && ledger::is_near(all_calls, limits.calls) {
        return Ok(None);
    }
    let standing = Eligibility {
        is_caller_id: row.try_get("is_caller_id")?,
        number: usage.into_values().next().unwrap_or_default(),
        live,
        account_calls: ledger.live_calls,
        all_calls,
        account_callbacks: row.try_get::<_, i64>("callbacks")?.try_into().unwrap_or(u32::MAX),
        line: match &limits.line {
            Some(limits) => line::usage(client, limits, ledger.account, &call).await?,
            None => LineUsage::default(),
        },
    };
    let admitted = match standing.check(call, limits) {
        Ok(admitted) => admitted,
        Err(refused) => return Ok(Some(Err(refused))),
    };
    let mut entries = Entries::default();
    if let Some(step) = &admitted.replaced {
        let accounts = BTreeMap::from([(account, ledger.account)]);
        apply(client, key, &[step], &accounts, &mut entries).await?;
    }
    numbers::forget(client, admitted.call.created_at).await?;
    numbers::put(client, &BTreeMap::from([(number.to_string(), admitted.number)])).await?;
    if limits.line.is_some() {
        line::admit(client, &admitted.call).await?;
    }
    insert(client, key, ledger.account, &[&admitted.call], &mut entries).await?;
    entries.add_change(ledger.account, Change::Call(&admitted.call));
    entries.write(client).await?;
    Ok(Some(Ok(admitted)))
}

/// Inserts calls of an account.
pub(super) async fn insert(
    client: &ClientWrapper,
    key: &SealingKey,
    account: i64,
    calls: &[&Call],
    entries: &mut Entries<'_>,
) -> Result<(), PostgresError> {
    let insert = "INSERT INTO call
             (sid, account, number, created_at, wake_at, revision, document, sealed_credentials)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let insert = client.prepare_cached(insert).await?;
    for call in calls {
        let (document, sealed) = document::of_call(key, call)?;
        let wake_at = call.wake_at().map(Moment::unix_millis);
        client
            .execute(
                &insert,
                &[
                    &call.sid.as_str(),
                    &account,
                    &call.phone_number.as_str(),
                    &call.created_at.unix_millis(),
                    &wake_at,
                    &i64::from(call.revision),
                    &document,
                    &sealed,
                ],
            )
            .await?;
        entries.add_live_calls(account, i64::from(call.status.is_live()));
    }
    Ok(())
}

/// Saves transitions; returns for each whether it was saved.
pub(super) async fn save(
    client: &ClientWrapper,
    key: &SealingKey,
    steps: &[Transition],
) -> Result<Vec<bool>, PostgresError> {
    numbers::lock(client, steps.iter().map(|step| &step.call.phone_number)).await?;
    let accounts: BTreeSet<&AccountSid> = steps.iter().map(|step| &step.call.account_sid).collect();
    let accounts = ledger::lock_all(client, accounts).await?;
    let mut entries = Entries::default();
    let mut saved = vec![false; steps.len()];
    let mut rest: Vec<usize> = (0..steps.len()).collect();
    // Of each call, one transition at a time.
    while !rest.is_empty() {
        let (mut calls, mut now, mut later) = (BTreeSet::new(), Vec::new(), Vec::new());
        for at in rest {
            let Some(step) = steps.get(at) else { continue };
            if calls.insert(step.call.sid) { now.push((at, step)) } else { later.push(at) }
        }
        let batch: Vec<&Transition> = now.iter().map(|(_, step)| *step).collect();
        let done = apply(client, key, &batch, &accounts, &mut entries).await?;
        for (at, step) in now {
            if let Some(saved) = saved.get_mut(at) {
                *saved = done.contains(&step.call.sid);
            }
        }
        rest = later;
    }
    entries.write(client).await?;
    Ok(saved)
}

/// Applies transitions of different calls, whose accounts' ledgers are locked. Returns the calls whose
/// transitions were saved.
async fn apply<'a>(
    client: &ClientWrapper,
    key: &SealingKey,
    steps: &[&'a Transition],
    accounts: &BTreeMap<AccountSid, i64>,
    entries: &mut Entries<'a>,
) -> Result<BTreeSet<CallSid>, PostgresError> {
    let sids: Vec<&str> = steps.iter().map(|step| step.call.sid.as_str()).collect();
    let before: Vec<i64> =
        steps.iter().map(|step| step.call.revision.wrapping_sub(1).into()).collect();
    let revisions: Vec<i64> = steps.iter().map(|step| step.call.revision.into()).collect();
    let wake_at: Vec<Option<i64>> =
        steps.iter().map(|step| step.call.wake_at().map(Moment::unix_millis)).collect();
    let documents = steps.iter().map(|step| Ok(document::of_call(key, &step.call)?.0));
    let documents: Vec<Json<Call>> = documents.collect::<Result<_, PostgresError>>()?;
    let update =
        "UPDATE call SET revision = new.revision, wake_at = new.wake_at, document = new.document
         FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::jsonb[])
             AS new (sid, before, revision, wake_at, document)
         WHERE call.sid = new.sid AND call.revision = new.before RETURNING call.sid";
    let update = client.prepare_cached(update).await?;
    let rows = client.query(&update, &[&sids, &before, &revisions, &wake_at, &documents]).await?;
    let mut done = BTreeSet::new();
    for row in &rows {
        done.insert(parsed(row, "sid", CallSid::parse)?);
    }
    let saved: Vec<&Transition> =
        steps.iter().filter(|step| done.contains(&step.call.sid)).copied().collect();
    numbers::step(client, &saved).await?;
    line::step(client, &saved).await?;
    let id = |step: &Transition| accounts.get(&step.call.account_sid).copied();
    let (mut ended, mut added, mut reported) = (Vec::new(), Vec::new(), Vec::new());
    for step in &saved {
        let Some(account) = id(step) else { continue };
        if !step.call.status.is_live() {
            entries.add_live_calls(account, -1);
            ended.push(account);
        }
        added.extend(step.caller_id.as_ref().map(|row| (account, row)));
        reported.extend(step.callback.as_ref().map(|callback| (account, callback)));
        entries.add_change(account, Change::Call(&step.call));
        if let Some(caller_id) = &step.caller_id {
            entries.add_change(account, Change::CallerIdAdded(caller_id));
        }
    }
    if !added.is_empty() {
        caller_ids::put(client, &added, entries).await?;
    }
    callbacks::insert(client, key, &reported).await?;
    drop_old(client, &ended).await?;
    Ok(done)
}

/// Deletes ended calls of accounts, except the newest.
async fn drop_old(client: &ClientWrapper, accounts: &[i64]) -> Result<(), PostgresError> {
    if accounts.is_empty() {
        return Ok(());
    }
    let delete = "DELETE FROM call USING unnest($1::bigint[]) AS of (account)
         CROSS JOIN LATERAL (SELECT created_at, sid FROM call AS ended
             WHERE ended.account = of.account AND wake_at IS NULL
             ORDER BY created_at DESC, sid DESC LIMIT 1 OFFSET $2) AS oldest
         WHERE call.account = of.account AND call.wake_at IS NULL
             AND (call.created_at, call.sid) <= (oldest.created_at, oldest.sid)";
    let delete = client.prepare_cached(delete).await?;
    client.execute(&delete, &[&accounts, &(ENDED_CALLS_KEPT as i64)]).await?;
    Ok(())
}
