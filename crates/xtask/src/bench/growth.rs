//! The durable store as an account grows: the cost of each operation with 10 to 1,000,000 caller
//! IDs, and the cost of creates when many connections share a commit.
//!
//! The store is in `target/`, and therefore on a real disk. It is called like the server calls it,
//! without HTTP. The figures are CPU time of the whole process, which is steadier than wall-clock
//! time and excludes the disk; response times are shown next to them. Here, each response to a
//! write takes one fsync, because the writes are sequential.
//!
//! The goals: from 10 to 1,000,000 rows no cost grows by more than a logarithm, except for
//! operations described as linear, and those respond within 50 ms.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use callerid_core::{
    AccountSid, AuthToken, CallerIdSid, Cursor, Filter, FriendlyName, Moment, NewCallerId,
    OutgoingCallerId, PageRequest, PhoneNumber,
};
use callerid_server::store::{DurableStore as _, Options, SqliteStore};
use callerid_service::{
    Account, Call, Keys, Limits, PhoneEvent, RandomBytes, Store, Unauthenticated,
};
use tempfile::TempDir;

use super::{Row, Table};

/// The store is measured, not the limits.
pub(super) const UNLIMITED: Limits = Limits {
    calls_per_account: u32::MAX,
    calls: u32::MAX,
    rings_per_number: u32::MAX,
    wrong_codes_per_number: u8::MAX,
    callbacks_per_account: u32::MAX,
    line: None,
};

const SIZES: [u64; 4] = [10, 1_000, 100_000, 1_000_000];
const START: Moment = Moment::from_unix_millis(1_207_074_392_000);
const READS: u64 = 2_000;
const LINEAR_READS: u64 = 50;
const WRITES: u64 = 100;
const CONNECTIONS: u64 = 64;

/// The operations measured at every size.
const OPERATIONS: [&str; 14] = [
    "authenticate: the account and its token",
    "first page of 50, and the total",
    "the page after some row, by its place, and the total",
    "the page before some row, by its place, and the total",
    "filter by number",
    "fetch",
    "linear: a page by its number alone, nine tenths down the list",
    "linear: a page by its number alone, in the middle of the list",
    "linear: the last page, by its number alone",
    "linear: filter by a name that all have, and their total",
    "create: a call is added",
    "the code is keyed: a caller ID is added",
    "rename",
    "delete",
];

/// A directory that is deleted when it is dropped.
fn directory() -> TempDir {
    let target = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target");
    tempfile::tempdir_in(target).expect("target can be written")
}

/// One table for each operation, with one row for each size.
pub(crate) fn run() -> Vec<Table> {
    let mut tables: Vec<Table> = OPERATIONS
        .iter()
        .map(|name| Table {
            title: format!("one account as it grows: {name}"),
            unit: "µs of CPU",
            rows: Vec::new(),
        })
        .collect();
    for size in SIZES {
        let directory = self::directory();
        let bench = Bench::with_rows(directory.path(), size);
        for (table, figure) in tables.iter_mut().zip(bench.measure()) {
            let note = format!("answered after {:.1} µs", micros(figure.answered));
            let name = format!("{size} caller IDs");
            table.rows.push(Row { name, figure: micros(figure.spent), note });
        }
    }
    tables.push(creates());
    tables
}

/// Creates per second from many connections, with and without shared commits.
fn creates() -> Table {
    let rows = [("sharing commits", Options::default().batch), ("a commit each", 1)].map(
        |(name, batch)| {
            let directory = self::directory();
            let bench = Arc::new(Bench::open(directory.path(), batch));
            let started = Instant::now();
            let creates = bench.creates_from_many(Duration::from_secs(3));
            let figure = creates as f64 / started.elapsed().as_secs_f64();
            Row { name: name.into(), figure, note: String::new() }
        },
    );
    Table {
        title: format!("creates from {CONNECTIONS} connections, without HTTP"),
        unit: "creates a second",
        rows: rows.into(),
    }
}

struct Figure {
    /// CPU time of the process.
    spent: Duration,
    /// Wall-clock time.
    answered: Duration,
}

struct Bench {
    store: SqliteStore,
    runtime: tokio::runtime::Runtime,
    rows: u64,
}

impl Bench {
    fn open(directory: &Path, batch: usize) -> Self {
        let options = Options { batch, ..Options::default() };
        let store = SqliteStore::open(directory, options).expect("a new store opens");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build();
        let runtime = runtime.expect("a runtime starts");
        let (sid, auth_token) = (account(), AuthToken::from_random_bytes(&[7; 16]));
        let added = store.add_account(Account { sid, auth_token });
        assert!(runtime.block_on(added).expect("an account is added"));
        Self { store, runtime, rows: 0 }
    }

    fn with_rows(directory: &Path, rows: u64) -> Self {
        let bench = Self::open(directory, Options::default().batch);
        let account = account();
        let imported = bench.store.import(&account, (0..rows).map(caller_id));
        bench.runtime.block_on(imported).expect("caller IDs are imported");
        Self { rows, ..bench }
    }

    /// One figure for each of [`OPERATIONS`], in the same order.
    fn measure(&self) -> [Figure; OPERATIONS.len()] {
        let Self { store, rows, .. } = self;
        let page = async |filter: &Filter, number: u64, cursor: Option<Cursor>| {
            let request = PageRequest { number, cursor, ..PageRequest::default() };
            let page = store.list(&account(), filter, request, admitted).await;
            let page = page.expect("an answer").expect("admitted");
            assert_eq!(page.total, *rows);
            assert!(!page.items.is_empty() || cursor.is_some());
        };
        let (all, named) =
            (Filter::default(), Filter { phone_number: None, friendly_name: Some(name()) });
        let place = |turn| caller_id(scatter(turn) % rows).list_key();
        let pages = rows.div_ceil(50);
        [
            self.timed(READS, async |_| {
                assert!(store.account(&account()).await.expect("an answer").is_some());
            }),
            self.timed(READS, async |_| page(&all, 0, None).await),
            self.timed(READS, async |turn| page(&all, 1, Some(Cursor::After(place(turn)))).await),
            self.timed(READS, async |turn| page(&all, 1, Some(Cursor::Before(place(turn)))).await),
            self.timed(READS, async |turn| {
                let number = number(scatter(turn) % rows);
                let filter = Filter { phone_number: Some(number), friendly_name: None };
                let page = store.list(&account(), &filter, PageRequest::default(), admitted).await;
                assert_eq!(page.expect("an answer").expect("admitted").total, 1);
            }),
            self.timed(READS, async |turn| {
                let sid = sid(scatter(turn) % rows);
                let found = store.caller_id(&account(), &sid, admitted).await;
                assert!(found.expect("an answer").expect("admitted").is_some());
            }),
            self.timed(LINEAR_READS, async |_| page(&all, pages * 9 / 10, None).await),
            self.timed(LINEAR_READS, async |_| page(&all, pages / 2, None).await),
            self.timed(LINEAR_READS, async |_| page(&all, pages - 1, None).await),
            self.timed(LINEAR_READS, async |_| page(&named, 0, None).await),
            self.timed(WRITES, async |turn| {
                let call = call(turn);
                store.add_call(call, &UNLIMITED).await.expect("an answer").expect("it is admitted");
            }),
            self.timed(WRITES, async |turn| {
                let queued = call(turn);
                let rung = queued.advance_to(START).expect("it is due").call;
                let answered = rung.apply(&PhoneEvent::Answered, START).expect("it rings").call;
                let code = answered.validation_code.expect("it has a code");
                let keys = Keys::parse(code.expose()).expect("a code is keys");
                let keyed = answered.apply(&PhoneEvent::Pressed(keys), START).expect("it listens");
                assert!(keyed.caller_id.is_some());
                // The steps before the last are saved in the same commit, and add little to its
                // cost.
                let mut steps = vec![queued.advance_to(START).expect("it is due")];
                steps.extend(rung.apply(&PhoneEvent::Answered, START));
                steps.push(keyed);
                assert_eq!(store.save(steps).await.expect("an answer"), [true; 3]);
            }),
            self.timed(WRITES, async |turn| {
                let sid = sid(scatter(turn) % rows);
                let now = START.plus_seconds(u32::try_from(turn).expect("few turns"));
                let renamed = store.rename(&account(), &sid, None, now).await;
                assert!(renamed.expect("an answer").is_some());
            }),
            self.timed(WRITES, async |turn| {
                // With ten rows, most have already been removed.
                let sid = sid(scatter(turn) % rows);
                store.remove(&account(), &sid).await.expect("an answer");
            }),
        ]
    }

    /// The mean time of an operation, after a warm-up.
    fn timed(&self, turns: u64, operation: impl AsyncFn(u64)) -> Figure {
        self.runtime.block_on(async {
            let warm = turns / 10;
            for turn in 0..warm {
                operation(turn).await;
            }
            let (started, cpu) = (Instant::now(), cpu_time());
            for turn in warm..turns {
                operation(turn).await;
            }
            let turns = u32::try_from(turns - warm).expect("few turns");
            let (spent, answered) = (cpu_time() - cpu, started.elapsed());
            Figure { spent: spent / turns, answered: answered / turns }
        })
    }

    /// Creates calls from many connections for a duration. Returns the number of calls.
    fn creates_from_many(self: &Arc<Self>, how_long: Duration) -> u64 {
        let until = Instant::now() + how_long;
        let connection = |connection: u64| {
            let bench = self.clone();
            async move {
                let mut turn = 0;
                while Instant::now() < until {
                    let call = call(turn * CONNECTIONS + connection);
                    bench
                        .store
                        .add_call(call, &UNLIMITED)
                        .await
                        .expect("an answer")
                        .expect("it is admitted");
                    turn += 1;
                }
                turn
            }
        };
        self.runtime.block_on(async {
            let tasks: Vec<_> =
                (0..CONNECTIONS).map(|it| self.runtime.spawn(connection(it))).collect();
            let mut creates = 0;
            for task in tasks {
                creates += task.await.expect("no task panics");
            }
            creates
        })
    }
}

pub(super) fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// The CPU time of the process so far, across all threads.
pub(super) fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).expect("time is not negative")
}

/// SplitMix64: maps each turn to the same well-distributed number in every run.
pub(super) fn scatter(turn: u64) -> u64 {
    let word = turn.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

pub(super) fn random_bytes<const BYTES: usize>(seed: u64) -> [u8; BYTES] {
    std::array::from_fn(|at| scatter(seed ^ (at as u64 / 8) << 48).to_le_bytes()[at % 8])
}

/// Admits every request.
pub(super) fn admitted(_: &Account) -> Result<(), Unauthenticated> {
    Ok(())
}

fn account() -> AccountSid {
    AccountSid::from_random_bytes(&[3; 16])
}

fn sid(row: u64) -> CallerIdSid {
    CallerIdSid::from_random_bytes(&random_bytes(row))
}

/// A number in Los Angeles, Manhattan, or another area code with enough exchanges and line numbers.
pub(super) fn number(row: u64) -> PhoneNumber {
    const AREA_CODES: [u64; 4] = [213, 212, 312, 415];
    const EACH: u64 = 700 * 10_000;
    let area_code = AREA_CODES[(row / EACH) as usize % AREA_CODES.len()];
    let rest = 2_000_000 + row % EACH;
    PhoneNumber::parse(&format!("{area_code}{rest}")).expect("a valid number")
}

/// The name of all rows, so a filter by name matches as many rows as possible.
fn name() -> FriendlyName {
    FriendlyName::new("Front desk").expect("a valid name")
}

/// One row per ten seconds, some with the same date as another.
fn caller_id(row: u64) -> OutgoingCallerId {
    let date =
        Moment::from_unix_millis(START.unix_millis() - (row as i64 * 7 / 10) * 10_000).to_date();
    OutgoingCallerId {
        sid: sid(row),
        account_sid: account(),
        friendly_name: name(),
        phone_number: number(row),
        date_created: date,
        date_updated: date,
    }
}

/// A call for a number that no row has.
fn call(turn: u64) -> Call {
    let new = NewCallerId::new(number(2_000_000 + turn));
    let random_bytes = RandomBytes::new(random_bytes(turn ^ 1 << 40));
    Call::new(account(), new, &random_bytes, START).expect("the random bytes hold a code")
}
