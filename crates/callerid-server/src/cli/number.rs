//! `callerid number`: restrictions on numbers, across all accounts.

use std::process::ExitCode;

use callerid_core::PhoneNumber;
use clap::{Args, Subcommand};

use super::limits::WrongCodes;
use super::{CommandError, Data, StoreCommand, say};
use crate::clock::Clock;
use crate::store::{DurableStore, FailedNumber};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    data: Data,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List numbers with wrong codes: how many in a row, the seconds until the next call is allowed,
    /// and how many on a real line in all, if any
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
    data.run(command)
}

impl StoreCommand for Command {
    async fn run(self, store: &impl DurableStore) -> Result<ExitCode, CommandError> {
        match self {
            Command::List(limit) => {
                let now = Clock::system().now();
                for failed in store.failed_numbers().await? {
                    let FailedNumber { number, usage, wrong_codes_on_line, .. } = failed;
                    let wait = usage
                        .entries_wait(limit.max_wrong_codes_per_number, now)
                        .unwrap_or_default();
                    say(format_args!("{number}\t{}\t{wait}", usage.failed_entries));
                    match wrong_codes_on_line {
                        0 => say(format_args!("\n")),
                        in_all => say(format_args!("\t{in_all}\n")),
                    }
                }
            }
            Command::Clear { number } => {
                let before = store.clear_number(&number).await?;
                let (entries, rings) = (before.usage.failed_entries, before.usage.rings);
                let number = number.national();
                say(format_args!("Cleared {number}: {entries} wrong codes, {rings} calls\n"));
                let (wrong, calls) = (before.wrong_codes_on_line, before.calls_on_line);
                if wrong > 0 || calls > 0 {
                    say(format_args!(
                        "On a real line: {wrong} wrong codes, {calls} calls in a day\n"
                    ));
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
