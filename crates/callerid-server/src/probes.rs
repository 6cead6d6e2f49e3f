//! `GET /_callerid/live` and `/_callerid/ready`, for monitoring. They need no credentials, and
//! therefore give no details; those are in the log.
//!
//! `GET /_callerid/metrics` returns metrics to clients with the metrics token or, if none is
//! configured, to clients on this machine.
//!
//! The server is live if it responds. It is ready if it can make a change, which it tries, and if
//! calls are placed and ended on time, over a line that a trunk connects.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST};
use axum::http::uri::Authority;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Extension, Router};
use callerid_core::{AuthToken, RestException};
use callerid_service::{Store, error_response, json_response};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::client::{Client, X_FORWARDED_FOR};
use crate::exchange::{random_bytes, rejection, text, to_http};
use crate::host::Host;
use crate::metrics::{self, METRICS};

const LIVE_PATH: &str = "/_callerid/live";
pub(crate) const READY_PATH: &str = "/_callerid/ready";
const METRICS_PATH: &str = "/_callerid/metrics";

/// How long an answer is reused, so that frequent probes cause no additional writes.
const KEPT: Duration = Duration::from_secs(1);
/// The time limit for a change.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) fn routes<S: Store + 'static>(host: Arc<Host<S>>) -> Router {
    let probes = Arc::new(Probes { host, last: Mutex::default() });
    Router::new()
        .route(LIVE_PATH, get(live))
        .route(READY_PATH, get(ready::<S>))
        .route(METRICS_PATH, get(metrics::<S>))
        .with_state(probes)
}

/// Whether that is the path of a probe.
pub(crate) fn is_probe(path: &str) -> bool {
    [LIVE_PATH, READY_PATH].contains(&path)
}

/// Whether requests for that path carry no account's credentials.
pub(crate) fn has_no_account(path: &str) -> bool {
    is_probe(path) || path == METRICS_PATH
}

struct Probes<S> {
    host: Arc<Host<S>>,
    /// The last result, and when it was determined.
    last: Mutex<Option<(Instant, Readiness)>>,
}

type Readiness = Result<(), &'static str>;

async fn live() -> Response {
    respond(LIVE_PATH, Ok(()))
}

async fn ready<S: Store + 'static>(State(probes): State<Arc<Probes<S>>>) -> Response {
    respond(READY_PATH, probes.readiness().await)
}

async fn metrics<S: Store + 'static>(
    State(probes): State<Arc<Probes<S>>>,
    Extension(client): Extension<Client>,
    request: Request,
) -> Response {
    if let Err(exception) = check_scraper(&probes.host, &client, request.headers()) {
        return rejection(METRICS_PATH, &exception);
    }
    // Without CORS headers: pages of other origins must not read this.
    let headers = [(CONTENT_TYPE, metrics::CONTENT_TYPE), (CACHE_CONTROL, "no-store")];
    METRICS.line(&probes.host.line.health());
    (headers, METRICS.text()).into_response()
}

/// Checks whether the client may read the metrics.
fn check_scraper<S>(
    host: &Host<S>,
    client: &Client,
    headers: &HeaderMap,
) -> Result<(), RestException> {
    let Some(expected) = &host.metrics_token else { return check_loopback(host, client, headers) };
    let given = text(headers, AUTHORIZATION);
    let given = given.as_deref().and_then(|value| value.strip_prefix("Bearer "));
    match given.and_then(|token| AuthToken::new(token).ok()) {
        Some(given) if given == *expected => Ok(()),
        _ => Err(RestException::http(401, "Unauthorized: metrics are read with their own token")),
    }
}

/// A request from loopback is not enough. Through a local proxy that is not configured as trusted,
/// every client would seem local. With a host name that resolves to this machine, any web page
/// could send requests through a local browser.
fn check_loopback<S>(
    host: &Host<S>,
    client: &Client,
    headers: &HeaderMap,
) -> Result<(), RestException> {
    let is_direct = host.proxies.contains(client.peer) || !headers.contains_key(X_FORWARDED_FOR);
    let is_loopback = client.address.is_loopback();
    let is_named = headers.get(HOST).is_none_or(|host| {
        let host = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
        host.is_some_and(|it| {
            let name = it.host().trim_matches(['[', ']']);
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|it| it.is_loopback())
        })
    });
    match is_direct && is_loopback && is_named {
        true => Ok(()),
        false => {
            let message =
                "Forbidden: without CALLERID_METRICS_TOKEN metrics are read on this machine";
            Err(RestException::http(403, message))
        }
    }
}

fn respond(path: &str, outcome: Readiness) -> Response {
    let request_sid = random_bytes().request_sid();
    let response = match outcome {
        Ok(()) => json_response(r#"{"status":"ok"}"#, request_sid),
        Err(why) => error_response(path, &RestException::http(503, why), request_sid),
    };
    to_http(response)
}

impl<S: Store> Probes<S> {
    async fn readiness(&self) -> Readiness {
        if self.host.stop.is_cancelled() {
            return Err("Service unavailable: it is being stopped");
        }
        let mut last = self.last.lock().await;
        if let Some((_, known)) = last.filter(|(then, _)| then.elapsed() < KEPT) {
            return known;
        }
        let found = self.check().await;
        *last = Some((Instant::now(), found));
        found
    }

    async fn check(&self) -> Readiness {
        if self.host.switchboard.is_closed() {
            return Err("Service unavailable: no calls are placed");
        }
        if !self.host.line.health().is_reachable() {
            return Err("Service unavailable: no trunk of the phone line answers");
        }
        if !self.host.can_record() {
            return Err("Service unavailable: the audit log cannot be written");
        }
        match timeout(PATIENCE, self.host.service.store().health()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                tracing::error!(%error, "not ready");
                Err("Service unavailable: nothing can be stored")
            }
            Err(_) => Err("Service unavailable: changes take too long"),
        }
    }
}
