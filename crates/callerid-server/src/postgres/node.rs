//! This server among those that share the database.
//!
//! Each start of a server is a node with a lease, which it renews. What belongs to a node whose lease is
//! over is adopted by another one. Leases decide about nothing else: a call's revision keeps it from being
//! placed twice, even if a node believes wrongly that another one is gone.
//!
//! A node tells the others which accounts it has changed, outside of the changes' transactions: a
//! notification inside of one would make all others wait for its commit.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use callerid_core::AccountSid;
use callerid_service::{Call, CallStatus, StoreError};
use tokio::sync::{Notify, mpsc};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_postgres::{AsyncMessage, Client, Notification};

use super::database::Database;
use super::error::PostgresError;
use super::transaction::{Isolation, perform};
use super::{accounts, callbacks, calls, contents};
use crate::clock::Clock;
use crate::lock::lock;
use crate::seal::SealingKey;
use crate::server_store::{LEASE_SECONDS, News};

/// How often it is renewed, and others are looked at.
const RENEW_EVERY: Duration = Duration::from_secs(2);
/// How long the database may take to answer.
const ANSWER: Duration = Duration::from_secs(5);
/// How long to wait before connecting again.
const RECONNECT_AFTER: Duration = Duration::from_millis(500);
/// How long to collect changes before the others are told of them.
const GATHER: Duration = Duration::from_millis(20);
/// How often to look for changes of others if they cannot tell.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The Sids that a notification takes: its limit is 8,000 bytes.
const SIDS_AT_ONCE: usize = 200;
/// The id of who is no node: a command.
pub(super) const NOBODY: i64 = 0;

/// This server, or a command.
pub(super) struct Node {
    id: AtomicI64,
    time: Arc<DatabaseTime>,
    /// Accounts that this node has changed, which the others have not been told yet.
    changed: Mutex<BTreeSet<AccountSid>>,
    has_changed: Notify,
    news: mpsc::UnboundedSender<News>,
    /// Until the server takes it.
    hear: Mutex<Option<mpsc::UnboundedReceiver<News>>>,
}

impl Node {
    /// A command, which becomes a node by [`join`](Self::join).
    pub(super) fn nobody() -> Self {
        let (news, hear) = mpsc::unbounded_channel();
        Self {
            id: AtomicI64::new(NOBODY),
            time: Arc::default(),
            changed: Mutex::default(),
            has_changed: Notify::new(),
            news,
            hear: Mutex::new(Some(hear)),
        }
    }

    /// The node's id in tables.
    pub(super) fn id(&self) -> i64 {
        self.id.load(Ordering::Relaxed)
    }

    /// The news for the server. Only the first call gets any.
    pub(super) fn take_news(&self) -> Option<mpsc::UnboundedReceiver<News>> {
        lock(&self.hear).take()
    }

    /// A clock that tells the database's time, so that all nodes have the same.
    pub(super) fn clock(&self) -> Clock {
        let (time, counter) = (Arc::clone(&self.time), Arc::clone(&self.time));
        Clock::new(move || time.now(), move || counter.counted())
    }

    /// Notes that this node has changed accounts.
    pub(super) fn changed<'a>(&self, accounts: impl IntoIterator<Item = &'a AccountSid>) {
        if self.id() != NOBODY {
            lock(&self.changed).extend(accounts);
            self.has_changed.notify_one();
        }
    }

    /// Becomes a node, or another one than before.
    pub(super) async fn join(&self, client: &Client) -> Result<(), PostgresError> {
        self.time.measure(client).await?;
        let join = format!(
            "INSERT INTO node (lease_until) VALUES (now() + interval '{LEASE_SECONDS} seconds') RETURNING id"
        );
        let id = client.query_one(&join, &[]).await?.try_get(0)?;
        let before = self.id.swap(id, Ordering::Relaxed);
        // What makes them sandboxes is in this server's memory, whatever its id.
        let keep = "UPDATE account SET sandbox_of = $2 WHERE sandbox_of = $1 AND $1 <> 0";
        client.execute(keep, &[&before, &id]).await?;
        Ok(())
    }

    /// Lets the others adopt what belongs to this node.
    pub(super) async fn leave(&self, client: &Client) -> Result<(), PostgresError> {
        let leave = "UPDATE node SET lease_until = '-infinity' WHERE id = $1";
        client.execute(leave, &[&self.id()]).await?;
        Ok(())
    }

    /// Renews the lease, exchanges news with the other nodes, and adopts what belongs to those that are
    /// gone. It never completes.
    pub(super) async fn serve(&self, database: &Database, key: &SealingKey) -> StoreError {
        // Apart, so that the others' news do not wait until thousands of calls are adopted.
        tokio::select! {
            never = self.keep_in_touch(database) => never,
            never = self.look_after_rows(database, key) => never,
        }
    }

    async fn keep_in_touch(&self, database: &Database) -> StoreError {
        loop {
            // It ends only with an error.
            let Err(error) = self.serve_session(database).await;
            tracing::warn!(%error, "the database is away");
            sleep(RECONNECT_AFTER).await;
        }
    }

    async fn look_after_rows(&self, database: &Database, key: &SealingKey) -> StoreError {
        let mut look = interval(RENEW_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            look.tick().await;
            let looked = async {
                self.adopt_from_gone(database, key).await?;
                self.forget_old(database).await
            };
            if let Err(error) = looked.await {
                tracing::debug!(%error, "rows were not adopted or deleted");
            }
        }
    }

    async fn serve_session(&self, database: &Database) -> Result<Infallible, PostgresError> {
        let hears = !database.is_pooled();
        let (client, mut heard) = in_time(open_session(database, hears)).await?;
        // What was told meanwhile was not heard.
        self.tell(News::Missed);
        let [mut renew, mut look] = [RENEW_EVERY, LOOK_EVERY].map(interval);
        renew.set_missed_tick_behavior(MissedTickBehavior::Delay);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = renew.tick() => in_time(self.renew(&client)).await?,
                heard = heard.recv() => match heard {
                    Some(notification) => self.hear(notification.payload()),
                    None => return Err(PostgresError::SessionLost),
                },
                () = self.has_changed.notified() => {
                    sleep(GATHER).await;
                    let accounts = std::mem::take(&mut *lock(&self.changed));
                    let told = in_time(self.notify(&client, &accounts)).await;
                    if told.is_err() {
                        // The next session tells it.
                        self.changed(&accounts);
                    }
                    told?;
                }
                _ = look.tick(), if !hears => self.tell(News::Missed),
            }
        }
    }

    async fn renew(&self, client: &Client) -> Result<(), PostgresError> {
        self.time.measure(client).await?;
        let renew = format!(
            "UPDATE node SET lease_until = now() + interval '{LEASE_SECONDS} seconds'
             WHERE id = $1 AND lease_until > now()"
        );
        if client.execute(&renew, &[&self.id()]).await? == 0 {
            tracing::warn!("the lease was not renewed in time: joining again");
            self.join(client).await?;
        }
        Ok(())
    }

    /// Deletes what has no effect any more.
    async fn forget_old(&self, database: &Database) -> Result<(), PostgresError> {
        let forget = perform(database, Isolation::Change, |it| {
            Box::pin(async move {
                // A node that does not know yet that its lease is over may still add to what belongs to it.
                let nodes = "DELETE FROM node WHERE lease_until < now() - interval '1 minute'
                     AND NOT EXISTS (SELECT 1 FROM call WHERE node = node.id AND wake_at IS NOT NULL)
                     AND NOT EXISTS (SELECT 1 FROM callback WHERE node = node.id AND next_at IS NOT NULL)";
                it.client.execute(nodes, &[]).await?;
                // See `transaction`.
                let stamps = "DELETE FROM stamp WHERE at < now() - interval '1 minute'";
                it.client.execute(stamps, &[]).await?;
                Ok(())
            })
        });
        forget.await
    }

    async fn adopt_from_gone(
        &self,
        database: &Database,
        key: &SealingKey,
    ) -> Result<(), PostgresError> {
        let adopted = self.adopt(database, key, &gone(database).await?).await?;
        if adopted.is_any {
            tracing::info!("work of a server that is gone was taken over");
            self.tell(News::Adopted(adopted.placed));
        }
        Ok(())
    }

    /// Adopts the calls and callbacks of all nodes that are gone, and those of nobody: they were there
    /// before there were nodes, or were imported. Returns the calls that had been placed.
    pub(super) async fn adopt_all(
        &self,
        database: &Database,
        key: &SealingKey,
    ) -> Result<Vec<Call>, PostgresError> {
        let mut from = gone(database).await?;
        from.push(NOBODY);
        Ok(self.adopt(database, key, &from).await?.placed)
    }

    /// Adopts the calls and callbacks of these nodes, which are gone, and removes their sandboxes.
    async fn adopt(
        &self,
        database: &Database,
        key: &SealingKey,
        gone: &[i64],
    ) -> Result<Adopted, PostgresError> {
        let mut adopted = Adopted { is_any: false, placed: Vec::new() };
        let id = self.id();
        // If its own lease is over, it first joins again, as another one.
        for &from in gone.iter().filter(|&&from| from != id) {
            let sandboxes = perform(database, Isolation::Statement, |it| {
                Box::pin(accounts::sandboxes(it.client, from))
            });
            for sandbox in sandboxes.await? {
                let remove = perform(database, Isolation::Change, |it| {
                    Box::pin(contents::remove(it.client, &sandbox))
                });
                remove.await?;
            }
            let (calls, callbacks) = perform(database, Isolation::Change, |it| {
                Box::pin(async move {
                    let calls = calls::adopt(it.client, key, from, id).await?;
                    Ok((calls, callbacks::adopt(it.client, from, id).await?))
                })
            })
            .await?;
            adopted.is_any |= !calls.is_empty() || callbacks > 0;
            adopted.placed.extend(calls.into_iter().filter(|it| it.status != CallStatus::Queued));
        }
        Ok(adopted)
    }

    /// Tells the other nodes which accounts have changed.
    async fn notify(
        &self,
        client: &Client,
        accounts: &BTreeSet<AccountSid>,
    ) -> Result<(), PostgresError> {
        let sids: Vec<_> = accounts.iter().map(AccountSid::as_str).collect();
        for sids in sids.chunks(SIDS_AT_ONCE) {
            let payload = format!("{} {}", self.id(), sids.join(" "));
            client.execute("SELECT pg_notify('callerid', $1)", &[&payload]).await?;
        }
        Ok(())
    }

    /// Passes on what another node has told.
    fn hear(&self, payload: &str) {
        let mut words = payload.split(' ');
        if words.next().is_some_and(|id| id == self.id().to_string()) {
            return;
        }
        words
            .filter_map(|sid| AccountSid::parse(sid).ok())
            .for_each(|it| self.tell(News::Changed(it)));
    }

    fn tell(&self, news: News) {
        // A server that stops hears nothing more.
        self.news.send(news).unwrap_or_default();
    }
}

/// The nodes whose leases are over.
async fn gone(database: &Database) -> Result<Vec<i64>, PostgresError> {
    let find = perform(database, Isolation::Statement, |it| {
        Box::pin(async move {
            let find = "SELECT id FROM node WHERE lease_until < now()";
            let rows = it.client.query(find, &[]).await?;
            rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
        })
    });
    find.await
}

/// What was adopted.
struct Adopted {
    /// Whether it was anything: also calls that wait, and callbacks.
    is_any: bool,
    /// The calls that had been placed.
    placed: Vec<Call>,
}

/// Does not wait for a database that does not answer.
async fn in_time<T>(
    work: impl Future<Output = Result<T, PostgresError>>,
) -> Result<T, PostgresError> {
    timeout(ANSWER, work).await.unwrap_or(Err(PostgresError::TooLate))
}

/// Opens a session of its own, which hears what other nodes tell if it is to.
async fn open_session(
    database: &Database,
    hears: bool,
) -> Result<(Client, mpsc::UnboundedReceiver<Notification>), PostgresError> {
    let (client, mut connection) = database.connect().await?;
    let (sender, receiver) = mpsc::unbounded_channel();
    // It ends with its client.
    tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(notification) = message {
                sender.send(notification).unwrap_or_default();
            }
        }
    });
    if hears {
        client.batch_execute("LISTEN callerid").await?;
    }
    Ok((client, receiver))
}

/// What the database's clock says.
struct DatabaseTime {
    started: Instant,
    /// How far it is ahead of the time since `started`, in milliseconds.
    ahead: AtomicI64,
}

impl Default for DatabaseTime {
    fn default() -> Self {
        Self { started: Instant::now(), ahead: AtomicI64::new(0) }
    }
}

impl DatabaseTime {
    /// Asks the database for its time.
    async fn measure(&self, client: &Client) -> Result<(), PostgresError> {
        let ask = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
        let before = self.counted();
        let time: i64 = client.query_one(ask, &[]).await?.try_get(0)?;
        // It was read somewhere in between.
        let then = before.midpoint(self.counted());
        self.ahead.store(time.saturating_sub(then), Ordering::Relaxed);
        Ok(())
    }

    fn counted(&self) -> i64 {
        self.started.elapsed().as_millis().try_into().unwrap_or(i64::MAX)
    }

    fn now(&self) -> i64 {
        self.counted().saturating_add(self.ahead.load(Ordering::Relaxed))
    }
}
