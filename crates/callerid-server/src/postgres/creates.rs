//! Calls that are added: those that wait share a transaction, in turns of their accounts.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use callerid_core::PhoneNumber;
use callerid_service::{Admitted, Call, Ineligible, Limits};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::timeout;

use super::calls::{self, Added};
use super::database::Database;
use super::error::PostgresError;
use super::node::Node;
use super::transaction::{Isolation, perform};
use crate::metrics::METRICS;
use crate::seal::SealingKey;
use crate::turns::{Queued, Turns};

/// How many transactions are under way at the same time.
const WRITERS: usize = 2;
/// How many calls a transaction adds at most.
const BATCH: usize = 64;
/// How many calls may wait. More wait to be among them.
const QUEUE: usize = 1_024;
/// How long a call may wait to be added, in all.
const PATIENCE: Duration = Duration::from_secs(5);

type Outcome = Result<Result<Admitted, Ineligible>, PostgresError>;

/// A call that is to be added.
struct Create {
    call: Call,
    limits: Limits,
    waiter: oneshot::Sender<Outcome>,
}

/// Adds calls.
pub(super) struct Creates(mpsc::Sender<Queued<Create>>);

impl Creates {
    /// Starts the writers, which end with the last of these.
    pub(super) fn start(database: &Database, key: &SealingKey, node: &Arc<Node>) -> Self {
        let (creates, receiver) = mpsc::channel(QUEUE);
        let queue = Queue { receiver, waiting: Vec::new(), turns: Turns::default() };
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..WRITERS {
            let writer = Writer {
                queue: Arc::clone(&queue),
                database: database.clone(),
                key: key.clone(),
                node: Arc::clone(node),
            };
            tokio::spawn(writer.run());
        }
        Self(creates)
    }

    /// Adds a call, in its account's turn.
    pub(super) async fn add(&self, call: Call, limits: &Limits) -> Outcome {
        let (waiter, outcome) = oneshot::channel();
        let account = Some(call.account_sid);
        let create = Queued::new(account, Create { call, limits: *limits, waiter });
        let added = async {
            self.0.send(create).await.ok()?;
            outcome.await.ok()
        };
        timeout(PATIENCE, added).await.ok().flatten().unwrap_or(Err(PostgresError::TooLate))
    }
}

/// What waits for the writers.
struct Queue {
    receiver: mpsc::Receiver<Queued<Create>>,
    waiting: Vec<Queued<Create>>,
    turns: Turns,
}

impl Queue {
    /// Takes calls that can share a transaction: of different numbers, within the same limits. None are
    /// left if it is empty.
    async fn take(&mut self) -> Vec<Create> {
        if self.waiting.is_empty() {
            self.receiver.recv_many(&mut self.waiting, QUEUE).await;
        }
        self.waiting.extend(std::iter::from_fn(|| self.receiver.try_recv().ok()));
        // Nobody waits for these any more.
        self.waiting.retain(|queued| !queued.change.waiter.is_closed());
        let most = self.turns.take(&mut self.waiting, Instant::now()).min(BATCH);
        let limits = self.waiting.first().map(|queued| queued.change.limits);
        let mut numbers: BTreeSet<PhoneNumber> = BTreeSet::new();
        let fits = |queued: &mut Queued<Create>| {
            let Create { call, limits: own, .. } = &queued.change;
            let is_alone = own.line.is_some() && !numbers.is_empty();
            numbers.len() < most
                && !is_alone
                && Some(*own) == limits
                && numbers.insert(call.phone_number)
        };
        self.waiting.extract_if(.., fits).map(|queued| queued.change).collect()
    }
}

/// Adds what waits, one batch after another.
struct Writer {
    queue: Arc<Mutex<Queue>>,
    database: Database,
    key: SealingKey,
    node: Arc<Node>,
}

impl Writer {
    async fn run(self) {
        loop {
            let batch = {
                let mut queue = self.queue.lock().await;
                let batch = queue.take().await;
                if batch.is_empty() && queue.receiver.is_closed() {
                    return;
                }
                batch
            };
            self.add_batch(batch).await;
        }
    }

    async fn add_batch(&self, batch: Vec<Create>) {
        let Some(limits) = batch.first().map(|create| create.limits) else { return };
        let (calls, waiters): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|create| (create.call, create.waiter)).unzip();
        match self.add(&calls, &limits).await {
            Ok(added) => answer(&calls, waiters, added),
            Err(error) if error.is_transient() => {
                tracing::debug!(%error, calls = calls.len(), "calls were not added");
                for waiter in waiters {
                    waiter.send(Err(PostgresError::TooLate)).unwrap_or_default();
                }
            }
            // One of them cannot be added, and must not keep the others from it.
            Err(_) => {
                for (call, waiter) in calls.iter().zip(waiters) {
                    match self.add(std::slice::from_ref(call), &limits).await {
                        Ok(added) => answer(std::slice::from_ref(call), vec![waiter], added),
                        Err(error) => waiter.send(Err(error)).unwrap_or_default(),
                    }
                }
            }
        }
    }

    async fn add(&self, calls: &[Call], limits: &Limits) -> Result<Vec<Added>, PostgresError> {
        let started = Instant::now();
        let add = async |alone| {
            perform(&self.database, Isolation::Change, |it| {
                Box::pin(calls::add(it.client, &self.key, self.node.id(), calls, limits, alone))
            })
            .await
        };
        let added = match add(false).await? {
            Some(added) => added,
            None => add(true).await?.ok_or(PostgresError::TooLate)?,
        };
        METRICS.written(started.elapsed());
        let admitted = added.iter().flatten().flatten();
        self.node.changed(admitted.map(|admitted| &admitted.call.account_sid));
        Ok(added)
    }
}

fn answer(calls: &[Call], waiters: Vec<oneshot::Sender<Outcome>>, added: Vec<Added>) {
    for ((call, waiter), added) in calls.iter().zip(waiters).zip(added) {
        let outcome = added.ok_or(PostgresError::NoAccount(call.account_sid));
        // The caller may have stopped waiting.
        waiter.send(outcome).unwrap_or_default();
    }
}
