//! Dates: [`Date`] as the wire writes them, [`Moment`] as the rules reckon with them.
//!
//! The wire's form is RFC 2822's, always with a weekday, a two-digit day and a numeric offset, as in
//! `Tue, 01 Apr 2008 11:26:32 -0700`. Reading is as lenient as RFC 2822's obsolete forms ask.

use std::cmp::Ordering;
use std::fmt;

use jiff::tz::Offset;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

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

    /// Reads an RFC 2822 date and keeps its offset.
    ///
    /// # Errors
    /// [`InvalidDate`], which says what was wrong.
    pub fn parse(text: &str) -> Result<Self, InvalidDate> {
        let zoned =
            jiff::fmt::rfc2822::parse(text).map_err(|error| InvalidDate(error.to_string()))?;
        let offset_minutes = i16::try_from(zoned.offset().seconds() / 60).unwrap_or_default();
        Ok(Self::new(zoned.timestamp().as_second(), offset_minutes))
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn unix_seconds(&self) -> i64 {
        self.unix_seconds
    }

    /// Minutes east of UTC.
    pub fn offset_minutes(&self) -> i16 {
        self.offset_minutes
    }

    /// The date as the wire writes it: 31 ASCII characters.
    pub fn to_rfc2822(&self) -> Rfc2822 {
        let date = self.civil();
        let name = |names: &[&'static str], index: i8| {
            let index = usize::try_from(index).unwrap_or_default();
            names.get(index).copied().unwrap_or("???")
        };
        let mut text = Writer::default();
        text.word(name(&WEEKDAYS, date.weekday().to_monday_zero_offset()));
        text.word(", ");
        text.digits(date.day().unsigned_abs().into(), 2);
        text.word(" ");
        text.word(name(&MONTHS, date.month().saturating_sub(1)));
        text.word(" ");
        text.digits(date.year().unsigned_abs(), 4);
        text.word(" ");
        text.digits(date.hour().unsigned_abs().into(), 2);
        text.word(":");
        text.digits(date.minute().unsigned_abs().into(), 2);
        text.word(":");
        text.digits(date.second().unsigned_abs().into(), 2);
        text.word(if self.offset_minutes < 0 { " -" } else { " +" });
        let offset = self.offset_minutes.unsigned_abs();
        text.digits(offset / 60, 2);
        text.digits(offset % 60, 2);
        Rfc2822(text.bytes)
    }

    fn civil(&self) -> jiff::civil::DateTime {
        let offset = Offset::from_seconds(i32::from(self.offset_minutes).saturating_mul(60));
        let time = jiff::Timestamp::from_second(self.unix_seconds).unwrap_or_default();
        offset.unwrap_or(Offset::UTC).to_datetime(time)
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

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.to_rfc2822().as_str())
    }
}

/// A date written out, `Tue, 01 Apr 2008 11:26:32 -0700`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Rfc2822([u8; 31]);

impl Rfc2822 {
    /// The 31 characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Fills a fixed width from its left; what does not fit is left out.
#[derive(Default)]
struct Writer {
    bytes: [u8; 31],
    length: usize,
}

impl Writer {
    fn word(&mut self, word: &str) {
        let places = self.bytes.iter_mut().skip(self.length);
        places.zip(word.bytes()).for_each(|(place, byte)| *place = byte);
        self.length = self.length.saturating_add(word.len());
    }

    fn digits(&mut self, number: u16, width: usize) {
        let mut rest = number;
        let places = self.bytes.iter_mut().skip(self.length).take(width);
        for place in places.rev() {
            *place = b'0'.wrapping_add((rest % 10) as u8);
            rest /= 10;
        }
        self.length = self.length.saturating_add(width);
    }
}

/// A text that is no RFC 2822 date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidDate(String);

impl fmt::Display for InvalidDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a date like \"Tue, 01 Apr 2008 11:26:32 -0700\": {}", self.0)
    }
}

impl std::error::Error for InvalidDate {}

/// A point in time, in whole milliseconds since 1970-01-01T00:00:00Z: the `now` that hosts give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

impl Moment {
    /// A moment from milliseconds since 1970-01-01T00:00:00Z.
    pub const fn from_unix_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn unix_millis(self) -> i64 {
        self.0
    }

    /// The moment that many seconds later; the last there is where that would overflow.
    #[must_use]
    pub const fn plus_seconds(self, seconds: u32) -> Self {
        Self(self.0.saturating_add((seconds as i64).saturating_mul(1000)))
    }

    /// The second it falls in, as a date in UTC.
    pub fn to_date(self) -> Date {
        Date::new(self.0.div_euclid(1000), 0)
    }

    /// RFC 3339 in UTC with milliseconds, `2008-04-01T18:26:32.000Z`: the control surface's form.
    pub fn to_rfc3339(self) -> String {
        let date = self.to_date().civil();
        let millis = self.0.rem_euclid(1000);
        format!("{date}.{millis:03}Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specifications_sample_comes_back_as_it_was() {
        let text = "Tue, 01 Apr 2008 11:26:32 -0700";
        let date = Date::parse(text).unwrap();
        assert_eq!((date.unix_seconds(), date.offset_minutes()), (1_207_074_392, -420));
        assert_eq!(date.to_string(), text);
    }

    #[test]
    fn older_ways_to_write_a_date_are_read() {
        for (text, written) in [
            ("1 Apr 2008 18:26 GMT", "Tue, 01 Apr 2008 18:26:00 +0000"),
            ("Tue, 1 Apr 2008 18:26:32 +0530", "Tue, 01 Apr 2008 18:26:32 +0530"),
        ] {
            assert_eq!(Date::parse(text).unwrap().to_string(), written);
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in ["", "yesterday", "2008-04-01T11:26:32Z", "Tue, 31 Feb 2008 11:26:32 -0700"] {
            assert!(Date::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_far_ends_of_time_can_be_written() {
        for seconds in [i64::MIN, i64::MAX] {
            for offset in [i16::MIN, i16::MAX] {
                let written = Date::new(seconds, offset).to_string();
                assert_eq!(written.len(), 31, "{written}");
                assert!(!written.contains('?'), "{written}");
            }
        }
        assert_eq!(Moment::from_unix_millis(i64::MAX).plus_seconds(1).unix_millis(), i64::MAX);
    }

    #[test]
    fn a_moment_before_1970_rounds_down_to_its_second() {
        let moment = Moment::from_unix_millis(-1);
        assert_eq!(moment.to_date().to_string(), "Wed, 31 Dec 1969 23:59:59 +0000");
        assert_eq!(moment.to_rfc3339(), "1969-12-31T23:59:59.999Z");
    }
}
