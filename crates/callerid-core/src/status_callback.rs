//! Status callbacks: the URLs to notify of a validation's outcome.

mod credentials;
mod destination;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text_conversions::{from_text, to_text};

pub use credentials::CallbackCredentials;
pub use destination::{CallbackDestination, InvalidStatusCallback, STATUS_CALLBACK_MAX_CHARS};

/// The URL to notify of a validation's outcome, and the HTTP method.
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
    /// Sends the parameters in the query.
    Get,
    /// Sends the parameters in the body. This is the default.
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

    /// Parses a method's name.
    ///
    /// # Errors
    /// [`InvalidCallbackMethod`] for any other name.
    pub fn parse(name: &str) -> Result<Self, InvalidCallbackMethod> {
        Self::ALL.into_iter().find(|method| method.as_str() == name).ok_or(InvalidCallbackMethod)
    }
}

from_text!(CallbackMethod, parse, InvalidCallbackMethod);
to_text!(CallbackMethod);

/// A method that callbacks do not support.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidCallbackMethod;

impl fmt::Display for InvalidCallbackMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a callback's method is GET or POST")
    }
}

impl std::error::Error for InvalidCallbackMethod {}

impl StatusCallback {
    /// Creates a callback to an absolute `http` or `https` URL of at most 1000 printable ASCII
    /// characters. A user and password before the host are stored separately.
    ///
    /// # Errors
    /// [`InvalidStatusCallback`], which says why the URL is invalid.
    pub fn new(url: &str, method: CallbackMethod) -> Result<Self, InvalidStatusCallback> {
        let credentials = CallbackDestination::parse(url)?.credentials;
        let url = match &credentials {
            Some(given) => url.replacen(&format!("{}@", given.expose()), "", 1),
            None => url.to_owned(),
        };
        Ok(Self::restore(&url, method, credentials))
    }

    /// Restores a callback from a store. It was valid when it was created. If it is invalid under
    /// the current rules, [`destination`](Self::destination) fails.
    pub fn restore(
        url: &str,
        method: CallbackMethod,
        credentials: Option<CallbackCredentials>,
    ) -> Self {
        Self { url: url.into(), method, credentials }
    }

    /// Parses the URL.
    ///
    /// # Errors
    /// The same errors as [`StatusCallback::new`]. It never fails for a callback that `new`
    /// created.
    pub fn destination(&self) -> Result<CallbackDestination, InvalidStatusCallback> {
        let credentials = self.credentials.clone();
        Ok(CallbackDestination { credentials, ..CallbackDestination::parse(&self.url)? })
    }

    /// The host and port, such as `example.com:443`. `None` if the URL is no longer valid.
    pub fn receiver(&self) -> Option<String> {
        let CallbackDestination { host, port, .. } = self.destination().ok()?;
        Some(format!("{}:{port}", host.to_ascii_lowercase()))
    }

    /// The URL as given, without its credentials.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The URL as given, including its credentials, for the service that makes the callback.
    pub fn expose_url(&self) -> String {
        match &self.credentials {
            Some(given) => self.url.replacen("://", &format!("://{}@", given.expose()), 1),
            None => self.url.to_string(),
        }
    }

    /// The user and password for the receiver.
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
    fn credentials_are_stored_separately_from_the_url() {
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
    fn debug_shows_no_credentials() {
        let given = "http://user:s3cret@example.com/";
        let callback = StatusCallback::new(given, CallbackMethod::Get).unwrap();
        for shown in [format!("{callback:?}"), format!("{:?}", callback.destination())] {
            assert!(!shown.contains("s3cret") && !shown.contains("user"), "{shown}");
        }
    }
}
