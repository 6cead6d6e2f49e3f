//! The server: its requests per second compared with a bare axum route that returns the same bytes,
//! the benefit of shared commits, its startup time, memory use and size.
//!
//! The program is the one that is given away (profile `dist`), in its own process, and so is the bare
//! route. One load generator drives both: a thread with several connections, each with one request at
//! a time. It shares the machine with the measured process, so the results include the CPU time of
//! the server's process.

use std::cell::{Cell, RefCell};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::routing::get as get_route;
use callerid_core::{
    AccountSid, AuthToken, CallerIdSid, Credentials, FriendlyName, Moment, OutgoingCallerId,
    PhoneNumber,
};
use callerid_server::store::{DurableStore as _, Options, SqliteStore};
use callerid_service::Account;
use futures_util::future::join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::cpu_time::CpuTime;
use super::{Row, Table};
use crate::{Outcome, package_dist};

/// The hidden argument that makes this process the bare route.
pub(crate) const BARE: &str = "--bare-route";

const CALLER_IDS: u64 = 50;
const READERS: usize = 16;
const WRITERS: usize = 64;
const WARM_UP: Duration = Duration::from_millis(500);
const MEASURED: Duration = Duration::from_secs(2);
/// The number of turns for each contender. The result is the median.
const TURNS: usize = 5;
const STARTS: usize = 11;

pub(crate) fn run() -> Vec<Table> {
    let program = build();
    let data = tempfile::tempdir_in("target").expect("target can be written");
    let account = account();
    fill(data.path(), &account);
    let list = format!("/2008-08-01/Accounts/{}/OutgoingCallerIds", account.sid);
    let server = Process::serve(&program, data.path(), &account, &[]);
    let instance = format!("{list}/{}", caller_id(&account, 0).sid);
    let mut tables = Vec::new();
    for (name, path, limit) in [("an instance", &instance, "2.2"), ("a 50-row list", &list, "3")] {
        tables.push(beside_bare(&server, &account, name, path, limit));
    }
    drop(server);
    tables.push(creates(&program, &account));
    tables.extend(at_rest(&program, data.path(), &account));
    tables
}

/// Requests per second, compared with the bare route.
fn beside_bare(server: &Process, account: &Account, name: &str, path: &str, limit: &str) -> Table {
    let request = get(account, path);
    let response = ask(server.address, &request);
    let file = tempfile::NamedTempFile::new_in("target").expect("target can be written");
    fs::write(file.path(), &response).expect("target can be written");
    let bare = Process::bare_route(file.path());
    assert_eq!(without_date(&ask(bare.address, &request)), without_date(&response));
    let contenders = [("callerid", server), ("a bare axum route with the same bytes", &bare)];
    let mut measured = contenders.map(|_| Vec::new());
    for _ in 0..TURNS {
        for ((_, process), measured) in contenders.iter().zip(&mut measured) {
            measured.push(load(&[process], READERS, MEASURED, |_| request.clone()));
        }
    }
    let rows = contenders.iter().zip(measured).map(|((name, _), measured)| {
        let (figure, note) = middle(measured);
        Row { name: (*name).into(), figure, note }
    });
    Table {
        title: format!(
            "GET of {name}, {} bytes with the head, {READERS} connections; limit: the bare route at most {limit}x",
            response.len()
        ),
        unit: "requests/s",
        rows: rows.collect(),
    }
}

/// Creates per second, each of which is on disk when it is answered.
fn creates(program: &Path, account: &Account) -> Table {
    let numbers = numbers();
    let rows = [("commits shared", None), ("a commit each", Some("1"))].map(|(name, batch)| {
        let data = tempfile::tempdir_in("target").expect("target can be written");
        let options: Vec<_> = batch.into_iter().flat_map(|size| ["--commit-batch", size]).collect();
        let server = Process::serve(program, data.path(), account, &options);
        let mut measured = Vec::new();
        let mut next = 0;
        for _ in 0..3 {
            let from = next;
            let turn = load(&[&server], WRITERS, MEASURED, |request| {
                next = from + request;
                let number = &numbers[(from + request) as usize % numbers.len()];
                let form = format!("PhoneNumber={number}");
                let head = head(account, "POST", &format!("/2008-08-01/Accounts/{}/OutgoingCallerIds", account.sid));
                let length = form.len();
                format!(
                    "{head}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
                )
            });
            measured.push(turn);
        }
        let (figure, note) = middle(measured);
        Row { name: name.into(), figure, note }
    });
    Table {
        title: format!("creates over HTTP, {WRITERS} connections"),
        unit: "creates/s",
        rows: rows.into(),
    }
}

/// Startup time, memory use and size.
fn at_rest(program: &Path, data: &Path, account: &Account) -> [Table; 3] {
    let request = get(account, "/_callerid/health");
    let first_answer = |data: &Path| {
        let started = Instant::now();
        let server = Process::serve(program, data, account, &[]);
        ask(server.address, &request);
        (started.elapsed().as_secs_f64() * 1000.0, server)
    };
    let row = |name: &str, figure, note: &str| Row { name: name.into(), figure, note: note.into() };
    let mut again: Vec<f64> = (0..STARTS).map(|_| first_answer(data).0).collect();
    again.sort_by(f64::total_cmp);
    let mut fresh: Vec<f64> = (0..STARTS)
        .map(|_| {
            first_answer(tempfile::tempdir_in("target").expect("target can be written").path()).0
        })
        .collect();
    fresh.sort_by(f64::total_cmp);
    let (_, server) = first_answer(data);
    thread::sleep(Duration::from_secs(1));
    let at_rest = server.resident_mb();
    load(&[&server], READERS, MEASURED, |_| get(account, "/_callerid/calls"));
    let size = fs::metadata(program).expect("the program is there").len();
    [
        Table {
            title: format!(
                "from the start to the first answer, the middle of {STARTS}; limit: under 50 ms"
            ),
            unit: "ms",
            rows: vec![
                row("on a directory that is there", again[STARTS / 2], ""),
                row("on a new one", fresh[STARTS / 2], ""),
            ],
        },
        Table {
            title: "resident memory; limit: under 20 MB at rest".into(),
            unit: "MB",
            rows: vec![
                row("at rest, after the first request", at_rest, ""),
                row("after two seconds of load", server.resident_mb(), ""),
            ],
        },
        Table {
            title: "the program; limit: at most 12 MB".into(),
            unit: "MB",
            rows: vec![row("callerid", size as f64 / 1e6, "")],
        },
    ]
}

/// Builds the program with its page, as it is given away, once for all benchmarks. Returns its path.
pub(super) fn build() -> PathBuf {
    static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
        let built = package_dist().and_then(|()| crate::server::build("dist"));
        built.expect("the program can be built")
    });
    PROGRAM.clone()
}

pub(super) fn account() -> Account {
    Account {
        sid: AccountSid::from_random_bytes(&[0x5a; 16]),
        auth_token: AuthToken::from_random_bytes(&[0xa5; 16]),
    }
}

fn caller_id(account: &Account, row: u64) -> OutgoingCallerId {
    let phone_number = PhoneNumber::parse(&format!("415867{row:04}")).expect("a number");
    let date = Moment::from_unix_millis(1_207_074_392_000 + row as i64 * 1000).to_date();
    let mut sid = [0; 16];
    sid[..8].copy_from_slice(&row.to_le_bytes());
    OutgoingCallerId {
        sid: CallerIdSid::from_random_bytes(&sid),
        account_sid: account.sid,
        friendly_name: FriendlyName::default_for(&phone_number),
        phone_number,
        date_created: date,
        date_updated: date,
    }
}

fn fill(data: &Path, account: &Account) {
    let store = SqliteStore::open(data, Options::default()).expect("the store can be opened");
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    runtime.block_on(async {
        store.add_account(account.clone()).await.expect("the account is added");
        let rows: Vec<_> = (0..CALLER_IDS).map(|row| caller_id(account, row)).collect();
        store.import(&account.sid, rows).await.expect("the rows are added");
    });
}

/// Enough numbers that each is requested only once.
pub(super) fn numbers() -> Vec<String> {
    let prefixes = ["415867", "212736", "312922", "617253", "206624", "303534", "404521", "512472"];
    let numbers = prefixes
        .iter()
        .flat_map(|prefix| (0..10_000).map(move |line| format!("{prefix}{line:04}")));
    numbers.filter(|number| PhoneNumber::parse(number).is_ok()).collect()
}

pub(super) fn head(account: &Account, method: &str, path: &str) -> String {
    let Account { sid, auth_token } = account.clone();
    let authorization = Credentials { sid, auth_token }.to_authorization();
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {authorization}\r\n")
}

pub(super) fn get(account: &Account, path: &str) -> String {
    head(account, "GET", path) + "\r\n"
}

/// Sends one request on its own connection. Returns the raw response.
fn ask(address: SocketAddr, request: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.write_all(request.as_bytes()).expect("it takes requests");
    let (mut answer, mut buffer) = (Vec::new(), [0; 65536]);
    while length(&answer).is_none_or(|length| answer.len() < length) {
        let read = stream.read(&mut buffer).expect("it answers");
        assert_ne!(read, 0, "it answers in full");
        answer.extend_from_slice(&buffer[..read]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer));
    answer
}

/// Sends one request on its own connection. Returns the body of the response.
pub(super) fn send(address: SocketAddr, request: &str) -> String {
    let answer = String::from_utf8(ask(address, request)).expect("it answers with text");
    answer.split_once("\r\n\r\n").expect("a head").1.to_owned()
}

/// The length of a response, head and body; `None` until the head is complete.
pub(super) fn length(answer: &[u8]) -> Option<usize> {
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
    Some(end + length.parse::<usize>().ok()?)
}

/// The lines of the head in sorted order, without the date, and the body.
fn without_date(answer: &[u8]) -> Vec<String> {
    let answer = String::from_utf8_lossy(answer);
    let mut lines: Vec<_> = answer.lines().filter(|line| !line.starts_with("date: ")).collect();
    lines.sort_unstable();
    lines.into_iter().map(str::to_owned).collect()
}

/// What a contender achieved in one turn.
pub(super) struct Turn {
    pub(super) per_second: f64,
    pub(super) cpu_micros_each: f64,
}

/// The turn with the median rate: the rate, and the CPU time per request as a note.
fn middle(mut turns: Vec<Turn>) -> (f64, String) {
    turns.sort_by(|one, other| one.per_second.total_cmp(&other.per_second));
    let turn = &turns[turns.len() / 2];
    (turn.per_second, format!("{:.1} µs of its CPU time each", turn.cpu_micros_each))
}

/// Sends requests on several connections concurrently, one at a time on each, to several processes
/// that do the same. `request` creates them by number.
pub(super) fn load(
    processes: &[&Process],
    connections: usize,
    time: Duration,
    mut request: impl FnMut(u64) -> String,
) -> Turn {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime can be made");
    let made = Cell::new(0);
    let request = RefCell::new(&mut request);
    let next = || {
        made.set(made.get() + 1);
        (request.borrow_mut())(made.get())
    };
    let phase = |time: Duration| {
        let deadline = Instant::now() + time;
        let addresses = processes.iter().map(|it| it.address).cycle().take(connections);
        let clients = addresses.map(|address| client(address, deadline, &next));
        runtime.block_on(join_all(clients)).into_iter().sum::<u64>() as f64
    };
    let cpu_time = || processes.iter().map(|process| process.cpu_time()).sum::<Duration>();
    phase(WARM_UP);
    let (started, cpu_before) = (Instant::now(), cpu_time());
    let answered = phase(time);
    let per_second = answered / started.elapsed().as_secs_f64();
    let cpu = cpu_time() - cpu_before;
    Turn { per_second, cpu_micros_each: cpu.as_secs_f64() * 1e6 / answered }
}

/// One connection, until the deadline. Returns the number of responses.
async fn client(address: SocketAddr, deadline: Instant, next: &impl Fn() -> String) -> u64 {
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("it listens");
    stream.set_nodelay(true).expect("a socket");
    let mut buffer = vec![0; 64 * 1024];
    let mut answered = 0;
    while Instant::now() < deadline {
        stream.write_all(next().as_bytes()).await.expect("it takes requests");
        let mut filled = 0;
        while length(&buffer[..filled]).is_none_or(|length| filled < length) {
            let read = stream.read(&mut buffer[filled..]).await.expect("it answers");
            assert_ne!(read, 0, "it answers in full");
            filled += read;
        }
        assert!(buffer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&buffer));
        answered += 1;
    }
    answered
}

/// The measured process, which listens on an address.
pub(super) struct Process {
    child: Child,
    pub(super) address: SocketAddr,
}

impl Process {
    pub(super) fn serve(program: &Path, data: &Path, account: &Account, options: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(["serve", "--data"]).arg(data).args(options);
        Self::serve_as(&mut command, account).expect("it says where it listens")
    }

    /// Starts `callerid serve` with these options and without limits. `None` if it does not serve.
    pub(super) fn serve_as(command: &mut Command, account: &Account) -> Option<Self> {
        command.args(["--listen", "127.0.0.1:0"]);
        for limit in ["--max-calls-per-account", "--max-calls", "--max-rings-per-number"] {
            command.args([limit, "4000000000"]);
        }
        command.env("CALLERID_ACCOUNT_SID", account.sid.as_str());
        command.env("CALLERID_AUTH_TOKEN", account.auth_token.expose());
        Self::start(command)
    }

    fn bare_route(response: &Path) -> Self {
        let this = env::current_exe().expect("this program is somewhere");
        let route = Self::start(Command::new(this).args(["bench", BARE]).arg(response));
        route.expect("it says where it listens")
    }

    /// Starts the process. The first line that it prints ends with its address. `None` if it ends
    /// without.
    fn start(command: &mut Command) -> Option<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it can be started");
        let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("it says where it listens");
        // The remaining output is read, so that the process does not block.
        thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        let address = line.trim().rsplit('/').next().and_then(|address| address.parse().ok());
        Some(Self { child, address: address? })
    }

    /// The CPU time used so far.
    pub(super) fn cpu_time(&self) -> Duration {
        CpuTime::of(self.child.id()).expect("Linux tells of processes").own
    }

    pub(super) fn resident_mb(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("Linux tells of processes");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("memory");
        let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kibibytes * 1024.0 / 1e6
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).map(drop).unwrap_or_default();
    }
}

/// Runs the bare route: answers every GET with the response in a file, until it is killed.
pub(crate) fn be_bare_route(response: &str) -> Outcome {
    let response = fs::read(response)?;
    let end = response.windows(4).position(|bytes| bytes == b"\r\n\r\n").ok_or("no head")?;
    let body = Bytes::copy_from_slice(&response[end + 4..]);
    let mut headers = HeaderMap::new();
    for line in std::str::from_utf8(&response[..end])?.lines().skip(1) {
        let (name, value) = line.split_once(": ").ok_or("no header")?;
        if !["content-length", "date"].contains(&name) {
            headers.append(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
        }
    }
    let route = get_route(move || std::future::ready((headers.clone(), body.clone())));
    let app = axum::Router::new().route("/{*path}", route);
    // As many threads as the server uses.
    let threads = thread::available_parallelism().map_or(1, usize::from).min(4);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("http://{}", listener.local_addr()?);
        axum::serve(
            axum::serve::ListenerExt::tap_io(listener, |stream| {
                stream.set_nodelay(true).unwrap_or_default();
            }),
            app,
        )
        .await?;
        Ok(())
    })
}
