//! Dates: [`Date`] for the wire, [`Moment`] for computing.

mod calendar;
mod moment;
mod rfc2822;

pub use moment::{InvalidMoment, Moment};
pub use rfc2822::{InvalidDate, Rfc2822};

use calendar::Civil;
use std::cmp::Ordering;

/// The first and last second of the years 0000 to 9999, the years with four digits.
const FIRST_SECOND: i64 = -62_167_219_200;
const LAST_SECOND: i64 = 253_402_300_799;
const DAY_MINUTES: i16 = 24 * 60;

/// A second in time, with the offset from UTC that it was written with.
///
/// The date is within the years 0000 to 9999 both at that offset and in UTC, so it can be written
/// either way.
///
/// Two dates are equal if both the time and the offset are equal. Dates are ordered by time, then
/// by offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Date {
    unix_seconds: i64,
    offset_minutes: i16,
}

impl Date {
    /// Creates a date from seconds since 1970-01-01T00:00:00Z and minutes east of UTC. A time
    /// outside the years 0000 to 9999, or an offset of a day or more, is clamped to the nearest
    /// valid value, because reading a clock must not fail. See [`checked_new`](Self::checked_new).
    pub fn new(unix_seconds: i64, offset_minutes: i16) -> Self {
        let offset_minutes = offset_minutes.clamp(1 - DAY_MINUTES, DAY_MINUTES - 1);
        let east = east(offset_minutes);
        let first = FIRST_SECOND.max(FIRST_SECOND.saturating_sub(east));
        let last = LAST_SECOND.min(LAST_SECOND.saturating_sub(east));
        Self { unix_seconds: unix_seconds.clamp(first, last), offset_minutes }
    }

    /// Creates a date like [`new`](Self::new), but returns `None` where `new` would clamp a value.
    pub fn checked_new(unix_seconds: i64, offset_minutes: i16) -> Option<Self> {
        let date = Self::new(unix_seconds, offset_minutes);
        (date.unix_seconds == unix_seconds && date.offset_minutes == offset_minutes).then_some(date)
    }

    /// The same time with the offset 0.
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

    /// The local day and time at the date's offset.
    fn civil(&self) -> Civil {
        Civil::at(self.unix_seconds.saturating_add(east(self.offset_minutes)))
    }
}

/// Converts an offset to seconds.
fn east(offset_minutes: i16) -> i64 {
    i64::from(offset_minutes).saturating_mul(60)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_what_can_be_kept_are_kept_and_a_second_beyond_is_not() {
        for offset in [1 - DAY_MINUTES, -60, -1, 0, 1, 60, DAY_MINUTES - 1] {
            let east = east(offset);
            // At each end, the limit applies either in UTC or at the date's offset.
            let first = FIRST_SECOND + (-east).max(0);
            let last = LAST_SECOND - east.max(0);
            for (end, beyond) in [(first, first - 1), (last, last + 1)] {
                let date = Date::checked_new(end, offset).unwrap();
                assert_eq!((date.unix_seconds(), date.offset_minutes()), (end, offset));
                assert_eq!(Date::parse(&date.to_string()), Ok(date), "{date}");
                assert_eq!(Date::parse(&date.to_utc().to_string()), Ok(date.to_utc()), "{date}");
                assert_eq!(Date::checked_new(beyond, offset), None, "{beyond} {offset}");
                assert_eq!(Date::new(beyond, offset), date);
            }
        }
        for offset in [i16::MIN, -DAY_MINUTES, DAY_MINUTES, i16::MAX] {
            assert_eq!(Date::checked_new(0, offset), None, "{offset}");
        }
    }
}
