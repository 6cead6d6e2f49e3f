//! Where the data are: in a directory, or in a database.

#[cfg(feature = "postgres")]
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::{CommandError, block_on, key};
#[cfg(feature = "postgres")]
use crate::postgres::{DatabaseOptions, PostgresStore};
#[cfg(feature = "postgres")]
use crate::seal::KEY_VARIABLE;
use crate::store::{DurableStore, Options, SqliteStore};

/// The location of the data.
#[derive(Debug, Args)]
pub(super) struct Data {
    /// The data directory; created if absent
    #[arg(
        long = "data",
        value_name = "DIR",
        env = "CALLERID_DATA",
        default_value = "callerid-data",
        global = true
    )]
    pub(super) path: PathBuf,
    /// A PostgreSQL database instead of the directory, like postgres://user@host/database. The key
    /// that seals tokens is in CALLERID_KEY
    #[cfg(feature = "postgres")]
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "CALLERID_DATABASE",
        hide_env_values = true,
        global = true
    )]
    database: Option<String>,
    /// A PEM file with the certificates that the database's is checked against, instead of those that
    /// browsers trust
    #[cfg(feature = "postgres")]
    #[arg(long, value_name = "FILE", env = "CALLERID_DATABASE_CA", global = true)]
    database_ca: Option<PathBuf>,
    /// The address is that of pgbouncer, 1.21 or later, in transaction mode
    #[cfg(feature = "postgres")]
    #[arg(long, env = "CALLERID_DATABASE_POOLED", global = true)]
    database_pooled: bool,
}

/// A command on the store, wherever that is.
pub(super) trait StoreCommand {
    /// Runs the command.
    async fn run(self, store: &impl DurableStore) -> Result<ExitCode, CommandError>;
}

impl Data {
    /// Runs a command on an existing store.
    pub(super) fn run(&self, command: impl StoreCommand) -> Result<ExitCode, CommandError> {
        if !self.is_database() && !self.path.is_dir() {
            let path = self.path.display();
            return Err(format!("there is no directory {path}; --data names the server's").into());
        }
        self.run_or_create(command)
    }

    /// Runs a command on the store, which is created if it does not exist.
    pub(super) fn run_or_create(
        &self,
        command: impl StoreCommand,
    ) -> Result<ExitCode, CommandError> {
        block_on(async {
            #[cfg(feature = "postgres")]
            if let Some(address) = &self.database {
                return command.run(&self.open_database(address).await?).await;
            }
            command.run(&self.open_directory(Options::default())?).await
        })
    }

    /// The address of the database, if there is one.
    #[cfg(feature = "postgres")]
    pub(super) fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// Refuses a command that is only for a directory; `instead` says what is for a database.
    pub(super) fn only_directory(&self, instead: &str) -> Result<(), CommandError> {
        match self.is_database() {
            true => Err(format!("this is for a data directory; {instead}").into()),
            false => Ok(()),
        }
    }

    fn is_database(&self) -> bool {
        #[cfg(feature = "postgres")]
        return self.database.is_some();
        #[cfg(not(feature = "postgres"))]
        return false;
    }

    /// Opens the store in the directory, with the key from the environment, if any.
    pub(super) fn open_directory(&self, options: Options) -> Result<SqliteStore, CommandError> {
        Ok(SqliteStore::open(&self.path, Options { key: key()?, ..options })?)
    }

    /// Opens the store in the database at this address.
    #[cfg(feature = "postgres")]
    pub(super) async fn open_database(&self, address: &str) -> Result<PostgresStore, CommandError> {
        let key = key()?.ok_or_else(|| {
            format!(
                "{KEY_VARIABLE} is not set: with --database it must be, to the same 64 hexadecimal digits \
                 on every machine (openssl rand -hex 32 prints some)"
            )
        })?;
        let read = |path: &PathBuf| {
            fs::read(path).map_err(|error| CommandError(format!("{}: {error}", path.display())))
        };
        let authorities = self.database_ca.as_ref().map(read).transpose()?;
        let (authorities, is_pooled) = (authorities.as_deref(), self.database_pooled);
        Ok(PostgresStore::open(address, DatabaseOptions { authorities, is_pooled }, key).await?)
    }

    /// The directory's absolute path.
    pub(super) fn absolute(&self) -> PathBuf {
        std::path::absolute(&self.path).unwrap_or_else(|_| Path::new(&self.path).to_owned())
    }
}
