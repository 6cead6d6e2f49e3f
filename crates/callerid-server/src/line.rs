//! Phone lines: what dials a number, says a prompt, hears the keys.

mod virtual_line;

use callerid_core::CallSid;
use callerid_service::{Call, PhoneEvent, Prompt};
use tokio::sync::mpsc;

pub use virtual_line::VirtualLine;

use crate::host::Message;

/// Makes validation calls.
///
/// The switchboard tells a line what to do, one instruction after another and never
/// two at once; the line tells the switchboard what happens, through the [`PhoneReports`] it was made with. A
/// method only starts what it is asked for and returns at once: it neither waits nor fails. What goes
/// wrong is reported as [`PhoneEvent::Failed`].
///
/// # The order of things
///
/// A call begins with one [`place`](Self::place), after "ringing" is on disk. While it rings the line
/// reports at most one of `Answered`, `Busy`, `NoAnswer`, `HungUp` (declined) or `Failed` (no trunk, no such
/// number); how long it rings before `NoAnswer` is the line's to choose. Once it is answered come
/// [`play`](Self::play), any number of times, and from the line `Pressed`, key by key as they are heard, also
/// in the middle of a prompt, which a key stops; then `HungUp`, or `Failed` where the media is lost. The
/// call is over with the line's report of that, or with [`hang_up`](Self::hang_up), which may come at any time.
/// A report that does not fit the call's state changes nothing, and neither may an instruction for a call
/// that the line no longer has.
///
/// # When the process starts again
///
/// Each call that was ringing or in progress is handed to [`resume`](Self::resume), and not placed again:
/// it may have been dialed. A line that has lost the call reports `Failed`.
pub trait PhoneLine: Send + Sync {
    /// What it is called in the log, and in the answer to `GET /_callerid/health`.
    fn name(&self) -> &'static str;

    /// Dials the call's number.
    fn place(&self, call: &Call);

    /// Takes up a call that was ringing or in progress when the process ended.
    fn resume(&self, call: &Call);

    /// Says something, instead of what it may be saying, and goes on listening.
    fn play(&self, call: &Call, prompt: Prompt);

    /// Says something, if anything, to its end, and ends the call.
    fn hang_up(&self, call: &Call, prompt: Option<Prompt>);
}

/// Where a line reports what happens at its phones.
#[derive(Clone, Debug)]
pub struct PhoneReports(mpsc::Sender<Message>);

impl PhoneReports {
    pub(crate) fn new(switchboard: mpsc::Sender<Message>) -> Self {
        Self(switchboard)
    }

    /// Reports an event. Events of one call take effect in the order of their reports; this waits while
    /// the switchboard has many before it. After the server has stopped, a report is dropped.
    pub async fn report(&self, call: CallSid, event: PhoneEvent) {
        self.0.send(Message::Reported(call, event)).await.unwrap_or_default();
    }
}
