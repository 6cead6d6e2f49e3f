//! The stores in memory, in SQLite and in PostgreSQL give the same results for the same random
//! operations, even if a durable store is closed and reopened at any point.

mod cluster;

use std::cmp::Reverse;
use std::sync::LazyLock;

use callerid_core::{
    AccountSid, AuthToken, CallDelay, CallExtension, CallSid, CallbackMethod, CallerIdSid, Cursor,
    Date, Filter, FriendlyName, ListKey, Moment, NewCallerId, OutgoingCallerId, PageRequest,
    PageSize, PhoneNumber, StatusCallback,
};
use callerid_server::postgres::{DatabaseOptions, PostgresStore};
use callerid_server::seal::SealingKey;
use callerid_server::store::{DurableStore as _, Options, SqliteStore};
use callerid_service::{
    Account, AccountContents, Accounts, Attempt, Call, CallbackSlots, Events, FailureCause,
    Instruction, Keys, Limits, LineLimits, LineRules, MemoryStore, Newest, PhoneEvent, RandomBytes,
    RateLimit, Store, Transition, Unauthenticated,
};
use cluster::Cluster;
use proptest::prelude::*;

/// So low that random operations reach them.
const TIGHT: Limits = Limits {
    calls_per_account: 9,
    calls: 14,
    rings_per_number: 5,
    wrong_codes_per_number: 4,
    callbacks_per_account: 4,
    line: None,
};

/// The same on a real line, with limits that random operations reach too.
const TIGHT_LINE: Limits = Limits {
    line: Some(LineLimits {
        number_rate: RateLimit { calls: 2, seconds: 60 },
        number_calls_a_day: 6,
        wrong_codes_per_number: 5,
        account_rate: RateLimit { calls: 12, seconds: 120 },
        account_calls_a_day: 30,
        live_calls_per_account: 7,
        live_calls: 11,
        calls_a_day: 50,
        rules: LineRules { any_hour: true, ..LineRules::DEFAULT },
        ..LineLimits::DEFAULT
    }),
    ..TIGHT
};

/// Admits every request to an account that exists.
fn admitted(_: &Account) -> Result<(), Unauthenticated> {
    Ok(())
}

static CLUSTER: LazyLock<Cluster> = LazyLock::new(Cluster::start);

const START: Moment = Moment::from_unix_millis(1_207_074_392_000);

#[derive(Clone, Debug)]
enum Operation {
    /// Time passes, in milliseconds; the clock may also be set back.
    Wait(i64),
    Create {
        account: u8,
        number: u8,
        name: Option<u8>,
        delay: u8,
    },
    /// Another call for the number of an earlier call.
    CreateAgain {
        call: usize,
        delay: u8,
    },
    /// Advances the calls that are due, of all accounts, or of one, or of the others.
    Tick {
        limit: usize,
        accounts: Selection,
    },
    /// Applies a phone event to an earlier call.
    Phone {
        call: usize,
        event: Event,
    },
    /// A complete validation without pauses: a call, some wrong codes, and usually the right one.
    Validate {
        account: u8,
        number: u8,
        name: Option<u8>,
        wrong: usize,
        right: bool,
    },
    /// A number's owner wants no calls, or wants them again.
    OptOut {
        number: u8,
        remove: bool,
    },
    /// The operator stops or starts the line.
    Switch {
        stop: bool,
    },
    /// Saves an earlier transition again, which may be outdated.
    SaveAgain {
        step: usize,
    },
    Rename {
        account: u8,
        row: usize,
        name: Option<u8>,
    },
    Remove {
        account: u8,
        row: usize,
    },
    List {
        account: u8,
        number: Option<u8>,
        name: Option<u8>,
        page: u64,
        size: u32,
    },
    /// The page after or before a row, which may have been removed.
    PageBeside {
        account: u8,
        row: usize,
        name: Option<u8>,
        size: u32,
        gone: bool,
        side: fn(ListKey) -> Cursor,
    },
    /// The page after or before the one that the previous step reached.
    Walk {
        name: Option<u8>,
        size: u32,
        back: bool,
    },
    Callbacks {
        slots: CallbackSlots,
        attempt: Attempt,
        accounts: Selection,
    },
    /// Keeps everything of an account.
    Keep {
        account: u8,
    },
    /// Replaces everything of an account by what was kept of it.
    Restore {
        kept: usize,
    },
    AddCallerIds {
        account: u8,
        numbers: Vec<u8>,
    },
    Events {
        account: u8,
        back: u64,
        limit: usize,
    },
}

/// All accounts (`None`), one, or the others.
type Selection = Option<(u8, bool)>;

fn selected(selection: Selection) -> Accounts {
    match selection {
        None => Accounts::ALL,
        Some((index, true)) => Accounts::Only(account(index)),
        Some((index, false)) => Accounts::Except(vec![account(index)]),
    }
}

#[derive(Clone, Debug)]
enum Event {
    Answered,
    RightCode,
    WrongCode,
    SomeDigits,
    /// Nobody wants to be called there.
    OptOut,
    HungUp,
    Busy,
    NoAnswer,
    Failed,
}

fn operation() -> impl Strategy<Value = Operation> {
    // Neither store has the last account.
    let account = 0_u8..3;
    let known = 0_u8..2;
    let selection = proptest::option::weighted(0.3, (0_u8..2, any::<bool>()));
    let name = proptest::option::of(0_u8..3);
    let event = prop_oneof![
        4 => Just(Event::Answered),
        3 => Just(Event::RightCode),
        3 => Just(Event::WrongCode),
        1 => Just(Event::SomeDigits),
        1 => Just(Event::OptOut),
        1 => Just(Event::HungUp),
        1 => Just(Event::Busy),
        1 => Just(Event::NoAnswer),
        1 => Just(Event::Failed),
    ];
    let attempt = prop_oneof![
        Just(Attempt::Answered(200)),
        Just(Attempt::Answered(503)),
        Just(Attempt::Failed("no route".into())),
        Just(Attempt::Refused("private".into())),
    ];
    let side =
        proptest::sample::select(vec![Cursor::After as fn(ListKey) -> Cursor, Cursor::Before]);
    let wait = prop_oneof![Just(0), 0..2_000_i64, -90_000..90_000_i64, Just(600_000)];
    prop_oneof![
        3 => wait.prop_map(Operation::Wait),
        4 => (known.clone(), any::<u8>(), name.clone(), 0_u8..=60).prop_map(
            |(account, number, name, delay)| Operation::Create { account, number, name, delay }
        ),
        3 => (0_usize..6, 0_u8..2)
            .prop_map(|(call, delay)| Operation::CreateAgain { call, delay }),
        2 => (1_usize..4, selection.clone())
            .prop_map(|(limit, accounts)| Operation::Tick { limit, accounts }),
        1 => (0_u8..2).prop_map(|account| Operation::Keep { account }),
        1 => any::<usize>().prop_map(|kept| Operation::Restore { kept }),
        1 => (0_u8..2, proptest::collection::vec(any::<u8>(), 0..5))
            .prop_map(|(account, numbers)| Operation::AddCallerIds { account, numbers }),
        6 => (0_usize..6, event).prop_map(|(call, event)| Operation::Phone { call, event }),
        6 => (
            known,
            any::<u8>(),
            name.clone(),
            prop_oneof![2 => Just(0_usize), 1 => 1_usize..4],
            prop_oneof![3 => Just(true), 1 => Just(false)],
        )
            .prop_map(|(account, number, name, wrong, right)| {
                Operation::Validate { account, number, name, wrong, right }
            }),
        1 => (any::<u8>(), any::<bool>())
            .prop_map(|(number, remove)| Operation::OptOut { number, remove }),
        1 => proptest::bool::weighted(0.3).prop_map(|stop| Operation::Switch { stop }),
        1 => (0_usize..9).prop_map(|step| Operation::SaveAgain { step }),
        3 => (account.clone(), any::<usize>(), name.clone())
            .prop_map(|(account, row, name)| Operation::Rename { account, row, name }),
        2 => (account.clone(), any::<usize>())
            .prop_map(|(account, row)| Operation::Remove { account, row }),
        3 => (
            account.clone(),
            prop_oneof![4 => Just(None), 1 => any::<u8>().prop_map(Some)],
            name.clone(),
            prop_oneof![0..6_u64, Just(u64::MAX)],
            prop_oneof![1_u32..5, 1_u32..=1000],
        )
            .prop_map(|(account, number, name, page, size)| {
                Operation::List { account, number, name, page, size }
            }),
        3 => (account.clone(), any::<usize>(), name.clone(), 1_u32..5, any::<bool>(), side)
            .prop_map(|(account, row, name, size, gone, side)| {
                Operation::PageBeside { account, row, name, size, gone, side }
            }),
        4 => (prop_oneof![3 => Just(None), 1 => name], 1_u32..4, any::<bool>())
            .prop_map(|(name, size, back)| Operation::Walk { name, size, back }),
        2 => (1_usize..3, 1_usize..4, 0_usize..4, attempt, selection).prop_map(
            |(per_receiver, per_account, total, attempt, accounts)| {
                let slots = CallbackSlots { per_receiver, per_account, total };
                Operation::Callbacks { slots, attempt, accounts }
            }
        ),
        1 => (account, prop_oneof![0..30_u64, Just(u64::MAX)], 0_usize..20)
            .prop_map(|(account, back, limit)| Operation::Events { account, back, limit }),
    ]
}

fn account(index: u8) -> AccountSid {
    AccountSid::from_random_bytes(&[index; 16])
}

fn number(index: u8) -> PhoneNumber {
    // Few enough numbers for requests to collide: live calls are replaced, and caller IDs rejected.
    PhoneNumber::parse(&format!("415867{:04}", 5300 + u32::from(index % 40))).unwrap()
}

fn name(index: u8) -> FriendlyName {
    FriendlyName::new(["", "Büro \u{1f4de}", "My Home Number"][usize::from(index % 3)]).unwrap()
}

/// A callback to one of two receivers.
fn status_callback(index: u8) -> StatusCallback {
    let url = format!("https://user:p%40ss@example.com:{}/?done", 443 + u32::from(index % 2));
    StatusCallback::new(&url, CallbackMethod::Get).unwrap()
}

/// Events without their ids, which a store counts for all accounts or for each.
fn said(events: &Events) -> String {
    assert!(events.events.is_sorted_by_key(|event| event.id));
    let said: Vec<_> = events.events.iter().map(|event| (&event.name, &event.data)).collect();
    format!("{said:?} {}", events.gap)
}

/// Applies the operations of one run to one store, with the same inputs for every store.
#[derive(Default)]
struct Player {
    limits: Limits,
    now: i64,
    drawn: u64,
    calls: Vec<CallSid>,
    steps: Vec<Transition>,
    kept: Vec<(AccountSid, AccountContents)>,
    /// The first and the last row of the page that a walk has reached.
    reached: Option<(ListKey, ListKey)>,
}

impl Player {
    fn now(&self) -> Moment {
        Moment::from_unix_millis(START.unix_millis() + self.now)
    }

    fn random_bytes(&mut self) -> RandomBytes {
        // Distinct Sids. Some share their first bytes, so that their order depends on the last
        // ones.
        self.drawn += 1;
        let mut word = self.drawn;
        RandomBytes::new(std::array::from_fn(|at| {
            word = word
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            if self.drawn.is_multiple_of(4) && at % 16 < 14 { 7 } else { (word >> 56) as u8 }
        }))
    }

    fn new_call(
        &mut self,
        account_index: u8,
        number_index: u8,
        name_index: Option<u8>,
        delay: u8,
    ) -> Call {
        let new = NewCallerId {
            phone_number: number(number_index),
            friendly_name: name_index.map(name),
            call_delay: CallDelay::new(delay).unwrap(),
            extension: number_index.is_multiple_of(3).then(|| CallExtension::new("12w3").unwrap()),
            status_callback: (!number_index.is_multiple_of(4))
                .then(|| status_callback(number_index)),
        };
        let random_bytes = self.random_bytes();
        Call::new(account(account_index), new, &random_bytes, self.now()).unwrap()
    }

    /// What time does to a call, which a real line places from its own number.
    fn advance(&self, call: &Call) -> Option<Transition> {
        let mut step = call.advance_to(self.now())?;
        if self.limits.line.is_some() && step.instruction == Some(Instruction::Place) {
            step.call.caller = Some(PhoneNumber::parse("2125550100").unwrap());
        }
        Some(step)
    }

    async fn phone(&mut self, store: &impl Store, sid: &CallSid, event: &Event) -> String {
        let Some(call) = store.call(sid).await.unwrap() else { return "no call".into() };
        let keys = |text: &str| PhoneEvent::Pressed(Keys::parse(text).unwrap());
        let event = match event {
            Event::Answered => PhoneEvent::Answered,
            Event::RightCode => {
                keys(call.validation_code.as_ref().map_or("0", |code| code.expose()))
            }
            Event::WrongCode => keys("12#"),
            Event::SomeDigits => keys("04"),
            Event::OptOut => keys("*9#"),
            Event::HungUp => PhoneEvent::HungUp,
            Event::Busy => PhoneEvent::Busy,
            Event::NoAnswer => PhoneEvent::NoAnswer,
            Event::Failed => PhoneEvent::Failed(FailureCause::MediaLost),
        };
        match call.apply(&event, self.now()) {
            Ok(step) => {
                self.steps.push(step.clone());
                let saved = store.save(vec![step]).await.unwrap();
                format!("{saved:?} {:?}", store.call(sid).await.unwrap())
            }
            Err(error) => error.to_string(),
        }
    }

    /// Applies an operation, and records all results of the store.
    async fn play(&mut self, store: &impl Store, operation: &Operation) -> String {
        let now = self.now();
        match operation.clone() {
            Operation::Wait(millis) => {
                self.now += millis;
                String::new()
            }
            Operation::Create { account, number, name, delay } => {
                let call = self.new_call(account, number, name, delay);
                self.calls.push(call.sid);
                format!("{:?}", store.add_call(call, &self.limits).await.unwrap())
            }
            Operation::CreateAgain { call, delay } => {
                let before = self.calls.iter().nth_back(call).copied();
                let before = match before {
                    Some(before) => store.call(&before).await.unwrap(),
                    None => None,
                };
                let Some(before) = before else { return String::new() };
                let mut call = self.new_call(0, 0, None, delay);
                call.account_sid = before.account_sid;
                call.phone_number = before.phone_number;
                self.calls.push(call.sid);
                format!("{:?}", store.add_call(call, &self.limits).await.unwrap())
            }
            Operation::Tick { limit, accounts } => {
                let accounts = selected(accounts);
                let due = store.due(&accounts, now, limit).await.unwrap();
                let steps: Vec<_> = due.iter().filter_map(|call| self.advance(call)).collect();
                self.steps.extend(steps.iter().cloned());
                let saved = store.save(steps).await.unwrap();
                format!("{due:?} {saved:?} {:?}", store.wake_at(&accounts).await.unwrap())
            }
            Operation::Phone { call, event } => {
                let Some(sid) = self.calls.iter().nth_back(call).copied() else {
                    return String::new();
                };
                self.phone(store, &sid, &event).await
            }
            Operation::Validate { account, number, name, wrong, right } => {
                let call = self.new_call(account, number, name, 0);
                let sid = call.sid;
                self.calls.push(sid);
                let Ok(admitted) = store.add_call(call, &self.limits).await.unwrap() else {
                    return "refused".into();
                };
                let placed = self.advance(&admitted.call).unwrap();
                let saved = store.save(vec![placed]).await.unwrap();
                let answered = self.phone(store, &sid, &Event::Answered).await;
                let mut said = format!("{saved:?} {answered}");
                let right = right.then_some(&Event::RightCode);
                for event in std::iter::repeat_n(&Event::WrongCode, wrong).chain(right) {
                    said += &self.phone(store, &sid, event).await;
                }
                said
            }
            Operation::OptOut { number, remove } => {
                let number = self::number(number);
                let changed = match remove {
                    true => store.remove_opt_out(&number).await.unwrap(),
                    false => store.opt_out(&number, now).await.unwrap(),
                };
                format!("{changed} {}", store.is_opted_out(&number).await.unwrap())
            }
            Operation::Switch { stop } => {
                let changed = match stop {
                    true => store.stop_line(now).await.unwrap(),
                    false => store.start_line().await.unwrap(),
                };
                format!("{changed} {:?}", store.line_stopped_at().await.unwrap())
            }
            Operation::SaveAgain { step } => match self.steps.iter().nth_back(step) {
                Some(step) => format!("{:?}", store.save(vec![step.clone()]).await.unwrap()),
                None => String::new(),
            },
            Operation::Rename { account, row, name: to } => {
                let sid = self.some_row(store, account, row).await;
                let renamed = store.rename(&self::account(account), &sid, to.map(name), now).await;
                format!("{:?}", renamed.unwrap())
            }
            Operation::Remove { account, row } => {
                let sid = self.some_row(store, account, row).await;
                let removed = store.remove(&self::account(account), &sid).await.unwrap();
                let found = store.caller_id(&self::account(account), &sid, admitted).await.unwrap();
                format!("{removed} {found:?}")
            }
            Operation::List { account, number: of, name: by, page, size } => {
                let filter = Filter { phone_number: of.map(number), friendly_name: by.map(name) };
                let page =
                    PageRequest { number: page, size: PageSize::new(size).unwrap(), cursor: None };
                let account = self::account(account);
                let all = store.list(&account, &Filter::default(), page, admitted).await.unwrap();
                format!(
                    "{all:?} {:?}",
                    store.list(&account, &filter, page, admitted).await.unwrap()
                )
            }
            Operation::PageBeside { account, row, name: by, size, gone, side } => {
                let sid = self.some_row(store, account, row).await;
                let account = self::account(account);
                let found = store.caller_id(&account, &sid, admitted).await.unwrap();
                let nobody = (Reverse(START.unix_millis() / 1000), sid);
                let place = found.ok().flatten().map_or(nobody, |row| row.list_key());
                if gone {
                    store.remove(&account, &sid).await.unwrap();
                }
                let size = PageSize::new(size).unwrap();
                let page = PageRequest { number: 7, size, cursor: Some(side(place)) };
                let filter = Filter { phone_number: None, friendly_name: by.map(name) };
                let filtered = store.list(&account, &filter, page, admitted).await.unwrap();
                let first = filtered.as_ref().ok().and_then(|page| page.items.first());
                let numbered = first.map(|row| row.phone_number);
                let filter = Filter { phone_number: numbered, friendly_name: None };
                format!(
                    "{filtered:?} {:?}",
                    store.list(&account, &filter, page, admitted).await.unwrap()
                )
            }
            Operation::Walk { name: by, size, back } => {
                let cursor = self.reached.map(|(first, last)| match back {
                    true => Cursor::Before(first),
                    false => Cursor::After(last),
                });
                let page = PageRequest { number: 1, size: PageSize::new(size).unwrap(), cursor };
                let filter = Filter { phone_number: None, friendly_name: by.map(name) };
                let page = store.list(&account(0), &filter, page, admitted).await.unwrap();
                let page = page.unwrap();
                if let [first, ..] = &*page.items
                    && let [.., last] = &*page.items
                {
                    self.reached = Some((first.list_key(), last.list_key()));
                }
                format!("{page:?}")
            }
            Operation::Keep { account } => {
                let contents = store.contents(&self::account(account)).await.unwrap();
                let said = format!("{contents:?}");
                self.kept.push((self::account(account), contents));
                said
            }
            Operation::Restore { kept } => {
                let Some(kept) = kept.checked_rem(self.kept.len()) else { return String::new() };
                let (account, contents) = self.kept[kept].clone();
                store.replace_contents(&account, contents.clone()).await.unwrap();
                assert_eq!(store.contents(&account).await.unwrap(), contents);
                String::new()
            }
            Operation::AddCallerIds { account, numbers } => {
                let account = self::account(account);
                let row = |index: u8| OutgoingCallerId {
                    sid: CallerIdSid::from_random_bytes(&[index % 8; 16]),
                    account_sid: account,
                    friendly_name: name(index),
                    phone_number: number(index),
                    date_created: now.to_date(),
                    date_updated: now.to_date(),
                };
                let rows = numbers.into_iter().map(row).collect();
                store.add_caller_ids(&account, rows).await.unwrap();
                String::new()
            }
            Operation::Callbacks { slots, attempt, accounts } => {
                let accounts = selected(accounts);
                let due = store.due_callbacks(&accounts, now, &slots).await.unwrap();
                let mut said =
                    format!("{due:?} {:?}", store.callbacks_wake_at(&accounts).await.unwrap());
                for callback in due {
                    let after = callback.after(&attempt, now);
                    let saved = store.save_callback(after.clone()).await.unwrap();
                    // The second time, the callback has changed.
                    let again = store.save_callback(after).await.unwrap();
                    said += &format!(" {saved} {again}");
                }
                said
            }
            Operation::Events { account, back, limit } => {
                let account = self::account(account);
                let all = store.events_after(&account, 0, usize::MAX).await.unwrap().events;
                let id = match usize::try_from(back) {
                    Ok(usize::MAX) | Err(_) => u64::MAX,
                    Ok(back) => all.iter().nth_back(back).map_or(0, |event| event.id),
                };
                said(&store.events_after(&account, id, limit).await.unwrap())
            }
        }
    }

    /// One of the account's rows, or an unused Sid if it has no rows.
    async fn some_row(&self, store: &impl Store, index: u8, row: usize) -> CallerIdSid {
        let page = PageRequest { number: 0, size: PageSize::new(1000).unwrap(), cursor: None };
        let page = store.list(&account(index), &Filter::default(), page, admitted).await.unwrap();
        let rows = page.map(|page| page.items).unwrap_or_default();
        let row = row.checked_rem(rows.len()).map(|row| rows[row].sid);
        row.unwrap_or_else(|| CallerIdSid::from_random_bytes(&[9; 16]))
    }

    /// Everything that a store shows.
    async fn all(&self, store: &impl Store) -> String {
        let mut all = String::new();
        for index in 0..3 {
            let account = account(index);
            let page = PageRequest { number: 0, size: PageSize::new(1000).unwrap(), cursor: None };
            all += &format!(
                "{:?}\n{:#?}\n{:#?}\n{:#?}\n{:#?}\n",
                store
                    .account(&account)
                    .await
                    .unwrap()
                    .map(|account| account.auth_token.expose().to_owned()),
                store.list(&account, &Filter::default(), page, admitted).await.unwrap(),
                store.calls(&account, Newest::ALL).await.unwrap(),
                store.callbacks(&account, Newest::ALL).await.unwrap(),
                said(&store.events_after(&account, 0, usize::MAX).await.unwrap()),
            );
        }
        for sid in &self.calls {
            if let Some(call) = store.call(sid).await.unwrap() {
                let page = Newest { before: Some((call.created_at, *sid)), limit: 3 };
                let calls = store.calls(&call.account_sid, page).await.unwrap();
                let callbacks = store.callbacks(&call.account_sid, page).await.unwrap();
                all += &format!("{calls:?} {callbacks:?}\n");
            }
            all += &format!("{:?}\n", store.call(sid).await.unwrap());
        }
        let due = store.due(&Accounts::ALL, self.now(), usize::MAX).await.unwrap();
        all += &format!("{:?}\n", store.opt_outs().await.unwrap());
        all + &format!("{due:?}\n{:?}\n", store.wake_at(&Accounts::ALL).await.unwrap())
    }
}

fn accounts() -> [Account; 2] {
    [0, 1].map(|index| {
        let auth_token = AuthToken::new(&format!("token-{index}")).unwrap();
        Account { sid: account(index), auth_token }
    })
}

fn key() -> SealingKey {
    SealingKey::parse(&"5a".repeat(32)).unwrap()
}

/// Applies operations to all stores, and reopens those that keep everything before those operations
/// that `reopen` selects.
fn compare(limits: Limits, operations: &[Operation], reopen: impl Fn(usize) -> bool) {
    let directory = tempfile::tempdir().unwrap();
    let database = CLUSTER.database();
    let open_sqlite = || SqliteStore::open(directory.path(), Options::default()).unwrap();
    let open_postgres =
        async || PostgresStore::open(&database, DatabaseOptions::default(), key()).await.unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let memory = MemoryStore::new(accounts());
        let (mut sqlite, mut postgres) = (open_sqlite(), open_postgres().await);
        for account in accounts() {
            assert!(sqlite.add_account(account.clone()).await.unwrap());
            assert!(postgres.add_account(account).await.unwrap());
        }
        let player = || Player { limits, ..Player::default() };
        let [mut of_memory, mut of_sqlite, mut of_postgres] = [(); 3].map(|()| player());
        for (at, operation) in operations.iter().enumerate() {
            if reopen(at) {
                drop((sqlite, postgres));
                (sqlite, postgres) = (open_sqlite(), open_postgres().await);
            }
            let expected = of_memory.play(&memory, operation).await;
            let given = of_sqlite.play(&sqlite, operation).await;
            assert_eq!(expected, given, "operation {at} of SQLite, {operation:?}");
            let given = of_postgres.play(&postgres, operation).await;
            assert_eq!(expected, given, "operation {at} of PostgreSQL, {operation:?}");
        }
        let expected = of_memory.all(&memory).await;
        assert_eq!(expected, of_sqlite.all(&sqlite).await);
        assert_eq!(expected, of_postgres.all(&postgres).await);
        drop((sqlite, postgres));
        assert_eq!(expected, of_sqlite.all(&open_sqlite()).await);
        assert_eq!(expected, of_postgres.all(&open_postgres().await).await);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_stores_give_the_same_answers(
        operations in proptest::collection::vec(operation(), 1..150),
    ) {
        compare(TIGHT, &operations, |_| false);
    }

    #[test]
    fn both_stores_keep_the_limits_of_a_real_line_alike(
        operations in proptest::collection::vec(operation(), 1..150),
        every in 1_usize..40,
    ) {
        compare(TIGHT_LINE, &operations, |at| at % every == 0);
    }

    #[test]
    fn closing_and_opening_changes_no_answer(
        operations in proptest::collection::vec(operation(), 1..40),
        every in 1_usize..8,
    ) {
        compare(TIGHT, &operations, |at| at % every == 0);
    }
}

#[test]
fn of_ended_calls_the_newest_hundred_are_kept() {
    let create = |number| Operation::Create { account: 0, number, name: None, delay: 5 };
    let mut operations: Vec<_> = (0..130).map(|_| create(3)).collect();
    operations.extend([Operation::Wait(-60_000), create(4), create(4), create(3)]);
    compare(Limits::default(), &operations, |_| false);
}

#[test]
fn wrong_codes_count_across_accounts_and_the_wait_passes() {
    let validate =
        |account| Operation::Validate { account, number: 3, name: None, wrong: 3, right: false };
    let create = |account| Operation::Create { account, number: 3, name: None, delay: 0 };
    let mut operations: Vec<_> = (0..34).map(|call| validate(call % 2)).collect();
    operations.extend([create(0), create(1), Operation::Wait(240_000), create(1), validate(0)]);
    operations.extend([create(0), Operation::Wait(3_600_000), create(0)]);
    compare(Limits::default(), &operations, |at| at % 7 == 0);
}

/// A create whose clock was set back forgets the calls that it takes for future ones, also those of
/// other numbers.
#[test]
fn calls_from_before_the_clock_was_set_back_are_forgotten_alike() {
    let create = |number| Operation::Create { account: 0, number, name: None, delay: 0 };
    let operations = [create(3), Operation::Wait(-90_000), create(4), create(3)];
    compare(Limits::default(), &operations, |_| false);
    let operations = [create(3), Operation::Wait(-90_000), create(4), Operation::Wait(90_000)];
    compare(Limits::default(), &[&operations[..], &[create(3)]].concat(), |_| false);
}

/// Each of the limits of a real line, which random operations reach only now and then.
#[test]
fn the_calls_of_a_real_line_are_counted_alike_for_ten_minutes_and_a_day() {
    let limits = Limits {
        line: Some(LineLimits {
            rules: LineRules { any_hour: true, ..LineRules::DEFAULT },
            ..LineLimits::DEFAULT
        }),
        ..Limits::DEFAULT
    };
    let create = |account, number| Operation::Create { account, number, name: None, delay: 0 };
    let validate =
        |account| Operation::Validate { account, number: 4, name: None, wrong: 3, right: false };
    let wait = |seconds: i64| Operation::Wait(seconds * 1_000);
    let mut operations = Vec::new();
    for hour in 0..30 {
        // The fourth call within ten minutes is refused, and another account's is while one is live.
        operations.extend((0..4).map(|_| create(0, 3)));
        operations.extend([create(1, 3), validate(1), validate(0)]);
        operations.extend((5..12).map(|number| create(0, number + hour % 2)));
        operations.extend([wait(599), create(0, 3), wait(1), create(0, 3), wait(3_000)]);
        operations.extend([Operation::Tick { limit: 100, accounts: None }]);
    }
    operations.extend([wait(-90_000), create(0, 3), wait(90_000), create(0, 3)]);
    compare(limits, &operations, |at| at % 50 == 0);
}

fn imported_row() -> impl Strategy<Value = OutgoingCallerId> {
    // From before the year 0 until after 9999, with many in the same second.
    let seconds =
        prop_oneof![Just(0_i64), Just(-1), any::<i64>(), -70_000_000_000..260_000_000_000_i64];
    (any::<u8>(), any::<u8>(), 0_u8..3, seconds, -2000..2000_i16, any::<bool>()).prop_map(
        |(index, number_index, named, seconds, offset, upper)| {
            let sid = CallerIdSid::from_random_bytes(&[index % 40; 16]).to_string();
            let sid = if upper { format!("PN{}", sid[2..].to_uppercase()) } else { sid };
            OutgoingCallerId {
                sid: CallerIdSid::parse(&sid).unwrap(),
                account_sid: account(0),
                friendly_name: name(named),
                phone_number: number(number_index),
                date_created: Date::new(seconds / 2, -offset),
                date_updated: Date::new(seconds, offset),
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn imported_rows_of_any_date_are_listed_alike(
        imports in proptest::collection::vec(proptest::collection::vec(imported_row(), 0..40), 1..4),
        size in 1_u32..9,
    ) {
        let directory = tempfile::tempdir().unwrap();
        let sqlite = SqliteStore::open(directory.path(), Options::default()).unwrap();
        let memory = MemoryStore::new(accounts());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            for account in accounts() {
                sqlite.add_account(account).await.unwrap();
            }
            for rows in imports {
                rows.iter().cloned().for_each(|row| memory.seed(row));
                sqlite.import(&account(0), rows).await.unwrap();
            }
            for number in (0..50).chain([u64::MAX / 2, u64::MAX]) {
                let page = PageRequest { number, size: PageSize::new(size).unwrap(), cursor: None };
                for name in [None, Some(name(1))] {
                    let filter = Filter { phone_number: None, friendly_name: name };
                    let expected = memory.list(&account(0), &filter, page, admitted).await.unwrap();
                    assert_eq!(sqlite.list(&account(0), &filter, page, admitted).await.unwrap(), expected);
                }
            }
        });
    }
}

/// A row, and whether it exists throughout, is removed or is added.
fn walked_row() -> impl Strategy<Value = (OutgoingCallerId, u8)> {
    (imported_row(), 0_u8..3)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// Walks pages by the positions of their last or first rows, while rows are added and removed
    /// in between.
    #[test]
    fn a_walk_sees_every_row_that_stays_once_and_in_order(
        rows in proptest::collection::vec(walked_row(), 0..40),
        size in 1_u32..5,
        back in any::<bool>(),
    ) {
        // Each row has its own Sid and number.
        let rows: Vec<_> = (0..).zip(rows).map(|(index, (row, role))| {
            let sid = CallerIdSid::from_random_bytes(&[index; 16]);
            (OutgoingCallerId { sid, phone_number: number(index), ..row }, role)
        }).collect();
        let with_role = |role| -> Vec<OutgoingCallerId> {
            rows.iter().filter(|row| row.1 == role).map(|row| row.0.clone()).collect()
        };
        let (mut stays, mut goes, mut comes) = (with_role(0), with_role(1), with_role(2));
        let directory = tempfile::tempdir().unwrap();
        let sqlite = SqliteStore::open(directory.path(), Options::default()).unwrap();
        let memory = MemoryStore::new(accounts());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            for account in accounts() {
                sqlite.add_account(account).await.unwrap();
            }
            let put = async |row: OutgoingCallerId| {
                memory.seed(row.clone());
                sqlite.import(&account(0), [row]).await.unwrap();
            };
            for row in stays.iter().chain(&goes) {
                put(row.clone()).await;
            }
            let page = async |request| {
                let (account, all) = (account(0), Filter::default());
                let page = sqlite.list(&account, &all, request, admitted).await.unwrap();
                assert_eq!(memory.list(&account, &all, request, admitted).await.unwrap(), page);
                page.unwrap()
            };
            let end = (Reverse(i64::MIN), CallerIdSid::from_random_bytes(&[255; 16]));
            let mut cursor = back.then_some(Cursor::Before(end));
            let (mut seen, mut number) = (Vec::new(), 0);
            loop {
                let size = PageSize::new(size).unwrap();
                let page = page(PageRequest { number, size, cursor }).await;
                seen.extend(page.items.iter().map(|row| row.sid));
                let (next, is_last) = if back {
                    seen.rotate_right(page.items.len());
                    (page.items.first().map(|row| Cursor::Before(row.list_key())), page.number == 0)
                } else {
                    (page.items.last().map(|row| Cursor::After(row.list_key())), !page.more)
                };
                if is_last {
                    break;
                }
                cursor = next;
                number = page.number + 1;
                if let Some(row) = goes.pop() {
                    memory.remove(&account(0), &row.sid).await.unwrap();
                    assert!(sqlite.remove(&account(0), &row.sid).await.unwrap());
                }
                if let Some(row) = comes.pop() {
                    put(row).await;
                }
            }
            stays.sort_by_key(OutgoingCallerId::list_key);
            seen.retain(|sid| stays.iter().any(|row| row.sid == *sid));
            assert_eq!(seen, stays.iter().map(|row| row.sid).collect::<Vec<_>>());
        });
    }
}
