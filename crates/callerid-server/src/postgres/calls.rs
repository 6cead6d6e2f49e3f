//! Calls.

use std::collections::{BTreeMap, BTreeSet};

use callerid_core::{AccountSid, CallSid, Moment, PhoneNumber};
use callerid_service::{
    Accounts, Admitted, Call, Change, ENDED_CALLS_KEPT, Eligibility, Ineligible, Instruction,
    Limits, LineUsage, Newest, Transition,
};
use deadpool_postgres::ClientWrapper;
use futures_util::try_join;
use tokio_postgres::Row;
use tokio_postgres::types::{Json, ToSql};

use super::error::PostgresError;
use super::ledger::{self, Entries, Ledger};
use super::{callbacks, caller_ids, document, earliest, line, locks, numbers, parsed, selected};
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

/// The node's calls that are due. Those that cannot be read are set aside, so that they do not block
/// others.
pub(super) async fn due(
    client: &ClientWrapper,
    key: &SealingKey,
    node: i64,
    accounts: &Accounts,
    now: Moment,
    limit: usize,
) -> Result<Vec<Call>, PostgresError> {
    // Those that were created later come last, because a call is never due before it was created.
    let due = "(SELECT call.sid, document, sealed_credentials, 0 AS part, wake_at
              FROM call JOIN account ON account.id = call.account
              WHERE call.node = $5 AND wake_at <= $1 AND (account.sid = ANY($3)) = $4
              ORDER BY wake_at, call.sid LIMIT $2)
         UNION ALL
             (SELECT call.sid, document, sealed_credentials, 1 AS part, wake_at
              FROM call JOIN account ON account.id = call.account
              WHERE call.node = $5 AND wake_at IS NOT NULL AND created_at > $1 AND wake_at > $1
                  AND (account.sid = ANY($3)) = $4 ORDER BY wake_at, call.sid LIMIT $2)
         ORDER BY part, wake_at, sid LIMIT $2";
    let due = client.prepare_cached(due).await?;
    let (sids, is_among) = selected(accounts);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    loop {
        let rows =
            client.query(&due, &[&now.unix_millis(), &limit, &sids, &is_among, &node]).await?;
        let (calls, unreadable) = document::readable(&rows, "sid", |row| document::call(key, row));
        if unreadable.is_empty() {
            return Ok(calls);
        }
        // They may have taken the places of others.
        set_aside(client, &unreadable).await?;
    }
}

/// Takes calls that cannot be read out of those that are live.
async fn set_aside(client: &ClientWrapper, sids: &[String]) -> Result<(), PostgresError> {
    let set_aside = format!(
        "WITH aside AS (UPDATE call SET wake_at = NULL WHERE sid = ANY($1) AND wake_at IS NOT NULL
             RETURNING account),
         fewer AS (SELECT account, count(*) AS calls FROM aside GROUP BY account),
         uncounted AS (UPDATE ledger SET live_calls = live_calls - calls FROM fewer
             WHERE ledger.account = fewer.account)
         UPDATE live_calls SET calls = calls - (SELECT count(*) FROM aside) WHERE part = {}",
        ledger::OWN_PART
    );
    client.execute(&set_aside, &[&sids]).await?;
    Ok(())
}

pub(super) async fn wake_at(
    client: &ClientWrapper,
    node: i64,
    accounts: &Accounts,
) -> Result<Option<Moment>, PostgresError> {
    let select = "SELECT wake_at FROM call JOIN account ON account.id = call.account
         WHERE node = $3 AND wake_at IS NOT NULL AND (account.sid = ANY($1)) = $2
         ORDER BY wake_at LIMIT 1";
    earliest(client, select, accounts, node).await
}

/// Makes the live calls of a node that is gone belong to another one. Returns them.
pub(super) async fn adopt(
    client: &ClientWrapper,
    key: &SealingKey,
    from: i64,
    node: i64,
) -> Result<Vec<Call>, PostgresError> {
    // What another transaction holds is adopted later: it may wait for what this one holds.
    let adopt = "UPDATE call SET node = $2 WHERE ctid = ANY (ARRAY(
             SELECT ctid FROM call WHERE node = $1 AND wake_at IS NOT NULL
             FOR NO KEY UPDATE SKIP LOCKED))
         RETURNING sid, document, sealed_credentials";
    let rows = client.query(&client.prepare_cached(adopt).await?, &[&from, &node]).await?;
    Ok(document::readable(&rows, "sid", |row| document::call(key, row)).0)
}

/// What became of a call that was to be added; `None` if its account does not exist.
pub(super) type Added = Option<Result<Admitted, Ineligible>>;

/// Adds calls of different numbers to a node. Returns `None` if that must be done again, `alone`,
/// because the limit on all live calls is near.
pub(super) async fn add(
    client: &ClientWrapper,
    key: &SealingKey,
    node: i64,
    calls: &[Call],
    limits: &Limits,
    alone: bool,
) -> Result<Option<Vec<Added>>, PostgresError> {
    if alone {
        locks::lock_live_calls(client).await?;
    }
    let numbers = calls.iter().map(|call| &call.phone_number);
    locks::lock(client, numbers, calls.iter().map(|call| &call.account_sid)).await?;
    if limits.line.is_some() {
        locks::lock_line(client).await?;
    }
    let mut known = known(client, key, calls, limits).await?;
    let mut all = known.values().map(|it| it.standing.all_calls);
    if !alone && all.any(|calls| ledger::is_near(calls, limits.calls)) {
        return Ok(None);
    }
    let (mut ledgers, mut more_calls) = (BTreeMap::new(), 0);
    let mut added = Vec::with_capacity(calls.len());
    for call in calls {
        let Some(Known { ledger, standing }) = known.remove(&call.phone_number) else {
            added.push(None);
            continue;
        };
        let ledger = ledgers.entry(call.account_sid).or_insert(ledger);
        let line = match &limits.line {
            // Calls on a real line are added one by one.
            Some(limits) => line::usage(client, limits, ledger.account, call).await?,
            None => LineUsage::default(),
        };
        let all_calls = standing.all_calls.saturating_add(more_calls);
        let standing =
            Eligibility { account_calls: ledger.live_calls, all_calls, line, ..standing };
        let admitted = standing.check(call.clone(), limits);
        if admitted.as_ref().is_ok_and(|admitted| admitted.replaced.is_none()) {
            ledger.live_calls = ledger.live_calls.saturating_add(1);
            more_calls = more_calls.saturating_add(1);
        }
        added.push(Some(admitted));
    }
    let admitted: Vec<&Admitted> = added.iter().flatten().flatten().collect();
    let Some(first) = admitted.first() else { return Ok(Some(added)) };
    let accounts = ledgers.iter().map(|(sid, ledger)| (*sid, ledger.account)).collect();
    let mut entries = Entries::of(ledgers.values());
    let replaced: Vec<_> = admitted.iter().filter_map(|it| it.replaced.as_ref()).collect();
    if !replaced.is_empty() {
        apply(client, key, node, &replaced, &accounts, &mut entries).await?;
    }
    if limits.line.is_some() {
        for it in &admitted {
            line::admit(client, &it.call).await?;
        }
    }
    let mut rows = Vec::with_capacity(admitted.len());
    for it in &admitted {
        if let Some(account) = accounts.get(&it.call.account_sid) {
            rows.push((*account, &it.call));
            entries.add_live_calls(*account, 1);
            entries.add_change(*account, Change::Call(&it.call));
        }
    }
    let usages = admitted.iter().map(|it| (it.call.phone_number.to_string(), it.number)).collect();
    // In one trip.
    try_join!(
        numbers::forget(client, first.call.created_at),
        numbers::put(client, &usages),
        insert(client, key, node, &rows),
        entries.write(client),
    )?;
    Ok(Some(added))
}

/// What is known of a call that is to be added.
struct Known {
    ledger: Ledger,
    /// Without the usage of a real line.
    standing: Eligibility,
}

/// What is known of calls, by their numbers. Those whose account does not exist are absent.
async fn known(
    client: &ClientWrapper,
    key: &SealingKey,
    calls: &[Call],
    limits: &Limits,
) -> Result<BTreeMap<PhoneNumber, Known>, PostgresError> {
    let accounts: Vec<&str> = calls.iter().map(|call| call.account_sid.as_str()).collect();
    let numbers: Vec<&str> = calls.iter().map(|call| call.phone_number.as_str()).collect();
    let call_back: Vec<bool> = calls.iter().map(|call| call.status_callback.is_some()).collect();
    // OFFSET and ORDER BY leave but one index for each: live calls of a number, and pending callbacks.
    let find = "SELECT given.number, account.id, ledger.live_calls, ledger.events,
             (SELECT sum(calls)::bigint FROM live_calls) AS all_calls,
             EXISTS (SELECT 1 FROM caller_id
                 WHERE caller_id.account = account.id AND caller_id.number = given.number) AS is_caller_id,
             CASE WHEN call_back THEN (SELECT count(*) FROM (SELECT 1 FROM callback
                 WHERE callback.account = account.id AND next_at IS NOT NULL
                 ORDER BY receiver, next_at, call_sid LIMIT $4) AS pending)
             ELSE 0 END AS callbacks,
             failed_entries, failed_at, rings, rings_since,
             live.sid, live.document, live.sealed_credentials
         FROM unnest($1::text[], $2::text[], $3::boolean[]) AS given (account_sid, number, call_back)
         JOIN account ON account.sid = given.account_sid
         JOIN ledger ON ledger.account = account.id
         LEFT JOIN number ON number.number = given.number
         LEFT JOIN LATERAL (SELECT account, sid, document, sealed_credentials FROM call
             WHERE live_number = given.number OFFSET 0) AS live ON live.account = account.id";
    let find = client.prepare_cached(find).await?;
    let most_callbacks = i64::from(limits.callbacks_per_account);
    let values: [&(dyn ToSql + Sync); 4] = [&accounts, &numbers, &call_back, &most_callbacks];
    let rows = client.query(&find, &values).await?;
    let read = |row: &Row| {
        let live = match row.try_get::<_, Option<&str>>("sid")? {
            Some(_) => Some(document::call(key, row)?),
            None => None,
        };
        let callbacks: i64 = row.try_get("callbacks")?;
        let all_calls: i64 = row.try_get("all_calls")?;
        let standing = Eligibility {
            is_caller_id: row.try_get("is_caller_id")?,
            number: numbers::usage(row)?,
            live,
            account_callbacks: callbacks.try_into().unwrap_or(u32::MAX),
            all_calls: all_calls.try_into().unwrap_or_default(),
            ..Eligibility::default()
        };
        let known = Known { ledger: ledger::from_row(row)?, standing };
        Ok((parsed(row, "number", PhoneNumber::parse_possible)?, known))
    };
    rows.iter().map(read).collect()
}

/// Inserts calls, each with its account, that belong to a node.
pub(super) async fn insert(
    client: &ClientWrapper,
    key: &SealingKey,
    node: i64,
    calls: &[(i64, &Call)],
) -> Result<(), PostgresError> {
    if calls.is_empty() {
        return Ok(());
    }
    let accounts: Vec<i64> = calls.iter().map(|(account, _)| *account).collect();
    let sids: Vec<&str> = calls.iter().map(|(_, call)| call.sid.as_str()).collect();
    let numbers: Vec<&str> = calls.iter().map(|(_, call)| call.phone_number.as_str()).collect();
    let created_at: Vec<i64> =
        calls.iter().map(|(_, call)| call.created_at.unix_millis()).collect();
    let wake_at: Vec<Option<i64>> =
        calls.iter().map(|(_, call)| call.wake_at().map(Moment::unix_millis)).collect();
    let revisions: Vec<i64> = calls.iter().map(|(_, call)| call.revision.into()).collect();
    let documents = calls.iter().map(|(_, call)| document::of_call(key, call));
    let (documents, sealed): (Vec<_>, Vec<_>) =
        documents.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
    let insert = "INSERT INTO call
             (node, account, sid, number, created_at, wake_at, revision, document, sealed_credentials)
         SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[],
             $7::bigint[], $8::jsonb[], $9::bytea[])";
    let insert = client.prepare_cached(insert).await?;
    let values: [&(dyn ToSql + Sync); 9] =
        [&node, &accounts, &sids, &numbers, &created_at, &wake_at, &revisions, &documents, &sealed];
    client.execute(&insert, &values).await?;
    Ok(())
}

/// Saves transitions; returns for each whether it was saved.
pub(super) async fn save(
    client: &ClientWrapper,
    key: &SealingKey,
    node: i64,
    steps: &[Transition],
) -> Result<Vec<bool>, PostgresError> {
    let accounts: BTreeSet<&AccountSid> = steps.iter().map(|step| &step.call.account_sid).collect();
    let numbers = steps.iter().map(|step| &step.call.phone_number);
    locks::lock(client, numbers, accounts.iter().copied()).await?;
    let ledgers = ledger::of(client, accounts).await?;
    let accounts = ledgers.iter().map(|(sid, ledger)| (*sid, ledger.account)).collect();
    let mut entries = Entries::of(ledgers.values());
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
        let done = apply(client, key, node, &batch, &accounts, &mut entries).await?;
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
    node: i64,
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
    // Whoever places a call has it.
    let nodes: Vec<Option<i64>> = steps
        .iter()
        .map(|step| (step.instruction == Some(Instruction::Place)).then_some(node))
        .collect();
    let update = "UPDATE call SET revision = new.revision, wake_at = new.wake_at,
             document = new.document, node = coalesce(new.node, call.node)
         FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::jsonb[], $6::bigint[])
             AS new (sid, before, revision, wake_at, document, node)
         WHERE call.sid = new.sid AND call.revision = new.before RETURNING call.sid";
    let update = client.prepare_cached(update).await?;
    let rows =
        client.query(&update, &[&sids, &before, &revisions, &wake_at, &documents, &nodes]).await?;
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
    callbacks::insert(client, key, node, &reported).await?;
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
