//! The router: which part of the service a request is for, and what goes with every answer.

use callerid_core::representation::Representation;
use callerid_core::{ApiVersion, ErrorCode, Moment, RequestSid, RestException};

use crate::api_error::ServiceError;
use crate::control;
use crate::event_stream::{EVENTS_PATH, EventStream};
use crate::operation::Route;
use crate::random_bytes::RandomBytes;
use crate::request::Request;
use crate::response::Response;
use crate::service::{Reply, Service};
use crate::store::Store;
use crate::versions;

impl<S: Store> Service<S> {
    /// Answers a request of the API, or of the control surface under `/_callerid/`.
    ///
    /// `now` is the time, `random_bytes` random bytes that have not been used before. A `HEAD` is answered as a `GET`
    /// is; the host leaves the body away.
    pub async fn respond<'a>(
        &self,
        request: impl Into<Request<'a>>,
        now: Moment,
        random_bytes: &RandomBytes,
    ) -> Reply {
        let request = request.into();
        let method = if request.method == "HEAD" { "GET" } else { request.method };
        let request = &Request { method, ..request };
        let mut reply = Reply::new(Response::no_content());
        // OPTIONS is asked by browsers before a request to another origin, and never with credentials.
        if method != "OPTIONS" {
            match request.path.strip_prefix(control::PREFIX) {
                Some(path) => control::respond(self, path, request, now, &mut reply).await,
                None => self.respond_api(request, now, random_bytes, &mut reply).await,
            }
        }
        add_common_headers(&mut reply.response, random_bytes.request_sid());
        reply
    }

    /// Answers `GET` of [`EVENTS_PATH`]: with the stream, and the response whose body it is.
    ///
    /// `last_event_id` is the value of a `Last-Event-ID` header: the stream goes on after that event, or begins now.
    ///
    /// # Errors
    /// The reply to send instead.
    pub async fn follow(
        &self,
        authorization: Option<&str>,
        last_event_id: Option<&str>,
        request_sid: RequestSid,
    ) -> Result<(EventStream, Response), Reply> {
        let opened = async {
            let account = self.authenticate(authorization).await?;
            EventStream::open(&self.store, account, last_event_id).await
        };
        let (exception, failure) = match opened.await {
            Ok(stream) => {
                let mut response = EventStream::response();
                add_common_headers(&mut response, request_sid);
                return Ok((stream, response));
            }
            Err(ServiceError::Api(error)) => (error.into_exception(), None),
            Err(ServiceError::Store(error)) => (error.to_exception(), Some(error)),
        };
        let response = error_response(EVENTS_PATH, &exception, request_sid);
        Err(Reply { failure, ..Reply::new(response) })
    }

    async fn respond_api(
        &self,
        request: &Request<'_>,
        now: Moment,
        random_bytes: &RandomBytes,
        reply: &mut Reply,
    ) {
        let Some(route) = Route::decode(request.path) else {
            reply.response =
                api_error_response(request.path, RestException::not_found(request.path));
            return;
        };
        let Route { version, representation, .. } = route;
        let mut retry_after = None;
        let exception = match self.answer(&route, request, now, random_bytes, reply).await {
            Ok(answer) => {
                reply.response = versions::encode(version, representation, answer, request.path);
                return;
            }
            Err(ServiceError::Api(error)) => {
                retry_after = error.retry_after();
                error.into_exception()
            }
            Err(ServiceError::Store(error)) => {
                let exception = error.to_exception();
                reply.failure = Some(error);
                exception
            }
        };
        reply.response = versions::encode_exception(version, representation, exception);
        if reply.response.status == ErrorCode::MethodNotAllowed.status() {
            reply.response.headers.push(("allow", route.resource.allow().into()));
        }
        if let Some(seconds) = retry_after {
            reply.response.headers.push(("retry-after", seconds.to_string().into()));
        }
    }
}

/// The response with which a host refuses a request that it does not hand on, such as one whose body is too
/// long: written as an answer for that path would be.
pub fn error_response(path: &str, exception: &RestException, request_sid: RequestSid) -> Response {
    let mut response = match path.starts_with(control::PREFIX) {
        true => control::error_response(exception),
        false => api_error_response(path, exception.clone()),
    };
    add_common_headers(&mut response, request_sid);
    response
}

/// The response with which a host answers a request of the control surface itself: a JSON document.
pub fn json_response(json: &str, request_sid: RequestSid) -> Response {
    let content_type = Representation::Json.content_type();
    let mut response = Response::new(200, content_type, json.as_bytes().to_vec());
    add_common_headers(&mut response, request_sid);
    response
}

/// The error of a path that names nothing: in the version that it begins with, and the representation that it
/// ends with, if it does.
fn api_error_response(path: &str, exception: RestException) -> Response {
    let version = path.split('/').nth(1).and_then(|segment| ApiVersion::parse(segment).ok());
    let extension = path.rsplit_once('.').map(|(_, extension)| extension);
    let representation = extension.and_then(|extension| Representation::parse(extension).ok());
    versions::encode_exception(
        version.unwrap_or_default(),
        representation.unwrap_or_default(),
        exception,
    )
}

/// What goes with every answer: the request's Sid, the challenge with a 401, when to try again with a 503, leave for pages
/// of any origin to read it, and what keeps browsers from storing or running it. Those pages must know the credentials, for a
/// browser sends none of its own where the origin allowed is `*`.
fn add_common_headers(response: &mut Response, request_sid: RequestSid) {
    let headers = &mut response.headers;
    headers.push(("twilio-request-id", request_sid.to_string().into()));
    if response.status == SERVICE_UNAVAILABLE {
        headers.push(("retry-after", RETRY_AFTER_SECONDS.into()));
    }
    if response.status == ErrorCode::Authenticate.status() {
        headers.push(("www-authenticate", "Basic realm=\"Twilio API\"".into()));
    }
    if response.header("content-type").is_some_and(|it| it.starts_with("text/html")) {
        response.headers.push(("content-security-policy", HTML_POLICY.into()));
    }
    let always = CORS.into_iter().chain(BROWSER);
    response.headers.extend(always.map(|(name, value)| (name, value.into())));
}

const SERVICE_UNAVAILABLE: u16 = 503;
/// When to try again where the store does nothing for now, in seconds.
const RETRY_AFTER_SECONDS: &str = "1";

/// What an answer in HTML may do: be seen, and nothing else.
const HTML_POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; sandbox";

/// Answers hold numbers, names and codes: they are for whoever asked, and for now.
const BROWSER: [(&str, &str); 2] =
    [("cache-control", "no-store"), ("x-content-type-options", "nosniff")];

/// As captured from the real service; `Last-Event-ID` is for the control surface's events.
const CORS: [(&str, &str); 4] = [
    ("access-control-allow-origin", "*"),
    (
        "access-control-allow-headers",
        "Accept, Authorization, Content-Type, If-Match, If-Modified-Since, If-None-Match, \
         If-Unmodified-Since, Idempotency-Key, Last-Event-ID",
    ),
    ("access-control-allow-methods", "GET, POST, PUT, DELETE, OPTIONS"),
    ("access-control-expose-headers", "ETag"),
];
