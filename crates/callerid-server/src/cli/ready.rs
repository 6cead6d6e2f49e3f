//! `callerid ready`: asks a running server whether it is ready.

use std::process::ExitCode;
use std::time::Duration;

use axum::http::Request;
use axum::http::header::HOST;
use clap::Args;
use http_body_util::Full;
use tokio::net::lookup_host;
use tokio::time::timeout;

use super::serve::reachable;
use super::{CommandError, block_on};
use crate::fetch::fetch;
use crate::probes::READY_PATH;

/// Longer than the server itself takes to find out.
const PATIENCE: Duration = Duration::from_secs(8);

#[derive(Debug, Args)]
#[command(after_help = "\
The exit status is 0 if the server is ready, and 1 if it is not or does not answer: for the health check of a
container, which has no other program to ask with. The server must speak HTTP, without TLS.")]
pub(super) struct Arguments {
    /// The address and port that the server listens on
    #[arg(long, value_name = "ADDRESS", env = "CALLERID_LISTEN", default_value = "127.0.0.1:8008")]
    listen: String,
}

pub(super) fn run(arguments: Arguments) -> Result<ExitCode, CommandError> {
    let listen = arguments.listen;
    block_on(async {
        match timeout(PATIENCE, ask(&listen)).await {
            Ok(answered) => answered.map_err(|CommandError(why)| format!("{listen}: {why}").into()),
            Err(_) => Err(format!("{listen}: no answer within {PATIENCE:?}").into()),
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn ask(listen: &str) -> Result<(), CommandError> {
    let address = lookup_host(listen).await?.next().map(reachable).ok_or("no such host")?;
    let request = Request::get(READY_PATH).header(HOST, address.to_string());
    match fetch(address, request.body(Full::default())?).await? {
        (status, _) if status.is_success() => Ok(()),
        (status, _) => Err(format!("not ready: {status}").into()),
    }
}
