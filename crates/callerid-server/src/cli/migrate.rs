//! `callerid migrate`: creates or upgrades the tables of a database.

use std::process::ExitCode;

use clap::Args;

use super::database::Database;
use super::key::KeyOptions;
use super::{CommandError, block_on, say};

#[derive(Debug, Args)]
#[command(after_help = "\
All of it is one transaction. Every program that opens the database does the same, so this is only needed where
that must happen before the first of them starts. Programs refuse tables that are newer than they know.")]
pub(super) struct Arguments {
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    key: KeyOptions,
}

pub(super) fn run(arguments: Arguments) -> Result<ExitCode, CommandError> {
    let Arguments { database, key } = arguments;
    let store = block_on(async { database.open(key.read()?).await })?;
    let (location, migrated) = (store.location(), store.migrated());
    match (migrated.from, migrated.to) {
        (None, to) => say(format_args!("{location}: created the tables, version {to}\n")),
        (Some(from), to) if from == to => {
            say(format_args!("{location}: the tables have version {to} already\n"));
        }
        (Some(from), to) => {
            say(format_args!("{location}: upgraded the tables from version {from} to {to}\n"));
        }
    }
    Ok(ExitCode::SUCCESS)
}
