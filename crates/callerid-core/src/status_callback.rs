//! Status callbacks: where to tell how a validation ended.

mod credentials;
mod destination;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text_conversions::{from_text, to_text};

pub use credentials::CallbackCredentials;
pub use destination::{CallbackDestination, InvalidStatusCallback, STATUS_CALLBACK_MAX_CHARS};

/// Where to tell how a validation ended, and by which method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusCallback {
    url: Box<str>,
    method: CallbackMethod,
    credentials: Option<CallbackCredentials>,
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
    /// A callback to an absolute `http` or `https` URL of at most 1000 characters, all printable ASCII. A user and a
    /// password before its host are kept apart from it.
    ///
    /// # Errors
    /// [`InvalidStatusCallback`], which says what is wrong.
    pub fn new(url: &str, method: CallbackMethod) -> Result<Self, InvalidStatusCallback> {
        let credentials = CallbackDestination::parse(url)?.credentials;
        let url = match &credentials {
            Some(given) => url.replacen(&format!("{}@", given.expose()), "", 1),
            None => url.to_owned(),
        };
        Ok(Self::restore(&url, method, credentials))
    }

    /// A callback as a store kept it: it was accepted when it was asked for, by the rules of then. If it is not by those of
    /// today, it has no [`destination`](Self::destination).
    pub fn restore(
        url: &str,
        method: CallbackMethod,
        credentials: Option<CallbackCredentials>,
    ) -> Self {
        Self { url: url.into(), method, credentials }
    }

    /// Where it goes.
    ///
    /// # Errors
    /// As [`StatusCallback::new`]; none for what that returned.
    pub fn destination(&self) -> Result<CallbackDestination, InvalidStatusCallback> {
        let credentials = self.credentials.clone();
        Ok(CallbackDestination { credentials, ..CallbackDestination::parse(&self.url)? })
    }

    /// The host and the port that it goes to, `example.com:443`; `None` for what has no destination any more.
    pub fn receiver(&self) -> Option<String> {
        let CallbackDestination { host, port, .. } = self.destination().ok()?;
        Some(format!("{}:{port}", host.to_ascii_lowercase()))
    }

    /// The URL, as it was given but for its credentials.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The URL, as it was given: with the credentials in it, for the service that is to call it.
    pub fn expose_url(&self) -> String {
        match &self.credentials {
            Some(given) => self.url.replacen("://", &format!("://{}@", given.expose()), 1),
            None => self.url.to_string(),
        }
    }

    /// The user and the password for the receiver.
    pub fn credentials(&self) -> Option<&CallbackCredentials> {
        self.credentials.as_ref()
    }

    /// The method.
    pub fn method(&self) -> CallbackMethod {
        self.method
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_kept_apart_from_the_url() {
        let given = "http://user:s3cret@example.com:8000/user:s3cret@b#c";
        let callback = StatusCallback::new(given, CallbackMethod::Get).unwrap();
        assert_eq!(callback.url(), "http://example.com:8000/user:s3cret@b#c");
        assert_eq!(callback.expose_url(), given);
        assert_eq!(callback.receiver().as_deref(), Some("example.com:8000"));
        assert_eq!(callback.credentials().unwrap().expose(), "user:s3cret");
        let destination = callback.destination().unwrap();
        assert_eq!(destination.credentials.as_ref(), callback.credentials());
        assert_eq!(destination.url(), "http://example.com:8000/user:s3cret@b");
    }

    #[test]
    fn credentials_are_shown_nowhere() {
        let given = "http://user:s3cret@example.com/";
        let callback = StatusCallback::new(given, CallbackMethod::Get).unwrap();
        for shown in [format!("{callback:?}"), format!("{:?}", callback.destination())] {
            assert!(!shown.contains("s3cret") && !shown.contains("user"), "{shown}");
        }
    }
}
