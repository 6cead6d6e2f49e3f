//! What limits a real phone line: its calls, wrong entries, numbers that are not called, and whether
//! the operator has stopped it.

use callerid_core::{Moment, PhoneNumber};
use callerid_service::{
    CLOCK_TOLERANCE_SECONDS, Call, CallsOf, DAY_SECONDS, LineLimits, LineUsage, OptOut, Transition,
};
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::{SqliteError, parsed};

/// The usage for another call of the account with this id.
pub(super) fn usage(
    connection: &Connection,
    limits: &LineLimits,
    account: i64,
    call: &Call,
) -> rusqlite::Result<LineUsage> {
    let (number, now) = (&call.phone_number, call.created_at);
    let mut usage = LineUsage::count(limits, &call.account_sid, number, now, |of, n, latest| {
        nth_newest(connection, of, n, latest)
    })?;
    let mut others = connection.prepare_cached(
        "SELECT count(*) FROM call INDEXED BY call_live_to
         WHERE number = ?1 AND account <> ?2 AND wake_at IS NOT NULL",
    )?;
    usage.others_live_calls = others.query_row((number.as_str(), account), |row| row.get(0))?;
    usage.wrong_codes = wrong_codes(connection, number)?;
    usage.is_opted_out = is_opted_out(connection, number)?;
    usage.is_stopped = stopped_at(connection)?.is_some();
    Ok(usage)
}

fn nth_newest(
    connection: &Connection,
    of: CallsOf<'_>,
    n: u32,
    latest: Moment,
) -> rusqlite::Result<Option<Moment>> {
    let (select, key) = match of {
        CallsOf::Number(number) => (
            "SELECT at FROM line_call INDEXED BY line_call_number
             WHERE number = ?1 AND at <= ?2 ORDER BY at DESC LIMIT 1 OFFSET ?3",
            number.as_str(),
        ),
        CallsOf::Account(account) => (
            "SELECT at FROM line_call INDEXED BY line_call_account
             WHERE account_sid = ?1 AND at <= ?2 ORDER BY at DESC LIMIT 1 OFFSET ?3",
            account.as_str(),
        ),
        CallsOf::All => (
            "SELECT at FROM line_call INDEXED BY line_call_at
             WHERE ?1 = '' AND at <= ?2 ORDER BY at DESC LIMIT 1 OFFSET ?3",
            "",
        ),
    };
    let mut select = connection.prepare_cached(select)?;
    let before = i64::from(n) - 1;
    let at = |row: &Row<'_>| row.get(0).map(Moment::from_unix_millis);
    select.query_row((key, latest.unix_millis(), before), at).optional()
}

/// Counts a call that was admitted, and forgets those that no limit counts any more.
pub(super) fn admit(connection: &Connection, call: &Call) -> rusqlite::Result<()> {
    let now = call.created_at;
    let a_day_ago = now.unix_millis().saturating_sub(i64::from(DAY_SECONDS) * 1_000);
    let ahead = now.plus_seconds(CLOCK_TOLERANCE_SECONDS).unix_millis();
    for (forget, at) in [
        ("DELETE FROM line_call WHERE at <= ?1", a_day_ago),
        // A clock was ahead and has been set back.
        ("DELETE FROM line_call WHERE at > ?1", ahead),
    ] {
        connection.prepare_cached(forget)?.execute([at])?;
    }
    let mut insert = connection
        .prepare_cached("INSERT INTO line_call (number, account_sid, at) VALUES (?1, ?2, ?3)")?;
    let (number, account) = (call.phone_number.as_str(), call.account_sid.as_str());
    insert.execute((number, account, now.unix_millis()))?;
    Ok(())
}

/// Counts a transition's wrong entries, and opts its number out if it says so.
pub(super) fn step(connection: &Connection, step: &Transition) -> rusqlite::Result<()> {
    let number = &step.call.phone_number;
    let wrong = step.wrong_entries_on_line();
    if wrong > 0 {
        let mut add = connection.prepare_cached(
            "INSERT INTO line_number (number, wrong_entries) VALUES (?1, ?2)
             ON CONFLICT (number) DO UPDATE SET wrong_entries = wrong_entries + excluded.wrong_entries",
        )?;
        add.execute((number.as_str(), wrong))?;
    }
    if step.opts_out {
        opt_out(connection, number, step.at)?;
    }
    Ok(())
}

fn wrong_codes(connection: &Connection, number: &PhoneNumber) -> rusqlite::Result<u32> {
    let mut find =
        connection.prepare_cached("SELECT wrong_entries FROM line_number WHERE number = ?1")?;
    Ok(find.query_row([number.as_str()], |row| row.get(0)).optional()?.unwrap_or_default())
}

/// Forgets a number's calls and wrong entries; returns how many there were. The calls still count for
/// their accounts, and in total.
pub(super) fn clear(connection: &Connection, number: &PhoneNumber) -> rusqlite::Result<(u32, u32)> {
    let wrong_codes = wrong_codes(connection, number)?;
    let number = [number.as_str()];
    connection.prepare_cached("DELETE FROM line_number WHERE number = ?1")?.execute(number)?;
    let mut forget =
        connection.prepare_cached("UPDATE line_call SET number = NULL WHERE number = ?1")?;
    let calls = forget.execute(number)?;
    Ok((wrong_codes, calls.try_into().unwrap_or(u32::MAX)))
}

pub(super) fn opt_out(
    connection: &Connection,
    number: &PhoneNumber,
    since: Moment,
) -> rusqlite::Result<bool> {
    let mut add = connection.prepare_cached(
        "INSERT INTO opt_out (number, since) VALUES (?1, ?2) ON CONFLICT (number) DO NOTHING",
    )?;
    Ok(add.execute((number.as_str(), since.unix_millis()))? == 1)
}

pub(super) fn remove_opt_out(
    connection: &Connection,
    number: &PhoneNumber,
) -> rusqlite::Result<bool> {
    let mut remove = connection.prepare_cached("DELETE FROM opt_out WHERE number = ?1")?;
    Ok(remove.execute([number.as_str()])? == 1)
}

pub(super) fn opt_outs(connection: &Connection) -> Result<Vec<OptOut>, SqliteError> {
    let mut list =
        connection.prepare_cached("SELECT number, since FROM opt_out ORDER BY number")?;
    let opt_outs = list.query_map([], |row| {
        let number = parsed(row, 0, PhoneNumber::parse_possible)?;
        Ok(OptOut { number, since: Moment::from_unix_millis(row.get(1)?) })
    })?;
    Ok(opt_outs.collect::<Result<_, _>>()?)
}

pub(super) fn is_opted_out(
    connection: &Connection,
    number: &PhoneNumber,
) -> rusqlite::Result<bool> {
    let mut find = connection.prepare_cached("SELECT 1 FROM opt_out WHERE number = ?1")?;
    find.exists([number.as_str()])
}

pub(super) fn stop(connection: &Connection, now: Moment) -> rusqlite::Result<bool> {
    let mut stop = connection
        .prepare_cached("UPDATE meta SET line_stopped_at = ?1 WHERE line_stopped_at IS NULL")?;
    Ok(stop.execute([now.unix_millis()])? == 1)
}

pub(super) fn start(connection: &Connection) -> rusqlite::Result<bool> {
    let mut start = connection.prepare_cached(
        "UPDATE meta SET line_stopped_at = NULL WHERE line_stopped_at IS NOT NULL",
    )?;
    Ok(start.execute([])? == 1)
}

pub(super) fn stopped_at(connection: &Connection) -> rusqlite::Result<Option<Moment>> {
    let mut find = connection.prepare_cached("SELECT line_stopped_at FROM meta")?;
    let millis: Option<i64> = find.query_row([], |row| row.get(0))?;
    Ok(millis.map(Moment::from_unix_millis))
}
