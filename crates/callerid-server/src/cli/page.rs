//! `callerid page`: prints an address that signs a browser in.

use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use callerid_core::AccountSid;
use clap::Args;

use super::{CommandError, Data, StoreCommand, new_token, say};
use crate::clock::Clock;
use crate::store::DurableStore;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The account to sign in to; required if there are several
    #[arg(value_parser = AccountSid::parse)]
    sid: Option<AccountSid>,
    #[command(flatten)]
    data: Data,
}

pub(super) fn run(arguments: Arguments) -> Result<ExitCode, CommandError> {
    let Arguments { sid, data } = arguments;
    data.run(PrintAddress { sid })
}

struct PrintAddress {
    sid: Option<AccountSid>,
}

impl StoreCommand for PrintAddress {
    async fn run(self, store: &impl DurableStore) -> Result<ExitCode, CommandError> {
        let url = store.page_url().await?.filter(|url| answers(url));
        let url = url.ok_or("no server runs on this data: start one with `callerid serve`")?;
        let account = match self.sid {
            Some(sid) => sid,
            None => only_account(store).await?.ok_or("there are several accounts: name one")?,
        };
        let address = sign_in_address(store, &url, &account).await?;
        say(format_args!("{address}\n"));
        Ok(ExitCode::SUCCESS)
    }
}

/// Whether a server listens at the URL's address.
fn answers(url: &str) -> bool {
    let address = url.split_once("://").and_then(|(_, address)| address.parse().ok());
    address.is_some_and(|address: SocketAddr| {
        TcpStream::connect_timeout(&address, Duration::from_secs(2)).is_ok()
    })
}

/// The account, if there is exactly one.
pub(super) async fn only_account(
    store: &impl DurableStore,
) -> Result<Option<AccountSid>, CommandError> {
    Ok(match store.accounts().await?[..] {
        [sid] => Some(sid),
        _ => None,
    })
}

/// The page's address with a new code, which signs in once. The part after `#` stays in the
/// browser: the browser sends it to no server, and the page removes it from its address.
pub(super) async fn sign_in_address(
    store: &impl DurableStore,
    url: &str,
    account: &AccountSid,
) -> Result<String, CommandError> {
    let code = new_token()?;
    let address = format!("{url}/#account={account}&code={}", code.expose());
    match store.add_code(account, code, Clock::system().now()).await? {
        true => Ok(address),
        false => Err(format!("there is no account {account}").into()),
    }
}
