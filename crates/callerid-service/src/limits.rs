//! Limits: how much the service does at a time for one account, for one number and in total.
//!
//! [`Eligibility::check`](crate::Eligibility::check) checks them in the same store operation as the
//! change, so that concurrent requests cannot exceed them.

use crate::line_limits::LineLimits;

/// The service's limits. `docs/limits.md` lists them together with the server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Live calls per account.
    pub calls_per_account: u32,
    /// Live calls in total.
    pub calls: u32,
    /// Calls per number, from all accounts, within [`RINGS_PERIOD_SECONDS`]. The limit is generous
    /// because a phone on the control surface is used for tests.
    pub rings_per_number: u32,
    /// Consecutive wrong codes per number, from all accounts, from which on its next call must wait;
    /// see [`NumberUsage::entries_wait`](crate::NumberUsage::entries_wait).
    pub wrong_codes_per_number: u8,
    /// Pending status callbacks per account.
    pub callbacks_per_account: u32,
    /// What else holds on a real line; `None` on a virtual one.
    pub line: Option<LineLimits>,
}

impl Limits {
    /// The default limits.
    pub const DEFAULT: Self = Self {
        calls_per_account: 1_000,
        calls: 10_000,
        rings_per_number: 1_000,
        wrong_codes_per_number: WRONG_CODES_MAX,
        callbacks_per_account: 1_000,
        line: None,
    };

    /// What else holds on a real line. A .wasm has no real line, and needs none of its code.
    pub(crate) const fn line(&self) -> Option<&LineLimits> {
        if cfg!(feature = "real-line") { self.line.as_ref() } else { None }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// How many callbacks are sent at a time. Others wait for a free slot without delaying callbacks of
/// other accounts or receivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallbackSlots {
    /// Slots per account and receiver (a host and port), because a receiver can be unreachable.
    pub per_receiver: usize,
    /// Slots per account.
    pub per_account: usize,
    /// Slots in total.
    pub total: usize,
}

impl CallbackSlots {
    /// The default number of slots.
    pub const DEFAULT: Self = Self { per_receiver: 16, per_account: 32, total: 256 };
}

impl Default for CallbackSlots {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The maximum of [`Limits::wrong_codes_per_number`]: what NIST SP 800-63B-4, section 3.2.2, allows.
pub const WRONG_CODES_MAX: u8 = 100;

/// The period in which the calls to a number are counted.
pub const RINGS_PERIOD_SECONDS: u32 = 3_600;

/// The `Retry-After` of limits on live calls and pending callbacks, which can end at any time.
pub(crate) const RETRY_SECONDS: u32 = 10;
