//! The guard in front of the token check: it tells clients when they must wait.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use callerid_core::Credentials;

use crate::client::{self, network};
use crate::exchange::{credentials, too_many};
use crate::host::Host;
use crate::sessions::SessionStore;

/// Checks a request's token only if neither its address nor its account must wait, and counts wrong
/// tokens.
pub(crate) async fn guard<S: SessionStore>(
    State(host): State<Arc<Host<S>>>,
    request: Request,
    next: Next,
) -> Response {
    let credentials =
        credentials(request.headers()).filter(|_| request.method() != Method::OPTIONS);
    let Some(credentials) = credentials else {
        return next.run(request).await;
    };
    let peer = client::peer(request.extensions());
    let address = network(host.proxies.client(peer, request.headers()));
    let failures = &host.token_failures;
    if let Some(wait) = failures.wait(&credentials.sid, address, Instant::now()) {
        let detail = "too many wrong tokens in a row for this account or from this address";
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        return too_many(request.uri().path(), "TooManyWrongTokens", detail, seconds);
    }
    let response = next.run(request).await;
    if response.status() == StatusCode::UNAUTHORIZED {
        failures.failed(&credentials.sid, address, Instant::now());
    } else if failures.has_failed(address) && is_right(&host, &credentials).await {
        failures.succeeded(&credentials.sid, address);
    }
    response
}

async fn is_right<S: SessionStore>(host: &Host<S>, credentials: &Credentials) -> bool {
    let store = host.service.store();
    let account = store.account(&credentials.sid).await;
    matches!(account, Ok(Some(account)) if account.authenticate(credentials).is_ok())
        || matches!(store.session_account(credentials, host.clock.now()).await, Ok(Some(_)))
}
