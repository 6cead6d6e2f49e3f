//! Line usage: what a service knows of a real line's earlier calls when another is asked for.

use callerid_core::{AccountSid, Moment, PhoneNumber};
use serde::{Deserialize, Serialize};

use crate::call::CLOCK_TOLERANCE_SECONDS;
use crate::limits::RETRY_SECONDS;
use crate::line_limits::{DAY_SECONDS, LineLimits, RateLimit};
use crate::waiting::seconds_left;

/// The `Retry-After` of a create while the operator has stopped the line.
pub(crate) const STOPPED_RETRY_SECONDS: u32 = 60;

/// Whose calls a limit of a real line counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallsOf<'a> {
    /// Those to a number, from all accounts.
    Number(&'a PhoneNumber),
    /// Those of an account.
    Account(&'a AccountSid),
    /// All calls.
    All,
}

/// What a store knows of a real line when a validation is requested.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineUsage {
    /// When the calls were admitted that the limits on calls within a period count back to.
    admitted: Admitted,
    /// Live calls of other accounts to the number. (The account's own call is replaced.)
    pub others_live_calls: u32,
    /// Wrong entries for the number on a real line, since they were last cleared.
    pub wrong_codes: u32,
    /// Whether the number's owner wants no calls.
    pub is_opted_out: bool,
    /// Whether the operator has stopped the line.
    pub is_stopped: bool,
}

/// For each limit: when the call was admitted that must be older than the limit's period.
type Admitted = crate::line_limits::Rates<Option<Moment>>;

impl LineUsage {
    /// Counts the calls of the limits that have a period. `nth_newest` finds when the `n`th newest
    /// call of those that the first argument names was admitted, from 1, among those admitted at the
    /// given time or before. (If a clock was set back, later calls must lock out nobody.)
    ///
    /// # Errors
    /// The first error of `nth_newest`.
    pub fn count<E>(
        limits: &LineLimits,
        account: &AccountSid,
        number: &PhoneNumber,
        now: Moment,
        mut nth_newest: impl FnMut(CallsOf<'_>, u32, Moment) -> Result<Option<Moment>, E>,
    ) -> Result<Self, E> {
        let latest = now.plus_seconds(CLOCK_TOLERANCE_SECONDS);
        let mut find = |of, rate: RateLimit| match rate.calls {
            // Every call exceeds it.
            0 => Ok(Some(now)),
            calls => nth_newest(of, calls, latest),
        };
        let (rates, number, account) =
            (limits.rates(), CallsOf::Number(number), CallsOf::Account(account));
        let admitted = Admitted {
            number: find(number, rates.number)?,
            number_a_day: find(number, rates.number_a_day)?,
            account: find(account, rates.account)?,
            account_a_day: find(account, rates.account_a_day)?,
            a_day: find(CallsOf::All, rates.a_day)?,
        };
        Ok(Self { admitted, ..Self::default() })
    }

    /// The limit that a new call exceeds, if any, and the seconds until it may be asked for again:
    /// of several limits, that with the longest wait. `account_calls` and `all_calls` are the live
    /// calls besides the one that it replaces.
    pub(crate) fn exceeded(
        &self,
        limits: &LineLimits,
        account_calls: u32,
        all_calls: u32,
        now: Moment,
    ) -> Option<(LineLimit, u32)> {
        let (rates, admitted) = (limits.rates(), &self.admitted);
        let wait = |limit, rate: RateLimit, admitted: Option<Moment>| {
            Some((limit, seconds_left(admitted?, rate.seconds, now)?))
        };
        let at_most = |limit, most: u32, live: u32, retry_after| {
            (live >= most).then_some((limit, retry_after))
        };
        let exceeded = [
            wait(LineLimit::NumberRate, rates.number, admitted.number),
            wait(LineLimit::NumberCallsADay, rates.number_a_day, admitted.number_a_day),
            wait(LineLimit::AccountRate, rates.account, admitted.account),
            wait(LineLimit::AccountCallsADay, rates.account_a_day, admitted.account_a_day),
            wait(LineLimit::CallsADay, rates.a_day, admitted.a_day),
            at_most(
                LineLimit::LiveCallsPerNumber,
                limits.live_calls_per_number,
                self.others_live_calls,
                RETRY_SECONDS,
            ),
            at_most(
                LineLimit::WrongCodesPerNumber,
                limits.wrong_codes_per_number,
                self.wrong_codes,
                DAY_SECONDS,
            ),
            at_most(
                LineLimit::LiveCallsPerAccount,
                limits.live_calls_per_account,
                account_calls,
                RETRY_SECONDS,
            ),
            at_most(LineLimit::LiveCalls, limits.live_calls, all_calls, RETRY_SECONDS),
        ];
        exceeded.into_iter().flatten().max_by_key(|(_, retry_after)| *retry_after)
    }
}

/// A limit of a real line; see [`LineLimits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineLimit {
    /// [`LineLimits::number_rate`].
    NumberRate,
    /// [`LineLimits::number_calls_a_day`].
    NumberCallsADay,
    /// [`LineLimits::live_calls_per_number`].
    LiveCallsPerNumber,
    /// [`LineLimits::wrong_codes_per_number`].
    WrongCodesPerNumber,
    /// [`LineLimits::account_rate`].
    AccountRate,
    /// [`LineLimits::account_calls_a_day`].
    AccountCallsADay,
    /// [`LineLimits::live_calls_per_account`].
    LiveCallsPerAccount,
    /// [`LineLimits::live_calls`].
    LiveCalls,
    /// [`LineLimits::calls_a_day`].
    CallsADay,
}

impl LineLimit {
    /// A stable name: `LineNumberRate`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NumberRate => "LineNumberRate",
            Self::NumberCallsADay => "LineNumberCallsADay",
            Self::LiveCallsPerNumber => "LineLiveCallsPerNumber",
            Self::WrongCodesPerNumber => "LineWrongCodesPerNumber",
            Self::AccountRate => "LineAccountRate",
            Self::AccountCallsADay => "LineAccountCallsADay",
            Self::LiveCallsPerAccount => "LineLiveCallsPerAccount",
            Self::LiveCalls => "LineLiveCalls",
            Self::CallsADay => "LineCallsADay",
        }
    }

    /// What is exceeded, for the response.
    pub(crate) const fn detail(self) -> &'static str {
        match self {
            Self::NumberRate => "this number has been called too often in a short time",
            Self::NumberCallsADay => "this number has been called too often today",
            Self::LiveCallsPerNumber => "another account is calling this number",
            Self::WrongCodesPerNumber => {
                "this number has had too many wrong codes; whoever runs the service can clear them"
            }
            Self::AccountRate => "this account has asked for too many calls in a short time",
            Self::AccountCallsADay => "this account has asked for too many calls today",
            Self::LiveCallsPerAccount => "too many calls of this account are under way",
            Self::LiveCalls => "too many calls are under way",
            Self::CallsADay => "too many calls have been asked for today",
        }
    }
}

/// A number whose owner wants no calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptOut {
    /// The number.
    pub number: PhoneNumber,
    /// Since when.
    pub since: Moment,
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    const NOW: Moment = Moment::from_unix_millis(1_207_074_392_000);

    /// The usage after calls to one number, of one account, so many seconds ago, and the limit that
    /// another call exceeds.
    fn exceeded(limits: &LineLimits, ago: &[i64]) -> Option<(LineLimit, u32)> {
        let at = |ago: &i64| {
            let millis = ago.saturating_mul(1_000);
            Moment::from_unix_millis(NOW.unix_millis().saturating_sub(millis))
        };
        let mut calls: Vec<Moment> = ago.iter().map(at).collect();
        calls.sort_by(|left, right| right.cmp(left));
        let account = AccountSid::from_random_bytes(&[1; 16]);
        let number = PhoneNumber::parse("4158675309").unwrap();
        let usage = LineUsage::count(limits, &account, &number, NOW, |_, n, latest| {
            let known = calls.iter().filter(|at| **at <= latest);
            Ok::<_, Infallible>(known.copied().nth((n as usize).saturating_sub(1)))
        });
        usage.unwrap().exceeded(limits, 0, 0, NOW)
    }

    #[test]
    fn the_calls_of_any_ten_minutes_and_of_any_day_are_counted() {
        let limits = LineLimits::DEFAULT;
        assert_eq!(exceeded(&limits, &[0, 0]), None);
        assert_eq!(exceeded(&limits, &[599, 300, 0]), Some((LineLimit::NumberRate, 1)));
        assert_eq!(exceeded(&limits, &[600, 300, 0]), None);
        let four = [80_000, 60_000, 40_000, 20_000];
        assert_eq!(exceeded(&limits, &four), None);
        let five = [86_399, 60_000, 40_000, 20_000, 10_000];
        assert_eq!(exceeded(&limits, &five), Some((LineLimit::NumberCallsADay, 1)));
        let five = [86_400, 60_000, 40_000, 20_000, 10_000];
        assert_eq!(exceeded(&limits, &five), None);
    }

    #[test]
    fn of_several_limits_the_longest_wait_counts() {
        let calls = [300, 200, 100, 50, 0];
        let of_day = Some((LineLimit::NumberCallsADay, 86_100));
        assert_eq!(exceeded(&LineLimits::DEFAULT, &calls), of_day);
        let limits = LineLimits { number_calls_a_day: 100, ..LineLimits::DEFAULT };
        assert_eq!(exceeded(&limits, &calls), Some((LineLimit::NumberRate, 500)));
    }

    #[test]
    fn calls_of_a_clock_that_was_ahead_lock_out_nobody() {
        assert_eq!(exceeded(&LineLimits::DEFAULT, &[-61, -62, -86_400]), None);
        let close = Some((LineLimit::NumberRate, 600));
        assert_eq!(exceeded(&LineLimits::DEFAULT, &[-60, -59, -58]), close);
    }

    #[test]
    fn live_calls_and_wrong_codes_are_limited() {
        let limits = &LineLimits::DEFAULT;
        let check = |usage: LineUsage, account_calls, all_calls| {
            usage.exceeded(limits, account_calls, all_calls, NOW)
        };
        assert_eq!(check(LineUsage::default(), 2, 19), None);
        let live = LineUsage { others_live_calls: 1, ..LineUsage::default() };
        assert_eq!(check(live, 0, 0), Some((LineLimit::LiveCallsPerNumber, 10)));
        let wrong = |wrong_codes| LineUsage { wrong_codes, ..LineUsage::default() };
        assert_eq!(check(wrong(99), 0, 0), None);
        assert_eq!(check(wrong(100), 0, 0), Some((LineLimit::WrongCodesPerNumber, 86_400)));
        let account = Some((LineLimit::LiveCallsPerAccount, 10));
        assert_eq!(check(LineUsage::default(), 3, 3), account);
        assert_eq!(check(LineUsage::default(), 0, 20), Some((LineLimit::LiveCalls, 10)));
    }
}
