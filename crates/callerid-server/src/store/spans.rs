//! Finding a place in a list by its number.
//!
//! SQLite finds a row by its key, but to skip to the 900,000th it must step over all before it, and to
//! count them it must count. So beside an account's list stand *spans*: an indexable skip list, kept as
//! rows of a table in the same transaction.
//!
//! On each of [`LEVELS`] levels spans cut the list into pieces, and each knows how many rows there are from
//! its first place up to the next span's. About one row in [`FAN_OUT`] begins a span of level 1, one in
//! `FAN_OUT²` one of level 2 as well, and so on; which do is decided by a hash of their Sids. On every level a
//! first span begins before all rows.
//!
//! - The top level's spans add up to the total.
//! - The row with a given number is found by adding up spans from the top level down, about `FAN_OUT`
//!   to a level, and at last stepping over about as many rows.
//! - A row that comes or goes changes one count on each level; one that begins spans splits a span, or
//!   joins two, on its lowest levels.
//!
//! What begins a span depends on nothing but the row's Sid, so the spans are a function of the set of rows:
//! nothing needs balancing, and no history of changes wears them out.

use rusqlite::Connection;

/// How many levels there are. With all five a list of `FAN_OUT⁵`, 33 million rows, has about one span on top;
/// a longer one has more, and no fault but that.
const LEVELS: u32 = 5;
/// How many spans or rows make a span of the next level, on average. A power of two.
const FAN_OUT: u64 = 32;

/// A place in an account's list: `rank` (the date updated in seconds, negated), then Sid.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) rank: i64,
    pub(super) sid: String,
}

impl Place {
    pub(super) fn new(rank: i64, sid: &str) -> Self {
        Self { rank, sid: sid.into() }
    }

    /// Before all rows.
    pub(super) fn first() -> Self {
        Self::new(i64::MIN, "")
    }

    /// On how many levels a row at that place begins a span.
    fn height(&self) -> u32 {
        let bits = FAN_OUT.trailing_zeros();
        (hash(self.sid.as_bytes()).trailing_zeros() / bits).min(LEVELS)
    }
}

/// FNV-1a with SplitMix64's finish, which spreads every bit of the input over the low bits. What it
/// gives is kept on disk, so it must never change.
fn hash(bytes: &[u8]) -> u64 {
    let fnv = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325, fnv);
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// Lays the first spans of a new account, whose list is empty.
pub(super) fn begin(connection: &Connection, account: i64) -> rusqlite::Result<()> {
    (1..=LEVELS).try_for_each(|level| insert(connection, account, level, &Place::first(), 0))
}

/// Takes a row into account that has been inserted at that place.
pub(super) fn added(connection: &Connection, account: i64, place: &Place) -> rusqlite::Result<()> {
    let height = place.height();
    for level in 1..=LEVELS {
        let (start, rows) = covering(connection, account, level, place)?;
        if level <= height {
            let before = rows_between(connection, account, level - 1, &start, place)?;
            update(connection, account, level, &start, before)?;
            insert(connection, account, level, place, rows + 1 - before)?;
        } else {
            update(connection, account, level, &start, rows + 1)?;
        }
    }
    Ok(())
}

/// Takes into account that the row at that place has been deleted.
pub(super) fn removed(
    connection: &Connection,
    account: i64,
    place: &Place,
) -> rusqlite::Result<()> {
    let height = place.height();
    for level in 1..=LEVELS {
        let joined = if level <= height { delete(connection, account, level, place)? } else { 0 };
        let (start, rows) = covering(connection, account, level, place)?;
        update(connection, account, level, &start, rows + joined - 1)?;
    }
    Ok(())
}

/// How many rows an account's list has.
pub(super) fn total(connection: &Connection, account: i64) -> rusqlite::Result<u64> {
    let mut total = connection
        .prepare_cached("SELECT sum(rows) FROM caller_id_span WHERE account = ?1 AND level = ?2")?;
    total.query_row((account, LEVELS), |row| Ok(row.get::<_, i64>(0)?.unsigned_abs()))
}

/// Where to begin to find the row with that number, from 0, and how many rows to step over from there.
/// `None` past the end.
pub(super) fn seek(
    connection: &Connection,
    account: i64,
    number: u64,
) -> rusqlite::Result<Option<(Place, i64)>> {
    let mut place = Place::first();
    let Ok(mut rest) = i64::try_from(number) else { return Ok(None) };
    let mut spans = connection.prepare_cached(
        "SELECT rank, sid, rows FROM caller_id_span
         WHERE account = ?1 AND level = ?2 AND (rank, sid) >= (?3, ?4) ORDER BY rank, sid",
    )?;
    for level in (1..=LEVELS).rev() {
        let mut spans = spans.query((account, level, place.rank, &place.sid))?;
        place = loop {
            let Some(span) = spans.next()? else { return Ok(None) };
            let rows: i64 = span.get(2)?;
            if rest < rows {
                break Place { rank: span.get(0)?, sid: span.get(1)? };
            }
            rest -= rows;
        };
    }
    Ok(Some((place, rest)))
}

/// Lays all of an account's spans anew, in one pass over its rows.
pub(super) fn rebuild(connection: &Connection, account: i64) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM caller_id_span WHERE account = ?1", [account])?;
    let mut open: Vec<(Place, i64)> = (1..=LEVELS).map(|_| (Place::first(), 0)).collect();
    let mut rows = connection
        .prepare_cached("SELECT rank, sid FROM caller_id WHERE account = ?1 ORDER BY rank, sid")?;
    let mut rows = rows.query([account])?;
    while let Some(row) = rows.next()? {
        let place = Place { rank: row.get(0)?, sid: row.get(1)? };
        let height = place.height();
        for (level, span) in (1..).zip(&mut open) {
            if level <= height {
                let (start, rows) = std::mem::replace(span, (place.clone(), 0));
                insert(connection, account, level, &start, rows)?;
            }
            span.1 += 1;
        }
    }
    for (level, (start, rows)) in (1..).zip(&open) {
        insert(connection, account, level, start, *rows)?;
    }
    Ok(())
}

/// The span of that level that a place lies in, by its start, and its rows.
fn covering(
    connection: &Connection,
    account: i64,
    level: u32,
    place: &Place,
) -> rusqlite::Result<(Place, i64)> {
    let mut span = connection.prepare_cached(
        "SELECT rank, sid, rows FROM caller_id_span
         WHERE account = ?1 AND level = ?2 AND (rank, sid) <= (?3, ?4)
         ORDER BY rank DESC, sid DESC LIMIT 1",
    )?;
    span.query_row((account, level, place.rank, &place.sid), |row| {
        Ok((Place { rank: row.get(0)?, sid: row.get(1)? }, row.get(2)?))
    })
}

/// How many rows there are from one place up to another, as the level's spans say; level 0 is the rows.
fn rows_between(
    connection: &Connection,
    account: i64,
    level: u32,
    from: &Place,
    to: &Place,
) -> rusqlite::Result<i64> {
    let range = (account, from.rank, &from.sid, to.rank, &to.sid, level);
    if level == 0 {
        let (account, from_rank, from_sid, to_rank, to_sid, _) = range;
        let mut rows = connection.prepare_cached(
            "SELECT count(*) FROM caller_id
             WHERE account = ?1 AND (rank, sid) >= (?2, ?3) AND (rank, sid) < (?4, ?5)",
        )?;
        return rows.query_row((account, from_rank, from_sid, to_rank, to_sid), |row| row.get(0));
    }
    let mut rows = connection.prepare_cached(
        "SELECT coalesce(sum(rows), 0) FROM caller_id_span
         WHERE account = ?1 AND level = ?6 AND (rank, sid) >= (?2, ?3) AND (rank, sid) < (?4, ?5)",
    )?;
    rows.query_row(range, |row| row.get(0))
}

fn insert(
    connection: &Connection,
    account: i64,
    level: u32,
    start: &Place,
    rows: i64,
) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO caller_id_span (account, level, rank, sid, rows) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    insert.execute((account, level, start.rank, &start.sid, rows)).map(|_| ())
}

fn update(
    connection: &Connection,
    account: i64,
    level: u32,
    start: &Place,
    rows: i64,
) -> rusqlite::Result<()> {
    let mut update = connection.prepare_cached(
        "UPDATE caller_id_span SET rows = ?5
         WHERE account = ?1 AND level = ?2 AND rank = ?3 AND sid = ?4",
    )?;
    update.execute((account, level, start.rank, &start.sid, rows)).map(|_| ())
}

/// Deletes a span and says how many rows it had.
fn delete(
    connection: &Connection,
    account: i64,
    level: u32,
    start: &Place,
) -> rusqlite::Result<i64> {
    let mut delete = connection.prepare_cached(
        "DELETE FROM caller_id_span WHERE account = ?1 AND level = ?2 AND rank = ?3 AND sid = ?4
         RETURNING rows",
    )?;
    delete.query_row((account, level, start.rank, &start.sid), |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::store::schema;

    const ACCOUNT: i64 = 1;
    const OTHER_ACCOUNT: i64 = 2;

    fn database() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::migrate(&mut connection, |_| Ok(())).unwrap();
        for byte in [1, 2] {
            let insert = "INSERT INTO account (sid, sealed_token) VALUES (?1, x'')";
            connection.execute(insert, [byte.to_string()]).unwrap();
            begin(&connection, connection.last_insert_rowid()).unwrap();
        }
        connection
    }

    fn insert_row(connection: &Connection, place: &Place) {
        let insert = "INSERT INTO caller_id VALUES (1, ?1, ?2, ?2, '', 0, 0, 0)";
        connection.execute(insert, (place.rank, &place.sid)).unwrap();
    }

    fn delete_row(connection: &Connection, place: &Place) {
        let delete = "DELETE FROM caller_id WHERE account = 1 AND rank = ?1 AND sid = ?2";
        assert_eq!(connection.execute(delete, (place.rank, &place.sid)).unwrap(), 1);
    }

    fn row_at(connection: &Connection, number: u64) -> Option<Place> {
        let (place, skip) = seek(connection, ACCOUNT, number).unwrap()?;
        let select = "SELECT rank, sid FROM caller_id
                      WHERE account = 1 AND (rank, sid) >= (?1, ?2) ORDER BY rank, sid LIMIT 1 OFFSET ?3";
        let found = connection.query_row(select, (place.rank, &place.sid, skip), |row| {
            Ok(Place { rank: row.get(0)?, sid: row.get(1)? })
        });
        Some(found.unwrap())
    }

    type Spans = Vec<(u32, i64, String, i64)>;

    fn spans(connection: &Connection) -> Spans {
        let select = "SELECT level, rank, sid, rows FROM caller_id_span WHERE account = 1
                      ORDER BY level, rank, sid";
        let mut select = connection.prepare(select).unwrap();
        let spans = select
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            .unwrap();
        spans.collect::<Result<_, _>>().unwrap()
    }

    /// A place whose row begins spans on many levels more often than chance has it.
    fn place() -> impl Strategy<Value = Place> {
        let tall: Vec<String> = (0..200_000_u32)
            .map(|seed| format!("PN{seed:032X}"))
            .filter(|sid| Place::new(0, sid).height() >= 2)
            .collect();
        let low = any::<u32>().prop_map(|seed| format!("PN{seed:032x}"));
        let sid = prop_oneof![3 => low, 1 => proptest::sample::select(tall)];
        let rank = prop_oneof![-3..3_i64, any::<i32>().prop_map(i64::from), Just(-253_402_207_200)];
        (rank, sid).prop_map(|(rank, sid)| Place { rank, sid })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_row_is_found_by_its_number_after_any_changes(
            changes in proptest::collection::vec((place(), any::<prop::sample::Index>(), 0..4), 1..400),
        ) {
            let connection = database();
            let mut rows = BTreeSet::new();
            for (place, index, kind) in changes {
                if kind == 0 && !rows.is_empty() {
                    let place = rows.iter().nth(index.index(rows.len())).cloned().unwrap();
                    rows.remove(&place);
                    delete_row(&connection, &place);
                    removed(&connection, ACCOUNT, &place).unwrap();
                } else if rows.iter().all(|row: &Place| row.sid != place.sid) {
                    insert_row(&connection, &place);
                    added(&connection, ACCOUNT, &place).unwrap();
                    rows.insert(place);
                }
            }
            prop_assert_eq!(total(&connection, ACCOUNT).unwrap(), rows.len() as u64);
            prop_assert_eq!(total(&connection, OTHER_ACCOUNT).unwrap(), 0);
            for (number, row) in (0..).zip(&rows) {
                prop_assert_eq!(row_at(&connection, number), Some(row.clone()));
            }
            for past in [rows.len() as u64, i64::MAX as u64, u64::MAX] {
                prop_assert_eq!(row_at(&connection, past), None);
            }
            // However they came about, spans are a function of the rows.
            let kept = spans(&connection);
            rebuild(&connection, ACCOUNT).unwrap();
            prop_assert_eq!(kept, spans(&connection));
        }
    }

    #[test]
    fn a_row_begins_spans_as_often_as_it_should() {
        let heights: Vec<u32> = (0..100_000_u32)
            .map(|seed| Place::new(0, &format!("PN{seed:032x}")).height())
            .collect();
        let at_least = |level| heights.iter().filter(|height| **height >= level).count();
        // Expected: 3125 and 98; four standard deviations are 220 and 40.
        assert!(at_least(1).abs_diff(3125) < 220, "{}", at_least(1));
        assert!(at_least(2).abs_diff(98) < 40, "{}", at_least(2));
    }

    #[test]
    fn the_hash_is_the_one_that_databases_were_laid_out_with() {
        assert_eq!(hash(b""), 0xf52a_15e9_a9b5_e89b);
        assert_eq!(hash(b"PNe536dfda7c6184afab78d980cb8cdf43"), 14_548_733_768_174_241_859);
    }
}
