//! `GET /_callerid/events`: server-sent events of every change of an account.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use axum::response::Response;
use callerid_core::{
    Account, CORS, ErrorCode, EventStream, Failure, RestException, Store, StoreError,
};
use futures_util::stream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::http::{log, log_failure, refused};
use crate::server::{Host, Stop};

/// How often something is sent where nothing happens, so that whoever is gone is noticed.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long changes are gathered before the store is asked for them.
const GATHER: Duration = Duration::from_millis(20);
/// Events that are sent in one piece.
const BATCH: usize = 256;

/// Answers with a stream of the account's changes: those after `Last-Event-ID` where the request has one, else
/// those from now on. It ends when the server stops, and when the account's token is no longer the one that
/// opened it.
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
            for (name, value) in CORS {
                headers.insert(name, HeaderValue::from_static(value));
            }
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
    events: EventStream,
    changes: watch::Receiver<()>,
    stop: Stop,
}

impl<S: Store> Follower<S> {
    /// A follower, and how its stream begins.
    async fn new(
        host: Arc<Host<S>>,
        authorization: Option<&str>,
        last_event_id: Option<&str>,
    ) -> Result<(Self, String), Failure> {
        let account = host.service.authenticate(authorization).await?;
        // From here on changes are noticed, so that none falls between the first look and the first wait.
        let (changes, stop) = (host.changes.subscribe(), host.stop.clone());
        let (events, greeting) =
            EventStream::open(host.service.store(), account.sid, last_event_id).await?;
        Ok((Self { host, account, events, changes, stop }, greeting))
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
            self.changes.mark_unchanged();
            let piece = self.events.catch_up(self.host.service.store(), BATCH).await?;
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
            let is_changed = tokio::select! {
                () = self.stop.told() => return Ok(None),
                changed = timeout(HEARTBEAT, self.changes.changed()) => changed.is_ok(),
            };
            if !self.is_admitted().await? {
                return Ok(None);
            }
            if !is_changed {
                return Ok(Some(":\n\n".to_owned()));
            }
            sleep(GATHER).await;
        }
    }

    async fn is_admitted(&self) -> Result<bool, StoreError> {
        let account = self.host.service.store().account(&self.account.sid).await?;
        Ok(account.as_ref() == Some(&self.account))
    }
}
