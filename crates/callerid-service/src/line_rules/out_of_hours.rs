//! The hours of the day in which numbers are called, and what is said at others.

use std::fmt;

/// The hour from which on numbers are called, where they are.
pub(super) const FIRST_HOUR: i8 = 8;
/// The hour from which on they are not called any more. 47 CFR 64.1200(c)(1) has the same hours for
/// telephone solicitation.
pub(super) const LAST_HOUR: i8 = 21;

/// The time in a place where numbers are not called at this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfHours {
    /// The hour there, from 0.
    pub hour: i8,
    /// The minute there.
    pub minute: i8,
    /// The place's time zone.
    pub zone: &'static str,
    /// The seconds until the number may be called.
    pub retry_after: u32,
}

impl fmt::Display for OutOfHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hour, minute, zone, .. } = self;
        write!(
            f,
            "it would ring at {hour:02}:{minute:02} where the number is or may be ({zone}), and \
             numbers are called from {FIRST_HOUR:02}:00 to {LAST_HOUR}:00"
        )
    }
}
