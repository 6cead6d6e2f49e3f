//! `callerid backup` and `callerid check`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{CommandError, Data, say};
use crate::store::{backup, check_backup, check_directory};

#[derive(Debug, Args)]
#[command(after_help = "\
The file is a database like the one in the data directory, as it was at one moment: to restore it, stop the server
and put it in that one's place. It holds tokens sealed, and not the key: keep that as well, and elsewhere.")]
pub(super) struct Arguments {
    /// The file to write
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    data: Data,
}

pub(super) fn run(arguments: Arguments) -> Result<ExitCode, CommandError> {
    let Arguments { file, overwrite, data } = arguments;
    data.only_directory("PostgreSQL's pg_dump copies a database")?;
    backup(&data.path, &file, overwrite)?;
    say(format_args!("Wrote {}\n", file.display()));
    Ok(ExitCode::SUCCESS)
}

#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    /// A backup to check instead of the data directory
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    data: Data,
}

/// Prints the problems, if any. The exit status is 1 if there are any.
pub(super) fn check(arguments: CheckArguments) -> Result<ExitCode, CommandError> {
    if arguments.file.is_none() {
        arguments.data.only_directory("PostgreSQL's pg_amcheck checks a database")?;
    }
    let checked = match &arguments.file {
        Some(file) => check_backup(file)?,
        None => check_directory(&arguments.data.path, arguments.data.key()?)?,
    };
    for line in &checked.found {
        say(format_args!("{line}\n"));
    }
    let path = checked.path.display();
    if !checked.found.is_empty() {
        return Err(format!("{path}: {} found", checked.found.len()).into());
    }
    say(format_args!(
        "{path} is sound: accounts {}, caller IDs {}, calls {}, callbacks {}\n",
        checked.accounts, checked.caller_ids, checked.calls, checked.callbacks
    ));
    Ok(ExitCode::SUCCESS)
}
