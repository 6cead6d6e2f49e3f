//! The service's error responses: one table of codes, statuses and messages.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! error_table {
    ($($(#[$doc:meta])* $name:ident: $code:literal, $status:literal, $message:literal;)+) => {
        /// An error of Twilio's catalogue that this service returns.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode { $($(#[$doc])* $name,)+ }

        impl ErrorCode {
            /// Every error, ordered by code.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Twilio's code for this error, sent in the `Code` element.
            pub const fn code(self) -> u32 {
                match self { $(Self::$name => $code,)+ }
            }

            /// The HTTP status of the response.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }

            /// Twilio's short message.
            pub const fn message(self) -> &'static str {
                match self { $(Self::$name => $message,)+ }
            }
        }
    };
}

error_table! {
    /// A name is over 64 characters, has an unprintable character, or is missing from an update.
    InvalidFriendlyName: 20002, 400, "Invalid FriendlyName";
    /// Credentials are missing or wrong.
    Authenticate: 20003, 401, "Authenticate";
    /// The resource does not support this method.
    MethodNotAllowed: 20004, 405, "Method not allowed";
    /// The list does not have this page.
    PageOutOfRange: 20006, 400, "Page number out of range";
    /// The page size is not a number from 1 to 1000.
    PageSizeTooLarge: 20007, 400, "Page size too large";
    /// The resource does not exist.
    NotFound: 20404, 404, "Not found";
    /// A limit is exceeded: too many wrong entries for a number, or too many calls.
    TooManyRequests: 20429, 429, "Too Many Requests";
    /// The service itself has failed.
    Internal: 20500, 500, "Internal Server Error";
    /// The service is temporarily unable to do anything. Trying again later may help.
    ServiceUnavailable: 20503, 503, "Service unavailable";
    /// The number's region may not be called.
    RegionNotAllowed: 21215, 400, "Account not authorized to call phone number";
    /// The number may not be called, or not now.
    NumberNotAllowed: 21216, 400, "Account not allowed to call phone number";
    /// The number is missing or not a valid ten-digit number.
    InvalidPhoneNumber: 21401, 400, "Invalid Phone Number";
    /// The number is already one of the account's caller IDs.
    AlreadyValidated: 21450, 400, "Phone number already validated on your account";
    /// The delay is not a whole number of seconds from 0 to 60.
    InvalidCallDelay: 21454, 400, "Invalid CallDelay";
    /// The StatusCallback is not an http or https URL of at most 1000 characters.
    InvalidStatusCallback: 21456, 400, "Invalid CallbackUrl";
    /// This service did not issue the PageToken, or the row that it refers to is gone.
    InvalidPageToken: 21481, 400, "Invalid PageToken";
}

impl ErrorCode {
    /// The error with this Twilio code, if this service uses it.
    pub fn from_code(code: u32) -> Option<Self> {
        Self::ALL.iter().copied().find(|error| error.code() == code)
    }
}

/// A RestException: an error as the server writes and the client reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestException {
    /// The HTTP status, repeated in the body.
    pub status: u16,
    /// What is wrong, in human-readable form.
    pub message: String,
    /// Twilio's code. HTTP-level errors have none, and neither does a 404 in the specification's
    /// version.
    pub code: Option<u32>,
    /// The address of Twilio's explanation of the code. It depends on the API version, so it is
    /// added when the error is written.
    pub more_info: Option<String>,
}

impl RestException {
    /// Creates an error from the table, with its standard message.
    pub fn new(error: ErrorCode) -> Self {
        Self::with_message(error, error.message().to_owned())
    }

    /// Creates an error from the table, with details after its standard message.
    pub fn because(error: ErrorCode, detail: &str) -> Self {
        Self::with_message(error, format!("{}: {detail}", error.message()))
    }

    /// The 404 for a path: `The requested resource /2008-08-01/… was not found`.
    pub fn not_found(path: &str) -> Self {
        let message =
            format!("The requested resource {path:.MESSAGE_PATH_MAX_CHARS$} was not found");
        Self::with_message(ErrorCode::NotFound, message)
    }

    /// Creates an HTTP-level error, which has no code in Twilio's catalogue.
    pub fn http(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), code: None, more_info: None }
    }

    fn with_message(error: ErrorCode, message: String) -> Self {
        Self { status: error.status(), message, code: Some(error.code()), more_info: None }
    }

    /// The table's error for this code, if any.
    pub fn error_code(&self) -> Option<ErrorCode> {
        self.code.and_then(ErrorCode::from_code)
    }
}

/// The maximum number of characters of a path that an error message repeats.
const MESSAGE_PATH_MAX_CHARS: usize = 256;

impl fmt::Display for RestException {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (HTTP {}", self.message, self.status)?;
        if let Some(code) = self.code {
            write!(f, ", code {code}")?;
        }
        f.write_str(")")
    }
}

impl std::error::Error for RestException {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_stand_once() {
        assert!(ErrorCode::ALL.windows(2).all(|pair| pair[0].code() < pair[1].code()));
        for error in ErrorCode::ALL {
            assert_eq!(ErrorCode::from_code(error.code()), Some(*error));
        }
    }

    #[test]
    fn an_exception_says_everything_a_person_needs() {
        let exception = RestException::because(ErrorCode::InvalidCallDelay, "\"61\" is over 60");
        assert_eq!(
            exception.to_string(),
            "Invalid CallDelay: \"61\" is over 60 (HTTP 400, code 21454)"
        );
    }

    #[test]
    fn a_long_path_is_not_repeated_whole() {
        let exception = RestException::not_found(&"é".repeat(100_000));
        assert!(exception.message.len() < 1000);
    }
}
