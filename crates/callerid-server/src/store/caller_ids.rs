//! An account's caller IDs: rows in the order of lists.

use std::cmp::Reverse;

use callerid_core::{
    AccountSid, CallerIdSid, Date, Filter, FriendlyName, ListKey, Moment, OutgoingCallerId, Page,
    PageRequest, PhoneNumber,
};
use callerid_service::Change;
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Params, Row};

use super::spans::{self, Place};
use super::{Failure, accounts, events, parsed};

/// The columns that [`from_row`] reads.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT sid, rank, number, name, created, created_offset, updated_offset
             FROM caller_id ",
            $rest
        )
    };
}

fn from_row(row: &Row<'_>, account: &AccountSid) -> rusqlite::Result<OutgoingCallerId> {
    Ok(OutgoingCallerId {
        sid: parsed(row, 0, CallerIdSid::parse)?,
        account_sid: *account,
        friendly_name: parsed(row, 3, FriendlyName::new)?,
        phone_number: parsed(row, 2, PhoneNumber::restore)?,
        date_created: Date::new(row.get(4)?, row.get(5)?),
        date_updated: Date::new(-row.get::<_, i64>(1)?, row.get(6)?),
    })
}

fn place(row: &OutgoingCallerId) -> Place {
    // A date's seconds are within the years 0000 to 9999.
    Place::new(-row.date_updated.unix_seconds(), row.sid.as_str())
}

pub(super) fn find(
    connection: &Connection,
    id: i64,
    account: &AccountSid,
    sid: &CallerIdSid,
) -> Result<Option<OutgoingCallerId>, Failure> {
    let mut find = connection.prepare_cached(select!("WHERE account = ?1 AND sid = ?2"))?;
    Ok(find.query_row((id, sid.as_str()), |row| from_row(row, account)).optional()?)
}

fn find_number(
    connection: &Connection,
    id: i64,
    account: &AccountSid,
    number: &PhoneNumber,
) -> rusqlite::Result<Option<OutgoingCallerId>> {
    let mut find = connection.prepare_cached(select!("WHERE account = ?1 AND number = ?2"))?;
    find.query_row((id, number.as_str()), |row| from_row(row, account)).optional()
}

/// Whether the number is a caller ID of the account.
pub(super) fn has_number(
    connection: &Connection,
    account: i64,
    number: &PhoneNumber,
) -> rusqlite::Result<bool> {
    let mut find =
        connection.prepare_cached("SELECT 1 FROM caller_id WHERE account = ?1 AND number = ?2")?;
    find.exists((account, number.as_str()))
}

pub(super) fn list(
    connection: &Connection,
    id: i64,
    account: &AccountSid,
    filter: &Filter,
    page: PageRequest,
) -> Result<Page<OutgoingCallerId>, Failure> {
    let (rows, total) = match filter {
        Filter { phone_number: None, friendly_name: None } => all(connection, id, account, page)?,
        Filter { phone_number: None, friendly_name: Some(name) } => {
            named(connection, id, account, name, page)?
        }
        Filter { phone_number: Some(number), .. } => {
            let found = find_number(connection, id, account, number)?;
            let found = found.filter(|row| filter.matches(row));
            let total = u64::from(found.is_some());
            let is_on_page = |row: &OutgoingCallerId| match page.after {
                Some(after) => row.list_key() > after,
                None => page.number == 0,
            };
            (found.into_iter().filter(is_on_page).collect(), total)
        }
    };
    Ok(Page::cut(page, rows, total))
}

/// The rows from a page's first on, and how many there are in all.
type RowsAndTotal = (Vec<OutgoingCallerId>, u64);

fn all(
    connection: &Connection,
    id: i64,
    account: &AccountSid,
    page: PageRequest,
) -> rusqlite::Result<RowsAndTotal> {
    let total = spans::total(connection, id)?;
    let seek = match (page.after, page.offset()) {
        (Some(after), _) => Some((after_key(after), 0)),
        (None, 0) => Some((Place::first(), 0)),
        (None, offset) => spans::seek(connection, id, offset)?,
    };
    let Some((place, skip)) = seek else { return Ok((Vec::new(), total)) };
    let rows = connection.prepare_cached(select!(
        "WHERE account = ?1 AND (rank, sid) >= (?2, ?3) ORDER BY rank, sid LIMIT ?4 OFFSET ?5"
    ))?;
    let range = (id, place.rank, &place.sid, page.rows_and_one(), skip);
    Ok((collect(rows, range, account, page, total)?, total))
}

/// The first place after a row: no Sid lies between one and itself with a character added.
fn after_key((Reverse(updated), sid): ListKey) -> Place {
    let mut place = Place::new(updated.saturating_neg(), sid.as_str());
    place.sid.push('!');
    place
}

/// Costs what all the rows of that name do.
fn named(
    connection: &Connection,
    id: i64,
    account: &AccountSid,
    name: &FriendlyName,
    page: PageRequest,
) -> rusqlite::Result<RowsAndTotal> {
    let mut total = connection
        .prepare_cached("SELECT count(*) FROM caller_id WHERE account = ?1 AND name = ?2")?;
    let total: i64 = total.query_row((id, name.as_str()), |row| row.get(0))?;
    let total = total.cast_unsigned();
    let (place, skip) = match page.after {
        Some(after) => (after_key(after), 0),
        None => match i64::try_from(page.offset()) {
            Ok(skip) => (Place::first(), skip),
            Err(_) => return Ok((Vec::new(), total)),
        },
    };
    let rows = connection.prepare_cached(select!(
        "WHERE account = ?1 AND name = ?2 AND (rank, sid) >= (?3, ?4)
         ORDER BY rank, sid LIMIT ?5 OFFSET ?6"
    ))?;
    let range = (id, name.as_str(), place.rank, &place.sid, page.rows_and_one(), skip);
    Ok((collect(rows, range, account, page, total)?, total))
}

fn collect(
    mut select: CachedStatement<'_>,
    range: impl Params,
    account: &AccountSid,
    page: PageRequest,
    total: u64,
) -> rusqlite::Result<Vec<OutgoingCallerId>> {
    let most = usize::try_from(total.min(page.rows_and_one().into())).unwrap_or_default();
    let mut found = Vec::with_capacity(most);
    let mut rows = select.query(range)?;
    while let Some(row) = rows.next()? {
        found.push(from_row(row, account)?);
    }
    Ok(found)
}

pub(super) fn rename(
    connection: &Connection,
    account: &AccountSid,
    sid: &CallerIdSid,
    name: Option<FriendlyName>,
    now: Moment,
) -> Result<Option<OutgoingCallerId>, Failure> {
    let Some(id) = accounts::id(connection, account)? else { return Ok(None) };
    let Some(mut row) = find(connection, id, account, sid)? else { return Ok(None) };
    let from = place(&row);
    row.rename(name, now);
    let to = place(&row);
    let mut update = connection.prepare_cached(
        "UPDATE caller_id SET rank = ?4, name = ?5, updated_offset = ?6
         WHERE account = ?1 AND rank = ?2 AND sid = ?3",
    )?;
    let offset = row.date_updated.offset_minutes();
    update.execute((id, from.rank, &from.sid, to.rank, row.friendly_name.as_str(), offset))?;
    if from != to {
        spans::removed(connection, id, &from)?;
        spans::added(connection, id, &to)?;
    }
    events::append(connection, id, &Change::CallerIdUpdated(&row))?;
    Ok(Some(row))
}

pub(super) fn remove(
    connection: &Connection,
    account: &AccountSid,
    sid: &CallerIdSid,
) -> Result<bool, Failure> {
    let Some(id) = accounts::id(connection, account)? else { return Ok(false) };
    let Some(row) = find(connection, id, account, sid)? else { return Ok(false) };
    delete(connection, id, &place(&row))?;
    events::append(connection, id, &Change::CallerIdDeleted(account, sid))?;
    Ok(true)
}

/// Adds a caller ID that has been validated, in place of one with the same Sid or number.
pub(super) fn add(connection: &Connection, id: i64, row: &OutgoingCallerId) -> Result<(), Failure> {
    if let Some(old) = find_number(connection, id, &row.account_sid, &row.phone_number)? {
        delete(connection, id, &place(&old))?;
    }
    if let Some(old) = find(connection, id, &row.account_sid, &row.sid)? {
        delete(connection, id, &place(&old))?;
    }
    insert(connection, id, row)?;
    spans::added(connection, id, &place(row))?;
    Ok(events::append(connection, id, &Change::CallerIdAdded(row))?)
}

fn insert(connection: &Connection, id: i64, row: &OutgoingCallerId) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT OR REPLACE INTO caller_id
         (account, rank, sid, number, name, created, created_offset, updated_offset)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    let Place { rank, sid } = place(row);
    insert.execute((
        id,
        rank,
        sid,
        row.phone_number.as_str(),
        row.friendly_name.as_str(),
        row.date_created.unix_seconds(),
        row.date_created.offset_minutes(),
        row.date_updated.offset_minutes(),
    ))?;
    Ok(())
}

fn delete(connection: &Connection, id: i64, place: &Place) -> rusqlite::Result<()> {
    let mut delete = connection
        .prepare_cached("DELETE FROM caller_id WHERE account = ?1 AND rank = ?2 AND sid = ?3")?;
    delete.execute((id, place.rank, &place.sid))?;
    spans::removed(connection, id, place)
}

pub(super) fn import(
    connection: &Connection,
    account: &AccountSid,
    rows: impl IntoIterator<Item = OutgoingCallerId>,
) -> Result<(), Failure> {
    let id = accounts::id(connection, account)?.ok_or(Failure::NoAccount(*account))?;
    for row in rows {
        insert(connection, id, &row)?;
    }
    Ok(spans::rebuild(connection, id)?)
}
