//! The phone line that places a service's calls, as far as the rules depend on it.

use callerid_core::PhoneNumber;

/// The phone line that places a service's calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Line {
    /// Calls ring only on the control surface, where clients answer them and press keys.
    #[default]
    Virtual,
    /// Calls ring at real phones. Clients cannot answer them: they know the code, so that they could
    /// validate anybody's number.
    Real {
        /// The line's name in the log, and in the response to `GET /_callerid/health`.
        name: &'static str,
        /// The number that calls come from.
        caller: PhoneNumber,
    },
}

impl Line {
    /// The line's name: `virtual` for the virtual line.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Virtual => "virtual",
            Self::Real { name, .. } => name,
        }
    }

    /// The number that calls come from; `None` for the virtual line.
    pub const fn caller(&self) -> Option<PhoneNumber> {
        match self {
            Self::Virtual => None,
            Self::Real { caller, .. } => Some(*caller),
        }
    }

    /// Whether calls ring at real phones.
    pub const fn is_real(&self) -> bool {
        matches!(self, Self::Real { .. })
    }
}
