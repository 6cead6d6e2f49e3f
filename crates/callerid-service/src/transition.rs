//! Transitions: how time and phone events change a call.

use std::fmt;

use callerid_core::{FriendlyName, Moment, OutgoingCallerId};

use crate::call::{CLOCK_TOLERANCE_SECONDS, Call, CallStatus, PhoneEvent};
use crate::callback::Callback;
use crate::keypad::CodeEntry;
use crate::keypad::{DigitBuffer, Keys};

impl Call {
    /// The transition that is due at `now`: a call is placed when it is due, and ended when its
    /// code has expired. `None` if there is none.
    pub fn advance_to(&self, now: Moment) -> Option<Transition> {
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
            call.into_step(Some(Instruction::Place), now)
        })
    }

    /// The transition for a phone event.
    ///
    /// # Errors
    /// [`UnexpectedEvent`] if the event is impossible in the call's current state.
    pub fn apply(&self, event: &PhoneEvent, now: Moment) -> Result<Transition, UnexpectedEvent> {
        match (self.status, event) {
            (CallStatus::Ringing, PhoneEvent::Answered) => {
                let call =
                    Self { status: CallStatus::InProgress, answered_at: Some(now), ..self.clone() };
                Ok(call.into_step(Some(Instruction::Play(Prompt::EnterCode)), now))
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
            (status, PhoneEvent::Failed(cause)) if status.is_live() => {
                let mut call = self.clone();
                call.failure = Some(*cause);
                Ok(call.ended(CallStatus::Failed, now))
            }
            (status, _) => Err(UnexpectedEvent { status, event: event.name() }),
        }
    }

    /// The transition that cancels the call in favour of a new request for the same number.
    pub fn canceled(&self, now: Moment) -> Transition {
        self.ended(CallStatus::Canceled, now)
    }

    fn pressed(&self, keys: &Keys, now: Moment) -> Transition {
        let mut call = self.clone();
        let mut instruction = None;
        let mut wrong_entries: u8 = 0;
        for key in keys.as_slice() {
            let Some(entry) = call.keyed.press(*key) else { continue };
            if call.validation_code.is_some_and(|code| entry == CodeEntry::Code(code)) {
                return call.verified(now);
            }
            // On a virtual line, it is a wrong entry like any other.
            if entry == CodeEntry::OptOut && call.is_on_real_line() {
                let mut step = call.ended(CallStatus::Completed, now);
                step.instruction = Some(Instruction::HangUp(Some(Prompt::OptedOut)));
                step.wrong_entries = wrong_entries;
                step.opts_out = true;
                return step;
            }
            call.entries_left = call.entries_left.saturating_sub(1);
            wrong_entries = wrong_entries.saturating_add(1);
            if call.entries_left == 0 {
                let mut step = call.ended(CallStatus::Completed, now);
                step.instruction = Some(Instruction::HangUp(Some(Prompt::Failed)));
                step.wrong_entries = wrong_entries;
                return step;
            }
            let entries_left = call.entries_left;
            instruction = Some(Instruction::Play(Prompt::WrongCode { entries_left }));
        }
        Transition { wrong_entries, ..call.into_step(instruction, now) }
    }

    fn verified(mut self, now: Moment) -> Transition {
        self.verified = true;
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

    fn ended(&self, status: CallStatus, now: Moment) -> Transition {
        let call = Self {
            status,
            validation_code: None,
            keyed: DigitBuffer::default(),
            ended_at: Some(now),
            ..self.clone()
        };
        let mut step = call.into_step(Some(Instruction::HangUp(None)), now);
        step.callback = Callback::of(&step.call, now);
        step
    }

    fn into_step(mut self, instruction: Option<Instruction>, now: Moment) -> Transition {
        self.revision = self.revision.wrapping_add(1);
        Transition {
            call: self,
            at: now,
            wrong_entries: 0,
            opts_out: false,
            caller_id: None,
            callback: None,
            instruction,
        }
    }
}

/// A transition of a call, to be saved atomically.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The call after the transition. Its revision is one more than before.
    pub call: Call,
    /// When the transition happens.
    pub at: Moment,
    /// Wrong entries in this transition. They count against the number, regardless of the account.
    pub wrong_entries: u8,
    /// Whether the person at the phone wants no more calls: the number joins the list of those that
    /// are not called.
    pub opts_out: bool,
    /// The caller ID that the transition adds, if the right code was entered.
    pub caller_id: Option<OutgoingCallerId>,
    /// The callback that the transition requests, if the call has ended.
    pub callback: Option<Callback>,
    /// What the phone line must do once the transition is saved.
    pub instruction: Option<Instruction>,
}

impl Transition {
    /// The wrong entries that also count in all, for
    /// [`LineLimits::wrong_codes_per_number`](crate::LineLimits::wrong_codes_per_number): those on a
    /// real line.
    pub fn wrong_entries_on_line(&self) -> u8 {
        if self.call.is_on_real_line() { self.wrong_entries } else { 0 }
    }
}

/// What a phone line must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// Dial the call's number.
    Place,
    /// Play a prompt, and continue listening.
    Play(Prompt),
    /// Play the prompt, if any, and end the call.
    HangUp(Option<Prompt>),
}

/// What the person at the phone hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Prompt {
    /// Please enter the six digits that you were shown.
    EnterCode,
    /// That was not the code; this many entries are left.
    WrongCode {
        /// How many wrong entries the call still allows.
        entries_left: u8,
    },
    /// That was the code: the number is validated.
    Verified,
    /// That was not the code, and it was the last entry.
    Failed,
    /// This number will not be called again.
    OptedOut,
}

/// An event that is impossible in the call's current state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnexpectedEvent {
    status: CallStatus,
    event: &'static str,
}

impl fmt::Display for UnexpectedEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a call that is {} cannot {}", self.status, self.event)
    }
}

impl std::error::Error for UnexpectedEvent {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::FailureCause;
    use crate::eligibility::{Eligibility, Ineligible};
    use crate::limits::Limits;
    use crate::number_usage::{LONGEST_WAIT_SECONDS, NumberUsage};
    use crate::random_bytes::RandomBytes;
    use callerid_core::{AccountSid, CallDelay, NewCallerId, PhoneNumber, ValidationCode};

    const NOW: Moment = Moment::from_unix_millis(1_207_074_392_000);

    fn queued(delay: u8) -> Call {
        let number = PhoneNumber::parse("4158675309").unwrap();
        let call_delay = CallDelay::new(delay).unwrap();
        let new = NewCallerId { call_delay, ..NewCallerId::new(number) };
        let mut call = Call::new(
            AccountSid::from_random_bytes(&[1; 16]),
            new,
            &RandomBytes::new([2; RandomBytes::BYTES]),
            NOW,
        )
        .unwrap();
        call.validation_code = Some(ValidationCode::parse("042917").unwrap());
        call
    }

    fn in_progress() -> Call {
        let ringing = queued(0).advance_to(NOW).unwrap().call;
        ringing.apply(&PhoneEvent::Answered, NOW).unwrap().call
    }

    fn press(call: &Call, keys: &str) -> Transition {
        call.apply(&PhoneEvent::Pressed(Keys::parse(keys).unwrap()), NOW).unwrap()
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
        assert_eq!((last.call.entries_left, last.wrong_entries), (0, 2));
        assert_eq!(last.call.ended_at, Some(NOW));
        let error = last.call.apply(&PhoneEvent::Answered, NOW).unwrap_err();
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
    fn who_keys_9_on_a_real_line_wants_no_more_calls() {
        let on_real_line =
            Call { caller: Some(PhoneNumber::parse("2125550100").unwrap()), ..in_progress() };
        let step = press(&on_real_line, "9#");
        assert!(step.opts_out && !step.call.verified);
        assert_eq!((step.call.status, step.wrong_entries), (CallStatus::Completed, 0));
        assert_eq!(step.instruction, Some(Instruction::HangUp(Some(Prompt::OptedOut))));
        // Also after a wrong entry, which counts.
        let step = press(&on_real_line, "12#9#042917");
        assert_eq!((step.opts_out, step.wrong_entries_on_line()), (true, 1));
        for keys in ["99#", "9", "9*#", "19#", "900000"] {
            assert!(!press(&on_real_line, keys).opts_out, "{keys}");
        }
        let virtual_line = press(&in_progress(), "9#");
        assert_eq!((virtual_line.opts_out, virtual_line.wrong_entries), (false, 1));
        assert_eq!(virtual_line.wrong_entries_on_line(), 0);
    }

    #[test]
    fn a_call_is_placed_when_due_and_ended_when_its_code_expires() {
        let call = queued(30);
        assert_eq!(call.advance_to(NOW.plus_seconds(29)), None);
        assert_eq!(call.wake_at(), Some(NOW.plus_seconds(30)));
        let placed = call.advance_to(NOW.plus_seconds(30)).unwrap();
        assert_eq!(placed.instruction, Some(Instruction::Place));
        assert_eq!(placed.call.wake_at(), Some(NOW.plus_seconds(600)));
        let end = |call: &Call| call.advance_to(NOW.plus_seconds(600)).unwrap().call.status;
        assert_eq!(end(&call), CallStatus::Failed);
        assert_eq!(end(&placed.call), CallStatus::NoAnswer);
        assert_eq!(end(&in_progress()), CallStatus::Completed);
    }

    #[test]
    fn a_call_that_loses_its_line_has_failed() {
        for call in [queued(0), queued(0).advance_to(NOW).unwrap().call, in_progress()] {
            let step = call.apply(&PhoneEvent::Failed(FailureCause::NoTrunk), NOW).unwrap();
            assert_eq!((step.call.status, step.call.verified), (CallStatus::Failed, false));
        }
    }

    #[test]
    fn a_clock_set_back_does_not_lengthen_a_codes_life() {
        let before = |seconds: i64| Moment::from_unix_millis(NOW.unix_millis() - seconds * 1000);
        assert_eq!(in_progress().advance_to(before(60)), None);
        assert_eq!(
            in_progress().advance_to(before(61)).unwrap().call.status,
            CallStatus::Completed
        );
    }

    #[test]
    fn a_number_with_a_hundred_wrong_entries_waits_for_its_next_call() {
        let standing = |failed_entries| Eligibility {
            number: NumberUsage { failed_entries, failed_at: NOW, ..Default::default() },
            ..Eligibility::default()
        };
        let limits = &Limits::default();
        let admitted = standing(99).check(queued(0), limits).unwrap();
        let refused = Ineligible::TooManyFailedEntries { retry_after: 60 };
        assert_eq!(standing(100).check(queued(0), limits), Err(refused));
        let ringing = admitted.call.advance_to(NOW).unwrap().call;
        let answered = ringing.apply(&PhoneEvent::Answered, NOW).unwrap().call;
        assert_eq!(press(&answered, "000000").call.status, CallStatus::Completed);
        assert!(press(&answered, "042917").call.verified);
        let entries_left = |failed_entries, limits| {
            let after_the_wait =
                Call { created_at: NOW.plus_seconds(LONGEST_WAIT_SECONDS), ..queued(0) };
            standing(failed_entries).check(after_the_wait, &limits).unwrap().call.entries_left
        };
        assert_eq!([0, 97, 98, 99, 100, 200].map(|n| entries_left(n, *limits)), [3, 3, 2, 1, 1, 1]);
        let strict = Limits { wrong_codes_per_number: 2, ..*limits };
        assert_eq!([0, 1, 2].map(|n| entries_left(n, strict)), [2, 1, 1]);
    }

    #[test]
    fn a_new_request_replaces_the_live_call() {
        let standing = Eligibility { live: Some(in_progress()), ..Eligibility::default() };
        let replaced = standing.check(queued(0), &Limits::default()).unwrap().replaced.unwrap();
        assert_eq!(replaced.call.status, CallStatus::Canceled);
        assert_eq!(replaced.instruction, Some(Instruction::HangUp(None)));
    }

    #[test]
    fn neither_the_code_nor_what_was_keyed_is_in_debug_output() {
        let shown = format!("{:?}", press(&in_progress(), "0429"));
        assert!(!shown.contains("0429"), "{shown}");
    }
}
