//! `callerid normalize`.

use std::io::{self, ErrorKind};
use std::process::ExitCode;

use clap::Args;

use super::CommandError;
use crate::normalize::{Style, normalize};

/// Reads standard input to its end; there is no size limit.
#[derive(Debug, Args)]
#[command(after_help = "\
Every line that comes in is a number in any readable format; the line that goes out is its ten digits, or
\"error: \" and what is wrong with it. An extension is an error, but with --json, which splits it off:

  {\"input\":…,\"phone_number\":\"4158675309\",\"extension\":\"123\"}
  {\"input\":…,\"error\":{\"reason\":\"too-short\",\"message\":…,\"at\":7}}

The exit status is 1 if any line is no number.")]
pub(super) struct Arguments {
    /// Write one JSON object per line, with the input and the extension if present
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: Arguments) -> Result<ExitCode, CommandError> {
    let style = if arguments.json { Style::Json } else { Style::Plain };
    match normalize(&mut io::stdin().lock(), &mut io::stdout().lock(), style) {
        Ok(count) if count.failed == 0 => Ok(ExitCode::SUCCESS),
        Ok(_) => Ok(ExitCode::FAILURE),
        // The reader has closed the pipe, as `head` does.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ExitCode::FAILURE),
        Err(error) => Err(format!("cannot go on: {error}").into()),
    }
}
