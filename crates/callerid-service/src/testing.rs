//! Test control: an account's clock, seed, faults, phone scripts and snapshots, for tests of what is
//! built on the API. [`Service::with_testing`] turns it on; [`control`](crate::control) has its
//! requests.
//!
//! All of it belongs to an account, and is in memory only: it describes a test, not a service.

mod clock;
mod document;
mod faults;
mod phone_script;
mod request_log;
mod seed;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use callerid_core::{AccountSid, CallSid, Moment, PhoneNumber, RequestSid, ValidationCode};

use crate::call::Call;
use crate::callback::Callback;
use crate::limits::CallbackSlots;
use crate::operation::Route;
use crate::random_bytes::RandomBytes;
use crate::request::Request;
use crate::service::{LineCommand, Service, TICK_BATCH, Tick};
use crate::store::{AccountContents, Accounts, Store, StoreError};
use crate::transition::Instruction;
use crate::versions::form;
use clock::TestClock;
use document::{Codes, Phones};
pub(crate) use document::{NumberOrAny, decode, of};
pub use faults::{Delivery, Drop};
use faults::{Faults, Outcome};
pub(crate) use phone_script::PhoneScript;
use request_log::RequestLog;
pub use seed::Seed;

/// The longest time between a call's creation or placement and its next change that is certain: in
/// shorter periods, calls can be advanced together without changing the order of their changes.
const ADVANCED_TOGETHER_SECONDS: u32 = 500;

/// What tests control: the state of every account, in memory.
#[derive(Debug)]
pub(crate) struct Testing {
    /// What accounts begin with, and what a reset restores.
    seed: Seed,
    accounts: Mutex<BTreeMap<AccountSid, Controls>>,
}

/// What tests control of one account.
#[derive(Debug, Default)]
pub(crate) struct Controls {
    /// `None`: the host's clock.
    clock: Option<TestClock>,
    pub(crate) codes: Codes,
    pub(crate) phones: Phones,
    running: Vec<RunningScript>,
    pub(crate) faults: Faults,
    pub(crate) requests: RequestLog,
    pub(crate) snapshots: BTreeMap<String, AccountContents>,
    pub(crate) sandbox: Option<Sandbox>,
}

/// A script that follows a call.
#[derive(Debug)]
struct RunningScript {
    call: CallSid,
    script: PhoneScript,
    step: usize,
    /// When the step is due, by the account's clock.
    at: Moment,
}

/// A throw-away account.
#[derive(Debug)]
pub(crate) struct Sandbox {
    pub(crate) owner: AccountSid,
    pub(crate) seed: Seed,
    /// When it is removed, by the host's clock.
    pub(crate) ends_at: Option<Moment>,
}

/// A step of [`Service::advance`].
#[derive(Debug)]
pub struct Advanced {
    /// Commands for the phone line, in this order.
    pub next: Vec<LineCommand>,
    /// Whether the clock shows the time that it was to be advanced to.
    pub is_done: bool,
}

impl Testing {
    pub(crate) fn new(seed: Seed) -> Self {
        Self { seed, accounts: Mutex::default() }
    }

    /// The state is consistent whenever the lock is released, so a poisoned lock is usable.
    fn accounts(&self) -> MutexGuard<'_, BTreeMap<AccountSid, Controls>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads or changes the controls of an account.
    pub(crate) fn of<T>(&self, account: &AccountSid, act: impl FnOnce(&mut Controls) -> T) -> T {
        act(self.accounts().entry(*account).or_default())
    }

    /// Logs a request, and determines whether it goes wrong on purpose.
    pub(crate) fn begin(
        &self,
        account: &AccountSid,
        request: &Request<'_>,
        route: &Route,
        sid: RequestSid,
        host_now: Moment,
    ) -> (u64, Option<(Outcome, Delivery)>) {
        let number = form(request).ok().and_then(|form| {
            let number = form.value(&["PhoneNumber", "phone_number"]).ok()??;
            PhoneNumber::parse(number).ok()
        });
        self.of(account, |controls| {
            let logged = controls.requests.begin(request, route, controls.now(host_now), sid);
            (logged.id, controls.faults.meet(&logged, number.as_ref(), host_now))
        })
    }

    /// The code for a number, if a test chose one.
    pub(crate) fn code(
        &self,
        account: &AccountSid,
        number: &PhoneNumber,
    ) -> Option<ValidationCode> {
        self.of(account, |controls| of(&controls.codes, number).copied())
    }

    fn has_script(&self, call: &Call) -> bool {
        self.of(&call.account_sid, |controls| controls.script(call).is_some())
    }

    /// Starts the scripts of the calls that have been placed.
    fn placed<'a>(&self, placed: impl Iterator<Item = &'a Call>) {
        for call in placed {
            self.of(&call.account_sid, |controls| controls.start_script(call));
        }
    }

    /// The accounts that share the host's clock, and each of the others.
    fn clocks(&self) -> Vec<Accounts> {
        let accounts = self.accounts();
        let own = accounts.iter().filter(|(_, controls)| controls.clock.is_some());
        let own: Vec<_> = own.map(|(account, _)| *account).collect();
        let each = own.iter().copied().map(Accounts::Only);
        each.chain([Accounts::Except(own.clone())]).collect()
    }

    /// The next steps of scripts that are due.
    fn due_steps(&self, host_now: Moment) -> Vec<(AccountSid, RunningScript)> {
        let mut due = Vec::new();
        for (account, controls) in self.accounts().iter_mut() {
            let now = controls.now(host_now);
            let (ready, waiting) =
                std::mem::take(&mut controls.running).into_iter().partition(|it| it.at <= now);
            controls.running = waiting;
            due.extend(Vec::into_iter(ready).map(|it| (*account, it)));
        }
        due.sort_by_key(|(_, it)| it.at);
        due
    }

    /// When the next step of a script is due, or a sandbox ends, by the host's clock.
    fn wake_at(&self) -> Option<Moment> {
        let accounts = self.accounts();
        let next = accounts.values().flat_map(|controls| {
            let clock = controls.clock.unwrap_or_default();
            let steps = controls.running.iter().filter_map(move |it| clock.to_host_time(it.at));
            steps.chain(controls.sandbox.as_ref().and_then(|sandbox| sandbox.ends_at))
        });
        next.min()
    }

    fn ended_sandboxes(&self, host_now: Moment) -> Vec<AccountSid> {
        let is_over = |controls: &Controls| {
            let ends_at = controls.sandbox.as_ref().and_then(|sandbox| sandbox.ends_at);
            ends_at.is_some_and(|end| end <= host_now)
        };
        let accounts = self.accounts();
        accounts.iter().filter(|(_, it)| is_over(it)).map(|(account, _)| *account).collect()
    }

    pub(crate) fn remove(&self, account: &AccountSid) {
        self.accounts().remove(account);
    }

    /// What an account begins with.
    fn seed(&self, account: &AccountSid) -> Seed {
        let accounts = self.accounts();
        let sandbox = accounts.get(account).and_then(|controls| controls.sandbox.as_ref());
        sandbox.map_or_else(|| self.seed.clone(), |sandbox| sandbox.seed.clone())
    }

    /// The sandboxes of an account.
    pub(crate) fn sandboxes(&self, owner: &AccountSid) -> usize {
        let is_its = |it: &&Controls| it.sandbox.as_ref().is_some_and(|it| it.owner == *owner);
        self.accounts().values().filter(is_its).count()
    }
}

impl Controls {
    /// The account's time.
    pub(crate) fn now(&self, host_now: Moment) -> Moment {
        self.clock.unwrap_or_default().now(host_now)
    }

    pub(crate) fn is_frozen(&self) -> bool {
        self.clock.is_some_and(|clock| clock.is_frozen())
    }

    pub(crate) fn set_clock(&mut self, now: Moment, is_frozen: bool, host_now: Moment) {
        self.clock = Some(TestClock::set(now, is_frozen, host_now));
    }

    pub(crate) fn reset_clock(&mut self) {
        self.clock = None;
    }

    pub(crate) fn add_seed(&mut self, seed: &Seed) {
        self.codes.extend(seed.codes.iter().map(|(number, code)| (*number, *code)));
        self.phones.extend(seed.phones.iter().map(|(number, script)| (*number, script.clone())));
    }

    fn script(&self, call: &Call) -> Option<PhoneScript> {
        let own = of(&self.phones, &call.phone_number).cloned();
        own.or_else(|| PhoneScript::of_number(&call.phone_number))
    }

    fn start_script(&mut self, call: &Call) {
        let rings = self.script(call).zip(call.ringing_at);
        self.running
            .extend(rings.and_then(|(script, at)| RunningScript::new(call.sid, script, 0, at)));
    }

    /// When something happens next by the account's clock, after `now`, except to calls and
    /// callbacks.
    fn next_step_after(&self, now: Moment) -> Option<Moment> {
        self.running.iter().map(|it| it.at).filter(|at| *at > now).min()
    }
}

impl RunningScript {
    /// The script from this step on, when the step before it, or the call, has happened; `None` at
    /// its end.
    fn new(call: CallSid, script: PhoneScript, step: usize, since: Moment) -> Option<Self> {
        let wait = i64::from(script.step(step)?.after_ms);
        let at = Moment::from_unix_millis(since.unix_millis().saturating_add(wait));
        Some(Self { call, script, step, at })
    }
}

impl<S: Store> Service<S> {
    /// Whether tests control this service; see [`with_testing`](Self::with_testing).
    pub const fn is_testing(&self) -> bool {
        self.testing.is_some()
    }

    /// The account's time, when the host's clock shows `host_now`. They differ only in tests.
    pub fn account_now(&self, account: &AccountSid, host_now: Moment) -> Moment {
        match &self.testing {
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

    /// Whether a fault still holds a response back; see [`Delivery::held_by`].
    pub fn is_held(&self, account: &AccountSid, fault: u64, host_now: Moment) -> bool {
        let is_held = |controls: &mut Controls| controls.faults.is_held(fault, host_now);
        self.testing.as_ref().is_some_and(|testing| testing.of(account, is_held))
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
        let Some(testing) = &self.testing else { return Ok(()) };
        let seed = testing.seed(account);
        let now = self.account_now(account, host_now);
        let caller_ids = seed.caller_ids(account, now, random_bytes);
        testing.of(account, |controls| controls.add_seed(&seed));
        self.store.add_caller_ids(account, caller_ids).await
    }

    /// Resets an account to its seed. Its clock, its snapshots and its token stay.
    ///
    /// # Errors
    /// The store's error.
    pub(crate) async fn reset(
        &self,
        testing: &Testing,
        account: &AccountSid,
        host_now: Moment,
        random_bytes: &RandomBytes,
    ) -> Result<usize, StoreError> {
        let seed = testing.seed(account);
        let now = self.account_now(account, host_now);
        let caller_ids = seed.caller_ids(account, now, random_bytes);
        let count = caller_ids.len();
        let contents = AccountContents { caller_ids, ..AccountContents::default() };
        self.store.replace_contents(account, contents).await?;
        testing.of(account, |controls| {
            let Controls { clock, snapshots, sandbox, .. } = std::mem::take(controls);
            *controls = Controls { clock, snapshots, sandbox, ..Controls::default() };
            controls.add_seed(&seed);
        });
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
        let Some(testing) = &self.testing else {
            return Ok(Advanced { next: Vec::new(), is_done: true });
        };
        let mut tick = Tick::default();
        let only = Accounts::Only(*account);
        let now = self.account_now(account, host_now);
        let to = to.max(now);
        self.tick_accounts(&only, now, &mut tick).await?;
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
        self.tick_each(&only, until, now, &mut tick).await?;
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
        self.testing.as_ref().map_or_else(|| vec![Accounts::ALL], Testing::clocks)
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
        match (accounts, &self.testing) {
            (Accounts::Only(account), Some(testing)) => {
                testing.of(account, |it| it.clock.unwrap_or_default().to_host_time(moment))
            }
            _ => Some(moment),
        }
    }

    /// Starts the scripts of the phones that have begun to ring.
    pub(crate) fn start_scripts(&self, next: &[LineCommand]) {
        if let Some(testing) = &self.testing {
            let placed = next.iter().filter(|it| it.instruction == Instruction::Place);
            testing.placed(placed.map(|it| &it.call));
        }
    }

    /// When the host must tick again for what tests control.
    pub(crate) fn testing_wake_at(&self) -> Option<Moment> {
        self.testing.as_ref().and_then(Testing::wake_at)
    }

    /// Does what is due in scripts, and removes the sandboxes whose time is over.
    pub(crate) async fn tick_testing(
        &self,
        host_now: Moment,
        tick: &mut Tick,
    ) -> Result<(), StoreError> {
        let Some(testing) = &self.testing else { return Ok(()) };
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

/// The earlier of two times.
pub(crate) fn earliest(one: Option<Moment>, other: Option<Moment>) -> Option<Moment> {
    one.into_iter().chain(other).min()
}
