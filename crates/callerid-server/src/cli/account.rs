//! `callerid account`: the accounts that may use the API.

use std::process::ExitCode;

use callerid_core::{AccountSid, PhoneNumber};
use callerid_service::Account;
use clap::{Args, Subcommand};

use super::{CommandError, Data, StoreCommand, new_account, new_token, say, shown_once};
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
    /// Add an account, and show its token once
    Add,
    /// List the Sids of the accounts in the order they were added
    List,
    /// Replace an account's token, and show the new one once; the old one becomes invalid
    Rotate {
        /// The account
        #[arg(value_parser = AccountSid::parse)]
        sid: AccountSid,
    },
    /// Remove an account with its caller IDs and calls
    Remove {
        /// The account
        #[arg(value_parser = AccountSid::parse)]
        sid: AccountSid,
    },
    /// Unlock a number after too many wrong codes, like `callerid number clear`
    Unlock {
        /// The account
        #[arg(value_parser = AccountSid::parse)]
        sid: AccountSid,
        /// The number, in any common format
        #[arg(value_parser = PhoneNumber::parse)]
        number: PhoneNumber,
    },
}

pub(super) fn run(arguments: Arguments) -> Result<ExitCode, CommandError> {
    let Arguments { command, data } = arguments;
    match command {
        Command::Add => data.run_or_create(command),
        _ => data.run(command),
    }
}

impl StoreCommand for Command {
    async fn run(self, store: &impl DurableStore) -> Result<ExitCode, CommandError> {
        let no_account = |sid| CommandError(format!("there is no account {sid}"));
        match self {
            Command::Add => {
                let account = new_account()?;
                let shown = shown_once(&account);
                store.add_account(account).await?;
                say(format_args!("Added; the token is shown this once:\n{shown}"));
            }
            Command::List => {
                for sid in store.accounts().await? {
                    say(format_args!("{sid}\n"));
                }
            }
            Command::Rotate { sid } => {
                let account = Account { sid, auth_token: new_token()? };
                let shown = shown_once(&account);
                if !store.rotate(account).await? {
                    return Err(no_account(sid));
                }
                say(format_args!("Another token, shown this once:\n{shown}"));
            }
            Command::Remove { sid } => {
                if !store.remove_account(&sid).await? {
                    return Err(no_account(sid));
                }
                say(format_args!("Removed {sid}\n"));
            }
            Command::Unlock { sid, number } => {
                if !store.accounts().await?.contains(&sid) {
                    return Err(no_account(sid));
                }
                let before = store.clear_number(&number).await?;
                let said =
                    if before.usage.failed_entries > 0 { "Unlocked" } else { "Was not locked:" };
                say(format_args!("{said} {}\n", number.national()));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
