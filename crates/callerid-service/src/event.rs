//! Events: changes, for clients that watch.

use serde::Serialize;

use callerid_core::representation::json;
use callerid_core::{AccountSid, CallerIdSid, OutgoingCallerId};

use crate::call::Call;
use crate::view::CallView;

/// A change. A store appends it to its events in the same step that makes the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// A call was added or changed.
    Call(&'a Call),
    /// A number was validated.
    CallerIdAdded(&'a OutgoingCallerId),
    /// A caller ID was renamed.
    CallerIdUpdated(&'a OutgoingCallerId),
    /// A caller ID was deleted.
    CallerIdDeleted(&'a AccountSid, &'a CallerIdSid),
    /// Everything of the account was replaced: reload its lists.
    Reset(&'a AccountSid),
}

/// The event after which a client must reload its lists.
pub(crate) const RESET: &str = "reset";
pub(crate) const RESET_DATA: &str = "{}";

/// What is said of a caller ID that is gone.
#[derive(Serialize)]
struct Deleted<'a> {
    sid: &'a CallerIdSid,
}

impl Change<'_> {
    /// The account that the change belongs to.
    pub fn account(&self) -> AccountSid {
        match self {
            Self::Call(call) => call.account_sid,
            Self::CallerIdAdded(caller_id) | Self::CallerIdUpdated(caller_id) => {
                caller_id.account_sid
            }
            Self::CallerIdDeleted(account, _) | Self::Reset(account) => **account,
        }
    }

    /// The event's name on the wire.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Call(_) => "call",
            Self::CallerIdAdded(_) => "caller-id-added",
            Self::CallerIdUpdated(_) => "caller-id-updated",
            Self::CallerIdDeleted(..) => "caller-id-deleted",
            Self::Reset(_) => RESET,
        }
    }

    /// What changed, as JSON: the call as the control surface shows it, the caller ID with its
    /// properties' names in lower case, or the Sid of the deleted caller ID. Nothing for a reset.
    pub fn to_json(&self) -> String {
        match self {
            Self::Call(call) => json::to_string(&CallView::from(*call)),
            Self::CallerIdAdded(caller_id) | Self::CallerIdUpdated(caller_id) => {
                json::to_string(caller_id)
            }
            Self::CallerIdDeleted(_, sid) => json::to_string(&Deleted { sid }),
            Self::Reset(_) => RESET_DATA.to_owned(),
        }
    }

    /// Creates the event for this change, with this id.
    pub fn to_event(&self, id: u64) -> Event {
        Event { id, account_sid: self.account(), name: self.name().into(), data: self.to_json() }
    }
}

/// An event: a change that has been made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its position among all events, from 1.
    pub id: u64,
    /// The account that the change belongs to.
    pub account_sid: AccountSid,
    /// The kind of change; see [`Change::name`].
    pub name: Box<str>,
    /// What changed, as JSON on one line.
    pub data: String,
}

impl Event {
    /// Formats the event for a server-sent event stream.
    pub fn to_server_sent(&self) -> String {
        server_sent(self.id, &self.name, &self.data)
    }
}

/// Formats an event for a server-sent event stream.
pub(crate) fn server_sent(id: u64, name: &str, data: &str) -> String {
    format!("id: {id}\nevent: {name}\ndata: {data}\n\n")
}
