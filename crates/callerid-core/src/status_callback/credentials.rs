//! The user and password in a URL, before its host.

use std::fmt;

use base64ct::{Base64, Encoding as _};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

use super::InvalidStatusCallback;

/// Credentials for the receiver of a callback, as written in its URL before the `@`:
/// `user:password`, percent-encoded.
///
/// `Debug` does not show them, and there is no `Display`. They are serialized in plain text, for
/// stores.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct CallbackCredentials(Box<str>);

impl CallbackCredentials {
    /// Parses the text before the `@`.
    ///
    /// # Errors
    /// [`InvalidStatusCallback::Credentials`] if the text is invalid in a URL (RFC 3986) or cannot
    /// be sent with HTTP Basic authentication (RFC 7617).
    pub fn parse(text: &str) -> Result<Self, InvalidStatusCallback> {
        let is_known =
            |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:%".contains(&byte);
        let credentials = Self(text.into());
        let (user, password) = credentials.decode();
        let is_sendable =
            !user.contains(&b':') && !user.iter().chain(&password).any(u8::is_ascii_control);
        if !text.is_empty() && text.bytes().all(is_known) && is_sendable {
            Ok(credentials)
        } else {
            Err(InvalidStatusCallback::Credentials)
        }
    }

    /// The credentials in plain text, for the code that seals them.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The value of the `Authorization` header.
    pub fn to_authorization(&self) -> String {
        let (user, password) = self.decode();
        format!("Basic {}", Base64::encode_string(&[user, password].join(&b':')))
    }

    fn decode(&self) -> (Vec<u8>, Vec<u8>) {
        let (user, password) = self.0.split_once(':').unwrap_or((&self.0, ""));
        (percent_decode_str(user).collect(), percent_decode_str(password).collect())
    }
}

impl TryFrom<String> for CallbackCredentials {
    type Error = InvalidStatusCallback;
    fn try_from(text: String) -> Result<Self, InvalidStatusCallback> {
        Self::parse(&text)
    }
}

impl fmt::Debug for CallbackCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallbackCredentials(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_contains_the_decoded_credentials() {
        for (text, pair) in [
            ("Aladdin:open%20sesame", "Aladdin:open sesame"),
            ("user", "user:"),
            ("user:", "user:"),
            (":password", ":password"),
            ("a:b:c%3A", "a:b:c:"),
            ("%C3%A9:100%", "é:100%"),
        ] {
            let credentials = CallbackCredentials::parse(text).unwrap();
            let expected = format!("Basic {}", Base64::encode_string(pair.as_bytes()));
            assert_eq!(credentials.to_authorization(), expected, "{text}");
            assert_eq!(credentials.expose(), text);
            assert_eq!(format!("{credentials:?}"), "CallbackCredentials(…)");
        }
        // RFC 7617's own example.
        assert_eq!(
            CallbackCredentials::parse("Aladdin:open%20sesame").unwrap().to_authorization(),
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
        );
    }

    #[test]
    fn credentials_that_basic_authentication_cannot_send_are_invalid() {
        for text in ["", "a%3Ab:c", "a%0D%0A:b", "a:%00", "a@b", "a[b", "a:b|", "a:é"] {
            let invalid = Err(InvalidStatusCallback::Credentials);
            assert_eq!(CallbackCredentials::parse(text), invalid, "{text}");
        }
    }
}
