//! An account's test clock: the host's clock, set to another time, or frozen.

use callerid_core::Moment;

/// The time of one account. By default, it is the host's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TestClock {
    /// How far it is ahead of the host's clock, in milliseconds.
    ahead: i64,
    /// The time at which it stands still, if it does.
    frozen_at: Option<Moment>,
}

impl TestClock {
    /// A clock that is set to a time, when the host's clock shows `host_now`.
    pub(crate) fn set(now: Moment, is_frozen: bool, host_now: Moment) -> Self {
        let ahead = now.unix_millis().saturating_sub(host_now.unix_millis());
        Self { ahead, frozen_at: is_frozen.then_some(now) }
    }

    /// The account's time.
    pub(crate) fn now(&self, host_now: Moment) -> Moment {
        let running = host_now.unix_millis().saturating_add(self.ahead);
        self.frozen_at.unwrap_or(Moment::from_unix_millis(running))
    }

    /// When the host's clock shows a time of the account; `None` if this clock stands still before
    /// it.
    pub(crate) fn to_host_time(self, moment: Moment) -> Option<Moment> {
        match self.frozen_at {
            Some(now) if now < moment => None,
            _ => Some(Moment::from_unix_millis(moment.unix_millis().saturating_sub(self.ahead))),
        }
    }

    pub(crate) const fn is_frozen(&self) -> bool {
        self.frozen_at.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Moment {
        Moment::from_unix_millis(millis)
    }

    #[test]
    fn a_clock_runs_from_where_it_is_set_or_stands_still() {
        let host = TestClock::default();
        assert_eq!((host.now(at(5)), host.to_host_time(at(9))), (at(5), Some(at(9))));
        let running = TestClock::set(at(1_000), false, at(10));
        assert_eq!(
            (running.now(at(15)), running.to_host_time(at(1_005))),
            (at(1_005), Some(at(15)))
        );
        let frozen = TestClock::set(at(1_000), true, at(10));
        assert_eq!((frozen.now(at(99)), frozen.to_host_time(at(1_001))), (at(1_000), None));
        assert_eq!(frozen.to_host_time(at(1_000)), Some(at(10)));
    }
}
