//! An account's caller IDs, in list order.

use std::cmp::Reverse;

use callerid_core::{
    AccountSid, CallerIdSid, Cursor, Date, Filter, FriendlyName, ListKey, Moment, OutgoingCallerId,
    Page, PageRequest, PhoneNumber,
};
use callerid_service::{Account, Change, Unauthenticated};
use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::error::PostgresError;
use super::ledger::{self, Entries};
use super::{accounts, parsed};
use crate::seal::SealingKey;

/// The columns that [`from_row`] reads.
const COLUMNS: &str = "sid, rank, number, name, created, created_offset, updated_offset";
/// The same, of no row.
const NO_COLUMNS: &str = "NULL AS sid, NULL AS rank, NULL AS number, NULL AS name, NULL AS created,
     NULL AS created_offset, NULL AS updated_offset";

fn from_row(row: &Row, account: &AccountSid) -> Result<OutgoingCallerId, PostgresError> {
    let updated: i64 = row.try_get("rank")?;
    Ok(OutgoingCallerId {
        sid: parsed(row, "sid", CallerIdSid::parse)?,
        account_sid: *account,
        friendly_name: parsed(row, "name", FriendlyName::new)?,
        phone_number: parsed(row, "number", PhoneNumber::parse_possible)?,
        date_created: Date::new(row.try_get("created")?, row.try_get("created_offset")?),
        date_updated: Date::new(updated.saturating_neg(), row.try_get("updated_offset")?),
    })
}

/// A position in list order: the negated second of the date updated, then the Sid.
fn place((Reverse(updated), sid): ListKey) -> (i64, String) {
    (updated.saturating_neg(), sid.to_string())
}

/// The account with this Sid and one of its rows, found by a column. Without a row, its columns are
/// null.
async fn with_account(
    client: &ClientWrapper,
    account: &AccountSid,
    column: &str,
    value: &str,
) -> Result<Option<Row>, PostgresError> {
    let find = format!(
        "SELECT sealed_token, {COLUMNS} FROM account AS of
         LEFT JOIN (SELECT account, {COLUMNS} FROM caller_id WHERE {column} = $2) AS row
             ON row.account = of.id
         WHERE of.sid = $1"
    )
    .replace("SELECT sealed_token, sid,", "SELECT sealed_token, row.sid,");
    let find = client.prepare_cached(&find).await?;
    Ok(client.query_opt(&find, &[&account.as_str(), &value]).await?)
}

fn row_if_any(row: &Row, account: &AccountSid) -> Result<Option<OutgoingCallerId>, PostgresError> {
    let is_row = row.try_get::<_, Option<&str>>("sid")?.is_some();
    is_row.then(|| from_row(row, account)).transpose()
}

/// A caller ID, and the account, as of the same moment.
pub(super) async fn find_with_account(
    client: &ClientWrapper,
    key: &SealingKey,
    account: &AccountSid,
    sid: &CallerIdSid,
) -> Result<Option<(Account, Option<OutgoingCallerId>)>, PostgresError> {
    let Some(row) = with_account(client, account, "sid", sid.as_str()).await? else {
        return Ok(None);
    };
    Ok(Some((accounts::unseal(key, account, &row)?, row_if_any(&row, account)?)))
}

/// What a list's statement found: the account and the page.
pub(super) type Listed = Option<(Account, Page<OutgoingCallerId>)>;

/// A page of an account's caller IDs, and the account, as of the same moment.
pub(super) async fn list(
    client: &ClientWrapper,
    key: &SealingKey,
    account: &AccountSid,
    filter: &Filter,
    page: PageRequest,
) -> Result<Listed, PostgresError> {
    if let Some(number) = &filter.phone_number {
        let Some(row) = with_account(client, account, "number", number.as_str()).await? else {
            return Ok(None);
        };
        let found = row_if_any(&row, account)?;
        let found: Vec<_> = found.iter().filter(|row| filter.matches(row)).collect();
        return Ok(Some((accounts::unseal(key, account, &row)?, Page::of(page, &found))));
    }
    let name = filter.friendly_name.as_ref().map(FriendlyName::as_str);
    let (by_name, total) = match name {
        None => ("$2::text IS NULL", "ledger.caller_ids"),
        Some(_) => {
            ("name = $2", "(SELECT count(*) FROM caller_id WHERE account = of.id AND name = $2)")
        }
    };
    let (follows, order, goes_on_from) = match page.cursor {
        None => ("$3::bigint IS NULL AND $4::text IS NULL", "rank, sid", "false".to_owned()),
        Some(Cursor::After(_)) => ("(rank, sid) > ($3, $4)", "rank, sid", "false".to_owned()),
        Some(Cursor::Before(_)) => (
            "(rank, sid) < ($3, $4)",
            "rank DESC, sid DESC",
            // The order makes it look in the index.
            format!(
                "(SELECT rank FROM caller_id WHERE account = of.id AND {by_name}
                  AND (rank, sid) >= ($3, $4) ORDER BY rank, sid LIMIT 1) IS NOT NULL"
            ),
        ),
    };
    // The first row is the account's, and the page's rows follow in their order. To sort them again, or
    // to repeat the account in each, would cost a quarter of it all.
    let select = format!(
        "WITH head AS MATERIALIZED (
             SELECT of.id, sealed_token, {total} AS total, {goes_on_from} AS goes_on
             FROM account AS of JOIN ledger ON ledger.account = of.id WHERE of.sid = $1)
         SELECT sealed_token, total, goes_on, {NO_COLUMNS} FROM head
         UNION ALL SELECT NULL, NULL, NULL, page.* FROM head CROSS JOIN LATERAL (
             SELECT {COLUMNS} FROM caller_id WHERE account = head.id AND {by_name} AND {follows}
             ORDER BY {order} LIMIT $5 OFFSET $6) AS page"
    );
    let select = client.prepare_cached(&select).await?;
    let (rank, sid) = match page.cursor {
        None => (None, None),
        Some(Cursor::After(key) | Cursor::Before(key)) => {
            let (rank, sid) = place(key);
            (Some(rank), Some(sid))
        }
    };
    let offset = match page.cursor {
        None => i64::try_from(page.offset()).unwrap_or(i64::MAX),
        Some(_) => 0,
    };
    let limit = i64::from(page.rows_and_one());
    let parameters: [&(dyn ToSql + Sync); 6] =
        [&account.as_str(), &name, &rank, &sid, &limit, &offset];
    let rows = client.query(&select, &parameters).await?;
    let Some((head, rows)) = rows.split_first() else { return Ok(None) };
    let total: i64 = head.try_get("total")?;
    let total = total.try_into().unwrap_or_default();
    let rows: Vec<_> = rows.iter().map(|row| from_row(row, account)).collect::<Result<_, _>>()?;
    let page = match page.cursor {
        Some(Cursor::Before(_)) => Page::cut_before(page, rows, total, head.try_get("goes_on")?),
        _ => Page::cut(page, rows, total),
    };
    Ok(Some((accounts::unseal(key, account, head)?, page)))
}

/// All of an account's caller IDs, in list order.
pub(super) async fn all(
    client: &ClientWrapper,
    account: &AccountSid,
) -> Result<Vec<OutgoingCallerId>, PostgresError> {
    let all = format!(
        "SELECT {COLUMNS} FROM caller_id
         WHERE account = (SELECT id FROM account WHERE sid = $1) ORDER BY rank, sid"
    )
    .replace("(SELECT id FROM account WHERE sid", "(SELECT id FROM account WHERE account.sid");
    let rows = client.query(&all, &[&account.as_str()]).await?;
    rows.iter().map(|row| from_row(row, account)).collect()
}

pub(super) async fn rename(
    client: &ClientWrapper,
    account: &AccountSid,
    sid: &CallerIdSid,
    name: Option<FriendlyName>,
    now: Moment,
) -> Result<Option<OutgoingCallerId>, PostgresError> {
    let Some(ledger) = ledger::lock(client, account).await? else { return Ok(None) };
    let find = format!("SELECT {COLUMNS} FROM caller_id WHERE account = $1 AND sid = $2");
    let find = client.prepare_cached(&find).await?;
    let row = client.query_opt(&find, &[&ledger.account, &sid.as_str()]).await?;
    let Some(mut row) = row.map(|row| from_row(&row, account)).transpose()? else {
        return Ok(None);
    };
    row.rename(name, now);
    let (rank, sid) = place(row.list_key());
    let update = "UPDATE caller_id SET rank = $3, name = $4, updated_offset = $5
         WHERE account = $1 AND sid = $2";
    let update = client.prepare_cached(update).await?;
    let (name, offset) = (row.friendly_name.as_str(), row.date_updated.offset_minutes());
    client.execute(&update, &[&ledger.account, &sid, &rank, &name, &offset]).await?;
    let mut entries = Entries::of([&ledger]);
    entries.add_change(ledger.account, Change::CallerIdUpdated(&row));
    entries.write(client).await?;
    Ok(Some(row))
}

pub(super) async fn remove(
    client: &ClientWrapper,
    account: &AccountSid,
    sid: &CallerIdSid,
) -> Result<bool, PostgresError> {
    let Some(ledger) = ledger::lock(client, account).await? else { return Ok(false) };
    let delete = "DELETE FROM caller_id WHERE account = $1 AND sid = $2";
    let delete = client.prepare_cached(delete).await?;
    if client.execute(&delete, &[&ledger.account, &sid.as_str()]).await? == 0 {
        return Ok(false);
    }
    let mut entries = Entries::of([&ledger]);
    entries.add_caller_ids(ledger.account, -1);
    entries.add_change(ledger.account, Change::CallerIdDeleted(account, sid));
    entries.write(client).await?;
    Ok(true)
}

/// Adds rows of accounts whose ledgers are locked. Each replaces those with the same Sid or number.
pub(super) async fn put<'a>(
    client: &ClientWrapper,
    rows: &[(i64, &'a OutgoingCallerId)],
    entries: &mut Entries<'a>,
) -> Result<(), PostgresError> {
    // Of several rows with the same Sid or number, the last one stays.
    let mut kept: Vec<(i64, &OutgoingCallerId)> = Vec::with_capacity(rows.len());
    let (mut sids, mut numbers) =
        (std::collections::HashSet::new(), std::collections::HashSet::new());
    for (account, row) in rows.iter().rev() {
        if !sids.contains(&(*account, row.sid)) && !numbers.contains(&(*account, row.phone_number))
        {
            kept.push((*account, row));
        }
        sids.insert((*account, row.sid));
        numbers.insert((*account, row.phone_number));
    }
    let accounts: Vec<i64> = rows.iter().map(|row| row.0).collect();
    let sids: Vec<&str> = rows.iter().map(|row| row.1.sid.as_str()).collect();
    let numbers: Vec<&str> = rows.iter().map(|row| row.1.phone_number.as_str()).collect();
    for column in ["sid", "number"] {
        let delete = format!(
            "DELETE FROM caller_id USING unnest($1::bigint[], $2::text[]) AS new (account, value)
             WHERE caller_id.account = new.account AND caller_id.{column} = new.value
             RETURNING caller_id.account"
        );
        let delete = client.prepare_cached(&delete).await?;
        let values = if column == "sid" { &sids } else { &numbers };
        for row in client.query(&delete, &[&accounts, values]).await? {
            entries.add_caller_ids(row.try_get(0)?, -1);
        }
    }
    let column = |of: fn(&OutgoingCallerId) -> &str| kept.iter().map(|it| of(it.1)).collect();
    let accounts: Vec<i64> = kept.iter().map(|row| row.0).collect();
    let sids: Vec<&str> = column(|row| row.sid.as_str());
    let numbers: Vec<&str> = column(|row| row.phone_number.as_str());
    let names: Vec<&str> = column(|row| row.friendly_name.as_str());
    let ranks: Vec<i64> = kept.iter().map(|row| place(row.1.list_key()).0).collect();
    let created: Vec<i64> = kept.iter().map(|row| row.1.date_created.unix_seconds()).collect();
    let created_offset: Vec<i16> =
        kept.iter().map(|row| row.1.date_created.offset_minutes()).collect();
    let updated_offset: Vec<i16> =
        kept.iter().map(|row| row.1.date_updated.offset_minutes()).collect();
    let insert = "INSERT INTO caller_id
             (account, sid, number, name, rank, created, created_offset, updated_offset)
         SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[],
             $6::bigint[], $7::smallint[], $8::smallint[])";
    let insert = client.prepare_cached(insert).await?;
    let values: [&(dyn ToSql + Sync); 8] =
        [&accounts, &sids, &numbers, &names, &ranks, &created, &created_offset, &updated_offset];
    client.execute(&insert, &values).await?;
    for account in accounts {
        entries.add_caller_ids(account, 1);
    }
    Ok(())
}

/// Adds rows of an account, without validations and events.
pub(super) async fn import(
    client: &ClientWrapper,
    account: &AccountSid,
    rows: &[OutgoingCallerId],
) -> Result<(), PostgresError> {
    let ledger = ledger::lock(client, account).await?.ok_or(PostgresError::NoAccount(*account))?;
    let rows: Vec<_> = rows.iter().map(|row| (ledger.account, row)).collect();
    let mut entries = Entries::of([&ledger]);
    put(client, &rows, &mut entries).await?;
    entries.write(client).await
}

/// The result of a read that checks credentials in the same step.
pub(super) fn admitted<T>(
    found: Option<(Account, T)>,
    admit: impl FnOnce(&Account) -> Result<(), Unauthenticated>,
) -> Result<T, Unauthenticated> {
    let (account, found) = found.ok_or(Unauthenticated)?;
    admit(&account).map(|()| found)
}
