//! Eligibility: whether a number takes another validation call.

use crate::call::Call;
use crate::limits::{Limits, RETRY_SECONDS};
use crate::number_usage::NumberUsage;
use crate::transition::Transition;

/// What a store knows when a validation of a number is asked for.
#[derive(Clone, Debug, Default)]
pub struct Eligibility {
    /// Whether the number is already a caller ID of the account.
    pub is_caller_id: bool,
    /// How the number has been used, by any account.
    pub number: NumberUsage,
    /// The account's call for the number that is still live.
    pub live: Option<Call>,
    /// The account's live calls.
    pub account_calls: u32,
    /// The live calls of all accounts.
    pub all_calls: u32,
    /// The account's callbacks that are still to be delivered.
    pub account_callbacks: u32,
}

impl Eligibility {
    /// Decides on a new call: it may be refused, and it takes the place of one that is still live.
    ///
    /// # Errors
    /// [`Ineligible`] with the rule that stands against it.
    pub fn check(self, call: Call, limits: &Limits) -> Result<Admitted, Ineligible> {
        let now = call.created_at;
        if self.is_caller_id {
            return Err(Ineligible::AlreadyValidated);
        }
        if let Some(retry_after) = self.number.entries_wait(now) {
            return Err(Ineligible::TooManyFailedEntries { retry_after });
        }
        if let Some(retry_after) = self.number.rings_wait(limits.rings_per_number, now) {
            return Err(Ineligible::TooManyRings { retry_after });
        }
        // The call that it replaces makes room for it.
        let replaced = u32::from(self.live.is_some());
        if self.account_calls.saturating_sub(replaced) >= limits.calls_per_account {
            return Err(Ineligible::TooManyCallsOfAccount);
        }
        if self.all_calls.saturating_sub(replaced) >= limits.calls {
            return Err(Ineligible::TooManyCalls);
        }
        if call.status_callback.is_some() && self.account_callbacks >= limits.callbacks_per_account
        {
            return Err(Ineligible::TooManyCallbacks);
        }
        Ok(Admitted {
            call: Call { failed_entries: self.number.failed_entries, ..call },
            number: self.number.with_ring(now),
            replaced: self.live.map(|live| live.canceled(now)),
        })
    }
}

/// A new call, and the end of the one it replaces: to be saved in one piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// The new call.
    pub call: Call,
    /// How its number has been used, with this call.
    pub number: NumberUsage,
    /// The step that cancels the call it replaces.
    pub replaced: Option<Transition>,
}

/// Why a validation is not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ineligible {
    /// The number is already a caller ID of the account.
    AlreadyValidated,
    /// The number has had so many wrong entries in a row that its next call waits.
    TooManyFailedEntries {
        /// For how many seconds.
        retry_after: u32,
    },
    /// The number has been called [`Limits::rings_per_number`] times.
    TooManyRings {
        /// The seconds until it may be called again.
        retry_after: u32,
    },
    /// The account has [`Limits::calls_per_account`] live calls.
    TooManyCallsOfAccount,
    /// There are [`Limits::calls`] live calls.
    TooManyCalls,
    /// The account has [`Limits::callbacks_per_account`] callbacks that are still to be delivered.
    TooManyCallbacks,
}

impl Ineligible {
    /// The seconds after which to try again, where that can help.
    pub const fn retry_after(self) -> Option<u32> {
        match self {
            Self::AlreadyValidated => None,
            Self::TooManyFailedEntries { retry_after } | Self::TooManyRings { retry_after } => {
                Some(retry_after)
            }
            Self::TooManyCallsOfAccount | Self::TooManyCalls | Self::TooManyCallbacks => {
                Some(RETRY_SECONDS)
            }
        }
    }
}
