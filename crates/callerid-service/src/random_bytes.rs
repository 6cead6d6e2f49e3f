//! Randomness, as an argument.

use std::fmt;

use callerid_core::{RequestSid, ValidationCode};

/// 80 random bytes, enough for one request: its Sid, and the Sids and the code of one validation.
///
/// A host generates new bytes for every request with the system's random number generator. A test
/// provides its own.
pub struct RandomBytes {
    request_id: [u8; 16],
    pub(crate) call_sid: [u8; 16],
    pub(crate) caller_id_sid: [u8; 16],
    pub(crate) validation_code: [u8; 32],
}

impl RandomBytes {
    /// The number of bytes.
    pub const BYTES: usize = 80;

    /// Creates the value from 80 uniformly random bytes.
    pub fn new(bytes: [u8; Self::BYTES]) -> Self {
        let mut rest = bytes.into_iter();
        let mut next = || rest.next().unwrap_or_default();
        Self {
            request_id: std::array::from_fn(|_| next()),
            call_sid: std::array::from_fn(|_| next()),
            caller_id_sid: std::array::from_fn(|_| next()),
            validation_code: std::array::from_fn(|_| next()),
        }
    }

    /// The Sid of the request that these bytes belong to.
    pub fn request_sid(&self) -> RequestSid {
        RequestSid::from_random_bytes(&self.request_id)
    }

    /// The same bytes, except that they generate this code. For tests, which must know the code to
    /// enter.
    #[must_use]
    pub fn with_code(mut self, code: &ValidationCode) -> Self {
        self.validation_code = code.to_random_bytes();
        self
    }
}

impl fmt::Debug for RandomBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RandomBytes(…)")
    }
}
