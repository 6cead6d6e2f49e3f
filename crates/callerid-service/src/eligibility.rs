//! Eligibility: whether a number may receive another validation call.

use crate::call::Call;
use crate::limits::{Limits, RETRY_SECONDS};
use crate::line_limits::LineLimits;
use crate::line_rules::Forbidden;
use crate::line_usage::{LineLimit, LineUsage, STOPPED_RETRY_SECONDS};
use crate::number_usage::NumberUsage;
use crate::transition::Transition;

/// What a store knows about a number when a validation is requested.
#[derive(Clone, Debug, Default)]
pub struct Eligibility {
    /// Whether the number is already a caller ID of the account.
    pub is_caller_id: bool,
    /// How the number has been used, by all accounts.
    pub number: NumberUsage,
    /// The account's live call for the number, if any.
    pub live: Option<Call>,
    /// The account's live calls.
    pub account_calls: u32,
    /// The live calls of all accounts.
    pub all_calls: u32,
    /// The account's callbacks that are not delivered yet.
    pub account_callbacks: u32,
    /// How a real line has been used. Needed only with [`Limits::line`](field@Limits::line).
    pub line: LineUsage,
}

impl Eligibility {
    /// Decides whether to admit a new call. It replaces the live call for the number, if any.
    ///
    /// # Errors
    /// [`Ineligible`], with the rule that prevents the call.
    pub fn check(self, call: Call, limits: &Limits) -> Result<Admitted, Ineligible> {
        let now = call.created_at;
        if self.is_caller_id {
            return Err(Ineligible::AlreadyValidated);
        }
        if let Some(retry_after) = self.number.entries_wait(limits.wrong_codes_per_number, now) {
            return Err(Ineligible::TooManyFailedEntries { retry_after });
        }
        if let Some(retry_after) = self.number.rings_wait(limits.rings_per_number, now) {
            return Err(Ineligible::TooManyRings { retry_after });
        }
        // The replaced call makes room for the new one.
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
        let mut codes_left = u32::MAX;
        if let Some(limits) = limits.line() {
            self.check_line(&call, limits, replaced)?;
            codes_left = limits.wrong_codes_per_number.saturating_sub(self.line.wrong_codes);
        }
        // Beyond the limit, each wait allows one more entry.
        let until_wait =
            limits.wrong_codes_per_number.saturating_sub(self.number.failed_entries).max(1);
        let until_wait = until_wait.min(u8::try_from(codes_left).unwrap_or(u8::MAX));
        Ok(Admitted {
            call: Call { entries_left: call.entries_left.min(until_wait), ..call },
            number: self.number.with_ring(now),
            replaced: self.live.map(|live| live.canceled(now)),
        })
    }

    /// Decides whether a real line may make a call, which replaces so many (0 or 1) others.
    fn check_line(
        &self,
        call: &Call,
        limits: &LineLimits,
        replaced: u32,
    ) -> Result<(), Ineligible> {
        if self.line.is_stopped {
            return Err(Ineligible::LineStopped);
        }
        limits.rules.check(&call.phone_number, call.due_at).map_err(Ineligible::Forbidden)?;
        if self.line.is_opted_out {
            return Err(Ineligible::OptedOut);
        }
        let account_calls = self.account_calls.saturating_sub(replaced);
        let all_calls = self.all_calls.saturating_sub(replaced);
        match self.line.exceeded(limits, account_calls, all_calls, call.created_at) {
            Some((limit, retry_after)) => Err(Ineligible::Line { limit, retry_after }),
            None => Ok(()),
        }
    }
}

/// A new call, and the end of the call that it replaces. They are saved atomically.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// The new call.
    pub call: Call,
    /// How the number has been used, including this call.
    pub number: NumberUsage,
    /// The transition that cancels the replaced call.
    pub replaced: Option<Transition>,
}

/// Why a validation is not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ineligible {
    /// The number is already a caller ID of the account.
    AlreadyValidated,
    /// The number has had [`Limits::wrong_codes_per_number`] consecutive wrong entries, and its next
    /// call must wait.
    TooManyFailedEntries {
        /// The seconds to wait.
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
    /// The account has [`Limits::callbacks_per_account`] callbacks that are not delivered yet.
    TooManyCallbacks,
    /// A limit of the real line is reached.
    Line {
        /// The limit.
        limit: LineLimit,
        /// The seconds to wait.
        retry_after: u32,
    },
    /// The real line may not call this number, or not at this hour.
    Forbidden(Forbidden),
    /// The number's owner wants no calls.
    OptedOut,
    /// The operator has stopped the real line.
    LineStopped,
}

impl Ineligible {
    /// A stable name for the reason, without its values: `TooManyCalls`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AlreadyValidated => "AlreadyValidated",
            Self::TooManyFailedEntries { .. } => "TooManyFailedEntries",
            Self::TooManyRings { .. } => "TooManyRings",
            Self::TooManyCallsOfAccount => "TooManyCallsOfAccount",
            Self::TooManyCalls => "TooManyCalls",
            Self::TooManyCallbacks => "TooManyCallbacks",
            Self::Line { limit, .. } => limit.as_str(),
            Self::Forbidden(rule) => rule.as_str(),
            Self::OptedOut => "OptedOut",
            Self::LineStopped => "LineStopped",
        }
    }

    /// Whether a limit is reached, as opposed to a rule that does not depend on other calls.
    pub const fn is_limit(self) -> bool {
        match self {
            Self::AlreadyValidated | Self::Forbidden(_) | Self::OptedOut | Self::LineStopped => {
                false
            }
            Self::TooManyFailedEntries { .. }
            | Self::TooManyRings { .. }
            | Self::TooManyCallsOfAccount
            | Self::TooManyCalls
            | Self::TooManyCallbacks
            | Self::Line { .. } => true,
        }
    }

    /// The seconds after which to try again, if that can help.
    pub const fn retry_after(self) -> Option<u32> {
        match self {
            Self::AlreadyValidated | Self::OptedOut => None,
            Self::TooManyFailedEntries { retry_after }
            | Self::TooManyRings { retry_after }
            | Self::Line { retry_after, .. } => Some(retry_after),
            Self::Forbidden(rule) => rule.retry_after(),
            Self::LineStopped => Some(STOPPED_RETRY_SECONDS),
            Self::TooManyCallsOfAccount | Self::TooManyCalls | Self::TooManyCallbacks => {
                Some(RETRY_SECONDS)
            }
        }
    }
}
