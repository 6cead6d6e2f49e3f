//! The durable store in PostgreSQL.
//!
//! # Transactions
//!
//! A change is one transaction, at READ COMMITTED. It locks first what it will change: numbers, by
//! advisory locks, then ledgers of accounts, each in ascending order. What it reads in a later
//! statement is as of then, and the domain's functions decide on it. A unique index of live calls and
//! the calls' revisions keep every change right even without the locks.
//!
//! If a connection is lost, the transaction is made again on another one, unless the database has the
//! stamp that says that it was committed. After five seconds, the operation fails with an error that can be retried.
//!
//! # Secrets
//!
//! As in the store on disk: tokens and callbacks' credentials are sealed, with a key that is not in
//! the database. A validation code is stored in plain text while its call is live.

mod accounts;
mod callbacks;
mod caller_ids;
mod calls;
mod contents;
mod document;
mod error;
mod events;
mod ledger;
mod line;
mod numbers;
mod open;
mod server_lock;
mod sessions;
mod transaction;

use std::fmt;
use std::time::Instant;

use callerid_core::{
    AccountSid, AuthToken, CallSid, CallerIdSid, Credentials, Filter, FriendlyName, Moment,
    OutgoingCallerId, Page, PageRequest, PhoneNumber,
};
use callerid_service::{
    Account, AccountContents, Accounts, Admitted, Call, Callback, CallbackSlots, Events,
    Ineligible, Limits, Newest, OptOut, Store, StoreError, Transition, Unauthenticated,
};
use deadpool_postgres::{ClientWrapper, Pool};
use server_lock::ServerLock;
use tokio_postgres::config::Host;
use tokio_postgres::{Config, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

pub use open::DatabaseError;

use crate::counted;
use crate::durable_store::{DurableStore, FailedNumber};
use crate::metrics::METRICS;
use crate::seal::SealingKey;
use crate::sessions::SessionStore;
use error::PostgresError;
use transaction::{Isolation, Statements, Work};

/// Stores everything in a PostgreSQL database.
///
/// If a future is dropped before it completes, its change may or may not have been made, but never
/// partially.
pub struct PostgresStore {
    config: Config,
    tls: MakeRustlsConnect,
    pool: Pool,
    key: SealingKey,
}

impl PostgresStore {
    /// Opens the store in the database at this address. Creates the tables if there are none, and
    /// upgrades older ones. If the address wants TLS (`sslmode=require`), the database's certificate
    /// is checked against these authorities in PEM, or against those that browsers trust.
    ///
    /// # Errors
    /// [`DatabaseError`], which says what the problem is.
    pub async fn open(
        address: &str,
        authorities: Option<&[u8]>,
        key: SealingKey,
    ) -> Result<Self, DatabaseError> {
        let (config, tls) = (open::config(address)?, open::tls(authorities)?);
        open::prepare(&config, tls.clone(), &key).await?;
        Ok(Self { pool: open::pool(config.clone(), tls.clone()), config, tls, key })
    }

    /// Becomes the database's only server. The future that is returned must be polled as long as it
    /// serves; it completes if another server has taken its place.
    ///
    /// # Errors
    /// [`DatabaseError::Served`] if there is another server, or why the database cannot be used.
    pub async fn serve(
        &self,
    ) -> Result<impl Future<Output = StoreError> + Send + use<>, DatabaseError> {
        let lock = ServerLock::take(self.config.clone(), self.tls.clone()).await?;
        let remove = self.remove_sandboxes().await;
        remove.map_err(|error| DatabaseError::Sandboxes(error.to_string()))?;
        Ok(lock.hold())
    }

    /// Where the database is, without secrets: `callerid on db.example.com`.
    pub fn location(&self) -> String {
        let host = self.config.get_hosts().first().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            #[cfg(unix)]
            Host::Unix(path) => path.display().to_string(),
        });
        let database = self.config.get_dbname().unwrap_or("the user's database");
        format!("{database} on {}", host.unwrap_or_default())
    }

    /// Removes the sandboxes of a server that has ended.
    async fn remove_sandboxes(&self) -> Result<(), StoreError> {
        for sandbox in self.read(|it| Box::pin(accounts::sandboxes(it.client))).await? {
            self.remove_account(&sandbox).await?;
        }
        Ok(())
    }

    async fn change<'env, T: Send>(
        &self,
        work: impl for<'c> Fn(Statements<'c, 'env>) -> Work<'c, T> + Send + Sync,
    ) -> Result<T, StoreError> {
        let started = Instant::now();
        let changed = transaction::perform(&self.pool, Isolation::Change, work).await;
        METRICS.written(started.elapsed());
        changed.map_err(failed)
    }

    async fn read<'env, T: Send>(
        &self,
        work: impl for<'c> Fn(Statements<'c, 'env>) -> Work<'c, T> + Send + Sync,
    ) -> Result<T, StoreError> {
        transaction::perform(&self.pool, Isolation::Statement, work).await.map_err(failed)
    }

    async fn snapshot<'env, T: Send>(
        &self,
        work: impl for<'c> Fn(Statements<'c, 'env>) -> Work<'c, T> + Send + Sync,
    ) -> Result<T, StoreError> {
        transaction::perform(&self.pool, Isolation::Snapshot, work).await.map_err(failed)
    }
}

impl DurableStore for PostgresStore {
    async fn add_account(&self, account: Account) -> Result<bool, StoreError> {
        self.add_any_account(&account, false).await
    }

    async fn accounts(&self) -> Result<Vec<AccountSid>, StoreError> {
        self.read(|it| Box::pin(accounts::list(it.client))).await
    }

    async fn rotate(&self, account: Account) -> Result<bool, StoreError> {
        let sealed = accounts::seal(&self.key, &account).map_err(failed)?;
        self.change(|it| Box::pin(accounts::rotate(it.client, &account.sid, &sealed))).await
    }

    async fn add_code(
        &self,
        account: &AccountSid,
        code: AuthToken,
        now: Moment,
    ) -> Result<bool, StoreError> {
        self.change(|it| Box::pin(sessions::add_code(it.client, account, &code, now))).await
    }

    async fn page_url(&self) -> Result<Option<String>, StoreError> {
        self.read(|it| Box::pin(sessions::page_url(it.client))).await
    }

    async fn set_page_url(&self, url: &str) -> Result<(), StoreError> {
        self.change(|it| Box::pin(sessions::set_page_url(it.client, url))).await
    }

    async fn failed_numbers(&self) -> Result<Vec<FailedNumber>, StoreError> {
        self.read(|it| Box::pin(numbers::failed(it.client))).await
    }

    async fn clear_number(&self, number: &PhoneNumber) -> Result<FailedNumber, StoreError> {
        self.change(|it| Box::pin(numbers::clear(it.client, number))).await
    }
}

impl PostgresStore {
    async fn add_any_account(
        &self,
        account: &Account,
        is_sandbox: bool,
    ) -> Result<bool, StoreError> {
        let sealed = accounts::seal(&self.key, account).map_err(failed)?;
        self.change(|it| Box::pin(accounts::add(it.client, &account.sid, &sealed, is_sandbox)))
            .await
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

impl Store for PostgresStore {
    async fn health(&self) -> Result<(), StoreError> {
        let touch = "UPDATE meta SET version = version";
        self.change(|it| {
            Box::pin(async move { Ok(it.client.execute(touch, &[]).await.map(drop)?) })
        })
        .await
    }

    async fn account(&self, sid: &AccountSid) -> Result<Option<Account>, StoreError> {
        self.read(|it| Box::pin(accounts::find(it.client, &self.key, sid))).await
    }

    async fn caller_id(
        &self,
        account: &AccountSid,
        sid: &CallerIdSid,
        admit: impl FnOnce(&Account) -> Result<(), Unauthenticated> + Send,
    ) -> Result<Result<Option<OutgoingCallerId>, Unauthenticated>, StoreError> {
        let find = self
            .read(|it| Box::pin(caller_ids::find_with_account(it.client, &self.key, account, sid)));
        Ok(caller_ids::admitted(find.await?, admit))
    }

    async fn list(
        &self,
        account: &AccountSid,
        filter: &Filter,
        page: PageRequest,
        admit: impl FnOnce(&Account) -> Result<(), Unauthenticated> + Send,
    ) -> Result<Result<Page<OutgoingCallerId>, Unauthenticated>, StoreError> {
        let list =
            self.read(|it| Box::pin(caller_ids::list(it.client, &self.key, account, filter, page)));
        Ok(caller_ids::admitted(list.await?, admit))
    }

    async fn rename(
        &self,
        account: &AccountSid,
        sid: &CallerIdSid,
        name: Option<FriendlyName>,
        now: Moment,
    ) -> Result<Option<OutgoingCallerId>, StoreError> {
        self.change(|it| Box::pin(caller_ids::rename(it.client, account, sid, name.clone(), now)))
            .await
    }

    async fn remove(&self, account: &AccountSid, sid: &CallerIdSid) -> Result<bool, StoreError> {
        self.change(|it| Box::pin(caller_ids::remove(it.client, account, sid))).await
    }

    async fn add_call(
        &self,
        call: Call,
        limits: &Limits,
    ) -> Result<Result<Admitted, Ineligible>, StoreError> {
        let add = async |alone| {
            self.change(|it| {
                Box::pin(calls::add(it.client, &self.key, call.clone(), limits, alone))
            })
            .await
        };
        let added = match add(false).await? {
            Some(added) => added,
            None => add(true).await?.ok_or_else(|| failed(PostgresError::TooLate))?,
        };
        counted::added(&added);
        Ok(added)
    }

    async fn call(&self, sid: &CallSid) -> Result<Option<Call>, StoreError> {
        self.read(|it| Box::pin(calls::find(it.client, &self.key, sid))).await
    }

    async fn calls(&self, account: &AccountSid, which: Newest) -> Result<Vec<Call>, StoreError> {
        self.read(|it| Box::pin(calls::of_account(it.client, &self.key, account, which))).await
    }

    async fn save(&self, steps: Vec<Transition>) -> Result<Vec<bool>, StoreError> {
        if steps.is_empty() {
            return Ok(Vec::new());
        }
        let saved = self.change(|it| Box::pin(calls::save(it.client, &self.key, &steps))).await?;
        let ends = steps.iter().map(counted::outcome).collect::<Vec<_>>();
        counted::saved(&ends, &saved);
        Ok(saved)
    }

    async fn due(
        &self,
        accounts: &Accounts,
        now: Moment,
        limit: usize,
    ) -> Result<Vec<Call>, StoreError> {
        self.read(|it| Box::pin(calls::due(it.client, &self.key, accounts, now, limit))).await
    }

    async fn wake_at(&self, accounts: &Accounts) -> Result<Option<Moment>, StoreError> {
        self.read(|it| Box::pin(calls::wake_at(it.client, accounts))).await
    }

    async fn callbacks(
        &self,
        account: &AccountSid,
        which: Newest,
    ) -> Result<Vec<Callback>, StoreError> {
        self.read(|it| Box::pin(callbacks::of_account(it.client, &self.key, account, which))).await
    }

    async fn due_callbacks(
        &self,
        accounts: &Accounts,
        now: Moment,
        slots: &CallbackSlots,
    ) -> Result<Vec<Callback>, StoreError> {
        self.read(|it| Box::pin(callbacks::due(it.client, &self.key, accounts, now, slots))).await
    }

    async fn callbacks_wake_at(&self, accounts: &Accounts) -> Result<Option<Moment>, StoreError> {
        self.read(|it| Box::pin(callbacks::wake_at(it.client, accounts))).await
    }

    async fn save_callback(&self, callback: Callback) -> Result<bool, StoreError> {
        let save = self.change(|it| Box::pin(callbacks::save(it.client, &self.key, &callback)));
        let saved = save.await?;
        counted::attempted(counted::attempt(&callback), saved);
        Ok(saved)
    }

    async fn add_sandbox(&self, account: Account) -> Result<bool, StoreError> {
        self.add_any_account(&account, true).await
    }

    async fn remove_account(&self, account: &AccountSid) -> Result<bool, StoreError> {
        self.change(|it| Box::pin(contents::remove(it.client, account))).await
    }

    async fn add_caller_ids(
        &self,
        account: &AccountSid,
        caller_ids: Vec<OutgoingCallerId>,
    ) -> Result<(), StoreError> {
        self.change(|it| Box::pin(caller_ids::import(it.client, account, &caller_ids))).await
    }

    async fn contents(&self, account: &AccountSid) -> Result<AccountContents, StoreError> {
        self.snapshot(|it| Box::pin(contents::find(it.client, &self.key, account))).await
    }

    async fn replace_contents(
        &self,
        account: &AccountSid,
        contents: AccountContents,
    ) -> Result<(), StoreError> {
        self.change(|it| Box::pin(contents::replace(it.client, &self.key, account, &contents)))
            .await
    }

    async fn events_after(
        &self,
        account: &AccountSid,
        id: u64,
        limit: usize,
    ) -> Result<Events, StoreError> {
        self.read(|it| Box::pin(events::after(it.client, account, id, limit))).await
    }

    async fn opt_out(&self, number: &PhoneNumber, now: Moment) -> Result<bool, StoreError> {
        self.change(|it| Box::pin(line::opt_out(it.client, number, now))).await
    }

    async fn remove_opt_out(&self, number: &PhoneNumber) -> Result<bool, StoreError> {
        self.change(|it| Box::pin(line::remove_opt_out(it.client, number))).await
    }

    async fn opt_outs(&self) -> Result<Vec<OptOut>, StoreError> {
        self.read(|it| Box::pin(line::opt_outs(it.client))).await
    }

    async fn is_opted_out(&self, number: &PhoneNumber) -> Result<bool, StoreError> {
        self.read(|it| Box::pin(line::is_opted_out(it.client, number))).await
    }

    async fn stop_line(&self, now: Moment) -> Result<bool, StoreError> {
        self.change(|it| Box::pin(line::stop(it.client, now))).await
    }

    async fn start_line(&self) -> Result<bool, StoreError> {
        self.change(|it| Box::pin(line::start(it.client))).await
    }

    async fn line_stopped_at(&self) -> Result<Option<Moment>, StoreError> {
        self.read(|it| Box::pin(line::stopped_at(it.client))).await
    }
}

impl SessionStore for PostgresStore {
    async fn begin_session(
        &self,
        credentials: &Credentials,
        session: &AuthToken,
        most: u32,
        now: Moment,
    ) -> Result<bool, StoreError> {
        let begin = self.change(|it| {
            Box::pin(sessions::begin(it.client, &self.key, credentials, session, most, now))
        });
        begin.await
    }

    async fn session_account(
        &self,
        credentials: &Credentials,
        now: Moment,
    ) -> Result<Option<Account>, StoreError> {
        self.read(|it| Box::pin(sessions::account(it.client, &self.key, credentials, now))).await
    }
}

fn failed(error: PostgresError) -> StoreError {
    METRICS.store_failures.inc();
    error.into()
}

/// The parameters of the condition `(account.sid = ANY(…)) = …`, which selects accounts.
fn selected(accounts: &Accounts) -> (Vec<&str>, bool) {
    match accounts {
        Accounts::Only(account) => (vec![account.as_str()], true),
        Accounts::Except(others) => (others.iter().map(AccountSid::as_str).collect(), false),
    }
}

/// The moment that a statement selects for these accounts, if any.
async fn earliest(
    client: &ClientWrapper,
    select: &str,
    accounts: &Accounts,
) -> Result<Option<Moment>, PostgresError> {
    let select = client.prepare_cached(select).await?;
    let (sids, is_among) = selected(accounts);
    let row = client.query_opt(&select, &[&sids, &is_among]).await?;
    row.map(|row| Ok(Moment::from_unix_millis(row.try_get(0)?))).transpose()
}

fn moment(row: &Row, column: &str) -> Result<Moment, PostgresError> {
    Ok(Moment::from_unix_millis(row.try_get(column)?))
}

/// Parses a text column.
fn parsed<T, E: fmt::Display>(
    row: &Row,
    column: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, PostgresError> {
    parse(row.try_get(column)?)
        .map_err(|error| PostgresError::Unreadable(format!("the column {column}: {error}")))
}
