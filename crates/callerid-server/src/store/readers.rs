//! Read-only connections.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::Connection;

use super::presence::Presence;
use super::{SqliteError, connect};
use crate::lock::lock;

/// The maximum number of idle connections. Reads are short, so there are rarely more connections
/// than cores.
const IDLE_KEPT: usize = 4;

/// Read-only connections, opened on demand and reused.
pub(super) struct Readers {
    path: PathBuf,
    presence: Arc<Presence>,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf, presence: Arc<Presence>) -> Self {
        Self { path, presence, idle: Mutex::default() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Performs a read with several statements, which all see the same state.
    pub(super) fn snapshot<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, SqliteError>,
    ) -> Result<T, SqliteError> {
        self.read(|connection| {
            connection.prepare_cached("BEGIN")?.execute([])?;
            let read = read(connection)?;
            connection.prepare_cached("COMMIT")?.execute([])?;
            Ok(read)
        })
    }

    /// Performs a read with one statement.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, SqliteError>,
    ) -> Result<T, SqliteError> {
        self.presence.known()?;
        let idle = || lock(&self.idle);
        let kept = idle().pop();
        let connection = kept.map_or_else(|| connect::reader(&self.path, &self.presence), Ok)?;
        let read = read(&connection)?;
        // A failed connection is closed instead, which ends its transaction.
        let mut idle = idle();
        if idle.len() < IDLE_KEPT {
            idle.push(connection);
        }
        Ok(read)
    }
}
