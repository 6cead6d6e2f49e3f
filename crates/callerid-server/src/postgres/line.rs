//! What limits a real phone line: its calls, wrong entries, numbers that are not called, and whether
//! the operator has stopped it.

use callerid_core::{Moment, PhoneNumber};
use callerid_service::{
    CLOCK_TOLERANCE_SECONDS, Call, CallsOf, DAY_SECONDS, LineLimits, LineUsage, OptOut, Transition,
};
use deadpool_postgres::ClientWrapper;

use super::error::PostgresError;
use super::{moment, parsed};

/// The usage for another call of the account with this id.
pub(super) async fn usage(
    client: &ClientWrapper,
    limits: &LineLimits,
    account: i64,
    call: &Call,
) -> Result<LineUsage, PostgresError> {
    let nth = |condition: &str, place: u32| {
        format!(
            "(SELECT at FROM line_call WHERE {condition} AND at <= $4
              ORDER BY at DESC LIMIT 1 OFFSET ${place})"
        )
    };
    let find = format!(
        "SELECT ARRAY[{}, {}, {}, {}, {}] AS admitted,
             (SELECT count(*) FROM call
              WHERE live_number = $2 AND account <> $1) AS others,
             coalesce((SELECT wrong_entries FROM line_number WHERE number = $2), 0) AS wrong,
             EXISTS (SELECT 1 FROM opt_out WHERE number = $2) AS is_opted_out,
             (SELECT line_stopped_at FROM meta) IS NOT NULL AS is_stopped",
        nth("number = $2", 5),
        nth("number = $2", 6),
        nth("account_sid = $3", 7),
        nth("account_sid = $3", 8),
        nth("true", 9),
    );
    let find = client.prepare_cached(&find).await?;
    let (number, now) = (&call.phone_number, call.created_at);
    let latest = now.plus_seconds(CLOCK_TOLERANCE_SECONDS).unix_millis();
    let most = [
        limits.number_rate.calls,
        limits.number_calls_a_day,
        limits.account_rate.calls,
        limits.account_calls_a_day,
        limits.calls_a_day,
    ];
    let [number_rate, number_day, account_rate, account_day, day] =
        most.map(|calls| i64::from(calls.saturating_sub(1)));
    let row = client
        .query_one(
            &find,
            &[
                &account,
                &number.as_str(),
                &call.account_sid.as_str(),
                &latest,
                &number_rate,
                &number_day,
                &account_rate,
                &account_day,
                &day,
            ],
        )
        .await?;
    let admitted: Vec<Option<i64>> = row.try_get("admitted")?;
    // Those of a number, of an account, and of all, each with how many calls back it is.
    let kinds = |of: &CallsOf<'_>| match of {
        CallsOf::Number(_) => 0..2,
        CallsOf::Account(_) => 2..4,
        CallsOf::All => 4..5,
    };
    let mut usage = LineUsage::count(limits, &call.account_sid, number, now, |of, n, _| {
        let place = kinds(&of).find(|place| most.get(*place) == Some(&n));
        let at = place.and_then(|place| admitted.get(place).copied().flatten());
        Ok::<_, PostgresError>(at.map(Moment::from_unix_millis))
    })?;
    usage.others_live_calls = row.try_get::<_, i64>("others")?.try_into().unwrap_or(u32::MAX);
    usage.wrong_codes = row.try_get::<_, i64>("wrong")?.try_into().unwrap_or(u32::MAX);
    usage.is_opted_out = row.try_get("is_opted_out")?;
    usage.is_stopped = row.try_get("is_stopped")?;
    Ok(usage)
}

/// Counts a call that was admitted, and forgets those that no limit counts any more.
pub(super) async fn admit(client: &ClientWrapper, call: &Call) -> Result<(), PostgresError> {
    let now = call.created_at;
    let a_day_ago = now.unix_millis().saturating_sub(i64::from(DAY_SECONDS) * 1_000);
    let ahead = now.plus_seconds(CLOCK_TOLERANCE_SECONDS).unix_millis();
    // Among them those that a clock admitted that was ahead and has been set back.
    let forget = client.prepare_cached("DELETE FROM line_call WHERE at <= $1 OR at > $2").await?;
    client.execute(&forget, &[&a_day_ago, &ahead]).await?;
    let insert = "INSERT INTO line_call (number, account_sid, at) VALUES ($1, $2, $3)";
    let insert = client.prepare_cached(insert).await?;
    let (number, account) = (call.phone_number.as_str(), call.account_sid.as_str());
    client.execute(&insert, &[&number, &account, &now.unix_millis()]).await?;
    Ok(())
}

/// Counts transitions' wrong entries, and opts their numbers out if they say so.
pub(super) async fn step(
    client: &ClientWrapper,
    steps: &[&Transition],
) -> Result<(), PostgresError> {
    for step in steps {
        let number = &step.call.phone_number;
        let wrong = step.wrong_entries_on_line();
        if wrong > 0 {
            let add = "INSERT INTO line_number (number, wrong_entries) VALUES ($1, $2)
                 ON CONFLICT (number) DO UPDATE
                 SET wrong_entries = line_number.wrong_entries + excluded.wrong_entries";
            let add = client.prepare_cached(add).await?;
            client.execute(&add, &[&number.as_str(), &i64::from(wrong)]).await?;
        }
        if step.opts_out {
            opt_out(client, number, step.at).await?;
        }
    }
    Ok(())
}

/// Forgets a number's calls and wrong entries; returns how many there were. The calls still count for
/// their accounts, and in total.
pub(super) async fn clear(
    client: &ClientWrapper,
    number: &PhoneNumber,
) -> Result<(u32, u32), PostgresError> {
    let forget = "DELETE FROM line_number WHERE number = $1 RETURNING wrong_entries";
    let wrong = client.query_opt(forget, &[&number.as_str()]).await?;
    let wrong = wrong.map_or(Ok(0), |row| row.try_get::<_, i64>(0))?;
    let forget = "UPDATE line_call SET number = NULL WHERE number = $1";
    let calls = client.execute(forget, &[&number.as_str()]).await?;
    Ok((wrong.try_into().unwrap_or(u32::MAX), calls.try_into().unwrap_or(u32::MAX)))
}

pub(super) async fn opt_out(
    client: &ClientWrapper,
    number: &PhoneNumber,
    since: Moment,
) -> Result<bool, PostgresError> {
    let add = "INSERT INTO opt_out (number, since) VALUES ($1, $2) ON CONFLICT (number) DO NOTHING";
    Ok(client.execute(add, &[&number.as_str(), &since.unix_millis()]).await? == 1)
}

pub(super) async fn remove_opt_out(
    client: &ClientWrapper,
    number: &PhoneNumber,
) -> Result<bool, PostgresError> {
    let remove = "DELETE FROM opt_out WHERE number = $1";
    Ok(client.execute(remove, &[&number.as_str()]).await? == 1)
}

pub(super) async fn opt_outs(client: &ClientWrapper) -> Result<Vec<OptOut>, PostgresError> {
    let rows = client.query("SELECT number, since FROM opt_out ORDER BY number", &[]).await?;
    let read = |row: &tokio_postgres::Row| {
        let number = parsed(row, "number", PhoneNumber::parse_possible)?;
        Ok(OptOut { number, since: moment(row, "since")? })
    };
    rows.iter().map(read).collect()
}

pub(super) async fn is_opted_out(
    client: &ClientWrapper,
    number: &PhoneNumber,
) -> Result<bool, PostgresError> {
    let find = client.prepare_cached("SELECT 1 FROM opt_out WHERE number = $1").await?;
    Ok(client.query_opt(&find, &[&number.as_str()]).await?.is_some())
}

pub(super) async fn stop(client: &ClientWrapper, now: Moment) -> Result<bool, PostgresError> {
    let stop = "UPDATE meta SET line_stopped_at = $1 WHERE line_stopped_at IS NULL";
    Ok(client.execute(stop, &[&now.unix_millis()]).await? == 1)
}

pub(super) async fn start(client: &ClientWrapper) -> Result<bool, PostgresError> {
    let start = "UPDATE meta SET line_stopped_at = NULL WHERE line_stopped_at IS NOT NULL";
    Ok(client.execute(start, &[]).await? == 1)
}

pub(super) async fn stopped_at(client: &ClientWrapper) -> Result<Option<Moment>, PostgresError> {
    let find = client.prepare_cached("SELECT line_stopped_at FROM meta").await?;
    let millis: Option<i64> = client.query_one(&find, &[]).await?.try_get(0)?;
    Ok(millis.map(Moment::from_unix_millis))
}
