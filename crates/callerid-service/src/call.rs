//! Validation calls: the states of a validation, from the request to the entered code.
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
//! Every transition is a function from a [`Call`] and a moment to a [`Transition`], which a
//! [`Store`](crate::Store) saves atomically. The specification does not define these rules. They
//! are this project's choice, within the limits of NIST SP 800-63B-4: at most 100 consecutive
//! failures, a lifetime of at most ten minutes, and single use.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use callerid_core::{
    AccountSid, CallExtension, CallSid, CallerIdSid, FriendlyName, Moment, PhoneNumber,
    StatusCallback, ValidationCode, ValidationRequest,
};

use callerid_core::NewCallerId;

use crate::keypad::{DigitBuffer, Keys};
use crate::random_bytes::RandomBytes;

/// The number of wrong entries that ends a call without a verification. A call to a number close to
/// [`Limits::wrong_codes_per_number`](crate::Limits::wrong_codes_per_number) has fewer.
pub const ENTRIES_PER_CALL: u8 = 3;
/// The lifetime of a code, in seconds.
pub const CODE_LIFETIME_SECONDS: u32 = 600;
/// How many seconds in the future a call's creation time may be. If it is later, the clock must
/// have been set back, and the call counts as expired, so that no code outlives its ten minutes.
pub const CLOCK_TOLERANCE_SECONDS: u32 = 60;

/// The status of a call, in Twilio's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallStatus {
    /// Waiting until it is due.
    Queued,
    /// The line has been told to place the call, and nobody has answered yet.
    Ringing,
    /// Answered: the code is being entered.
    InProgress,
    /// Ended after it was answered, with or without the right code.
    Completed,
    /// Declined, or the line was busy.
    Busy,
    /// Nobody answered.
    NoAnswer,
    /// Never placed, or the line failed.
    Failed,
    /// Replaced by a new request for the same number.
    Canceled,
}

impl CallStatus {
    /// Every status, in the order in which a call can reach them.
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

    /// Twilio's name for the status.
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

    /// Parses Twilio's name for a status.
    ///
    /// # Errors
    /// [`InvalidCallStatus`] for any other text.
    pub fn parse(word: &str) -> Result<Self, InvalidCallStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == word).ok_or(InvalidCallStatus)
    }

    /// Whether the call has not ended yet.
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

/// A text that is not a call status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidCallStatus;

impl fmt::Display for InvalidCallStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the status of a call")
    }
}

impl std::error::Error for InvalidCallStatus {}

/// Why the phone line failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FailureCause {
    /// No trunk could be reached.
    NoTrunk,
    /// The trunk refused the call, for example because of wrong credentials.
    Refused,
    /// The number does not exist.
    NoSuchNumber,
    /// There was no sound, or it was lost.
    MediaLost,
    /// The server ended during the call.
    CallLost,
    /// The operator stopped the line.
    LineStopped,
    /// The number may not be called any more: its owner wants no calls, or it became too late.
    NotAllowed,
}

impl FailureCause {
    /// Every cause.
    pub const ALL: [Self; 7] = [
        Self::NoTrunk,
        Self::Refused,
        Self::NoSuchNumber,
        Self::MediaLost,
        Self::CallLost,
        Self::LineStopped,
        Self::NotAllowed,
    ];

    /// The cause in words for programs: `no-trunk`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoTrunk => "no-trunk",
            Self::Refused => "refused",
            Self::NoSuchNumber => "no-such-number",
            Self::MediaLost => "media-lost",
            Self::CallLost => "call-lost",
            Self::LineStopped => "line-stopped",
            Self::NotAllowed => "not-allowed",
        }
    }

    /// Parses what [`as_str`](Self::as_str) returns; `None` for any other text.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == word)
    }
}

impl fmt::Display for FailureCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A validation and its call: everything about them that must survive a crash. Its serialized form,
/// for stores, includes the code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The Sid of the call.
    pub sid: CallSid,
    /// The account that requested it.
    pub account_sid: AccountSid,
    /// The number to call.
    pub phone_number: PhoneNumber,
    /// The requested name for the caller ID, if any.
    pub friendly_name: Option<FriendlyName>,
    /// What to dial after connecting.
    pub extension: Option<CallExtension>,
    /// Where to report how the validation ended.
    pub status_callback: Option<StatusCallback>,
    /// The Sid that the caller ID gets if the code is entered.
    pub caller_id_sid: CallerIdSid,
    /// The number that a real line calls from, once the call has been placed.
    pub caller: Option<PhoneNumber>,
    /// The current status.
    pub status: CallStatus,
    /// Why the line failed, if it did.
    pub failure: Option<FailureCause>,
    /// Whether the right code was entered.
    pub verified: bool,
    /// The code to enter; removed when the call ends.
    pub validation_code: Option<ValidationCode>,
    /// The digits entered so far.
    pub keyed: DigitBuffer,
    /// How many wrong entries this call still allows.
    pub entries_left: u8,
    /// When it was requested.
    pub created_at: Moment,
    /// When it should ring.
    pub due_at: Moment,
    /// When it started ringing.
    pub ringing_at: Option<Moment>,
    /// When it was answered.
    pub answered_at: Option<Moment>,
    /// When it ended.
    pub ended_at: Option<Moment>,
    /// Counts the transitions, so that of two transitions from the same state only one is saved.
    pub revision: u32,
}

impl Call {
    /// Creates the call for a new validation, before admission (see
    /// [`Eligibility::check`](crate::Eligibility::check)). Returns `None` if the random bytes yield
    /// no code (see [`ValidationCode::from_random_bytes`]).
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
            caller: None,
            status: CallStatus::Queued,
            failure: None,
            verified: false,
            validation_code: Some(ValidationCode::from_random_bytes(
                &random_bytes.validation_code,
            )?),
            keyed: DigitBuffer::default(),
            entries_left: ENTRIES_PER_CALL,
            created_at: now,
            due_at: now.plus_seconds(new.call_delay.seconds().into()),
            ringing_at: None,
            answered_at: None,
            ended_at: None,
            revision: 0,
        })
    }

    /// When its code expires.
    pub fn expires_at(&self) -> Moment {
        self.created_at.plus_seconds(CODE_LIFETIME_SECONDS)
    }

    /// When the call next changes by itself: when it is due or expires. `None` once it has ended.
    pub fn wake_at(&self) -> Option<Moment> {
        match self.status {
            CallStatus::Queued => Some(self.due_at.min(self.expires_at())),
            status => status.is_live().then(|| self.expires_at()),
        }
    }

    /// How it ended, for metrics and an audit log: `verified`, or its status. `None` while it is live.
    pub const fn outcome(&self) -> Option<&'static str> {
        match (self.status.is_live(), self.verified) {
            (true, _) => None,
            (false, true) => Some("verified"),
            (false, false) => Some(self.status.as_str()),
        }
    }

    /// Whether it was placed on a real line, where it rings at somebody's phone.
    pub const fn is_on_real_line(&self) -> bool {
        self.caller.is_some()
    }

    /// The response that shows its code; `None` once the code is gone.
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

/// An event at the phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhoneEvent {
    /// Somebody answered.
    Answered,
    /// Somebody pressed these keys, in this order.
    Pressed(Keys),
    /// Somebody hung up, or declined the call while it was ringing.
    HungUp,
    /// The line is busy.
    Busy,
    /// It rang for as long as the line allows.
    NoAnswer,
    /// The line failed.
    Failed(FailureCause),
}

impl PhoneEvent {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Answered => "be answered",
            Self::Pressed(_) => "take digits",
            Self::HungUp => "be hung up",
            Self::Busy => "be busy",
            Self::NoAnswer => "go unanswered",
            Self::Failed(_) => "fail",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_of_failure_is_read_and_written_as_its_word() {
        for cause in FailureCause::ALL {
            assert_eq!(FailureCause::parse(cause.as_str()), Some(cause));
            assert_eq!(serde_json::to_value(cause).unwrap(), cause.as_str());
        }
    }

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
