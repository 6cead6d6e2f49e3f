//! The check before the check of a token: whoever has to wait is told so.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use callerid_core::{Credentials, ErrorCode, RestException};
use callerid_service::error_response;

use crate::client;
use crate::exchange::{random_bytes, text, to_http};
use crate::host::Host;
use crate::sessions::SessionStore;
use crate::token_failures::network;

/// Looks at a request's token only if neither its address nor its account has to wait, and counts the wrong ones.
pub(crate) async fn guard<S: SessionStore>(
    State(host): State<Arc<Host<S>>>,
    request: Request,
    next: Next,
) -> Response {
    let authorization = text(request.headers(), AUTHORIZATION);
    let credentials = authorization.as_deref().and_then(Credentials::from_authorization);
    let Some(credentials) = credentials.filter(|_| request.method() != Method::OPTIONS) else {
        return next.run(request).await;
    };
    let peer = client::peer(request.extensions());
    let address = network(host.proxies.client(peer, request.headers()));
    let failures = &host.token_failures;
    if let Some(wait) = failures.wait(&credentials.sid, address, Instant::now()) {
        return too_many(request.uri().path(), wait);
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

fn too_many(path: &str, wait: Duration) -> Response {
    let exception = RestException::because(
        ErrorCode::TooManyRequests,
        "too many wrong tokens in a row for this account or from this address",
    );
    let mut response = error_response(path, &exception, random_bytes().request_sid());
    let seconds = wait.as_millis().div_ceil(1_000);
    response.headers.push(("retry-after", seconds.to_string().into()));
    to_http(response)
}
