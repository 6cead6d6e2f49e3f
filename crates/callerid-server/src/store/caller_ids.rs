//! An account's caller IDs, in list order.

use std::cmp::Reverse;

use callerid_core::{
    AccountSid, CallerIdSid, Cursor, DEFAULT_PAGE_SIZE, Date, Filter, FriendlyName, ListKey,
    Moment, OutgoingCallerId, Page, PageRequest, PhoneNumber,
};
use callerid_service::Change;
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::unreadable::{self, Survey};
use super::{SqliteError, accounts, events, parsed};

/// A position in list order: the negated second of the date updated, then the Sid.
struct Place {
    rank: i64,
    sid: String,
}

impl Place {
    /// The position before all rows.
    fn first() -> Self {
        Self { rank: i64::MIN, sid: String::new() }
    }
}

impl From<ListKey> for Place {
    fn from((Reverse(updated), sid): ListKey) -> Self {
        Self { rank: updated.saturating_neg(), sid: sid.to_string() }
    }
}

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
        phone_number: parsed(row, 2, PhoneNumber::parse_possible)?,
        date_created: Date::new(row.get(4)?, row.get(5)?),
        date_updated: Date::new(row.get::<_, i64>(1)?.saturating_neg(), row.get(6)?),
    })
}

/// Checks every caller ID.
pub(super) fn survey(connection: &Connection) -> Result<Survey, SqliteError> {
    let account = AccountSid::from_random_bytes(&[0; 16]);
    unreadable::survey(connection, select!(""), |row| from_row(row, &account))
}

/// The caller ID with this Sid.
pub(super) fn find(
    connection: &Connection,
    id: i64,
    account: &AccountSid,
    sid: &CallerIdSid,
) -> rusqlite::Result<Option<OutgoingCallerId>> {
    let mut find = connection.prepare_cached(select!("WHERE account = ?1 AND sid = ?2"))?;
    find.query_row((id, sid.as_str()), |row| from_row(row, account)).optional()
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

/// All of an account's caller IDs, in list order.
pub(super) fn all(
    connection: &Connection,
    account: &AccountSid,
) -> Result<Vec<OutgoingCallerId>, SqliteError> {
    let Some(id) = accounts::id(connection, account)? else { return Ok(Vec::new()) };
    let mut select = connection.prepare_cached(select!("WHERE account = ?1 ORDER BY rank, sid"))?;
    let rows = select.query_map([id], |row| from_row(row, account))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A page of an account's caller IDs. The caller provides the read transaction.
pub(super) fn list(
    connection: &Connection,
    id: i64,
    account: &AccountSid,
    filter: &Filter,
    page: PageRequest,
) -> rusqlite::Result<Page<OutgoingCallerId>> {
    if let Some(number) = &filter.phone_number {
        let found = find_number(connection, id, account, number)?;
        let found: Vec<_> = found.iter().filter(|row| filter.matches(row)).collect();
        return Ok(Page::of(page, &found));
    }
    let list = List { connection, id, account, name: filter.friendly_name.as_ref() };
    let total = list.total()?;
    if let Some(Cursor::Before(place)) = page.cursor {
        let place = place.into();
        let rows = list.rows(Direction::Backward, &place, page.rows_and_one())?;
        return Ok(Page::cut_before(page, rows, total, list.goes_on_from(&place)?));
    }
    let place = match page.cursor {
        Some(Cursor::After(place) | Cursor::Before(place)) => Some(place.into()),
        None => list.place_before(page.offset(), total)?,
    };
    let rows = match place {
        Some(place) => list.rows(Direction::Forward, &place, page.rows_and_one())?,
        None => Vec::new(),
    };
    Ok(Page::cut(page, rows, total))
}

/// An account's rows, or only those with one name, in list order.
struct List<'a> {
    connection: &'a Connection,
    id: i64,
    account: &'a AccountSid,
    name: Option<&'a FriendlyName>,
}

#[derive(Clone, Copy)]
enum Direction {
    Forward,
    Backward,
}

impl Direction {
    fn order(self) -> &'static str {
        match self {
            Self::Forward => "ORDER BY rank, sid",
            Self::Backward => "ORDER BY rank DESC, sid DESC",
        }
    }
}

impl List<'_> {
    /// The list's condition for a WHERE clause. Its second parameter is [`name`](Self::name).
    fn condition(&self) -> &'static str {
        match self.name {
            None => "account = ?1 AND ?2 IS NULL",
            Some(_) => "account = ?1 AND name = ?2",
        }
    }

    /// The index in list order that contains only the list's rows.
    fn index(&self) -> &'static str {
        match self.name {
            None => "caller_id_place",
            Some(_) => "caller_id_name",
        }
    }

    fn name(&self) -> Option<&str> {
        self.name.map(FriendlyName::as_str)
    }

    fn total(&self) -> rusqlite::Result<u64> {
        let count = match self.name {
            None => "SELECT caller_ids FROM account WHERE id = ?1 AND ?2 IS NULL",
            Some(_) => "SELECT count(*) FROM caller_id WHERE account = ?1 AND name = ?2",
        };
        let mut count = self.connection.prepare_cached(count)?;
        count.query_row((self.id, self.name()), |row| row.get::<_, i64>(0)).map(i64::cast_unsigned)
    }

    /// The rows after a position in the given direction, nearest first.
    fn rows(
        &self,
        direction: Direction,
        place: &Place,
        most: u32,
    ) -> rusqlite::Result<Vec<OutgoingCallerId>> {
        let (condition, order) = (self.condition(), direction.order());
        let follows = match direction {
            Direction::Forward => ">",
            Direction::Backward => "<",
        };
        let select = format!(
            select!("WHERE {} AND (rank, sid) {} (?3, ?4) {} LIMIT ?5"),
            condition, follows, order
        );
        let mut select = self.connection.prepare_cached(&select)?;
        let range = (self.id, self.name(), place.rank, &place.sid, most);
        let usual = usize::try_from(most.min(DEFAULT_PAGE_SIZE + 1)).unwrap_or_default();
        let mut found = Vec::with_capacity(usual);
        let mut rows = select.query(range)?;
        while let Some(row) = rows.next()? {
            found.push(from_row(row, self.account)?);
        }
        Ok(found)
    }

    /// Whether there is a row at this position or after it.
    fn goes_on_from(&self, place: &Place) -> rusqlite::Result<bool> {
        let condition = self.condition();
        let select =
            format!("SELECT 1 FROM caller_id WHERE {condition} AND (rank, sid) >= (?3, ?4)");
        let mut select = self.connection.prepare_cached(&select)?;
        select.exists((self.id, self.name(), place.rank, &place.sid))
    }

    /// The position after this many rows; `None` past the end. Steps over rows from the nearer end
    /// of the list.
    fn place_before(&self, rows: u64, total: u64) -> rusqlite::Result<Option<Place>> {
        if rows == 0 {
            return Ok(Some(Place::first()));
        }
        if rows > total {
            return Ok(None);
        }
        let (from_start, from_end) = (rows - 1, total - rows);
        let (direction, skip) = if from_start <= from_end {
            (Direction::Forward, from_start)
        } else {
            (Direction::Backward, from_end)
        };
        let (index, condition, order) = (self.index(), self.condition(), direction.order());
        let select = format!(
            "SELECT rank, sid FROM caller_id INDEXED BY {index}
             WHERE {condition} {order} LIMIT 1 OFFSET ?3"
        );
        let mut select = self.connection.prepare_cached(&select)?;
        let skip = skip.cast_signed();
        let place = select.query_row((self.id, self.name(), skip), |row| {
            Ok(Place { rank: row.get(0)?, sid: row.get(1)? })
        });
        place.optional()
    }
}

pub(super) fn rename(
    connection: &Connection,
    account: &AccountSid,
    sid: &CallerIdSid,
    name: Option<FriendlyName>,
    now: Moment,
) -> Result<Option<OutgoingCallerId>, SqliteError> {
    let Some(id) = accounts::id(connection, account)? else { return Ok(None) };
    let Some(mut row) = find(connection, id, account, sid)? else { return Ok(None) };
    row.rename(name, now);
    let Place { rank, sid } = row.list_key().into();
    let mut update = connection.prepare_cached(
        "UPDATE caller_id SET rank = ?3, name = ?4, updated_offset = ?5
         WHERE account = ?1 AND sid = ?2",
    )?;
    let offset = row.date_updated.offset_minutes();
    update.execute((id, sid, rank, row.friendly_name.as_str(), offset))?;
    events::append(connection, id, &Change::CallerIdUpdated(&row))?;
    Ok(Some(row))
}

pub(super) fn remove(
    connection: &Connection,
    account: &AccountSid,
    sid: &CallerIdSid,
) -> Result<bool, SqliteError> {
    let Some(id) = accounts::id(connection, account)? else { return Ok(false) };
    if delete(connection, id, "sid", sid.as_str())? == 0 {
        return Ok(false);
    }
    count(connection, id, -1)?;
    events::append(connection, id, &Change::CallerIdDeleted(account, sid))?;
    Ok(true)
}

/// Adds a validated caller ID, and replaces one with the same Sid or number.
pub(super) fn add(
    connection: &Connection,
    id: i64,
    row: &OutgoingCallerId,
) -> Result<(), SqliteError> {
    let more = put(connection, id, row)?;
    count(connection, id, more)?;
    Ok(events::append(connection, id, &Change::CallerIdAdded(row))?)
}

pub(super) fn import(
    connection: &Connection,
    account: &AccountSid,
    rows: impl IntoIterator<Item = OutgoingCallerId>,
) -> Result<(), SqliteError> {
    let id = accounts::id(connection, account)?.ok_or(SqliteError::NoAccount(*account))?;
    let more = rows.into_iter().map(|row| put(connection, id, &row));
    Ok(count(connection, id, more.sum::<rusqlite::Result<isize>>()?)?)
}

/// Inserts a row, and deletes those with the same Sid or number. Returns how many more rows there are.
fn put(connection: &Connection, id: i64, row: &OutgoingCallerId) -> rusqlite::Result<isize> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO caller_id
         (account, rank, sid, number, name, created, created_offset, updated_offset)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
    )?;
    let Place { rank, sid } = row.list_key().into();
    let mut insert = || {
        insert.execute((
            id,
            rank,
            &sid,
            row.phone_number.as_str(),
            row.friendly_name.as_str(),
            row.date_created.unix_seconds(),
            row.date_created.offset_minutes(),
            row.date_updated.offset_minutes(),
        ))
    };
    if insert()? == 1 {
        return Ok(1);
    }
    let deleted = delete(connection, id, "sid", row.sid.as_str())?
        + delete(connection, id, "number", row.phone_number.as_str())?;
    insert()?;
    Ok(1 - deleted.cast_signed())
}

/// Deletes the row with this value in a column with a unique index. Returns the number of deleted
/// rows.
fn delete(connection: &Connection, id: i64, column: &str, value: &str) -> rusqlite::Result<usize> {
    let delete = format!("DELETE FROM caller_id WHERE account = ?1 AND {column} = ?2");
    connection.prepare_cached(&delete)?.execute((id, value))
}

/// Changes the account's row count.
fn count(connection: &Connection, id: i64, more: isize) -> rusqlite::Result<()> {
    let mut count = connection
        .prepare_cached("UPDATE account SET caller_ids = caller_ids + ?2 WHERE id = ?1")?;
    count.execute((id, more)).map(|_| ())
}
