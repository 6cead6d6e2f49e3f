//! Status callbacks: those that are due are sent, a bounded number at a time for an account and for each of its receivers,
//! and how each attempt went is saved.
//!
//! What is to be sent is asked of the store, at the start too; an attempt that a crash or a stop cut off is
//! made again. So a callback arrives at least once, or is given up after all of its attempts.

mod client;
mod destination;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use callerid_core::CallSid;
use callerid_service::{Attempt, Callback, CallbackSlots, Store, StoreError};
use futures_util::FutureExt as _;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::host::Host;
use client::Client;

pub use destination::{Allowed, InvalidAllowed};

/// The longest sleep while something is to be sent. Timers stand still while the machine is suspended; the
/// clock does not.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// How long to wait before a failed store is asked again.
const RETRY_STORE: Duration = Duration::from_secs(1);

/// How status callbacks are sent.
#[derive(Clone, Debug)]
pub struct Callbacks {
    /// Where they may go besides public addresses.
    pub allow: Vec<Allowed>,
    /// How long one attempt may take, from looking up the host to the answer.
    pub timeout: Duration,
    /// How many are sent at a time.
    pub slots: CallbackSlots,
}

impl Default for Callbacks {
    fn default() -> Self {
        Self { allow: Vec::new(), timeout: Duration::from_secs(15), slots: CallbackSlots::DEFAULT }
    }
}

/// Sends what is due until it is told to stop.
pub(crate) struct Sender<S> {
    host: Arc<Host<S>>,
    client: Arc<Client>,
    slots: CallbackSlots,
    attempts: JoinSet<()>,
    /// Which call's callback an attempt is for.
    sending: HashMap<Id, CallSid>,
}

impl<S: Store + 'static> Sender<S> {
    pub(crate) fn new(host: Arc<Host<S>>, callbacks: Callbacks) -> Self {
        let slots = callbacks.slots;
        let client = Arc::new(Client::new(callbacks));
        Self { host, client, slots, attempts: JoinSet::new(), sending: HashMap::new() }
    }

    /// Works until it is told to stop, and then until the attempts that have begun have ended, at most for the
    /// time that requests have.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            let nap = self.send_due().await.unwrap_or_else(|error| {
                tracing::error!(%error, "callbacks that are due wait");
                Some(RETRY_STORE)
            });
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(ended) = self.attempts.join_next_with_id() => {
                    self.ended(ended);
                    // So many slots are free then for one look at the store.
                    while let Some(ended) = self.attempts.try_join_next_with_id() {
                        self.ended(ended);
                    }
                }
                () = self.host.callback_is_due.notified() => {}
                () = sleep(nap.unwrap_or_default()), if nap.is_some() => {}
            }
        }
        let drained = async { while self.attempts.join_next().await.is_some() {} };
        if timeout(self.host.limits.drain, drained).await.is_err() {
            tracing::warn!(
                "some callbacks were not answered and are sent again after the next start"
            );
        }
    }

    fn ended(&mut self, ended: Result<(Id, ()), JoinError>) {
        self.sending.remove(&ended.map_or_else(|error| error.id(), |(id, ())| id));
    }

    /// Begins attempts at what is due; returns how long to sleep, or `None` while nothing is to be sent or no
    /// more can be.
    async fn send_due(&mut self) -> Result<Option<Duration>, StoreError> {
        let store = self.host.service.store();
        // Those that are being sent are due as well, and the first of their account and receiver.
        for callback in store.due_callbacks(self.host.clock.now(), &self.slots).await? {
            let is_being_sent = self.sending.values().any(|call| *call == callback.call_sid);
            if self.sending.len() < self.slots.total && !is_being_sent {
                let call = callback.call_sid;
                let (host, client) = (Arc::clone(&self.host), Arc::clone(&self.client));
                let attempt = self.attempts.spawn(attempt(host, client, callback));
                self.sending.insert(attempt.id(), call);
            }
        }
        if self.sending.len() == self.slots.total {
            return Ok(None);
        }
        let next_at = store.callbacks_wake_at().await?;
        Ok(next_at.map(|then| match self.sending.is_empty() {
            true => self.host.clock.until(then).min(LONGEST_SLEEP),
            // The next one is among those that are being sent.
            false => LONGEST_SLEEP,
        }))
    }
}

/// Makes one attempt and saves how it went.
async fn attempt<S: Store>(host: Arc<Host<S>>, client: Arc<Client>, callback: Callback) {
    let store = host.service.store();
    let call = callback.call_sid;
    let attempt = match store.account(&callback.account_sid).await {
        Ok(Some(account)) => match callback.to_request(&account.auth_token) {
            // TLS panics under a clock before 1970.
            Ok(request) => AssertUnwindSafe(client.attempt(&request))
                .catch_unwind()
                .await
                .unwrap_or_else(|_| Attempt::Failed("it could not be sent".to_owned())),
            Err(invalid) => Attempt::Refused(format!("the URL cannot be called: {invalid}")),
        },
        Ok(None) => Attempt::Refused("its account is gone".to_owned()),
        // It must not take the place of those that can be signed.
        Err(error) if error.is_unreadable() => Attempt::Failed(error.to_string()),
        Err(error) => {
            tracing::error!(%error, %call, "a callback waits");
            return sleep(RETRY_STORE).await;
        }
    };
    let callback = callback.after(&attempt, host.clock.now());
    let (status, attempts) = (callback.status(), callback.attempts);
    match status {
        "failed" => tracing::warn!(%call, attempts, ?attempt, "a callback is given up"),
        _ => tracing::debug!(%call, attempts, ?attempt, status, "sent a callback"),
    }
    // Rather than sending it once more, wait for a store that fails.
    loop {
        match store.save_callback(callback.clone()).await {
            Ok(true) => return,
            Ok(false) => {
                tracing::debug!(%call, "the callback has moved on");
                return sleep(RETRY_STORE).await;
            }
            Err(error) => tracing::error!(%error, %call, "an attempt at a callback is not saved"),
        }
        sleep(RETRY_STORE).await;
    }
}
