//! A service under the control of tests: it follows their clocks and scripts.
//! [`Service::with_testing`] turns it on; [`control`](crate::control) has the requests.

use callerid_core::{AccountSid, Moment};

use crate::call::Call;
use crate::callback::Callback;
use crate::control;
use crate::limits::CallbackSlots;
use crate::random_bytes::RandomBytes;
use crate::request::MAX_BODY_BYTES;
use crate::service::{LineCommand, Service, TICK_BATCH, Tick};
use crate::store::{Accounts, Store, StoreError};
use crate::testing::{Controls, RunningScript, Seed, Testing, earliest};
use crate::transition::Instruction;

/// The longest time between a call's creation or placement and its next change that is certain: in
/// shorter periods, calls can be advanced together without changing the order of their changes.
const ADVANCED_TOGETHER_SECONDS: u32 = 500;

/// The maximum length of a document that a test sends, in bytes: some 50,000 caller IDs.
const MAX_DOCUMENT_BYTES: usize = 8 * 1024 * 1024;

/// A step of [`Service::advance`].
#[derive(Debug)]
pub struct Advanced {
    /// Commands for the phone line, in this order.
    pub next: Vec<LineCommand>,
    /// Whether the clock shows the time that it was to be advanced to.
    pub is_done: bool,
}

impl<S: Store> Service<S> {
    /// Whether tests control this service; see [`with_testing`](Self::with_testing).
    pub const fn is_testing(&self) -> bool {
        self.testing().is_some()
    }

    /// The maximum length of a request's body, in bytes. Documents of tests can be longer than the
    /// forms of the API.
    pub fn max_body_bytes(&self, path: &str) -> usize {
        match self.is_testing() && path.starts_with(control::PREFIX) {
            true => MAX_DOCUMENT_BYTES,
            false => MAX_BODY_BYTES,
        }
    }

    /// The account's time, when the host's clock shows `host_now`. They differ only in tests.
    pub fn account_now(&self, account: &AccountSid, host_now: Moment) -> Moment {
        match self.testing() {
            None => host_now,
            Some(testing) => {
                testing.accounts().get(account).map_or(host_now, |it| it.now(host_now))
            }
        }
    }

    /// The callbacks to send now; see [`Store::due_callbacks`].
    ///
    /// # Errors
    /// The store's error.
    pub async fn due_callbacks(
        &self,
        host_now: Moment,
        slots: &CallbackSlots,
    ) -> Result<Vec<Callback>, StoreError> {
        let mut due = Vec::new();
        for accounts in self.clocks() {
            let now = self.now_of(&accounts, host_now);
            due.extend(self.store.due_callbacks(&accounts, now, slots).await?);
        }
        Ok(due)
    }

    /// When the next callback is due, by the host's clock.
    ///
    /// # Errors
    /// The store's error.
    pub async fn callbacks_wake_at(&self) -> Result<Option<Moment>, StoreError> {
        let mut next = None;
        for accounts in self.clocks() {
            let wake_at = self.store.callbacks_wake_at(&accounts).await?;
            next = earliest(next, wake_at.and_then(|at| self.to_host_time(&accounts, at)));
        }
        Ok(next)
    }

    /// Whether callbacks of an account are due.
    ///
    /// # Errors
    /// The store's error.
    pub async fn has_due_callbacks(
        &self,
        account: &AccountSid,
        host_now: Moment,
    ) -> Result<bool, StoreError> {
        let next = self.store.callbacks_wake_at(&Accounts::Only(*account)).await?;
        Ok(next.is_some_and(|at| at <= self.account_now(account, host_now)))
    }

    /// Whether a fault still holds a response back; see
    /// [`Delivery::held_by`](crate::Delivery::held_by).
    pub fn is_held(&self, account: &AccountSid, fault: u64, host_now: Moment) -> bool {
        let is_held = |controls: &mut Controls| controls.faults.is_held(fault, host_now);
        self.testing().is_some_and(|testing| testing.of(account, is_held))
    }

    /// Adds the caller IDs, codes and scripts of the service's seed to an account.
    ///
    /// # Errors
    /// The store's error.
    pub async fn add_seed(
        &self,
        account: &AccountSid,
        host_now: Moment,
        random_bytes: &RandomBytes,
    ) -> Result<(), StoreError> {
        let Some(testing) = self.testing() else { return Ok(()) };
        let seed = testing.seed(account);
        self.lay_seed(testing, account, &seed, host_now, random_bytes).await.map(|_| ())
    }

    /// Adds a seed to an account, and returns how many caller IDs it has.
    pub(crate) async fn lay_seed(
        &self,
        testing: &Testing,
        account: &AccountSid,
        seed: &Seed,
        host_now: Moment,
        random_bytes: &RandomBytes,
    ) -> Result<usize, StoreError> {
        let now = self.account_now(account, host_now);
        let caller_ids = seed.caller_ids(account, now, random_bytes);
        let count = caller_ids.len();
        self.store.add_caller_ids(account, caller_ids).await?;
        testing.of(account, |controls| controls.add_seed(seed));
        Ok(count)
    }

    /// Advances an account's clock, by one step, towards a time. What becomes due has happened, at
    /// its own time, when the step is done. Between the steps, the host sends the callbacks that are
    /// due.
    ///
    /// # Errors
    /// The store's error. The clock stays as far as it has come.
    pub async fn advance(
        &self,
        account: &AccountSid,
        to: Moment,
        host_now: Moment,
    ) -> Result<Advanced, StoreError> {
        let Some(testing) = self.testing() else {
            return Ok(Advanced { next: Vec::new(), is_done: true });
        };
        let mut tick = Tick::default();
        let only = Accounts::Only(*account);
        let now = self.account_now(account, host_now);
        let to = to.max(now);
        self.tick_each(&only, now, now, usize::MAX, &mut tick).await?;
        self.follow_scripts(testing, host_now, &mut tick).await?;
        let call = self.store.wake_at(&only).await?.filter(|at| *at > now);
        let callback = self.store.callbacks_wake_at(&only).await?.filter(|at| *at > now);
        let script = testing.of(account, |controls| controls.next_step_after(now));
        let other = earliest(callback, script);
        let until = match earliest(call, other).filter(|at| *at <= to) {
            None => to,
            Some(next) => self.advanced_together(testing, &only, next, to, other).await?,
        };
        testing.of(account, |it| it.set_clock(until, it.is_frozen(), host_now));
        self.tick_each(&only, until, now, usize::MAX, &mut tick).await?;
        self.follow_scripts(testing, host_now, &mut tick).await?;
        Ok(Advanced { next: tick.next, is_done: until == to })
    }

    /// How far calls can be advanced together, from the first that is due: several calls at once, if
    /// nothing but time changes them, so that each changes in its turn.
    async fn advanced_together(
        &self,
        testing: &Testing,
        accounts: &Accounts,
        first: Moment,
        to: Moment,
        other: Option<Moment>,
    ) -> Result<Moment, StoreError> {
        let until = first.plus_seconds(ADVANCED_TOGETHER_SECONDS).min(to);
        let until = other.map_or(until, |other| other.min(until));
        let due = self.store.due(accounts, until, TICK_BATCH).await?;
        let is_alone = |call: &Call| call.status_callback.is_none() && !testing.has_script(call);
        match due.last().and_then(Call::wake_at) {
            _ if !due.iter().all(is_alone) => Ok(first),
            Some(last) if due.len() == TICK_BATCH => Ok(last),
            _ => Ok(until),
        }
    }

    pub(crate) fn clocks(&self) -> Vec<Accounts> {
        self.testing().map_or_else(|| vec![Accounts::ALL], Testing::clocks)
    }

    /// The time of accounts that share a clock.
    pub(crate) fn now_of(&self, accounts: &Accounts, host_now: Moment) -> Moment {
        match accounts {
            Accounts::Only(account) => self.account_now(account, host_now),
            Accounts::Except(_) => host_now,
        }
    }

    /// When the host's clock shows a time of accounts that share a clock.
    pub(crate) fn to_host_time(&self, accounts: &Accounts, moment: Moment) -> Option<Moment> {
        match (accounts, self.testing()) {
            (Accounts::Only(account), Some(testing)) => {
                testing.of(account, |it| it.clock.unwrap_or_default().to_host_time(moment))
            }
            _ => Some(moment),
        }
    }

    /// Starts the scripts of the phones that have begun to ring.
    pub(crate) fn start_scripts(&self, next: &[LineCommand]) {
        if let Some(testing) = self.testing() {
            let placed = next.iter().filter(|it| it.instruction == Instruction::Place);
            testing.placed(placed.map(|it| &it.call));
        }
    }

    /// When the host must tick again for what tests control.
    pub(crate) fn testing_wake_at(&self) -> Option<Moment> {
        self.testing().and_then(Testing::wake_at)
    }

    /// Does what is due in scripts, and removes the sandboxes whose time is over.
    pub(crate) async fn tick_testing(
        &self,
        host_now: Moment,
        tick: &mut Tick,
    ) -> Result<(), StoreError> {
        let Some(testing) = self.testing() else { return Ok(()) };
        self.follow_scripts(testing, host_now, tick).await?;
        for account in testing.ended_sandboxes(host_now) {
            self.remove_sandbox(testing, &account).await?;
        }
        Ok(())
    }

    pub(crate) async fn remove_sandbox(
        &self,
        testing: &Testing,
        account: &AccountSid,
    ) -> Result<(), StoreError> {
        self.store.remove_account(account).await?;
        testing.remove(account);
        Ok(())
    }

    async fn follow_scripts(
        &self,
        testing: &Testing,
        host_now: Moment,
        tick: &mut Tick,
    ) -> Result<(), StoreError> {
        loop {
            let due = testing.due_steps(host_now);
            if due.is_empty() {
                return Ok(());
            }
            for (account, RunningScript { call, script, step, at }) in due {
                let Some(found) = self.store.call(&call).await? else { continue };
                let Some(next) = script.step(step) else { continue };
                if let Some(event) = next.event(found.validation_code) {
                    let reply = self.apply_event(&call, &event, |_| at).await;
                    tick.next.extend(reply.next);
                }
                // A step that the call's state does not allow is skipped, as a real phone would be
                // ignored.
                let rest = RunningScript::new(call, script, step.saturating_add(1), at);
                testing.of(&account, |controls| controls.running.extend(rest));
            }
        }
    }
}
