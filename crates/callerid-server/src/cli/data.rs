//! Where the data are: in a directory, or in a database.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

#[cfg(feature = "postgres")]
use super::database::Database;
use super::key::KeyOptions;
use super::{CommandError, block_on};
#[cfg(feature = "postgres")]
use crate::postgres::PostgresStore;
use crate::seal::SealingKey;
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
    #[cfg(feature = "postgres")]
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    key: KeyOptions,
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
            if self.is_database() {
                return command.run(&self.open_database().await?).await;
            }
            command.run(&self.open_directory(Options::default())?).await
        })
    }

    /// Refuses a command that is only for a directory; `instead` says what is for a database.
    pub(super) fn only_directory(&self, instead: &str) -> Result<(), CommandError> {
        match self.is_database() {
            true => Err(format!("this is for a data directory; {instead}").into()),
            false => Ok(()),
        }
    }

    /// Whether the data are in a database.
    pub(super) fn is_database(&self) -> bool {
        #[cfg(feature = "postgres")]
        return self.database.is_given();
        #[cfg(not(feature = "postgres"))]
        return false;
    }

    /// The given key, if any.
    pub(super) fn key(&self) -> Result<Option<SealingKey>, CommandError> {
        self.key.read()
    }

    /// Opens the store in the directory, with the given key, if any.
    pub(super) fn open_directory(&self, options: Options) -> Result<SqliteStore, CommandError> {
        Ok(SqliteStore::open(&self.path, Options { key: self.key()?, ..options })?)
    }

    /// Opens the store in the database.
    #[cfg(feature = "postgres")]
    pub(super) async fn open_database(&self) -> Result<PostgresStore, CommandError> {
        self.database.open(self.key()?).await
    }

    /// The directory's absolute path.
    pub(super) fn absolute(&self) -> PathBuf {
        std::path::absolute(&self.path).unwrap_or_else(|_| Path::new(&self.path).to_owned())
    }
}
