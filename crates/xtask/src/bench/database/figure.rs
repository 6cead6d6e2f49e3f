//! What was measured.

/// What was measured of one contender.
#[derive(Clone, Copy)]
pub(super) struct Figure {
    pub(super) per_second: f64,
    pub(super) p99_ms: f64,
    /// CPU time of each, in the database and in its clients.
    pub(super) database_micros: f64,
    pub(super) client_micros: f64,
}

/// The value that so many percent do not exceed.
pub(super) fn percentile(values: &mut [u64], percent: usize) -> u64 {
    values.sort_unstable();
    let at = (values.len() * percent / 100).min(values.len().saturating_sub(1));
    values.get(at).copied().unwrap_or_default()
}
