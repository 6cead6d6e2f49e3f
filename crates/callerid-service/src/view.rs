//! Calls and callbacks as the control surface and events show them.

use serde::Serialize;

use callerid_core::{AccountSid, CallSid, FriendlyName, Moment, PhoneNumber};

use crate::call::{Call, CallStatus};
use crate::callback::Callback;

/// A call, without its code and the digits entered.
#[derive(Serialize)]
pub(crate) struct CallView<'a> {
    call_sid: &'a CallSid,
    account_sid: &'a AccountSid,
    phone_number: &'a PhoneNumber,
    friendly_name: Option<&'a FriendlyName>,
    status: CallStatus,
    verification_status: Option<&'static str>,
    entries_left: u8,
    digits_keyed: u8,
    created_at: String,
    due_at: String,
    expires_at: String,
    ringing_at: Option<String>,
    answered_at: Option<String>,
    ended_at: Option<String>,
}

impl<'a> From<&'a Call> for CallView<'a> {
    fn from(call: &'a Call) -> Self {
        Self {
            call_sid: &call.sid,
            account_sid: &call.account_sid,
            phone_number: &call.phone_number,
            friendly_name: call.friendly_name.as_ref(),
            status: call.status,
            verification_status: match (call.verified, call.status.is_live()) {
                (true, _) => Some("success"),
                (false, true) => None,
                (false, false) => Some("failed"),
            },
            entries_left: call.entries_left,
            digits_keyed: call.keyed.len(),
            created_at: call.created_at.to_rfc3339(),
            due_at: call.due_at.to_rfc3339(),
            expires_at: call.expires_at().to_rfc3339(),
            ringing_at: call.ringing_at.map(Moment::to_rfc3339),
            answered_at: call.answered_at.map(Moment::to_rfc3339),
            ended_at: call.ended_at.map(Moment::to_rfc3339),
        }
    }
}

/// A status callback.
#[derive(Serialize)]
pub(crate) struct CallbackView<'a> {
    call_sid: &'a CallSid,
    account_sid: &'a AccountSid,
    url: &'a str,
    method: &'static str,
    parameters: &'a str,
    status: &'static str,
    attempts: u8,
    created_at: String,
    next_at: Option<String>,
    last_status: Option<u16>,
    last_error: Option<&'a str>,
}

impl<'a> From<&'a Callback> for CallbackView<'a> {
    fn from(callback: &'a Callback) -> Self {
        Self {
            call_sid: &callback.call_sid,
            account_sid: &callback.account_sid,
            url: callback.to.url(),
            method: callback.to.method().as_str(),
            parameters: &callback.parameters,
            status: callback.status(),
            attempts: callback.attempts,
            created_at: callback.created_at.to_rfc3339(),
            next_at: callback.next_at.map(Moment::to_rfc3339),
            last_status: callback.last_status,
            last_error: callback.last_error.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_written_as_its_word() {
        for status in CallStatus::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
            assert_eq!(
                serde_json::from_value::<CallStatus>(status.as_str().into()).unwrap(),
                status
            );
        }
    }
}
