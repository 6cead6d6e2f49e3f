//! `GET /_callerid/live` and `/_callerid/ready`, for whoever watches over the server: without credentials, and so without
//! details, which are in the log.
//!
//! It lives where it answers. It is ready where a change would be made, which is tried, and where calls are placed and
//! ended in time.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use callerid_core::RestException;
use callerid_service::{Store, error_response, json_response};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::exchange::{random_bytes, to_http};
use crate::host::Host;

const LIVE_PATH: &str = "/_callerid/live";
const READY_PATH: &str = "/_callerid/ready";

/// How long an answer stands for the next ones: whoever asks more often causes no more writes.
const KEPT: Duration = Duration::from_secs(1);
/// How long a change may take.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) fn routes<S: Store + 'static>(host: Arc<Host<S>>) -> Router {
    let probes = Arc::new(Probes { host, last: Mutex::default() });
    Router::new().route(LIVE_PATH, get(live)).route(READY_PATH, get(ready::<S>)).with_state(probes)
}

struct Probes<S> {
    host: Arc<Host<S>>,
    /// What was found out last, and when.
    last: Mutex<Option<(Instant, Readiness)>>,
}

type Readiness = Result<(), &'static str>;

async fn live() -> Response {
    respond(LIVE_PATH, Ok(()))
}

async fn ready<S: Store + 'static>(State(probes): State<Arc<Probes<S>>>) -> Response {
    respond(READY_PATH, probes.readiness().await)
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
