//! `callerid number`: restrictions on numbers, across all accounts.

use std::process::ExitCode;

use callerid_core::PhoneNumber;
use clap::{Args, Subcommand};

use super::limits::WrongCodes;
use super::{CommandError, DataDirectory, block_on, say};
use crate::clock::Clock;
use crate::store::SqliteStore;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    data: DataDirectory,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List numbers with consecutive wrong codes: how many, and the seconds until the next call is
    /// allowed
    List(WrongCodes),
    /// Reset a number's wrong codes and calls, so that it can be called again
    Clear {
        /// The number, in any common format
        #[arg(value_parser = PhoneNumber::parse)]
        number: PhoneNumber,
    },
}

pub(super) fn run(arguments: Arguments) -> Result<ExitCode, CommandError> {
    let Arguments { command, data } = arguments;
    let store = data.open_existing()?;
    block_on(carry_out(command, &store))
}

async fn carry_out(command: Command, store: &SqliteStore) -> Result<ExitCode, CommandError> {
    match command {
        Command::List(limit) => {
            let now = Clock::system().now();
            for (number, usage) in store.failed_numbers().await? {
                let wait =
                    usage.entries_wait(limit.max_wrong_codes_per_number, now).unwrap_or_default();
                say(format_args!("{number}\t{}\t{wait}\n", usage.failed_entries));
            }
        }
        Command::Clear { number } => {
            let before = store.clear_number(&number).await?;
            let (entries, rings) = (before.failed_entries, before.rings);
            let number = number.national();
            say(format_args!("Cleared {number}: {entries} wrong codes, {rings} calls\n"));
        }
    }
    Ok(ExitCode::SUCCESS)
}
