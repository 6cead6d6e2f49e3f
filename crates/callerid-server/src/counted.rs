//! Metrics of the store's changes, updated after each change.

use callerid_service::{Admitted, Callback, Ineligible, Transition};

use crate::metrics::{METRICS, Outcome, Reason};

/// Counts a requested call, and the call that it replaces.
pub(crate) fn added(added: &Result<Admitted, Ineligible>) {
    match added {
        Ok(admitted) => {
            METRICS.calls_created.inc();
            ended(admitted.replaced.as_ref().and_then(outcome));
        }
        Err(ineligible) => {
            let reason = ineligible.as_str();
            if ineligible.is_limit() {
                METRICS.refused(reason);
            }
            METRICS.calls_refused.get_or_create(&Reason { reason }).inc();
        }
    }
}

/// How a transition ends its call, if it does.
pub(crate) fn outcome(transition: &Transition) -> Option<&'static str> {
    transition.call.outcome()
}

/// Counts the calls that were ended, among those that were to be saved.
pub(crate) fn saved(outcomes: &[Option<&'static str>], saved: &[bool]) {
    let saved = outcomes.iter().zip(saved).filter(|(_, saved)| **saved);
    saved.for_each(|(outcome, _)| ended(*outcome));
}

fn ended(outcome: Option<&'static str>) {
    if let Some(outcome) = outcome {
        METRICS.calls_ended.get_or_create(&Outcome { outcome }).inc();
    }
}

/// The outcome of a callback's last attempt.
pub(crate) fn attempt(callback: &Callback) -> &'static str {
    match (callback.next_at, callback.last_status) {
        (Some(_), _) => "retry",
        (None, Some(200..300)) => "delivered",
        (None, _) => "failed",
    }
}

/// Counts an attempt.
pub(crate) fn attempted(outcome: &'static str, saved: bool) {
    if saved {
        METRICS.callbacks.get_or_create(&Outcome { outcome }).inc();
    }
}
