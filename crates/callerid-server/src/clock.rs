//! The clock for requests and calls.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use callerid_core::Moment;

/// Time since 1970.
const YEAR_10_000: Duration = Duration::from_secs(253_402_300_800);

type Milliseconds = Box<dyn Fn() -> i64 + Send + Sync>;

/// A clock that tells the time of day and never goes back.
///
/// It advances the last known time of day with a monotonic counter. If the system's time of day is
/// ahead (the machine was suspended, or the time was set forward), the clock follows it. If it is
/// behind (the time was set back), the clock keeps counting until the process restarts. This way no
/// delay takes longer, and no code lives longer, than it should.
pub struct Clock {
    time_of_day: Milliseconds,
    counter: Milliseconds,
    /// The offset to add to the counter: the furthest that the time of day was ever ahead of it.
    offset: AtomicI64,
}

impl Clock {
    /// A clock based on the system's clocks.
    pub fn system() -> Self {
        let started = Instant::now();
        let since_epoch = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::new(move || milliseconds(since_epoch()), move || milliseconds(started.elapsed()))
    }

    /// Whether the system's time of day can be written as an HTTP date: the years 1970 to 9999.
    /// Otherwise hyper closes every connection.
    pub fn is_of_http() -> bool {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        since_epoch.is_ok_and(|time| time < YEAR_10_000)
    }

    /// Creates a clock from a time of day, in milliseconds since 1970-01-01T00:00:00Z, which may
    /// jump, and a counter of milliseconds, which must not go back.
    pub fn new(
        time_of_day: impl Fn() -> i64 + Send + Sync + 'static,
        counter: impl Fn() -> i64 + Send + Sync + 'static,
    ) -> Self {
        let offset = AtomicI64::new(i64::MIN);
        Self { time_of_day: Box::new(time_of_day), counter: Box::new(counter), offset }
    }

    /// The current time.
    pub fn now(&self) -> Moment {
        let counted = (self.counter)();
        let ahead = (self.time_of_day)().saturating_sub(counted);
        let offset = self.offset.fetch_max(ahead, Ordering::Relaxed).max(ahead);
        Moment::from_unix_millis(counted.saturating_add(offset))
    }

    /// The duration until `then`; zero if it is in the past.
    pub fn until(&self, then: Moment) -> Duration {
        let left = then.unix_millis().saturating_sub(self.now().unix_millis());
        Duration::from_millis(left.try_into().unwrap_or_default())
    }
}

fn milliseconds(duration: Duration) -> i64 {
    duration.as_millis().try_into().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn it_follows_jumps_forward_and_counts_on_through_jumps_back() {
        let [wall, ticks] = [1_000_000, 0].map(|start| Arc::new(AtomicI64::new(start)));
        let read = |cell: &Arc<AtomicI64>| {
            let cell = Arc::clone(cell);
            move || cell.load(Ordering::Relaxed)
        };
        let clock = Clock::new(read(&wall), read(&ticks));
        let pass = |counted: i64, shown: i64| {
            ticks.fetch_add(counted, Ordering::Relaxed);
            wall.fetch_add(shown, Ordering::Relaxed);
            clock.now().unix_millis()
        };
        assert_eq!(pass(0, 0), 1_000_000);
        assert_eq!(pass(500, 500), 1_000_500);
        assert_eq!(pass(10, -600_000), 1_000_510, "set back");
        assert_eq!(pass(10, 10), 1_000_520, "and counting on");
        assert_eq!(pass(10, 700_000), 1_100_510, "set forward, or woken from a suspension");
        assert_eq!(clock.until(Moment::from_unix_millis(1_100_513)), Duration::from_millis(3));
        assert_eq!(clock.until(Moment::from_unix_millis(0)), Duration::ZERO);
    }

    #[test]
    fn the_systems_clock_tells_the_time_of_day() {
        let clock = Clock::system();
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
        assert!((clock.now().unix_millis() - wall).abs() < 10_000);
    }
}
