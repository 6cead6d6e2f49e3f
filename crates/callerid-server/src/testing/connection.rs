//! Sends requests of the control surface to a server on this machine.

use std::error::Error;
use std::net::SocketAddr;

use axum::body::Bytes;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use axum::http::{Method, Request, StatusCode};
use callerid_core::Credentials;
use futures_util::future::join;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use tokio::net::TcpStream;

use super::error::ControlError;

const JSON: &str = "application/json";
pub(super) const FORM: &str = "application/x-www-form-urlencoded";

/// How to reach an account of the server.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) address: SocketAddr,
    pub(super) url: String,
    pub(super) credentials: Credentials,
}

impl Connection {
    /// Sends a request without a document, to whose answer there is nothing to read.
    pub(super) async fn order(&self, method: Method, path: &str) -> Result<(), ControlError> {
        self.ask::<IgnoredAny>(method, path).await.map(|_| ())
    }

    /// Sends a request without a document.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
    ) -> Result<T, ControlError> {
        self.send(method, path, JSON, Bytes::new()).await
    }

    /// Sends a request with a document.
    pub(super) async fn tell<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        document: &impl Serialize,
    ) -> Result<T, ControlError> {
        let body = serde_json::to_vec(document).map_err(ControlError::no_answer)?;
        self.send(method, path, JSON, body.into()).await
    }

    pub(super) async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Bytes,
    ) -> Result<T, ControlError> {
        let request = Request::builder()
            .method(method)
            .uri(format!("/_callerid/{path}"))
            .header(HOST, self.address.to_string())
            .header(AUTHORIZATION, self.credentials.to_authorization())
            .header(CONTENT_TYPE, content_type)
            .body(Full::new(body))
            .map_err(ControlError::no_answer)?;
        let (status, body) = send(self.address, request).await.map_err(ControlError::NoAnswer)?;
        match status.is_success() {
            true => serde_json::from_slice(&body).map_err(ControlError::no_answer),
            false => Err(serde_json::from_slice(&body)
                .map_or_else(ControlError::no_answer, ControlError::Rejected)),
        }
    }
}

/// Sends a request on a connection of its own. Returns the response's status and body.
async fn send(
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
