//! What an account has, by number and status, now or soon.

use std::fmt;
use std::marker::PhantomData;

use axum::http::Method;
use callerid_core::{PhoneNumber, form};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::connection::Connection;
use super::error::ControlError;

/// How long [`Matching::next`] waits, in seconds.
const PATIENCE: u32 = 10;

/// The calls, callbacks or caller IDs of an account, all of them or those that match.
#[derive(Clone, Debug)]
pub struct Matching<'a, T> {
    connection: &'a Connection,
    what: &'static str,
    query: Vec<(&'static str, String)>,
    rows: PhantomData<fn() -> T>,
}

/// The answer to a request for a list.
#[derive(Deserialize)]
pub(super) struct Rows<T> {
    #[serde(
        alias = "calls",
        alias = "callbacks",
        alias = "caller_ids",
        alias = "faults",
        alias = "requests",
        alias = "snapshots"
    )]
    pub(super) rows: Vec<T>,
    next_page_uri: Option<String>,
}

impl<'a, T: DeserializeOwned> Matching<'a, T> {
    pub(super) fn new(connection: &'a Connection, what: &'static str) -> Self {
        Self { connection, what, query: Vec::new(), rows: PhantomData }
    }

    /// Only those of a number.
    #[must_use]
    pub fn of(self, number: PhoneNumber) -> Self {
        self.with("phone_number", number)
    }

    /// Only those with a status: a [`CallStatus`](callerid_service::CallStatus), or `pending`,
    /// `delivered` or `failed` of a callback.
    #[must_use]
    pub fn with_status(self, status: impl fmt::Display) -> Self {
        self.with("status", status)
    }

    /// Those that match now.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn list(&self) -> Result<Vec<T>, ControlError> {
        let mut rows = Vec::new();
        let mut next = Some(self.path());
        while let Some(path) = next {
            let page: Rows<T> = self.connection.ask(Method::GET, &path).await?;
            rows.extend(page.rows);
            next = page
                .next_page_uri
                .as_deref()
                .and_then(|uri| uri.strip_prefix("/_callerid/"))
                .map(str::to_owned);
        }
        Ok(rows)
    }

    /// The first that matches, as soon as one does, within ten seconds.
    ///
    /// # Errors
    /// [`ControlError::NothingMatched`] if none does in time.
    pub async fn next(self) -> Result<T, ControlError> {
        self.next_within(PATIENCE).await
    }

    /// The same within so many seconds, at most 60.
    ///
    /// # Errors
    /// [`ControlError::NothingMatched`] if none does in time.
    pub async fn next_within(self, seconds: u32) -> Result<T, ControlError> {
        let asked = self.with("wait", seconds);
        let query = asked.path();
        let found: Rows<T> = asked.connection.ask(Method::GET, &query).await?;
        found.rows.into_iter().next().ok_or(ControlError::NothingMatched { query })
    }

    fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    fn path(&self) -> String {
        let query = form::encode(self.query.iter().map(|(name, value)| (*name, value.as_str())));
        format!("{}?{query}", self.what)
    }
}
