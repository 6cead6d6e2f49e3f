//! What the switchboard is told.

use callerid_core::{CallSid, Moment};
use callerid_service::{Call, LineCommand, PhoneEvent};

/// The capacity of the switchboard's channel. Senders wait when it is full.
pub(crate) const INBOX: usize = 1024;

/// A message to the switchboard.
#[derive(Debug)]
pub(crate) enum Message {
    /// A request was processed and has these consequences.
    Instructed { next: Vec<LineCommand>, wake_at: Option<Moment> },
    /// The phone line reported an event.
    Reported(CallSid, PhoneEvent),
    /// Calls of a server that is gone belong to this one. These were placed.
    Adopted(Vec<Call>),
}
