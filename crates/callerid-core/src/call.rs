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
//! Every transition is a function from a [`Call`] and a moment to a [`Step`]; a [`Store`](crate::Store)
//! saves the step in one piece. The rules are this project's choice, within NIST SP 800-63B-4 (at most
//! 100 consecutive failures, at most ten minutes, used once): the specification is silent.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::{digits, put};
use crate::validation::VALIDATION_CODE_DIGITS;
use crate::{
    AccountSid, CallDelay, CallExtension, CallSid, Callback, CallerIdSid, Entropy, FriendlyName,
    Moment, OutgoingCallerId, PhoneNumber, StatusCallback, ValidationCode, ValidationRequest,
};

/// Wrong entries after which a call ends without a verification.
pub const ENTRIES_PER_CALL: u8 = 3;
/// Wrong entries in a row after which a number takes no more calls from an account.
pub const FAILED_ENTRIES_MAX: u8 = 100;
/// Seconds after which a code is worth nothing.
pub const CODE_LIFETIME_SECONDS: u32 = 600;
/// How far ahead of the clock a call may have been made, in seconds, before the clock is taken to have
/// been set back and the call for expired: no code outlives its ten minutes through that.
pub const CLOCK_TOLERANCE_SECONDS: u32 = 60;

/// Where a call stands, in the vendor's words.
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

    /// The vendor's word for it.
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
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether the call is still to end.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Queued | Self::Ringing | Self::InProgress)
    }
}

impl fmt::Display for CallStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a create asks for, read and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCallerId {
    /// The number to validate.
    pub phone_number: PhoneNumber,
    /// The name it is to have, where one was given.
    pub friendly_name: Option<FriendlyName>,
    /// How long to wait before ringing.
    pub call_delay: CallDelay,
    /// What to dial after connecting.
    pub extension: Option<CallExtension>,
    /// Where to tell how the validation ended.
    pub status_callback: Option<StatusCallback>,
}

impl NewCallerId {
    /// A validation of that number with nothing else asked for.
    pub fn new(phone_number: PhoneNumber) -> Self {
        Self {
            phone_number,
            friendly_name: None,
            call_delay: CallDelay::default(),
            extension: None,
            status_callback: None,
        }
    }
}

/// One validation and the call that carries it: all that must survive a crash.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    pub keyed: Keyed,
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
    /// The call for a new validation, not yet admitted (see [`Standing::admit`]). `None` where the
    /// entropy holds no code (see [`ValidationCode::from_entropy`]).
    pub fn new(
        account: AccountSid,
        new: NewCallerId,
        entropy: &Entropy,
        now: Moment,
    ) -> Option<Self> {
        Some(Self {
            sid: CallSid::from_entropy(&entropy.call_sid),
            account_sid: account,
            phone_number: new.phone_number,
            friendly_name: new.friendly_name,
            extension: new.extension,
            status_callback: new.status_callback,
            caller_id_sid: CallerIdSid::from_entropy(&entropy.caller_id_sid),
            status: CallStatus::Queued,
            verified: false,
            validation_code: Some(ValidationCode::from_entropy(&entropy.validation_code)?),
            keyed: Keyed::default(),
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

    /// What the time alone does to it: it is placed when due, and ended when its code has expired.
    /// `None` while there is nothing to do.
    pub fn at(&self, now: Moment) -> Option<Step> {
        if !self.status.is_live() {
            return None;
        }
        let clock_was_set_back = self.created_at > now.plus_seconds(CLOCK_TOLERANCE_SECONDS);
        if now >= self.expires_at() || clock_was_set_back {
            let status = match self.status {
                CallStatus::Ringing => CallStatus::NoAnswer,
                CallStatus::InProgress => CallStatus::Completed,
                _ => CallStatus::Failed,
            };
            return Some(self.ended(status, now));
        }
        let is_due = self.status == CallStatus::Queued && now >= self.due_at;
        is_due.then(|| {
            let call = Self { status: CallStatus::Ringing, ringing_at: Some(now), ..self.clone() };
            call.into_step(Some(Instruction::Place))
        })
    }

    /// What an event of the phone does to it.
    ///
    /// # Errors
    /// [`UnexpectedEvent`] where it is not in a state in which that can happen.
    pub fn after(&self, event: &PhoneEvent, now: Moment) -> Result<Step, UnexpectedEvent> {
        match (self.status, event) {
            (CallStatus::Ringing, PhoneEvent::Answered) => {
                let call =
                    Self { status: CallStatus::InProgress, answered_at: Some(now), ..self.clone() };
                Ok(call.into_step(Some(Instruction::Play(Prompt::EnterCode))))
            }
            (CallStatus::Ringing, PhoneEvent::Busy | PhoneEvent::HungUp) => {
                Ok(self.ended(CallStatus::Busy, now))
            }
            (CallStatus::Ringing, PhoneEvent::NoAnswer) => {
                Ok(self.ended(CallStatus::NoAnswer, now))
            }
            (CallStatus::InProgress, PhoneEvent::Pressed(keys)) => Ok(self.pressed(keys, now)),
            (CallStatus::InProgress, PhoneEvent::HungUp) => {
                Ok(self.ended(CallStatus::Completed, now))
            }
            (status, PhoneEvent::Failed) if status.is_live() => {
                Ok(self.ended(CallStatus::Failed, now))
            }
            (status, _) => Err(UnexpectedEvent { status, event: event.name() }),
        }
    }

    /// It gives way to a new request for the same number.
    pub fn canceled(&self, now: Moment) -> Step {
        self.ended(CallStatus::Canceled, now)
    }

    fn pressed(&self, keys: &[Key], now: Moment) -> Step {
        let mut call = self.clone();
        let mut instruction = None;
        for key in keys {
            let Some(entry) = call.keyed.press(*key) else { continue };
            if call.validation_code.is_some_and(|code| entry == Entry::Code(code)) {
                return call.verified(now);
            }
            call.entries_left = call.entries_left.saturating_sub(1);
            call.failed_entries = call.failed_entries.saturating_add(1);
            if call.entries_left == 0 || call.failed_entries >= FAILED_ENTRIES_MAX {
                call.entries_left = 0;
                let mut step = call.ended(CallStatus::Completed, now);
                step.instruction = Some(Instruction::HangUp(Some(Prompt::Failed)));
                return step;
            }
            let entries_left = call.entries_left;
            instruction = Some(Instruction::Play(Prompt::WrongCode { entries_left }));
        }
        call.into_step(instruction)
    }

    fn verified(mut self, now: Moment) -> Step {
        self.verified = true;
        self.failed_entries = 0;
        let date = now.to_date();
        let name = self.friendly_name.clone();
        let caller_id = OutgoingCallerId {
            sid: self.caller_id_sid,
            account_sid: self.account_sid,
            friendly_name: name.unwrap_or_else(|| FriendlyName::default_for(&self.phone_number)),
            phone_number: self.phone_number,
            date_created: date,
            date_updated: date,
        };
        let mut step = self.ended(CallStatus::Completed, now);
        step.caller_id = Some(caller_id);
        step.instruction = Some(Instruction::HangUp(Some(Prompt::Verified)));
        step
    }

    fn ended(&self, status: CallStatus, now: Moment) -> Step {
        let call = Self {
            status,
            validation_code: None,
            keyed: Keyed::default(),
            ended_at: Some(now),
            ..self.clone()
        };
        let mut step = call.into_step(Some(Instruction::HangUp(None)));
        step.callback = Callback::of(&step.call, now);
        step
    }

    fn into_step(mut self, instruction: Option<Instruction>) -> Step {
        self.revision = self.revision.wrapping_add(1);
        Step { call: self, caller_id: None, callback: None, instruction }
    }
}

/// A transition of a call, to be saved in one piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The call after the step; its revision is one more than before.
    pub call: Call,
    /// The caller ID that the step adds: the code was keyed.
    pub caller_id: Option<OutgoingCallerId>,
    /// The callback that the step asks for: the call has ended.
    pub callback: Option<Callback>,
    /// What the phone line is to do, once the step is saved.
    pub instruction: Option<Instruction>,
}

/// What a phone line is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// Dial the call's number.
    Place,
    /// Say something, and go on listening.
    Play(Prompt),
    /// Say something, if anything, and end the call.
    HangUp(Option<Prompt>),
}

/// What the person at the phone hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Prompt {
    /// Please enter the six digits that you were shown.
    EnterCode,
    /// That was not the code; so many entries are left.
    WrongCode {
        /// Wrong entries that are still allowed in this call.
        entries_left: u8,
    },
    /// That was the code: the number is validated.
    Verified,
    /// That was not the code, and it was the last entry.
    Failed,
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
    const fn name(&self) -> &'static str {
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

/// An event that cannot happen to a call as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnexpectedEvent {
    status: CallStatus,
    event: &'static str,
}

impl fmt::Display for UnexpectedEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        put(f, &["a call that is ", self.status.as_str(), " cannot ", self.event])
    }
}

impl std::error::Error for UnexpectedEvent {}

/// A key of a telephone: a digit, `*` or `#`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(u8);

impl Key {
    /// The key with that label, `None` where a telephone has none such.
    pub fn new(label: char) -> Option<Self> {
        matches!(label, '0'..='9' | '*' | '#').then_some(Self(label as u8))
    }

    /// Reads one or several keys.
    ///
    /// # Errors
    /// [`InvalidKeys`] where there is none, or something that is no key.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, InvalidKeys> {
        let no_key = |(at, _): &(usize, char)| *at;
        let is_no_key = |(_, label): &(usize, char)| Self::new(*label).is_none();
        match text.char_indices().find(is_no_key).as_ref().map(no_key) {
            Some(at) => Err(InvalidKeys { at }),
            None if text.is_empty() => Err(InvalidKeys { at: 0 }),
            None => Ok(text.chars().filter_map(Self::new).collect()),
        }
    }
}

/// A text that is not a sequence of telephone keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidKeys {
    at: usize,
}

impl fmt::Display for InvalidKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        put(f, &["expected one or more of 0 to 9, * and #, from byte ", &digits(self.at), " on"])
    }
}

impl std::error::Error for InvalidKeys {}

/// The digits of an entry that has been begun: at most five, for the sixth ends it.
///
/// `*` starts the entry over, `#` ends it early; a `#` before any digit means nothing.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Keyed {
    digits: [u8; VALIDATION_CODE_DIGITS],
    length: u8,
}

#[derive(PartialEq, Eq)]
enum Entry {
    Code(ValidationCode),
    TooShort,
}

impl Keyed {
    /// Takes up a begun entry where it was left, from its digits; what is no begun entry is dropped.
    pub fn resume(digits: &str) -> Self {
        let mut keyed = Self::default();
        let fits = digits.len() < VALIDATION_CODE_DIGITS;
        if fits && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            digits.chars().filter_map(Key::new).for_each(|key| {
                keyed.press(key);
            });
        }
        keyed
    }

    /// The digits so far, for the store that keeps them.
    pub fn expose(&self) -> &str {
        let digits = self.digits.get(..self.length.into()).unwrap_or_default();
        std::str::from_utf8(digits).unwrap_or_default()
    }

    /// How many digits there are so far.
    pub fn len(&self) -> u8 {
        self.length
    }

    /// Whether no digit has been keyed since the last entry.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    fn press(&mut self, key: Key) -> Option<Entry> {
        match key.0 {
            b'*' => {
                *self = Self::default();
                None
            }
            b'#' => {
                let begun = !self.is_empty();
                *self = Self::default();
                begun.then_some(Entry::TooShort)
            }
            digit => {
                *self.digits.get_mut(usize::from(self.length))? = digit;
                self.length = self.length.saturating_add(1);
                if usize::from(self.length) < VALIDATION_CODE_DIGITS {
                    return None;
                }
                let entered = std::mem::take(self);
                Some(ValidationCode::parse(entered.expose()).map_or(Entry::TooShort, Entry::Code))
            }
        }
    }
}

impl fmt::Debug for Keyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyed({} digits)", self.length)
    }
}

/// What a store knows of an account's number when a validation is asked for.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// Whether the number is already a caller ID of the account.
    pub is_caller_id: bool,
    /// Its wrong entries in a row.
    pub failed_entries: u8,
    /// The call that is still live.
    pub live: Option<Call>,
}

impl Standing {
    /// Decides on a new call: it may be refused, and it takes the place of one that is still live.
    ///
    /// # Errors
    /// [`ValidationRefused`] with the rule that stands against it.
    pub fn admit(self, call: Call) -> Result<Admitted, ValidationRefused> {
        if self.is_caller_id {
            return Err(ValidationRefused::AlreadyValidated);
        }
        if self.failed_entries >= FAILED_ENTRIES_MAX {
            return Err(ValidationRefused::TooManyFailedEntries);
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
    pub replaced: Option<Step>,
}

/// Why a validation is not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValidationRefused {
    /// The number is already a caller ID of the account.
    AlreadyValidated,
    /// The number has had [`FAILED_ENTRIES_MAX`] wrong entries in a row.
    TooManyFailedEntries,
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::from_unix_millis(1_207_074_392_000);

    fn queued(delay: u8) -> Call {
        let number = PhoneNumber::parse("4158675309").unwrap();
        let call_delay = CallDelay::new(delay).unwrap();
        let new = NewCallerId { call_delay, ..NewCallerId::new(number) };
        let mut call = Call::new(
            AccountSid::from_entropy(&[1; 16]),
            new,
            &Entropy::new([2; Entropy::BYTES]),
            NOW,
        )
        .unwrap();
        call.validation_code = Some(ValidationCode::parse("042917").unwrap());
        call
    }

    fn in_progress() -> Call {
        let ringing = queued(0).at(NOW).unwrap().call;
        ringing.after(&PhoneEvent::Answered, NOW).unwrap().call
    }

    fn press(call: &Call, keys: &str) -> Step {
        call.after(&PhoneEvent::Pressed(Key::parse_all(keys).unwrap()), NOW).unwrap()
    }

    #[test]
    fn the_code_keyed_a_digit_at_a_time_adds_the_caller_id() {
        let mut call = in_progress();
        for digit in ["0", "4", "2", "9", "1"] {
            let step = press(&call, digit);
            assert_eq!((step.caller_id.is_none(), step.instruction), (true, None));
            call = step.call;
        }
        let step = press(&call, "7");
        let caller_id = step.caller_id.unwrap();
        assert_eq!(caller_id.friendly_name.as_str(), "(415) 867-5309");
        assert_eq!(caller_id.sid, call.caller_id_sid);
        assert_eq!((step.call.status, step.call.verified), (CallStatus::Completed, true));
        assert_eq!(step.call.validation_code, None);
        assert_eq!(step.instruction, Some(Instruction::HangUp(Some(Prompt::Verified))));
    }

    #[test]
    fn the_third_wrong_entry_ends_the_call_and_keys_after_it_are_dropped() {
        let first = press(&in_progress(), "000000");
        let wrong = Prompt::WrongCode { entries_left: 2 };
        assert_eq!(first.instruction, Some(Instruction::Play(wrong)));
        let last = press(
            &first.call,
            "111111" /* and */
                .repeat(3)
                .as_str(),
        );
        assert_eq!((last.call.status, last.call.verified), (CallStatus::Completed, false));
        assert_eq!((last.call.entries_left, last.call.failed_entries), (0, 3));
        assert_eq!(last.call.ended_at, Some(NOW));
        let error = last.call.after(&PhoneEvent::Answered, NOW).unwrap_err();
        assert_eq!(error.to_string(), "a call that is completed cannot be answered");
    }

    #[test]
    fn star_starts_over_and_hash_ends_an_entry_early() {
        let call = in_progress();
        assert!(press(&call, "99*042917").caller_id.is_some());
        assert!(press(&call, "##042917").caller_id.is_some());
        assert_eq!(press(&call, "0429#").call.entries_left, 2);
    }

    #[test]
    fn a_call_is_placed_when_due_and_ended_when_its_code_expires() {
        let call = queued(30);
        assert_eq!(call.at(NOW.plus_seconds(29)), None);
        assert_eq!(call.wake_at(), Some(NOW.plus_seconds(30)));
        let placed = call.at(NOW.plus_seconds(30)).unwrap();
        assert_eq!(placed.instruction, Some(Instruction::Place));
        assert_eq!(placed.call.wake_at(), Some(NOW.plus_seconds(600)));
        let end = |call: &Call| call.at(NOW.plus_seconds(600)).unwrap().call.status;
        assert_eq!(end(&call), CallStatus::Failed);
        assert_eq!(end(&placed.call), CallStatus::NoAnswer);
        assert_eq!(end(&in_progress()), CallStatus::Completed);
    }

    #[test]
    fn a_call_that_loses_its_line_has_failed() {
        for call in [queued(0), queued(0).at(NOW).unwrap().call, in_progress()] {
            let step = call.after(&PhoneEvent::Failed, NOW).unwrap();
            assert_eq!((step.call.status, step.call.verified), (CallStatus::Failed, false));
        }
    }

    #[test]
    fn a_clock_set_back_does_not_lengthen_a_codes_life() {
        let before = |seconds: i64| Moment::from_unix_millis(NOW.unix_millis() - seconds * 1000);
        assert_eq!(in_progress().at(before(60)), None);
        assert_eq!(in_progress().at(before(61)).unwrap().call.status, CallStatus::Completed);
    }

    #[test]
    fn a_number_with_a_hundred_wrong_entries_takes_no_more() {
        let standing = |failed_entries| Standing { failed_entries, ..Standing::default() };
        let admitted = standing(99).admit(queued(0)).unwrap();
        assert_eq!(standing(100).admit(queued(0)), Err(ValidationRefused::TooManyFailedEntries));
        let ringing = admitted.call.at(NOW).unwrap().call;
        let answered = ringing.after(&PhoneEvent::Answered, NOW).unwrap().call;
        assert_eq!(press(&answered, "000000").call.status, CallStatus::Completed);
        assert_eq!(press(&answered, "042917").call.failed_entries, 0);
    }

    #[test]
    fn a_new_request_replaces_the_live_call() {
        let standing = Standing { live: Some(in_progress()), ..Standing::default() };
        let replaced = standing.admit(queued(0)).unwrap().replaced.unwrap();
        assert_eq!(replaced.call.status, CallStatus::Canceled);
        assert_eq!(replaced.instruction, Some(Instruction::HangUp(None)));
    }

    #[test]
    fn neither_the_code_nor_what_was_keyed_is_in_debug_output() {
        let shown = format!("{:?}", press(&in_progress(), "0429"));
        assert!(!shown.contains("0429"), "{shown}");
    }

    #[test]
    fn what_is_no_key_is_refused_by_its_place() {
        for (text, at) in [("", 0), ("12a", 2), ("é", 0), ("1 2", 1)] {
            assert_eq!(Key::parse_all(text), Err(InvalidKeys { at }), "{text}");
        }
    }
}
