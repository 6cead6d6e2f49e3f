//! HTTP: passes requests to the service and returns its replies.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::middleware::map_response;
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use axum::{Extension, Router};
use callerid_core::{Credentials, ErrorCode, RestException};
use callerid_service::{
    AuditEntry, Delivery, EVENTS_PATH, RandomBytes, Reply, Store, body_too_long, error_response,
};
use futures_util::FutureExt as _;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use tokio::task::yield_now;
use tower_http::CompressionLevel;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};
use tower_http::compression::{CompressionBody, CompressionLayer};

use crate::client::Client;
use crate::exchange::{log_failure, random_bytes, rejection, to_http};
use crate::host::Host;
use crate::observe::Observed;
use crate::server_store::ServerStore;
use crate::sessions;
use crate::{events, page, probes, request_head, test_control, token_guard};

/// Shorter bodies fit into a packet without compression.
const MIN_COMPRESSED_BYTES: u16 = 1024;

/// After a request that takes longer than this without waiting, other connections have a turn before the
/// next request of the same connection: a client may have sent many at once.
const TURN: Duration = Duration::from_millis(1);

/// Answers requests.
pub(crate) struct App<S> {
    host: Arc<Host<S>>,
    routes: TowerToHyperService<Router>,
}

// Derived, it would require that of `S`.
impl<S> Clone for App<S> {
    fn clone(&self) -> Self {
        Self { host: Arc::clone(&self.host), routes: self.routes.clone() }
    }
}

impl<S: ServerStore + 'static> App<S> {
    pub(crate) fn new(host: Arc<Host<S>>) -> Self {
        Self { routes: TowerToHyperService::new(routes(Arc::clone(&host))), host }
    }

    /// Answers a request of a connection with this peer, and logs it.
    pub(crate) async fn respond(&self, peer: IpAddr, request: Request) -> Response {
        let (mut head, body) = request.into_parts();
        let client = Client::take(&mut head.headers, peer, &self.host.proxies);
        let observed = Observed::start(&head, &client);
        let response = match request_head::check(&head) {
            Ok(()) => self.guarded(client, Request::from_parts(head, body)).await,
            Err(exception) => rejection(head.uri.path(), &exception),
        };
        observed.end(&response);
        response
    }

    /// Routes a request, unless the check of its token must wait, and counts wrong tokens.
    async fn guarded(&self, client: Client, request: Request) -> Response {
        let (host, path) = (&self.host, request.uri().path());
        let is_checked = request.method() != Method::OPTIONS && !probes::has_no_account(path);
        if !is_checked {
            return self.route(client, request).await;
        }
        if let Some(response) = token_guard::reject(host, &client, path) {
            return response;
        }
        let signed_in = match path {
            // A session cannot create another.
            sessions::PATH => Ok(client.clone()),
            path => sessions::sign_in(host, client.clone(), path).await,
        };
        let response = match signed_in {
            Ok(client) => self.route(client, request).await,
            Err(response) => response,
        };
        token_guard::count(host, &client, response.status()).await;
        response
    }

    async fn route(&self, client: Client, mut request: Request) -> Response {
        request.extensions_mut().insert(client);
        let Ok(response) = self.routes.call(request).await;
        response
    }
}

/// The routes. The event stream, sessions, probes and the page have their own; the service handles
/// all others.
fn routes<S: ServerStore + 'static>(host: Arc<Host<S>>) -> Router {
    let pays = SizeAbove::new(MIN_COMPRESSED_BYTES).and(NotForContentType::SSE);
    let compression =
        CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(pays);
    Router::new()
        .route(EVENTS_PATH, any(respond_events::<S>))
        .route(sessions::PATH, any(respond_sessions::<S>))
        .fallback(respond::<S>)
        .with_state(Arc::clone(&host))
        .merge(probes::routes(host))
        .layer((map_response(with_length), compression))
}

/// Sets `Content-Length` of a response that was compressed on the way, so that a HEAD request
/// returns it too.
async fn with_length(response: Response<CompressionBody<Body>>) -> Response {
    if !response.headers().contains_key(CONTENT_ENCODING) {
        return response.map(Body::new);
    }
    let (head, body) = response.into_parts();
    match body.collect().await {
        Ok(body) => Response::from_parts(head, Body::from(body.to_bytes())),
        Err(error) => {
            tracing::error!(%error, "a response could not be compressed");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Streams events for a GET request; the service answers other methods. (axum's `get` would add its
/// own `Allow` header.)
async fn respond_events<S: Store + 'static>(
    State(host): State<Arc<Host<S>>>,
    Extension(client): Extension<Client>,
    request: Request,
) -> Response {
    match *request.method() {
        Method::GET | Method::HEAD => events::stream(host, client, request.headers()).await,
        _ => respond(State(host), Extension(client), request).await,
    }
}

/// Creates a session for a POST request; the service answers other methods.
async fn respond_sessions<S: ServerStore + 'static>(
    State(host): State<Arc<Host<S>>>,
    Extension(client): Extension<Client>,
    request: Request,
) -> Response {
    match *request.method() {
        Method::POST => sessions::create(&host, client).await,
        _ => respond(State(host), Extension(client), request).await,
    }
}

async fn respond<S: Store + 'static>(
    State(host): State<Arc<Host<S>>>,
    Extension(Client { credentials, .. }): Extension<Client>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    if let Some(response) = page::respond(&head) {
        return response;
    }
    let path = head.uri.path().to_owned();
    let random_bytes = random_bytes();
    let request_sid = random_bytes.request_sid();
    let response = match read_body(&head, body, &host).await {
        Ok(body) => {
            let request = axum::http::Request::from_parts(head, body);
            answer(host, credentials, request, random_bytes).await
        }
        Err(exception) => Err(exception),
    };
    response.unwrap_or_else(|exception| to_http(error_response(&path, &exception, request_sid)))
}

async fn answer<S: Store + 'static>(
    host: Arc<Host<S>>,
    credentials: Option<Credentials>,
    request: axum::http::Request<Bytes>,
    random_bytes: RandomBytes,
) -> Result<Response, RestException> {
    let (is_safe, started) = (request.method().is_safe(), Instant::now());
    let respond =
        async move { respond_from_service(&host, credentials, &request, &random_bytes).await };
    let response = guarded(is_safe, respond).await;
    if is_safe && started.elapsed() > TURN {
        yield_now().await;
    }
    response.ok_or_else(|| RestException::new(ErrorCode::Internal))
}

/// Returns the answer to a request, or `None` if it panics. Unless the request is safe, processing
/// continues if the client disconnects, so that changes have their effects.
async fn guarded<T: Send + 'static>(
    is_safe: bool,
    respond: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    let guarded = AssertUnwindSafe(respond).catch_unwind();
    if is_safe { guarded.await.ok() } else { tokio::spawn(guarded).await.ok().and_then(Result::ok) }
}

async fn respond_from_service<S: Store>(
    host: &Host<S>,
    credentials: Option<Credentials>,
    request: &axum::http::Request<Bytes>,
    random_bytes: &RandomBytes,
) -> Response {
    let (is_safe, account) = (request.method().is_safe(), credentials.as_ref().map(|it| it.sid));
    let request = callerid_service::Request { credentials, ..request.into() };
    let ask = || host.service.respond(request.clone(), host.clock.now(), random_bytes);
    let mut reply = ask().await;
    if let Some(follow_up) = reply.follow_up.take() {
        reply = test_control::follow_up(host, follow_up, reply, ask).await;
    }
    let Reply { response, next, wake_at, failure, delivery, asked_for, .. } = reply;
    host.record(asked_for.map(AuditEntry::from));
    if let Some(error) = failure {
        log_failure(&error);
    }
    if !is_safe
        && response.status != 401
        && let Some(account) = account
    {
        host.changed(&account, next, wake_at).await;
    }
    let response = to_http(response);
    if delivery == Delivery::default() {
        return response;
    }
    test_control::deliver(host, account.as_ref(), delivery, response).await
}

/// Reads the body, within the limits on its size and time.
async fn read_body<S: Store>(
    head: &Parts,
    body: Body,
    host: &Host<S>,
) -> Result<Bytes, RestException> {
    if axum::body::HttpBody::is_end_stream(&body) {
        return Ok(Bytes::new());
    }
    let most = host.service.max_body_bytes(head.uri.path());
    let announced = head.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let announced = announced.and_then(|value| value.parse::<u64>().ok());
    if announced.is_some_and(|length| length > most as u64) {
        return Err(body_too_long(most));
    }
    let timeout = host.limits.timeout;
    match tokio::time::timeout(timeout, Limited::new(body, most).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(body_too_long(most)),
        Ok(Err(_)) => Err(RestException::http(400, "Request body malformed or cut short")),
        Err(_) => {
            let message = format!("Request body not received within {} s", timeout.as_secs());
            Err(RestException::http(408, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_panic_costs_its_request_alone() {
        for is_safe in [true, false] {
            let panics = async || -> u8 { panic!("on purpose") };
            assert_eq!(guarded(is_safe, panics()).await, None);
            assert_eq!(guarded(is_safe, async { 1 }).await, Some(1));
        }
    }

    #[tokio::test]
    async fn a_change_completes_after_its_client_disconnects() {
        let (begin, begun) = oneshot::channel::<()>();
        let (end, ended) = oneshot::channel();
        let change = async move {
            begun.await.unwrap();
            end.send(()).unwrap();
        };
        let gone = tokio::time::timeout(Duration::from_millis(1), guarded(false, change)).await;
        assert!(gone.is_err());
        begin.send(()).unwrap();
        ended.await.unwrap();
    }
}
