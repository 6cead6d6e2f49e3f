//! Connections to the database, and how they are set up.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::SqliteError;
use super::presence::Presence;

/// How long a change waits for another process's.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait before the write-ahead log is asked for again.
const WAL_RETRY: Duration = Duration::from_millis(5);
/// Statements that are kept compiled for a connection: more than there are.
const STATEMENTS_KEPT: usize = 64;

/// FULL: a commit is an fsync. FAST: what is deleted is overwritten where that costs no write of its own.
/// MEMORY: what undoes a single change of a batch is not written to a file first.
pub(super) const WRITER: &str = "PRAGMA synchronous = FULL;
     PRAGMA foreign_keys = ON;
     PRAGMA secure_delete = FAST;
     PRAGMA temp_store = MEMORY;
     PRAGMA cache_size = -4096;
     PRAGMA journal_size_limit = 16777216;";
const READER: &str = "PRAGMA query_only = ON;
     PRAGMA cache_size = -1024;";

/// A connection that only reads.
pub(super) fn reader(path: &Path, presence: &Presence) -> Result<Connection, SqliteError> {
    let connection = open_file(path)?;
    // The first statement may write what is beside the file.
    presence.check()?;
    configure(&connection, READER)?;
    Ok(connection)
}

/// A connection with these settings.
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
    // Else a statement is planned anew each time its parameters change.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch(settings)
}

/// Has the database keep a write-ahead log. Other statements wait for a process that is at the same; this one
/// fails at once, and is tried again for as long.
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

/// The first thing that is wrong with a database's pages.
pub(super) fn first_damage(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let found = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))?;
    Ok((found != "ok").then_some(found))
}
