//! Events: what changed, for whoever watches.

use serde::Serialize;

use callerid_core::representation::json;
use callerid_core::{AccountSid, CallerIdSid, OutgoingCallerId};

use crate::call::Call;
use crate::view::CallView;

/// A change that a store appends to its events in the step that makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// A call was added, or went a step on.
    Call(&'a Call),
    /// A number was validated.
    CallerIdAdded(&'a OutgoingCallerId),
    /// A caller ID was renamed.
    CallerIdUpdated(&'a OutgoingCallerId),
    /// A caller ID was deleted.
    CallerIdDeleted(&'a AccountSid, &'a CallerIdSid),
}

/// What is said of a caller ID that is gone.
#[derive(Serialize)]
struct Deleted<'a> {
    sid: &'a CallerIdSid,
}

impl Change<'_> {
    /// The account whose change it is.
    pub fn account(&self) -> AccountSid {
        match self {
            Self::Call(call) => call.account_sid,
            Self::CallerIdAdded(caller_id) | Self::CallerIdUpdated(caller_id) => {
                caller_id.account_sid
            }
            Self::CallerIdDeleted(account, _) => **account,
        }
    }

    /// Its name on the wire.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Call(_) => "call",
            Self::CallerIdAdded(_) => "caller-id-added",
            Self::CallerIdUpdated(_) => "caller-id-updated",
            Self::CallerIdDeleted(..) => "caller-id-deleted",
        }
    }

    /// What is changed, as JSON: the call as the control surface shows it, the caller ID with the names of
    /// its properties in lower case, or the Sid of what is gone.
    pub fn to_json(&self) -> String {
        match self {
            Self::Call(call) => json::to_string(&CallView::from(*call)),
            Self::CallerIdAdded(caller_id) | Self::CallerIdUpdated(caller_id) => {
                json::to_string(caller_id)
            }
            Self::CallerIdDeleted(_, sid) => json::to_string(&Deleted { sid }),
        }
    }

    /// The change as the event with that id.
    pub fn to_event(&self, id: u64) -> Event {
        Event { id, account_sid: self.account(), name: self.name().into(), data: self.to_json() }
    }
}

/// A change that has been made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its place among all events, from 1 on.
    pub id: u64,
    /// The account whose change it was.
    pub account_sid: AccountSid,
    /// What kind of change: see [`Change::name`].
    pub name: Box<str>,
    /// What was changed, as JSON on one line.
    pub data: String,
}

impl Event {
    /// The event in the form of a server-sent event stream.
    pub fn to_server_sent(&self) -> String {
        server_sent(self.id, &self.name, &self.data)
    }
}

/// An event in the form of a server-sent event stream.
pub(crate) fn server_sent(id: u64, name: &str, data: &str) -> String {
    format!("id: {id}\nevent: {name}\ndata: {data}\n\n")
}
