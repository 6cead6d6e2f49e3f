//! Status callbacks: where to tell how a validation ended.

mod destination;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text_conversions::{from_text, to_text};

pub use destination::{CallbackDestination, InvalidStatusCallback, STATUS_CALLBACK_MAX_CHARS};

/// Where to tell how a validation ended, and by which method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusCallback {
    url: Box<str>,
    method: CallbackMethod,
}

/// The HTTP method of a callback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CallbackMethod {
    /// Parameters in the query.
    Get,
    /// Parameters in the body, the default.
    #[default]
    Post,
}

impl CallbackMethod {
    /// Every method.
    pub const ALL: [Self; 2] = [Self::Get, Self::Post];

    /// `GET` or `POST`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }

    /// The method with that name.
    ///
    /// # Errors
    /// [`InvalidCallbackMethod`] for any other name.
    pub fn parse(name: &str) -> Result<Self, InvalidCallbackMethod> {
        Self::ALL.into_iter().find(|method| method.as_str() == name).ok_or(InvalidCallbackMethod)
    }
}

from_text!(CallbackMethod, parse, InvalidCallbackMethod);
to_text!(CallbackMethod);

/// A name of another method than a callback can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidCallbackMethod;

impl fmt::Display for InvalidCallbackMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a callback's method is GET or POST")
    }
}

impl std::error::Error for InvalidCallbackMethod {}

impl StatusCallback {
    /// A callback to an absolute `http` or `https` URL of at most 1000 characters, all printable ASCII,
    /// without user information.
    ///
    /// # Errors
    /// [`InvalidStatusCallback`], which says what is wrong.
    pub fn new(url: &str, method: CallbackMethod) -> Result<Self, InvalidStatusCallback> {
        CallbackDestination::parse(url)?;
        Ok(Self::restore(url, method))
    }

    /// A callback as a store kept it: it was accepted when it was asked for, by the rules of then. If it is not by those of
    /// today, it has no [`destination`](Self::destination).
    pub fn restore(url: &str, method: CallbackMethod) -> Self {
        Self { url: url.into(), method }
    }

    /// Where it goes.
    ///
    /// # Errors
    /// As [`StatusCallback::new`]; none for what that returned.
    pub fn destination(&self) -> Result<CallbackDestination, InvalidStatusCallback> {
        CallbackDestination::parse(&self.url)
    }

    /// The URL, as it was given.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The method.
    pub fn method(&self) -> CallbackMethod {
        self.method
    }
}
