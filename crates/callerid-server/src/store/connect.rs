//! Connections to the database, and their configuration.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::SqliteError;
use super::presence::Presence;

/// How long a change waits for another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait before trying to enable the write-ahead log again.
const WAL_RETRY: Duration = Duration::from_millis(5);
/// The number of prepared statements cached per connection: more than there are.
const STATEMENTS_KEPT: usize = 64;

/// FULL: every commit is an fsync. FAST: overwrites deleted content if that takes no additional
/// write. MEMORY: keeps the journal for rolling back a single change of a batch in memory.
pub(super) const WRITER: &str = "PRAGMA synchronous = FULL;
     PRAGMA foreign_keys = ON;
     PRAGMA secure_delete = FAST;
     PRAGMA temp_store = MEMORY;
     PRAGMA cache_size = -4096;
     PRAGMA journal_size_limit = 16777216;";
const READER: &str = "PRAGMA query_only = ON;
     PRAGMA cache_size = -1024;";

/// Opens a read-only connection.
pub(super) fn reader(path: &Path, presence: &Presence) -> Result<Connection, SqliteError> {
    let connection = open_file(path)?;
    // The first statement may write to the files next to the database.
    presence.check()?;
    configure(&connection, READER)?;
    Ok(connection)
}

/// Opens a connection with these settings.
pub(super) fn connect(path: &Path, settings: &str) -> rusqlite::Result<Connection> {
    let connection = open_file(path)?;
    configure(&connection, settings)?;
    Ok(connection)
}

fn open_file(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
}

fn configure(connection: &Connection, settings: &str) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    // Otherwise SQLite plans a statement again whenever its parameters change.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch(settings)
}

/// Enables the write-ahead log. Other statements wait for a process that does the same, but this
/// one fails immediately, so it is retried for as long.
pub(super) fn use_wal(connection: &Connection) -> rusqlite::Result<()> {
    let deadline = Instant::now() + BUSY_TIMEOUT;
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && Instant::now() < deadline =>
            {
                thread::sleep(WAL_RETRY);
            }
            outcome => return outcome,
        }
    }
}

/// The first problem in a database's pages.
pub(super) fn first_damage(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let found = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))?;
    Ok((found != "ok").then_some(found))
}
