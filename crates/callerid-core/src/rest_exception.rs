//! What the service answers when it refuses: one table of codes, statuses and messages.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! error_table {
    ($($(#[$doc:meta])* $name:ident: $code:literal, $status:literal, $message:literal;)+) => {
        /// An error of Twilio's catalogue that this service answers with.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode { $($(#[$doc])* $name,)+ }

        impl ErrorCode {
            /// Every error there is, in the order of their codes.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Twilio's number for it, as its `Code` element carries.
            pub const fn code(self) -> u32 {
                match self { $(Self::$name => $code,)+ }
            }

            /// The HTTP status it is answered with.
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
    /// A name over 64 characters, with one that cannot be shown, or missing from an update.
    InvalidFriendlyName: 20002, 400, "Invalid FriendlyName";
    /// Credentials are missing or wrong.
    Authenticate: 20003, 401, "Authenticate";
    /// The resource does not do that.
    MethodNotAllowed: 20004, 405, "Method not allowed";
    /// The list has no such page.
    PageOutOfRange: 20006, 400, "Page number out of range";
    /// A page size that is no number from 1 to 1000.
    PageSizeTooLarge: 20007, 400, "Page size too large";
    /// No such resource.
    NotFound: 20404, 404, "Not found";
    /// More than a limit allows: a number with too many wrong entries, too many calls.
    TooManyRequests: 20429, 429, "Too Many Requests";
    /// Something is wrong with the service itself.
    Internal: 20500, 500, "Internal Server Error";
    /// The service cannot do anything for now: trying again later may help.
    ServiceUnavailable: 20503, 503, "Service unavailable";
    /// A number that is missing or no valid ten digit number.
    InvalidPhoneNumber: 21401, 400, "Invalid Phone Number";
    /// The number is already one of the account's caller IDs.
    AlreadyValidated: 21450, 400, "Phone number already validated on your account";
    /// A delay that is no whole number of seconds from 0 to 60.
    InvalidCallDelay: 21454, 400, "Invalid CallDelay";
    /// A StatusCallback that is no http or https URL of at most 1000 characters.
    InvalidStatusCallback: 21456, 400, "Invalid CallbackUrl";
    /// A PageToken that this service did not give, or whose row is gone.
    InvalidPageToken: 21481, 400, "Invalid PageToken";
}

impl ErrorCode {
    /// The error with Twilio's number, where this service has it.
    pub fn from_code(code: u32) -> Option<Self> {
        Self::ALL.iter().copied().find(|error| error.code() == code)
    }
}

/// A RestException: the wire's form of an error, as a server writes and a client reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestException {
    /// The HTTP status, said again in the body.
    pub status: u16,
    /// What was wrong, for a person.
    pub message: String,
    /// Twilio's number for it. An error of HTTP itself has none, nor has a 404 of the specification's version.
    pub code: Option<u32>,
    /// Where Twilio explains the code: put in when the error is written, for it depends on the API's version.
    pub more_info: Option<String>,
}

impl RestException {
    /// An error of the table with its bare message.
    pub fn new(error: ErrorCode) -> Self {
        Self::with_message(error, error.message().to_owned())
    }

    /// An error of the table, its message followed by what was wrong this time.
    pub fn because(error: ErrorCode, detail: &str) -> Self {
        Self::with_message(error, format!("{}: {detail}", error.message()))
    }

    /// The 404 for a path: `The requested resource /2008-08-01/… was not found`.
    pub fn not_found(path: &str) -> Self {
        let message =
            format!("The requested resource {path:.MESSAGE_PATH_MAX_CHARS$} was not found");
        Self::with_message(ErrorCode::NotFound, message)
    }

    /// An error of HTTP itself, for which Twilio's catalogue has no number.
    pub fn http(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), code: None, more_info: None }
    }

    fn with_message(error: ErrorCode, message: String) -> Self {
        Self { status: error.status(), message, code: Some(error.code()), more_info: None }
    }

    /// The error of the table that it carries the number of.
    pub fn error_code(&self) -> Option<ErrorCode> {
        self.code.and_then(ErrorCode::from_code)
    }
}

/// How much of a path an error's message repeats.
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
