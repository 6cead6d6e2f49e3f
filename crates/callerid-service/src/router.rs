//! The router: which part of the service handles a request, and what every response contains.

use callerid_core::representation::Representation;
use callerid_core::{ApiVersion, Credentials, ErrorCode, Moment, RequestSid, RestException};

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
    /// Answers a request to the API, or to the control surface under `/_callerid/`.
    ///
    /// `now` is the current time. `random_bytes` must not have been used before. The response to a
    /// `HEAD` request is the same as to `GET`; the host omits the body.
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
        // Browsers send OPTIONS before a request to another origin, and never with credentials.
        if method != "OPTIONS" {
            match request.path.strip_prefix(control::PREFIX) {
                Some(path) => {
                    control::respond(self, path, request, now, random_bytes, &mut reply).await;
                }
                None => self.respond_api(request, now, random_bytes, &mut reply).await,
            }
        }
        add_common_headers(&mut reply.response, random_bytes.request_sid());
        reply
    }

    /// Answers `GET` of [`EVENTS_PATH`] with the stream, and the response whose body it is.
    ///
    /// `last_event_id` is the value of the `Last-Event-ID` header. The stream continues after that
    /// event. Without the header, it starts with new events.
    ///
    /// # Errors
    /// The reply to send instead.
    pub async fn follow(
        &self,
        credentials: Option<&Credentials>,
        last_event_id: Option<&str>,
        request_sid: RequestSid,
    ) -> Result<(EventStream, Response), Reply> {
        let opened = async {
            let account = self.authenticate(credentials).await?;
            EventStream::open(&self.store, account, last_event_id).await
        };
        let (exception, failure) = match opened.await {
            Ok(stream) => {
                let mut response = EventStream::response();
                add_common_headers(&mut response, request_sid);
                return Ok((stream, response));
            }
            Err(error) => error.into_exception(),
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
                self.log_response(reply, None);
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
        let code = exception.code;
        reply.response = versions::encode_exception(version, representation, exception);
        self.log_response(reply, code);
        if reply.response.status == ErrorCode::MethodNotAllowed.status() {
            reply.response.headers.push(("allow", route.resource.allow().into()));
        }
        if let Some(seconds) = retry_after {
            reply.response.headers.push(("retry-after", seconds.to_string().into()));
        }
    }
}

impl<S: Store> Service<S> {
    fn log_response(&self, reply: &Reply, code: Option<u32>) {
        if let (Some(testing), Some((account, id))) = (self.testing(), reply.logged) {
            let status = reply.response.status;
            testing.of(&account, |controls| controls.requests.end(id, status, code));
        }
    }
}

/// The response to send if the host itself rejects a request, for example because its body is too
/// long. It has the format of the service's responses for that path.
pub fn error_response(path: &str, exception: &RestException, request_sid: RequestSid) -> Response {
    let mut response = match path.starts_with(control::PREFIX) {
        true => control::error_response(exception),
        false => api_error_response(path, exception.clone()),
    };
    add_common_headers(&mut response, request_sid);
    response
}

/// The response to send if the host itself answers a request to the control surface: a JSON
/// document.
pub fn json_response(json: &str, request_sid: RequestSid) -> Response {
    let content_type = Representation::Json.content_type();
    let mut response = Response::new(200, content_type, json.as_bytes().to_vec());
    add_common_headers(&mut response, request_sid);
    response
}

/// The error for a path that names nothing, in the version at the start of the path and the
/// representation at its end, if any.
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

/// Adds the headers of every response: the request's Sid, the challenge of a 401, `Retry-After` for
/// a 503, CORS headers that let pages of any origin read it, and headers that stop browsers from
/// storing or running it. Such pages must know the credentials, because browsers do not send stored
/// credentials if the allowed origin is `*`.
fn add_common_headers(response: &mut Response, request_sid: RequestSid) {
    let has_retry_after = response.header("retry-after").is_some();
    let headers = &mut response.headers;
    headers.push(("twilio-request-id", request_sid.to_string().into()));
    if response.status == SERVICE_UNAVAILABLE && !has_retry_after {
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
/// The seconds after which to try again if the store is temporarily unavailable.
const RETRY_AFTER_SECONDS: &str = "1";

/// An HTML response may be displayed, and nothing else.
const HTML_POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; sandbox";

/// Responses contain numbers, names and codes: browsers must not store them.
const BROWSER: [(&str, &str); 2] =
    [("cache-control", "no-store"), ("x-content-type-options", "nosniff")];

/// As captured from Twilio's service. `Last-Event-ID` is for the control surface's events.
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
