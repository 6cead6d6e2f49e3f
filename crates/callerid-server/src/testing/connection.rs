//! Sends requests of the control surface to a server on this machine.

use std::net::SocketAddr;

use axum::body::Bytes;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use axum::http::{Method, Request};
use callerid_core::Credentials;
use http_body_util::Full;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::error::ControlError;
use crate::fetch::fetch;

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
        let (status, body) = fetch(self.address, request).await.map_err(ControlError::NoAnswer)?;
        match status.is_success() {
            true => serde_json::from_slice(&body).map_err(ControlError::no_answer),
            false => Err(serde_json::from_slice(&body)
                .map_or_else(ControlError::no_answer, ControlError::Rejected)),
        }
    }
}
