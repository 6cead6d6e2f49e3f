//! The resource: a number that an account has proved it owns.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use crate::date::{Date, Moment};
use crate::friendly_name::FriendlyName;
use crate::phone_number::PhoneNumber;
use crate::sid::{AccountSid, CallerIdSid};

/// An OutgoingCallerId: a validated number, with the properties that the specification defines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutgoingCallerId {
    /// The Sid of this caller ID.
    pub sid: CallerIdSid,
    /// The account it belongs to.
    pub account_sid: AccountSid,
    /// What people call it; by default its number in national format.
    pub friendly_name: FriendlyName,
    /// The validated number.
    pub phone_number: PhoneNumber,
    /// When it was validated.
    pub date_created: Date,
    /// When it was last renamed, or validated if it has never been renamed.
    pub date_updated: Date,
}

impl OutgoingCallerId {
    /// Renames it, or restores its default name for `None`, and sets `date_updated`.
    pub fn rename(&mut self, name: Option<FriendlyName>, now: Moment) {
        self.friendly_name = name.unwrap_or_else(|| FriendlyName::default_for(&self.phone_number));
        self.date_updated = now.to_date();
    }

    /// Its position in a list: newest `date_updated` first, ascending Sids within a second. (The
    /// specification defines no order; this one is documented for related resources.)
    pub fn list_key(&self) -> ListKey {
        (Reverse(self.date_updated.unix_seconds()), self.sid)
    }
}

/// A position in the order of a list: the second of a DateUpdated, and a Sid.
pub type ListKey = (Reverse<i64>, CallerIdSid);

/// Which of an account's caller IDs a list shows: those that match every given property.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Only the caller ID with exactly this number.
    pub phone_number: Option<PhoneNumber>,
    /// Only caller IDs with exactly this name.
    pub friendly_name: Option<FriendlyName>,
}

impl Filter {
    /// Whether a caller ID matches.
    pub fn matches(&self, caller_id: &OutgoingCallerId) -> bool {
        self.phone_number.is_none_or(|number| number == caller_id.phone_number)
            && self.friendly_name.as_ref().is_none_or(|name| *name == caller_id.friendly_name)
    }
}
