//! Transactions: each is made once, though the database may go away at any moment.
//!
//! A transaction that fails with its connection is made again on another one. Each change inserts a
//! stamp, the same in every attempt. If a COMMIT was not answered although the change was made, the
//! next attempt meets its own stamp, and does not make it again. (The id of a transaction would not
//! do: after a crash, PostgreSQL gives it to another one.)

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::Duration;

use deadpool_postgres::{ClientWrapper, Object};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_postgres::error::SqlState;

use super::database::Database;
use super::error::PostgresError;

/// How long an operation may take, with all attempts.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// The statements of an operation.
pub(super) type Work<'a, T> = Pin<Box<dyn Future<Output = Result<T, PostgresError>> + Send + 'a>>;

/// What an operation's statements run on. The operation may borrow what lives as long as `'env`.
pub(super) struct Statements<'c, 'env> {
    pub(super) client: &'c ClientWrapper,
    environment: PhantomData<&'c &'env ()>,
}

/// How an operation's statements belong together.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Isolation {
    /// A single statement that reads.
    Statement,
    /// Several statements that read the same state.
    Snapshot,
    /// A change: all of it, or nothing.
    Change,
}

/// A connection that goes back to the pool only after its transaction. Otherwise it is closed, and
/// the database rolls the transaction back.
struct Lease(Option<Object>);

impl Lease {
    fn client(&self) -> Result<&ClientWrapper, PostgresError> {
        self.0.as_deref().ok_or(PostgresError::TooLate)
    }

    fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}

/// How an attempt failed.
enum Failure<T> {
    /// Nothing was changed.
    Before(PostgresError),
    /// An earlier attempt has made the change.
    Stamped,
    /// The COMMIT was not answered. If it took effect, this is the result.
    Unanswered { error: PostgresError, result: T },
}

/// Performs an operation. The statements may run several times, but only one run takes effect.
pub(super) async fn perform<'env, T: Send>(
    database: &Database,
    isolation: Isolation,
    work: impl for<'c> Fn(Statements<'c, 'env>) -> Work<'c, T> + Send + Sync,
) -> Result<T, PostgresError> {
    let deadline = Instant::now() + PATIENCE;
    let begin = match isolation {
        Isolation::Statement => None,
        Isolation::Snapshot => Some("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY".to_owned()),
        Isolation::Change => {
            Some(format!("{}; INSERT INTO stamp VALUES ('{}')", database.begin(), stamp()?))
        }
    };
    let in_time = async {
        let mut unanswered = None;
        loop {
            let error = match attempt(database, begin.as_deref(), &work).await {
                Ok(result) => return Ok(result),
                Err(Failure::Stamped) => return unanswered.ok_or(PostgresError::TooLate),
                Err(Failure::Unanswered { error, result }) => {
                    unanswered = Some(result);
                    error
                }
                Err(Failure::Before(error)) => error,
            };
            if !error.is_transient() || Instant::now() + PAUSE >= deadline {
                return Err(error);
            }
            sleep(PAUSE).await;
        }
    };
    timeout_at(deadline, in_time).await.unwrap_or(Err(PostgresError::TooLate))
}

/// 16 random bytes in hexadecimal.
fn stamp() -> Result<String, PostgresError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(PostgresError::NoRandomness)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// Runs the statements once: in a transaction if there is a statement to begin it.
async fn attempt<'env, T: Send>(
    database: &Database,
    begin: Option<&str>,
    work: &(impl for<'c> Fn(Statements<'c, 'env>) -> Work<'c, T> + Send + Sync),
) -> Result<T, Failure<T>> {
    let lease = Lease(Some(database.get().await.map_err(Failure::Before)?));
    let client = lease.client().map_err(Failure::Before)?;
    if let Some(begin) = begin {
        client.batch_execute(begin).await.map_err(|error| match error.code() {
            // It waits for a transaction with this stamp that has not ended yet.
            Some(&SqlState::UNIQUE_VIOLATION) => Failure::Stamped,
            _ => Failure::Before(error.into()),
        })?;
    }
    let result =
        work(Statements { client, environment: PhantomData }).await.map_err(Failure::Before)?;
    if begin.is_some()
        && let Err(error) = client.batch_execute("COMMIT").await
    {
        return Err(Failure::Unanswered { error: error.into(), result });
    }
    lease.give_back();
    Ok(result)
}
