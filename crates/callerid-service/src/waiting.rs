//! How long something has to wait.

use callerid_core::Moment;

use crate::call::CLOCK_TOLERANCE_SECONDS;

/// The part of `seconds` since `since` that is left, rounded up. Returns `None` if `since` is well
/// in the future: if a clock was ahead and has been set back, nobody must wait. There is a
/// tolerance, because concurrent requests may be saved in a different order.
pub(crate) fn seconds_left(since: Moment, seconds: u32, now: Moment) -> Option<u32> {
    if since > now.plus_seconds(CLOCK_TOLERANCE_SECONDS) {
        return None;
    }
    let now = now.max(since);
    let left = since.plus_seconds(seconds).unix_millis().saturating_sub(now.unix_millis());
    let left = u32::try_from(left).ok()?.div_ceil(1_000);
    (left > 0).then_some(left)
}
