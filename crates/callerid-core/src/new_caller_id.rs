//! New caller IDs: the contents of a create request.

use crate::call_delay::CallDelay;
use crate::call_extension::CallExtension;
use crate::friendly_name::FriendlyName;
use crate::phone_number::PhoneNumber;
use crate::status_callback::StatusCallback;

/// The contents of a create request, parsed and validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCallerId {
    /// The number to validate.
    pub phone_number: PhoneNumber,
    /// The requested name, if any.
    pub friendly_name: Option<FriendlyName>,
    /// How long to wait before ringing.
    pub call_delay: CallDelay,
    /// What to dial after connecting.
    pub extension: Option<CallExtension>,
    /// Where to report how the validation ended.
    pub status_callback: Option<StatusCallback>,
}

impl NewCallerId {
    /// A validation of this number with no other options.
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
