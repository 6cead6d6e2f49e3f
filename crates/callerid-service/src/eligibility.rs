//! Eligibility: whether a number takes another validation call.

use crate::call::{Call, FAILED_ENTRIES_MAX};
use crate::transition::Transition;

/// What a store knows of an account's number when a validation is asked for.
#[derive(Clone, Debug, Default)]
pub struct Eligibility {
    /// Whether the number is already a caller ID of the account.
    pub is_caller_id: bool,
    /// Its wrong entries in a row.
    pub failed_entries: u8,
    /// The call that is still live.
    pub live: Option<Call>,
}

impl Eligibility {
    /// Decides on a new call: it may be refused, and it takes the place of one that is still live.
    ///
    /// # Errors
    /// [`Ineligible`] with the rule that stands against it.
    pub fn check(self, call: Call) -> Result<Admitted, Ineligible> {
        if self.is_caller_id {
            return Err(Ineligible::AlreadyValidated);
        }
        if self.failed_entries >= FAILED_ENTRIES_MAX {
            return Err(Ineligible::TooManyFailedEntries);
        }
        let replaced = self.live.map(|live| live.canceled(call.created_at));
        Ok(Admitted { call: Call { failed_entries: self.failed_entries, ..call }, replaced })
    }
}

/// A new call, and the end of the one it replaces: both to be saved in one piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// The new call.
    pub call: Call,
    /// The step that cancels the call it replaces.
    pub replaced: Option<Transition>,
}

/// Why a validation is not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ineligible {
    /// The number is already a caller ID of the account.
    AlreadyValidated,
    /// The number has had [`FAILED_ENTRIES_MAX`] wrong entries in a row.
    TooManyFailedEntries,
}
