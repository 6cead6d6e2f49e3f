//! One attempt at a callback: sends an HTTP request to an allowed address, and reads the response's
//! status.

use std::error::Error;
use std::fmt::Display;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::{
    ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, USER_AGENT, WWW_AUTHENTICATE,
};
use axum::http::{HeaderValue, Request, Response};
use callerid_core::{CallbackCredentials, CallbackDestination};
use callerid_service::{Attempt, CALLBACK_CONTENT_TYPE, CallbackRequest, asks_for_credentials};
use futures_util::future::{Either, select};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::Callbacks;
use super::destination::check;

/// The maximum size of a response's head in bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// How much of a response's body is read and ignored. A receiver that sends a body of the usual
/// size then sees no broken connection.
const BODY_BYTES: usize = 64 * 1024;
/// How long the body is read.
const BODY_TIME: Duration = Duration::from_secs(1);
/// The maximum number of a host's addresses to try, one after the other.
const ADDRESSES: usize = 4;

/// Sends callbacks. It follows no redirects and ignores proxies in the environment, because both
/// would connect to unchecked addresses.
pub(super) struct Client {
    callbacks: Callbacks,
    tls: TlsConnector,
}

impl Client {
    pub(super) fn new(callbacks: Callbacks) -> Self {
        Self::trusting(callbacks, webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect())
    }

    fn trusting(callbacks: Callbacks, roots: RootCertStore) -> Self {
        let tls = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Self { callbacks, tls: TlsConnector::from(Arc::new(tls)) }
    }

    /// Makes one attempt within the time limit.
    pub(super) async fn attempt(&self, request: &CallbackRequest) -> Attempt {
        let limit = self.callbacks.timeout;
        // The status counts as the response, even if reading the body fails.
        let mut answer = None;
        let sent = async {
            let sent = self.send(request, None, &mut answer).await;
            // As Twilio documents, credentials are only sent when the receiver requests them.
            match &request.destination.credentials {
                Some(credentials) if answer.is_some_and(|answer| answer.asks_for_credentials) => {
                    answer = None;
                    self.send(request, Some(credentials), &mut answer).await
                }
                _ => sent,
            }
        };
        match (timeout(limit, sent).await, answer) {
            (_, Some(answer)) => Attempt::Answered(answer.status),
            (Ok(attempt), None) => attempt.unwrap_or_else(|failed| failed),
            (Err(_), None) => Attempt::Failed(format!("no answer within {limit:?}")),
        }
    }

    /// Sends a request, and sets `answer` as soon as the response's head arrives.
    async fn send(
        &self,
        request: &CallbackRequest,
        credentials: Option<&CallbackCredentials>,
        answer: &mut Option<Answer>,
    ) -> Result<Attempt, Attempt> {
        let refused = |why: &dyn Display| Attempt::Refused(format!("it cannot be sent: {why}"));
        let CallbackDestination { is_secure, host, port, .. } = &request.destination;
        let message = message(request, credentials).map_err(|error| refused(&error))?;
        let stream = connect(&self.addresses(host, *port).await?, self.callbacks.timeout).await?;
        let answered = if *is_secure {
            let name = host.strip_suffix('.').unwrap_or(host).to_owned();
            let name = ServerName::try_from(name).map_err(|error| refused(&error))?;
            let stream = self.tls.connect(name, stream).await;
            let stream = stream.map_err(|error| failed("TLS failed", &error))?;
            exchange(stream, message, answer).await
        } else {
            exchange(stream, message, answer).await
        };
        answered.map_err(|error| failed("HTTP failed", &error))
    }

    /// Resolves the host to its allowed addresses.
    async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Attempt> {
        let found: Vec<SocketAddr> = match host.parse::<IpAddr>() {
            Ok(address) => vec![(address, port).into()],
            Err(_) => {
                let found = lookup_host((host, port)).await;
                let not_found = format!("no address of {host} was found");
                found.map_err(|error| failed(&not_found, &error))?.collect()
            }
        };
        let mut refused = None;
        let mut may_go_to = |address: &SocketAddr| {
            let checked = check(host, address.ip(), &self.callbacks.allow);
            checked.map_err(|why| refused.get_or_insert(why)).is_ok()
        };
        let addresses: Vec<_> =
            found.into_iter().filter(|address| may_go_to(address)).take(ADDRESSES).collect();
        match refused {
            Some(why) if addresses.is_empty() => Err(Attempt::Refused(why)),
            _ => Ok(addresses),
        }
    }
}

/// Connects to the first address that responds. Each address gets an equal share of the time.
async fn connect(addresses: &[SocketAddr], limit: Duration) -> Result<TcpStream, Attempt> {
    let mut last = Attempt::Failed("the host has no address".to_owned());
    let share = limit.checked_div(addresses.len() as u32).unwrap_or(limit);
    for address in addresses {
        let connected = timeout(share, TcpStream::connect(address)).await;
        match connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = failed(&format!("cannot connect to {address}"), &error),
        }
    }
    Err(last)
}

/// The HTTP request of a callback.
fn message(
    request: &CallbackRequest,
    credentials: Option<&CallbackCredentials>,
) -> Result<Request<Full<Bytes>>, axum::http::Error> {
    let CallbackDestination { authority, target, .. } = &request.destination;
    let mut message = Request::builder()
        .uri(target)
        .header(HOST, authority)
        .header(USER_AGENT, concat!("callerid/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "*/*")
        .header(CONNECTION, "close")
        .header("x-twilio-signature", &request.signature);
    if let Some(credentials) = credentials {
        message = message.header(AUTHORIZATION, credentials.to_authorization());
    }
    match &request.body {
        None => message.method("GET").body(Full::default()),
        Some(form) => message
            .method("POST")
            .header(CONTENT_TYPE, CALLBACK_CONTENT_TYPE)
            .body(Full::from(form.to_string())),
    }
}

/// The relevant parts of a response.
#[derive(Clone, Copy)]
struct Answer {
    status: u16,
    /// Whether it is a 401 that requests HTTP Basic authentication.
    asks_for_credentials: bool,
}

impl Answer {
    fn of<B>(response: &Response<B>) -> Self {
        let status = response.status().as_u16();
        let challenges = response.headers().get_all(WWW_AUTHENTICATE).iter();
        let challenges = challenges.map(HeaderValue::as_bytes);
        Self { status, asks_for_credentials: asks_for_credentials(status, challenges) }
    }
}

/// Sends a request over a connection, sets `answer` when the response's head arrives, and closes
/// the connection.
async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    message: Request<Full<Bytes>>,
    answer: &mut Option<Answer>,
) -> Result<Attempt, hyper::Error> {
    let (mut sender, connection) =
        http1::Builder::new().max_buf_size(MAX_HEAD_BYTES).handshake(TokioIo::new(stream)).await?;
    let answered = pin!(async {
        let response = sender.send_request(message).await?;
        let answered = Answer::of(&response);
        *answer = Some(answered);
        timeout(BODY_TIME, discard(response.into_body())).await.unwrap_or_default();
        Ok(Attempt::Answered(answered.status))
    });
    // The connection drives the exchange and may complete first.
    match select(answered, pin!(connection)).await {
        Either::Left((answered, _)) => answered,
        Either::Right((_, answered)) => answered.await,
    }
}

/// Reads a body up to its end or the limit.
async fn discard(mut body: Incoming) {
    let mut rest = BODY_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        rest = rest.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
        if rest == 0 {
            return;
        }
    }
}

/// A failed attempt, with the whole chain of causes.
fn failed(what: &str, error: &dyn Error) -> Attempt {
    let mut why = format!("{what}: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        why += &format!(": {cause}");
        source = cause.source();
    }
    Attempt::Failed(why)
}

#[cfg(test)]
mod tests {
    use axum::http::Uri;
    use callerid_core::{CallbackMethod, StatusCallback};
    use proptest::prelude::*;
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

    use super::*;

    const CERTIFICATE: &[u8] = include_bytes!("../../tests/fixtures/receiver-certificate.der");
    const KEY: &[u8] = include_bytes!("../../tests/fixtures/receiver-key.der");

    /// Starts a receiver that responds to every callback over TLS with 200. Returns its port.
    async fn receiver() -> u16 {
        let key = PrivatePkcs8KeyDer::from(KEY).into();
        let tls = ServerConfig::builder().with_no_client_auth();
        let tls = tls.with_single_cert(vec![CertificateDer::from(CERTIFICATE)], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK";
                stream.write_all(answer).await.unwrap();
                stream.shutdown().await.unwrap();
            }
        });
        port
    }

    async fn attempt(roots: Option<RootCertStore>, host: &str, port: u16) -> Attempt {
        let allow = vec!["127.0.0.0/8".parse().unwrap(), "localhost".parse().unwrap()];
        let callbacks =
            Callbacks { allow, timeout: Duration::from_secs(20), ..Callbacks::default() };
        let client = match roots {
            Some(roots) => Client::trusting(callbacks, roots),
            None => Client::new(callbacks),
        };
        client.attempt(&request(&format!("https://{host}:{port}/?CallSid=CA1"))).await
    }

    fn request(url: &str) -> CallbackRequest {
        let to = StatusCallback::new(url, CallbackMethod::Get).unwrap();
        let destination = to.destination().unwrap();
        CallbackRequest { destination, body: None, signature: "s".into() }
    }

    #[tokio::test]
    async fn tls_requires_a_trusted_certificate_for_the_host_name() {
        let port = receiver().await;
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(CERTIFICATE)).unwrap();
        let roots = || Some(roots.clone());
        assert_eq!(attempt(roots(), "localhost", port).await, Attempt::Answered(200));
        assert_eq!(attempt(roots(), "LocalHost", port).await, Attempt::Answered(200));
        let refusals = [
            (attempt(roots(), "127.0.0.1", port).await, "not valid for name"),
            (attempt(None, "localhost", port).await, "UnknownIssuer"),
        ];
        for (attempt, expected) in refusals {
            let Attempt::Failed(why) = attempt else { panic!("{attempt:?}") };
            assert!(why.starts_with("TLS failed: ") && why.contains(expected), "{why}");
        }
    }

    #[test]
    fn valid_urls_are_sent_as_they_are_signed() {
        let part = |allowed: &'static str| prop::string::string_regex(allowed).unwrap();
        let host = prop_oneof![
            part("[0-9a-zA-Z._-]{1,12}"),
            part("(0x|0X)?[0-9a-f]{1,4}(\\.[0-9x]{1,4}){0,4}\\.?"),
            part("\\[[0-9a-f:.]{1,12}\\]"),
            part("[!-~]{1,6}"),
        ];
        let url = (part("https?"), host, part("(:[0-9]{0,6})?"), part("([/?#][!-~]{0,12})?"));
        let mut runner = TestRunner::deterministic();
        let mut accepted = 0;
        for _ in 0..20_000 {
            let (scheme, host, port, rest) = url.new_tree(&mut runner).unwrap().current();
            let url = format!("{scheme}://{host}{port}{rest}");
            if StatusCallback::new(&url, CallbackMethod::Get).is_err() {
                continue;
            }
            accepted += 1;
            let request = request(&url);
            let sent = message(&request, None).unwrap();
            let authority = sent.headers()[HOST].to_str().unwrap();
            let asked = format!("{scheme}://{authority}{}", sent.uri());
            assert_eq!(asked, request.destination.url(), "{url}");
            // The http crate finds the same host in the URL.
            let uri: Uri = asked.parse().unwrap();
            assert_eq!(uri.host().unwrap().trim_matches(['[', ']']), request.destination.host);
            let name = request.destination.host;
            let name = name.strip_suffix('.').unwrap_or(&name).to_owned();
            assert!(scheme == "http" || ServerName::try_from(name).is_ok(), "{url}");
        }
        assert!(accepted > 2000, "{accepted}");
    }
}
