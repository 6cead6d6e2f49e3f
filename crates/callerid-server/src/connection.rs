//! Connections: limited by slots, and closed when idle.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Request;
use callerid_core::RestException;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Sleep, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::exchange::random_bytes;
use crate::http::App;
use crate::server_store::ServerStore;
use crate::slots::{Slot, Slots};
use crate::test_control;
use crate::tls::Tls;

/// The maximum size of a request's head (its first line and headers) in bytes.
const MAX_HEAD_BYTES: usize = 32 * 1024;
/// The maximum number of bytes that are read before they are parsed.
const READ_BYTES: usize = 64 * 1024;
/// The maximum number of headers in a request.
const MAX_HEADERS: usize = 100;
/// How long to keep reading from a client that received its response before it sent the whole
/// request.
const LINGER: Duration = Duration::from_secs(1);

/// Serves an application until `stop` is cancelled and the requests in progress have been answered.
pub(crate) async fn serve<S: ServerStore + 'static>(
    listener: TcpListener,
    tls: Option<Tls>,
    app: App<S>,
    mut slots: Slots,
    drain: Duration,
    stop: CancellationToken,
) {
    let connections = GracefulShutdown::new();
    while let Some(accepted) = stop.run_until_cancelled(accept(&listener, &mut slots)).await {
        match accepted {
            Ok((_, _, None)) => {}
            Ok((stream, peer, Some(slot))) => {
                let (app, tls, watcher) = (app.clone(), tls.clone(), connections.watcher());
                let stop = stop.clone();
                tokio::spawn(async move {
                    let served = serve_stream(stream, peer, tls, app, slot, watcher, stop);
                    if let Err(error) = served.await {
                        tracing::debug!(error, "a connection ended early");
                    }
                });
            }
            Err(error) => {
                // For example too many open files. Retrying at once would not help.
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    if timeout(drain, connections.shutdown()).await.is_err() {
        tracing::warn!("some requests took too long and are not answered");
    }
}

async fn accept(
    listener: &TcpListener,
    slots: &mut Slots,
) -> io::Result<(TcpStream, SocketAddr, Option<Slot>)> {
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, slots.take(peer.ip()).await))
}

/// Serves one connection, after the TLS handshake if TLS is used.
async fn serve_stream<S: ServerStore + 'static>(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<Tls>,
    app: App<S>,
    slot: Slot,
    watcher: Watcher,
    stop: CancellationToken,
) -> Result<(), String> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "answers may be delayed");
    }
    let Some(tls) = tls else {
        let connection = serve_connection(stream, peer, app, slot);
        return watcher.watch(connection).await.map_err(|error| error.to_string());
    };
    let handshake = timeout(slot.head_timeout(), tls.accept(stream));
    let Some(shaken) = stop.run_until_cancelled(handshake).await else { return Ok(()) };
    let stream = shaken.map_err(|_| "no handshake in time".to_owned())?;
    let stream = stream.map_err(|error| format!("no handshake: {error}"))?;
    let connection = serve_connection(stream, peer, app, slot);
    watcher.watch(connection).await.map_err(|error| error.to_string())
}

fn serve_connection<S: ServerStore + 'static>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    app: App<S>,
    slot: Slot,
) -> impl GracefulConnection<Error = hyper::Error> + Send {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // A client can close its sending side before it reads the response. It still gets its
        // response.
        .half_close(true)
        .keep_alive(slot.is_kept_alive())
        // The timeout starts before the first byte, so it also closes idle connections.
        .header_read_timeout(slot.head_timeout())
        .max_header_size(MAX_HEAD_BYTES)
        .max_buf_size(READ_BYTES)
        .max_headers(MAX_HEADERS);
    let wire = TokioIo::new(Wire::new(stream, slot.limits.response_timeout));
    let slot = Arc::new(slot);
    let service = service_fn(move |request: Request<Incoming>| {
        let (app, slot) = (app.clone(), Arc::clone(&slot));
        async move {
            match slot.reject(request.uri().path()).await {
                None => {
                    let response = app.respond(peer.ip(), request.map(Body::new)).await;
                    test_control::lose(response).await
                }
                Some(response) => Ok(response),
            }
        }
    });
    builder.serve_connection(wire, service)
}

/// A connection's socket with three additions: writes time out if the client is too slow to read a
/// response, hyper's empty responses to invalid HTTP get the body of an error response, and closing
/// lingers so that the last response arrives.
struct Wire<T> {
    stream: T,
    /// How long a client can take to read a response.
    timeout: Duration,
    /// The time limit, from the first write that blocks until everything is written.
    deadline: Option<Pin<Box<Sleep>>>,
    /// The rest of the error response that replaces hyper's response.
    error_response: Bytes,
    lingering: Option<Pin<Box<Sleep>>>,
    /// Whether the last bytes read begin a request with an unsupported transfer coding.
    is_coded: bool,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Wire<T> {
    fn new(stream: T, timeout: Duration) -> Self {
        Self {
            stream,
            timeout,
            deadline: None,
            error_response: Bytes::new(),
            lingering: None,
            is_coded: false,
        }
    }

    /// Returns the result of a write. While it is pending, the time limit runs.
    fn in_time<R>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if written.is_ready() {
            return written;
        }
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(self.timeout)));
        deadline.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    fn poll_write_response(
        &mut self,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Self { stream, error_response: unwritten, is_coded, .. } = self;
        let head = pieces.first().map_or(&[][..], |head| head);
        if unwritten.is_empty() {
            match error_response(head, *is_coded) {
                Some(response) => *unwritten = response,
                None => return Pin::new(stream).poll_write_vectored(cx, pieces),
            }
        }
        while !unwritten.is_empty() {
            let written = ready!(Pin::new(&mut *stream).poll_write(cx, unwritten))?;
            drop(unwritten.split_to(written));
        }
        Poll::Ready(Ok(head.len()))
    }

    /// Reads until the client has sent everything or the time is up. Closing a socket with unread
    /// data would reset the connection and could discard the response.
    fn poll_lingering_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let deadline = self.lingering.get_or_insert_with(|| Box::pin(sleep(LINGER)));
        if deadline.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        loop {
            let mut nowhere = [0; 4096];
            let mut rest = ReadBuf::new(&mut nowhere);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut rest))?;
            if rest.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

/// The error response to send instead, if this is hyper's response to a request it cannot parse: a
/// status without a body and a content type. The service never sends such a response.
fn error_response(head: &[u8], is_coded: bool) -> Option<Bytes> {
    if !head.starts_with(b"HTTP/1.1 4") || head.len() > 256 {
        return None;
    }
    let head = std::str::from_utf8(head).ok()?;
    let (status_line, headers) = head.strip_suffix("\r\n\r\n")?.split_once("\r\n")?;
    if !headers.contains("content-length: 0") || headers.contains("content-type") {
        return None;
    }
    let status_line = if is_coded { NOT_IMPLEMENTED } else { status_line };
    let (status, reason) = status_line.strip_prefix("HTTP/1.1 ")?.split_once(' ')?;
    let message = match status {
        "501" => format!("{reason}: a body's only Transfer-Encoding is chunked"),
        "431" => format!(
            "{reason}: at most {MAX_HEADERS} headers, and {MAX_HEAD_BYTES} bytes with the first line"
        ),
        _ => format!("{reason}: the request is not HTTP/1.1 that can be read"),
    };
    let exception = RestException::http(status.parse().ok()?, message);
    let response = callerid_service::error_response("", &exception, random_bytes().request_sid());
    let length = format!("content-length: {}", response.body.len());
    let mut headers = headers.replacen("content-length: 0", &length, 1);
    for (name, value) in &response.headers {
        headers.push_str(&format!("\r\n{name}: {}", value));
    }
    let mut bytes = format!("{status_line}\r\n{headers}\r\n\r\n").into_bytes();
    bytes.extend(response.body);
    Some(bytes.into())
}

const NOT_IMPLEMENTED: &str = "HTTP/1.1 501 Not Implemented";

/// Whether the head of a request has a `Transfer-Encoding` that does not end with `chunked`, which
/// hyper answers like invalid HTTP. A head that arrives in several parts may not be recognized.
fn is_coded(head: &[u8]) -> bool {
    let lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let mut lines = lines.take_while(|line| !line.is_empty());
    lines.any(|line| {
        let Some((name, value)) = line.split_at_checked(TRANSFER_ENCODING.len()) else {
            return false;
        };
        name.eq_ignore_ascii_case(TRANSFER_ENCODING)
            && !value.to_ascii_lowercase().ends_with(b"chunked")
    })
}

const TRANSFER_ENCODING: &[u8] = b"transfer-encoding:";

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for Wire<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let known = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.is_coded = is_coded(&buffer.filled()[known..]);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = self.poll_write_response(cx, pieces);
        self.in_time(cx, written)
    }

    /// Without this, hyper would copy a long body.
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        ready!(self.in_time(cx, flushed))?;
        self.deadline = None;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.lingering.is_none() {
            let shut_down = Pin::new(&mut self.stream).poll_shutdown(cx);
            ready!(self.in_time(cx, shut_down))?;
        }
        self.poll_lingering_close(cx)
    }
}
