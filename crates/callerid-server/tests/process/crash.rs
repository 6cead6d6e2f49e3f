//! Crashes: the process is killed at random moments, repeatedly, while several clients make
//! changes. After each restart, everything acknowledged exists, nothing is half done, and no phone
//! rings twice.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use callerid_core::{AccountSid, AuthToken};
use callerid_service::Account;
use serde_json::Value;

use crate::harness::{Client, PATIENCE, Random, Server, authorization, callerid, said};
use crate::{events, harness};

const ROUNDS: u64 = 12;
const CLIENTS: u64 = 4;
/// The numbers that each client uses repeatedly, in its own list.
const NUMBERS: u64 = 8;
/// A number that is used once, at the end.
pub(crate) const LAST_NUMBER: &str = "2127365000";

/// What a client knows about one of its numbers, from the responses it has received.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Known {
    call: Option<KnownCall>,
    /// Whether there is a live call whose code is unknown, because the response was cut off.
    has_orphan: bool,
    /// The caller ID's Sid and name.
    caller_id: Option<(String, String)>,
}

#[derive(Clone, Debug, PartialEq)]
struct KnownCall {
    /// The call's Sid, once it has been looked up.
    sid: Option<String>,
    code: String,
    due: Instant,
    is_answered: bool,
    entries_left: u64,
}

/// What a client does with a number.
#[derive(Clone, Debug, PartialEq)]
enum Action {
    Create { delay: u64 },
    Answer,
    KeyWrong,
    KeyCode,
    HangUp,
    Rename(String),
    Delete,
}

/// One account's client, its model of the account, and the action that a crash interrupted.
pub(crate) struct Tester {
    pub(crate) account: Account,
    random: Random,
    numbers: BTreeMap<String, Known>,
    cut_off: Option<(String, Action)>,
    /// The duration of each acknowledged action.
    pub(crate) latencies: Vec<Duration>,
}

impl Tester {
    pub(crate) fn new(account: Account, client: u64, seed: u64) -> Self {
        let number = |number| (format!("415867{client}{number:03}"), Known::default());
        Self {
            account,
            random: Random(seed * CLIENTS + client),
            numbers: (0..NUMBERS).map(number).collect(),
            cut_off: None,
            latencies: Vec::new(),
        }
    }

    pub(crate) fn is_cut_off(&self) -> bool {
        self.cut_off.is_some()
    }

    fn list(&self) -> String {
        format!("/2008-08-01/Accounts/{}/OutgoingCallerIds", self.account.sid)
    }

    /// Performs actions until the server is gone.
    fn act_until_killed(&mut self, client: Client) {
        self.act_until(client, &AtomicBool::new(false));
    }

    /// Performs actions until it is over, or the server is gone.
    pub(crate) fn act_until(&mut self, mut client: Client, is_over: &AtomicBool) {
        while !is_over.load(Ordering::Relaxed) {
            let at = self.random.below(NUMBERS) as usize;
            let (number, known) = self.numbers.iter().nth(at).unwrap();
            let (number, known) = (number.clone(), known.clone());
            let Some(action) = self.choose(&known) else { continue };
            let begun = Instant::now();
            match self.act(&mut client, &number, known, &action) {
                Ok(known) => {
                    self.numbers.insert(number, known);
                    self.latencies.push(begun.elapsed());
                }
                Err(_) => {
                    self.cut_off = Some((number, action));
                    return;
                }
            }
        }
    }

    fn choose(&mut self, known: &Known) -> Option<Action> {
        let chance = self.random.below(8);
        match known {
            Known { caller_id: Some(_), .. } if chance < 5 => {
                Some(Action::Rename(format!("Name {}", self.random.below(1_000_000))))
            }
            Known { caller_id: Some(_), .. } => Some(Action::Delete),
            Known { call: Some(call), .. } => match (call.is_answered, chance) {
                (true, 0..5) => Some(Action::KeyCode),
                (true, 5..7) => Some(Action::KeyWrong),
                (true, _) => Some(Action::HangUp),
                // Occasionally a new call replaces the current one.
                (false, 0) => Some(Action::Create { delay: 0 }),
                (false, _) => (call.due <= Instant::now()).then_some(Action::Answer),
            },
            Known { call: None, .. } => {
                Some(Action::Create { delay: if chance < 6 { 0 } else { chance - 5 } })
            }
        }
    }

    /// Performs an action. Returns what is known afterwards, or how the connection ended.
    fn act(
        &self,
        client: &mut Client,
        number: &str,
        mut known: Known,
        action: &Action,
    ) -> std::io::Result<Known> {
        let list = self.list();
        if let Some(call) = known.call.as_mut().filter(|call| call.sid.is_none()) {
            let calls =
                client.try_request("GET", "/_callerid/calls?num=1000", "")?.expect(200).json();
            let live = live_call(&calls, number).expect(number);
            call.sid = Some(live["call_sid"].as_str().unwrap().to_owned());
        }
        let phone = |call: &Option<KnownCall>, action| {
            let sid = call.as_ref().unwrap().sid.clone().unwrap();
            format!("/_callerid/calls/{sid}/{action}")
        };
        match action {
            Action::Create { delay } => {
                let asked = Instant::now();
                let form = format!("PhoneNumber={number}&CallDelay={delay}");
                let created = client.try_request("POST", &list, &form)?.expect(200);
                known.has_orphan = false;
                known.call = Some(KnownCall {
                    sid: None,
                    code: created.element("ValidationCode").to_owned(),
                    due: asked + Duration::from_secs(*delay) + Duration::from_millis(200),
                    is_answered: false,
                    entries_left: 3,
                });
            }
            Action::Answer => {
                client.try_request("POST", &phone(&known.call, "answer"), "")?.expect(200);
                known.call.as_mut().unwrap().is_answered = true;
            }
            Action::KeyWrong => {
                let call = known.call.as_mut().unwrap();
                let wrong = if call.code == "000000" { "111111" } else { "000000" };
                let path = format!("/_callerid/calls/{}/digits", call.sid.as_ref().unwrap());
                client.try_request("POST", &path, &format!("Digits={wrong}"))?.expect(200);
                call.entries_left -= 1;
                if call.entries_left == 0 {
                    known.call = None;
                }
            }
            Action::KeyCode => {
                let form = format!("Digits={}", known.call.as_ref().unwrap().code);
                client.try_request("POST", &phone(&known.call, "digits"), &form)?.expect(200);
                known.call = None;
                // The caller ID exists. Its Sid takes another request, which may be cut off.
                known.caller_id = Some((String::new(), String::new()));
            }
            Action::HangUp => {
                client.try_request("POST", &phone(&known.call, "hangup"), "")?.expect(200);
                known.call = None;
            }
            Action::Rename(_) | Action::Delete => {
                let sid = match &known.caller_id {
                    Some((sid, _)) if !sid.is_empty() => sid.clone(),
                    _ => {
                        let path = format!("{list}?PhoneNumber={number}");
                        let found = client.try_request("GET", &path, "")?.expect(200);
                        found.element("Sid").to_owned()
                    }
                };
                let path = format!("{list}/{sid}");
                if let Action::Rename(name) = action {
                    let form = format!("FriendlyName={}", name.replace(' ', "+"));
                    client.try_request("PUT", &path, &form)?.expect(200);
                    known.caller_id = Some((sid, name.clone()));
                } else {
                    client.try_request("DELETE", &path, "")?.expect(204);
                    known.caller_id = None;
                }
            }
        }
        Ok(known)
    }

    /// Compares the server's data with the model, and continues from the server's data.
    pub(crate) fn check(&mut self, server: &Server) {
        let mut client = Client::new(server.address, authorization(&self.account));
        let list = client.get(&format!("{}?num=1000", self.list())).expect(200);
        let listed = listed(list.text());
        let calls = client.get("/_callerid/calls?num=1000").expect(200).json();
        let cut_off = self.cut_off.take();
        for (number, known) in &mut self.numbers {
            let cut_off = cut_off.as_ref().filter(|(cut_off, _)| cut_off == number);
            let cut_off = cut_off.map(|(_, action)| action);
            let found = listed.get(number).cloned();
            let call = live_call(&calls, number).cloned();
            let context = format!("{number}: {known:?}, cut off: {cut_off:?}, there: {call:?}");
            assert!(found.is_none() || call.is_none(), "validated and ringing: {context}");

            match (&known.caller_id, &found) {
                (None, None) => {}
                (Some((sid, name)), Some((found_sid, found_name))) => {
                    assert!(sid.is_empty() || sid == found_sid, "another Sid: {context}");
                    let is_renamed = cut_off == Some(&Action::Rename(found_name.clone()));
                    assert!(
                        name.is_empty() || name == found_name || is_renamed,
                        "another name, {found_name}: {context}"
                    );
                }
                (Some(_), None) => assert_eq!(cut_off, Some(&Action::Delete), "lost: {context}"),
                (None, Some(_)) => {
                    assert_eq!(cut_off, Some(&Action::KeyCode), "from nowhere: {context}");
                }
            }
            let was_created = matches!(cut_off, Some(Action::Create { .. }));
            match (&mut known.call, &call) {
                (None, None) => assert!(!known.has_orphan, "a call is lost: {context}"),
                (None, Some(_)) => {
                    assert!(was_created || known.has_orphan, "a call from nowhere: {context}");
                }
                (Some(_), None) => {
                    let ends = [Action::KeyCode, Action::KeyWrong, Action::HangUp];
                    let is_ended = cut_off.is_some_and(|action| ends.contains(action));
                    assert!(is_ended, "a call is lost: {context}");
                }
                (Some(_), Some(_)) if was_created => {}
                (Some(known), Some(call)) => {
                    let left = call["entries_left"].as_u64().unwrap();
                    let is_counted = left == known.entries_left
                        || cut_off == Some(&Action::KeyWrong) && left + 1 == known.entries_left;
                    assert!(is_counted, "entries forgotten: {context}");
                    let is_answered = call["status"] == "in-progress";
                    assert!(
                        is_answered == known.is_answered || cut_off == Some(&Action::Answer),
                        "answered or not: {context}"
                    );
                    known.entries_left = left;
                    known.is_answered = is_answered;
                }
            }
            known.caller_id = found;
            if call.is_none() || was_created {
                known.call = None;
            }
            known.has_orphan = call.is_some() && known.call.is_none();
        }
    }
}

/// The live call for this number.
fn live_call<'a>(calls: &'a Value, number: &str) -> Option<&'a Value> {
    let calls = calls["calls"].as_array().unwrap();
    let is_live = |call: &&Value| {
        call["phone_number"] == number
            && ["queued", "ringing", "in-progress"].contains(&call["status"].as_str().unwrap())
    };
    let mut live = calls.iter().filter(is_live);
    let call = live.next();
    assert!(live.next().is_none(), "two live calls: {calls:?}");
    call
}

/// The rows of a list: Sid and name by number.
fn listed(list: &str) -> BTreeMap<String, (String, String)> {
    let row = |row: &str| {
        let element = |name: &str| {
            let (_, rest) = row.split_once(&format!("<{name}>")).expect(row);
            rest.split_once('<').unwrap().0.to_owned()
        };
        (element("PhoneNumber"), (element("Sid"), element("FriendlyName")))
    };
    list.split("<OutgoingCallerId>").skip(1).map(row).collect()
}

/// Reads all events of an account, and checks that they are consistent. Returns how many calls
/// rang.
pub(crate) fn check_events(server: &Server, account: &Account) -> usize {
    let mut client = Client::new(server.address, authorization(account));
    let started = Instant::now();
    // Waits until no call is due to ring: the listed calls must not change before the events are
    // read.
    let calls = loop {
        let calls = client.get("/_callerid/calls?num=1000").expect(200).json();
        if calls["calls"].as_array().unwrap().iter().all(|call| call["status"] != "queued") {
            break calls;
        }
        assert!(started.elapsed() < PATIENCE, "due and queued: {calls}");
        thread::sleep(Duration::from_millis(20));
    };
    let mut stream = events::open_on(client, Some(0));
    let mut rung: BTreeMap<String, usize> = BTreeMap::new();
    let mut statuses: BTreeMap<String, String> = BTreeMap::new();
    let mut last = 0;
    // A final change, which creates a final event.
    let list = format!("/2008-08-01/Accounts/{}/OutgoingCallerIds", account.sid);
    let mut other = Client::new(server.address, authorization(account));
    other.post(&list, &format!("PhoneNumber={LAST_NUMBER}")).expect(200);
    loop {
        let event = events::next(&mut stream).expect("the stream goes on");
        if event.data["phone_number"] == LAST_NUMBER {
            break;
        }
        assert_ne!(event.name, "reset", "more events than are kept: shorten the test");
        assert!(event.id >= Some(last), "{event:?} after {last}");
        last = event.id.unwrap();
        if event.name == "call" {
            let sid = event.data["call_sid"].as_str().unwrap().to_owned();
            let status = event.data["status"].as_str().unwrap().to_owned();
            let before = statuses.insert(sid.clone(), status.clone());
            let is_first_ring = status == "ringing" && before.as_deref() != Some("ringing");
            if status == "ringing" {
                *rung.entry(sid.clone()).or_default() += 1;
                assert!(is_first_ring && rung[&sid] == 1, "{sid} rings twice");
            }
        }
    }
    for call in calls["calls"].as_array().unwrap() {
        let sid = call["call_sid"].as_str().unwrap();
        assert_eq!(Some(call["status"].as_str().unwrap()), statuses.get(sid).map(String::as_str));
        assert_eq!(call["ringing_at"].is_string(), rung.contains_key(sid), "{call}");
    }
    rung.len()
}

/// Adds an account with `callerid account add`, which this command begins with.
pub(crate) fn add_account(program: &mut Command) -> Account {
    let added = said(program.args(["account", "add"]));
    let words: Vec<_> = added.split_whitespace().rev().collect();
    Account {
        sid: AccountSid::parse(words[2]).unwrap(),
        auth_token: AuthToken::new(words[0]).unwrap(),
    }
}

/// Waits until every due call rings.
pub(crate) fn wait_for_due_calls(server: &Server, testers: &[Tester]) {
    let started = Instant::now();
    for tester in testers {
        let mut client = Client::new(server.address, authorization(&tester.account));
        for (number, known) in &tester.numbers {
            let is_due = |call: &KnownCall| call.due <= started;
            while known.call.as_ref().is_some_and(is_due) {
                let calls = client.get("/_callerid/calls?num=1000").expect(200).json();
                if live_call(&calls, number).is_none_or(|call| call["status"] != "queued") {
                    break;
                }
                assert!(started.elapsed() < PATIENCE, "{number} is due and does not ring: {calls}");
            }
        }
    }
}

/// Statistics of a run.
#[derive(Default)]
struct Seen {
    done: u64,
    cut_off: usize,
    rung: usize,
    peak_memory: u64,
    latencies: Vec<Duration>,
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_half_done() {
    let repeats = harness::repeats();
    let mut seen = Seen::default();
    (0..repeats).for_each(|seed| kill_again_and_again(seed, &mut seen));
    let Seen { done, cut_off, rung, peak_memory, mut latencies } = seen;
    latencies.sort_unstable();
    let p99 = latencies[latencies.len() * 99 / 100];
    println!(
        "{} kills: {done} changes acknowledged, 0 lost, {cut_off} cut off, {rung} calls rang; \
         p99 {p99:?}, {peak_memory} KiB at most",
        repeats * ROUNDS
    );
    assert!(done >= 10 * ROUNDS && cut_off > 0 && rung > 0);
}

fn kill_again_and_again(seed: u64, seen: &mut Seen) {
    let data = tempfile::tempdir().unwrap();
    let account = || add_account(callerid().env("CALLERID_DATA", data.path()));
    let mut testers: Vec<Tester> =
        (0..CLIENTS).map(|client| Tester::new(account(), client, seed)).collect();
    let mut random = Random(seed + 7);
    for _ in 0..ROUNDS {
        let server = Server::launch(&mut harness::serve(data.path()));
        testers.iter_mut().for_each(|tester| tester.check(&server));
        wait_for_due_calls(&server, &testers);
        thread::scope(|scope| {
            for tester in &mut testers {
                // Created before the thread, which may start after the server is gone.
                let client = Client::new(server.address, authorization(&tester.account));
                scope.spawn(move || tester.act_until_killed(client));
            }
            thread::sleep(Duration::from_millis(20 + random.below(180)));
            seen.peak_memory = seen.peak_memory.max(server.peak_memory());
            server.kill();
        });
        seen.cut_off += testers.iter().filter(|tester| tester.is_cut_off()).count();
    }
    let server = Server::launch(&mut harness::serve(data.path()));
    testers.iter_mut().for_each(|tester| tester.check(&server));
    for tester in testers {
        seen.done += tester.latencies.len() as u64;
        seen.rung += check_events(&server, &tester.account);
        seen.latencies.extend(tester.latencies);
    }
}
