//! Logs every request and records its metrics.

use std::net::IpAddr;
use std::time::Instant;

use axum::http::Method;
use axum::http::request::Parts;
use axum::response::Response;
use callerid_core::AccountSid;

use crate::client::Client;
use crate::metrics::{Answered, METRICS};

/// What is recorded of a request once it is answered.
pub(crate) struct Observed {
    started: Instant,
    surface: &'static str,
    method: &'static str,
    logged: Option<Logged>,
}

/// What only the log shows: no query, no body, and of the credentials only the account's Sid.
struct Logged {
    method: Method,
    path: String,
    client: IpAddr,
    account: Option<AccountSid>,
}

impl Observed {
    /// Observes a request from now on.
    pub(crate) fn start(head: &Parts, client: &Client) -> Self {
        let logged = tracing::enabled!(tracing::Level::DEBUG).then(|| Logged {
            method: head.method.clone(),
            path: head.uri.path().to_owned(),
            client: client.address,
            account: client.credentials.as_ref().map(|credentials| credentials.sid),
        });
        let (surface, method) = (surface(head.uri.path()), known_method(&head.method));
        Self { started: Instant::now(), surface, method, logged }
    }

    /// Logs the request with its response, and records its metrics.
    pub(crate) fn end(self, response: &Response) {
        let Self { started, surface, method, logged } = self;
        let (status, taken) = (response.status().as_u16(), started.elapsed());
        METRICS.answered(&Answered { surface, method, status }, taken);
        let Some(Logged { method, path, client, account }) = logged else { return };
        let request_sid = response.headers().get("twilio-request-id");
        tracing::debug!(
            %method,
            path,
            status,
            micros = u64::try_from(taken.as_micros()).unwrap_or(u64::MAX),
            account = account.as_ref().map_or("-", |sid| sid.as_str()),
            %client,
            request_sid = request_sid.and_then(|sid| sid.to_str().ok()).unwrap_or("-"),
            "request"
        );
    }
}

/// The group of endpoints that a path belongs to.
fn surface(path: &str) -> &'static str {
    match path.split('/').nth(1) {
        Some("2008-08-01") => "2008-08-01",
        Some("2010-04-01") => "2010-04-01",
        Some("_callerid") => "control",
        _ => "page",
    }
}

fn known_method(method: &Method) -> &'static str {
    const KNOWN: [&str; 6] = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}
