//! What a store in memory knows of a real line.

use callerid_core::{AccountSid, Moment, PhoneNumber};
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::line_limits::{DAY_SECONDS, LineLimits};
use crate::line_usage::{CallsOf, LineUsage, OptOut};
use crate::transition::Transition;
use crate::waiting::seconds_left;

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct LineState {
    /// Oldest first.
    calls: Vec<LineCall>,
    /// The wrong entries of numbers.
    wrong_codes: Vec<(PhoneNumber, u32)>,
    /// In the order of their numbers.
    pub(super) opt_outs: Vec<OptOut>,
    pub(super) stopped_at: Option<Moment>,
}

/// A call that was admitted.
#[derive(Debug, Serialize, Deserialize)]
struct LineCall {
    number: PhoneNumber,
    account: AccountSid,
    at: Moment,
}

impl LineState {
    /// The usage for another call.
    pub(super) fn usage(
        &self,
        limits: &LineLimits,
        call: &Call,
        others_live_calls: u32,
    ) -> LineUsage {
        let (account, number, now) = (&call.account_sid, &call.phone_number, call.created_at);
        let nth_newest = |of: CallsOf<'_>, n: u32, latest: Moment| {
            let counts = |it: &&LineCall| {
                let is_of = match of {
                    CallsOf::Number(number) => it.number == *number,
                    CallsOf::Account(account) => it.account == *account,
                    CallsOf::All => true,
                };
                is_of && it.at <= latest
            };
            let before = usize::try_from(n.saturating_sub(1)).unwrap_or(usize::MAX);
            Ok::<_, std::convert::Infallible>(
                self.calls.iter().rev().filter(counts).nth(before).map(|it| it.at),
            )
        };
        let Ok(mut usage) = LineUsage::count(limits, account, number, now, nth_newest);
        usage.others_live_calls = others_live_calls;
        usage.wrong_codes = self.wrong_codes(number);
        usage.is_opted_out = self.is_opted_out(number);
        usage.is_stopped = self.stopped_at.is_some();
        usage
    }

    /// Counts a call that was admitted, and forgets those that no limit counts any more.
    pub(super) fn admit(&mut self, call: &Call) {
        let now = call.created_at;
        self.calls.retain(|it| seconds_left(it.at, DAY_SECONDS, now).is_some());
        let place = self.calls.partition_point(|it| it.at <= now);
        let call = LineCall { number: call.phone_number, account: call.account_sid, at: now };
        self.calls.insert(place, call);
    }

    /// Counts a transition's wrong entries, and opts its number out if it says so.
    pub(super) fn step(&mut self, step: &Transition) {
        let number = &step.call.phone_number;
        let wrong = u32::from(step.wrong_entries_on_line());
        if wrong > 0 {
            let wrong_codes = self.wrong_codes(number).saturating_add(wrong);
            self.wrong_codes.retain(|it| it.0 != *number);
            self.wrong_codes.push((*number, wrong_codes));
        }
        if step.opts_out {
            self.opt_out(number, step.at);
        }
    }

    fn wrong_codes(&self, number: &PhoneNumber) -> u32 {
        self.wrong_codes.iter().find(|it| it.0 == *number).map_or(0, |it| it.1)
    }

    pub(super) fn is_opted_out(&self, number: &PhoneNumber) -> bool {
        self.opt_outs.binary_search_by_key(number, |it| it.number).is_ok()
    }

    pub(super) fn opt_out(&mut self, number: &PhoneNumber, since: Moment) -> bool {
        let place = self.opt_outs.binary_search_by_key(number, |it| it.number);
        if let Err(place) = place {
            self.opt_outs.insert(place, OptOut { number: *number, since });
        }
        place.is_err()
    }

    pub(super) fn remove_opt_out(&mut self, number: &PhoneNumber) -> bool {
        let place = self.opt_outs.binary_search_by_key(number, |it| it.number);
        place.map(|place| self.opt_outs.remove(place)).is_ok()
    }
}
