//! Limits of a real phone line: how often it calls a number, for one account and in total.
//!
//! A virtual line has none of them. They are counted from the calls that were admitted, placed or
//! not, and checked in the same store operation as the new call.

use std::fmt;
use std::str::FromStr;

use crate::line_rules::LineRules;

/// The longest period of a [`RateLimit`], and of the limits that count a day's calls. Stores forget
/// calls after it.
pub const DAY_SECONDS: u32 = 86_400;

/// At most so many calls within any period of so many seconds.
///
/// Its text is the number of calls, a slash, and the period in seconds, minutes, hours or a day:
/// `3/10m`, `10/1h`, `50/1d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// The calls.
    pub calls: u32,
    /// The period, in seconds: at most [`DAY_SECONDS`].
    pub seconds: u32,
}

impl RateLimit {
    /// At most so many calls a day.
    pub const fn a_day(calls: u32) -> Self {
        Self { calls, seconds: DAY_SECONDS }
    }
}

/// The units of a period, longest first, with their seconds.
const UNITS: [(&str, u32); 4] = [("d", DAY_SECONDS), ("h", 3_600), ("m", 60), ("s", 1)];

impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, seconds): &&(&str, u32)| self.seconds.checked_rem(*seconds) == Some(0);
        let (unit, seconds) = UNITS.iter().find(fits).copied().unwrap_or(("s", 1));
        write!(f, "{}/{}{unit}", self.calls, self.seconds.checked_div(seconds).unwrap_or_default())
    }
}

impl FromStr for RateLimit {
    type Err = InvalidRateLimit;

    fn from_str(text: &str) -> Result<Self, InvalidRateLimit> {
        let parse = || {
            let (calls, period) = text.split_once('/')?;
            let (count, unit) =
                UNITS.iter().find_map(|(name, unit)| Some((period.strip_suffix(name)?, unit)))?;
            let seconds = count.parse::<u32>().ok()?.checked_mul(*unit)?;
            let calls = calls.parse().ok().filter(|calls| *calls > 0)?;
            (1..=DAY_SECONDS).contains(&seconds).then_some(Self { calls, seconds })
        };
        parse().ok_or(InvalidRateLimit)
    }
}

/// A text that is not a [`RateLimit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidRateLimit;

impl fmt::Display for InvalidRateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected calls and a period of at most a day, like 3/10m, 10/1h or 50/1d")
    }
}

impl std::error::Error for InvalidRateLimit {}

/// The limits of a real phone line, and what it may call at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineLimits {
    /// Calls to one number, from all accounts, within a short time.
    pub number_rate: RateLimit,
    /// Calls to one number, from all accounts, within a day.
    pub number_calls_a_day: u32,
    /// Live calls to one number, from all accounts. A call that replaces another does not count.
    pub live_calls_per_number: u32,
    /// Wrong entries for one number, from all accounts, until the operator clears them.
    pub wrong_codes_per_number: u32,
    /// Calls of one account within a short time.
    pub account_rate: RateLimit,
    /// Calls of one account within a day.
    pub account_calls_a_day: u32,
    /// Live calls of one account.
    pub live_calls_per_account: u32,
    /// Live calls in total.
    pub live_calls: u32,
    /// Calls in total within a day.
    pub calls_a_day: u32,
    /// What may be called at all, and when.
    pub rules: LineRules,
}

impl LineLimits {
    /// The default limits.
    pub const DEFAULT: Self = Self {
        number_rate: RateLimit { calls: 3, seconds: 600 },
        number_calls_a_day: 5,
        live_calls_per_number: 1,
        wrong_codes_per_number: 100,
        account_rate: RateLimit { calls: 10, seconds: 3_600 },
        account_calls_a_day: 50,
        live_calls_per_account: 3,
        live_calls: 20,
        calls_a_day: 1_000,
        rules: LineRules::DEFAULT,
    };

    /// The limits on the calls to a number, on those of an account and on all calls, as rates.
    pub(crate) const fn rates(&self) -> Rates<RateLimit> {
        Rates {
            number: self.number_rate,
            number_a_day: RateLimit::a_day(self.number_calls_a_day),
            account: self.account_rate,
            account_a_day: RateLimit::a_day(self.account_calls_a_day),
            a_day: RateLimit::a_day(self.calls_a_day),
        }
    }
}

impl Default for LineLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Something for each limit that counts the calls of a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rates<T> {
    pub(crate) number: T,
    pub(crate) number_a_day: T,
    pub(crate) account: T,
    pub(crate) account_a_day: T,
    pub(crate) a_day: T,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_read_and_written() {
        for (text, calls, seconds) in
            [("3/10m", 3, 600), ("10/1h", 10, 3_600), ("50/1d", 50, 86_400), ("1/90s", 1, 90)]
        {
            let rate = RateLimit { calls, seconds };
            assert_eq!((text.parse(), rate.to_string().as_str()), (Ok(rate), text));
        }
        assert_eq!("2/24h".parse(), Ok(RateLimit::a_day(2)));
        for text in ["", "3", "3/", "3/m", "0/1h", "3/0s", "3/25h", "3/2d", "-1/1h", "3/10", "x/1h"]
        {
            assert_eq!(text.parse::<RateLimit>(), Err(InvalidRateLimit), "{text}");
        }
    }
}
