//! The phone line over SIP: from INVITE to a verified number, and a hundred calls at once.
//!
//! The program is the one that is given away, in its own process. The other side is a callee of this
//! benchmark, which answers at once.

mod callee;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use callerid_service::Account;
use tempfile::TempDir;

use super::cpu_time::CpuTime;
use super::server::{Process, account, build, get, head, numbers, send};
use super::{Row, Table};
use crate::cargo;
use callee::{Callee, KEY_EVERY};

const VALIDATIONS: usize = 21;
const CALLS: usize = 100;
/// For how long the sound of all calls is listened to. The first prompt is longer.
const LISTENED: Duration = Duration::from_secs(10);
/// Frames of sound are sent so often.
const FRAME: Duration = Duration::from_millis(20);

pub(crate) fn run() -> Vec<Table> {
    let program = build();
    [vec![validation(&program)], many(&program), vec![build_time()]].into_iter().flatten().collect()
}

/// A server whose line is this benchmark's callee.
struct Connected {
    process: Process,
    account: Account,
    _data: TempDir,
}

impl Connected {
    fn start(program: &Path, callee: &Callee) -> Self {
        let data = tempfile::tempdir_in("target").expect("target can be written");
        let account = account();
        let trunk = format!("sip:{}", callee.address);
        let calls = CALLS.to_string();
        let options = [
            "--log",
            "warn",
            "--sip-trunk",
            &trunk,
            "--sip-caller",
            "+12125550100",
            "--sip-bind",
            "127.0.0.1:0",
            "--sip-max-calls",
            &calls,
            "--sip-calls-per-second",
            &calls,
            "--any-hour",
            "--line-live-calls",
            &calls,
            "--line-live-calls-per-account",
            &calls,
            "--line-account-rate",
            "1000/1h",
            "--line-account-calls-a-day",
            "1000",
        ];
        let process = Process::serve(program, data.path(), &account, &options);
        let server = Self { process, account, _data: data };
        callee.is_asked();
        server
    }

    /// Asks for a call; returns the code.
    fn create(&self, number: &str) -> String {
        let path = format!("/2010-04-01/Accounts/{}/OutgoingCallerIds.json", self.account.sid);
        let body = format!("PhoneNumber=%2B1{number}");
        let head = head(&self.account, "POST", &path);
        let (form, length) = ("application/x-www-form-urlencoded", body.len());
        let request =
            format!("{head}Content-Type: {form}\r\nContent-Length: {length}\r\n\r\n{body}");
        let answer = send(self.process.address, &request);
        let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
        answer["validation_code"].as_str().expect("a code").to_owned()
    }

    /// When each number is verified, as the event stream tells it.
    fn verified(&self) -> mpsc::Receiver<Instant> {
        let mut stream = TcpStream::connect(self.process.address).expect("it listens");
        let request = get(&self.account, "/_callerid/events");
        stream.write_all(request.as_bytes()).expect("it takes requests");
        let (sender, verified) = mpsc::channel();
        thread::spawn(move || {
            let is_verified = r#""verification_status":"success""#;
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                if line.contains(is_verified) && sender.send(Instant::now()).is_err() {
                    return;
                }
            }
        });
        verified
    }
}

/// From the INVITE to the verified number, over the callee's own script.
fn validation(program: &Path) -> Table {
    let callee = Callee::start();
    let server = Connected::start(program, &callee);
    let verified = server.verified();
    let script = KEY_EVERY * 6;
    let mut times: Vec<f64> = numbers()
        .iter()
        .take(VALIDATIONS)
        .map(|number| {
            callee.will_key(number, &server.create(number));
            let verified = verified.recv_timeout(Duration::from_secs(10)).expect("it is verified");
            let took = verified - callee.invited_at(number);
            took.saturating_sub(script).as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let row = |name: &str, figure| Row { name: name.into(), figure, note: String::new() };
    Table {
        title: format!(
            "from INVITE to the verified number, over the {} ms in which the callee keys its six digits; limit: 50 ms",
            script.as_millis()
        ),
        unit: "ms",
        rows: vec![
            row(&format!("the middle of {VALIDATIONS}"), times[VALIDATIONS / 2]),
            row("the longest", times[VALIDATIONS - 1]),
        ],
    }
}

/// A hundred calls at once, all with a prompt.
fn many(program: &Path) -> Vec<Table> {
    let callee = Callee::start();
    let server = Connected::start(program, &callee);
    for number in numbers().iter().take(CALLS) {
        server.create(number);
    }
    callee.hears(CALLS);
    let before = server.process.cpu_time();
    let streams = callee.listen(LISTENED);
    let cpu = (server.process.cpu_time() - before).as_secs_f64() / LISTENED.as_secs_f64();
    let memory = server.process.resident_mb();
    assert_eq!(streams.len(), CALLS, "each call has its sound");
    let mut late: Vec<f64> = streams.iter().flat_map(|arrivals| lateness(arrivals)).collect();
    late.sort_by(f64::total_cmp);
    let expected = CALLS as f64 * LISTENED.as_secs_f64() / FRAME.as_secs_f64();
    let row =
        |name: &str, figure: f64, note: &str| Row { name: name.into(), figure, note: note.into() };
    let heard = format!("{} frames of {expected}", late.len());
    vec![
        Table {
            title: format!(
                "{CALLS} calls at once with a prompt: how late frames are; limit: 5 ms at p99"
            ),
            unit: "ms",
            rows: vec![
                row("p99", late[late.len() * 99 / 100], &heard),
                row("p50", late[late.len() / 2], ""),
                row("the latest", late[late.len() - 1], ""),
            ],
        },
        Table {
            title: format!(
                "{CALLS} calls at once with a prompt: the server's processor time; limit: half a core"
            ),
            unit: "cores",
            rows: vec![row("callerid", cpu, "")],
        },
        Table {
            title: format!(
                "{CALLS} calls at once with a prompt: the server's resident memory; limit: 60 MB"
            ),
            unit: "MB",
            rows: vec![row("callerid", memory, "")],
        },
    ]
}

/// How late each frame of a stream came, in ms, measured from the one that came earliest for its
/// place.
fn lateness(arrivals: &[(u16, Instant)]) -> Vec<f64> {
    let Some((first, start)) = arrivals.first().copied() else { return Vec::new() };
    let offset = |(sequence, at): &(u16, Instant)| {
        let due = FRAME.as_secs_f64() * f64::from(sequence.wrapping_sub(first));
        (*at - start).as_secs_f64() - due
    };
    let earliest = arrivals.iter().map(offset).fold(f64::INFINITY, f64::min);
    arrivals.iter().map(|arrival| (offset(arrival) - earliest) * 1000.0).collect()
}

/// What the line costs when the server is built from nothing.
fn build_time() -> Table {
    let mut rows = Vec::new();
    for (name, features) in [
        ("without the SIP line", &["--no-default-features", "--features", "postgres"] as &[&str]),
        ("with it", &[]),
    ] {
        let folder = tempfile::tempdir_in("target").expect("target can be written");
        let before = CpuTime::of_this().ended_children;
        let built = cargo()
            .args(["build", "--locked", "--quiet", "--package", "callerid-server"])
            .args(features)
            .env("CARGO_TARGET_DIR", folder.path())
            .status();
        assert!(built.expect("cargo can be run").success(), "the server cannot be built");
        rows.push(Row {
            name: name.into(),
            figure: (CpuTime::of_this().ended_children - before).as_secs_f64(),
            note: String::new(),
        });
    }
    let title = "building the server from nothing; limit: 60 s more with the SIP line".to_owned();
    Table { title, unit: "CPU s", rows }
}
