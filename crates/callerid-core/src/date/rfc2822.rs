//! RFC 2822 dates, the wire's format: always with a weekday, a two-digit day and a numeric offset,
//! as in `Tue, 01 Apr 2008 11:26:32 -0700`. The parser also accepts RFC 2822's obsolete forms.

use super::calendar::{Civil, DAY_SECONDS, weekday};
use super::{Date, east};
use crate::serde_text::serde_text;
use crate::text_conversions::from_text;
use std::fmt;

const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];
const WEEKDAYS: [&[u8; 3]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];

// Arithmetic here cannot overflow, because years have at most four digits. `wrapping_` avoids
// needless checks.

impl Date {
    /// Parses an RFC 2822 date and keeps its offset.
    ///
    /// # Errors
    /// [`InvalidDate`], which says what is wrong and where.
    pub fn parse(text: &str) -> Result<Self, InvalidDate> {
        if let Some(date) = wire_form(text.as_bytes()) {
            return Ok(date);
        }
        let mut reader = Reader { rest: text.as_bytes(), problem: Problem::NoDate };
        let date = reader.date();
        date.ok_or_else(|| InvalidDate {
            problem: reader.problem,
            at: text.len().saturating_sub(reader.rest.len()),
        })
    }

    /// The date in the wire's format: 31 ASCII characters.
    pub fn to_rfc2822(&self) -> Rfc2822 {
        let civil = self.civil();
        let [w0, w1, w2] = name(&WEEKDAYS, civil.weekday());
        let [n0, n1, n2] = name(&MONTHS, usize::from(civil.month).wrapping_sub(1));
        let ([d0, d1], [h0, h1]) = (two_digits(civil.day), two_digits(civil.hour));
        let ([m0, m1], [s0, s1]) = (two_digits(civil.minute), two_digits(civil.second));
        let ([y0, y1], [y2, y3]) =
            (two_digits((civil.year / 100) as u8), two_digits((civil.year % 100) as u8));
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
}

serde_text!(Date, to_string, parse);
from_text!(Date, parse, InvalidDate);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.to_rfc2822().as_str())
    }
}

/// The length of a date such as `Tue, 01 Apr 2008 11:26:32 -0700`.
const RFC_2822_LENGTH: usize = 31;

/// A formatted date: `Tue, 01 Apr 2008 11:26:32 -0700`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Rfc2822([u8; RFC_2822_LENGTH]);

impl Rfc2822 {
    /// The 31 characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// The name at `index`; `???` if there is none.
fn name(names: &[&[u8; 3]], index: usize) -> [u8; 3] {
    names.get(index).map_or(*b"???", |name| **name)
}

/// The two decimal digits of a number under 100.
fn two_digits(number: u8) -> [u8; 2] {
    [b'0'.wrapping_add(number / 10), b'0'.wrapping_add(number % 10)]
}

/// A text that is not an RFC 2822 date, or a date that a [`Date`] cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidDate {
    problem: Problem,
    at: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Problem {
    NoDate,
    /// The date is within the years 0000 to 9999 as written, but not in UTC.
    OutOfRange,
}

impl InvalidDate {
    /// The byte offset of the first invalid character.
    pub fn at(&self) -> usize {
        self.at
    }
}

impl fmt::Display for InvalidDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = match self.problem {
            Problem::NoDate => "not a date like \"Tue, 01 Apr 2008 11:26:32 -0700\"",
            Problem::OutOfRange => "a date that is not within the years 0000 to 9999 in UTC",
        };
        write!(f, "{problem}, from byte {} on", self.at)
    }
}

impl std::error::Error for InvalidDate {}

/// Reads a date in the form that [`Date::to_rfc2822`] writes, as almost all are. Returns `None` for
/// any other form, and for an invalid date.
fn wire_form(text: &[u8]) -> Option<Date> {
    #[rustfmt::skip]
    let [
        w0, w1, w2, b',', b' ', d0, d1, b' ', n0, n1, n2, b' ', y0, y1, y2, y3, b' ',
        h0, h1, b':', m0, m1, b':', s0, s1, b' ', sign @ (b'+' | b'-'), o0, o1, o2, o3,
    ] = *text else { return None };
    let number = |tens: u8, ones: u8, max: u8| {
        let number = (tens & 0xf).wrapping_mul(10).wrapping_add(ones & 0xf);
        (tens.is_ascii_digit() && ones.is_ascii_digit() && number <= max)
            .then_some(i64::from(number))
    };
    let sixty = |whole: i64, part: i64| whole.wrapping_mul(60).wrapping_add(part);
    let year = number(y0, y1, 99)?.wrapping_mul(100).wrapping_add(number(y2, y3, 99)?);
    let month = MONTHS.iter().position(|month| **month == [n0, n1, n2])?;
    let days = Civil::days(year, (month as u8).wrapping_add(1), number(d0, d1, 31)? as u8)?;
    let time = sixty(sixty(number(h0, h1, 23)?, number(m0, m1, 59)?), number(s0, s1, 59)?);
    let offset = sixty(number(o0, o1, 23)?, number(o2, o3, 59)?) as i16;
    let offset = if sign == b'-' { offset.wrapping_neg() } else { offset };
    if name(&WEEKDAYS, weekday(days)) != [w0, w1, w2] {
        return None;
    }
    let seconds = days.wrapping_mul(DAY_SECONDS).wrapping_add(time).wrapping_sub(east(offset));
    Date::checked_new(seconds, offset)
}

/// Reads RFC 2822's `date-time`, with its obsolete forms, from left to right. Methods return `None`
/// on a mismatch.
struct Reader<'a> {
    rest: &'a [u8],
    /// The problem to report on a mismatch.
    problem: Problem,
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
        if stated_weekday.is_some_and(|stated| stated != weekday(days)) {
            self.rest = start;
            return None;
        }
        let seconds = days.wrapping_mul(DAY_SECONDS).wrapping_add(time);
        let east = east(offset_minutes);
        let date = Date::checked_new(seconds.wrapping_sub(east), offset_minutes);
        if date.is_none() {
            self.rest = day_at;
            self.problem = Problem::OutOfRange;
        }
        date
    }

    /// The weekday and its comma, if present. Anything but a digit must be one.
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

    /// The year: four digits, or an obsolete form without the century.
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

    /// Hours, minutes and optional seconds, with the space after them, in seconds. A leap second
    /// counts as the second before it.
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

    /// The offset in minutes: a sign and four digits, or an obsolete zone name.
    fn offset(&mut self) -> Option<i16> {
        if let Some(east) = self.byte(b'+').map(|()| 1).or_else(|| self.byte(b'-').map(|()| -1)) {
            let (hours, minutes) = (self.two_digits(23)?, self.two_digits(59)?);
            let minutes = i16::from(hours).wrapping_mul(60).wrapping_add(minutes.into());
            return Some(minutes.wrapping_mul(east));
        }
        let length = self.rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let (zone, rest) = self.rest.split_at_checked(length)?;
        let zone = zone.to_ascii_uppercase();
        // RFC 2822 treats all other zone names and the single-letter military zones as UTC, because
        // their meaning is uncertain.
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

    /// A comment in brackets, possibly with nested comments, if present.
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

    /// Reads one of `names`, ignoring case, and returns its index.
    fn name(&mut self, names: &[&[u8; 3]]) -> Option<usize> {
        let ([first, second, third], rest) = self.rest.split_first_chunk()?;
        let found =
            [first.to_ascii_uppercase(), second.to_ascii_lowercase(), third.to_ascii_lowercase()];
        let name = names.iter().position(|name| **name == found)?;
        self.rest = rest;
        Some(name)
    }

    fn byte(&mut self, expected: u8) -> Option<()> {
        self.rest = self.rest.strip_prefix(&[expected])?;
        Some(())
    }

    /// Skips white space, and returns whether there was any.
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

#[cfg(test)]
mod tests {
    use super::super::{DAY_MINUTES, Moment};
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
    fn invalid_dates_are_refused() {
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

    /// The range that jiff writes and reads at any offset.
    const JIFF_SECONDS: std::ops::RangeInclusive<i64> = -62_167_132_800..=253_402_207_200;

    /// What the jiff crate reads, limited to what a `Date` can hold.
    fn judge(text: &str) -> Option<Date> {
        let zoned = jiff::fmt::rfc2822::parse(text).ok()?;
        let offset = i16::try_from(zoned.offset().seconds() / 60).unwrap();
        Date::checked_new(zoned.timestamp().as_second(), offset)
    }

    /// What this parser reads, except the last two days of the year 9999, which jiff does not read.
    fn read(text: &str) -> Option<Date> {
        Date::parse(text).ok().filter(|date| date.unix_seconds() <= *JIFF_SECONDS.end())
    }

    proptest::proptest! {
        #[test]
        fn a_date_is_written_as_jiff_writes_it_and_read_back(
            seconds in JIFF_SECONDS,
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
            seconds in JIFF_SECONDS,
            offset in 1 - DAY_MINUTES..DAY_MINUTES,
            at in 0..31_usize,
            bytes in proptest::sample::select(vec![
                "", "0", "1", "9", " ", "  ", ":", ",", "+", "-", "a", "J", "TU", "Z", "(", ")", "60",
            ]),
            length in 0..4_usize,
        ) {
            let mut text = Date::new(seconds, offset).to_string();
            text.replace_range(at..at.saturating_add(length).min(31), bytes);
            assert_eq!(read(&text), judge(&text), "{text}");
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
            assert_eq!(read(&text), judge(&text), "{text}");
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
            let error = InvalidDate { problem: Problem::NoDate, at };
            assert_eq!(Date::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn the_first_and_the_last_date_are_read_as_they_are_and_those_beyond_are_refused() {
        for text in [
            "Fri, 31 Dec 9999 23:59:59 +0000",
            "Fri, 31 Dec 9999 23:59:59 +0001",
            "Fri, 31 Dec 9999 23:58:59 -0001",
            "Fri, 31 Dec 9999 23:59:59 +2359",
            "Fri, 31 Dec 9999 00:00:59 -2359",
            "Sat, 01 Jan 0000 00:00:00 +0000",
            "Sat, 01 Jan 0000 00:00:00 -0001",
            "Sat, 01 Jan 0000 00:01:00 +0001",
            "Sat, 01 Jan 0000 00:00:00 -2359",
            "Sat, 01 Jan 0000 23:59:00 +2359",
        ] {
            assert_eq!(Date::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "Fri, 31 Dec 9999 23:59:00 -0001",
            "Fri, 31 Dec 9999 00:01:00 -2359",
            "Sat, 01 Jan 0000 00:00:59 +0001",
            "Sat, 01 Jan 0000 23:58:59 +2359",
        ] {
            let error = Date::parse(text).unwrap_err();
            assert_eq!(error, InvalidDate { problem: Problem::OutOfRange, at: 5 }, "{text}");
            assert_eq!(
                error.to_string(),
                "a date that is not within the years 0000 to 9999 in UTC, from byte 5 on"
            );
        }
    }
}
