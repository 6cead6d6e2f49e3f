//! `GET /_callerid/events`: server-sent events for all changes of an account.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::HeaderName;
use axum::response::Response;
use callerid_service::{EVENTS_PATH, EventStream, Store, StoreError};
use futures_util::stream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::client::Client;
use crate::exchange::{log_failure, random_bytes, text, to_http, too_many};
use crate::host::Host;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// How often to send a heartbeat when there are no events, to detect closed connections.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long to collect changes before querying the store.
const GATHER: Duration = Duration::from_millis(20);
/// The `Retry-After` if an account has too many streams.
const RETRY_SECONDS: u64 = 10;
/// The maximum number of events per chunk.
const BATCH: usize = 256;

/// Responds with a stream of the account's changes: those after `Last-Event-ID` if the request has
/// one, otherwise new ones. The stream ends when the server stops, when it reaches the maximum age,
/// and when the account's token changes.
pub(crate) async fn stream<S: Store + 'static>(
    host: Arc<Host<S>>,
    client: Client,
    headers: &HeaderMap,
) -> Response {
    let (credentials, last_seen) = (client.credentials.as_ref(), text(headers, LAST_EVENT_ID));
    let request_sid = random_bytes().request_sid();
    match host.service.follow(credentials, last_seen.as_deref(), request_sid).await {
        Ok((events, response)) => {
            // Subscribe first: the first query finds earlier changes.
            let most = host.limits.streams_per_account;
            let Some(changes) = host.streams.open(events.account().sid, most) else {
                let detail = "too many event streams of this account";
                return too_many(EVENTS_PATH, "TooManyStreams", detail, RETRY_SECONDS);
            };
            let until = Instant::now() + host.limits.stream_age;
            let follower = Follower { host, events, changes, until };
            let body = Body::from_stream(stream::unfold(follower, Follower::next));
            to_http(response).map(|_| body)
        }
        Err(reply) => {
            reply.failure.iter().for_each(log_failure);
            to_http(reply.response)
        }
    }
}

/// Follows the events of an account for one client.
struct Follower<S> {
    host: Arc<Host<S>>,
    events: EventStream,
    changes: watch::Receiver<()>,
    until: Instant,
}

impl<S: Store> Follower<S> {
    /// The next chunk of the stream; `None` at its end.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        let piece = self.piece().await.unwrap_or_else(|error| {
            tracing::error!(%error, "an event stream ends");
            None
        })?;
        Some((Ok(Bytes::from(piece)), self))
    }

    async fn piece(&mut self) -> Result<Option<String>, StoreError> {
        while Instant::now() < self.until && self.is_admitted().await? {
            self.changes.mark_unchanged();
            let piece = self.events.catch_up(self.host.service.store(), BATCH).await?;
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
            tokio::select! {
                () = self.host.stop.cancelled() => return Ok(None),
                () = sleep_until(self.until) => return Ok(None),
                changed = timeout(HEARTBEAT, self.changes.changed()) => match changed {
                    Ok(_) => sleep(GATHER).await,
                    Err(_) => return Ok(Some(":\n\n".to_owned())),
                },
            }
        }
        Ok(None)
    }

    async fn is_admitted(&self) -> Result<bool, StoreError> {
        let then = self.events.account();
        let now = self.host.service.store().account(&then.sid).await?;
        Ok(now.as_ref() == Some(then))
    }
}
