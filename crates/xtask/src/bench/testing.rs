//! A server under the control of tests: how long a test waits for it. Each figure has a limit, which
//! its table names; there is no peer that does the same.
//!
//! The program is the one that is given away, in its own process, once in memory (`--ephemeral`) and
//! once on disk. One client sends one request at a time, on one connection, unless the table says
//! otherwise.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use callerid_service::Account;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::server::{Process, account, build, get, head, length, numbers};
use super::{Row, Table};

/// How often each request is repeated. The result is the median.
const TIMES: usize = 11;
const VALIDATIONS: usize = 200;
const SEEDED: usize = 10_000;
const RESET: usize = 1_000;
const DUE: usize = 10_000;
const WAITING: usize = 100;
const WAITED: Duration = Duration::from_secs(5);

pub(crate) fn run() -> Vec<Table> {
    let program = build();
    vec![
        start(&program),
        reset(&program),
        seed(&program),
        validation(&program),
        advance(&program),
        waiting(&program),
    ]
}

/// A server that is under the control of this benchmark.
struct Tested {
    process: Process,
    account: Account,
    connection: TcpStream,
    _data: TempDir,
}

/// Where a server keeps its data: a name, and the option for it.
const PLACES: [(&str, &[&str]); 2] = [("in memory", &["--ephemeral"]), ("on disk", &[])];

impl Tested {
    fn start(program: &Path, options: &[&str]) -> Self {
        let (data, account) = (target(), account());
        let options = [&["--test", "--log", "warn"], options].concat();
        let process = Process::serve(program, data.path(), &account, &options);
        let connection = TcpStream::connect(process.address).expect("it listens");
        connection.set_nodelay(true).expect("a socket");
        Self { process, account, connection, _data: data }
    }

    /// Sends a document to the control surface, and returns the answer.
    fn control(&mut self, method: &str, path: &str, document: &Value) -> Value {
        let body = document.to_string();
        self.send(method, &format!("/_callerid/{path}"), "application/json", &body)
    }

    fn create(&mut self, form: &str) {
        let path = format!("/2010-04-01/Accounts/{}/OutgoingCallerIds.json", self.account.sid);
        self.send("POST", &path, "application/x-www-form-urlencoded", form);
    }

    fn send(&mut self, method: &str, path: &str, content_type: &str, body: &str) -> Value {
        let (head, length) = (head(&self.account, method, path), body.len());
        let request =
            format!("{head}Content-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}");
        self.connection.write_all(request.as_bytes()).expect("it takes requests");
        let answer = answer(&mut self.connection);
        let (_, body) = answer.split_once("\r\n\r\n").expect("a head");
        serde_json::from_str(body).expect("it answers with JSON")
    }
}

/// Reads one answer of a connection, which must be a success.
fn answer(connection: &mut TcpStream) -> String {
    let (mut answer, mut buffer) = (Vec::new(), vec![0; 256 * 1024]);
    while length(&answer).is_none_or(|length| answer.len() < length) {
        let read = connection.read(&mut buffer).expect("it answers");
        assert_ne!(read, 0, "it answers in full");
        answer.extend_from_slice(&buffer[..read]);
    }
    let answer = String::from_utf8(answer).expect("it answers with text");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    answer
}

fn target() -> TempDir {
    tempfile::tempdir_in("target").expect("target can be written")
}

/// From the start of the process to its ready file.
fn start(program: &Path) -> Table {
    let folder = target();
    let ready = folder.path().join("ready.json");
    let once = || {
        let mut command = Command::new(program);
        command.args(
            "serve --test --ephemeral --listen 127.0.0.1:0 --log warn --ready-file".split(' '),
        );
        command.arg(&ready).stdout(Stdio::null());
        let started = Instant::now();
        let process = Stopped(command.spawn().expect("it can be started"));
        while !ready.exists() {
            thread::sleep(Duration::from_micros(100));
        }
        let took = started.elapsed();
        drop(process);
        std::fs::remove_file(&ready).expect("it was there");
        took
    };
    let rows = vec![row("in memory", (0..TIMES).map(|_| once()).collect(), "")];
    let title = format!("from the start to the ready file, the middle of {TIMES}; limit: 20 ms");
    Table { title, unit: "ms", rows }
}

/// A process that is stopped as a test stops it, so that it removes its directory.
struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        let id = self.0.id().to_string();
        Command::new("kill").arg(id).status().map(drop).unwrap_or_default();
        self.0.wait().map(drop).unwrap_or_default();
    }
}

fn reset(program: &Path) -> Table {
    let rows = caller_ids(RESET);
    let folder = target();
    let file = folder.path().join("seed.json");
    std::fs::write(&file, rows.to_string()).expect("target can be written");
    let file = file.to_str().expect("the path is text");
    let measured = PLACES.map(|(name, place)| {
        let to_nothing = {
            let mut server = Tested::start(program, place);
            let times = (0..TIMES).map(|_| {
                server.control("POST", "seed", &rows);
                timed(|| server.control("POST", "reset", &json!({})))
            });
            row(name, times.collect(), "to nothing")
        };
        let mut server = Tested::start(program, &[place, &["--seed", file]].concat());
        let times = (0..TIMES).map(|_| timed(|| server.control("POST", "reset", &json!({}))));
        [to_nothing, row(name, times.collect(), "to a seed of as many")]
    });
    let title = format!("reset of {RESET} caller IDs, the middle of {TIMES}; limit: 5 ms");
    Table { title, unit: "ms", rows: measured.into_iter().flatten().collect() }
}

fn seed(program: &Path) -> Table {
    let rows = caller_ids(SEEDED);
    let measured = PLACES.map(|(name, place)| {
        let mut server = Tested::start(program, place);
        let times = (0..TIMES).map(|_| {
            server.control("POST", "reset", &json!({}));
            timed(|| assert_eq!(server.control("POST", "seed", &rows)["caller_ids"], SEEDED))
        });
        row(name, times.collect(), "")
    });
    let title = format!(
        "seed of {SEEDED} caller IDs, the middle of {TIMES}; limits: 100 ms in memory, 200 on disk"
    );
    Table { title, unit: "ms", rows: measured.into() }
}

/// From the request to the caller ID in the list.
fn validation(program: &Path) -> Table {
    let numbers = numbers();
    let measured = PLACES.map(|(name, place)| {
        let mut server = Tested::start(program, place);
        server.control("PUT", "phones/*", &json!("verifies"));
        let times = numbers.iter().take(VALIDATIONS).map(|number| {
            timed(|| {
                server.create(&format!("PhoneNumber=%2B1{number}"));
                let path = format!("caller_ids?phone_number={number}&wait=10");
                let listed = server.control("GET", &path, &json!({}));
                assert_eq!(listed["caller_ids"][0]["phone_number"], number.as_str());
            })
        });
        row(name, times.collect(), "")
    });
    let title = format!(
        "a validation by the script `verifies`, create to listed, the middle of {VALIDATIONS}; limit: 5 ms"
    );
    Table { title, unit: "ms", rows: measured.into() }
}

/// An advance of the clock over calls that are due.
fn advance(program: &Path) -> Table {
    let numbers = numbers();
    let mut snapshot = None;
    let measured = PLACES.map(|(name, place)| {
        let mut server = Tested::start(program, place);
        let clock = json!({"now": "2008-04-01T18:26:32Z", "frozen": true});
        server.control("POST", "clock", &clock);
        if snapshot.is_none() {
            for number in &numbers[..DUE] {
                server.create(&format!("PhoneNumber=%2B1{number}&CallDelay=60"));
            }
            snapshot = Some(server.control("GET", "snapshot", &json!({})));
        }
        let mut advanced = |seconds: u32, status: &str| {
            let mut times = Vec::new();
            for _ in 0..3 {
                server.control("POST", "clock", &clock);
                server.control("PUT", "snapshot", snapshot.as_ref().expect("it was taken"));
                let by = json!({"seconds": seconds});
                times.push(timed(|| server.control("POST", "clock/advance", &by)));
                let path = format!("calls?status={status}");
                let found = server.control("GET", &path, &json!({}));
                let found = found["calls"].as_array().map_or(0, Vec::len);
                // Of those that have ended, 100 are kept.
                assert_eq!(found, if seconds < 600 { DUE } else { 100 });
            }
            times
        };
        let rings = row(name, advanced(60, "ringing"), "all ring");
        [rings, row(name, advanced(700, "no-answer"), "all ring, and end")]
    });
    let title = format!("clock/advance over {DUE} due calls, the middle of 3; limit: 1 s");
    Table { title, unit: "ms", rows: measured.into_iter().flatten().collect() }
}

/// The CPU time of a server while requests wait.
fn waiting(program: &Path) -> Table {
    let mut server = Tested::start(program, &["--ephemeral"]);
    let mut rows = Vec::new();
    let mut measure = |server: &Tested, name: &str| {
        thread::sleep(Duration::from_secs(1));
        let before = server.process.cpu_time();
        thread::sleep(WAITED);
        let spent = (server.process.cpu_time() - before).as_secs_f64() * 1000.0;
        rows.push(Row { name: name.into(), figure: spent, note: String::new() });
    };
    let open = |server: &Tested, request: &str| -> Vec<TcpStream> {
        let one = |_| {
            let mut connection = TcpStream::connect(server.process.address).expect("it listens");
            connection.write_all(request.as_bytes()).expect("it takes requests");
            connection
        };
        (0..WAITING).map(one).collect()
    };
    measure(&server, "nothing waits");
    let waits = get(&server.account, "/_callerid/calls?status=busy&wait=60");
    let waiting = open(&server, &waits);
    measure(&server, "100 requests with `wait`");
    drop(waiting);
    server.control("POST", "faults", &json!({"then": {"hold": true}}));
    let path = format!("/2010-04-01/Accounts/{}/OutgoingCallerIds.json", server.account.sid);
    let held = open(&server, &get(&server.account, &path));
    measure(&server, "100 responses that a fault holds");
    server.control("POST", "faults/1/release", &json!({}));
    for mut connection in held {
        answer(&mut connection);
    }
    let title = format!(
        "CPU time of the server in {} s, which the system counts in ticks of 10 ms; limit: none while `wait` waits",
        WAITED.as_secs()
    );
    Table { title, unit: "ms", rows }
}

/// A seed with so many caller IDs.
fn caller_ids(count: usize) -> Value {
    let row = |number: &String| json!({"phone_number": number});
    let numbers = numbers();
    json!({"caller_ids": numbers.iter().take(count).map(row).collect::<Vec<_>>()})
}

fn timed<T>(act: impl FnOnce() -> T) -> Duration {
    let started = Instant::now();
    act();
    started.elapsed()
}

/// The median of these times.
fn row(name: &str, mut times: Vec<Duration>, note: &str) -> Row {
    times.sort();
    let figure = times[times.len() / 2].as_secs_f64() * 1000.0;
    Row { name: name.into(), figure, note: note.into() }
}
