//! The switchboard: places calls when they are due, ends calls whose codes have expired, gives the
//! phone line its instructions, and passes the line's reports to the service.
//!
//! It holds no state that a crash could lose: it asks the store what is due, also at startup.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use callerid_core::{CallSid, Moment};
use callerid_service::{
    AuditEntry, Call, CallStatus, Instruction, LineCommand, PhoneEvent, PhoneEventError, Store,
};
use futures_util::future::join_all;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::host::Host;
use crate::inbox::Message;
use crate::line::PhoneLine;
use crate::server_store::LEASE_SECONDS;

/// How many messages are handled together.
const BATCH: usize = 256;
/// The longest sleep. Timers stop while the machine is suspended, but the clock does not.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);
/// How long to wait before retrying after a store error.
const RETRY_AFTER_SECONDS: u32 = 1;
/// How soon to look whether the operator has stopped a real line with live calls, and whether others
/// have ended some of them.
const LOOK_AFTER_SECONDS: u32 = 1;
/// How soon to look again whether a full line takes more calls.
const ROOM_AFTER_MILLIS: i64 = 100;

pub(crate) struct Switchboard<S> {
    host: Arc<Host<S>>,
    line: Arc<dyn PhoneLine>,
    inbox: mpsc::Receiver<Message>,
    /// When to tick the service next; `None` if no call is live.
    wake_at: Option<Moment>,
    /// When the line's calls were last compared with the store.
    compared_at: Moment,
}

impl<S: Store> Switchboard<S> {
    pub(crate) fn new(
        host: Arc<Host<S>>,
        line: Arc<dyn PhoneLine>,
        inbox: mpsc::Receiver<Message>,
    ) -> Self {
        let compared_at = host.clock.now();
        Self { host, line, inbox, wake_at: None, compared_at }
    }

    /// Resumes the calls of a process that is gone: those that were ringing or in progress, and those
    /// that have come due. Must be done before the first request is answered, so that its call is not
    /// mistaken for one of them.
    pub(crate) async fn start(&mut self) {
        match self.host.service.store().adopt().await {
            Ok(placed) => self.resume(&placed),
            Err(error) => tracing::error!(%error, "calls in progress could not be resumed"),
        }
        self.tick().await;
    }

    /// Runs until it is told to stop. Only this task sends instructions to the line, so they arrive
    /// in the order in which their transitions were saved.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut messages = Vec::new();
        loop {
            let wake_at = self.wake_at;
            let nap = wake_at.map(|then| self.host.clock.until(then).min(LONGEST_SLEEP));
            tokio::select! {
                biased;
                () = stop.cancelled() => return self.line.close().await,
                () = sleep(nap.unwrap_or_default()), if nap.is_some() => {
                    if wake_at.is_some_and(|then| then <= self.host.clock.now()) {
                        self.tick().await;
                    }
                }
                _ = self.inbox.recv_many(&mut messages, BATCH) => {
                    self.handle(messages.drain(..)).await;
                }
            }
        }
    }

    fn resume(&self, placed: &[Call]) {
        for call in placed {
            tracing::debug!(call = %call.sid, status = %call.status, "resumed");
            self.line.resume(call);
        }
    }

    async fn tick(&mut self) {
        let ticking = self.host.ticking.lock().await;
        let now = self.host.clock.now();
        let room = if self.host.can_record() { self.line.capacity() } else { 0 };
        let tick = self.host.service.tick_within(now, room).await;
        drop(ticking);
        match tick {
            Ok(tick) => {
                // Calls that are still due have just been tried, so do not retry immediately.
                let soon = match tick.is_waiting {
                    true => Moment::from_unix_millis(now.unix_millis() + ROOM_AFTER_MILLIS),
                    false => now.plus_seconds(RETRY_AFTER_SECONDS),
                };
                let wake_at = tick.wake_at.map(|then| if then <= now { soon } else { then });
                self.wake_at = wake_at;
                changed(&self.host, &tick.next);
                self.instruct(tick.next).await;
            }
            Err(error) => {
                tracing::error!(%error, "calls that are due wait");
                self.wake_at = Some(now.plus_seconds(RETRY_AFTER_SECONDS));
            }
        }
        self.compare().await;
    }

    /// Compares a real line's calls with the store, where others may have ended them, and hangs up those
    /// that are over. All are if the store has been away for so long that others may have adopted them.
    async fn compare(&mut self) {
        if !self.line.line().is_real() {
            return;
        }
        let calls = self.line.calls();
        let now = self.host.clock.now();
        if !calls.is_empty() || self.wake_at.is_some() {
            // The operator's switch is in the store too, and other processes turn it.
            let look = now.plus_seconds(LOOK_AFTER_SECONDS);
            self.wake_at = Some(self.wake_at.map_or(look, |then| then.min(look)));
        }
        if calls.is_empty() {
            self.compared_at = now;
            return;
        }
        match self.host.service.store().live().await {
            Ok(live) => {
                self.compared_at = now;
                let live: BTreeSet<CallSid> = live.iter().map(|call| call.sid).collect();
                for call in calls.iter().filter(|call| !live.contains(&call.sid)) {
                    tracing::info!(call = %call.sid, "ended elsewhere");
                    self.line.hang_up(call, None);
                }
            }
            // Others may have adopted them.
            Err(error) if now >= self.compared_at.plus_seconds(LEASE_SECONDS) => {
                tracing::error!(%error, calls = calls.len(), "the store is away: all calls are ended");
                calls.iter().for_each(|call| self.line.hang_up(call, None));
            }
            Err(error) => tracing::warn!(%error, "the line's calls could not be compared"),
        }
    }

    async fn handle(&mut self, messages: impl Iterator<Item = Message>) {
        let mut reports: BTreeMap<CallSid, Vec<PhoneEvent>> = BTreeMap::new();
        for message in messages {
            match message {
                Message::Instructed { next, wake_at } => {
                    self.wake_at = self.wake_at.into_iter().chain(wake_at).min();
                    self.instruct(next).await;
                }
                Message::Reported(call, event) => reports.entry(call).or_default().push(event),
                Message::Adopted(placed) => {
                    self.resume(&placed);
                    self.wake_at = Some(self.host.clock.now());
                }
            }
        }
        // Concurrently for different calls, which then share commits, but in order for the events
        // of each call.
        let host = &self.host;
        let next = join_all(reports.into_iter().map(|(call, events)| report(host, call, events)));
        for next in next.await {
            self.instruct(next).await;
        }
    }

    async fn instruct(&self, next: Vec<LineCommand>) {
        for command in next {
            let LineCommand { call, instruction } = &command;
            tracing::debug!(call = %call.sid, status = %call.status, ?instruction, "instructed");
            if !call.status.is_live() && call.status_callback.is_some() {
                self.host.callback_is_due.notify_one();
            }
            if *instruction == Instruction::Place && !self.is_still_ringing(call).await {
                continue;
            }
            self.host.record(AuditEntry::of(&command));
            match *instruction {
                Instruction::Place => self.line.place(call),
                Instruction::Play(prompt) => self.line.play(call, prompt),
                Instruction::HangUp(prompt) => self.line.hang_up(call, prompt),
            }
        }
    }

    /// The request that created a call and the request that replaced it may send their commands in
    /// the wrong order. The phone must not ring after the call has been hung up.
    async fn is_still_ringing(&self, call: &Call) -> bool {
        match self.host.service.store().call(&call.sid).await {
            Ok(stored) => stored.is_some_and(|call| call.status == CallStatus::Ringing),
            Err(error) => {
                tracing::error!(%error, call = %call.sid, "placed without another look at it");
                true
            }
        }
    }
}

/// Passes phone events to a call. Returns the commands for the line.
async fn report<S: Store>(
    host: &Host<S>,
    call: CallSid,
    events: Vec<PhoneEvent>,
) -> Vec<LineCommand> {
    let mut next = Vec::new();
    for event in events {
        let mut reply = host.service.phone_event(&call, &event, host.clock.now()).await;
        next.append(&mut reply.next);
        match reply.outcome {
            Ok(call) => host.streams.changed(&call.account_sid),
            Err(PhoneEventError::NoSuchCall) => tracing::debug!(%call, "no such call"),
            Err(PhoneEventError::Unexpected(error)) => tracing::debug!(%call, %error),
            Err(PhoneEventError::Store(error)) => {
                tracing::error!(%call, %error, "an event of the phone was lost");
            }
        }
    }
    changed(host, &next);
    next
}

/// Tells the accounts' streams of what has happened to these calls.
fn changed<S>(host: &Host<S>, next: &[LineCommand]) {
    next.iter().for_each(|command| host.streams.changed(&command.call.account_sid));
}
