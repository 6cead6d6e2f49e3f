//! What tests control: an account's clock, seed, faults, phone scripts and snapshots, and the
//! documents of the control surface's requests for them.
//!
//! All of it belongs to an account, and is in memory only: it describes a test, not a service.

pub(crate) mod answers;
mod clock;
pub(crate) mod document;
mod faults;
mod phone_script;
mod request_log;
mod seed;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use callerid_core::{AccountSid, CallSid, Moment, PhoneNumber, RequestSid, ValidationCode};

use crate::call::Call;
use crate::operation::Route;
use crate::request::Request;
use crate::store::{AccountContents, Accounts};
use crate::versions::form;
pub use answers::{
    AddSandbox, Advance, Clock, Count, KeptSnapshot, LiveCode, SandboxAccount, SetClock, Snapshot,
};
use clock::TestClock;
pub(crate) use document::of;
pub use document::{ByNumber, Codes, NumberOrAny, Phones};
pub use faults::{AddedFault, Delivery, Drop, Fault, NearMatch};
use faults::{Faults, Outcome};
pub use phone_script::{Action, NamedScript, PhoneScript, Step};
pub use request_log::LoggedRequest;
use request_log::RequestLog;
pub use seed::{Seed, SeedCallerId};

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
    pub(crate) clock: Option<TestClock>,
    pub(crate) codes: Codes,
    pub(crate) phones: Phones,
    pub(crate) running: Vec<RunningScript>,
    pub(crate) faults: Faults,
    pub(crate) requests: RequestLog,
    pub(crate) snapshots: BTreeMap<String, AccountContents>,
    pub(crate) sandbox: Option<Sandbox>,
}

/// A script that follows a call.
#[derive(Debug)]
pub(crate) struct RunningScript {
    pub(crate) call: CallSid,
    pub(crate) script: PhoneScript,
    pub(crate) step: usize,
    /// When the step is due, by the account's clock.
    pub(crate) at: Moment,
}

/// A throw-away account.
#[derive(Debug)]
pub(crate) struct Sandbox {
    pub(crate) owner: AccountSid,
    pub(crate) seed: Seed,
    /// When it is removed, by the host's clock.
    pub(crate) ends_at: Option<Moment>,
}

impl Testing {
    pub(crate) fn new(seed: Seed) -> Self {
        Self { seed, accounts: Mutex::default() }
    }

    /// The state is consistent whenever the lock is released, so a poisoned lock is usable.
    pub(crate) fn accounts(&self) -> MutexGuard<'_, BTreeMap<AccountSid, Controls>> {
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

    pub(crate) fn has_script(&self, call: &Call) -> bool {
        self.of(&call.account_sid, |controls| controls.script(call).is_some())
    }

    /// Starts the scripts of the calls that have been placed.
    pub(crate) fn placed<'a>(&self, placed: impl Iterator<Item = &'a Call>) {
        for call in placed {
            self.of(&call.account_sid, |controls| controls.start_script(call));
        }
    }

    /// The accounts that share the host's clock, and each of the others.
    pub(crate) fn clocks(&self) -> Vec<Accounts> {
        let accounts = self.accounts();
        let own = accounts.iter().filter(|(_, controls)| controls.clock.is_some());
        let own: Vec<_> = own.map(|(account, _)| *account).collect();
        let each = own.iter().copied().map(Accounts::Only);
        each.chain([Accounts::Except(own.clone())]).collect()
    }

    /// The next steps of scripts that are due.
    pub(crate) fn due_steps(&self, host_now: Moment) -> Vec<(AccountSid, RunningScript)> {
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
    pub(crate) fn wake_at(&self) -> Option<Moment> {
        let accounts = self.accounts();
        let next = accounts.values().flat_map(|controls| {
            let clock = controls.clock.unwrap_or_default();
            let steps = controls.running.iter().filter_map(move |it| clock.to_host_time(it.at));
            steps.chain(controls.sandbox.as_ref().and_then(|sandbox| sandbox.ends_at))
        });
        next.min()
    }

    pub(crate) fn ended_sandboxes(&self, host_now: Moment) -> Vec<AccountSid> {
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
    pub(crate) fn seed(&self, account: &AccountSid) -> Seed {
        let accounts = self.accounts();
        let sandbox = accounts.get(account).and_then(|controls| controls.sandbox.as_ref());
        sandbox.map_or_else(|| self.seed.clone(), |sandbox| sandbox.seed.clone())
    }

    /// The account that made a sandbox; `None` if there is no such sandbox.
    pub(crate) fn sandbox_owner(&self, sandbox: &AccountSid) -> Option<AccountSid> {
        self.accounts().get(sandbox)?.sandbox.as_ref().map(|sandbox| sandbox.owner)
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
    pub(crate) fn next_step_after(&self, now: Moment) -> Option<Moment> {
        self.running.iter().map(|it| it.at).filter(|at| *at > now).min()
    }
}

impl RunningScript {
    /// The script from this step on, when the step before it, or the call, has happened; `None` at
    /// its end.
    pub(crate) fn new(
        call: CallSid,
        script: PhoneScript,
        step: usize,
        since: Moment,
    ) -> Option<Self> {
        let wait = i64::from(script.step(step)?.after_ms);
        let at = Moment::from_unix_millis(since.unix_millis().saturating_add(wait));
        Some(Self { call, script, step, at })
    }
}

/// The earlier of two times.
pub(crate) fn earliest(one: Option<Moment>, other: Option<Moment>) -> Option<Moment> {
    one.into_iter().chain(other).min()
}
