//! Connections: accepted up to a number, and none for longer than it is used.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use callerid_core::RestException;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service as _;

use crate::http::entropy;
use crate::server::Limits;

/// The longest head of a request: its line and its headers, in bytes.
const MAX_HEAD_BYTES: usize = 32 * 1024;
/// The most that is read of a request before it is looked at.
const READ_BYTES: usize = 64 * 1024;
/// The most headers of a request.
const MAX_HEADERS: usize = 100;
/// How long, and how much, is still read from whoever was answered before they had sent all.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: u64 = 1024 * 1024;

/// Serves an application to everyone who connects, until it is told to stop and those who are being answered
/// have their answers.
pub(crate) async fn serve(
    listener: TcpListener,
    app: Router,
    limits: Limits,
    stop: CancellationToken,
) {
    let free = Arc::new(Semaphore::new(limits.connections.clamp(1, Semaphore::MAX_PERMITS)));
    let connections = TaskTracker::new();
    while let Some(accepted) = stop.run_until_cancelled(accept(&listener, &free)).await {
        match accepted {
            Ok((stream, permit)) => {
                let (app, stop) = (app.clone(), stop.clone());
                connections.spawn(async move {
                    converse(stream, app, limits.timeout, stop).await;
                    drop(permit);
                });
            }
            Err(error) => {
                // Too many open files, say: that passes, and asking again at once would not help it.
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    connections.close();
    if timeout(limits.drain, connections.wait()).await.is_err() {
        tracing::warn!("some requests took too long and are not answered");
    }
}

async fn accept(
    listener: &TcpListener,
    free: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    if free.available_permits() == 0 {
        tracing::warn!("as many connections as are allowed: others wait");
    }
    let permit = Arc::clone(free).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, permit))
}

/// Answers the requests of one connection.
async fn converse(stream: TcpStream, app: Router, timeout: Duration, stop: CancellationToken) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "answers may be delayed");
    }
    let service =
        service_fn(move |request: Request<Incoming>| app.clone().call(request.map(Body::new)));
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // From when it is awaited: this ends idle connections as well as slow ones.
        .header_read_timeout(timeout)
        .max_header_size(MAX_HEAD_BYTES)
        .max_buf_size(READ_BYTES)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(Wire::new(stream, timeout)), service);
    let mut stopping = false;
    let ended = loop {
        tokio::select! {
            ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => break ended,
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
    let parts = connection.into_parts();
    drop(parts.service);
    linger(parts.io.into_inner().stream, stopping).await;
}

/// Ends a connection so that its last answer arrives: to close it while there is something unread would
/// take back what was sent. A server that is stopping waits for nobody who has sent nothing more.
async fn linger(mut stream: TcpStream, stopping: bool) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let came = stream.try_read(&mut [0]);
    if stopping && came.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock) {
        return;
    }
    let (mut rest, mut nowhere) = ((&mut stream).take(LINGER_BYTES), tokio::io::sink());
    let read_on = tokio::io::copy(&mut rest, &mut nowhere);
    timeout(LINGER, read_on).await.map(drop).unwrap_or_default();
}

/// A connection's socket, which does two things more: it ends when whoever is at the other end takes
/// nothing for too long, and it gives hyper's bare refusals of what is no HTTP the body that every refusal
/// has.
struct Wire {
    stream: TcpStream,
    timeout: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
    refusal: Option<Refusal>,
}

/// A refusal that is being written in place of hyper's.
struct Refusal {
    bytes: Vec<u8>,
    written: usize,
}

impl Wire {
    fn new(stream: TcpStream, timeout: Duration) -> Self {
        Self { stream, timeout, stalled: None, refusal: None }
    }

    fn poll_stalled<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(self.timeout)));
        stalled.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    fn poll_refusal(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(refusal) = &mut self.refusal {
            let rest = refusal.bytes.get(refusal.written..).unwrap_or_default();
            if rest.is_empty() {
                self.refusal = None;
                break;
            }
            let written = Pin::new(&mut self.stream).poll_write(cx, rest);
            match self.poll_stalled(cx, written) {
                Poll::Ready(Ok(count)) => {
                    if let Some(refusal) = &mut self.refusal {
                        refusal.written = refusal.written.saturating_add(count);
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl Refusal {
    /// What to write instead, if this is the answer hyper gives when it cannot read a request: a status with
    /// an empty body and no type. No answer of the service is like that.
    fn of(head: &[u8]) -> Option<Self> {
        if !head.starts_with(b"HTTP/1.1 4") || head.len() > 256 {
            return None;
        }
        let head = std::str::from_utf8(head).ok()?;
        let (status_line, headers) = head.strip_suffix("\r\n\r\n")?.split_once("\r\n")?;
        if !headers.contains("content-length: 0") || headers.contains("content-type") {
            return None;
        }
        let (status, reason) = status_line.strip_prefix("HTTP/1.1 ")?.split_once(' ')?;
        let message = match status {
            "431" => format!(
                "{reason}: at most {MAX_HEADERS} headers, and {MAX_HEAD_BYTES} bytes with the first line"
            ),
            _ => format!("{reason}: the request is not HTTP/1.1 that can be read"),
        };
        let exception = RestException::http(status.parse().ok()?, message);
        let response = callerid_core::refusal("", &exception, entropy().request_sid());
        let length = format!("content-length: {}", response.body.len());
        let mut headers = headers.replacen("content-length: 0", &length, 1);
        for (name, value) in &response.headers {
            headers.push_str(&format!("\r\n{name}: {value}"));
        }
        let mut bytes = format!("{status_line}\r\n{headers}\r\n\r\n").into_bytes();
        bytes.extend(response.body);
        Some(Self { bytes, written: 0 })
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wire {
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
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let [head] = parts {
            if self.refusal.is_none() {
                self.refusal = Refusal::of(head);
            }
            if self.refusal.is_some() {
                return self.poll_refusal(cx).map_ok(|()| head.len());
            }
        }
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.poll_stalled(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
