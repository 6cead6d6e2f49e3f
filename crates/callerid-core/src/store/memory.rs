//! A store in memory: for tests, and for the API inside a page or a process.

mod snapshot;

pub use snapshot::InvalidSnapshot;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{CALLBACKS_KEPT, ENDED_CALLS_KEPT, EVENTS_KEPT, Events, Store, StoreError};
use crate::event::{Change, Event};
use crate::{
    Account, AccountSid, Admitted, Call, CallSid, Callback, CallerIdSid, Filter, FriendlyName,
    ListKey, Moment, OutgoingCallerId, Page, PageRequest, PhoneNumber, Standing, Step,
    ValidationRefused,
};

/// Keeps everything in memory, and loses it with the process.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

impl MemoryStore {
    /// A store with these accounts and nothing else.
    pub fn new(accounts: impl IntoIterator<Item = Account>) -> Self {
        let accounts = accounts.into_iter().map(|account| (account.sid, account)).collect();
        Self { state: Mutex::new(State { accounts, ..State::default() }) }
    }

    /// Puts a caller ID in as it stands, without a validation, in place of one with the same Sid or the
    /// same number. No event tells of it.
    pub fn seed(&self, caller_id: OutgoingCallerId) {
        let mut state = self.state();
        state.lists.entry(caller_id.account_sid).or_default().put(caller_id);
    }

    /// The accounts it knows.
    pub fn accounts(&self) -> Vec<Account> {
        self.state().accounts.values().cloned().collect()
    }

    /// All it holds, as bytes that [`restore`](Self::restore) takes. They hold tokens and codes in clear.
    pub fn snapshot(&self) -> Vec<u8> {
        self.state().to_snapshot()
    }

    /// Takes up what a snapshot holds in place of what it held. Whoever follows the events is told of a gap.
    ///
    /// # Errors
    /// [`InvalidSnapshot`], and nothing is changed.
    pub fn restore(&self, snapshot: &[u8]) -> Result<(), InvalidSnapshot> {
        let restored = State::from_snapshot(snapshot)?;
        let mut state = self.state();
        let newest_event = state.newest_event.max(restored.newest_event).saturating_add(1);
        *state = State { newest_event, ..restored };
        Ok(())
    }

    // The state is whole between any two statements that take the lock, so a poisoned lock is as good.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct State {
    accounts: BTreeMap<AccountSid, Account>,
    lists: BTreeMap<AccountSid, List>,
    calls: BTreeMap<CallSid, Call>,
    live_calls: BTreeMap<(AccountSid, PhoneNumber), CallSid>,
    failed_entries: BTreeMap<(AccountSid, PhoneNumber), u8>,
    callbacks: BTreeMap<CallSid, Callback>,
    events: VecDeque<Event>,
    newest_event: u64,
}

/// An account's caller IDs, and the orders they are found in.
#[derive(Debug, Default)]
struct List {
    by_sid: BTreeMap<CallerIdSid, OutgoingCallerId>,
    by_number: BTreeMap<PhoneNumber, CallerIdSid>,
    /// Sorted: a page deep in the list is found by its index.
    order: Vec<ListKey>,
}

impl List {
    /// Inserts a caller ID in place of one with the same Sid or the same number.
    fn put(&mut self, caller_id: OutgoingCallerId) {
        let same_number = self.by_number.get(&caller_id.phone_number).copied();
        for sid in same_number.into_iter().chain([caller_id.sid]) {
            self.remove(&sid);
        }
        self.insert(caller_id);
    }

    fn insert(&mut self, caller_id: OutgoingCallerId) {
        let key = caller_id.list_key();
        if let Err(place) = self.order.binary_search(&key) {
            self.order.insert(place, key);
        }
        self.by_number.insert(caller_id.phone_number, caller_id.sid);
        self.by_sid.insert(caller_id.sid, caller_id);
    }

    fn remove(&mut self, sid: &CallerIdSid) -> Option<OutgoingCallerId> {
        let caller_id = self.by_sid.remove(sid)?;
        self.by_number.remove(&caller_id.phone_number);
        if let Ok(place) = self.order.binary_search(&caller_id.list_key()) {
            self.order.remove(place);
        }
        Some(caller_id)
    }

    fn page(&self, filter: &Filter, page: PageRequest) -> Page<OutgoingCallerId> {
        let most = usize::try_from(page.rows_and_one()).unwrap_or(usize::MAX);
        let cut = |order: &[ListKey]| {
            let skip = match page.after {
                Some(after) => order.partition_point(|key| *key <= after),
                None => usize::try_from(page.offset()).unwrap_or(usize::MAX),
            };
            let rows = order.iter().skip(skip).take(most);
            let rows = rows.filter_map(|(_, sid)| self.by_sid.get(sid).cloned()).collect();
            Page::cut(page, rows, u64::try_from(order.len()).unwrap_or(u64::MAX))
        };
        match filter {
            Filter { phone_number: None, friendly_name: None } => cut(&self.order),
            Filter { phone_number: Some(number), .. } => {
                let sid = self.by_number.get(number);
                let found = sid.and_then(|sid| self.by_sid.get(sid));
                let found = found.filter(|row| filter.matches(row)).map(OutgoingCallerId::list_key);
                cut(found.as_slice())
            }
            Filter { phone_number: None, friendly_name: Some(_) } => {
                let is_shown = |(_, sid): &&ListKey| {
                    self.by_sid.get(sid).is_some_and(|row| filter.matches(row))
                };
                cut(&self.order.iter().filter(is_shown).copied().collect::<Vec<_>>())
            }
        }
    }
}

impl State {
    fn append(&mut self, change: &Change<'_>) {
        self.newest_event = self.newest_event.saturating_add(1);
        self.events.push_back(change.to_event(self.newest_event));
        if self.events.len() > EVENTS_KEPT {
            self.events.pop_front();
        }
    }

    fn put_call(&mut self, call: Call) {
        self.append(&Change::Call(&call));
        let number = (call.account_sid, call.phone_number);
        if call.status.is_live() {
            self.live_calls.insert(number, call.sid);
        } else if self.live_calls.get(&number) == Some(&call.sid) {
            self.live_calls.remove(&number);
        }
        if call.failed_entries == 0 {
            self.failed_entries.remove(&number);
        } else {
            self.failed_entries.insert(number, call.failed_entries);
        }
        self.calls.insert(call.sid, call);
    }

    fn put_step(&mut self, step: Step) {
        if let Some(callback) = step.callback {
            self.callbacks.insert(callback.call_sid, callback);
        }
        self.put_call(step.call);
        if let Some(caller_id) = step.caller_id {
            self.append(&Change::CallerIdAdded(&caller_id));
            self.lists.entry(caller_id.account_sid).or_default().put(caller_id);
        }
    }

    fn drop_old_calls(&mut self, account: &AccountSid) {
        let ended = |call: &&Call| call.account_sid == *account && !call.status.is_live();
        let mut ended: Vec<_> =
            self.calls.values().filter(ended).map(|call| (call.created_at, call.sid)).collect();
        ended.sort_unstable();
        let surplus = ended.len().saturating_sub(ENDED_CALLS_KEPT);
        for (_, sid) in ended.iter().take(surplus) {
            self.calls.remove(sid);
        }
    }

    fn drop_old_callbacks(&mut self, account: &AccountSid) {
        let done = |it: &&Callback| it.account_sid == *account && it.next_at.is_none();
        let done = self.callbacks.values().filter(done);
        let mut done: Vec<_> = done.map(|it| (it.created_at, it.call_sid)).collect();
        done.sort_unstable();
        let surplus = done.len().saturating_sub(CALLBACKS_KEPT);
        for (_, sid) in done.iter().take(surplus) {
            self.callbacks.remove(sid);
        }
    }
}

impl Store for MemoryStore {
    async fn account(&self, sid: &AccountSid) -> Result<Option<Account>, StoreError> {
        Ok(self.state().accounts.get(sid).cloned())
    }

    async fn caller_id(
        &self,
        account: &AccountSid,
        sid: &CallerIdSid,
    ) -> Result<Option<OutgoingCallerId>, StoreError> {
        let state = self.state();
        Ok(state.lists.get(account).and_then(|list| list.by_sid.get(sid)).cloned())
    }

    async fn list(
        &self,
        account: &AccountSid,
        filter: &Filter,
        page: PageRequest,
    ) -> Result<Page<OutgoingCallerId>, StoreError> {
        let mut state = self.state();
        Ok(state.lists.entry(*account).or_default().page(filter, page))
    }

    async fn rename(
        &self,
        account: &AccountSid,
        sid: &CallerIdSid,
        name: Option<FriendlyName>,
        now: Moment,
    ) -> Result<Option<OutgoingCallerId>, StoreError> {
        let mut state = self.state();
        let list = state.lists.entry(*account).or_default();
        let Some(mut caller_id) = list.remove(sid) else { return Ok(None) };
        caller_id.rename(name, now);
        list.insert(caller_id.clone());
        state.append(&Change::CallerIdUpdated(&caller_id));
        Ok(Some(caller_id))
    }

    async fn remove(&self, account: &AccountSid, sid: &CallerIdSid) -> Result<bool, StoreError> {
        let mut state = self.state();
        let removed = state.lists.entry(*account).or_default().remove(sid).is_some();
        if removed {
            state.append(&Change::CallerIdDeleted(account, sid));
        }
        Ok(removed)
    }

    async fn add_call(
        &self,
        call: Call,
    ) -> Result<Result<Admitted, ValidationRefused>, StoreError> {
        let mut state = self.state();
        let number = (call.account_sid, call.phone_number);
        let list = state.lists.get(&call.account_sid);
        let live = state.live_calls.get(&number).and_then(|sid| state.calls.get(sid));
        let standing = Standing {
            is_caller_id: list.is_some_and(|list| list.by_number.contains_key(&call.phone_number)),
            failed_entries: state.failed_entries.get(&number).copied().unwrap_or_default(),
            live: live.cloned(),
        };
        let admitted = match standing.admit(call) {
            Ok(admitted) => admitted,
            Err(refused) => return Ok(Err(refused)),
        };
        if let Some(step) = &admitted.replaced {
            state.put_step(step.clone());
        }
        state.put_call(admitted.call.clone());
        state.drop_old_calls(&admitted.call.account_sid);
        Ok(Ok(admitted))
    }

    async fn call(&self, sid: &CallSid) -> Result<Option<Call>, StoreError> {
        Ok(self.state().calls.get(sid).cloned())
    }

    async fn calls(&self, account: &AccountSid) -> Result<Vec<Call>, StoreError> {
        let state = self.state();
        let of_account = |call: &&Call| call.account_sid == *account;
        let mut calls: Vec<Call> = state.calls.values().filter(of_account).cloned().collect();
        calls.sort_unstable_by_key(|call| std::cmp::Reverse((call.created_at, call.sid)));
        Ok(calls)
    }

    async fn save(&self, steps: Vec<Step>) -> Result<Vec<bool>, StoreError> {
        let mut state = self.state();
        let save = |step: Step| {
            let before = state.calls.get(&step.call.sid);
            if before.map(|call| call.revision.wrapping_add(1)) != Some(step.call.revision) {
                return false;
            }
            state.put_step(step);
            true
        };
        Ok(steps.into_iter().map(save).collect())
    }

    async fn due(&self, now: Moment, limit: usize) -> Result<Vec<Call>, StoreError> {
        let state = self.state();
        let live = state.live_calls.values().filter_map(|sid| state.calls.get(sid));
        let is_due = |call: &&Call| call.wake_at() <= Some(now) || call.created_at > now;
        let mut due: Vec<&Call> = live.filter(is_due).collect();
        due.sort_unstable_by_key(|call| (call.wake_at(), call.sid));
        Ok(due.into_iter().take(limit).cloned().collect())
    }

    async fn wake_at(&self) -> Result<Option<Moment>, StoreError> {
        let state = self.state();
        let live = state.live_calls.values().filter_map(|sid| state.calls.get(sid));
        Ok(live.filter_map(Call::wake_at).min())
    }

    async fn callbacks(&self, account: &AccountSid) -> Result<Vec<Callback>, StoreError> {
        let state = self.state();
        let of_account = |callback: &&Callback| callback.account_sid == *account;
        let mut callbacks: Vec<_> = state.callbacks.values().filter(of_account).cloned().collect();
        callbacks.sort_unstable_by_key(|it| std::cmp::Reverse((it.created_at, it.call_sid)));
        Ok(callbacks)
    }

    async fn due_callbacks(&self, now: Moment, limit: usize) -> Result<Vec<Callback>, StoreError> {
        let state = self.state();
        let is_due = |it: &&Callback| it.next_at.is_some_and(|next| next <= now);
        let mut due: Vec<&Callback> = state.callbacks.values().filter(is_due).collect();
        due.sort_unstable_by_key(|it| (it.next_at, it.call_sid));
        Ok(due.into_iter().take(limit).cloned().collect())
    }

    async fn callbacks_wake_at(&self) -> Result<Option<Moment>, StoreError> {
        Ok(self.state().callbacks.values().filter_map(|it| it.next_at).min())
    }

    async fn save_callback(&self, callback: Callback) -> Result<bool, StoreError> {
        let mut state = self.state();
        let account = callback.account_sid;
        let before = state.callbacks.get_mut(&callback.call_sid);
        let Some(before) = before.filter(|it| it.attempts.wrapping_add(1) == callback.attempts)
        else {
            return Ok(false);
        };
        *before = callback;
        state.drop_old_callbacks(&account);
        Ok(true)
    }

    async fn events_after(
        &self,
        account: &AccountSid,
        id: u64,
        limit: usize,
    ) -> Result<Events, StoreError> {
        let state = self.state();
        let none = state.newest_event.saturating_add(1);
        let oldest = state.events.front().map_or(none, |event| event.id);
        let of_account = |event: &&Event| event.id > id && event.account_sid == *account;
        Ok(Events {
            events: state.events.iter().filter(of_account).take(limit).cloned().collect(),
            newest: state.newest_event,
            gap: id.saturating_add(1) < oldest || id > state.newest_event,
        })
    }
}
