//! The writer thread, which groups changes into commits.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use callerid_core::AccountSid;
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use tokio::sync::{mpsc, oneshot, watch};

use super::SqliteError;
use super::presence::Presence;
use crate::turns::{Queued, Turns};

/// The capacity of the queue. Writers wait when it is full.
const QUEUE: usize = 1024;

/// Free pages to keep for reuse.
const FREE_PAGES_KEPT: i64 = 512;
/// Free pages to release before checking for changes again.
const PAGES_GIVEN_BACK_AT_ONCE: i64 = 128;
/// SQLite's value for a database that releases free pages on request.
const INCREMENTAL: i64 = 2;

/// Sends changes to the writer thread.
pub(super) struct Writer {
    /// Dropped first, so that the thread ends after it has processed the queue.
    changes: Option<mpsc::Sender<Queued<Box<dyn Change>>>>,
    thread: Option<JoinHandle<()>>,
    commits: watch::Receiver<u64>,
}

impl Writer {
    /// Starts the thread. Each commit contains at most `batch` of the queued changes.
    pub(super) fn start(
        connection: Connection,
        presence: Arc<Presence>,
        batch: usize,
    ) -> std::io::Result<Self> {
        let (changes, receiver) = mpsc::channel(QUEUE);
        let (committed, commits) = watch::channel(0);
        let run = move || run(&connection, &presence, receiver, batch.max(1), &committed);
        let thread = thread::Builder::new().name("store".into()).spawn(run)?;
        Ok(Self { changes: Some(changes), thread: Some(thread), commits })
    }

    pub(super) fn commits(&self) -> watch::Receiver<u64> {
        self.commits.clone()
    }

    /// Makes a change in its account's turn, and waits until it is on disk.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        account: Option<AccountSid>,
        change: impl FnOnce(&Connection) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, SqliteError> {
        let (waiter, answer) = oneshot::channel();
        let change = Pending { change: Some(change), outcome: None, waiter };
        let changes = self.changes.as_ref().ok_or(SqliteError::Stopped)?;
        changes
            .send(Queued::new(account, Box::new(change)))
            .await
            .map_err(|_| SqliteError::Stopped)?;
        answer.await.map_err(|_| SqliteError::Stopped)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.changes = None;
        if let Some(thread) = self.thread.take() {
            // The panic message has already been printed.
            let _ = thread.join();
        }
    }
}

/// A queued change.
trait Change: Send {
    /// Makes the change. Returns whether it succeeded.
    fn make(&mut self, connection: &Connection) -> bool;
    /// Sends the result to the waiting caller once the commit has succeeded or failed.
    fn answer(self: Box<Self>, committed: Result<(), Arc<SqliteError>>);
}

struct Pending<F, T> {
    change: Option<F>,
    outcome: Option<Result<T, SqliteError>>,
    waiter: oneshot::Sender<Result<T, SqliteError>>,
}

impl<F, T> Change for Pending<F, T>
where
    F: FnOnce(&Connection) -> Result<T, SqliteError> + Send,
    T: Send,
{
    fn make(&mut self, connection: &Connection) -> bool {
        self.outcome = self.change.take().map(|change| change(connection));
        matches!(self.outcome, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, committed: Result<(), Arc<SqliteError>>) {
        let outcome = match (self.outcome, committed) {
            (Some(Err(failure)), _) => Err(failure),
            (_, Err(failure)) => Err(SqliteError::Commit(failure)),
            (Some(Ok(made)), Ok(())) => Ok(made),
            (None, Ok(())) => Err(SqliteError::Stopped),
        };
        // The caller may have stopped waiting.
        let _ = self.waiter.send(outcome);
    }
}

fn run(
    connection: &Connection,
    presence: &Presence,
    mut changes: mpsc::Receiver<Queued<Box<dyn Change>>>,
    batch: usize,
    commits: &watch::Sender<u64>,
) {
    let (mut waiting, mut turns) = (Vec::new(), Turns::default());
    while !waiting.is_empty() || changes.blocking_recv_many(&mut waiting, QUEUE) > 0 {
        waiting.extend(std::iter::from_fn(|| changes.try_recv().ok()));
        let taken = turns.take(&mut waiting, Instant::now()).min(batch);
        let committed = commit(connection, presence, &mut waiting[..taken]).map_err(|error| {
            // Unless the error has already ended the transaction.
            if !connection.is_autocommit() {
                let _ = connection.execute_batch("ROLLBACK");
            }
            Arc::new(error)
        });
        for queued in waiting.drain(..taken) {
            queued.change.answer(committed.clone());
        }
        if committed.is_ok() {
            commits.send_modify(|count| *count = count.wrapping_add(1));
        }
        // If the database fails, the next change reports it.
        while waiting.is_empty()
            && changes.is_empty()
            && give_space_back(connection, presence).unwrap_or(false)
        {}
    }
    if presence.check().is_err() {
        // Otherwise SQLite would delete the log of the database that has replaced this one.
        let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    }
}

/// Releases some free pages to the file system if there are many. Returns whether it did. Databases
/// that were created by older versions cannot release pages.
fn give_space_back(connection: &Connection, presence: &Presence) -> Result<bool, SqliteError> {
    let number = |sql| -> rusqlite::Result<i64> {
        connection.prepare_cached(sql)?.query_row([], |row| row.get(0))
    };
    let free = || number("PRAGMA freelist_count");
    let before = free()?;
    if before < FREE_PAGES_KEPT || number("PRAGMA auto_vacuum")? != INCREMENTAL {
        return Ok(false);
    }
    presence.check()?;
    connection.execute_batch(&format!("PRAGMA incremental_vacuum({PAGES_GIVEN_BACK_AT_ONCE})"))?;
    Ok(free()? < before)
}

/// Makes changes in one transaction. A change that fails is rolled back on its own.
fn commit(
    connection: &Connection,
    presence: &Presence,
    changes: &mut [Queued<Box<dyn Change>>],
) -> Result<(), SqliteError> {
    presence.check()?;
    let execute =
        |sql| -> rusqlite::Result<()> { connection.prepare_cached(sql)?.execute([]).map(|_| ()) };
    execute("BEGIN IMMEDIATE")?;
    for queued in changes {
        execute("SAVEPOINT change")?;
        if !queued.change.make(connection) {
            // This fails if the error has ended the whole transaction, for example if the disk is
            // full.
            execute("ROLLBACK TO change")?;
        }
        execute("RELEASE change")?;
    }
    execute("COMMIT")?;
    // Only this check ensures that the commit is in the files that the next start opens.
    presence.check()
}
