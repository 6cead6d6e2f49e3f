//! A phone line other than the virtual one: its instructions, and the effects of its reports.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use callerid_core::{AccountSid, AuthToken, CallSid, PhoneNumber};
use callerid_server::callbacks::Callbacks;
use callerid_server::clock::Clock;
use callerid_server::line::{LineHealth, PhoneLine, PhoneReports, TrunkHealth};
use callerid_server::server::{self, Limits, Safeguards, ServerStore};
use callerid_server::store::{DurableStore as _, Options, SqliteStore};
use callerid_service::{
    Account, Call, FailureCause, Key, Line, LineLimits, LineRules, MemoryStore, PhoneEvent, Prompt,
    RateLimit, Service,
};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::harness::{Client, PATIENCE, SID, TOKEN, authorization};

/// The line panics for this number.
const PANICS: &str = "4158675399";

/// What the line calls from.
pub(crate) const CALLER: &str = "2125550100";

/// A line that forwards its instructions to the test.
struct TestLine {
    told: mpsc::Sender<(&'static str, Call, Option<Prompt>)>,
    /// What was placed and not hung up.
    calls: Mutex<Vec<Call>>,
    switches: Arc<Switches>,
}

/// What a test sets of the line.
pub(crate) struct Switches {
    pub(crate) capacity: AtomicUsize,
    is_reachable: AtomicBool,
}

impl TestLine {
    fn told(&self, what: &'static str, call: &Call, prompt: Option<Prompt>) {
        self.told.send((what, call.clone(), prompt)).unwrap_or_default();
    }
}

impl PhoneLine for TestLine {
    fn line(&self) -> Line {
        Line::Real { name: "test", caller: PhoneNumber::parse(CALLER).unwrap() }
    }

    fn capacity(&self) -> usize {
        self.switches.capacity.load(Ordering::Relaxed)
    }

    fn health(&self) -> LineHealth {
        let trunk = |name: &str, is_reachable| TrunkHealth { name: name.to_owned(), is_reachable };
        let is_reachable = self.switches.is_reachable.load(Ordering::Relaxed);
        LineHealth {
            trunks: vec![
                trunk("sip:a.example.com", false),
                trunk("sip:b.example.com", is_reachable),
            ],
            placed: 3,
            answered: 2,
            calls: 1,
        }
    }

    fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    fn place(&self, call: &Call) {
        assert_ne!(call.phone_number.as_str(), PANICS, "on purpose");
        self.calls.lock().unwrap().push(call.clone());
        self.told("place", call, None);
    }

    fn resume(&self, call: &Call) {
        self.told("resume", call, None);
    }

    fn play(&self, call: &Call, prompt: Prompt) {
        self.told("play", call, Some(prompt));
    }

    fn hang_up(&self, call: &Call, prompt: Option<Prompt>) {
        self.calls.lock().unwrap().retain(|live| live.sid != call.sid);
        self.told("hang up", call, prompt);
    }
}

/// More than any test needs, at any hour.
const UNLIMITED: LineLimits = LineLimits {
    number_rate: RateLimit::a_day(u32::MAX),
    number_calls_a_day: u32::MAX,
    live_calls_per_number: u32::MAX,
    wrong_codes_per_number: u32::MAX,
    account_rate: RateLimit::a_day(u32::MAX),
    account_calls_a_day: u32::MAX,
    live_calls_per_account: u32::MAX,
    live_calls: u32::MAX,
    calls_a_day: u32::MAX,
    rules: LineRules { any_hour: true, ..LineRules::DEFAULT },
};

/// The default limits of a server, with these for its line.
pub(crate) fn limits(line: LineLimits) -> Limits {
    let mut limits = Limits::default();
    limits.service.line = Some(line);
    limits
}

/// A server in this process, with this line.
pub(crate) struct Server {
    runtime: Runtime,
    pub(crate) client: Client,
    told: mpsc::Receiver<(&'static str, Call, Option<Prompt>)>,
    reports: PhoneReports,
    pub(crate) switches: Arc<Switches>,
    stop: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<()>,
}

pub(crate) fn account() -> Account {
    Account { sid: AccountSid::parse(SID).unwrap(), auth_token: AuthToken::new(TOKEN).unwrap() }
}

impl Server {
    pub(crate) fn start(store: impl ServerStore + 'static) -> Self {
        Self::start_at(store, Clock::system())
    }

    fn start_at(store: impl ServerStore + 'static, clock: Clock) -> Self {
        Self::start_within(store, clock, limits(UNLIMITED))
    }

    /// A server whose real line has these limits and this audit log.
    pub(crate) fn start_within(
        store: impl ServerStore + 'static,
        clock: Clock,
        safeguards: impl Into<Safeguards>,
    ) -> Self {
        let safeguards = safeguards.into();
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let client = Client::new(listener.local_addr().unwrap(), authorization(&account()));
        let (told_sender, told) = mpsc::channel();
        let (reports_sender, reports) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let switches = Arc::new(Switches {
            capacity: AtomicUsize::new(usize::MAX),
            is_reachable: AtomicBool::new(true),
        });
        let test_line = TestLine {
            told: told_sender,
            calls: Mutex::default(),
            switches: Arc::clone(&switches),
        };
        let line = move |reports| {
            reports_sender.send(reports).unwrap();
            Box::new(test_line) as Box<dyn PhoneLine>
        };
        let stopped = async { stopped.await.unwrap_or_default() };
        let callbacks = Callbacks::default();
        let ended = runtime.spawn(server::run(
            listener,
            Service::new(store),
            clock,
            line,
            callbacks,
            safeguards,
            stopped,
        ));
        let reports = reports.recv_timeout(PATIENCE).unwrap();
        Self { runtime, client, told, reports, switches, stop, ended }
    }

    pub(crate) fn create(&mut self, form: &str) -> String {
        let list = format!("/2008-08-01/Accounts/{SID}/OutgoingCallerIds");
        self.client.post(&list, form).expect(200).element("ValidationCode").to_owned()
    }

    /// Waits for the next instruction to the line, which must be the given one.
    #[track_caller]
    pub(crate) fn expect(&self, what: &str, prompt: Option<Prompt>) -> Call {
        let (told, call, with) = self.told.recv_timeout(PATIENCE).unwrap();
        assert_eq!((told, with), (what, prompt), "{call:?}");
        call
    }

    /// Waits for the next instruction to the line, which must be one of these. Returns it.
    #[track_caller]
    pub(crate) fn expect_one_of(&self, expected: &[&str]) -> &'static str {
        let (told, call, _) = self.told.recv_timeout(PATIENCE).unwrap();
        assert!(expected.contains(&told), "{told} {call:?}");
        told
    }

    pub(crate) fn report(&self, call: CallSid, event: PhoneEvent) {
        self.runtime.block_on(self.reports.report(call, event));
    }

    pub(crate) fn press(&self, call: CallSid, keys: &str) {
        for key in keys.chars().filter_map(Key::new) {
            self.report(call, PhoneEvent::Pressed(key.into()));
        }
    }

    pub(crate) fn status(&mut self, call: CallSid) -> String {
        let call = self.client.get(&format!("/_callerid/calls/{call}")).expect(200).json();
        call["status"].as_str().unwrap().to_owned()
    }

    pub(crate) fn stop(self) {
        self.stop.send(()).unwrap();
        self.runtime.block_on(self.ended).unwrap();
    }
}

#[test]
fn a_call_goes_from_the_first_ring_to_the_last_word() {
    let mut server = Server::start(MemoryStore::new([account()]));
    let code = server.create("PhoneNumber=4158675309");
    let call = server.expect("place", None);
    assert_eq!(call.phone_number.as_str(), "4158675309");
    server.report(call.sid, PhoneEvent::Answered);
    server.expect("play", Some(Prompt::EnterCode));
    server.press(call.sid, if code == "000000" { "111111" } else { "000000" });
    server.expect("play", Some(Prompt::WrongCode { entries_left: 2 }));
    server.press(call.sid, &code);
    let call = server.expect("hang up", Some(Prompt::Verified));
    assert!(call.verified);
    // Reports that are late, or for an unknown call, change nothing.
    server.report(call.sid, PhoneEvent::HungUp);
    server.report(CallSid::from_random_bytes(&[7; 16]), PhoneEvent::Answered);
    assert_eq!(server.status(call.sid), "completed");
    server.stop();
}

#[test]
fn the_control_surface_says_what_the_line_is() {
    let mut server = Server::start(MemoryStore::new([account()]));
    let health = server.client.get("/_callerid/health").expect(200).json();
    assert_eq!((&health["status"], &health["line"]), (&"ok".into(), &"test".into()));
    server.stop();
}

#[test]
fn a_call_on_a_real_line_says_where_it_comes_from_and_is_answered_at_the_phone_only() {
    let mut server = Server::start(MemoryStore::new([account()]));
    let code = server.create("PhoneNumber=4158675309");
    let call = server.expect("place", None).sid;
    for (action, form) in [
        ("answer", String::new()),
        ("digits", format!("Digits={code}")),
        ("hangup", String::new()),
        ("busy", String::new()),
        ("no-answer", String::new()),
    ] {
        let path = format!("/_callerid/calls/{call}/{action}");
        server.client.post(&path, &form).expect_exception(409);
    }
    assert_eq!(server.status(call), "ringing");
    server.report(call, PhoneEvent::Failed(FailureCause::NoSuchNumber));
    server.expect("hang up", None);
    let ended = server.client.get(&format!("/_callerid/calls/{call}")).expect(200).json();
    assert_eq!((&ended["caller"], &ended["failure"]), (&CALLER.into(), &"no-such-number".into()));
    server.stop();
}

#[test]
fn calls_wait_while_the_line_is_full() {
    let mut server = Server::start(MemoryStore::new([account()]));
    server.switches.capacity.store(0, Ordering::Relaxed);
    for last in 0..3 {
        server.create(&format!("PhoneNumber=415867530{last}"));
    }
    std::thread::sleep(Duration::from_millis(300));
    let calls = server.client.get("/_callerid/calls").expect(200).json();
    let calls = calls["calls"].as_array().unwrap();
    assert!(calls.iter().all(|call| call["status"] == "queued"), "{calls:?}");
    server.switches.capacity.store(usize::MAX, Ordering::Relaxed);
    let placed = [(); 3].map(|()| server.expect("place", None).phone_number.to_string());
    let placed = BTreeSet::from(placed);
    assert_eq!(
        placed,
        BTreeSet::from(["4158675300", "4158675301", "4158675302"].map(str::to_owned))
    );
    server.stop();
}

#[test]
fn a_server_whose_line_no_trunk_connects_is_not_ready() {
    let mut server = Server::start(MemoryStore::new([account()]));
    server.client.get("/_callerid/ready").expect(200);
    server.client.send("GET /_callerid/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let metrics = server.client.answer().expect(200).text().to_owned();
    for metric in [
        "callerid_trunk_reachable{trunk=\"sip:a.example.com\"} 0",
        "callerid_trunk_reachable{trunk=\"sip:b.example.com\"} 1",
        "callerid_line_calls 1",
        "callerid_line_calls_placed_total 3",
        "callerid_line_calls_answered_total 2",
    ] {
        assert!(metrics.lines().any(|line| line == metric), "{metric}\n{metrics}");
    }
    server.switches.is_reachable.store(false, Ordering::Relaxed);
    // Probes reuse an answer for a second.
    std::thread::sleep(Duration::from_millis(1_100));
    let unready = server.client.get("/_callerid/ready").expect_exception(503);
    assert!(unready.text().contains("no trunk"), "{}", unready.text());
    server.stop();
}

#[test]
fn a_call_ends_as_the_line_says() {
    let mut server = Server::start(MemoryStore::new([account()]));
    for (event, status) in [
        (PhoneEvent::Busy, "busy"),
        (PhoneEvent::NoAnswer, "no-answer"),
        (PhoneEvent::HungUp, "busy"),
        (PhoneEvent::Failed(FailureCause::Refused), "failed"),
    ] {
        server.create("PhoneNumber=4158675309");
        let call = server.expect("place", None);
        server.report(call.sid, event);
        server.expect("hang up", None);
        assert_eq!(server.status(call.sid), status);
    }
    server.stop();
}

#[test]
fn a_call_that_is_replaced_is_hung_up_and_never_placed_after_that() {
    let mut server = Server::start(MemoryStore::new([account()]));
    server.create("PhoneNumber=4158675309");
    for _ in 0..50 {
        server.create("PhoneNumber=4158675309");
    }
    let (mut placed, mut ended) = (Vec::new(), Vec::new());
    while ended.len() < 50 {
        let (what, call, _) = server.told.recv_timeout(PATIENCE).unwrap();
        match what {
            "place" => {
                assert!(!ended.contains(&call.sid), "placed after its end");
                placed.push(call.sid);
            }
            _ => ended.push(call.sid),
        }
    }
    if placed.is_empty() {
        server.expect("place", None);
    }
    server.stop();
}

#[test]
fn ringing_calls_are_resumed_and_due_calls_placed_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let open = |path: &Path| {
        let options = Options { serve: true, ..Options::default() };
        SqliteStore::open(path, options).unwrap()
    };
    let store = open(data.path());
    Runtime::new().unwrap().block_on(store.add_account(account())).unwrap();
    let mut server = Server::start(store);
    server.create("PhoneNumber=4158675309");
    let ringing = server.expect("place", None);
    server.create("PhoneNumber=4158675310&CallDelay=3");
    server.create("PhoneNumber=4158675311&CallDelay=60");
    server.stop();
    std::thread::sleep(Duration::from_millis(3100));
    let mut server = Server::start(open(data.path()));
    assert_eq!(server.expect("resume", None).sid, ringing.sid);
    assert_eq!(server.expect("place", None).phone_number.as_str(), "4158675310");
    // The line has lost the call.
    server.report(ringing.sid, PhoneEvent::Failed(FailureCause::CallLost));
    assert_eq!(server.expect("hang up", None).sid, ringing.sid);
    assert_eq!(server.status(ringing.sid), "failed");
    server.stop();
}

#[test]
fn whatever_the_clock_says_everything_is_answered() {
    for now in [i64::MIN, -86_400_000, 253_402_300_800_000, 1_000_000_000_000_000] {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path(), Options::default()).unwrap();
        Runtime::new().unwrap().block_on(store.add_account(account())).unwrap();
        let mut server = Server::start_at(store, Clock::new(move || now, || 0));
        let code = server.create("PhoneNumber=4158675309");
        let call = server.expect("place", None).sid;
        server.report(call, PhoneEvent::Answered);
        server.expect("play", Some(Prompt::EnterCode));
        server.press(call, &code);
        server.expect("hang up", Some(Prompt::Verified));
        for path in [
            "/_callerid/calls".to_owned(),
            format!("/2008-08-01/Accounts/{SID}/OutgoingCallerIds"),
            format!("/2010-04-01/Accounts/{SID}/OutgoingCallerIds.json"),
        ] {
            server.client.get(&path).expect(200);
        }
        server.create("PhoneNumber=4158675310&CallDelay=60");
    }
}

#[test]
fn a_server_whose_calls_are_not_placed_lives_and_is_not_ready() {
    let mut server = Server::start(MemoryStore::new([account()]));
    server.client.get("/_callerid/ready").expect(200);
    server.create(&format!("PhoneNumber={PANICS}"));
    let deadline = std::time::Instant::now() + PATIENCE;
    while server.client.get("/_callerid/ready").status() == 200 {
        assert!(std::time::Instant::now() < deadline, "it is still ready");
        std::thread::sleep(Duration::from_millis(50));
    }
    let unready = server.client.get("/_callerid/ready").expect_exception(503);
    assert!(unready.text().contains("no calls are placed"), "{}", unready.text());
    server.client.get("/_callerid/live").expect(200);
}
