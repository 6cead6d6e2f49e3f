//! Counters and timers for Prometheus. Like the logger, there is one instance per process, so that
//! it need not be passed around.

use std::sync::LazyLock;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::line::LineHealth;

/// The media type of [`Metrics::text`].
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(crate) static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// All metrics.
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) requests: Family<Answered, Counter>,
    request_time: Family<Surface, Histogram, fn() -> Histogram>,
    pub(crate) calls_created: Counter,
    pub(crate) calls_ended: Family<Outcome, Counter>,
    pub(crate) calls_refused: Family<Reason, Counter>,
    refusals: Family<Limit, Counter>,
    pub(crate) callbacks: Family<Outcome, Counter>,
    write_time: Histogram,
    pub(crate) store_failures: Counter,
    trunks_reachable: Family<Trunk, Gauge>,
    line_calls: Gauge,
    line_placed: Counter,
    line_answered: Counter,
}

/// The labels of a processed request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Answered {
    pub(crate) surface: &'static str,
    pub(crate) method: &'static str,
    pub(crate) status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Surface {
    pub(crate) surface: &'static str,
}

/// The outcome of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Outcome {
    pub(crate) outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Trunk {
    trunk: String,
}

/// The limit that rejected something.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Limit {
    limit: &'static str,
}

/// Why something was rejected.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Reason {
    pub(crate) reason: &'static str,
}

impl Metrics {
    fn new() -> Self {
        // Buckets from 0.25 milliseconds to about eight seconds.
        fn times() -> Histogram {
            Histogram::new(exponential_buckets(0.000_25, 2.0, 16))
        }
        let mut registry = Registry::with_prefix("callerid");
        let requests = Family::default();
        let request_time = Family::new_with_constructor(times as fn() -> Histogram);
        let (calls_created, store_failures) = (Counter::default(), Counter::default());
        let (calls_ended, calls_refused) = (Family::default(), Family::default());
        let (refusals, callbacks, write_time) = (Family::default(), Family::default(), times());
        registry.register("requests", "Requests that were answered", requests.clone());
        registry.register_with_unit(
            "request_duration",
            "From a request's head to its answer's",
            Unit::Seconds,
            request_time.clone(),
        );
        registry.register("calls_created", "Validation calls asked for", calls_created.clone());
        registry.register("calls_ended", "Validation calls that ended", calls_ended.clone());
        registry.register(
            "calls_refused",
            "Validation calls that were not begun, of valid numbers",
            calls_refused.clone(),
        );
        registry.register(
            "limit_refusals",
            "Requests, event streams and connections that a limit refused",
            refusals.clone(),
        );
        registry.register("callback_attempts", "Attempts at status callbacks", callbacks.clone());
        registry.register_with_unit(
            "store_write_duration",
            "From a change to its commit, waiting included",
            Unit::Seconds,
            write_time.clone(),
        );
        registry.register(
            "store_failures",
            "Reads and changes that failed",
            store_failures.clone(),
        );
        let (trunks_reachable, line_calls) = (Family::default(), Gauge::default());
        let (line_placed, line_answered) = (Counter::default(), Counter::default());
        registry.register(
            "trunk_reachable",
            "Whether a trunk of the phone line has answered lately",
            trunks_reachable.clone(),
        );
        registry.register(
            "line_calls",
            "Calls on the phone line that ring or are in progress",
            line_calls.clone(),
        );
        registry.register(
            "line_calls_placed",
            "Calls that the phone line placed",
            line_placed.clone(),
        );
        registry.register(
            "line_calls_answered",
            "Calls of the phone line that were answered",
            line_answered.clone(),
        );
        Self {
            registry,
            requests,
            request_time,
            calls_created,
            calls_ended,
            calls_refused,
            refusals,
            callbacks,
            write_time,
            store_failures,
            trunks_reachable,
            line_calls,
            line_placed,
            line_answered,
        }
    }

    /// Counts a request.
    pub(crate) fn answered(&self, answered: &Answered, taken: Duration) {
        self.requests.get_or_create(answered).inc();
        let surface = Surface { surface: answered.surface };
        self.request_time.get_or_create(&surface).observe(taken.as_secs_f64());
    }

    /// Counts a rejection by this limit.
    pub(crate) fn refused(&self, limit: &'static str) {
        self.refusals.get_or_create(&Limit { limit }).inc();
    }

    /// Records the duration of a change to the store.
    pub(crate) fn written(&self, taken: Duration) {
        self.write_time.observe(taken.as_secs_f64());
    }

    /// Records how the phone line does.
    pub(crate) fn line(&self, health: &LineHealth) {
        for trunk in &health.trunks {
            let label = Trunk { trunk: trunk.name.clone() };
            self.trunks_reachable.get_or_create(&label).set(trunk.is_reachable.into());
        }
        self.line_calls.set(i64::try_from(health.calls).unwrap_or(i64::MAX));
        for (counter, total) in
            [(&self.line_placed, health.placed), (&self.line_answered, health.answered)]
        {
            counter.inc_by(total.saturating_sub(counter.get()));
        }
    }

    /// All metrics in Prometheus's format.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        encode(&mut text, &self.registry).unwrap_or_default();
        text
    }
}
