//! The hours of the day in which numbers are called, where they are.

use callerid_core::{Moment, PhoneNumber};
use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::out_of_hours::{FIRST_HOUR, LAST_HOUR, OutOfHours};
use super::region::area_code;
use super::time_zones::TIME_ZONES;

/// The zones of a number that can be anywhere in the United States and Canada, such as a toll-free
/// one: the easternmost and the westernmost.
const ANYWHERE: &[&str] = &["America/St_Johns", "Pacific/Honolulu"];

/// All zones are a multiple of this away from UTC.
const QUARTER_SECONDS: i64 = 900;
/// Two days have every hour of the day, whatever summer time does.
const QUARTERS: i64 = 192;

/// Checks whether it is daytime in all time zones that a number may be in.
///
/// # Errors
/// The time in one of them.
pub(super) fn check(number: &PhoneNumber, at: Moment) -> Result<(), OutOfHours> {
    let database = TimeZoneDatabase::bundled();
    let zones = zones_of(number).iter();
    let zones: Vec<_> = zones.filter_map(|name| Some((*name, database.get(name).ok()?))).collect();
    let seconds = at.unix_millis().div_euclid(1_000);
    let Some((zone, hour, minute)) = night_in(&zones, seconds) else { return Ok(()) };
    let quarter = seconds.div_euclid(QUARTER_SECONDS);
    let opens = (1..=QUARTERS)
        .map(|later| quarter.saturating_add(later).saturating_mul(QUARTER_SECONDS))
        .find(|seconds| night_in(&zones, *seconds).is_none());
    let retry_after = opens.unwrap_or(i64::MAX).saturating_sub(seconds);
    let retry_after = u32::try_from(retry_after).unwrap_or(u32::MAX);
    Err(OutOfHours { hour, minute, zone, retry_after })
}

/// The time zones that a number is or may be in, by its area code.
fn zones_of(number: &PhoneNumber) -> &'static [&'static str] {
    let code = area_code(number);
    let known = TIME_ZONES.iter().find(|(_, codes)| codes.contains(&code));
    known.map_or(ANYWHERE, |(zones, _)| zones)
}

/// The first of these zones in which it is too early or too late, with the hour and the minute there.
fn night_in(zones: &[(&'static str, TimeZone)], seconds: i64) -> Option<(&'static str, i8, i8)> {
    let now = Timestamp::from_second(seconds).unwrap_or_default();
    zones.iter().find_map(|(name, zone)| {
        let there = zone.to_datetime(now);
        let is_day = (FIRST_HOUR..LAST_HOUR).contains(&there.hour());
        (!is_day).then(|| (*name, there.hour(), there.minute()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is checked at a time in UTC: `None` in the daytime, else the wait in seconds.
    fn wait(number: &str, time: &str) -> Option<u32> {
        let time: Timestamp = time.parse().unwrap();
        let at = Moment::from_unix_millis(time.as_millisecond());
        check(&PhoneNumber::parse(number).unwrap(), at).err().map(|it| it.retry_after)
    }

    #[test]
    fn the_bundled_database_has_all_zones() {
        let database = TimeZoneDatabase::bundled();
        let names = TIME_ZONES.iter().flat_map(|(names, _)| *names).chain(ANYWHERE);
        names.for_each(|name| assert!(database.get(name).is_ok(), "{name}"));
    }

    #[test]
    fn a_number_is_called_from_8_to_21_where_it_is_in_summer_and_in_winter() {
        for (number, opens, closes) in [
            ("2125550123", "2026-01-15T13:00:00Z", "2026-01-16T02:00:00Z"),
            ("2125550123", "2026-07-15T12:00:00Z", "2026-07-16T01:00:00Z"),
            ("4158675309", "2026-01-15T16:00:00Z", "2026-01-16T05:00:00Z"),
            // Phoenix has no summer time.
            ("6025550123", "2026-07-15T15:00:00Z", "2026-07-16T04:00:00Z"),
        ] {
            let shifted = |time: &str, seconds: i64| {
                let time: Timestamp = time.parse().unwrap();
                Timestamp::from_second(time.as_second() + seconds).unwrap().to_string()
            };
            assert_eq!(wait(number, &shifted(opens, -1)), Some(1), "{number}");
            assert_eq!(wait(number, opens), None, "{number}");
            assert_eq!(wait(number, &shifted(closes, -1)), None, "{number}");
            assert_eq!(wait(number, closes), Some(11 * 3_600), "{number}");
        }
    }

    #[test]
    fn a_number_that_may_be_in_several_zones_is_called_in_the_daytime_of_all() {
        // Idaho, in Mountain and Pacific time.
        assert_eq!(wait("2085550123", "2026-01-15T15:30:00Z"), Some(1_800));
        assert_eq!(wait("2085550123", "2026-01-15T16:00:00Z"), None);
        assert_eq!(wait("2085550123", "2026-01-16T04:00:00Z"), Some(12 * 3_600));
        // A toll-free number, anywhere from Newfoundland to Hawaii.
        assert_eq!(wait("8005550123", "2026-01-15T17:45:00Z"), Some(900));
        assert_eq!(wait("8005550123", "2026-01-15T18:00:00Z"), None);
        assert_eq!(wait("8005550123", "2026-01-16T00:29:59Z"), None);
        assert!(wait("8005550123", "2026-01-16T00:30:00Z").is_some());
    }

    #[test]
    fn on_a_day_when_the_clocks_change_the_wait_ends_at_8() {
        // In New York, 2026-03-08 has 23 hours and 2026-11-01 has 25.
        assert_eq!(wait("2125550123", "2026-03-08T02:00:00Z"), Some(10 * 3_600));
        assert_eq!(wait("2125550123", "2026-11-01T01:00:00Z"), Some(12 * 3_600));
    }

    #[test]
    fn the_time_there_is_said() {
        let at = Moment::from_unix_millis(
            "2026-01-15T12:59:00Z".parse::<Timestamp>().unwrap().as_millisecond(),
        );
        let error = check(&PhoneNumber::parse("2125550123").unwrap(), at).unwrap_err();
        let said = "it would ring at 07:59 where the number is or may be (America/New_York), and \
                    numbers are called from 08:00 to 21:00";
        assert_eq!(error.to_string(), said);
    }
}
