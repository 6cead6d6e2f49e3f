//! `GET /_callerid/events`: server-sent events of every change of an account.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use axum::response::Response;
use callerid_core::{Account, ErrorCode, Failure, RestException, Store, StoreError};
use futures_util::stream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::http::{log, log_failure, refused};
use crate::server::{Host, Stop};

/// Where the stream is.
pub(crate) const PATH: &str = "/_callerid/events";

/// How often something is sent where nothing happens, so that whoever is gone is noticed.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long changes are gathered before the store is asked for them.
const GATHER: Duration = Duration::from_millis(20);
/// Events that are sent in one piece.
const BATCH: usize = 256;

/// Answers with a stream of the account's changes: those after `Last-Event-ID` where the request has one, else
/// those from now on.
///
/// It begins with the id of the newest event, so that a client that loses its connection before the first
/// change misses none. Where events were asked for that are no longer kept, an event `reset` tells the
/// client to read its lists anew. It ends when the server stops, and when the account's token is no longer
/// the one that opened it.
pub(crate) async fn stream<S: Store + 'static>(
    State(host): State<Arc<Host<S>>>,
    request: Request,
) -> Response {
    let started = Instant::now();
    let (head, _) = request.into_parts();
    let authorization = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let last_seen =
        head.headers.get("last-event-id").map(|value| value.to_str().unwrap_or_default());
    let response = match Follower::new(host, authorization, last_seen).await {
        Ok((follower, greeting)) => {
            let rest = stream::unfold(follower, Follower::next);
            let greeting = stream::iter([Ok::<_, Infallible>(Bytes::from(greeting))]);
            let body = Body::from_stream(stream::StreamExt::chain(greeting, rest));
            let mut response = Response::new(body);
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(Failure::Refused(exception)) => refused(&head, &exception),
        Err(Failure::Store(error)) => {
            log_failure(&error);
            refused(&head, &RestException::new(ErrorCode::Internal))
        }
    };
    log(&head, response.status(), started);
    response
}

/// Follows the events of an account, on behalf of one client.
struct Follower<S> {
    host: Arc<Host<S>>,
    account: Account,
    changes: watch::Receiver<()>,
    stop: Stop,
    /// The id of the last event that the client has, or need not have.
    last: u64,
    /// Whether there may be events that the client does not have.
    behind: bool,
}

impl<S: Store> Follower<S> {
    /// A follower, and how its stream begins.
    async fn new(
        host: Arc<Host<S>>,
        authorization: Option<&str>,
        last_seen: Option<&str>,
    ) -> Result<(Self, String), Failure> {
        let account = host.service.authenticate(authorization).await?;
        // From here on changes are noticed, so that none falls between the first look and the first wait.
        let (changes, stop) = (host.changes.subscribe(), host.stop.clone());
        let mut greeting = String::from("retry: 1000\n");
        let last = match last_seen {
            Some(text) => text.parse().map_err(|_| {
                let message = "Invalid Last-Event-ID: expected the id of an event, a whole number";
                RestException::http(400, message)
            })?,
            None => host.service.store().events_after(&account.sid, u64::MAX, 0).await?.newest,
        };
        writeln!(greeting, "id: {last}\n").unwrap_or_default();
        let behind = last_seen.is_some();
        Ok((Self { host, account, changes, stop, last, behind }, greeting))
    }

    /// The next piece of the stream; `None` at its end.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        let piece = self.piece().await.unwrap_or_else(|error| {
            tracing::error!(%error, "an event stream ends");
            None
        })?;
        Some((Ok(Bytes::from(piece)), self))
    }

    async fn piece(&mut self) -> Result<Option<String>, StoreError> {
        loop {
            if self.behind {
                let piece = self.catch_up().await?;
                if !piece.is_empty() {
                    return Ok(Some(piece));
                }
            }
            let changed = tokio::select! {
                () = self.stop.told() => return Ok(None),
                changed = timeout(HEARTBEAT, self.changes.changed()) => changed.is_ok(),
            };
            if !self.is_admitted().await? {
                return Ok(None);
            }
            if !changed {
                return Ok(Some(":\n\n".to_owned()));
            }
            sleep(GATHER).await;
            self.behind = true;
        }
    }

    async fn catch_up(&mut self) -> Result<String, StoreError> {
        self.changes.mark_unchanged();
        let store = self.host.service.store();
        let found = store.events_after(&self.account.sid, self.last, BATCH).await?;
        let mut piece = String::new();
        if found.gap {
            let id = found.events.first().map_or(found.newest, |event| event.id.saturating_sub(1));
            write!(piece, "id: {id}\nevent: reset\ndata: {{}}\n\n").unwrap_or_default();
        }
        for event in &found.events {
            piece.push_str(&event.to_server_sent());
        }
        self.behind = found.events.len() == BATCH;
        // Past the account's last event there are only those of others.
        self.last = match found.events.last() {
            Some(event) if self.behind => event.id,
            _ => found.newest,
        };
        Ok(piece)
    }

    async fn is_admitted(&self) -> Result<bool, StoreError> {
        let account = self.host.service.store().account(&self.account.sid).await?;
        Ok(account.as_ref() == Some(&self.account))
    }
}
