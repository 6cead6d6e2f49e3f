//! Calls over time and across restarts.

use std::thread;
use std::time::{Duration, Instant};

use crate::events;
use crate::harness::{PATIENCE, Server};

/// Waits until the newest call has this status. Returns how long that took.
fn wait_for(server: &Server, status: &str) -> Duration {
    let started = Instant::now();
    loop {
        let call = server.newest_call();
        if call["status"] == status {
            return started.elapsed();
        }
        assert!(started.elapsed() < PATIENCE, "{call}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_phone_rings_after_its_delay() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    server.create("PhoneNumber=4158675309&CallDelay=1");
    assert_eq!(server.newest_call()["status"], "queued");
    let taken = wait_for(&server, "ringing");
    assert!((700..5000).contains(&taken.as_millis()), "{taken:?}");
    // An earlier request with a longer delay does not hold up a shorter one.
    server.create("PhoneNumber=4158675310&CallDelay=60");
    server.create("PhoneNumber=4158675311&CallDelay=1");
    wait_for(&server, "ringing");
}

#[test]
fn a_call_that_became_due_while_the_server_was_down_is_placed_at_startup() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    server.create("PhoneNumber=4158675309&CallDelay=1");
    server.kill();
    thread::sleep(Duration::from_millis(1100));
    let server = Server::start(data.path());
    let taken = wait_for(&server, "ringing");
    assert!(taken < Duration::from_millis(900), "{taken:?}");
    server.kill();
    // The call has already rung, and does not ring again.
    let server = Server::start(data.path());
    let mut stream = events::open(&server, Some(0));
    let statuses: Vec<_> = std::iter::repeat_with(|| events::next(&mut stream).unwrap())
        .filter(|event| event.name == "call")
        .map(|event| event.data["status"].as_str().unwrap().to_owned())
        .take(2)
        .collect();
    assert_eq!(statuses, ["queued", "ringing"]);
    let sid = server.newest_call()["call_sid"].as_str().unwrap().to_owned();
    server.post(&format!("/_callerid/calls/{sid}/busy"), "").expect(200);
    assert_eq!(events::next(&mut stream).unwrap().data["status"], "busy");
}

#[test]
fn an_incomplete_entry_continues_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let code = server.create("PhoneNumber=4158675309&FriendlyName=Jenny");
    let sid = server.newest_call()["call_sid"].as_str().unwrap().to_owned();
    let path = format!("/_callerid/calls/{sid}");
    server.post(&format!("{path}/digits"), "Digits=1").expect_exception(409);
    server.post(&format!("{path}/answer"), "").expect(200);
    let wrong = if code == "000000" { "111111" } else { "000000" };
    let digits = format!("Digits={wrong}{}", &code[..3]);
    let call = server.post(&format!("{path}/digits"), &digits).expect(200).json();
    assert_eq!((&call["entries_left"], &call["digits_keyed"]), (&2.into(), &3.into()));
    server.kill();
    let server = Server::start(data.path());
    let call = server.get(&path).expect(200).json();
    assert_eq!((&call["entries_left"], &call["digits_keyed"]), (&2.into(), &3.into()));
    assert_eq!(call["status"], "in-progress");
    let digits = format!("Digits={}", &code[3..]);
    let call = server.post(&format!("{path}/digits"), &digits).expect(200).json();
    assert_eq!(call["verification_status"], "success");
    let listed = server.get(&server.list()).expect(200);
    assert_eq!(listed.element("FriendlyName"), "Jenny");
}
