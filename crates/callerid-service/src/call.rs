//! Validation calls: the state a validation goes through, from the request to the keyed code.
//!
//! ```text
//! queued ──▶ ringing ──▶ in-progress ──▶ completed (verified; third wrong entry, ten minutes over, hung up)
//!    │          │             │
//!    │          │             └────────▶ failed    (line lost)
//!    │          └──────────────────────▶ busy, no-answer, failed
//!    └─────────────────────────────────▶ failed    (ten minutes over before it could be placed)
//!  any of the three before an end ─────▶ canceled  (a new request for the same number)
//! ```
//!
//! Every transition is a function from a [`Call`] and a moment to a [`Transition`]; a [`Store`](crate::Store)
//! saves the step in one piece. The rules are this project's choice, within NIST SP 800-63B-4 (at most
//! 100 consecutive failures, at most ten minutes, used once): the specification is silent.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use callerid_core::{
    AccountSid, CallExtension, CallSid, CallerIdSid, FriendlyName, Moment, PhoneNumber,
    StatusCallback, ValidationCode, ValidationRequest,
};

use callerid_core::NewCallerId;

use crate::keypad::{DigitBuffer, Key};
use crate::random_bytes::RandomBytes;

/// Wrong entries after which a call ends without a verification.
pub const ENTRIES_PER_CALL: u8 = 3;
/// Wrong entries in a row after which a number's next call waits, and ends with one more wrong entry.
pub const FAILED_ENTRIES_MAX: u8 = 100;
/// Seconds after which a code is worth nothing.
pub const CODE_LIFETIME_SECONDS: u32 = 600;
/// How far ahead of the clock a call may have been made, in seconds, before the clock is taken to have
/// been set back and the call for expired: no code outlives its ten minutes through that.
pub const CLOCK_TOLERANCE_SECONDS: u32 = 60;

/// Where a call stands, in Twilio's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallStatus {
    /// Waiting until it is due.
    Queued,
    /// The line has been asked to place it, and nobody has answered yet.
    Ringing,
    /// Answered: the code is being keyed.
    InProgress,
    /// Over, after it was answered: with the right code or without.
    Completed,
    /// Declined, or the line was busy.
    Busy,
    /// Nobody answered.
    NoAnswer,
    /// It was never placed, or the line failed.
    Failed,
    /// Replaced by a new request for the same number.
    Canceled,
}

impl CallStatus {
    /// Every status, in the order a call may reach them.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Ringing,
        Self::InProgress,
        Self::Completed,
        Self::Busy,
        Self::NoAnswer,
        Self::Failed,
        Self::Canceled,
    ];

    /// Twilio's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Ringing => "ringing",
            Self::InProgress => "in-progress",
            Self::Completed => "completed",
            Self::Busy => "busy",
            Self::NoAnswer => "no-answer",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    /// The status with that word.
    ///
    /// # Errors
    /// [`InvalidCallStatus`] for any other word.
    pub fn parse(word: &str) -> Result<Self, InvalidCallStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == word).ok_or(InvalidCallStatus)
    }

    /// Whether the call is still to end.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Queued | Self::Ringing | Self::InProgress)
    }
}

impl FromStr for CallStatus {
    type Err = InvalidCallStatus;

    fn from_str(word: &str) -> Result<Self, InvalidCallStatus> {
        Self::parse(word)
    }
}

impl TryFrom<&str> for CallStatus {
    type Error = InvalidCallStatus;

    fn try_from(word: &str) -> Result<Self, InvalidCallStatus> {
        Self::parse(word)
    }
}

impl AsRef<str> for CallStatus {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for CallStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is not the status of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidCallStatus;

impl fmt::Display for InvalidCallStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the status of a call")
    }
}

impl std::error::Error for InvalidCallStatus {}

/// One validation and the call that carries it: all that must survive a crash. Serialized with its code, for stores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Names the call.
    pub sid: CallSid,
    /// The account that asked for it.
    pub account_sid: AccountSid,
    /// The number it rings.
    pub phone_number: PhoneNumber,
    /// The name the caller ID is to have, where one was given.
    pub friendly_name: Option<FriendlyName>,
    /// What to dial after connecting.
    pub extension: Option<CallExtension>,
    /// Where to tell how the validation ended.
    pub status_callback: Option<StatusCallback>,
    /// The Sid the caller ID gets if the code is keyed.
    pub caller_id_sid: CallerIdSid,
    /// Where it stands.
    pub status: CallStatus,
    /// Whether the code was keyed.
    pub verified: bool,
    /// What must be keyed; gone once the call has ended.
    pub validation_code: Option<ValidationCode>,
    /// The digits of the entry that has been begun.
    pub keyed: DigitBuffer,
    /// Wrong entries that are still allowed in this call.
    pub entries_left: u8,
    /// Wrong entries in a row for this number, those of earlier calls included.
    pub failed_entries: u8,
    /// When it was asked for.
    pub created_at: Moment,
    /// When it is to ring.
    pub due_at: Moment,
    /// When it rang.
    pub ringing_at: Option<Moment>,
    /// When it was answered.
    pub answered_at: Option<Moment>,
    /// When it ended.
    pub ended_at: Option<Moment>,
    /// Counts its steps, so that of two made from the same state only one is saved.
    pub revision: u32,
}

impl Call {
    /// The call for a new validation, not yet admitted (see [`Eligibility::check`](crate::Eligibility::check)). `None` where the
    /// random bytes hold no code (see [`ValidationCode::from_random_bytes`]).
    pub fn new(
        account: AccountSid,
        new: NewCallerId,
        random_bytes: &RandomBytes,
        now: Moment,
    ) -> Option<Self> {
        Some(Self {
            sid: CallSid::from_random_bytes(&random_bytes.call_sid),
            account_sid: account,
            phone_number: new.phone_number,
            friendly_name: new.friendly_name,
            extension: new.extension,
            status_callback: new.status_callback,
            caller_id_sid: CallerIdSid::from_random_bytes(&random_bytes.caller_id_sid),
            status: CallStatus::Queued,
            verified: false,
            validation_code: Some(ValidationCode::from_random_bytes(
                &random_bytes.validation_code,
            )?),
            keyed: DigitBuffer::default(),
            entries_left: ENTRIES_PER_CALL,
            failed_entries: 0,
            created_at: now,
            due_at: now.plus_seconds(new.call_delay.seconds().into()),
            ringing_at: None,
            answered_at: None,
            ended_at: None,
            revision: 0,
        })
    }

    /// When its code stops being worth anything.
    pub fn expires_at(&self) -> Moment {
        self.created_at.plus_seconds(CODE_LIFETIME_SECONDS)
    }

    /// When something happens to it by itself: it is due, or out of time. `None` once it has ended.
    pub fn wake_at(&self) -> Option<Moment> {
        match self.status {
            CallStatus::Queued => Some(self.due_at.min(self.expires_at())),
            status => status.is_live().then(|| self.expires_at()),
        }
    }

    /// The answer that shows its code, while it has one.
    pub fn to_validation_request(&self) -> Option<ValidationRequest> {
        Some(ValidationRequest {
            account_sid: self.account_sid,
            call_sid: Some(self.sid),
            phone_number: self.phone_number,
            friendly_name: self.friendly_name.clone(),
            validation_code: self.validation_code?,
        })
    }
}

/// What happens at the phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhoneEvent {
    /// Somebody answered.
    Answered,
    /// Somebody pressed keys, in this order.
    Pressed(Vec<Key>),
    /// Somebody hung up, or declined the call while it rang.
    HungUp,
    /// The line is busy.
    Busy,
    /// It rang for as long as the line lets it.
    NoAnswer,
    /// The line failed: no trunk, no such number, media lost.
    Failed,
}

impl PhoneEvent {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Answered => "be answered",
            Self::Pressed(_) => "take digits",
            Self::HungUp => "be hung up",
            Self::Busy => "be busy",
            Self::NoAnswer => "go unanswered",
            Self::Failed => "fail",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_and_written_by_the_standard_librarys_traits() {
        for status in CallStatus::ALL {
            let word = status.to_string();
            assert_eq!(status.as_ref(), word);
            assert_eq!(word.parse(), Ok(status));
            assert_eq!(CallStatus::try_from(word.as_str()), Ok(status));
        }
        assert_eq!("answered".parse::<CallStatus>(), Err(InvalidCallStatus));
    }
}
