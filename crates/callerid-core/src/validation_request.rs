//! Validation requests: the response to a create request.

use serde::{Deserialize, Serialize};

use crate::friendly_name::FriendlyName;
use crate::phone_number::PhoneNumber;
use crate::sid::{AccountSid, CallSid};
use crate::validation_code::ValidationCode;

/// The response to a create request: the code to show to the user, for the number that is about to
/// ring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValidationRequest {
    /// The account that sent the request.
    pub account_sid: AccountSid,
    /// The validation call. The 2008-08-01 API does not return it.
    pub call_sid: Option<CallSid>,
    /// The number being validated.
    pub phone_number: PhoneNumber,
    /// The requested name, if any. The default name is applied only when the caller ID is added.
    pub friendly_name: Option<FriendlyName>,
    /// The code to enter on the phone.
    pub validation_code: ValidationCode,
}
