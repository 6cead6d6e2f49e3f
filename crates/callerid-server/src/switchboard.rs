//! The switchboard: has calls placed when they are due and ended when their codes expire, hands the phone
//! line its instructions, and takes its reports back to the service.
//!
//! It keeps nothing that a crash could lose: what is due is asked of the store, at the start too.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use callerid_core::{CallSid, Moment};
use callerid_service::{
    Call, CallStatus, Instruction, LineCommand, PhoneEvent, PhoneEventError, Store,
};
use futures_util::future::join_all;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::host::{Host, Message};
use crate::line::PhoneLine;

/// Messages that are handled together.
const BATCH: usize = 256;
/// The longest sleep. Timers stand still while the machine is suspended; the clock does not.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);
/// How long to wait before a failed store is asked again.
const RETRY_AFTER_SECONDS: u32 = 1;

pub(crate) struct Switchboard<S> {
    host: Arc<Host<S>>,
    line: Box<dyn PhoneLine>,
    inbox: mpsc::Receiver<Message>,
    /// When the service is to be ticked next; `None` while no call is live.
    wake_at: Option<Moment>,
}

impl<S: Store> Switchboard<S> {
    pub(crate) fn new(
        host: Arc<Host<S>>,
        line: Box<dyn PhoneLine>,
        inbox: mpsc::Receiver<Message>,
    ) -> Self {
        Self { host, line, inbox, wake_at: None }
    }

    /// Resumes the calls of the process before: what was ringing, and what has come due. To be done before the
    /// first request is answered, whose call would else be taken for one of them.
    pub(crate) async fn start(&mut self) {
        self.resume().await;
        self.tick().await;
    }

    /// Works until it is told to stop. Instructions go to the line from this one task, so that they reach it in
    /// the order in which their steps were saved.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut messages = Vec::new();
        loop {
            let wake_at = self.wake_at;
            let nap = wake_at.map(|then| self.host.clock.until(then).min(LONGEST_SLEEP));
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
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
        match self.host.service.store().due(all, usize::MAX).await {
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
        let now = self.host.clock.now();
        match self.host.service.tick(now).await {
            Ok(tick) => {
                // What is still due has been tried: not at once again.
                let soon = now.plus_seconds(RETRY_AFTER_SECONDS);
                self.wake_at = tick.wake_at.map(|then| if then <= now { soon } else { then });
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
        // Calls at once, so that they share the store's commits; the events of each in their order.
        let host = &self.host;
        let next = join_all(reports.into_iter().map(|(call, events)| report(host, call, events)));
        for next in next.await {
            self.instruct(next).await;
        }
    }

    async fn instruct(&self, next: Vec<LineCommand>) {
        for LineCommand { call, instruction } in next {
            tracing::debug!(call = %call.sid, status = %call.status, ?instruction, "instructed");
            if !call.status.is_live() && call.status_callback.is_some() {
                self.host.callback_is_due.notify_one();
            }
            match instruction {
                Instruction::Place if self.is_still_ringing(&call).await => self.line.place(&call),
                Instruction::Place => {}
                Instruction::Play(prompt) => self.line.play(&call, prompt),
                Instruction::HangUp(prompt) => self.line.hang_up(&call, prompt),
            }
        }
    }

    /// The request that made the call and the one that replaced it may hand in what comes of them the wrong
    /// way round: the phone must not ring after the call has been hung up.
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

/// Tells a call what has happened at its phone; returns what the line is to do.
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
