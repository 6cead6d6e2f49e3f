//! Number usage: what a service knows of a number across its accounts.

use serde::{Deserialize, Serialize};

use callerid_core::Moment;

use crate::call::{CLOCK_TOLERANCE_SECONDS, FAILED_ENTRIES_MAX};
use crate::limits::RINGS_PERIOD_SECONDS;
use crate::transition::Transition;

/// How long a number's next call waits once it has had [`FAILED_ENTRIES_MAX`] wrong entries in a row, in seconds. Each
/// further wrong entry doubles it.
pub const FIRST_WAIT_SECONDS: u32 = 60;
/// The longest that a number's next call waits, in seconds: no account can shut a number's owner out for good.
pub const LONGEST_WAIT_SECONDS: u32 = 3_600;

/// How a number has been used, by whichever account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberUsage {
    /// Wrong entries in a row.
    pub failed_entries: u8,
    /// When the last of them was keyed.
    pub failed_at: Moment,
    /// Calls since [`rings_since`](Self::rings_since).
    pub rings: u32,
    /// When the period began in which they are counted.
    pub rings_since: Moment,
}

impl NumberUsage {
    /// The seconds until the number takes another call, where its wrong entries have it wait.
    pub fn entries_wait(&self, now: Moment) -> Option<u32> {
        let doublings = self.failed_entries.checked_sub(FAILED_ENTRIES_MAX)?;
        let wait = FIRST_WAIT_SECONDS.checked_shl(doublings.min(16).into());
        let wait = wait.unwrap_or(LONGEST_WAIT_SECONDS).min(LONGEST_WAIT_SECONDS);
        seconds_left(self.failed_at, wait, now)
    }

    /// The seconds until the number takes another call, where it has had `most` in this period.
    pub fn rings_wait(&self, most: u32, now: Moment) -> Option<u32> {
        let wait = seconds_left(self.rings_since, RINGS_PERIOD_SECONDS, now)?;
        (self.rings >= most).then_some(wait)
    }

    /// With one call more.
    #[must_use]
    pub fn with_ring(self, now: Moment) -> Self {
        match seconds_left(self.rings_since, RINGS_PERIOD_SECONDS, now) {
            Some(_) => Self { rings: self.rings.saturating_add(1), ..self },
            None => Self { rings: 1, rings_since: now, ..self },
        }
    }

    /// Whether there is nothing left to know of it.
    pub fn is_forgotten(&self, now: Moment) -> bool {
        self.failed_entries == 0
            && seconds_left(self.rings_since, RINGS_PERIOD_SECONDS, now).is_none()
    }

    /// After a step of one of its calls: wrong entries are added, the right one ends their row.
    #[must_use]
    pub fn after(self, step: &Transition) -> Self {
        match step.wrong_entries {
            _ if step.call.verified => Self { failed_entries: 0, ..self },
            0 => self,
            wrong => {
                let failed_entries = self.failed_entries.saturating_add(wrong);
                Self { failed_entries, failed_at: step.at, ..self }
            }
        }
    }
}

/// What is left of some seconds from `since` on, rounded up. Nothing where `since` is still to come, for a clock that was
/// ahead and was set back makes nobody wait; but requests that are under way at once may be saved in another order.
fn seconds_left(since: Moment, seconds: u32, now: Moment) -> Option<u32> {
    if since > now.plus_seconds(CLOCK_TOLERANCE_SECONDS) {
        return None;
    }
    let now = now.max(since);
    let left = since.plus_seconds(seconds).unix_millis().saturating_sub(now.unix_millis());
    let left = u32::try_from(left).ok()?.div_ceil(1_000);
    (left > 0).then_some(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::from_unix_millis(1_207_074_392_000);

    #[test]
    fn the_wait_doubles_up_to_an_hour_and_passes() {
        let wait = |failed_entries| {
            let usage = NumberUsage { failed_entries, failed_at: NOW, ..Default::default() };
            usage.entries_wait(NOW)
        };
        assert_eq!([0, 99].map(wait), [None, None]);
        let expected = [60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600].map(Some);
        assert_eq!([100, 101, 102, 103, 104, 105, 106, 107, 255].map(wait), expected);
        let usage = NumberUsage { failed_entries: 255, failed_at: NOW, ..Default::default() };
        assert_eq!(usage.entries_wait(NOW.plus_seconds(3_599)), Some(1));
        assert_eq!(usage.entries_wait(NOW.plus_seconds(3_600)), None);
        let ahead = NumberUsage { failed_at: NOW.plus_seconds(86_400), ..usage };
        assert_eq!(ahead.entries_wait(NOW), None);
    }

    #[test]
    fn rings_are_counted_within_an_hour() {
        let mut usage = NumberUsage::default();
        for second in 0..3 {
            assert_eq!(usage.rings_wait(3, NOW.plus_seconds(second)), None);
            usage = usage.with_ring(NOW.plus_seconds(second));
        }
        assert_eq!(usage.rings_wait(3, NOW.plus_seconds(600)), Some(3_000));
        assert_eq!(usage.rings_wait(3, NOW.plus_seconds(3_600)), None);
        assert_eq!(usage.with_ring(NOW.plus_seconds(3_600)).rings, 1);
    }
}
