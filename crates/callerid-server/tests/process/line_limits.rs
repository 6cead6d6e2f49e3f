//! What must hold before a real phone line may be switched on: limits, hours, opt-outs, the
//! operator's switch, and the audit log.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use callerid_core::{AccountSid, AuthToken, CallSid};
use callerid_server::audit_log::AuditLog;
use callerid_server::clock::Clock;
use callerid_server::server::Safeguards;
use callerid_server::store::{DurableStore as _, Options, SqliteStore};
use callerid_service::{
    Account, FailureCause, LineLimits, LineRules, PhoneEvent, Prompt, RateLimit,
};
use tokio::runtime::Runtime;

use crate::harness::{Client, PATIENCE, Response, SID, authorization, callerid, said};
use crate::line::{CALLER, Server, account, limits};

/// 09:00 in San Francisco, on a winter's day.
const MORNING: i64 = 1_768_496_400_000;
const NUMBER: &str = "4158675309";

/// The default limits at any hour.
const ANY_HOUR: LineLimits =
    LineLimits { rules: LineRules { any_hour: true, ..LineRules::DEFAULT }, ..LineLimits::DEFAULT };

/// Everything of a server that survives it.
struct Setup {
    data: tempfile::TempDir,
    /// Milliseconds since 1970.
    time: Arc<AtomicI64>,
    accounts: Vec<Account>,
}

impl Setup {
    fn new() -> Self {
        let other = |index: u8| Account {
            sid: AccountSid::from_random_bytes(&[index; 16]),
            auth_token: AuthToken::from_random_bytes(&[index; 16]),
        };
        let accounts: Vec<_> = [account()].into_iter().chain((0..4).map(other)).collect();
        let data = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(data.path(), Options::default()).unwrap();
        let runtime = Runtime::new().unwrap();
        for account in &accounts {
            assert!(runtime.block_on(store.add_account(account.clone())).unwrap());
        }
        Self { data, time: Arc::new(AtomicI64::new(MORNING)), accounts }
    }

    fn start(&self, safeguards: impl Into<Safeguards>) -> Server {
        let options = Options { serve: true, ..Options::default() };
        let store = SqliteStore::open(self.data.path(), options).unwrap();
        let time = Arc::clone(&self.time);
        let clock = Clock::new(move || time.load(Ordering::Relaxed), || 0);
        Server::start_within(store, clock, safeguards)
    }

    fn pass(&self, seconds: i64) {
        self.time.fetch_add(seconds * 1_000, Ordering::Relaxed);
    }

    /// The standard output of a command while the server runs.
    fn said(&self, command: &[&str]) -> String {
        said(callerid().args(command).arg("--data").arg(self.data.path()))
    }

    /// A client of each account, and its list.
    fn clients(&self, server: &Server) -> Vec<(Client, String)> {
        let address = server.client.peer();
        let client = |account: &Account| {
            let list = format!("/2008-08-01/Accounts/{}/OutgoingCallerIds", account.sid);
            (Client::new(address, authorization(account)), list)
        };
        self.accounts.iter().map(client).collect()
    }
}

fn ask(server: &mut Server, form: &str) -> Response {
    server.client.post(&format!("/2008-08-01/Accounts/{SID}/OutgoingCallerIds"), form)
}

/// Checks a refusal. Returns its `Retry-After`.
#[track_caller]
fn expect_refusal(response: Response, status: u16, code: u32, detail: &str) -> Option<u32> {
    let response = response.expect_exception(status);
    assert_eq!(response.element("Code"), code.to_string());
    assert!(response.element("Message").contains(detail), "{}", response.element("Message"));
    response.header("retry-after").map(|seconds| seconds.parse().unwrap())
}

/// A call that is placed and finds the line busy.
#[track_caller]
fn call_in_vain(server: &mut Server, number: &str) {
    server.create(&format!("PhoneNumber={number}"));
    let call = server.expect("place", None).sid;
    server.report(call, PhoneEvent::Busy);
    server.expect("hang up", None);
}

#[test]
fn a_number_is_called_three_times_in_ten_minutes_and_five_times_a_day() {
    const OFTEN: &str = "too often in a short time";
    let setup = Setup::new();
    let mut server = setup.start(limits(ANY_HOUR));
    for _ in 0..3 {
        call_in_vain(&mut server, NUMBER);
        setup.pass(10);
    }
    let form = format!("PhoneNumber={NUMBER}");
    assert_eq!(expect_refusal(ask(&mut server, &form), 429, 20429, OFTEN), Some(570));
    // Nor for another account, or after a restart.
    let (client, list) = &mut setup.clients(&server)[1];
    assert_eq!(expect_refusal(client.post(list, &form), 429, 20429, OFTEN), Some(570));
    server.stop();
    let mut server = setup.start(limits(ANY_HOUR));
    setup.pass(569);
    assert_eq!(expect_refusal(ask(&mut server, &form), 429, 20429, OFTEN), Some(1));
    setup.pass(1);
    call_in_vain(&mut server, NUMBER);
    setup.pass(600);
    call_in_vain(&mut server, NUMBER);
    setup.pass(600);
    let wait = expect_refusal(ask(&mut server, &form), 429, 20429, "too often today");
    assert_eq!(wait, Some(86_400 - 1_800));
    setup.pass(86_400 - 1_801);
    expect_refusal(ask(&mut server, &form), 429, 20429, "too often today");
    setup.pass(1);
    call_in_vain(&mut server, NUMBER);
    server.stop();
}

#[test]
fn a_call_that_replaces_another_counts_as_one_that_was_asked_for() {
    let setup = Setup::new();
    let mut server = setup.start(limits(ANY_HOUR));
    for _ in 0..3 {
        server.create(&format!("PhoneNumber={NUMBER}"));
    }
    expect_refusal(ask(&mut server, &format!("PhoneNumber={NUMBER}")), 429, 20429, "too often");
    server.stop();
}

#[test]
fn an_account_has_ten_calls_an_hour_and_three_at_a_time() {
    let setup = Setup::new();
    let mut server = setup.start(limits(ANY_HOUR));
    for last in 0..6 {
        call_in_vain(&mut server, &format!("415867530{last}"));
        setup.pass(60);
    }
    for last in 6..8 {
        server.create(&format!("PhoneNumber=415867530{last}"));
    }
    server.create("PhoneNumber=4158675320");
    let at_once = "too many calls of this account are under way";
    let wait = expect_refusal(ask(&mut server, "PhoneNumber=4158675330"), 429, 20429, at_once);
    assert_eq!(wait, Some(10));
    // Other accounts have their own.
    let (client, list) = &mut setup.clients(&server)[1];
    client.post(list, "PhoneNumber=4158675330").expect(200);
    let placed = [(); 4].map(|()| server.expect("place", None).sid);
    for call in placed {
        server.report(call, PhoneEvent::Busy);
        server.expect("hang up", None);
    }
    call_in_vain(&mut server, "4158675340");
    let too_many = "this account has asked for too many calls in a short time";
    let wait = expect_refusal(ask(&mut server, "PhoneNumber=4158675350"), 429, 20429, too_many);
    assert_eq!(wait, Some(3_600 - 360));
    setup.pass(3_600 - 360);
    server.create("PhoneNumber=4158675350");
    server.stop();
}

#[test]
fn each_of_the_other_limits_refuses_the_call_after_the_last_that_it_allows() {
    for (limits_of, allowed, wait, detail) in [
        (LineLimits { live_calls: 2, ..ANY_HOUR }, 2, 10, "too many calls are under way"),
        (LineLimits { live_calls_per_account: 1, ..ANY_HOUR }, 1, 10, "of this account are under"),
        (LineLimits { calls_a_day: 2, ..ANY_HOUR }, 2, 86_400, "asked for today"),
        (LineLimits { account_calls_a_day: 1, ..ANY_HOUR }, 1, 86_400, "this account has asked"),
    ] {
        let setup = Setup::new();
        let mut server = setup.start(limits(limits_of));
        for last in 0..allowed {
            server.create(&format!("PhoneNumber=415867530{last}"));
        }
        let refused = ask(&mut server, "PhoneNumber=4158675309");
        assert_eq!(expect_refusal(refused, 429, 20429, detail), Some(wait), "{detail}");
        server.stop();
    }
    // While one account calls a number, another cannot.
    let setup = Setup::new();
    let mut server = setup.start(limits(ANY_HOUR));
    server.create(&format!("PhoneNumber={NUMBER}"));
    let (client, list) = &mut setup.clients(&server)[1];
    let form = format!("PhoneNumber={NUMBER}");
    let refused = client.post(list, &form);
    let wait = expect_refusal(refused, 429, 20429, "another account is calling this number");
    assert_eq!(wait, Some(10));
    let call = server.expect("place", None).sid;
    server.report(call, PhoneEvent::NoAnswer);
    server.expect("hang up", None);
    client.post(list, &form).expect(200);
    server.stop();
}

#[test]
fn callers_at_once_do_not_pass_a_limit_together() {
    let setup = Setup::new();
    let ample = LineLimits {
        account_rate: RateLimit::a_day(100),
        account_calls_a_day: 100,
        live_calls_per_account: 100,
        live_calls: 7,
        ..ANY_HOUR
    };
    let server = setup.start(limits(ample));
    let together = |form: fn(usize) -> String| {
        let threads: Vec<_> = (0..4)
            .flat_map(|_| setup.clients(&server))
            .enumerate()
            .map(|(at, (mut client, list))| {
                thread::spawn(move || client.post(&list, &form(at)).status())
            })
            .collect();
        let statuses = threads.into_iter().map(|thread| thread.join().unwrap());
        statuses.filter(|status| *status == 200).count()
    };
    // One account calls the number, and replaces its own call at most twice.
    assert!((1..=3).contains(&together(|_| format!("PhoneNumber={NUMBER}"))));
    let others = together(|at| format!("PhoneNumber=41586754{at:02}"));
    assert_eq!(others, 6, "and the call before them");
    server.stop();
}

#[test]
fn a_number_with_a_hundred_wrong_codes_in_all_is_called_again_when_it_is_cleared() {
    let setup = Setup::new();
    let few = LineLimits { wrong_codes_per_number: 4, ..ANY_HOUR };
    let mut server = setup.start(limits(few));
    let validate = |server: &mut Server, wrong: &str, right: bool| {
        let code = server.create(&format!("PhoneNumber={NUMBER}"));
        let call = server.expect("place", None).sid;
        server.report(call, PhoneEvent::Answered);
        server.expect("play", Some(Prompt::EnterCode));
        server.press(call, wrong);
        if right {
            server.press(call, &code);
        }
        while server.expect_one_of(&["play", "hang up"]) != "hang up" {}
    };
    // A right code resets only the wrong ones in a row.
    validate(&mut server, "1#2#", true);
    let list = format!("/2008-08-01/Accounts/{SID}/OutgoingCallerIds");
    let row = server.client.get(&list).expect(200).element("Sid").to_owned();
    server.client.request("DELETE", &format!("{list}/{row}"), "").expect(204);
    // Two entries are left, and the call has no third.
    validate(&mut server, "1#2#", false);
    assert_eq!(setup.said(&["number", "list"]), format!("{NUMBER}\t2\t0\t4\n"));
    let form = format!("PhoneNumber={NUMBER}");
    let wait = expect_refusal(ask(&mut server, &form), 429, 20429, "too many wrong codes;");
    assert_eq!(wait, Some(86_400));
    let cleared = setup.said(&["number", "clear", NUMBER]);
    assert!(cleared.ends_with("On a real line: 4 wrong codes, 2 calls in a day\n"), "{cleared}");
    validate(&mut server, "1#2#3#", false);
    server.stop();
}

#[test]
fn numbers_that_cost_more_and_other_regions_are_called_only_if_allowed() {
    let setup = Setup::new();
    let mut server = setup.start(limits(ANY_HOUR));
    for number in ["9002345678", "2129765555"] {
        let refused = ask(&mut server, &format!("PhoneNumber={number}"));
        assert_eq!(expect_refusal(refused, 400, 21216, "can cost more"), None);
    }
    let refused = ask(&mut server, "PhoneNumber=8765550123");
    assert_eq!(expect_refusal(refused, 400, 21215, "numbers of JM are not called"), None);
    server.stop();
    let rules = LineRules {
        allow_premium: true,
        regions: ["JM".parse().unwrap()].into_iter().collect(),
        any_hour: true,
    };
    let mut server = setup.start(limits(LineLimits { rules, ..LineLimits::DEFAULT }));
    for number in ["9002345678", "2129765555", "8765550123"] {
        call_in_vain(&mut server, number);
    }
    server.stop();
}

#[test]
fn a_number_is_called_from_8_to_21_where_it_is() {
    let setup = Setup::new();
    let mut server = setup.start(limits(LineLimits::DEFAULT));
    let form = format!("PhoneNumber={NUMBER}");
    // From 09:00 to 20:59:30.
    setup.pass(12 * 3_600 - 30);
    let delayed = ask(&mut server, &format!("{form}&CallDelay=30"));
    let said = "it would ring at 21:00 where the number is or may be (America/Los_Angeles)";
    assert_eq!(expect_refusal(delayed, 400, 21216, said), Some(11 * 3_600));
    server.create(&format!("{form}&CallDelay=29"));
    setup.pass(29);
    assert_eq!(server.expect("place", None).phone_number.as_str(), NUMBER);
    setup.pass(1);
    let wait = expect_refusal(ask(&mut server, &form), 400, 21216, "at 21:00");
    assert_eq!(wait, Some(11 * 3_600));
    // New York is three hours ahead.
    let wait = expect_refusal(ask(&mut server, "PhoneNumber=2125550123"), 400, 21216, "at 00:00");
    assert_eq!(wait, Some(8 * 3_600));
    setup.pass(11 * 3_600);
    server.create(&form);
    server.stop();
}

#[test]
fn a_call_that_has_waited_until_it_is_too_late_is_not_placed() {
    let setup = Setup::new();
    setup.pass(12 * 3_600 - 30);
    let mut server = setup.start(limits(LineLimits::DEFAULT));
    server.switches.capacity.store(0, Ordering::Relaxed);
    server.create(&format!("PhoneNumber={NUMBER}"));
    setup.pass(30);
    server.switches.capacity.store(usize::MAX, Ordering::Relaxed);
    let call = server.expect("hang up", None);
    assert_eq!(call.failure, Some(FailureCause::NotAllowed));
    assert_eq!(server.status(call.sid), "failed");
    server.stop();
}

#[test]
fn who_presses_9_and_pound_is_not_called_again_until_the_operator_says_so() {
    let setup = Setup::new();
    let mut server = setup.start(limits(ANY_HOUR));
    server.create(&format!("PhoneNumber={NUMBER}"));
    let call = server.expect("place", None).sid;
    server.report(call, PhoneEvent::Answered);
    server.expect("play", Some(Prompt::EnterCode));
    server.press(call, "9#");
    let call = server.expect("hang up", Some(Prompt::OptedOut));
    assert!(!call.verified);
    assert_eq!(server.status(call.sid), "completed");
    let form = format!("PhoneNumber={NUMBER}");
    let refused = ask(&mut server, &form);
    assert_eq!(expect_refusal(refused, 400, 21216, "its owner has asked for no calls"), None);
    assert_eq!(setup.said(&["optout", "list"]), format!("{NUMBER}\t2026-01-15T17:00:00.000Z\n"));
    assert_eq!(setup.said(&["optout", "remove", "415-867-5309"]), "Removed (415) 867-5309\n");
    call_in_vain(&mut server, NUMBER);
    server.stop();
}

#[test]
fn the_operator_opts_a_number_out_while_its_call_waits() {
    let setup = Setup::new();
    let mut server = setup.start(limits(ANY_HOUR));
    server.switches.capacity.store(0, Ordering::Relaxed);
    server.create(&format!("PhoneNumber={NUMBER}"));
    assert_eq!(setup.said(&["optout", "add", NUMBER]), "Added (415) 867-5309\n");
    let again = setup.said(&["optout", "add", NUMBER]);
    assert_eq!(again, "Was on the list already: (415) 867-5309\n");
    server.switches.capacity.store(usize::MAX, Ordering::Relaxed);
    setup.pass(1);
    let call = server.expect("hang up", None);
    assert_eq!(call.failure, Some(FailureCause::NotAllowed));
    let form = format!("PhoneNumber={NUMBER}");
    expect_refusal(ask(&mut server, &form), 400, 21216, "its owner has asked for no calls");
    assert_eq!(setup.said(&["optout", "remove", NUMBER]), "Removed (415) 867-5309\n");
    assert_eq!(setup.said(&["optout", "remove", NUMBER]), "Was not on the list: (415) 867-5309\n");
    call_in_vain(&mut server, NUMBER);
    server.stop();
}

#[test]
fn the_operator_stops_the_line_in_the_middle_of_a_call() {
    let setup = Setup::new();
    // The switchboard looks at the switch every second, so time must pass.
    let start = |time: i64| {
        let options = Options { serve: true, ..Options::default() };
        let store = SqliteStore::open(setup.data.path(), options).unwrap();
        let started = Instant::now();
        let clock = Clock::new(move || time, move || started.elapsed().as_millis() as i64);
        Server::start_within(store, clock, limits(ANY_HOUR))
    };
    let mut server = start(MORNING);
    assert_eq!(setup.said(&["line", "status"]), "not stopped\n");
    server.create(&format!("PhoneNumber={NUMBER}"));
    let answered = server.expect("place", None).sid;
    server.report(answered, PhoneEvent::Answered);
    server.expect("play", Some(Prompt::EnterCode));
    server.create("PhoneNumber=4158675310&CallDelay=2");
    let stopped_at = Instant::now();
    setup.said(&["line", "stop"]);
    let call = server.expect("hang up", None);
    assert!(stopped_at.elapsed() < Duration::from_secs(4), "{:?}", stopped_at.elapsed());
    assert_eq!((call.sid, call.failure), (answered, Some(FailureCause::LineStopped)));
    assert_eq!(server.status(answered), "failed");
    assert!(setup.said(&["line", "status"]).starts_with("stopped since 20"));
    assert_eq!(setup.said(&["line", "stop"]), "Was stopped already\n");
    let said = "the operator has stopped the phone line";
    let refused = ask(&mut server, "PhoneNumber=4158675311");
    assert_eq!(expect_refusal(refused, 503, 20503, said), Some(60));
    // The call that waits stays, also across a restart, and is placed afterwards.
    thread::sleep(Duration::from_millis(2_500));
    server.stop();
    let mut server = start(MORNING + 5_000);
    let refused = ask(&mut server, "PhoneNumber=4158675311");
    assert_eq!(expect_refusal(refused, 503, 20503, said), Some(60));
    assert_eq!(setup.said(&["line", "start"]), "Started\n");
    assert_eq!(setup.said(&["line", "start"]), "Was not stopped\n");
    assert_eq!(server.expect("place", None).phone_number.as_str(), "4158675310");
    server.create("PhoneNumber=4158675311");
    server.stop();
}

#[test]
fn the_audit_log_has_a_line_for_all_that_happens_and_no_code() {
    let setup = Setup::new();
    let directory = setup.data.path().join("audit");
    let start = || {
        // The last server's log is closed a moment after it has stopped.
        let deadline = Instant::now() + PATIENCE;
        let audit_log = loop {
            match AuditLog::open(&directory, 3) {
                Ok(log) => break Some(log),
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
            thread::sleep(Duration::from_millis(5));
        };
        setup.start(Safeguards { limits: limits(ANY_HOUR), audit_log })
    };
    let mut server = start();
    let code = server.create(&format!("PhoneNumber={NUMBER}"));
    let call = server.expect("place", None).sid;
    server.report(call, PhoneEvent::Answered);
    server.expect("play", Some(Prompt::EnterCode));
    server.press(call, &format!("1#{code}"));
    server.expect("play", Some(Prompt::WrongCode { entries_left: 2 }));
    server.expect("hang up", Some(Prompt::Verified));
    ask(&mut server, "PhoneNumber=9002345678").expect_exception(400);
    server.create("PhoneNumber=4158675310");
    let failed = server.expect("place", None).sid;
    server.report(failed, PhoneEvent::Failed(FailureCause::NoTrunk));
    server.expect("hang up", None);
    server.create("PhoneNumber=4158675311");
    let lost = server.expect("place", None).sid;
    // What is not about a call is not in it.
    server.client.get("/_callerid/calls").expect(200);
    ask(&mut server, "PhoneNumber=1").expect_exception(400);
    server.stop();
    let server = start();
    server.expect("resume", None);
    server.report(lost, PhoneEvent::Failed(FailureCause::CallLost));
    server.expect("hang up", None);
    server.stop();
    let text = fs::read_to_string(directory.join("calls.jsonl")).unwrap();
    let at = "2026-01-15T17:00:00.000Z";
    let entry = |event: &str, call: CallSid, number: &str, rest: &str| {
        format!(
            "{{\"at\":\"{at}\",\"event\":\"{event}\",\"account_sid\":\"{SID}\",\"call_sid\":\"{call}\",\
             \"phone_number\":\"{number}\"{rest}}}"
        )
    };
    let caller = format!(",\"caller\":\"{CALLER}\"");
    let ended = |outcome: &str| format!("{caller},\"outcome\":\"{outcome}\"");
    let failure = |cause: &str| format!("{},\"cause\":\"{cause}\"", ended("failed"));
    let refused = format!(
        "{{\"at\":\"{at}\",\"event\":\"refused\",\"account_sid\":\"{SID}\",\
         \"phone_number\":\"9002345678\",\"cause\":\"LinePremium\"}}"
    );
    let mut expected = vec![
        entry("asked", call, NUMBER, ""),
        entry("placed", call, NUMBER, &caller),
        entry("ended", call, NUMBER, &ended("verified")),
        refused,
        entry("asked", failed, "4158675310", ""),
        entry("placed", failed, "4158675310", &caller),
        entry("ended", failed, "4158675310", &failure("no-trunk")),
        entry("asked", lost, "4158675311", ""),
        entry("placed", lost, "4158675311", &caller),
        entry("ended", lost, "4158675311", &failure("call-lost")),
    ];
    // A call may be placed before the response to its request is on its way.
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    expected.sort_unstable();
    assert_eq!(lines, expected);
    assert!(!text.contains(&code), "{text}");
}

#[test]
fn a_server_with_an_audit_log_that_cannot_be_written_does_not_start() {
    let data = tempfile::tempdir().unwrap();
    fs::write(data.path().join("file"), "").unwrap();
    assert!(AuditLog::open(&data.path().join("file"), 1).is_err());
    let _other = AuditLog::open(data.path(), 1).unwrap();
    assert!(AuditLog::open(data.path(), 1).is_err());
}

#[test]
fn a_real_line_without_limits_has_the_default_ones() {
    let setup = Setup::new();
    let mut server = setup.start(callerid_server::server::Limits::default());
    let refused = ask(&mut server, "PhoneNumber=9002345678");
    expect_refusal(refused, 400, 21216, "can cost more");
    for _ in 0..3 {
        call_in_vain(&mut server, NUMBER);
    }
    let form = format!("PhoneNumber={NUMBER}");
    expect_refusal(ask(&mut server, &form), 429, 20429, "too often");
    server.client.send("GET /_callerid/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let metrics = server.client.answer().expect(200).text().to_owned();
    // Other tests of this process count as well.
    for metric in [
        "callerid_limit_refusals_total{limit=\"LineNumberRate\"} ",
        "callerid_calls_refused_total{reason=\"LinePremium\"} ",
    ] {
        assert!(metrics.lines().any(|line| line.starts_with(metric)), "{metric}\n{metrics}");
    }
    server.stop();
}
