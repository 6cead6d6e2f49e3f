//! Limits: how much the service does at a time for one account, for one number and in all.
//!
//! They are checked in the store's step that makes the change, by [`Eligibility::check`](crate::Eligibility::check), so
//! that no two callers at once pass them.

/// What the service allows. `docs/limits.md` lists these beside a server's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Live calls of one account.
    pub calls_per_account: u32,
    /// Live calls of all accounts.
    pub calls: u32,
    /// Calls to one number, from all accounts, within [`RINGS_PERIOD_SECONDS`]. Generous, as a phone on a control
    /// surface is for tests.
    pub rings_per_number: u32,
    /// Status callbacks of one account that are still to be delivered.
    pub callbacks_per_account: u32,
}

impl Limits {
    /// The limits of a service that is given no others.
    pub const DEFAULT: Self = Self {
        calls_per_account: 1_000,
        calls: 10_000,
        rings_per_number: 1_000,
        callbacks_per_account: 1_000,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// How many callbacks are sent at a time: others wait until one was answered or has failed, and delay nobody else's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallbackSlots {
    /// Of one account to one receiver, which may be dead: a host and its port.
    pub per_receiver: usize,
    /// Of one account.
    pub per_account: usize,
    /// Of all accounts.
    pub total: usize,
}

impl CallbackSlots {
    /// Those of a server that is given no others.
    pub const DEFAULT: Self = Self { per_receiver: 16, per_account: 32, total: 256 };
}

impl Default for CallbackSlots {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The seconds within which the calls to one number are counted.
pub const RINGS_PERIOD_SECONDS: u32 = 3_600;

/// When to try again over a limit that other calls or callbacks must end to make room under: they may do so at any time.
pub(crate) const RETRY_SECONDS: u32 = 10;
