//! `GET /_callerid/events`.

use std::time::Instant;

use crate::harness::{Client, SID, Server, callerid, said};

/// An event of a stream.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Event {
    pub(crate) id: Option<u64>,
    pub(crate) name: String,
    pub(crate) data: serde_json::Value,
}

/// Opens a stream. Its first event tells where it starts.
pub(crate) fn open(server: &Server, last_seen: Option<u64>) -> Client {
    open_on(server.connect(), last_seen)
}

/// The same on a client's connection.
pub(crate) fn open_on(mut client: Client, last_seen: Option<u64>) -> Client {
    let last_seen = last_seen.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
    let head = client.head("GET", "/_callerid/events");
    let head = client.send(format!("{head}{last_seen}\r\n")).read_head().unwrap();
    assert!(head.contains("content-type: text/event-stream\r\n"), "{head}");
    assert!(head.contains("cache-control: no-store\r\n"), "{head}");
    client
}

/// The next block of a stream, which may not be an event; `None` at its end.
pub(crate) fn next(client: &mut Client) -> Option<Event> {
    let mut event = Event::default();
    loop {
        let line = client.line()?;
        // The lines of the transfer coding come between the pieces. A zero marks the end.
        if line == "0" {
            return None;
        }
        match line.split_once(": ") {
            Some(("id", id)) => event.id = Some(id.parse().unwrap()),
            Some(("event", name)) => event.name = name.to_owned(),
            Some(("data", data)) => event.data = serde_json::from_str(data).unwrap(),
            None if line.is_empty() && event != Event::default() => return Some(event),
            _ => {}
        }
    }
}

#[test]
fn every_change_is_told_in_order() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let mut stream = open(&server, None);
    assert_eq!(next(&mut stream).unwrap().id, Some(0));
    let caller_id = server.validate("4158675309");
    let instance = format!("{}/{caller_id}", server.list());
    server.post(&instance, "FriendlyName=Jenny").expect(200);
    server.connect().request("DELETE", &instance, "").expect(204);
    let expected = [
        ("call", "status", "ringing"),
        ("call", "status", "in-progress"),
        ("call", "status", "completed"),
        ("caller-id-added", "phone_number", "4158675309"),
        ("caller-id-updated", "friendly_name", "Jenny"),
        ("caller-id-deleted", "sid", &caller_id),
    ];
    for (at, (name, field, value)) in expected.into_iter().enumerate() {
        let event = next(&mut stream).unwrap();
        assert_eq!((event.id, event.name.as_str()), (Some(at as u64 + 1), name));
        assert_eq!(event.data[field], value, "{event:?}");
    }
}

#[test]
fn a_stream_is_resumed_across_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    server.validate("4158675309");
    let mut stream = open(&server, Some(0));
    let ids = |stream: &mut Client, count| -> Vec<u64> {
        std::iter::repeat_with(|| next(stream).unwrap().id.unwrap()).take(count).collect()
    };
    assert_eq!(ids(&mut stream, 3), [0, 1, 2]);
    server.kill();
    let server = Server::start(data.path());
    server.validate("4158675310");
    let mut stream = open(&server, Some(2));
    assert_eq!(ids(&mut stream, 7), [2, 3, 4, 5, 6, 7, 8]);
}

#[test]
fn an_id_from_elsewhere_resets_the_client() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    server.validate("4158675309");
    let mut stream = open(&server, Some(1000));
    next(&mut stream).unwrap();
    let reset = next(&mut stream).unwrap();
    assert_eq!((reset.id, reset.name.as_str()), (Some(4), "reset"));
    server.create("PhoneNumber=4158675310");
    let event = next(&mut stream).unwrap();
    assert_eq!((event.id, event.name.as_str()), (Some(5), "call"));

    let mut client = server.connect();
    let head = client.head("GET", "/_callerid/events");
    client.send(format!("{head}Last-Event-ID: banana\r\n\r\n")).answer().expect_exception(400);
}

#[test]
fn nobody_sees_the_events_of_others_and_a_rotated_token_ends_a_stream() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Server::start(data.path());
    let mut stream = open(&server, None);
    next(&mut stream).unwrap();
    let account = |arguments: &[&str]| {
        let mut command = callerid();
        said(command.arg("account").args(arguments).env("CALLERID_DATA", data.path()))
    };
    let added = account(&["add"]);
    let words: Vec<_> = added.split_whitespace().rev().collect();
    let first = server.account.clone();
    server.account.sid = callerid_core::AccountSid::parse(words[2]).unwrap();
    server.account.auth_token = callerid_core::AuthToken::new(words[0]).unwrap();
    server.create("PhoneNumber=4158675310");
    server.account = first;
    server.create("PhoneNumber=4158675309");
    let event = next(&mut stream).unwrap();
    assert_eq!((event.id, &event.data["account_sid"]), (Some(2), &SID.into()));
    let rotated = account(&["rotate", SID]);
    let token = rotated.split_whitespace().next_back().unwrap();
    server.account.auth_token = callerid_core::AuthToken::new(token).unwrap();
    server.create("PhoneNumber=4158675311");
    assert_eq!(next(&mut stream), None);
}

#[test]
fn many_streams_are_told_of_a_change_soon() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let mut streams: Vec<_> = (0..100).map(|_| open(&server, None)).collect();
    for stream in &mut streams {
        next(stream).unwrap();
    }
    let started = Instant::now();
    server.create("PhoneNumber=4158675309");
    for stream in &mut streams {
        assert_eq!(next(stream).unwrap().name, "call");
    }
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}
