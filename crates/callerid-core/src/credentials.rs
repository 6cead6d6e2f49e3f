//! Credentials: an account and its auth token, as sent in the `Authorization` header.

use std::fmt;

use base64ct::{Base64, Encoding as _};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use crate::AccountSid;
use crate::text_conversions::from_text;

/// The maximum length of a token, in bytes.
pub const AUTH_TOKEN_MAX_BYTES: usize = 128;

/// A secret that authenticates an account: 1 to 128 printable ASCII characters.
///
/// Tokens are compared in constant time. `Debug` does not show them, and there is no `Display`.
/// Serialization writes them in plain text, for stores.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct AuthToken(Box<str>);

impl AuthToken {
    /// Creates a token from a text.
    ///
    /// # Errors
    /// [`InvalidAuthToken`] if the text is empty, longer than 128 bytes, or contains anything other
    /// than printable ASCII characters without spaces.
    pub fn new(text: &str) -> Result<Self, InvalidAuthToken> {
        let length = 1..=AUTH_TOKEN_MAX_BYTES;
        if length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidAuthToken)
        }
    }

    /// Generates a token from 16 random bytes: 32 hexadecimal digits, like Twilio's tokens.
    pub fn from_random_bytes(random_bytes: &[u8; 16]) -> Self {
        Self(format!("{:032x}", u128::from_be_bytes(*random_bytes)).into())
    }

    /// The secret itself. Use it only to show it to its owner or to seal it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

from_text!(AuthToken, new, InvalidAuthToken);

impl TryFrom<String> for AuthToken {
    type Error = InvalidAuthToken;
    fn try_from(text: String) -> Result<Self, InvalidAuthToken> {
        Self::new(&text)
    }
}

impl PartialEq for AuthToken {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for AuthToken {}

impl fmt::Debug for AuthToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthToken(…)")
    }
}

/// A text that is not a valid token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidAuthToken;

impl fmt::Display for InvalidAuthToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = AUTH_TOKEN_MAX_BYTES;
        write!(f, "a token is 1 to {most} printable ASCII characters, no spaces")
    }
}

impl std::error::Error for InvalidAuthToken {}

/// The contents of an `Authorization` header: an account and its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The account that the request claims to come from.
    pub sid: AccountSid,
    /// The token that the request presents.
    pub auth_token: AuthToken,
}

impl Credentials {
    /// Parses the value of an `Authorization` header with HTTP Basic authentication (RFC 7617).
    /// Returns `None` if the scheme is another, the value is malformed, or the user is not an
    /// account Sid.
    pub fn from_authorization(header: &str) -> Option<Self> {
        let (scheme, encoded) = header.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded =
            String::from_utf8(Base64::decode_vec(encoded.trim_matches(' ')).ok()?).ok()?;
        let (user, password) = decoded.split_once(':')?;
        let sid = AccountSid::parse(user).ok()?;
        Some(Self { sid, auth_token: AuthToken::new(password).ok()? })
    }

    /// The value of an `Authorization` header with these credentials.
    pub fn to_authorization(&self) -> String {
        let pair = format!("{}:{}", self.sid, self.auth_token.expose());
        format!("Basic {}", Base64::encode_string(pair.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_go_through_their_header() {
        let credentials = Credentials {
            sid: AccountSid::from_random_bytes(&[7; 16]),
            auth_token: AuthToken::new("se:cret").unwrap(),
        };
        let header = credentials.to_authorization();
        assert_eq!(Credentials::from_authorization(&header), Some(credentials.clone()));
        let lower = header.replace("Basic", "basic");
        assert_eq!(Credentials::from_authorization(&lower), Some(credentials));
    }

    #[test]
    fn other_headers_are_not_credentials() {
        for header in ["", "Basic", "Basic ", "Basic !!!!", "Bearer abc", "Basic QUM6dG9rZW4="] {
            assert_eq!(Credentials::from_authorization(header), None, "{header}");
        }
    }

    #[test]
    fn credentials_are_base64_as_rfc_4648_says_and_no_laxer() {
        let of =
            |sid: &str, token: &str| Base64::encode_string(format!("{sid}:{token}").as_bytes());
        let sid = AccountSid::from_random_bytes(&[7; 16]);
        let is_read = |encoded: &str| {
            let header = format!("Basic {encoded}");
            Credentials::from_authorization(&header).is_some()
        };
        // The Sid and the colon are 35 bytes. One more byte needs no padding, two need two
        // characters, three need one.
        let [whole, two, one] = ["t", "to", "tok"].map(|token| of(sid.as_str(), token));
        assert!(!whole.ends_with('=') && two.ends_with("==") && one.ends_with('='));
        for encoded in [&whole, &two, &one] {
            assert!(is_read(encoded) && is_read(&format!("  {encoded} ")), "{encoded}");
        }
        // Padding must not be missing, shortened, doubled or added where none is due.
        for wrong in
            [two.trim_end_matches('='), two.strip_suffix('=').unwrap(), one.trim_end_matches('=')]
        {
            assert!(!is_read(wrong), "{wrong}");
        }
        for encoded in [&whole, &two, &one] {
            assert!(!is_read(&format!("{encoded}=")), "{encoded}");
            assert!(!is_read(&format!("{encoded}====")), "{encoded}");
        }
        // Unused bits under the padding must be zero: "bw==" is "o", and "bx==" would be too.
        let stem = two.strip_suffix("bw==").unwrap();
        assert!(!is_read(&format!("{stem}bx==")));
        // No line ends or spaces inside, and not the URL-safe alphabet.
        let (start, end) = whole.split_at(20);
        for around in ["\t", "\n", "\u{a0}"] {
            assert!(!is_read(&format!("{whole}{around}")), "{around:?}");
            assert!(!is_read(&format!("{around}{whole}")), "{around:?}");
        }
        for between in [" ", "\n", "\r\n", "-", "_", "é"] {
            assert!(!is_read(&format!("{start}{between}{end}")), "{between:?}");
        }
    }

    #[test]
    fn a_token_stays_out_of_debug_output() {
        let token = AuthToken::from_random_bytes(&[0xab; 16]);
        assert_eq!(token.expose(), "ab".repeat(16));
        assert_eq!(format!("{token:?}"), "AuthToken(…)");
    }

    #[test]
    fn a_token_contains_only_what_a_header_can_carry() {
        for text in ["", "with space", "tab\t", "é", &"a".repeat(129)] {
            assert_eq!(AuthToken::new(text).err(), Some(InvalidAuthToken), "{text}");
        }
    }
}
