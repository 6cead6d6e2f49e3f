//! Dates: [`Date`] as the wire writes them, [`Moment`] as the rules compute with them.

mod calendar;
mod moment;
mod rfc2822;

pub use moment::Moment;
pub use rfc2822::{InvalidDate, Rfc2822};

use calendar::Civil;
use std::cmp::Ordering;

/// The first and last second that a date can say, with any offset: within years 0000 to 9999.
const FIRST_SECOND: i64 = -62_167_132_800;
const LAST_SECOND: i64 = 253_402_207_200;
const DAY_MINUTES: i16 = 24 * 60;

/// A second of time and the offset from UTC that it was written with.
///
/// Two dates are equal if both agree; they are ordered by time, then by offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Date {
    unix_seconds: i64,
    offset_minutes: i16,
}

impl Date {
    /// A date from seconds since 1970-01-01T00:00:00Z and minutes east of UTC. What lies outside
    /// the years 0000 to 9999, or an offset of a day or more, is brought to the nearest that fits.
    pub fn new(unix_seconds: i64, offset_minutes: i16) -> Self {
        Self {
            unix_seconds: unix_seconds.clamp(FIRST_SECOND, LAST_SECOND),
            offset_minutes: offset_minutes.clamp(1 - DAY_MINUTES, DAY_MINUTES - 1),
        }
    }

    /// The same second, written in UTC.
    #[must_use]
    pub fn to_utc(self) -> Self {
        Self { offset_minutes: 0, ..self }
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn unix_seconds(&self) -> i64 {
        self.unix_seconds
    }

    /// Minutes east of UTC.
    pub fn offset_minutes(&self) -> i16 {
        self.offset_minutes
    }

    /// The day and time where the date was written.
    fn civil(&self) -> Civil {
        let east = i64::from(self.offset_minutes).wrapping_mul(60);
        Civil::at(self.unix_seconds.wrapping_add(east))
    }
}

impl Ord for Date {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |date: &Self| (date.unix_seconds, date.offset_minutes);
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for Date {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
