//! Unreadable rows, which another program or the disk has changed. They must not block other rows.

use std::fmt;

use rusqlite::{Connection, Error, Row};

use super::SqliteError;

/// An unreadable row.
#[derive(Debug)]
pub(super) struct Unreadable {
    /// Its first column, which is its Sid.
    pub(super) key: Vec<u8>,
    why: Error,
}

impl Unreadable {
    /// Logs that the row was set aside.
    pub(super) fn log_set_aside(&self, what: &str) {
        let sid = String::from_utf8_lossy(&self.key);
        tracing::error!(%sid, error = %self.why, "a {what} that cannot be read is set aside");
    }

    /// Logs that the row is missing from a response.
    pub(super) fn log_left_out(&self) {
        let sid = String::from_utf8_lossy(&self.key);
        tracing::error!(%sid, error = %self.why, "a row that cannot be read is left out");
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", String::from_utf8_lossy(&self.key), self.why)
    }
}

/// The result of checking all rows of a kind.
pub(super) struct Survey {
    pub(super) rows: u64,
    pub(super) unreadable: Vec<Unreadable>,
}

/// Reads every row of a statement whose first column is a Sid.
pub(super) fn survey<T>(
    connection: &Connection,
    select: &str,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Survey, SqliteError> {
    let mut survey = Survey { rows: 0, unreadable: Vec::new() };
    for row in connection.prepare(select)?.query_map([], readable(read))? {
        survey.rows += 1;
        survey.unreadable.extend(row?.err());
    }
    Ok(survey)
}

/// Whether a column contains an invalid value, as opposed to an error of SQLite.
pub(super) fn is_unreadable(error: &Error) -> bool {
    matches!(
        error,
        Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
            | Error::Utf8Error(..)
    )
}

/// Reads rows whose first column is a Sid, and continues after unreadable rows.
pub(super) fn readable<T>(
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> impl Fn(&Row<'_>) -> rusqlite::Result<Result<T, Unreadable>> {
    move |row| match read(row) {
        Ok(value) => Ok(Ok(value)),
        Err(why) if is_unreadable(&why) => {
            let key = row.get_ref(0)?.as_bytes().unwrap_or_default().to_vec();
            Ok(Err(Unreadable { key, why }))
        }
        Err(error) => Err(error),
    }
}

/// Separates readable from unreadable rows.
pub(super) fn split<T>(
    rows: impl Iterator<Item = rusqlite::Result<Result<T, Unreadable>>>,
    readable: &mut Vec<T>,
    unreadable: &mut Vec<Unreadable>,
) -> rusqlite::Result<()> {
    for row in rows {
        match row? {
            Ok(value) => readable.push(value),
            Err(row) => unreadable.push(row),
        }
    }
    Ok(())
}

/// Checks that setting a row aside changed it. Otherwise the row would be encountered again
/// immediately, in an endless loop.
pub(super) fn changed(rows: usize) -> Result<(), SqliteError> {
    if rows == 1 { Ok(()) } else { Err(Error::StatementChangedRows(rows).into()) }
}
