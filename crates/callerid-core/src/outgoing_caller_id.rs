//! The resource: a number that an account has proved to be its own.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use crate::date::{Date, Moment};
use crate::friendly_name::FriendlyName;
use crate::phone_number::PhoneNumber;
use crate::sid::{AccountSid, CallerIdSid};

/// An OutgoingCallerId: a validated number, with the properties the specification gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutgoingCallerId {
    /// Names this caller ID.
    pub sid: CallerIdSid,
    /// The account it belongs to.
    pub account_sid: AccountSid,
    /// What a person calls it; by default its number nicely formatted.
    pub friendly_name: FriendlyName,
    /// The validated number.
    pub phone_number: PhoneNumber,
    /// When it was validated.
    pub date_created: Date,
    /// When it was last renamed; until then, when it was validated.
    pub date_updated: Date,
}

impl OutgoingCallerId {
    /// Gives it another name, or its default name for `None`, and the date of the change.
    pub fn rename(&mut self, name: Option<FriendlyName>, now: Moment) {
        self.friendly_name = name.unwrap_or_else(|| FriendlyName::default_for(&self.phone_number));
        self.date_updated = now.to_date();
    }

    /// Where it stands in a list: newest `date_updated` first, Sids ascending within a second.
    /// (The specification names no order; this one is documented for neighbouring resources.)
    pub fn list_key(&self) -> ListKey {
        (Reverse(self.date_updated.unix_seconds()), self.sid)
    }
}

/// A place in the order of lists: the second of a DateUpdated, and a Sid.
pub type ListKey = (Reverse<i64>, CallerIdSid);

/// Which caller IDs of an account a list shows: those that match all that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Only the one with exactly this number.
    pub phone_number: Option<PhoneNumber>,
    /// Only those with exactly this name.
    pub friendly_name: Option<FriendlyName>,
}

impl Filter {
    /// Whether a caller ID is shown.
    pub fn matches(&self, caller_id: &OutgoingCallerId) -> bool {
        self.phone_number.is_none_or(|number| number == caller_id.phone_number)
            && self.friendly_name.as_ref().is_none_or(|name| *name == caller_id.friendly_name)
    }
}
