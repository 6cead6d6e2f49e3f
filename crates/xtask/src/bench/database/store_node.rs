//! A process that uses the store in PostgreSQL as a server does, without HTTP.

use std::env;
use std::io::{BufRead as _, BufReader, Write as _, stdin};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use callerid_core::{Filter, PageRequest};
use callerid_server::clock::Clock;
use callerid_server::postgres::PostgresStore;
use callerid_service::Store as _;

use super::super::growth::{UNLIMITED, admitted, cpu_time, scatter};
use super::accounts::{self, HOT, MANY, account, call, number, row_of};
use super::figure::{Figure, percentile};
use super::pgbench::Postgres;
use super::{CLIENTS, MEASURED, WARM_UP};
use crate::Outcome;

/// The hidden argument that makes this process a node.
pub(crate) const STORE_NODE: &str = "--store-node";

/// More numbers than a node asks for, of which no two nodes ask for the same.
const NUMBERS_EACH: u64 = 100_000;
/// Those of all nodes.
pub(super) const NUMBERS_OF_NODES: u64 = 60 * NUMBERS_EACH;

/// What a node does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Load {
    CreateOnMany,
    CreateOnOne,
    List,
    Fetch,
}

impl Load {
    const ALL: [Self; 4] = [Self::CreateOnMany, Self::CreateOnOne, Self::List, Self::Fetch];

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|load| format!("{load:?}") == name)
    }
}

/// A turn of several nodes at the same time. Nodes with the same index ask for the same numbers.
pub(super) fn run(
    postgres: &Postgres,
    database: &str,
    load: Load,
    first_node: usize,
    nodes: usize,
) -> Figure {
    let mut nodes: Vec<Node> =
        (first_node..first_node + nodes).map(|node| Node::start(database, load, node)).collect();
    nodes.iter_mut().for_each(Node::go);
    sleep(WARM_UP);
    let cpu = postgres.cpu_time();
    sleep(MEASURED);
    let cpu = postgres.cpu_time() - cpu;
    let told: Vec<Told> = nodes.into_iter().map(Node::finish).collect();
    let sum = |of: fn(&Told) -> f64| told.iter().map(of).sum::<f64>();
    let made = sum(|told| told.made);
    Figure {
        per_second: sum(|told| told.made / told.seconds),
        p99_ms: told.iter().map(|told| told.p99_ms).fold(0.0, f64::max),
        database_micros: cpu.as_secs_f64() * 1e6 / made,
        client_micros: sum(|told| told.cpu_seconds) * 1e6 / made,
    }
}

/// A node's process.
struct Node {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

/// What a node measured.
struct Told {
    made: f64,
    seconds: f64,
    p99_ms: f64,
    cpu_seconds: f64,
}

impl Node {
    fn start(database: &str, load: Load, node: usize) -> Self {
        let this = env::current_exe().expect("this program is somewhere");
        let mut command = Command::new(this);
        command.args(["bench", STORE_NODE, database, &format!("{load:?}"), &node.to_string()]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it can be started");
        let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("it says that it is ready");
        assert_eq!(line, "ready\n");
        Self { child, output }
    }

    fn go(&mut self) {
        let input = self.child.stdin.as_mut().expect("it is piped");
        input.write_all(b"go\n").expect("it waits");
    }

    fn finish(mut self) -> Told {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it says what it measured");
        assert!(self.child.wait().expect("it ends").success());
        let numbers: Vec<f64> =
            line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let [made, seconds, p99_ms, cpu_seconds] = numbers[..] else { panic!("{line:?}") };
        Told { made, seconds, p99_ms, cpu_seconds }
    }
}

/// Is a node, and says what it measured.
pub(crate) fn be_store_node(arguments: &[String]) -> Outcome {
    let [database, load, node] = arguments else { return Err("a node's arguments".into()) };
    let (load, node) = (Load::parse(load).ok_or("a load")?, node.parse::<u64>()?);
    // As many threads as the server uses.
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(4);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    runtime.block_on(async {
        let store = Arc::new(accounts::open(database).await);
        tokio::spawn(store.serve().await?);
        // Its connections and statements are prepared before.
        perform(&store, load, node, NUMBERS_EACH - 1).await;
        println!("ready");
        stdin().read_line(&mut String::new())?;
        let begin = Instant::now() + WARM_UP;
        let end = begin + MEASURED;
        let tasks: Vec<_> = (0..CLIENTS as u64)
            .map(|client| {
                let store = store.clone();
                tokio::spawn(async move {
                    let (mut times, mut turn, mut cpu) = (Vec::new(), client, None);
                    while Instant::now() < end {
                        let started = Instant::now();
                        if started >= begin && cpu.is_none() {
                            cpu = Some(cpu_time());
                        }
                        perform(&store, load, node, turn).await;
                        turn += CLIENTS as u64;
                        if started >= begin {
                            times.push(
                                u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
                            );
                        }
                    }
                    (times, cpu)
                })
            })
            .collect();
        let (mut times, mut cpu) = (Vec::new(), Duration::MAX);
        for task in tasks {
            let (more, first) = task.await?;
            times.extend(more);
            cpu = cpu.min(first.unwrap_or(Duration::MAX));
        }
        let seconds = begin.elapsed().as_secs_f64();
        let cpu = cpu_time().saturating_sub(cpu).as_secs_f64();
        let p99 = percentile(&mut times, 99) as f64 / 1_000.0;
        println!("{} {seconds} {p99} {cpu}", times.len());
        Ok(())
    })
}

async fn perform(store: &PostgresStore, load: Load, node: u64, turn: u64) {
    let which = scatter(turn ^ node << 32) as usize % MANY;
    match load {
        Load::CreateOnMany | Load::CreateOnOne => {
            let which = if matches!(load, Load::CreateOnOne) { HOT } else { which };
            let number = number(node * NUMBERS_EACH + turn % NUMBERS_EACH);
            let call = call(which, number, Clock::system().now());
            let added = store.add_call(call, &UNLIMITED).await;
            added.expect("an answer").expect("it is admitted");
        }
        Load::List => {
            let (account, filter) = (account(which), Filter::default());
            let page = store.list(&account, &filter, PageRequest::default(), admitted).await;
            let page = page.expect("an answer").expect("admitted");
            assert_eq!((page.items.len(), page.total), (50, accounts::rows(which)));
        }
        Load::Fetch => {
            let sid = row_of(which, scatter(turn)).sid;
            let found = store.caller_id(&account(which), &sid, admitted).await;
            assert!(found.expect("an answer").expect("admitted").is_some());
        }
    }
}
