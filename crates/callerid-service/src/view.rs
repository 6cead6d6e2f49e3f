//! Calls and callbacks as the control surface and events show them.

use serde::{Deserialize, Serialize};

use callerid_core::{AccountSid, CallSid, FriendlyName, Moment, PhoneNumber};

use crate::call::{Call, CallStatus, FailureCause};
use crate::callback::Callback;
use crate::rfc3339;

/// A call, without its code and the digits entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallView {
    /// The call's Sid.
    pub call_sid: CallSid,
    /// The account that made it.
    pub account_sid: AccountSid,
    /// The number to validate.
    pub phone_number: PhoneNumber,
    /// The name that the caller ID is to have, if the request gave one.
    pub friendly_name: Option<FriendlyName>,
    /// The number that a real line calls from, once the call has been placed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<PhoneNumber>,
    /// The status now.
    pub status: CallStatus,
    /// Why the line failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureCause>,
    /// `success` once the code was entered, `failed` if the call ended without it.
    pub verification_status: Option<String>,
    /// How many entries are left for the code.
    pub entries_left: u8,
    /// How many digits of the current entry were keyed.
    pub digits_keyed: u8,
    /// When the request was made.
    #[serde(with = "rfc3339")]
    pub created_at: Moment,
    /// When the number is called.
    #[serde(with = "rfc3339")]
    pub due_at: Moment,
    /// When the code expires.
    #[serde(with = "rfc3339")]
    pub expires_at: Moment,
    /// When the phone began to ring.
    #[serde(with = "rfc3339::optional")]
    pub ringing_at: Option<Moment>,
    /// When it was answered.
    #[serde(with = "rfc3339::optional")]
    pub answered_at: Option<Moment>,
    /// When the call ended.
    #[serde(with = "rfc3339::optional")]
    pub ended_at: Option<Moment>,
}

impl From<&Call> for CallView {
    fn from(call: &Call) -> Self {
        let verification = match (call.verified, call.status.is_live()) {
            (true, _) => Some("success"),
            (false, true) => None,
            (false, false) => Some("failed"),
        };
        Self {
            call_sid: call.sid,
            account_sid: call.account_sid,
            phone_number: call.phone_number,
            friendly_name: call.friendly_name.clone(),
            caller: call.caller,
            status: call.status,
            failure: call.failure,
            verification_status: verification.map(str::to_owned),
            entries_left: call.entries_left,
            digits_keyed: call.keyed.len(),
            created_at: call.created_at,
            due_at: call.due_at,
            expires_at: call.expires_at(),
            ringing_at: call.ringing_at,
            answered_at: call.answered_at,
            ended_at: call.ended_at,
        }
    }
}

/// A status callback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackView {
    /// The call that it reports.
    pub call_sid: CallSid,
    /// The account that made the call.
    pub account_sid: AccountSid,
    /// Where it goes, without the user and the password.
    pub url: String,
    /// The method: `POST` or `GET`.
    pub method: String,
    /// The parameters, as a form.
    pub parameters: String,
    /// `pending`, `delivered` or `failed`.
    pub status: String,
    /// How often it was tried.
    pub attempts: u8,
    /// When the call ended.
    #[serde(with = "rfc3339")]
    pub created_at: Moment,
    /// When it is tried next, if it is.
    #[serde(with = "rfc3339::optional")]
    pub next_at: Option<Moment>,
    /// The status of the last response.
    pub last_status: Option<u16>,
    /// Why the last attempt failed without a response.
    pub last_error: Option<String>,
}

impl From<&Callback> for CallbackView {
    fn from(callback: &Callback) -> Self {
        Self {
            call_sid: callback.call_sid,
            account_sid: callback.account_sid,
            url: callback.to.url().to_owned(),
            method: callback.to.method().as_str().to_owned(),
            parameters: callback.parameters.clone().into(),
            status: callback.status().to_owned(),
            attempts: callback.attempts,
            created_at: callback.created_at,
            next_at: callback.next_at,
            last_status: callback.last_status,
            last_error: callback.last_error.clone().map(Into::into),
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
