//! The database that the data are in.

use std::fs;
use std::path::PathBuf;

use clap::Args;

use super::CommandError;
use crate::postgres::{DatabaseOptions, PostgresStore};
use crate::seal::{KEY_VARIABLE, SealingKey};

/// The location of the database.
#[derive(Debug, Args)]
pub(super) struct Database {
    /// A PostgreSQL database instead of the directory, like postgres://user@host/database. It needs
    /// the key that seals tokens
    #[arg(
        long = "database",
        value_name = "ADDRESS",
        env = "CALLERID_DATABASE",
        hide_env_values = true,
        global = true
    )]
    address: Option<String>,
    /// A PEM file with the certificates that the database's is checked against, instead of those that
    /// browsers trust
    #[arg(long, value_name = "FILE", env = "CALLERID_DATABASE_CA", global = true)]
    database_ca: Option<PathBuf>,
    /// The address is that of pgbouncer, 1.21 or later, in transaction mode
    #[arg(long, env = "CALLERID_DATABASE_POOLED", global = true)]
    database_pooled: bool,
}

impl Database {
    /// Whether there is one.
    pub(super) fn is_given(&self) -> bool {
        self.address.is_some()
    }

    /// Opens the store in the database, which must be given.
    pub(super) async fn open(
        &self,
        key: Option<SealingKey>,
    ) -> Result<PostgresStore, CommandError> {
        let address = self.address.as_deref().ok_or(
            "--database is missing: it takes an address like postgres://user@host/database",
        )?;
        let key = key.ok_or_else(|| {
            format!(
                "there is no key: with --database, {KEY_VARIABLE} must be set to the same 64 hexadecimal \
                 digits on every machine, or --key-file to a file with them (openssl rand -hex 32 prints some)"
            )
        })?;
        let read = |path: &PathBuf| {
            fs::read(path).map_err(|error| CommandError(format!("{}: {error}", path.display())))
        };
        let authorities = self.database_ca.as_ref().map(read).transpose()?;
        let (authorities, is_pooled) = (authorities.as_deref(), self.database_pooled);
        Ok(PostgresStore::open(address, DatabaseOptions { authorities, is_pooled }, key).await?)
    }
}
