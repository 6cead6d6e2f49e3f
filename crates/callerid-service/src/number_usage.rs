//! Number usage: what a service knows about a number across all accounts.

use serde::{Deserialize, Serialize};

use callerid_core::Moment;

use crate::limits::RINGS_PERIOD_SECONDS;
use crate::transition::Transition;
use crate::waiting::seconds_left;

/// The seconds that a number's next call must wait after
/// [`Limits::wrong_codes_per_number`](crate::Limits::wrong_codes_per_number) consecutive wrong
/// entries. Each further wrong entry doubles the wait.
pub const FIRST_WAIT_SECONDS: u32 = 60;
/// The longest wait for a number's next call, in seconds. It ensures that no account can lock out a
/// number's owner for good.
pub const LONGEST_WAIT_SECONDS: u32 = 3_600;

/// How a number has been used, by all accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberUsage {
    /// Consecutive wrong entries.
    pub failed_entries: u8,
    /// When the last wrong entry was made.
    pub failed_at: Moment,
    /// Calls since [`rings_since`](Self::rings_since).
    pub rings: u32,
    /// The start of the period in which calls are counted.
    pub rings_since: Moment,
}

impl NumberUsage {
    /// The seconds until the number may be called again, if it has had `most` consecutive wrong
    /// entries or more.
    pub fn entries_wait(&self, most: u8, now: Moment) -> Option<u32> {
        let doublings = self.failed_entries.checked_sub(most)?;
        let wait = FIRST_WAIT_SECONDS.checked_shl(doublings.min(16).into());
        let wait = wait.unwrap_or(LONGEST_WAIT_SECONDS).min(LONGEST_WAIT_SECONDS);
        seconds_left(self.failed_at, wait, now)
    }

    /// The seconds until the number may be called again, if it has had `most` calls in this period.
    pub fn rings_wait(&self, most: u32, now: Moment) -> Option<u32> {
        let wait = seconds_left(self.rings_since, RINGS_PERIOD_SECONDS, now)?;
        (self.rings >= most).then_some(wait)
    }

    /// The usage after one more call.
    #[must_use]
    pub fn with_ring(self, now: Moment) -> Self {
        match seconds_left(self.rings_since, RINGS_PERIOD_SECONDS, now) {
            Some(_) => Self { rings: self.rings.saturating_add(1), ..self },
            None => Self { rings: 1, rings_since: now, ..self },
        }
    }

    /// Whether this usage has no effect any more and can be dropped.
    pub fn is_forgotten(&self, now: Moment) -> bool {
        self.failed_entries == 0
            && seconds_left(self.rings_since, RINGS_PERIOD_SECONDS, now).is_none()
    }

    /// The usage after a transition of one of its calls. Wrong entries are added; the right code
    /// resets the count.
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

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::from_unix_millis(1_207_074_392_000);

    #[test]
    fn the_wait_doubles_up_to_an_hour_and_passes() {
        let wait = |failed_entries| {
            let usage = NumberUsage { failed_entries, failed_at: NOW, ..Default::default() };
            usage.entries_wait(100, NOW)
        };
        assert_eq!([0, 99].map(wait), [None, None]);
        let expected = [60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600].map(Some);
        assert_eq!([100, 101, 102, 103, 104, 105, 106, 107, 255].map(wait), expected);
        let usage = NumberUsage { failed_entries: 255, failed_at: NOW, ..Default::default() };
        assert_eq!(usage.entries_wait(100, NOW.plus_seconds(3_599)), Some(1));
        assert_eq!(usage.entries_wait(100, NOW.plus_seconds(3_600)), None);
        let ahead = NumberUsage { failed_at: NOW.plus_seconds(86_400), ..usage };
        assert_eq!(ahead.entries_wait(100, NOW), None);
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
