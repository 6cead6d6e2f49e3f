//! `callerid import`: copies a data directory to a database.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::database::Database;
use super::key::KeyOptions;
use super::{CommandError, block_on, say};
use crate::store::Export;

#[derive(Debug, Args)]
#[command(after_help = "\
Neither the directory nor the database may have a server that runs, and the database must be empty: a new one, or
one with empty tables. Everything is copied in one transaction, or nothing. The directory stays as it is.

Its tokens are unsealed with the key in it or, if it has none, with the given one, which seals them in the database.")]
pub(super) struct Arguments {
    /// The data directory
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    key: KeyOptions,
}

pub(super) fn run(arguments: Arguments) -> Result<ExitCode, CommandError> {
    let Arguments { directory, database, key } = arguments;
    let (location, imported) = block_on(async {
        let key = key.read()?;
        let export = Export::open(&directory, key.clone())?;
        let store = database.open(key).await?;
        let imported = store.import(&export).await?;
        Ok((store.location(), imported))
    })?;
    say(format_args!(
        "{location} now has what is in {}: accounts {}, caller IDs {}, calls {}, callbacks {}, events {}\n",
        directory.display(),
        imported.accounts,
        imported.caller_ids,
        imported.calls,
        imported.callbacks,
        imported.events
    ));
    Ok(ExitCode::SUCCESS)
}
