//! The lock of the only server of a database.
//!
//! It keeps two servers from working side by side by mistake. What they store does not depend on it:
//! every change is a transaction that checks what it changes.

use std::time::Duration;

use callerid_service::StoreError;
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::open::DatabaseError;

/// "SERV": the advisory lock, which belongs to a session.
const SERVER_LOCK: i64 = 0x5345_5256;
/// Forgets stamps of changes that nobody asks for any more; see [`super::transaction`].
const FORGET_STAMPS: &str = "DELETE FROM stamp WHERE at < now() - interval '1 minute'";
/// How often the session is looked after.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long the database may take to answer then.
const ANSWER: Duration = Duration::from_secs(5);
/// How long it may be held by a server that was killed a moment ago.
const JUST_KILLED: Duration = Duration::from_secs(2);
/// How long the lock may be held by the session that was lost, once the database is there again.
const LINGERING: Duration = Duration::from_secs(30);

/// The lock, and the session that holds it.
pub(super) struct ServerLock {
    config: Config,
    tls: MakeRustlsConnect,
    session: Client,
}

impl ServerLock {
    /// Takes the lock.
    ///
    /// # Errors
    /// [`DatabaseError::Served`] if another server has it.
    pub(super) async fn take(
        config: Config,
        tls: MakeRustlsConnect,
    ) -> Result<Self, DatabaseError> {
        let session = connect(&config, &tls).await?;
        let deadline = Instant::now() + JUST_KILLED;
        while !try_lock(&session).await? {
            if Instant::now() >= deadline {
                return Err(DatabaseError::Served);
            }
            sleep(JUST_KILLED / 20).await;
        }
        Ok(Self { config, tls, session })
    }

    /// Holds the lock, and takes it again when its session was lost. Completes if another server has
    /// taken it meanwhile.
    pub(super) async fn hold(mut self) -> StoreError {
        loop {
            sleep(LOOK_EVERY).await;
            if matches!(
                timeout(ANSWER, self.session.batch_execute(FORGET_STAMPS)).await,
                Ok(Ok(()))
            ) {
                continue;
            }
            tracing::warn!("the database is away");
            let session = loop {
                match timeout(ANSWER, connect(&self.config, &self.tls)).await {
                    Ok(Ok(session)) => break session,
                    _ => sleep(LOOK_EVERY).await,
                }
            };
            let deadline = Instant::now() + LINGERING;
            while !try_lock(&session).await.unwrap_or(false) {
                if Instant::now() >= deadline {
                    return StoreError::unavailable(DatabaseError::Served);
                }
                sleep(LOOK_EVERY).await;
            }
            tracing::info!("the database is there again");
            self.session = session;
        }
    }
}

async fn connect(
    config: &Config,
    tls: &MakeRustlsConnect,
) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = config.connect(tls.clone()).await?;
    // It ends with its client.
    tokio::spawn(connection);
    Ok(client)
}

async fn try_lock(session: &Client) -> Result<bool, tokio_postgres::Error> {
    session.query_one("SELECT pg_try_advisory_lock($1)", &[&SERVER_LOCK]).await?.try_get(0)
}
