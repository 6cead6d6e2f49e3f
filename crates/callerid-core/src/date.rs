//! Dates: [`Date`] as the wire writes them, [`Moment`] as the rules reckon with them.
//!
//! The wire's form is RFC 2822's, always with a weekday, a two-digit day and a numeric offset, as in
//! `Tue, 01 Apr 2008 11:26:32 -0700`. Reading is as lenient as RFC 2822's obsolete forms ask.

use std::cmp::Ordering;
use std::fmt;

use crate::text::{digits, put};

const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];
const WEEKDAYS: [&[u8; 3]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];

// No arithmetic here overflows: a year has four digits at most, and `wrapping_` only says that nothing needs to be checked.

/// The first and last second that a date can say, with any offset: within years 0000 to 9999.
const FIRST_SECOND: i64 = -62_167_132_800;
const LAST_SECOND: i64 = 253_402_207_200;
const DAY_MINUTES: i16 = 24 * 60;
const DAY_SECONDS: i64 = 24 * 60 * 60;

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
    /// [`InvalidDate`], which says where it is none.
    pub fn parse(text: &str) -> Result<Self, InvalidDate> {
        let mut reader = Reader { rest: text.as_bytes() };
        let date = reader.date();
        date.ok_or_else(|| InvalidDate { at: text.len().saturating_sub(reader.rest.len()) })
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

    /// The date as the wire writes it: 31 ASCII characters.
    pub fn to_rfc2822(&self) -> Rfc2822 {
        let civil = self.civil();
        let [w0, w1, w2] = civil.weekday();
        let [n0, n1, n2] = civil.month_name();
        let ([d0, d1], [h0, h1]) = (two_digits(civil.day), two_digits(civil.hour));
        let ([m0, m1], [s0, s1]) = (two_digits(civil.minute), two_digits(civil.second));
        let [y0, y1, y2, y3] = civil.year_digits();
        let sign = if self.offset_minutes < 0 { b'-' } else { b'+' };
        let offset = self.offset_minutes.unsigned_abs();
        let ([o0, o1], [o2, o3]) =
            (two_digits((offset / 60) as u8), two_digits((offset % 60) as u8));
        #[rustfmt::skip]
        let text = [
            w0, w1, w2, b',', b' ', d0, d1, b' ', n0, n1, n2, b' ', y0, y1, y2, y3, b' ',
            h0, h1, b':', m0, m1, b':', s0, s1, b' ', sign, o0, o1, o2, o3,
        ];
        Rfc2822(text)
    }

    fn civil(&self) -> Civil {
        let east = i64::from(self.offset_minutes).wrapping_mul(60);
        Civil::at(self.unix_seconds.wrapping_add(east))
    }
}

/// A day of the Gregorian calendar and a time of that day, wherever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Civil {
    /// Since 1970-01-01.
    days: i64,
    year: i64,
    /// From 1.
    month: u8,
    /// From 1.
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
}

/// The calendar repeats itself after 400 years.
const ERA_DAYS: i64 = 146_097;
/// From 0000-03-01, where an era begins with the month after a leap day, to 1970-01-01.
const EPOCH_DAYS: i64 = 719_468;

impl Civil {
    /// The day and time so many seconds after 1970 began.
    fn at(seconds: i64) -> Self {
        let (days, time) = (seconds.div_euclid(DAY_SECONDS), seconds.rem_euclid(DAY_SECONDS));
        let since = days.wrapping_add(EPOCH_DAYS);
        let (era, day_of_era) = (since.div_euclid(ERA_DAYS), since.rem_euclid(ERA_DAYS));
        // Of an era's days, those that come before a year are 365 for each year before it and its leap days; the leap
        // days are taken out, so that what is left divides evenly.
        let leap_days = (day_of_era / 1460)
            .wrapping_add(day_of_era / (ERA_DAYS - 1))
            .wrapping_sub(day_of_era / 36_524);
        let year_of_era = day_of_era.wrapping_sub(leap_days) / 365;
        let day_of_year = day_of_era.wrapping_sub(days_before_year(year_of_era));
        // From March on, months are 153 days in five.
        let month = day_of_year.wrapping_mul(5).wrapping_add(2) / 153;
        let day = day_of_year.wrapping_sub(days_before_month(month)).wrapping_add(1);
        let year = era.wrapping_mul(400).wrapping_add(year_of_era);
        Self {
            days,
            year: if month < 10 { year } else { year.wrapping_add(1) },
            month: (if month < 10 { month.wrapping_add(3) } else { month.wrapping_sub(9) }) as u8,
            day: day as u8,
            hour: (time / 3600) as u8,
            minute: (time / 60 % 60) as u8,
            second: (time % 60) as u8,
        }
    }

    /// The day of these numbers; `None` where there is none.
    fn days(year: i64, month: u8, day: u8) -> Option<i64> {
        let march_first = if month > 2 { year } else { year.wrapping_sub(1) };
        let month_from_march = i64::from(month).wrapping_add(9) % 12;
        let days = march_first
            .div_euclid(400)
            .wrapping_mul(ERA_DAYS)
            .wrapping_add(days_before_year(march_first.rem_euclid(400)))
            .wrapping_add(days_before_month(month_from_march))
            .wrapping_add(i64::from(day))
            .wrapping_sub(EPOCH_DAYS.wrapping_add(1));
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match month {
            2 if is_leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        (1..=length).contains(&day).then_some(days)
    }

    fn weekday(&self) -> [u8; 3] {
        weekday(self.days)
    }

    fn month_name(&self) -> [u8; 3] {
        let index = usize::from(self.month).wrapping_sub(1);
        MONTHS.get(index).map_or(*b"???", |name| **name)
    }

    fn year_digits(&self) -> [u8; 4] {
        let ([y0, y1], [y2, y3]) =
            (two_digits((self.year / 100) as u8), two_digits((self.year % 100) as u8));
        [y0, y1, y2, y3]
    }
}

/// Days of an era before the year that begins in March, counted from the era's first.
fn days_before_year(year_of_era: i64) -> i64 {
    let leap_days = (year_of_era / 4).wrapping_sub(year_of_era / 100);
    year_of_era.wrapping_mul(365).wrapping_add(leap_days)
}

/// Days of a year that begins in March before a month, counted from March.
fn days_before_month(month: i64) -> i64 {
    month.wrapping_mul(153).wrapping_add(2) / 5
}

/// The weekday so many days after 1970 began, on a Thursday.
fn weekday(days: i64) -> [u8; 3] {
    let index = usize::try_from(days.wrapping_add(3).rem_euclid(7)).unwrap_or_default();
    WEEKDAYS.get(index).map_or(*b"???", |name| **name)
}

/// Reads RFC 2822's `date-time` with its obsolete forms, from left to right; `None` where something else stands.
struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn date(&mut self) -> Option<Date> {
        let start = self.rest;
        self.space();
        let stated_weekday = self.weekday()?;
        let day_at = self.rest;
        let day = self.one_or_two_digits()?;
        self.required_space()?;
        let month = self.name(&MONTHS)?;
        self.required_space()?;
        let year = self.year()?;
        self.required_space()?;
        let time = self.time()?;
        let offset_minutes = self.offset()?;
        self.space();
        self.comment()?;
        self.space();
        if !self.rest.is_empty() {
            return None;
        }
        let month = (month as u8).wrapping_add(1);
        let Some(days) = Civil::days(year, month, day) else {
            self.rest = day_at;
            return None;
        };
        if stated_weekday.is_some_and(|stated| WEEKDAYS.get(stated) != Some(&&weekday(days))) {
            self.rest = start;
            return None;
        }
        let seconds = days.wrapping_mul(DAY_SECONDS).wrapping_add(time);
        let east = i64::from(offset_minutes).wrapping_mul(60);
        Some(Date::new(seconds.wrapping_sub(east), offset_minutes))
    }

    /// The weekday and its comma, where they stand: everything but a digit must be one.
    fn weekday(&mut self) -> Option<Option<usize>> {
        if self.rest.first().is_none_or(u8::is_ascii_digit) {
            return Some(None);
        }
        let weekday = self.name(&WEEKDAYS)?;
        self.space();
        self.byte(b',')?;
        self.space();
        Some(Some(weekday))
    }

    /// The year: four digits, or an obsolete form that leaves the century out.
    fn year(&mut self) -> Option<i64> {
        let mut year = i64::from(self.digit()?).wrapping_mul(10).wrapping_add(self.digit()?.into());
        let mut length = 2_u8;
        while length < 4
            && let Some(digit) = self.digit()
        {
            year = year.wrapping_mul(10).wrapping_add(digit.into());
            length = length.wrapping_add(1);
        }
        Some(match length {
            4 => year,
            2 if year < 50 => year.wrapping_add(2000),
            _ => year.wrapping_add(1900),
        })
    }

    /// Hours, minutes and perhaps seconds, and the space after them, as seconds. A leap second is the one before it.
    fn time(&mut self) -> Option<i64> {
        let hour = self.two_digits(23)?;
        self.space();
        self.byte(b':')?;
        self.space();
        let minute = self.two_digits(59)?;
        let has_space = self.space();
        let mut second = 0;
        if self.byte(b':').is_some() {
            self.space();
            second = self.two_digits(60)?.min(59);
            self.required_space()?;
        } else if !has_space {
            return None;
        }
        let minutes = i64::from(hour).wrapping_mul(60).wrapping_add(minute.into());
        Some(minutes.wrapping_mul(60).wrapping_add(second.into()))
    }

    /// The offset in minutes: four digits and their sign, or the obsolete name of a zone.
    fn offset(&mut self) -> Option<i16> {
        if let Some(east) = self.byte(b'+').map(|()| 1).or_else(|| self.byte(b'-').map(|()| -1)) {
            let (hours, minutes) = (self.two_digits(23)?, self.two_digits(59)?);
            let minutes = i16::from(hours).wrapping_mul(60).wrapping_add(minutes.into());
            return Some(minutes.wrapping_mul(east));
        }
        let length = self.rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let (zone, rest) = self.rest.split_at_checked(length)?;
        let zone = zone.to_ascii_uppercase();
        // Every other name, and the single letters of the military, mean nothing certain: RFC 2822 takes them for UTC.
        let is_name = match length {
            1 => zone != b"J",
            2 => zone == b"UT",
            _ => (3..=5).contains(&length),
        };
        if !is_name {
            return None;
        }
        let hours: i16 = match zone.as_slice() {
            b"EDT" => -4,
            b"EST" | b"CDT" => -5,
            b"CST" | b"MDT" => -6,
            b"MST" | b"PDT" => -7,
            b"PST" => -8,
            _ => 0,
        };
        self.rest = rest;
        Some(hours.wrapping_mul(60))
    }

    /// A comment in brackets, which may have others in it, where one stands.
    fn comment(&mut self) -> Option<()> {
        if self.rest.first() != Some(&b'(') {
            return Some(());
        }
        let mut depth = 0_usize;
        let mut is_escaped = false;
        while let Some((byte, rest)) = self.rest.split_first() {
            self.rest = rest;
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'(' => depth = depth.wrapping_add(1),
                b')' => depth = depth.wrapping_sub(1),
                _ => {}
            }
            if depth == 0 {
                return Some(());
            }
        }
        None
    }

    /// One of the names, in any case: its place among them.
    fn name(&mut self, names: &[&[u8; 3]]) -> Option<usize> {
        let (found, rest) = self.rest.split_first_chunk::<3>()?;
        let name = names.iter().position(|name| name.eq_ignore_ascii_case(found))?;
        self.rest = rest;
        Some(name)
    }

    fn byte(&mut self, expected: u8) -> Option<()> {
        self.rest = self.rest.strip_prefix(&[expected])?;
        Some(())
    }

    /// White space, if any; returns whether there is.
    fn space(&mut self) -> bool {
        let before = self.rest.len();
        self.rest = self.rest.trim_ascii_start();
        self.rest.len() < before
    }

    fn required_space(&mut self) -> Option<()> {
        self.space().then_some(())
    }

    fn digit(&mut self) -> Option<u8> {
        let (digit, rest) = self.rest.split_first()?;
        let value = digit.is_ascii_digit().then(|| digit.wrapping_sub(b'0'))?;
        self.rest = rest;
        Some(value)
    }

    fn one_or_two_digits(&mut self) -> Option<u8> {
        let first = self.digit()?;
        Some(match self.digit() {
            Some(second) => first.wrapping_mul(10).wrapping_add(second),
            None => first,
        })
    }

    fn two_digits(&mut self, most: u8) -> Option<u8> {
        let start = self.rest;
        let number = self.digit()?.wrapping_mul(10).wrapping_add(self.digit()?);
        if number > most {
            self.rest = start;
            return None;
        }
        Some(number)
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

/// Characters of a date, `Tue, 01 Apr 2008 11:26:32 -0700`.
const RFC_2822_LENGTH: usize = 31;

/// A date written out, `Tue, 01 Apr 2008 11:26:32 -0700`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Rfc2822([u8; RFC_2822_LENGTH]);

impl Rfc2822 {
    /// The 31 characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// The two decimal digits of a number under a hundred.
fn two_digits(number: u8) -> [u8; 2] {
    [b'0'.wrapping_add(number / 10), b'0'.wrapping_add(number % 10)]
}

/// A text that is no RFC 2822 date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidDate {
    at: usize,
}

impl fmt::Display for InvalidDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = digits(self.at);
        put(f, &["not a date like \"Tue, 01 Apr 2008 11:26:32 -0700\", from byte ", &at, " on"])
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
        let civil = self.to_date().civil();
        let millis = self.0.rem_euclid(1000);
        let [y0, y1, y2, y3] = civil.year_digits();
        let ([n0, n1], [d0, d1]) = (two_digits(civil.month), two_digits(civil.day));
        let ([h0, h1], [m0, m1]) = (two_digits(civil.hour), two_digits(civil.minute));
        let ([s0, s1], [f0, f1]) = (two_digits(civil.second), two_digits((millis / 10) as u8));
        let [_, f2] = two_digits((millis % 10) as u8);
        #[rustfmt::skip]
        let text = [
            y0, y1, y2, y3, b'-', n0, n1, b'-', d0, d1, b'T',
            h0, h1, b':', m0, m1, b':', s0, s1, b'.', f0, f1, f2, b'Z',
        ];
        std::str::from_utf8(&text).unwrap_or_default().to_owned()
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
            ("Tue, 01 Apr 2008 18:26:32 -0000", "Tue, 01 Apr 2008 18:26:32 +0000"),
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

    /// What the jiff crate reads, within what a date can say.
    fn judge(text: &str) -> Option<Date> {
        let zoned = jiff::fmt::rfc2822::parse(text).ok()?;
        let offset = i16::try_from(zoned.offset().seconds() / 60).unwrap();
        Some(Date::new(zoned.timestamp().as_second(), offset))
    }

    proptest::proptest! {
        #[test]
        fn a_date_is_written_as_jiff_writes_it_and_read_back(
            seconds in FIRST_SECOND..=LAST_SECOND,
            offset in 1 - DAY_MINUTES..DAY_MINUTES,
            millis in 0..1000_i64,
        ) {
            let date = Date::new(seconds, offset);
            assert_eq!(Date::parse(&date.to_string()), Ok(date));
            let zone = jiff::tz::Offset::from_seconds(i32::from(offset).saturating_mul(60)).unwrap();
            let timestamp = jiff::Timestamp::from_second(seconds).unwrap();
            let zoned = timestamp.to_zoned(zone.to_time_zone());
            let written = jiff::fmt::strtime::format("%a, %d %b %Y %H:%M:%S %z", &zoned).unwrap();
            assert_eq!(date.to_string(), written);
            let moment = Moment::from_unix_millis(seconds.saturating_mul(1000).saturating_add(millis));
            let timestamp = jiff::Timestamp::from_millisecond(moment.unix_millis()).unwrap();
            assert_eq!(moment.to_rfc3339(), format!("{timestamp:.3}"));
        }

        #[test]
        fn a_date_is_read_as_jiff_reads_it(
            seconds in FIRST_SECOND..LAST_SECOND.saturating_sub(DAY_SECONDS),
            offset in 1 - DAY_MINUTES..DAY_MINUTES,
            at in 0..31_usize,
            bytes in proptest::sample::select(vec![
                "", "0", "1", "9", " ", "  ", ":", ",", "+", "-", "a", "J", "TU", "Z", "(", ")", "60",
            ]),
            length in 0..4_usize,
        ) {
            let mut text = Date::new(seconds, offset).to_string();
            text.replace_range(at..at.saturating_add(length).min(31), bytes);
            assert_eq!(Date::parse(&text).ok(), judge(&text), "{text}");
        }

        #[test]
        fn obsolete_forms_are_read_as_jiff_reads_them(
            weekday in proptest::sample::select(vec!["", "Tue,", " tue , ", "Tue", "Wed, "]),
            day in "0?1 |1  |001 ",
            month in "Apr|apr|APR|April|Ap",
            year in " (2008|08|108|8|75|20080|008)",
            time in " (11:26|11 : 26 : 32|11:26:60|24:00|1:26|11:60)",
            zone in " ?(EST|edt|Z|a|j|J|UT|GMT|XY|ABCDE|ABCDEF|Q1|\\+07|-0060|\\+2360)",
            comment in "| | \\(Pacific\\)| \\(a\\(b\\)\\\\\\)c\\) | \\(x| x",
        ) {
            let text = format!("{weekday}{day}{month}{year}{time}{zone}{comment}");
            assert_eq!(Date::parse(&text).ok(), judge(&text), "{text}");
        }
    }

    #[test]
    fn an_error_says_where() {
        for (text, at) in [
            ("Tue, 31 Feb 2008 11:26:32 -0700", 5),
            ("Wed, 01 Apr 2008 11:26:32 -0700", 0),
            ("Tue, 01 Apr 2008 25:26:32 -0700", 17),
            ("Tue, 01 Apr 2008 11:26:32 -0700 x", 32),
        ] {
            assert_eq!(Date::parse(text), Err(InvalidDate { at }), "{text}");
        }
    }

    #[test]
    fn a_moment_before_1970_rounds_down_to_its_second() {
        let moment = Moment::from_unix_millis(-1);
        assert_eq!(moment.to_date().to_string(), "Wed, 31 Dec 1969 23:59:59 +0000");
        assert_eq!(moment.to_rfc3339(), "1969-12-31T23:59:59.999Z");
    }
}
