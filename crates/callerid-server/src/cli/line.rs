//! `callerid line`: the switch that stops a real phone line.

use std::process::ExitCode;

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
    /// End all calls within a second, and place no more until `callerid line start`
    Stop,
    /// Place calls again
    Start,
    /// Tell whether the line is stopped, and since when
    Status,
}

pub(super) fn run(arguments: Arguments) -> Result<ExitCode, CommandError> {
    let Arguments { command, data } = arguments;
    data.run(command)
}

impl StoreCommand for Command {
    async fn run(self, store: &impl DurableStore) -> Result<ExitCode, CommandError> {
        match self {
            Command::Stop => match store.stop_line(Clock::system().now()).await? {
                true => {
                    say(format_args!("Stopped: no calls are placed until `callerid line start`\n"))
                }
                false => say(format_args!("Was stopped already\n")),
            },
            Command::Start => match store.start_line().await? {
                true => say(format_args!("Started\n")),
                false => say(format_args!("Was not stopped\n")),
            },
            Command::Status => match store.line_stopped_at().await? {
                Some(since) => say(format_args!("stopped since {}\n", since.to_rfc3339())),
                None => say(format_args!("not stopped\n")),
            },
        }
        Ok(ExitCode::SUCCESS)
    }
}
