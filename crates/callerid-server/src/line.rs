//! Phone lines: they dial numbers, play prompts and report keys.

#[cfg(feature = "sip")]
mod media;
#[cfg(feature = "sip")]
pub mod sip;
mod virtual_line;

#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub use media::hear_packets;

use std::pin::Pin;

use callerid_core::CallSid;
use callerid_service::{Call, Line, PhoneEvent, Prompt};
use tokio::sync::mpsc;

pub use virtual_line::VirtualLine;

use crate::inbox::Message;

/// A phone line, which makes validation calls.
///
/// The switchboard gives a line one instruction at a time, never two concurrently. The line reports
/// events to the switchboard through the [`PhoneReports`] that it was created with. A method only
/// starts an action and returns immediately: it neither blocks nor fails. Errors are reported as
/// [`PhoneEvent::Failed`].
///
/// # Order of events
///
/// A call starts with one [`place`](Self::place), after the status "ringing" has been saved. While
/// the call rings, the line reports at most one of `Answered`, `Busy`, `NoAnswer`, `HungUp`
/// (declined) or `Failed` (no trunk, no such number). The line decides how long a call rings before
/// it reports `NoAnswer`.
///
/// Once the call is answered, [`play`](Self::play) may follow any number of times. The line reports
/// `Pressed` for each key as soon as it is pressed, also during a prompt, which a key stops.
/// Finally it reports `HungUp`, or `Failed` if the media is lost. The call is over once the line
/// has reported that, or after [`hang_up`](Self::hang_up), which can come at any time.
///
/// A report that does not fit the call's state changes nothing. Likewise, a line must ignore
/// instructions for a call that it no longer has.
///
/// # After a restart
///
/// Each call that was ringing or in progress in a process that is gone is passed to
/// [`resume`](Self::resume). It is not placed again, because it may have been dialed already. A line
/// that has lost the call reports [`FailureCause::CallLost`](callerid_service::FailureCause::CallLost).
pub trait PhoneLine: Send + Sync {
    /// What the service's rules need to know of the line: its name, and whether it calls real
    /// phones, from which number.
    fn line(&self) -> Line;

    /// How many more calls the line can place now. Calls that are due wait while it is 0.
    fn capacity(&self) -> usize {
        usize::MAX
    }

    /// How the line does, for probes and metrics.
    fn health(&self) -> LineHealth {
        LineHealth::default()
    }

    /// The calls that ring or are in progress, except those that it was told to end.
    fn calls(&self) -> Vec<Call> {
        Vec::new()
    }

    /// Dials the call's number.
    fn place(&self, call: &Call);

    /// Resumes a call that was ringing or in progress when the process ended.
    fn resume(&self, call: &Call);

    /// Plays a prompt, which replaces any current one, and continues listening.
    fn play(&self, call: &Call, prompt: Prompt);

    /// Plays the prompt, if any, to its end, and then ends the call.
    fn hang_up(&self, call: &Call, prompt: Option<Prompt>);

    /// Ends all calls, because the server stops, and waits until the other sides know it, at most a
    /// few seconds. No instruction follows.
    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {})
    }
}

/// How a line does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineHealth {
    /// The trunks that connect it, if it has any.
    pub trunks: Vec<TrunkHealth>,
    /// Calls that ring or are in progress.
    pub calls: usize,
    /// Calls that were placed since the start.
    pub placed: u64,
    /// Calls among them that were answered.
    pub answered: u64,
}

impl LineHealth {
    /// Whether a call could be placed: without trunks always, otherwise if one of them is reachable.
    pub fn is_reachable(&self) -> bool {
        self.trunks.is_empty() || self.trunks.iter().any(|trunk| trunk.is_reachable)
    }
}

/// How a trunk does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrunkHealth {
    /// Its name, without secrets.
    pub name: String,
    /// Whether it has answered lately.
    pub is_reachable: bool,
}

/// The channel on which a line reports events at its phones.
#[derive(Clone, Debug)]
pub struct PhoneReports(mpsc::Sender<Message>);

impl PhoneReports {
    pub(crate) fn new(switchboard: mpsc::Sender<Message>) -> Self {
        Self(switchboard)
    }

    /// Reports an event. Events of one call take effect in the order of their reports. This waits
    /// while the switchboard's queue is full. Reports after the server has stopped are dropped.
    pub async fn report(&self, call: CallSid, event: PhoneEvent) {
        self.0.send(Message::Reported(call, event)).await.unwrap_or_default();
    }
}
