//! The durable store in PostgreSQL.
//!
//! # Transactions
//!
//! A change is one transaction, at READ COMMITTED. It locks first the numbers and accounts that it will
//! change (`locks.rs`). What it reads in a later statement is as of then, and the domain's functions
//! decide on it. A unique index of live calls and the calls' revisions keep every change right even
//! without the locks.
//!
//! If a connection is lost, the transaction is made again on another one, unless the database has the
//! stamp that says that it was committed. After five seconds, the operation fails with an error that can be retried.
//!
//! # Several servers
//!
//! Each start of a server is a node. A call belongs to the node that added it, or later to the one that
//! placed it, and a callback to the one that saved it; others adopt what belongs to a node that is gone.
//! Nodes notify one another of the accounts that they changed.
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
mod creates;
mod database;
mod database_error;
mod document;
mod error;
mod events;
mod import;
mod ledger;
mod line;
mod locks;
mod node;
mod numbers;
mod open;
mod sessions;
mod transaction;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use callerid_core::{
    AccountSid, AuthToken, CallSid, CallerIdSid, Credentials, Filter, FriendlyName, Moment,
    OutgoingCallerId, Page, PageRequest, PhoneNumber,
};
use callerid_service::{
    Account, AccountContents, Accounts, Admitted, Call, Callback, CallbackSlots, Events,
    Ineligible, Limits, Newest, OptOut, Store, StoreError, Transition, Unauthenticated,
};
use deadpool_postgres::ClientWrapper;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use tokio_postgres::Row;

pub use database::DatabaseOptions;
pub use database_error::DatabaseError;
pub use open::Migrated;

use crate::clock::Clock;
use crate::counted;
use crate::durable_store::{DurableStore, FailedNumber};
use crate::metrics::METRICS;
use crate::seal::SealingKey;
use crate::server_store::{News, ServerStore};
use crate::store::{Export, Totals};
use creates::Creates;
use database::Database;
use error::PostgresError;
use import::ImportError;
use node::Node;
use transaction::{Isolation, Statements, Work};

/// Stores everything in a PostgreSQL database, which any number of servers share.
///
/// If a future is dropped before it completes, its change may or may not have been made, but never
/// partially.
pub struct PostgresStore {
    database: Database,
    key: SealingKey,
    node: Arc<Node>,
    creates: Creates,
    migrated: Migrated,
}

impl PostgresStore {
    /// Opens the store in the database at this address, in a Tokio runtime. Creates the tables if there
    /// are none, and upgrades older ones.
    ///
    /// # Errors
    /// [`DatabaseError`], which says what the problem is.
    pub async fn open(
        address: &str,
        options: DatabaseOptions<'_>,
        key: SealingKey,
    ) -> Result<Self, DatabaseError> {
        let database = Database::new(address, options)?;
        let migrated = open::prepare(&database, &key).await?;
        let node = Arc::new(Node::nobody());
        let creates = Creates::start(&database, &key, &node);
        Ok(Self { database, key, node, creates, migrated })
    }

    /// Becomes one of the database's servers. The future that is returned must be polled as long as it
    /// serves. It reconnects by itself, and never completes.
    ///
    /// # Errors
    /// Why the database cannot be used.
    pub async fn serve(
        &self,
    ) -> Result<impl Future<Output = StoreError> + Send + use<>, DatabaseError> {
        let (client, connection) = self.database.connect().await?;
        // It ends with its client.
        tokio::spawn(connection);
        let join = self.node.join(&client).await;
        join.map_err(|error| DatabaseError::Joining(error.to_string()))?;
        let (node, database, key) =
            (Arc::clone(&self.node), self.database.clone(), self.key.clone());
        Ok(async move { node.serve(&database, &key).await })
    }

    /// What opening the database did to its tables.
    pub fn migrated(&self) -> Migrated {
        self.migrated
    }

    /// Copies everything in a directory to the database, which must be empty. Returns how many rows
    /// there are now.
    ///
    /// # Errors
    /// [`ImportError`], which says why nothing was copied.
    pub(crate) async fn import(&self, directory: &Export) -> Result<Totals, ImportError> {
        let (client, connection) = self.database.connect().await?;
        // It ends with its client.
        let connection = tokio::spawn(async { connection.await.unwrap_or_default() });
        import::import(&ClientWrapper::new(client, connection), &self.key, directory).await
    }

    /// Where the database is, without secrets: `callerid on db.example.com`.
    pub fn location(&self) -> String {
        self.database.location()
    }

    async fn change<'env, T: Send>(
        &self,
        work: impl for<'c> Fn(Statements<'c, 'env>) -> Work<'c, T> + Send + Sync,
    ) -> Result<T, StoreError> {
        let started = Instant::now();
        let changed = transaction::perform(&self.database, Isolation::Change, work).await;
        METRICS.written(started.elapsed());
        changed.map_err(failed)
    }

    async fn read<'env, T: Send>(
        &self,
        work: impl for<'c> Fn(Statements<'c, 'env>) -> Work<'c, T> + Send + Sync,
    ) -> Result<T, StoreError> {
        transaction::perform(&self.database, Isolation::Statement, work).await.map_err(failed)
    }

    async fn snapshot<'env, T: Send>(
        &self,
        work: impl for<'c> Fn(Statements<'c, 'env>) -> Work<'c, T> + Send + Sync,
    ) -> Result<T, StoreError> {
        transaction::perform(&self.database, Isolation::Snapshot, work).await.map_err(failed)
    }
}

impl DurableStore for PostgresStore {
    /// The database's clock, so that all servers have the same.
    fn clock(&self) -> Clock {
        self.node.clock()
    }

    async fn add_account(&self, account: Account) -> Result<bool, StoreError> {
        self.add_any_account(&account, None).await
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
        sandbox_of: Option<i64>,
    ) -> Result<bool, StoreError> {
        let sealed = accounts::seal(&self.key, account).map_err(failed)?;
        self.change(|it| Box::pin(accounts::add(it.client, &account.sid, &sealed, sandbox_of)))
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
        // Its stamp is a change.
        self.change(|_| Box::pin(async { Ok(()) })).await
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
        let renamed = self
            .change(|it| Box::pin(caller_ids::rename(it.client, account, sid, name.clone(), now)))
            .await?;
        self.node.changed([account]);
        Ok(renamed)
    }

    async fn remove(&self, account: &AccountSid, sid: &CallerIdSid) -> Result<bool, StoreError> {
        let removed =
            self.change(|it| Box::pin(caller_ids::remove(it.client, account, sid))).await?;
        self.node.changed([account]);
        Ok(removed)
    }

    async fn add_call(
        &self,
        call: Call,
        limits: &Limits,
    ) -> Result<Result<Admitted, Ineligible>, StoreError> {
        let added = self.creates.add(call, limits).await.map_err(failed)?;
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
        let node = self.node.id();
        let save = self.change(|it| Box::pin(calls::save(it.client, &self.key, node, &steps)));
        let saved = save.await?;
        self.node.changed(steps.iter().map(|step| &step.call.account_sid));
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
        self.read(|it| {
            Box::pin(calls::due(it.client, &self.key, self.node.id(), accounts, now, limit))
        })
        .await
    }

    async fn wake_at(&self, accounts: &Accounts) -> Result<Option<Moment>, StoreError> {
        self.read(|it| Box::pin(calls::wake_at(it.client, self.node.id(), accounts))).await
    }

    async fn adopt(&self) -> Result<Vec<Call>, StoreError> {
        self.node.adopt_all(&self.database, &self.key).await.map_err(failed)
    }

    async fn leave(&self) -> Result<(), StoreError> {
        self.change(|it| Box::pin(self.node.leave(it.client))).await
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
        self.read(|it| {
            Box::pin(callbacks::due(it.client, &self.key, self.node.id(), accounts, now, slots))
        })
        .await
    }

    async fn callbacks_wake_at(&self, accounts: &Accounts) -> Result<Option<Moment>, StoreError> {
        self.read(|it| Box::pin(callbacks::wake_at(it.client, self.node.id(), accounts))).await
    }

    async fn save_callback(&self, callback: Callback) -> Result<bool, StoreError> {
        let save = self.change(|it| Box::pin(callbacks::save(it.client, &self.key, &callback)));
        let saved = save.await?;
        counted::attempted(counted::attempt(&callback), saved);
        Ok(saved)
    }

    async fn add_sandbox(&self, account: Account) -> Result<bool, StoreError> {
        self.add_any_account(&account, Some(self.node.id())).await
    }

    async fn remove_account(&self, account: &AccountSid) -> Result<bool, StoreError> {
        let removed = self.change(|it| Box::pin(contents::remove(it.client, account))).await?;
        self.node.changed([account]);
        Ok(removed)
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
        let node = self.node.id();
        self.change(|it| {
            Box::pin(contents::replace(it.client, &self.key, node, account, &contents))
        })
        .await?;
        self.node.changed([account]);
        Ok(())
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

impl ServerStore for PostgresStore {
    fn news(&self) -> BoxStream<'static, News> {
        match self.node.take_news() {
            Some(mut news) => stream::poll_fn(move |context| news.poll_recv(context)).boxed(),
            None => stream::pending().boxed(),
        }
    }

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

/// The moment that a statement selects for these accounts and this node, if any.
async fn earliest(
    client: &ClientWrapper,
    select: &str,
    accounts: &Accounts,
    node: i64,
) -> Result<Option<Moment>, PostgresError> {
    let select = client.prepare_cached(select).await?;
    let (sids, is_among) = selected(accounts);
    let row = client.query_opt(&select, &[&sids, &is_among, &node]).await?;
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
