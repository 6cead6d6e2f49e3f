//! Limits on size, time and connections.

use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{Client, Server, serve};

const MAX_BODY: usize = 64 * 1024;

#[test]
fn a_body_of_64_kib_is_read_and_one_byte_more_is_not() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let form = |length: usize| {
        let number = "PhoneNumber=4158675309&Padding=";
        format!("{number}{}", "x".repeat(length - number.len()))
    };
    server.post(&server.list(), &form(MAX_BODY)).expect(200);
    server.post(&server.list(), &form(MAX_BODY + 1)).expect_exception(413);

    let mut client = server.connect();
    let head = client.head("POST", &server.list());
    client.send(format!("{head}Content-Length: 99999999999\r\nExpect: 100-continue\r\n\r\n"));
    let refused = client.answer().expect_exception(413);
    assert!(refused.element("Message").contains("65536"), "{}", refused.text());
    let mut client = server.connect();
    let head = client.head("POST", "/_callerid/calls");
    client.send(format!("{head}Content-Length: 65537\r\n\r\n"));
    assert_eq!(
        client.answer().expect_exception(413).header("content-type"),
        Some("application/json")
    );
}

#[test]
fn a_body_without_an_announced_length_is_bounded_too() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    let mut client = server.connect();
    let head = client.head("POST", &server.list());
    client.send(format!("{head}Transfer-Encoding: chunked\r\n\r\n"));
    // The server responds without reading further, but not so abruptly that the response is lost.
    for _ in 0..64 {
        client.send(&chunk);
    }
    client.answer().expect_exception(413);
    assert!(client.is_closed());

    let mut client = server.connect();
    let head = client.head("POST", &server.list());
    client.send(format!("{head}Transfer-Encoding: chunked\r\n\r\n"));
    client.send("16\r\nPhoneNumber=4158675309\r\n0\r\n\r\n").answer().expect(200);
}

fn impatient(data: &std::path::Path, connections: &str) -> Server {
    let options = ["--timeout", "1", "--response-timeout", "1", "--max-connections", connections];
    Server::launch(serve(data).args(options))
}

/// Fails if something takes much less or much more than a second.
#[track_caller]
fn assert_about_a_second(started: Instant) {
    let taken = started.elapsed();
    assert!((800..6000).contains(&taken.as_millis()), "{taken:?}");
}

#[test]
fn a_connection_that_is_idle_is_closed() {
    let data = tempfile::tempdir().unwrap();
    let server = impatient(data.path(), "100");
    let mut silent = server.connect();
    let started = Instant::now();
    assert!(silent.is_closed());
    assert_about_a_second(started);

    let mut idle = server.connect();
    idle.get("/_callerid/health").expect(200);
    let started = Instant::now();
    assert!(idle.is_closed());
    assert_about_a_second(started);
}

#[test]
fn a_head_that_comes_slowly_is_not_waited_for() {
    let data = tempfile::tempdir().unwrap();
    let server = impatient(data.path(), "100");
    let mut slow = server.connect();
    let started = Instant::now();
    let head = format!("{}\r\n", slow.head("GET", &server.list()));
    let sent = head.bytes().position(|byte| {
        thread::sleep(Duration::from_millis(100));
        slow.try_send([byte]).is_err()
    });
    assert!(sent.is_some(), "it listened to all of it");
    assert!(started.elapsed() < Duration::from_secs(6), "{:?}", started.elapsed());
    server.get(&server.list()).expect(200);
}

#[test]
fn a_body_that_comes_slowly_is_not_waited_for() {
    let data = tempfile::tempdir().unwrap();
    let server = impatient(data.path(), "100");
    let mut slow = server.connect();
    let started = Instant::now();
    let head = slow.head("POST", &server.list());
    slow.send(format!("{head}Content-Length: 1000\r\n\r\nPhoneNumber="));
    slow.answer().expect_exception(408);
    assert_about_a_second(started);
}

#[test]
fn a_client_that_takes_no_answers_is_hung_up_on() {
    let data = tempfile::tempdir().unwrap();
    let server = impatient(data.path(), "1");
    let mut deaf = server.connect();
    let request = format!("{}\r\n", deaf.head("GET", "/_callerid/health")).repeat(100);
    let filler = thread::spawn(move || {
        // Sends until the socket's buffers are full in both directions, and then until the server
        // closes the connection.
        while deaf.try_send(&request).is_ok() {}
    });
    // Until then, this connection uses the only one that is allowed.
    thread::sleep(Duration::from_millis(100));
    server.get("/_callerid/health").expect(200);
    filler.join().unwrap();
}

#[test]
fn no_more_connections_than_allowed_are_served_at_a_time() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::launch(serve(data.path()).args(["--max-connections", "2"]));
    let mut first = server.connect();
    let mut second = server.connect();
    first.get("/_callerid/health").expect(200);
    second.get("/_callerid/health").expect(200);
    let (address, authorization) = (server.address, server.authorization());
    let waiting = thread::spawn(move || {
        Client::new(address, authorization).get("/_callerid/health").expect(200);
        Instant::now()
    });
    thread::sleep(Duration::from_millis(200));
    second.get("/_callerid/health").expect(200);
    let freed = Instant::now();
    drop(first);
    assert!(waiting.join().unwrap() >= freed);
}

#[test]
fn many_connections_come_and_go() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    for _ in 0..20 {
        let mut clients: Vec<_> = (0..50).map(|_| server.connect()).collect();
        for client in &mut clients {
            client.get("/_callerid/health").expect(200);
        }
    }
}
