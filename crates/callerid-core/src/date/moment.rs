//! Moments: points in time.

use serde::{Deserialize, Serialize};

use super::Date;
use super::calendar::Civil;

/// A point in time, in whole milliseconds since 1970-01-01T00:00:00Z. Hosts pass it as `now`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Moment(i64);

impl Moment {
    /// Creates a moment from milliseconds since 1970-01-01T00:00:00Z.
    pub const fn from_unix_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn unix_millis(self) -> i64 {
        self.0
    }

    /// The moment `seconds` later. Saturates instead of overflowing.
    #[must_use]
    pub const fn plus_seconds(self, seconds: u32) -> Self {
        Self(self.0.saturating_add((seconds as i64).saturating_mul(1000)))
    }

    /// The second that contains this moment, as a date in UTC.
    pub fn to_date(self) -> Date {
        Date::new(self.0.div_euclid(1000), 0)
    }

    /// RFC 3339 in UTC with milliseconds, as the control surface writes it:
    /// `2008-04-01T18:26:32.000Z`.
    pub fn to_rfc3339(self) -> String {
        let Civil { year, month, day, hour, minute, second, .. } = self.to_date().civil();
        let millis = self.0.rem_euclid(1000);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_before_1970_rounds_down_to_its_second() {
        let moment = Moment::from_unix_millis(-1);
        assert_eq!(moment.to_date().to_string(), "Wed, 31 Dec 1969 23:59:59 +0000");
        assert_eq!(moment.to_rfc3339(), "1969-12-31T23:59:59.999Z");
    }
}
