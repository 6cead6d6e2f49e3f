//! Validation requests: what a create answers with.

use serde::{Deserialize, Serialize};

use crate::friendly_name::FriendlyName;
use crate::phone_number::PhoneNumber;
use crate::sid::{AccountSid, CallSid};
use crate::validation_code::ValidationCode;

/// What a create answers with: the code to show, for the number that is about to ring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValidationRequest {
    /// The account that asked.
    pub account_sid: AccountSid,
    /// The call that asks for the code; the 2008-08-01 API does not tell.
    pub call_sid: Option<CallSid>,
    /// The number being validated.
    pub phone_number: PhoneNumber,
    /// The name that was given, if any; the default is only applied when the caller ID is added.
    pub friendly_name: Option<FriendlyName>,
    /// What must be keyed on the phone.
    pub validation_code: ValidationCode,
}
