//! Status callbacks: sends those that are due, with a limited number of concurrent requests per
//! account and receiver, and saves the outcome of each attempt.
//!
//! The store is the source of pending callbacks, also after a restart. An attempt that was
//! interrupted by a crash or a shutdown is repeated. A callback is therefore delivered at least
//! once, or is given up after all its attempts.

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

/// The longest sleep while callbacks are pending. Timers pause while the machine is suspended, but
/// the clock does not.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// The delay before a failed store operation is retried.
const RETRY_STORE: Duration = Duration::from_secs(1);

/// Settings for sending status callbacks.
#[derive(Clone, Debug)]
pub struct Callbacks {
    /// Allowed destinations besides public addresses.
    pub allow: Vec<Allowed>,
    /// The time limit for one attempt, from resolving the host to the response.
    pub timeout: Duration,
    /// The number of concurrent requests.
    pub slots: CallbackSlots,
}

impl Default for Callbacks {
    fn default() -> Self {
        Self { allow: Vec::new(), timeout: Duration::from_secs(15), slots: CallbackSlots::DEFAULT }
    }
}

/// Sends due callbacks until it is told to stop.
pub(crate) struct Sender<S> {
    host: Arc<Host<S>>,
    client: Arc<Client>,
    slots: CallbackSlots,
    attempts: JoinSet<()>,
    /// The call of each attempt's callback.
    sending: HashMap<Id, CallSid>,
}

impl<S: Store + 'static> Sender<S> {
    pub(crate) fn new(host: Arc<Host<S>>, callbacks: Callbacks) -> Self {
        let slots = callbacks.slots;
        let client = Arc::new(Client::new(callbacks));
        Self { host, client, slots, attempts: JoinSet::new(), sending: HashMap::new() }
    }

    /// Runs until `stop` is cancelled, and then until the attempts in progress have ended, at most
    /// for `Limits::drain`.
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
                    // Free all slots of completed attempts before querying the store.
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

    /// Starts attempts for due callbacks. Returns how long to sleep, or `None` if no callback is
    /// pending or no slot is free.
    async fn send_due(&mut self) -> Result<Option<Duration>, StoreError> {
        let (service, now) = (&self.host.service, self.host.clock.now());
        // The store also returns callbacks that are being sent. They come first for their account
        // and receiver.
        for callback in service.due_callbacks(now, &self.slots).await? {
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
        let next_at = service.callbacks_wake_at().await?;
        Ok(next_at.map(|then| match self.sending.is_empty() {
            true => self.host.clock.until(then).min(LONGEST_SLEEP),
            // The next callback is one of those that are being sent.
            false => LONGEST_SLEEP,
        }))
    }
}

/// Makes one attempt and saves its outcome.
async fn attempt<S: Store>(host: Arc<Host<S>>, client: Arc<Client>, callback: Callback) {
    let store = host.service.store();
    let call = callback.call_sid;
    let attempt = match store.account(&callback.account_sid).await {
        Ok(Some(account)) => match callback.to_request(&account.auth_token) {
            // TLS panics if the clock is before 1970.
            Ok(request) => AssertUnwindSafe(client.attempt(&request))
                .catch_unwind()
                .await
                .unwrap_or_else(|_| Attempt::Failed("it could not be sent".to_owned())),
            Err(invalid) => Attempt::Refused(format!("the URL cannot be called: {invalid}")),
        },
        Ok(None) => Attempt::Refused("its account is gone".to_owned()),
        // It must not block callbacks that can be signed.
        Err(error) if error.is_unreadable() => Attempt::Failed(error.to_string()),
        Err(error) => {
            tracing::error!(%error, %call, "cannot read the account of a callback; trying again");
            return sleep(RETRY_STORE).await;
        }
    };
    let now = host.service.account_now(&callback.account_sid, host.clock.now());
    let callback = callback.after(&attempt, now);
    let (status, attempts) = (callback.status(), callback.attempts);
    match status {
        "failed" => tracing::warn!(%call, attempts, ?attempt, "a callback is given up"),
        _ => tracing::debug!(%call, attempts, ?attempt, status, "sent a callback"),
    }
    // Wait until the store recovers instead of sending the callback again.
    loop {
        match store.save_callback(callback.clone()).await {
            Ok(true) => return,
            Ok(false) => {
                tracing::debug!(%call, "the callback has moved on");
                return sleep(RETRY_STORE).await;
            }
            Err(error) => tracing::error!(%error, %call, "cannot save an attempt at a callback"),
        }
        sleep(RETRY_STORE).await;
    }
}
