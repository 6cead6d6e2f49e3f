//! The last requests of the API, for tests that ask what was sent.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use callerid_core::form::{self, Form};
use callerid_core::{Moment, RequestSid};

use crate::operation::Route;
use crate::request::Request;
use crate::rfc3339;

/// How many requests are kept: the newest.
const REQUESTS_KEPT: usize = 1_000;

/// A request, without its credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedRequest {
    /// Counts the account's requests, from 1.
    pub id: u64,
    /// When it was received.
    #[serde(with = "rfc3339")]
    pub at: Moment,
    /// The method: `POST`.
    pub method: String,
    /// The path, as sent.
    pub path: String,
    /// The query, as sent. Users and passwords in addresses are masked here and in the form.
    pub query: String,
    /// The body, if it is a form.
    pub form: String,
    /// The version of the API.
    pub version: Option<String>,
    /// The status of the response; absent while there is none.
    pub status: Option<u16>,
    /// The code of the error, if the response is one.
    pub code: Option<u32>,
    /// The response's `Twilio-Request-Id`.
    pub request_sid: String,
}

impl LoggedRequest {
    fn new(id: u64, request: &Request<'_>, route: &Route, now: Moment, sid: RequestSid) -> Self {
        Self {
            id,
            at: now,
            method: request.method.to_owned(),
            path: request.path.to_owned(),
            query: masked(request.query.as_bytes()),
            form: masked(request.body),
            version: Some(route.version.as_str().to_owned()),
            status: None,
            code: None,
            request_sid: sid.to_string(),
        }
    }
}

/// A form without the user and the password in its addresses.
fn masked(form: &[u8]) -> String {
    let Ok(form) = Form::decode(form) else { return String::new() };
    let pairs = form.into_pairs();
    let pairs = pairs.iter().map(|(name, value)| {
        let credentials = value.split_once("://").and_then(|(scheme, rest)| {
            let authority = rest.split(['/', '?', '#']).next()?;
            let (_, after) = authority.rsplit_once('@')?;
            let host = rest.get(authority.len().saturating_sub(after.len())..)?;
            Some(format!("{scheme}://***@{host}"))
        });
        (name.as_str(), credentials.unwrap_or_else(|| value.clone()))
    });
    let pairs: Vec<_> = pairs.collect();
    form::encode(pairs.iter().map(|(name, value)| (*name, value.as_str())))
}

/// An account's last requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestLog {
    /// Oldest first.
    requests: VecDeque<LoggedRequest>,
    last_id: u64,
}

impl RequestLog {
    /// Adds a request that has no response yet.
    pub(crate) fn begin(
        &mut self,
        request: &Request<'_>,
        route: &Route,
        now: Moment,
        sid: RequestSid,
    ) -> LoggedRequest {
        self.last_id = self.last_id.saturating_add(1);
        let logged = LoggedRequest::new(self.last_id, request, route, now, sid);
        self.requests.push_back(logged.clone());
        if self.requests.len() > REQUESTS_KEPT {
            self.requests.pop_front();
        }
        logged
    }

    /// Adds the response to a request.
    pub(crate) fn end(&mut self, id: u64, status: u16, code: Option<u32>) {
        if let Some(request) = self.requests.iter_mut().rev().find(|it| it.id == id) {
            (request.status, request.code) = (Some(status), code);
        }
    }

    /// The requests after the one with this id, oldest first.
    pub(crate) fn since(&self, id: u64) -> Vec<LoggedRequest> {
        self.requests.iter().filter(|it| it.id > id).cloned().collect()
    }

    /// Forgets the requests. The ids count on.
    pub(crate) fn clear(&mut self) {
        self.requests.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_in_addresses_are_masked() {
        let form = "PhoneNumber=4158675309&StatusCallback=https%3A%2F%2Fjane%3As3cret%40example.com%2Fa%40b%3Fc";
        let shown = masked(form.as_bytes());
        assert_eq!(
            shown,
            "PhoneNumber=4158675309&StatusCallback=https%3A%2F%2F***%40example.com%2Fa%40b%3Fc"
        );
        assert_eq!(masked(b"a=b%40c"), "a=b%40c");
        assert_eq!(masked(b"%zz"), "");
    }
}
