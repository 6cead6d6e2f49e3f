//! The `callerid` program: its commands and error messages.

mod account;
mod backup;
mod data;
#[cfg(feature = "postgres")]
mod database;
#[cfg(feature = "postgres")]
mod import;
mod key;
mod limits;
mod line;
mod line_limits;
mod log;
#[cfg(feature = "postgres")]
mod migrate;
mod normalize;
mod number;
mod optout;
mod page;
mod ready;
mod serve;
#[cfg(feature = "sip")]
mod sip;
mod testing;

use std::fmt;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use callerid_core::{AccountSid, AuthToken};
use callerid_service::Account;
use clap::{Parser, Subcommand};

use data::{Data, StoreCommand};

/// The outgoing caller ID API of 2008-08-01 in one program.
#[derive(Debug, Parser)]
#[command(name = "callerid", version, arg_required_else_help = true, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API, with a virtual phone
    Serve(Box<serve::Arguments>),
    /// Add, list, rotate, remove and unlock accounts; also while a server runs
    Account(account::Arguments),
    /// Copy the database to a file; also while a server runs
    Backup(backup::Arguments),
    /// Check the database or a backup for errors; also while a server runs
    Check(backup::CheckArguments),
    /// Copy everything in a data directory to a PostgreSQL database
    #[cfg(feature = "postgres")]
    Import(import::Arguments),
    /// Create or upgrade the tables of a PostgreSQL database
    #[cfg(feature = "postgres")]
    Migrate(migrate::Arguments),
    /// Print an address that signs in to the page once, within ten minutes; requires a running
    /// server
    Page(page::Arguments),
    /// Ask a running server whether it is ready
    Ready(ready::Arguments),
    /// List numbers with wrong codes, and clear them; also while a server runs
    Number(number::Arguments),
    /// Stop a real phone line, and start it again; also while a server runs
    Line(line::Arguments),
    /// Add, list and remove numbers whose owners want no calls; also while a server runs
    Optout(optout::Arguments),
    /// Read phone numbers, one per line; write ten digits or an error
    Normalize(normalize::Arguments),
}

/// Runs the command that the process was started with.
///
/// The exit status is 0 on success, 1 if a command failed (with one line that says why), and 2 for
/// invalid arguments.
pub fn run() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Serve(arguments) => serve::run(*arguments),
        Command::Account(arguments) => account::run(arguments),
        Command::Backup(arguments) => backup::run(arguments),
        Command::Check(arguments) => backup::check(arguments),
        #[cfg(feature = "postgres")]
        Command::Import(arguments) => import::run(arguments),
        #[cfg(feature = "postgres")]
        Command::Migrate(arguments) => migrate::run(arguments),
        Command::Page(arguments) => page::run(arguments),
        Command::Ready(arguments) => ready::run(arguments),
        Command::Number(arguments) => number::run(arguments),
        Command::Line(arguments) => line::run(arguments),
        Command::Optout(arguments) => optout::run(arguments),
        Command::Normalize(arguments) => normalize::run(arguments),
    };
    outcome.unwrap_or_else(|CommandError(message)| {
        // The process must exit even if nobody reads standard error.
        log::within(Duration::from_secs(1), move || {
            writeln!(std::io::stderr(), "callerid: {message}").unwrap_or_default();
        });
        ExitCode::FAILURE
    })
}

/// Why a command failed, for the user.
#[derive(Debug)]
struct CommandError(String);

impl<E: fmt::Display> From<E> for CommandError {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Writes to standard output. It is not an error if nobody reads it.
fn say(text: fmt::Arguments<'_>) {
    let mut output = std::io::stdout().lock();
    output.write_fmt(text).and_then(|()| output.flush()).unwrap_or_default();
}

/// Runs a command to its end on this thread.
fn block_on<T>(command: impl Future<Output = Result<T, CommandError>>) -> Result<T, CommandError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(command)
}

/// A variable of the environment; `None` if it is empty.
fn variable(name: &str) -> Result<Option<String>, CommandError> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(CommandError(format!("{name} is no UTF-8"))),
    }
}

/// Creates an account with a new Sid and token.
fn new_account() -> Result<Account, CommandError> {
    Ok(Account { sid: AccountSid::from_random_bytes(&random()?), auth_token: new_token()? })
}

fn new_token() -> Result<AuthToken, CommandError> {
    Ok(AuthToken::from_random_bytes(&random()?))
}

fn random() -> Result<[u8; 16], CommandError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| format!("the system gives no random bytes: {error}"))?;
    Ok(bytes)
}

/// An account's Sid and token, which are shown only once.
fn shown_once(account: &Account) -> String {
    format!("  AccountSid  {}\n  AuthToken   {}\n", account.sid, account.auth_token.expose())
}
