//! Sends one HTTP request to a server, as its commands and its tests do.

use std::error::Error;
use std::net::SocketAddr;

use axum::body::Bytes;
use axum::http::{Request, StatusCode};
use futures_util::future::join;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Sends a request on a connection of its own. Returns the response's status and body.
pub(crate) async fn fetch(
    address: SocketAddr,
    request: Request<Full<Bytes>>,
) -> Result<(StatusCode, Bytes), Box<dyn Error + Send + Sync>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let exchange = async move {
        let (head, body) = sender.send_request(request).await?.into_parts();
        Ok::<_, hyper::Error>((head.status, body.collect().await?.to_bytes()))
    };
    // The connection ends once its sender is dropped.
    let (answered, _) = join(exchange, connection).await;
    Ok(answered?)
}
