//! Calls.

use std::collections::BTreeMap;

use callerid_core::{
    AccountSid, CallExtension, CallSid, CallerIdSid, FriendlyName, Moment, PhoneNumber,
    StatusCallback, ValidationCode,
};
use callerid_service::{
    Accounts, Admitted, Call, CallStatus, Change, DigitBuffer, ENDED_CALLS_KEPT, Eligibility,
    FailureCause, Ineligible, Limits, LineUsage, Newest, Transition,
};
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Params, Row, params};

use super::unreadable::{self, Survey, Unreadable, readable};
use super::{
    SqliteError, accounts, callback_target, callbacks, caller_ids, earliest, events, line, numbers,
    optional, parsed, selected,
};
use crate::durable_store::before;
use crate::seal::SealingKey;

/// The maximum number of ended calls that are dropped for each that ends, so that no change takes
/// long.
const DROPPED_AT_ONCE: i64 = 16;

/// The columns that [`from_row`] reads.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT call.sid, account.sid, number, name, caller_id_sid, status, verified, code, keyed,
                    entries_left, created_at, due_at, ringing_at, answered_at, ended_at,
                    revision, extension, callback_url, callback_method, sealed_credentials, caller, failure
             FROM call JOIN account ON account.id = call.account ",
            $rest
        )
    };
}

fn from_row(row: &Row<'_>, key: Option<&SealingKey>) -> rusqlite::Result<Call> {
    let moment = |column| row.get(column).map(Moment::from_unix_millis);
    let optional_moment = |column| {
        let millis: Option<i64> = row.get(column)?;
        Ok::<_, rusqlite::Error>(millis.map(Moment::from_unix_millis))
    };
    let sid = parsed(row, 0, CallSid::parse)?;
    Ok(Call {
        sid,
        account_sid: parsed(row, 1, AccountSid::parse)?,
        phone_number: parsed(row, 2, PhoneNumber::parse_possible)?,
        friendly_name: optional(row, 3, FriendlyName::new)?,
        extension: optional(row, 16, CallExtension::new)?,
        status_callback: callback_target::read(row, 17, key, &sid)?,
        caller_id_sid: parsed(row, 4, CallerIdSid::parse)?,
        caller: optional(row, 20, PhoneNumber::parse_possible)?,
        status: parsed(row, 5, CallStatus::parse)?,
        // Another version of the program may know more of them.
        failure: row.get::<_, Option<String>>(21)?.as_deref().and_then(FailureCause::parse),
        verified: row.get(6)?,
        validation_code: optional(row, 7, ValidationCode::parse)?,
        keyed: DigitBuffer::resume(row.get_ref(8)?.as_str()?),
        entries_left: row.get(9)?,
        created_at: moment(10)?,
        due_at: moment(11)?,
        ringing_at: optional_moment(12)?,
        answered_at: optional_moment(13)?,
        ended_at: optional_moment(14)?,
        revision: row.get(15)?,
    })
}

fn millis(moment: Option<Moment>) -> Option<i64> {
    moment.map(Moment::unix_millis)
}

pub(super) fn find(
    connection: &Connection,
    key: &SealingKey,
    sid: &CallSid,
) -> Result<Option<Call>, SqliteError> {
    let mut find = connection.prepare_cached(select!("WHERE call.sid = ?1"))?;
    Ok(find.query_row([sid.as_str()], |row| from_row(row, Some(key))).optional()?)
}

fn find_live(
    connection: &Connection,
    key: &SealingKey,
    account: i64,
    number: &PhoneNumber,
) -> Result<Option<Call>, SqliteError> {
    let mut find = connection.prepare_cached(select!(
        "WHERE call.account = ?1 AND number = ?2 AND wake_at IS NOT NULL"
    ))?;
    let from_row = readable(|row| from_row(row, Some(key)));
    match find.query_row((account, number.as_str()), from_row).optional()? {
        None => Ok(None),
        Some(Ok(call)) => Ok(Some(call)),
        // Otherwise the number could never be called again.
        Some(Err(row)) => {
            row.log_set_aside("call");
            set_aside(connection, &row)?;
            Ok(None)
        }
    }
}

pub(super) fn of_account(
    connection: &Connection,
    key: &SealingKey,
    account: &AccountSid,
    which: Newest,
) -> Result<Vec<Call>, SqliteError> {
    let Some(id) = accounts::id(connection, account)? else { return Ok(Vec::new()) };
    let (created_at, sid) = before(&which);
    let mut select = connection.prepare_cached(select!(
        "WHERE call.account = ?1 AND (created_at, call.sid) < (?2, ?3)
         ORDER BY created_at DESC, call.sid DESC LIMIT ?4"
    ))?;
    let limit = i64::try_from(which.limit).unwrap_or(i64::MAX);
    let (mut calls, mut unreadable) = (Vec::new(), Vec::new());
    let from_row = readable(|row| from_row(row, Some(key)));
    let rows = select.query_map((id, created_at, sid, limit), from_row)?;
    unreadable::split(rows, &mut calls, &mut unreadable)?;
    unreadable.iter().for_each(Unreadable::log_left_out);
    Ok(calls)
}

/// The calls that are due, and the unreadable rows among them.
pub(super) fn due(
    connection: &Connection,
    key: &SealingKey,
    accounts: &Accounts,
    now: Moment,
    limit: usize,
) -> Result<(Vec<Call>, Vec<Unreadable>), SqliteError> {
    let (mut calls, mut unreadable) = (Vec::new(), Vec::new());
    for select in [
        select!(
            "WHERE wake_at <= ?1 AND (instr(?3, account.sid) > 0) = ?4 ORDER BY wake_at, call.sid LIMIT ?2"
        ),
        // These come last, because a call is never due before it was created. There are few of
        // them, if any. The plus sign keeps SQLite from scanning all calls that are due later.
        select!(
            "WHERE created_at > ?1 AND +wake_at > ?1 AND wake_at IS NOT NULL
             AND (instr(?3, account.sid) > 0) = ?4 ORDER BY +wake_at, call.sid LIMIT ?2"
        ),
    ] {
        let mut select = connection.prepare_cached(select)?;
        let limit = i64::try_from(limit - calls.len()).unwrap_or(i64::MAX);
        let from_row = readable(|row| from_row(row, Some(key)));
        let (sids, is_among) = selected(accounts);
        let rows = select.query_map((now.unix_millis(), limit, sids, is_among), from_row)?;
        unreadable::split(rows, &mut calls, &mut unreadable)?;
    }
    Ok((calls, unreadable))
}

/// Checks every call and, with a key, the credentials of its callback.
pub(super) fn survey(
    connection: &Connection,
    key: Option<&SealingKey>,
) -> Result<Survey, SqliteError> {
    unreadable::survey(connection, select!(""), |row| from_row(row, key))
}

/// Ends a live call that is unreadable, so that it is no longer due and its number can be called
/// again.
pub(super) fn set_aside(connection: &Connection, row: &Unreadable) -> Result<(), SqliteError> {
    let set_aside = "UPDATE call SET wake_at = NULL, status = 'failed', code = NULL, keyed = ''
                     WHERE CAST(sid AS BLOB) = ?1";
    unreadable::changed(connection.prepare_cached(set_aside)?.execute([&row.key])?)
}

pub(super) fn wake_at(
    connection: &Connection,
    accounts: &Accounts,
) -> Result<Option<Moment>, SqliteError> {
    earliest(
        connection,
        accounts,
        "SELECT wake_at FROM call JOIN account ON account.id = call.account
         WHERE wake_at IS NOT NULL AND (instr(?1, account.sid) > 0) = ?2 ORDER BY wake_at LIMIT 1",
    )
}

pub(super) fn add(
    connection: &Connection,
    key: &SealingKey,
    call: Call,
    limits: &Limits,
) -> Result<Result<Admitted, Ineligible>, SqliteError> {
    let account = call.account_sid;
    let id = accounts::id(connection, &account)?.ok_or(SqliteError::NoAccount(account))?;
    let standing = Eligibility {
        is_caller_id: caller_ids::has_number(connection, id, &call.phone_number)?,
        number: numbers::find(connection, &call.phone_number)?,
        live: find_live(connection, key, id, &call.phone_number)?,
        account_calls: count(connection, "SELECT live_calls FROM account WHERE id = ?1", [id])?,
        all_calls: count(connection, "SELECT live_calls FROM total", [])?,
        account_callbacks: match call.status_callback {
            Some(_) => callbacks::pending(connection, id, limits.callbacks_per_account)?,
            None => 0,
        },
        line: match &limits.line {
            Some(limits) => line::usage(connection, limits, id, &call)?,
            None => LineUsage::default(),
        },
    };
    let admitted = match standing.check(call, limits) {
        Ok(admitted) => admitted,
        Err(refused) => return Ok(Err(refused)),
    };
    if let Some(step) = &admitted.replaced {
        put(connection, id, step)?;
        drop_old(connection, id, 1)?;
    }
    numbers::forget(connection, admitted.call.created_at)?;
    numbers::put(connection, &admitted.call.phone_number, &admitted.number)?;
    if limits.line.is_some() {
        line::admit(connection, &admitted.call)?;
    }
    insert(connection, key, id, &admitted.call)?;
    saved(connection, id, &admitted.call)?;
    Ok(Ok(admitted))
}

/// Saves transitions, and then drops old calls of the accounts whose calls have ended.
pub(super) fn save_all(
    connection: &Connection,
    steps: &[Transition],
) -> Result<Vec<bool>, SqliteError> {
    let saved = match steps {
        [step] => vec![save(connection, step)?],
        steps => save_each(connection, steps)?,
    };
    let mut ended: BTreeMap<AccountSid, i64> = BTreeMap::new();
    let ends = |it: &(&Transition, &bool)| *it.1 && !it.0.call.status.is_live();
    for (step, _) in steps.iter().zip(&saved).filter(ends) {
        *ended.entry(step.call.account_sid).or_default() += 1;
    }
    for (account, ended) in ended {
        if let Some(id) = accounts::id(connection, &account)? {
            drop_old(connection, id, ended)?;
        }
    }
    Ok(saved)
}

/// Saves transitions of several calls. Leaves out any that the database rejects because of its
/// other contents, so that it does not block the rest.
fn save_each(connection: &Connection, steps: &[Transition]) -> Result<Vec<bool>, SqliteError> {
    let execute = |sql| connection.prepare_cached(sql)?.execute([]);
    let mut saved = Vec::with_capacity(steps.len());
    for step in steps {
        execute("SAVEPOINT step")?;
        saved.push(match save(connection, step) {
            Err(SqliteError::Database(error))
                if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) =>
            {
                execute("ROLLBACK TO step")?;
                tracing::error!(call = %step.call.sid, %error, "a step of a call cannot be saved");
                false
            }
            saved => saved?,
        });
        execute("RELEASE step")?;
    }
    Ok(saved)
}

fn count(connection: &Connection, sql: &str, parameters: impl Params) -> rusqlite::Result<u32> {
    connection.prepare_cached(sql)?.query_row(parameters, |row| row.get(0))
}

/// Saves a transition. Returns `false` if its call has changed.
fn save(connection: &Connection, step: &Transition) -> Result<bool, SqliteError> {
    let Some(id) = accounts::id(connection, &step.call.account_sid)? else { return Ok(false) };
    put(connection, id, step)
}

fn put(connection: &Connection, account: i64, step: &Transition) -> Result<bool, SqliteError> {
    if !update(connection, account, &step.call)? {
        return Ok(false);
    }
    numbers::step(connection, step)?;
    line::step(connection, step)?;
    if let Some(caller_id) = &step.caller_id {
        caller_ids::add(connection, account, caller_id)?;
    }
    if let Some(callback) = &step.callback {
        callbacks::add(connection, account, callback)?;
    }
    Ok(true)
}

pub(super) fn insert(
    connection: &Connection,
    key: &SealingKey,
    account: i64,
    call: &Call,
) -> Result<(), SqliteError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO call (sid, account, number, name, caller_id_sid, status, verified, code, keyed,
             entries_left, created_at, due_at, ringing_at, answered_at, ended_at,
             revision, wake_at, extension, callback_url, callback_method, sealed_credentials,
             caller, failure)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
             ?21, ?22, ?23)",
    )?;
    insert.execute(params![
        call.sid.as_str(),
        account,
        call.phone_number.as_str(),
        call.friendly_name.as_ref().map(FriendlyName::as_str),
        call.caller_id_sid.as_str(),
        call.status.as_str(),
        call.verified,
        call.validation_code.as_ref().map(ValidationCode::expose),
        call.keyed.expose(),
        call.entries_left,
        call.created_at.unix_millis(),
        call.due_at.unix_millis(),
        millis(call.ringing_at),
        millis(call.answered_at),
        millis(call.ended_at),
        call.revision,
        millis(call.wake_at()),
        call.extension.as_ref().map(CallExtension::as_str),
        call.status_callback.as_ref().map(StatusCallback::url),
        call.status_callback.as_ref().map(|callback| callback.method().as_str()),
        callback_target::seal(key, &call.sid, call.status_callback.as_ref())?,
        call.caller.as_ref().map(PhoneNumber::as_str),
        call.failure.map(FailureCause::as_str),
    ])?;
    Ok(())
}

/// Updates everything that a transition can change, if the call has not changed since.
fn update(connection: &Connection, account: i64, call: &Call) -> Result<bool, SqliteError> {
    let mut update = connection.prepare_cached(
        "UPDATE call SET status = ?3, verified = ?4, code = ?5, keyed = ?6, entries_left = ?7,
             ringing_at = ?8, answered_at = ?9, ended_at = ?10, revision = ?11, wake_at = ?12,
             caller = ?13, failure = ?14
         WHERE sid = ?1 AND revision = ?2",
    )?;
    let updated = update.execute(params![
        call.sid.as_str(),
        call.revision.wrapping_sub(1),
        call.status.as_str(),
        call.verified,
        call.validation_code.as_ref().map(ValidationCode::expose),
        call.keyed.expose(),
        call.entries_left,
        millis(call.ringing_at),
        millis(call.answered_at),
        millis(call.ended_at),
        call.revision,
        millis(call.wake_at()),
        call.caller.as_ref().map(PhoneNumber::as_str),
        call.failure.map(FailureCause::as_str),
    ])?;
    if updated == 1 {
        saved(connection, account, call)?;
    }
    Ok(updated == 1)
}

/// Appends the event that accompanies every change of a call.
fn saved(connection: &Connection, account: i64, call: &Call) -> Result<(), SqliteError> {
    Ok(events::append(connection, account, &Change::Call(call))?)
}

/// Deletes some of the account's ended calls beyond the newest, which are kept, after so many more
/// have ended.
fn drop_old(connection: &Connection, account: i64, ended: i64) -> Result<(), SqliteError> {
    let mut newest_dropped = connection.prepare_cached(
        "SELECT created_at, sid FROM call INDEXED BY call_ended
         WHERE account = ?1 AND wake_at IS NULL ORDER BY created_at DESC, sid DESC LIMIT 1 OFFSET ?2",
    )?;
    let newest_dropped = newest_dropped
        .query_row((account, ENDED_CALLS_KEPT as i64), |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })
        .optional()?;
    if let Some((created_at, sid)) = newest_dropped {
        let mut delete = connection.prepare_cached(
            "DELETE FROM call WHERE sid IN (SELECT sid FROM call INDEXED BY call_ended
             WHERE account = ?1 AND wake_at IS NULL AND (created_at, sid) <= (?2, ?3) LIMIT ?4)",
        )?;
        delete.execute((account, created_at, sid, ended * DROPPED_AT_ONCE))?;
    }
    Ok(())
}
