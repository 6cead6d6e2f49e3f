//! New caller IDs: what a create asks for.

use crate::call_delay::CallDelay;
use crate::call_extension::CallExtension;
use crate::friendly_name::FriendlyName;
use crate::phone_number::PhoneNumber;
use crate::status_callback::StatusCallback;

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
