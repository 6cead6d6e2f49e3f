//! What an audit log records of a line's calls: never a code, never a key that was pressed.

use callerid_core::{AccountSid, CallSid, Moment, PhoneNumber};
use serde::Serialize;

use crate::call::Call;
use crate::eligibility::Ineligible;
use crate::rfc3339;
use crate::service::{AskedFor, LineCommand};
use crate::transition::{Instruction, Prompt};

/// An entry of an audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditEntry {
    /// When it happened.
    #[serde(with = "rfc3339")]
    pub at: Moment,
    /// What happened: `asked`, `refused`, `placed` or `ended`.
    pub event: &'static str,
    /// The account that asked for the call.
    pub account_sid: AccountSid,
    /// The call. There is none if it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_sid: Option<CallSid>,
    /// The number to call.
    pub phone_number: PhoneNumber,
    /// The number that it is called from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<PhoneNumber>,
    /// How the call ended: `verified`, or its status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<&'static str>,
    /// Why it was refused (the name of an [`Ineligible`]), why the line failed, or `opted-out`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<&'static str>,
}

impl AuditEntry {
    /// The entry of a command that places or ends a call; `None` if it does neither.
    pub fn of(command: &LineCommand) -> Option<Self> {
        let LineCommand { call, instruction } = command;
        match instruction {
            Instruction::Place => {
                Some(Self { at: call.ringing_at?, ..Self::of_call("placed", call) })
            }
            Instruction::Play(_) => None,
            Instruction::HangUp(prompt) => {
                let opted_out = (*prompt == Some(Prompt::OptedOut)).then_some("opted-out");
                Some(Self {
                    at: call.ended_at?,
                    outcome: call.outcome(),
                    cause: call.failure.map(|cause| cause.as_str()).or(opted_out),
                    ..Self::of_call("ended", call)
                })
            }
        }
    }

    fn of_call(event: &'static str, call: &Call) -> Self {
        Self {
            at: call.created_at,
            event,
            account_sid: call.account_sid,
            call_sid: Some(call.sid),
            phone_number: call.phone_number,
            caller: call.caller,
            outcome: None,
            cause: None,
        }
    }
}

impl From<AskedFor> for AuditEntry {
    fn from(asked_for: AskedFor) -> Self {
        let AskedFor { at, account_sid, phone_number, admitted } = asked_for;
        Self {
            at,
            event: if admitted.is_ok() { "asked" } else { "refused" },
            account_sid,
            call_sid: admitted.ok(),
            phone_number,
            caller: None,
            outcome: None,
            cause: admitted.err().map(Ineligible::as_str),
        }
    }
}
