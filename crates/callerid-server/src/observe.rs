//! Logs every request and records its metrics.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;

use crate::client;
use crate::exchange::credentials;
use crate::host::Host;
use crate::metrics::{Answered, METRICS};

/// Processes a request, logs it and records its metrics.
pub(crate) async fn observe<S: Send + Sync + 'static>(
    State(host): State<Arc<Host<S>>>,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let (surface, method) = (surface(request.uri().path()), known_method(request.method()));
    let response = logged(&host, request, next, started).await;
    let status = response.status().as_u16();
    METRICS.answered(&Answered { surface, method, status }, started.elapsed());
    response
}

/// The group of endpoints that a path belongs to.
fn surface(path: &str) -> &'static str {
    match path.split('/').nth(1) {
        Some("2008-08-01") => "2008-08-01",
        Some("2010-04-01") => "2010-04-01",
        Some("_callerid") => "control",
        _ => "page",
    }
}

fn known_method(method: &Method) -> &'static str {
    const KNOWN: [&str; 6] = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

async fn logged<S>(host: &Host<S>, request: Request, next: Next, started: Instant) -> Response {
    if !tracing::enabled!(tracing::Level::DEBUG) {
        return next.run(request).await;
    }
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let client = host.proxies.client(client::peer(request.extensions()), request.headers());
    let account = credentials(request.headers()).map(|credentials| credentials.sid);
    let response = next.run(request).await;
    let request_sid = response.headers().get("twilio-request-id");
    // Log no query, no body, and of the credentials only the account's Sid.
    tracing::debug!(
        %method,
        path,
        status = response.status().as_u16(),
        micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        account = account.as_ref().map_or("-", |sid| sid.as_str()),
        %client,
        request_sid = request_sid.and_then(|sid| sid.to_str().ok()).unwrap_or("-"),
        "request"
    );
    response
}
