//! Copies everything in a directory to a database.
//!
//! It is one transaction. Most rows are sent with COPY, each table in turn. The ids of accounts and events
//! stay what they were, so that streams of events can be resumed.

use std::fmt;
use std::pin::Pin;

use callerid_core::Moment;
use callerid_service::{Account, StoreError};
use deadpool_postgres::ClientWrapper;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};

use super::error::PostgresError;
use super::node::NOBODY;
use super::open::MIGRATION_LOCK;
use super::{accounts, callbacks, calls, numbers};
use crate::seal::SealingKey;
use crate::store::{Export, Totals};

/// The tables that no other one refers to an account with. Where they are empty, all are.
const ROOTS: [&str; 5] = ["account", "number", "line_call", "line_number", "opt_out"];

/// Why a directory was not imported. The database is as it was.
#[derive(Debug)]
pub(crate) enum ImportError {
    /// A server serves the database.
    Served,
    /// This table of the database has rows.
    NotEmpty(&'static str),
    /// Some rows of the directory cannot be read.
    Unreadable {
        /// All rows.
        found: Totals,
        /// Those that can be read.
        readable: Totals,
    },
    /// The directory cannot be read.
    Directory(StoreError),
    /// The database cannot be written.
    Database(StoreError),
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Served => f.write_str(
                "a server serves the database: stop it first, and wait ten seconds if it was killed",
            ),
            Self::NotEmpty(table) => write!(
                f,
                "the database is not empty, there are rows in its table {table}: expected a new one"
            ),
            Self::Unreadable { found, readable } => write!(
                f,
                "nothing was imported, because some rows cannot be read (`callerid check` names them): calls {} of {}, \
                 callbacks {} of {}, events {} of {}",
                found.calls - readable.calls,
                found.calls,
                found.callbacks - readable.callbacks,
                found.callbacks,
                found.events - readable.events,
                found.events
            ),
            Self::Directory(error) => write!(f, "the directory cannot be read: {error}"),
            Self::Database(error) => write!(f, "the database cannot be written: {error}"),
        }
    }
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        Self::Directory(error)
    }
}

impl From<PostgresError> for ImportError {
    fn from(error: PostgresError) -> Self {
        Self::Database(error.into())
    }
}

impl From<tokio_postgres::Error> for ImportError {
    fn from(error: tokio_postgres::Error) -> Self {
        PostgresError::from(error).into()
    }
}

/// Copies everything; returns how many rows there are now.
pub(super) async fn import(
    client: &ClientWrapper,
    key: &SealingKey,
    directory: &Export,
) -> Result<Totals, ImportError> {
    // If it is not committed, it ends with the client.
    client.batch_execute("BEGIN").await?;
    // Programs that start meanwhile wait for it.
    client.execute("SELECT pg_advisory_xact_lock($1)", &[&MIGRATION_LOCK]).await?;
    let is_served = "SELECT EXISTS (SELECT 1 FROM node WHERE lease_until > now())";
    if client.query_one(is_served, &[]).await?.try_get(0)? {
        return Err(ImportError::Served);
    }
    let lock = format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", ROOTS.join(", "));
    client.batch_execute(&lock).await?;
    for table in ROOTS {
        let find = format!("SELECT EXISTS (SELECT 1 FROM {table})");
        if client.query_one(&find, &[]).await?.try_get(0)? {
            return Err(ImportError::NotEmpty(table));
        }
    }
    let of = directory.accounts()?;
    let copied = Totals {
        accounts: copy_accounts(client, key, &of).await?,
        caller_ids: copy_caller_ids(client, directory, &of).await?,
        calls: insert_calls(client, key, directory, &of).await?,
        callbacks: insert_callbacks(client, key, directory, &of).await?,
        events: copy_events(client, directory, &of).await?,
    };
    numbers::put(client, &directory.numbers()?.into_iter().collect()).await?;
    copy_sign_ins(client, directory).await?;
    copy_line(client, directory).await?;
    fill_ledgers(client, directory.newest_event()?).await?;
    let found = directory.totals()?;
    if copied != found {
        return Err(ImportError::Unreadable { found, readable: copied });
    }
    client.batch_execute("COMMIT").await?;
    // Otherwise the first queries would be planned for empty tables, and lists read more than indexes.
    client.batch_execute("VACUUM (ANALYZE)").await.unwrap_or_else(|error| {
        tracing::warn!(%error, "VACUUM (ANALYZE) failed; PostgreSQL makes up for it later");
    });
    Ok(copied)
}

/// Rows on their way to a table.
struct Copy(Pin<Box<BinaryCopyInWriter>>);

impl Copy {
    async fn to(client: &ClientWrapper, table: &str, columns: &str) -> Result<Self, ImportError> {
        let columns_of_table = client.prepare(&format!("SELECT {columns} FROM {table}")).await?;
        let types: Vec<Type> =
            columns_of_table.columns().iter().map(|column| column.type_().clone()).collect();
        let copy = format!("COPY {table} ({columns}) FROM STDIN (FORMAT binary)");
        let sink = client.copy_in(&copy).await?;
        Ok(Self(Box::pin(BinaryCopyInWriter::new(sink, &types))))
    }

    async fn row(&mut self, values: &[&(dyn ToSql + Sync)]) -> Result<(), ImportError> {
        Ok(self.0.as_mut().write(values).await?)
    }

    /// The number of rows that the table has got.
    async fn finish(mut self) -> Result<u64, ImportError> {
        Ok(self.0.as_mut().finish().await?)
    }
}

async fn copy_accounts(
    client: &ClientWrapper,
    key: &SealingKey,
    of: &[(i64, Account)],
) -> Result<u64, ImportError> {
    let mut copy = Copy::to(client, "account", "id, sid, sealed_token").await?;
    for (id, account) in of {
        let sealed = accounts::seal(key, account)?;
        copy.row(&[id, &account.sid.as_str(), &sealed]).await?;
    }
    let rows = copy.finish().await?;
    let go_on = "SELECT setval(pg_get_serial_sequence('account', 'id'), max(id)) FROM account";
    client.query(go_on, &[]).await?;
    Ok(rows)
}

async fn copy_caller_ids(
    client: &ClientWrapper,
    directory: &Export,
    of: &[(i64, Account)],
) -> Result<u64, ImportError> {
    let columns = "account, rank, sid, number, name, created, created_offset, updated_offset";
    let mut copy = Copy::to(client, "caller_id", columns).await?;
    for (id, account) in of {
        for row in directory.caller_ids(&account.sid)? {
            copy.row(&[
                id,
                &row.date_updated.unix_seconds().saturating_neg(),
                &row.sid.as_str(),
                &row.phone_number.as_str(),
                &row.friendly_name.as_str(),
                &row.date_created.unix_seconds(),
                &row.date_created.offset_minutes(),
                &row.date_updated.offset_minutes(),
            ])
            .await?;
        }
    }
    copy.finish().await
}

async fn insert_calls(
    client: &ClientWrapper,
    key: &SealingKey,
    directory: &Export,
    of: &[(i64, Account)],
) -> Result<u64, ImportError> {
    let mut inserted = 0;
    for (id, account) in of {
        let found = directory.calls(&account.sid)?;
        let rows: Vec<_> = found.iter().map(|call| (*id, call)).collect();
        calls::insert(client, key, NOBODY, &rows).await?;
        inserted += rows.len() as u64;
    }
    Ok(inserted)
}

async fn insert_callbacks(
    client: &ClientWrapper,
    key: &SealingKey,
    directory: &Export,
    of: &[(i64, Account)],
) -> Result<u64, ImportError> {
    let mut inserted = 0;
    for (id, account) in of {
        let found = directory.callbacks(&account.sid)?;
        let rows: Vec<_> = found.iter().map(|callback| (*id, callback)).collect();
        callbacks::insert(client, key, NOBODY, &rows).await?;
        inserted += rows.len() as u64;
    }
    Ok(inserted)
}

async fn copy_events(
    client: &ClientWrapper,
    directory: &Export,
    of: &[(i64, Account)],
) -> Result<u64, ImportError> {
    let mut copy = Copy::to(client, "event", "account, id, name, data").await?;
    for (account, _) in of {
        for (id, name, data) in directory.events(*account)? {
            copy.row(&[account, &id, &name, &data]).await?;
        }
    }
    copy.finish().await
}

async fn copy_sign_ins(client: &ClientWrapper, directory: &Export) -> Result<(), ImportError> {
    let columns = "secret_hash, account, is_session, expires_at";
    let mut copy = Copy::to(client, "sign_in", columns).await?;
    for it in directory.sign_ins()? {
        copy.row(&[&it.secret_hash, &it.account, &it.is_session, &it.expires_at]).await?;
    }
    copy.finish().await.map(drop)
}

/// Copies what limits a real line.
async fn copy_line(client: &ClientWrapper, directory: &Export) -> Result<(), ImportError> {
    let mut copy = Copy::to(client, "line_call", "number, account_sid, at").await?;
    for call in directory.line_calls()? {
        copy.row(&[&call.number, &call.account_sid, &call.at]).await?;
    }
    copy.finish().await?;
    let mut copy = Copy::to(client, "line_number", "number, wrong_entries").await?;
    for (number, wrong_entries) in directory.line_numbers()? {
        copy.row(&[&number, &wrong_entries]).await?;
    }
    copy.finish().await?;
    let mut copy = Copy::to(client, "opt_out", "number, since").await?;
    for opt_out in directory.opt_outs()? {
        copy.row(&[&opt_out.number.as_str(), &opt_out.since.unix_millis()]).await?;
    }
    copy.finish().await?;
    // A line that was stopped in either place stays so.
    let stop = "UPDATE meta SET line_stopped_at = coalesce($1, line_stopped_at)";
    let stopped_at = directory.line_stopped_at()?.map(Moment::unix_millis);
    client.execute(stop, &[&stopped_at]).await?;
    Ok(())
}

/// Counts what was copied. All accounts' next events follow the newest one of all, because clients
/// may have seen that as the newest of theirs.
async fn fill_ledgers(client: &ClientWrapper, newest_event: i64) -> Result<(), ImportError> {
    let fill = "INSERT INTO ledger (account, caller_ids, live_calls, events)
         SELECT id, coalesce(caller_ids, 0), coalesce(live_calls, 0), $1 FROM account
         LEFT JOIN (SELECT account, count(*) AS caller_ids FROM caller_id GROUP BY account) AS rows
             ON rows.account = id
         LEFT JOIN (SELECT account, count(*) AS live_calls FROM call WHERE wake_at IS NOT NULL
             GROUP BY account) AS live ON live.account = id";
    client.execute(fill, &[&newest_event]).await?;
    let count = "UPDATE live_calls SET calls = (SELECT count(*) FROM call
             WHERE wake_at IS NOT NULL AND account % (SELECT count(*) FROM live_calls) = part)";
    client.execute(count, &[]).await?;
    Ok(())
}
