//! The guard in front of the token check: it tells clients when they must wait.

use std::time::Instant;

use axum::http::StatusCode;
use axum::response::Response;
use callerid_core::Credentials;

use crate::client::{Client, network};
use crate::exchange::too_many;
use crate::host::Host;
use crate::server_store::ServerStore;

/// Rejects a request if its address or its account must wait before its token is checked.
pub(crate) fn reject<S>(host: &Host<S>, client: &Client, path: &str) -> Option<Response> {
    let credentials = client.credentials.as_ref()?;
    let address = network(client.address);
    let wait = host.token_failures.wait(&credentials.sid, address, Instant::now())?;
    let detail = "too many wrong tokens in a row for this account or from this address";
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Some(too_many(path, "TooManyWrongTokens", detail, seconds))
}

/// Counts a wrong token, which the status of the response shows, or forgets those that the client
/// sent before the right one.
pub(crate) async fn count<S: ServerStore>(host: &Host<S>, client: &Client, status: StatusCode) {
    let Some(credentials) = &client.credentials else { return };
    let (failures, address) = (&host.token_failures, network(client.address));
    if status == StatusCode::UNAUTHORIZED {
        failures.failed(&credentials.sid, address, Instant::now());
    } else if failures.has_failed(address) && is_right(host, credentials).await {
        failures.succeeded(&credentials.sid, address);
    }
}

async fn is_right<S: ServerStore>(host: &Host<S>, credentials: &Credentials) -> bool {
    let store = host.service.store();
    let account = store.account(&credentials.sid).await;
    matches!(account, Ok(Some(account)) if account.authenticate(credentials).is_ok())
        || matches!(store.session_account(credentials, host.clock.now()).await, Ok(Some(_)))
}
