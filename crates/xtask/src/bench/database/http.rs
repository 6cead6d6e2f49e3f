//! Servers on one database: over HTTP, on a stream, and after the database was away.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::super::growth::scatter;
use super::super::server::{Process, Turn, get, head, length, load};
use super::super::{Row, Table};
use super::accounts::{self, MANY, number, row_of, with_token};
use super::figure::percentile;
use super::pgbench::Postgres;
use super::store_node::NUMBERS_OF_NODES;
use super::{CLIENTS, MEASURED, TURNS};

/// As many servers as the goals are for.
const SERVERS: usize = 3;
const CHANGES: u64 = 300;
const CRASHES: usize = 5;
/// Clients that go on creating while the database is away.
const WAITING: u64 = 8;
/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn run(program: &Path, mut postgres: Postgres, database: &str) -> Vec<Table> {
    let mut numbers = NUMBERS_OF_NODES + 100_000;
    let mut tables = Vec::new();
    for count in [1, SERVERS] {
        postgres.forget_calls(database);
        let servers = start(program, database, count);
        if servers.len() < count {
            eprintln!("only {} of {count} servers start on the same database", servers.len());
            break;
        }
        tables.push(requests(&servers, &mut numbers));
        tables.push(stream(&servers));
    }
    let servers = start(program, database, 1);
    tables.push(after_crashes(&servers[0], &mut postgres, &mut numbers));
    tables
}

/// Starts servers on the database, until one does not.
fn start(program: &Path, database: &str, count: usize) -> Vec<Process> {
    let server = || {
        let mut serve = accounts::command(program, "serve", database);
        Process::serve_as(&mut serve, &with_token(0))
    };
    std::iter::repeat_with(server).take(count).map_while(|server| server).collect()
}

fn list(which: usize) -> String {
    format!("/2008-08-01/Accounts/{}/OutgoingCallerIds", accounts::account(which))
}

/// Another account's request for a call, each to another number.
fn create(numbers: &mut u64) -> String {
    *numbers += 1;
    let which = scatter(*numbers) as usize % MANY;
    form("POST", which, &list(which), &format!("PhoneNumber={}", number(*numbers).as_str()))
}

fn form(method: &str, which: usize, path: &str, form: &str) -> String {
    let head = head(&with_token(which), method, path);
    let length = form.len();
    format!(
        "{head}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
    )
}

fn requests(servers: &[Process], numbers: &mut u64) -> Table {
    let processes: Vec<&Process> = servers.iter().collect();
    let count = servers.len();
    let measure = |name: &str, request: &mut dyn FnMut(u64) -> String| {
        let turns = (0..TURNS).map(|_| load(&processes, CLIENTS * count, MEASURED, &mut *request));
        let mut turns: Vec<Turn> = turns.collect();
        turns.sort_by(|one, other| one.per_second.total_cmp(&other.per_second));
        let middle = &turns[TURNS / 2];
        let note = format!("{:.0} µs of the servers' CPU time each", middle.cpu_micros_each);
        Row { name: name.into(), figure: middle.per_second, note }
    };
    let which = |turn: u64| scatter(turn) as usize % MANY;
    let rows = vec![
        measure("creates, over 1,000 accounts", &mut |_| create(numbers)),
        measure("fetch one", &mut |turn| {
            let which = which(turn);
            let row = row_of(which, scatter(turn ^ 1 << 40));
            get(&with_token(which), &format!("{}/{}", list(which), row.sid))
        }),
        measure("list of 50", &mut |turn| get(&with_token(which(turn)), &list(which(turn)))),
    ];
    Table {
        title: format!(
            "over HTTP, {count} server{} on one database, {CLIENTS} connections to each",
            if count == 1 { "" } else { "s" }
        ),
        unit: "requests/s",
        rows,
    }
}

/// One connection, which answers are read from.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn to(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Sends a request; returns the response's status.
    fn ask(&mut self, request: &str) -> std::io::Result<u16> {
        self.0.get_mut().write_all(request.as_bytes())?;
        let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
        while length(&answer).is_none_or(|length| answer.len() < length) {
            let read = self.0.read(&mut buffer)?;
            if read == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            answer.extend_from_slice(&buffer[..read]);
        }
        let status = answer.get(9..12).and_then(|it| std::str::from_utf8(it).ok()?.parse().ok());
        Ok(status.unwrap_or_default())
    }

    /// Reads lines until one contains this.
    fn expect_line(&mut self, text: &str) {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            let read = self.0.read_line(&mut line).expect("the stream goes on");
            assert_ne!(read, 0, "the stream ends");
        }
    }
}

/// From a request to the first server until its change is on a stream of the last one.
fn stream(servers: &[Process]) -> Table {
    let (first, last) = (&servers[0], &servers[servers.len() - 1]);
    let (account, row) = (with_token(0), row_of(0, 0));
    let mut changed = Connection::to(first.address).expect("it listens");
    let mut stream = Connection::to(last.address).expect("it listens");
    let open = get(&account, "/_callerid/events");
    stream.0.get_mut().write_all(open.as_bytes()).expect("it takes requests");
    stream.expect_line("text/event-stream");
    let mut times: Vec<u64> = (0..CHANGES)
        .map(|turn| {
            // Not in step with anything that is done every so often.
            thread::sleep(Duration::from_millis(scatter(turn) % 50));
            let name = format!("change-{turn}-");
            let path = format!("{}/{}", list(0), row.sid);
            let rename = form("PUT", 0, &path, &format!("FriendlyName={name}"));
            let started = Instant::now();
            assert_eq!(changed.ask(&rename).expect("an answer"), 200);
            stream.expect_line(&name);
            u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX)
        })
        .collect();
    let mut row = |name: &str, percent| Row {
        name: name.into(),
        figure: percentile(&mut times, percent) as f64 / 1_000.0,
        note: String::new(),
    };
    let of = if servers.len() == 1 { "the same server" } else { "another server" };
    Table {
        title: format!(
            "from a request until its change is on a stream of {of}, {} in all; limit: p99 100 ms",
            servers.len()
        ),
        unit: "ms",
        rows: vec![row("p99", 99), row("median", 50)],
    }
}

/// How long creates fail after the database was stopped as by a crash and accepts connections again.
fn after_crashes(server: &Process, postgres: &mut Postgres, numbers: &mut u64) -> Table {
    let address = server.address;
    let mut times: Vec<f64> = (0..CRASHES)
        .map(|_| {
            let ends = AtomicBool::new(false);
            let (accepts, successes) = thread::scope(|scope| {
                let clients: Vec<_> = (1..=WAITING)
                    .map(|client| {
                        let (ends, mut numbers) = (&ends, *numbers + client * 10_000);
                        scope.spawn(move || {
                            let mut successes = Vec::new();
                            while !ends.load(Ordering::Relaxed) {
                                let asked = Connection::to(address)
                                    .and_then(|mut it| it.ask(&create(&mut numbers)));
                                if asked.is_ok_and(|status| status == 200) {
                                    successes.push(Instant::now());
                                }
                            }
                            successes
                        })
                    })
                    .collect();
                thread::sleep(Duration::from_secs(1));
                postgres.cluster.stop();
                let stopped = Instant::now();
                thread::sleep(Duration::from_millis(500));
                postgres.cluster.run();
                let accepts = Instant::now();
                thread::sleep(Duration::from_secs(2));
                ends.store(true, Ordering::Relaxed);
                let successes = clients.into_iter().flat_map(|it| it.join().expect("it ends"));
                (accepts, successes.filter(|at| *at > stopped).min().expect("it recovers"))
            });
            *numbers += (WAITING + 1) * 10_000;
            successes.saturating_duration_since(accepts).as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let row = |name: &str, figure| Row { name: name.into(), figure, note: String::new() };
    Table {
        title: format!(
            "from the database's first connection after a crash until a create succeeds, {CRASHES} times; limit: 1,000 ms"
        ),
        unit: "ms",
        rows: vec![
            row("the longest", times.last().copied().unwrap_or_default()),
            row("the median", times[CRASHES / 2]),
        ],
    }
}
