//! The store in PostgreSQL, compared with pgbench on the same server in the same run.
//!
//! The database is Debian's, with its own settings, on a disk, and durable. Everything shares the
//! machine. Where the goal is a ratio to pgbench, both do the same: so many clients of the database, each
//! with one request at a time. These clients of ours are a store's, in a process of their own, without
//! HTTP; what HTTP adds is measured apart.
//!
//! The program is the one that is given away.

mod accounts;
mod figure;
mod http;
mod pgbench;
mod store_node;

use std::time::{Duration, Instant};

use callerid_core::{Cursor, Filter, PageRequest};
use callerid_server::clock::Clock;
use callerid_service::Store as _;

use super::growth::{UNLIMITED, admitted, micros, scatter};
use super::{Row, Table, server};
use accounts::{MILLION, SMALL, account, call, number, row_of};
use figure::Figure;
use pgbench::{Postgres, Script};
use store_node::Load;

pub(crate) use store_node::{STORE_NODE, be_store_node};

/// The clients of a database at the same time, of each contender.
const CLIENTS: usize = 16;
const WARM_UP: Duration = Duration::from_millis(500);
const MEASURED: Duration = Duration::from_secs(4);
/// The number of turns for each contender. The result is the median.
const TURNS: usize = 3;
/// The index of a node that no measurement uses.
const UNMEASURED_NODE: usize = 50;
const READS: u64 = 1_000;
const WRITES: u64 = 200;

pub(crate) fn run() -> Vec<Table> {
    crate::debian::install(&crate::debian::DATABASE).expect("PostgreSQL is installed");
    let program = server::build();
    let postgres = Postgres::start();
    let database = postgres.cluster.database();
    postgres.initialize_pgbench();
    let mut tables = vec![accounts::import(&program, &database)];
    tables.extend(writes(&postgres, &database));
    tables.push(reads(&postgres, &database));
    tables.extend(growth(&postgres, &database));
    tables.extend(http::run(&program, postgres, &database));
    tables
}

/// What a contender achieved in all turns.
struct Contender {
    name: &'static str,
    turns: Vec<Figure>,
}

impl Contender {
    fn new(name: &'static str) -> Self {
        Self { name, turns: Vec::new() }
    }

    /// The turn with the median rate.
    fn middle(&mut self) -> Figure {
        self.turns.sort_by(|one, other| one.per_second.total_cmp(&other.per_second));
        self.turns[self.turns.len() / 2]
    }
}

fn per_second(title: String, contenders: &mut [Contender]) -> Table {
    let rows = contenders.iter_mut().map(|contender| {
        let figure = contender.middle();
        let note = format!(
            "{:.0} µs of the database's CPU time each, {:.0} µs of the clients'; p99 {:.1} ms",
            figure.database_micros, figure.client_micros, figure.p99_ms
        );
        Row { name: contender.name.into(), figure: figure.per_second, note }
    });
    Table { title, unit: "per second", rows: rows.collect() }
}

/// Creates, compared with pgbench's TPC-B-like transactions.
fn writes(postgres: &Postgres, database: &str) -> [Table; 2] {
    let loads = [
        ("creates, over 1,000 accounts", Load::CreateOnMany, 1),
        ("creates, on one account", Load::CreateOnOne, 1),
        ("creates, over 1,000 accounts, of three nodes", Load::CreateOnMany, 3),
    ];
    let mut contenders = vec![Contender::new("pgbench, TPC-B-like")];
    contenders.extend(loads.iter().map(|(name, ..)| Contender::new(name)));
    // So that statements are planned for tables with rows. Autovacuum does that within a minute, and
    // pgbench when it fills its tables.
    store_node::run(postgres, database, Load::CreateOnMany, UNMEASURED_NODE, 1);
    postgres.vacuum(database);
    for turn in 0..TURNS {
        contenders[0].turns.push(postgres.pgbench(Script::TpcbLike));
        for (at, (_, load, nodes)) in loads.iter().enumerate() {
            // A new node would adopt the calls of those that are gone.
            postgres.forget_calls(database);
            let first_node = (turn * loads.len() + at) * 3;
            let figure = store_node::run(postgres, database, *load, first_node, *nodes);
            contenders[at + 1].turns.push(figure);
        }
    }
    let cpu = contenders.iter_mut().take(2).map(|contender| Row {
        name: contender.name.into(),
        figure: contender.middle().database_micros,
        note: String::new(),
    });
    let cpu = Table {
        title: "the database's CPU time of a create, in the store; limit: a third of pgbench's transaction".into(),
        unit: "µs",
        rows: cpu.collect(),
    };
    let title = format!(
        "changes in the store, {CLIENTS} clients of each node; limits: creates at least 1.5 times pgbench's \
         transactions,\non one account 1.2 times, of three nodes 2.5 times"
    );
    [per_second(title, &mut contenders), cpu]
}

/// Reads, compared with pgbench's.
fn reads(postgres: &Postgres, database: &str) -> Table {
    let loads = [("fetch one", Load::Fetch), ("list of 50, and the total", Load::List)];
    let mut contenders = vec![Contender::new("pgbench, select-only")];
    contenders.extend(loads.iter().map(|(name, _)| Contender::new(name)));
    for _ in 0..TURNS {
        contenders[0].turns.push(postgres.pgbench(Script::SelectOnly));
        for (at, (_, load)) in loads.iter().enumerate() {
            contenders[at + 1].turns.push(store_node::run(postgres, database, *load, 0, 1));
        }
    }
    let title = format!(
        "reads in the store, each with the check of the token, {CLIENTS} clients; limits: a fetch at least 0.7 \
         times\npgbench's, a list 0.3 times"
    );
    per_second(title, &mut contenders)
}

/// One request at a time for an account with 10 caller IDs, and for one with a million.
fn growth(postgres: &Postgres, database: &str) -> Vec<Table> {
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    let store = runtime.block_on(accounts::open(database));
    let now = Clock::system().now();
    let sizes = [SMALL, MILLION];
    let mut tables = Vec::new();
    let mut measure = |name: &str, turns: u64, operation: &dyn Fn(usize, u64)| {
        let rows = sizes.map(|which| {
            for turn in 0..turns / 10 {
                operation(which, turn);
            }
            let (started, cpu) = (Instant::now(), postgres.cpu_time());
            for turn in turns / 10..turns {
                operation(which, turn);
            }
            let measured = u32::try_from(turns - turns / 10).expect("few turns");
            let cpu = (postgres.cpu_time() - cpu) / measured;
            Row {
                name: format!("{} caller IDs", accounts::rows(which)),
                figure: micros(started.elapsed() / measured),
                note: format!("{:.0} µs of the database's CPU time", micros(cpu)),
            }
        });
        tables.push(Table {
            title: format!("one account as it grows, in the store: {name}; limit: flat"),
            unit: "µs",
            rows: rows.into(),
        });
    };
    let page = async |which: usize, filter: &Filter, cursor: Option<Cursor>| {
        let request = PageRequest { cursor, ..PageRequest::default() };
        let page = store.list(&account(which), filter, request, admitted).await;
        assert!(page.expect("an answer").is_ok());
    };
    measure("first page of 50, and the total", READS, &|which, _| {
        runtime.block_on(page(which, &Filter::default(), None));
    });
    measure("the page after some row, by its address, and the total", READS, &|which, turn| {
        let row = row_of(which, scatter(turn));
        runtime.block_on(page(which, &Filter::default(), Some(Cursor::After(row.list_key()))));
    });
    measure("filter by number", READS, &|which, turn| {
        let phone_number = Some(row_of(which, scatter(turn)).phone_number);
        runtime.block_on(page(which, &Filter { phone_number, friendly_name: None }, None));
    });
    measure("fetch", READS, &|which, turn| {
        let sid = row_of(which, scatter(turn)).sid;
        let found = runtime.block_on(store.caller_id(&account(which), &sid, admitted));
        assert!(found.expect("an answer").expect("admitted").is_some());
    });
    measure("create", WRITES, &|which, turn| {
        let call = call(which, number(store_node::NUMBERS_OF_NODES + turn), now);
        let added = runtime.block_on(store.add_call(call, &UNLIMITED));
        added.expect("an answer").expect("it is admitted");
    });
    tables
}
