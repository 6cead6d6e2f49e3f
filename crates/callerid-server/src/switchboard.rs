//! The switchboard: places calls when they are due, ends calls whose codes have expired, gives the
//! phone line its instructions, and passes the line's reports to the service.
//!
//! It holds no state that a crash could lose: it asks the store what is due, also at startup.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use callerid_core::{CallSid, Moment};
use callerid_service::{
    Accounts, AuditEntry, Call, CallStatus, Instruction, LineCommand, PhoneEvent, PhoneEventError,
    Store,
};
use futures_util::future::join_all;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::host::Host;
use crate::inbox::Message;
use crate::line::PhoneLine;

/// How many messages are handled together.
const BATCH: usize = 256;
/// The longest sleep. Timers stop while the machine is suspended, but the clock does not.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);
/// How long to wait before retrying after a store error.
const RETRY_AFTER_SECONDS: u32 = 1;
/// How soon to look whether the operator has stopped a real line with live calls.
const LOOK_AFTER_SECONDS: u32 = 1;
/// How soon to look again whether a full line takes more calls.
const ROOM_AFTER_MILLIS: i64 = 100;

pub(crate) struct Switchboard<S> {
    host: Arc<Host<S>>,
    line: Arc<dyn PhoneLine>,
    inbox: mpsc::Receiver<Message>,
    /// When to tick the service next; `None` if no call is live.
    wake_at: Option<Moment>,
}

impl<S: Store> Switchboard<S> {
    pub(crate) fn new(
        host: Arc<Host<S>>,
        line: Arc<dyn PhoneLine>,
        inbox: mpsc::Receiver<Message>,
    ) -> Self {
        Self { host, line, inbox, wake_at: None }
    }

    /// Resumes the previous process's calls: those that were ringing or in progress, and those that
    /// have come due. Must be done before the first request is answered, so that its call is not
    /// mistaken for one of them.
    pub(crate) async fn start(&mut self) {
        self.resume().await;
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

    async fn resume(&mut self) {
        let all = Moment::from_unix_millis(i64::MAX);
        match self.host.service.store().due(&Accounts::ALL, all, usize::MAX).await {
            Ok(live) => {
                for call in live.iter().filter(|call| call.status != CallStatus::Queued) {
                    tracing::debug!(call = %call.sid, status = %call.status, "resumed");
                    self.line.resume(call);
                }
            }
            Err(error) => tracing::error!(%error, "calls in progress could not be resumed"),
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
                // The operator's switch is in the store, and other processes turn it.
                let look = now.plus_seconds(LOOK_AFTER_SECONDS);
                let is_real = self.line.line().is_real();
                self.wake_at = wake_at.map(|then| if is_real { then.min(look) } else { then });
                changed(&self.host, &tick.next);
                self.instruct(tick.next).await;
            }
            Err(error) => {
                tracing::error!(%error, "calls that are due wait");
                self.wake_at = Some(now.plus_seconds(RETRY_AFTER_SECONDS));
            }
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
