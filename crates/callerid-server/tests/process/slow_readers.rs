//! Clients that ask for much and read little of it.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use callerid_core::{AccountSid, CallerIdSid, Date, FriendlyName, OutgoingCallerId, PhoneNumber};
use callerid_server::store::{Options, SqliteStore};

use crate::harness::{Client, PATIENCE, SID, Server, serve};

/// A server whose account has a thousand caller IDs with names as long as they may be.
fn launch(data: &Path, options: &[&str]) -> Server {
    Server::start(data).terminate();
    let store = SqliteStore::open(data, Options::default()).unwrap();
    let account_sid = AccountSid::parse(SID).unwrap();
    let date = Date::new(1_207_074_392, 0);
    let rows = (0..1_000_u16).map(move |row| OutgoingCallerId {
        sid: CallerIdSid::from_random_bytes(&u128::from(row).to_be_bytes()),
        account_sid,
        friendly_name: FriendlyName::new(&"\"".repeat(64)).unwrap(),
        phone_number: PhoneNumber::parse(&format!("415867{row:04}")).unwrap(),
        date_created: date,
        date_updated: date,
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(store.import(&account_sid, rows)).unwrap();
    drop(store);
    Server::launch(serve(data).args(options))
}

/// Asks so often for all of them that the sockets' buffers do not take the answers.
fn ask(client: &mut Client, list: &str) {
    let request = format!("{}\r\n", client.head("GET", &format!("{list}?num=1000")));
    client.send(request.repeat(REQUESTS));
}

const REQUESTS: usize = 40;

#[test]
fn who_reads_steadily_but_too_slowly_is_cut() {
    let data = tempfile::tempdir().unwrap();
    let server = launch(data.path(), &["--response-timeout", "1"]);
    let length = server.get(&format!("{}?num=1000", server.list())).expect(200).body.len();
    let mut slow = server.connect();
    ask(&mut slow, &server.list());
    let (started, mut received) = (Instant::now(), 0);
    loop {
        // Slowly for as long as it takes to be cut, and then all that is still there.
        let (most, pause) = match started.elapsed().as_secs() {
            0..4 => (1_024, Duration::from_millis(20)),
            _ => (1_048_576, Duration::ZERO),
        };
        match slow.try_read(most) {
            Ok(1..) if started.elapsed() > PATIENCE => panic!("it is waited for"),
            Ok(read @ 1..) => received += read,
            Ok(0) | Err(_) => break,
        }
        thread::sleep(pause);
    }
    assert!(started.elapsed() < PATIENCE && received < REQUESTS * length, "{received}");
}

#[test]
fn a_hundred_that_do_not_read_take_little_memory() {
    let data = tempfile::tempdir().unwrap();
    let server = launch(data.path(), &["--max-calls-per-account", "5000"]);
    let mut creator = server.connect();
    for last in 0..1_000 {
        creator.post(&server.list(), &format!("PhoneNumber=415868{last:04}")).expect(200);
    }
    let before = server.peak_memory();
    let mut deaf: Vec<_> = (0..100).map(|_| server.connect()).collect();
    for (at, client) in deaf.iter_mut().enumerate() {
        let html = format!("{}.html", server.list());
        let lists = ["/_callerid/calls", &server.list(), &html];
        ask(client, lists[at % lists.len()]);
    }
    thread::sleep(Duration::from_secs(3));
    let started = Instant::now();
    server.get("/_callerid/health").expect(200);
    let (taken, peak) = (started.elapsed(), server.peak_memory());
    let [peak_mb, before] = [peak, before].map(|kib| kib / 1024);
    println!("100 that do not read: {peak_mb} MB, {before} MB before; another waits {taken:?}");
    assert!(peak < 100 * 1024, "{peak} KiB");
}
