//! `callerid optout`: numbers whose owners want no calls.

use std::process::ExitCode;

use callerid_core::PhoneNumber;
use clap::{Args, Subcommand};

use super::{CommandError, Data, StoreCommand, say};
use crate::clock::Clock;
use crate::store::DurableStore;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    data: Data,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Call a number no more
    Add {
        /// The number, in any common format
        #[arg(value_parser = PhoneNumber::parse)]
        number: PhoneNumber,
    },
    /// List the numbers that are not called, and since when
    List,
    /// Call a number again, if its owner asks for it
    Remove {
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
            Command::Add { number } => {
                let is_new = store.opt_out(&number, Clock::system().now()).await?;
                let said = if is_new { "Added" } else { "Was on the list already:" };
                say(format_args!("{said} {}\n", number.national()));
            }
            Command::List => {
                for opt_out in store.opt_outs().await? {
                    say(format_args!("{}\t{}\n", opt_out.number, opt_out.since.to_rfc3339()));
                }
            }
            Command::Remove { number } => {
                let was_listed = store.remove_opt_out(&number).await?;
                let said = if was_listed { "Removed" } else { "Was not on the list:" };
                say(format_args!("{said} {}\n", number.national()));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
