//! The Gregorian calendar, counted from 1970-01-01T00:00:00.

// Arithmetic here cannot overflow, because years have at most four digits. `wrapping_` avoids
// needless checks.

pub(super) const DAY_SECONDS: i64 = 24 * 60 * 60;

/// A day of the Gregorian calendar and a time of day, in no particular time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Civil {
    /// Since 1970-01-01.
    days: i64,
    pub(super) year: i64,
    /// From 1.
    pub(super) month: u8,
    /// From 1.
    pub(super) day: u8,
    pub(super) hour: u8,
    pub(super) minute: u8,
    pub(super) second: u8,
}

/// The calendar repeats every 400 years.
const ERA_DAYS: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01. An era starts on March 1, right after a leap day.
const EPOCH_DAYS: i64 = 719_468;

impl Civil {
    /// The day and time `seconds` after the start of 1970.
    pub(super) fn at(seconds: i64) -> Self {
        let (days, time) = (seconds.div_euclid(DAY_SECONDS), seconds.rem_euclid(DAY_SECONDS));
        let since = days.wrapping_add(EPOCH_DAYS);
        let (era, day_of_era) = (since.div_euclid(ERA_DAYS), since.rem_euclid(ERA_DAYS));
        // The days before a year of the era are 365 for each earlier year, plus leap days.
        // Subtracting the leap days leaves a number that divides evenly.
        let leap_days = (day_of_era / 1460)
            .wrapping_add(day_of_era / (ERA_DAYS - 1))
            .wrapping_sub(day_of_era / 36_524);
        let year_of_era = day_of_era.wrapping_sub(leap_days) / 365;
        let day_of_year = day_of_era.wrapping_sub(days_before_year(year_of_era));
        // From March on, every five months have 153 days.
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

    /// The number of days since 1970-01-01; `None` if the date does not exist.
    pub(super) fn days(year: i64, month: u8, day: u8) -> Option<i64> {
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

    /// The weekday; 0 is Monday.
    pub(super) fn weekday(&self) -> usize {
        weekday(self.days)
    }
}

/// Days from the start of the era to the start (in March) of a year.
fn days_before_year(year_of_era: i64) -> i64 {
    let leap_days = (year_of_era / 4).wrapping_sub(year_of_era / 100);
    year_of_era.wrapping_mul(365).wrapping_add(leap_days)
}

/// Days from the start of a year in March to the start of a month, counted from March.
fn days_before_month(month: i64) -> i64 {
    month.wrapping_mul(153).wrapping_add(2) / 5
}

/// The weekday `days` after 1970-01-01, which was a Thursday; 0 is Monday.
pub(super) fn weekday(days: i64) -> usize {
    usize::try_from(days.wrapping_add(3).rem_euclid(7)).unwrap_or_default()
}
