//! Moments: points in time.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Date;
use super::calendar::{Civil, DAY_SECONDS};

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

    /// Parses RFC 3339 in UTC, with or without milliseconds: `2008-04-01T18:26:32Z`.
    ///
    /// # Errors
    /// [`InvalidMoment`] for any other text, and for a time that does not exist.
    pub fn from_rfc3339(text: &str) -> Result<Self, InvalidMoment> {
        parse_rfc3339(text).ok_or(InvalidMoment)
    }
}

fn parse_rfc3339(text: &str) -> Option<Moment> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let (time, millis) = match time.split_once('.') {
        Some((time, millis)) => (time, number(millis, 3)?),
        None => (time, 0),
    };
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let exists = (1..=12).contains(&month) && hour < 24 && minute < 60 && second < 60;
    let days =
        Civil::days(year, month.try_into().ok()?, day.try_into().ok()?).filter(|_| exists)?;
    let seconds =
        hour.checked_mul(3600)?.checked_add(minute.checked_mul(60)?)?.checked_add(second)?;
    let seconds = days.checked_mul(DAY_SECONDS)?.checked_add(seconds)?;
    Some(Moment(seconds.checked_mul(1000)?.checked_add(millis)?))
}

fn numbers(text: &str, separator: char, digits: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut next = |digits| number(parts.next()?, digits);
    let [first, second, third] = digits;
    let numbers = [next(first)?, next(second)?, next(third)?];
    parts.next().is_none().then_some(numbers)
}

/// A number with exactly so many digits.
fn number(text: &str, digits: usize) -> Option<i64> {
    let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

/// A text that is not a time in UTC as RFC 3339 writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidMoment;

impl fmt::Display for InvalidMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a time in UTC, such as 2008-04-01T18:26:32Z")
    }
}

impl std::error::Error for InvalidMoment {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_3339_round_trips_and_other_texts_are_invalid() {
        for text in
            ["2008-04-01T18:26:32.000Z", "0000-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"]
        {
            assert_eq!(Moment::from_rfc3339(text).map(Moment::to_rfc3339).as_deref(), Ok(text));
        }
        let moment = Moment::from_unix_millis(1_207_074_392_000);
        assert_eq!(Moment::from_rfc3339("2008-04-01T18:26:32Z"), Ok(moment));
        for text in [
            "",
            "2008-04-01",
            "2008-04-01T18:26:32",
            "2008-04-01T18:26:32+00:00",
            "2008-4-01T18:26:32Z",
            "2008-04-31T18:26:32Z",
            "2008-00-01T18:26:32Z",
            "2008-04-01T24:00:00Z",
            "2008-04-01T18:26:32.1Z",
            "2008-04-01T18:26:32:00Z",
            "+008-04-01T18:26:32Z",
        ] {
            assert_eq!(Moment::from_rfc3339(text), Err(InvalidMoment), "{text}");
        }
    }

    #[test]
    fn a_moment_before_1970_rounds_down_to_its_second() {
        let moment = Moment::from_unix_millis(-1);
        assert_eq!(moment.to_date().to_string(), "Wed, 31 Dec 1969 23:59:59 +0000");
        assert_eq!(moment.to_rfc3339(), "1969-12-31T23:59:59.999Z");
    }
}
