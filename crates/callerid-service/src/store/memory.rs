//! A store in memory, for tests and for the API inside a page or a process.

mod line;
mod snapshot;

pub use snapshot::InvalidSnapshot;

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::{
    AccountContents, Accounts, CALLBACKS_KEPT, ENDED_CALLS_KEPT, EVENTS_KEPT, Events, Newest,
    Store, StoreError,
};
use callerid_core::{
    AccountSid, CallSid, CallerIdSid, Filter, FriendlyName, Moment, OutgoingCallerId, Page,
    PageRequest, PhoneNumber,
};

use crate::account::{Account, Unauthenticated};
use crate::call::Call;
use crate::callback::Callback;
use crate::eligibility::{Admitted, Eligibility, Ineligible};
use crate::event::{Change, Event};
use crate::limits::{CallbackSlots, Limits};
use crate::line_usage::{LineUsage, OptOut};
use crate::number_usage::NumberUsage;
use crate::transition::Transition;
use line::LineState;

/// Keeps everything in memory and loses it when the process ends.
///
/// It scans its rows where other stores use an index. It is meant for the few thousand caller IDs
/// of a test or a page, and is small in a page's WebAssembly.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

impl MemoryStore {
    /// Creates a store with only these accounts.
    pub fn new(accounts: impl IntoIterator<Item = Account>) -> Self {
        let accounts = accounts.into_iter().collect();
        Self { state: Mutex::new(State { accounts, ..State::default() }) }
    }

    /// Adds a caller ID without a validation, and replaces one with the same Sid or number. This
    /// creates no event.
    pub fn seed(&self, caller_id: OutgoingCallerId) {
        self.state().put_caller_id(caller_id);
    }

    /// The store's accounts.
    pub fn accounts(&self) -> Vec<Account> {
        self.state().accounts.clone()
    }

    /// The store's contents as bytes for [`restore`](Self::restore). They contain tokens and codes
    /// in plain text.
    pub fn snapshot(&self) -> Vec<u8> {
        self.state().to_snapshot()
    }

    /// Replaces the store's contents with those of a snapshot. Clients that follow the events are
    /// told of a gap.
    ///
    /// # Errors
    /// [`InvalidSnapshot`], if the snapshot is invalid. The store is unchanged.
    pub fn restore(&self, snapshot: &[u8]) -> Result<(), InvalidSnapshot> {
        let restored = State::from_snapshot(snapshot)?;
        let mut state = self.state();
        let newest_event = state.newest_event.max(restored.newest_event).saturating_add(1);
        *state = State { newest_event, events_from: newest_event, ..restored };
        Ok(())
    }

    // The state is consistent whenever the lock is released, so a poisoned lock is usable.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    accounts: Vec<Account>,
    /// In list order; see [`OutgoingCallerId::list_key`].
    caller_ids: Vec<OutgoingCallerId>,
    /// Oldest first.
    calls: Vec<Call>,
    /// Numbers with wrong entries or recent calls.
    numbers: Vec<(PhoneNumber, NumberUsage)>,
    /// Oldest first.
    callbacks: Vec<Callback>,
    /// What limits a real line.
    line: LineState,
    /// Oldest first, and one more for each account than the store keeps: the last dropped one.
    #[serde(skip)]
    events: Vec<(AccountSid, VecDeque<Event>)>,
    /// Restoring a snapshot dropped the events up to this one.
    #[serde(skip)]
    events_from: u64,
    newest_event: u64,
}

impl State {
    fn append(&mut self, change: &Change<'_>) {
        self.newest_event = self.newest_event.saturating_add(1);
        let (account, event) = (change.account(), change.to_event(self.newest_event));
        match self.events.iter_mut().find(|(sid, _)| *sid == account) {
            None => self.events.push((account, VecDeque::from([event]))),
            Some((_, events)) => {
                events.push_back(event);
                if events.len() > EVENTS_KEPT.saturating_add(1) {
                    events.pop_front();
                }
            }
        }
    }

    fn events(&self, account: &AccountSid) -> Option<&VecDeque<Event>> {
        self.events.iter().find(|(sid, _)| sid == account).map(|(_, events)| events)
    }

    /// The last event of the account that is no longer kept; 0 if all are.
    fn last_dropped_event(&self, account: &AccountSid) -> u64 {
        let full = self.events(account).filter(|events| events.len() > EVENTS_KEPT);
        full.and_then(VecDeque::front).map_or(self.events_from, |event| event.id)
    }

    fn account(&self, sid: &AccountSid) -> Option<&Account> {
        self.accounts.iter().find(|account| account.sid == *sid)
    }

    fn caller_id(&self, account: &AccountSid, sid: &CallerIdSid) -> Option<&OutgoingCallerId> {
        self.caller_ids.iter().find(|it| it.sid == *sid && it.account_sid == *account)
    }

    fn remove_caller_id(
        &mut self,
        account: &AccountSid,
        sid: &CallerIdSid,
    ) -> Option<OutgoingCallerId> {
        let place =
            self.caller_ids.iter().position(|it| it.sid == *sid && it.account_sid == *account)?;
        Some(self.caller_ids.remove(place))
    }

    /// Inserts a caller ID, and replaces one with the same Sid or number.
    fn put_caller_id(&mut self, caller_id: OutgoingCallerId) {
        self.caller_ids.retain(|it| {
            it.account_sid != caller_id.account_sid
                || it.sid != caller_id.sid && it.phone_number != caller_id.phone_number
        });
        let key = caller_id.list_key();
        let place = self.caller_ids.partition_point(|it| it.list_key() < key);
        self.caller_ids.insert(place, caller_id);
    }

    /// Inserts many caller IDs, like [`put_caller_id`](Self::put_caller_id) one after the other.
    fn put_caller_ids(&mut self, caller_ids: Vec<OutgoingCallerId>) {
        let mut rows = std::mem::take(&mut self.caller_ids);
        rows.extend(caller_ids);
        // The last of those with the same Sid or number stays.
        let (mut sids, mut numbers) = (BTreeSet::new(), BTreeSet::new());
        let mut rows: Vec<_> = rows
            .into_iter()
            .rev()
            .filter(|it| {
                let is_new_sid = sids.insert((it.account_sid, it.sid));
                numbers.insert((it.account_sid, it.phone_number)) && is_new_sid
            })
            .collect();
        rows.sort_by_key(OutgoingCallerId::list_key);
        self.caller_ids = rows;
    }

    fn put_contents(&mut self, account: &AccountSid, contents: AccountContents) {
        let AccountContents { caller_ids, calls, callbacks } = contents;
        let of_account = |call: &Call| call.account_sid == *account;
        let old = self.calls.iter().filter(|call| of_account(call));
        let numbers: BTreeSet<_> = old.chain(&calls).map(|call| call.phone_number).collect();
        self.numbers.retain(|(number, _)| !numbers.contains(number));
        self.caller_ids.retain(|it| it.account_sid != *account);
        self.put_caller_ids(caller_ids);
        self.calls.retain(|call| !of_account(call));
        self.calls.extend(calls);
        self.calls.sort_by_key(|call| (call.created_at, call.sid));
        self.callbacks.retain(|it| it.account_sid != *account);
        self.callbacks.extend(callbacks);
        self.callbacks.sort_by_key(|it| (it.created_at, it.call_sid));
    }

    fn page(
        &self,
        account: &AccountSid,
        filter: &Filter,
        page: PageRequest,
    ) -> Page<OutgoingCallerId> {
        let is_listed =
            |row: &&OutgoingCallerId| row.account_sid == *account && filter.matches(row);
        let list: Vec<_> = self.caller_ids.iter().filter(is_listed).collect();
        Page::of(page, &list)
    }

    fn call(&self, sid: &CallSid) -> Option<&Call> {
        self.calls.iter().find(|call| call.sid == *sid)
    }

    fn live_calls(&self) -> impl Iterator<Item = &Call> {
        self.calls.iter().filter(|call| call.status.is_live())
    }

    fn number(&self, number: &PhoneNumber) -> NumberUsage {
        let usage = self.numbers.iter().find(|it| it.0 == *number);
        usage.map_or_else(NumberUsage::default, |it| it.1)
    }

    fn put_number(&mut self, number: PhoneNumber, usage: NumberUsage) {
        self.numbers.retain(|it| it.0 != number);
        self.numbers.push((number, usage));
    }

    fn put_call(&mut self, call: Call) {
        self.append(&Change::Call(&call));
        let key = |call: &Call| (call.created_at, call.sid);
        let place = self.calls.partition_point(|it| key(it) < key(&call));
        match self.calls.get_mut(place).filter(|it| it.sid == call.sid) {
            Some(before) => *before = call,
            None => self.calls.insert(place, call),
        }
    }

    /// Drops the numbers whose usage has no effect any more.
    fn forget_numbers(&mut self, now: Moment) {
        self.numbers.retain(|(_, usage)| !usage.is_forgotten(now));
    }

    fn put_callback(&mut self, callback: Callback) {
        let key = |it: &Callback| (it.created_at, it.call_sid);
        let place = self.callbacks.partition_point(|it| key(it) < key(&callback));
        match self.callbacks.get_mut(place).filter(|it| it.call_sid == callback.call_sid) {
            Some(before) => *before = callback,
            None => self.callbacks.insert(place, callback),
        }
    }

    fn put_step(&mut self, step: Transition) {
        let number = step.call.phone_number;
        self.put_number(number, self.number(&number).after(&step));
        self.line.step(&step);
        if let Some(callback) = step.callback {
            self.put_callback(callback);
        }
        let (account, is_ended) = (step.call.account_sid, !step.call.status.is_live());
        self.put_call(step.call);
        if is_ended {
            self.drop_old_calls(&account);
        }
        if let Some(caller_id) = step.caller_id {
            self.append(&Change::CallerIdAdded(&caller_id));
            self.put_caller_id(caller_id);
        }
    }

    fn drop_old_calls(&mut self, account: &AccountSid) {
        let is_ended = |call: &Call| call.account_sid == *account && !call.status.is_live();
        let ended = self.calls.iter().filter(|call| is_ended(call)).count();
        let mut surplus = ended.saturating_sub(ENDED_CALLS_KEPT);
        self.calls.retain(|call| {
            let is_dropped = surplus > 0 && is_ended(call);
            surplus = surplus.saturating_sub(is_dropped.into());
            !is_dropped
        });
    }

    fn drop_old_callbacks(&mut self, account: &AccountSid) {
        let is_done = |it: &Callback| it.account_sid == *account && it.next_at.is_none();
        let done = self.callbacks.iter().filter(|it| is_done(it)).count();
        let mut surplus = done.saturating_sub(CALLBACKS_KEPT);
        self.callbacks.retain(|it| {
            let is_dropped = surplus > 0 && is_done(it);
            surplus = surplus.saturating_sub(is_dropped.into());
            !is_dropped
        });
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    items.fold(0, |count: u32, _| count.saturating_add(1))
}

/// The first `limit` items, ordered by key.
fn first<'a, T: Clone + 'a, K: Ord>(
    items: impl Iterator<Item = &'a T>,
    limit: usize,
    key: impl Fn(&T) -> K,
) -> Vec<T> {
    let mut first: Vec<&T> = Vec::new();
    for item in items {
        let place = first.partition_point(|it| key(it) <= key(item));
        if place < limit {
            first.insert(place, item);
            first.truncate(limit);
        }
    }
    first.into_iter().cloned().collect()
}

impl Store for MemoryStore {
    async fn account(&self, sid: &AccountSid) -> Result<Option<Account>, StoreError> {
        Ok(self.state().account(sid).cloned())
    }

    async fn caller_id(
        &self,
        account: &AccountSid,
        sid: &CallerIdSid,
        admit: impl FnOnce(&Account) -> Result<(), Unauthenticated> + Send,
    ) -> Result<Result<Option<OutgoingCallerId>, Unauthenticated>, StoreError> {
        let state = self.state();
        let admitted = state.account(account).ok_or(Unauthenticated).and_then(admit);
        Ok(admitted.map(|()| state.caller_id(account, sid).cloned()))
    }

    async fn list(
        &self,
        account: &AccountSid,
        filter: &Filter,
        page: PageRequest,
        admit: impl FnOnce(&Account) -> Result<(), Unauthenticated> + Send,
    ) -> Result<Result<Page<OutgoingCallerId>, Unauthenticated>, StoreError> {
        let state = self.state();
        let admitted = state.account(account).ok_or(Unauthenticated).and_then(admit);
        Ok(admitted.map(|()| state.page(account, filter, page)))
    }

    async fn rename(
        &self,
        account: &AccountSid,
        sid: &CallerIdSid,
        name: Option<FriendlyName>,
        now: Moment,
    ) -> Result<Option<OutgoingCallerId>, StoreError> {
        let mut state = self.state();
        let Some(mut caller_id) = state.remove_caller_id(account, sid) else { return Ok(None) };
        caller_id.rename(name, now);
        state.put_caller_id(caller_id.clone());
        state.append(&Change::CallerIdUpdated(&caller_id));
        Ok(Some(caller_id))
    }

    async fn remove(&self, account: &AccountSid, sid: &CallerIdSid) -> Result<bool, StoreError> {
        let mut state = self.state();
        let removed = state.remove_caller_id(account, sid).is_some();
        if removed {
            state.append(&Change::CallerIdDeleted(account, sid));
        }
        Ok(removed)
    }

    async fn add_call(
        &self,
        call: Call,
        limits: &Limits,
    ) -> Result<Result<Admitted, Ineligible>, StoreError> {
        let mut state = self.state();
        let (account, number) = (call.account_sid, call.phone_number);
        let of_number = |it: &&Call| it.account_sid == account && it.phone_number == number;
        let others_live_calls = || {
            let is_others = |it: &&Call| it.account_sid != account && it.phone_number == number;
            count(state.live_calls().filter(is_others))
        };
        let standing = Eligibility {
            is_caller_id: state
                .caller_ids
                .iter()
                .any(|it| it.account_sid == account && it.phone_number == number),
            number: state.number(&number),
            live: state.live_calls().find(of_number).cloned(),
            account_calls: count(state.live_calls().filter(|it| it.account_sid == account)),
            all_calls: count(state.live_calls()),
            account_callbacks: count(
                state
                    .callbacks
                    .iter()
                    .filter(|it| it.account_sid == account && it.next_at.is_some()),
            ),
            line: match limits.line() {
                Some(limits) => state.line.usage(limits, &call, others_live_calls()),
                None => LineUsage::default(),
            },
        };
        let admitted = match standing.check(call, limits) {
            Ok(admitted) => admitted,
            Err(refused) => return Ok(Err(refused)),
        };
        if let Some(step) = &admitted.replaced {
            state.put_step(step.clone());
        }
        state.forget_numbers(admitted.call.created_at);
        state.put_number(number, admitted.number);
        if limits.line().is_some() {
            state.line.admit(&admitted.call);
        }
        state.put_call(admitted.call.clone());
        Ok(Ok(admitted))
    }

    async fn call(&self, sid: &CallSid) -> Result<Option<Call>, StoreError> {
        Ok(self.state().call(sid).cloned())
    }

    async fn calls(&self, account: &AccountSid, which: Newest) -> Result<Vec<Call>, StoreError> {
        let state = self.state();
        let is_asked = |call: &&Call| {
            let place = (call.created_at, call.sid);
            call.account_sid == *account && which.before.is_none_or(|before| place < before)
        };
        Ok(state.calls.iter().rev().filter(is_asked).take(which.limit).cloned().collect())
    }

    async fn save(&self, steps: Vec<Transition>) -> Result<Vec<bool>, StoreError> {
        let mut state = self.state();
        let save = |step: Transition| {
            let before = state.call(&step.call.sid);
            if before.map(|call| call.revision.wrapping_add(1)) != Some(step.call.revision) {
                return false;
            }
            state.put_step(step);
            true
        };
        Ok(steps.into_iter().map(save).collect())
    }

    async fn due(
        &self,
        accounts: &Accounts,
        now: Moment,
        limit: usize,
    ) -> Result<Vec<Call>, StoreError> {
        let state = self.state();
        let is_due = |call: &&Call| {
            accounts.contains(&call.account_sid)
                && (call.wake_at() <= Some(now) || call.created_at > now)
        };
        let due = state.live_calls().filter(is_due);
        Ok(first(due, limit, |call| (call.wake_at(), call.sid)))
    }

    async fn wake_at(&self, accounts: &Accounts) -> Result<Option<Moment>, StoreError> {
        let state = self.state();
        let live = state.live_calls().filter(|call| accounts.contains(&call.account_sid));
        Ok(live.filter_map(Call::wake_at).min())
    }

    async fn callbacks(
        &self,
        account: &AccountSid,
        which: Newest,
    ) -> Result<Vec<Callback>, StoreError> {
        let state = self.state();
        let is_asked = |it: &&Callback| {
            let place = (it.created_at, it.call_sid);
            it.account_sid == *account && which.before.is_none_or(|before| place < before)
        };
        Ok(state.callbacks.iter().rev().filter(is_asked).take(which.limit).cloned().collect())
    }

    async fn due_callbacks(
        &self,
        accounts: &Accounts,
        now: Moment,
        slots: &CallbackSlots,
    ) -> Result<Vec<Callback>, StoreError> {
        let state = self.state();
        let mut due: Vec<_> = state
            .callbacks
            .iter()
            .filter(|it| accounts.contains(&it.account_sid) && it.is_due(now))
            .collect();
        due.sort_by_key(|it| (it.next_at, it.call_sid));
        let mut turns: Vec<(usize, &Callback)> = Vec::new();
        for it in due {
            let of_account = turns.iter().filter(|other| other.1.account_sid == it.account_sid);
            let turn = of_account.clone().count();
            let at_receiver = of_account.filter(|other| other.1.to.receiver() == it.to.receiver());
            if turn < slots.per_account && at_receiver.count() < slots.per_receiver {
                turns.push((turn, it));
            }
        }
        turns.sort_by_key(|(turn, _)| *turn);
        Ok(turns.into_iter().take(slots.total).map(|(_, it)| it.clone()).collect())
    }

    async fn callbacks_wake_at(&self, accounts: &Accounts) -> Result<Option<Moment>, StoreError> {
        let state = self.state();
        let theirs = state.callbacks.iter().filter(|it| accounts.contains(&it.account_sid));
        Ok(theirs.filter_map(|it| it.next_at).min())
    }

    async fn save_callback(&self, callback: Callback) -> Result<bool, StoreError> {
        let mut state = self.state();
        let account = callback.account_sid;
        let before = state.callbacks.iter_mut().find(|it| it.call_sid == callback.call_sid);
        let Some(before) = before.filter(|it| it.attempts.wrapping_add(1) == callback.attempts)
        else {
            return Ok(false);
        };
        *before = callback;
        state.drop_old_callbacks(&account);
        Ok(true)
    }

    async fn add_sandbox(&self, account: Account) -> Result<bool, StoreError> {
        let mut state = self.state();
        let is_new = state.account(&account.sid).is_none();
        if is_new {
            state.accounts.push(account);
        }
        Ok(is_new)
    }

    async fn remove_account(&self, account: &AccountSid) -> Result<bool, StoreError> {
        let mut state = self.state();
        let existed = state.account(account).is_some();
        state.put_contents(account, AccountContents::default());
        state.accounts.retain(|it| it.sid != *account);
        state.events.retain(|(sid, _)| sid != account);
        Ok(existed)
    }

    async fn add_caller_ids(
        &self,
        account: &AccountSid,
        caller_ids: Vec<OutgoingCallerId>,
    ) -> Result<(), StoreError> {
        let mut state = self.state();
        debug_assert!(caller_ids.iter().all(|it| it.account_sid == *account));
        state.put_caller_ids(caller_ids);
        Ok(())
    }

    async fn contents(&self, account: &AccountSid) -> Result<AccountContents, StoreError> {
        let state = self.state();
        let of = |sid: &AccountSid| sid == account;
        Ok(AccountContents {
            caller_ids: state.caller_ids.iter().filter(|it| of(&it.account_sid)).cloned().collect(),
            calls: state.calls.iter().filter(|it| of(&it.account_sid)).cloned().collect(),
            callbacks: state.callbacks.iter().filter(|it| of(&it.account_sid)).cloned().collect(),
        })
    }

    async fn replace_contents(
        &self,
        account: &AccountSid,
        contents: AccountContents,
    ) -> Result<(), StoreError> {
        let mut state = self.state();
        state.put_contents(account, contents);
        state.events.retain(|(sid, _)| sid != account);
        state.append(&Change::Reset(account));
        Ok(())
    }

    async fn events_after(
        &self,
        account: &AccountSid,
        id: u64,
        limit: usize,
    ) -> Result<Events, StoreError> {
        let state = self.state();
        let dropped = state.last_dropped_event(account);
        let events = state.events(account).into_iter().flatten();
        let events = events.filter(|event| event.id > id.max(dropped)).take(limit);
        Ok(Events {
            events: events.cloned().collect(),
            newest: state.newest_event,
            gap: id < dropped || id > state.newest_event,
        })
    }

    async fn opt_out(&self, number: &PhoneNumber, now: Moment) -> Result<bool, StoreError> {
        Ok(self.state().line.opt_out(number, now))
    }

    async fn remove_opt_out(&self, number: &PhoneNumber) -> Result<bool, StoreError> {
        Ok(self.state().line.remove_opt_out(number))
    }

    async fn opt_outs(&self) -> Result<Vec<OptOut>, StoreError> {
        Ok(self.state().line.opt_outs.clone())
    }

    async fn is_opted_out(&self, number: &PhoneNumber) -> Result<bool, StoreError> {
        Ok(self.state().line.is_opted_out(number))
    }

    async fn stop_line(&self, now: Moment) -> Result<bool, StoreError> {
        let mut state = self.state();
        let was_stopped = state.line.stopped_at.is_some();
        state.line.stopped_at.get_or_insert(now);
        Ok(!was_stopped)
    }

    async fn start_line(&self) -> Result<bool, StoreError> {
        Ok(self.state().line.stopped_at.take().is_some())
    }

    async fn line_stopped_at(&self) -> Result<Option<Moment>, StoreError> {
        Ok(self.state().line.stopped_at)
    }
}
