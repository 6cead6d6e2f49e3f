//! The thread that writes: group commit.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use callerid_core::AccountSid;
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use tokio::sync::{mpsc, oneshot, watch};

use super::SqliteError;
use super::presence::Presence;
use super::turns::{Queued, Turns};

/// Changes that may wait before whoever brings another waits too.
const QUEUE: usize = 1024;

/// Free pages that are kept for what comes next.
const FREE_PAGES_KEPT: i64 = 512;
/// Free pages that are given back before it is looked for changes again.
const PAGES_GIVEN_BACK_AT_ONCE: i64 = 128;
/// SQLite's word for a database that gives pages back when it is told to.
const INCREMENTAL: i64 = 2;

/// Hands changes to the thread that makes them.
pub(super) struct Writer {
    /// Taken when dropped: that ends the thread once it has made what is waiting.
    changes: Option<mpsc::Sender<Queued<Box<dyn Change>>>>,
    thread: Option<JoinHandle<()>>,
    commits: watch::Receiver<u64>,
}

impl Writer {
    /// Starts the thread. It commits what is waiting together, at most `batch` changes.
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

    /// Makes a change, in the turn of the account whose it is, and waits until it is on disk.
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
            // What it panicked with has been printed.
            let _ = thread.join();
        }
    }
}

/// A change on its way.
trait Change: Send {
    /// Makes it, and says whether that went well.
    fn make(&mut self, connection: &Connection) -> bool;
    /// Tells whoever waits, if they still do, once it is known what became of the commit.
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
        // Whoever waited may have gone.
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
            // Where the failure itself has not ended the transaction.
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
        // Where the database fails, the next change says so.
        while waiting.is_empty()
            && changes.is_empty()
            && give_space_back(connection, presence).unwrap_or(false)
        {}
    }
    if presence.check().is_err() {
        // Else SQLite would remove the log of the database that stands in the place of this one.
        let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    }
}

/// Gives some free pages back to the file system, where there are many; says whether it did. A database that was made
/// before this was done has none that can be given back.
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

/// Makes changes in one transaction. One that fails is undone by itself.
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
            // Fails where the change has met an error that ends the whole transaction, as a full disk does.
            execute("ROLLBACK TO change")?;
        }
        execute("RELEASE change")?;
    }
    execute("COMMIT")?;
    // Only now it is known that it is on the disk that the next start finds.
    presence.check()
}
