//! Stopping: requests that have started are still answered.

use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{Client, Server, serve};

#[test]
fn a_request_that_has_begun_is_answered_and_idle_connections_are_closed() {
    for signal in ["TERM", "INT"] {
        let data = tempfile::tempdir().unwrap();
        let server = Server::start(data.path());
        let mut idle = server.connect();
        idle.get("/_callerid/health").expect(200);
        let mut silent = server.connect();
        let mut begun = server.connect();
        let head = begun.head("POST", &server.list());
        begun.send(format!("{head}Content-Length: 22\r\n\r\nPhoneNumber="));
        // Once the server has answered a later client, it has read the start of the request.
        server.get("/_callerid/health").expect(200);
        thread::sleep(Duration::from_millis(50));
        server.signal(signal);
        assert!(idle.is_closed() && silent.is_closed());
        let started = Instant::now();
        // Several tasks close the connections and the listener, in no particular order.
        while TcpStream::connect(server.address).is_ok() {
            assert!(started.elapsed() < Duration::from_secs(5), "it still listens");
        }
        begun.send("4158675309");
        let created = begun.answer().expect(200);
        assert_eq!(created.header("connection"), Some("close"));
        assert!(begun.is_closed());
        let (status, written) = server.wait();
        assert_eq!(status.code(), Some(0), "{written}");
        assert!(written.contains("stopped"), "{written}");
        let server = Server::start(data.path());
        assert_eq!(server.newest_call()["phone_number"], "4158675309");
    }
}

#[test]
fn an_event_stream_does_not_keep_a_server_from_stopping() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let mut stream = server.connect();
    let head = stream.head("GET", "/_callerid/events");
    stream.send(format!("{head}\r\n")).read_head().unwrap();
    let started = Instant::now();
    let (status, _) = server.terminate();
    assert_eq!(status.code(), Some(0));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    while stream.line().is_some() {}
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::launch(serve(data.path()).args(["--timeout", "60"]));
    let mut begun = server.connect();
    let head = begun.head("POST", &server.list());
    begun.send(format!("{head}Content-Length: 22\r\n\r\nPhoneNumber="));
    server.get("/_callerid/health").expect(200);
    thread::sleep(Duration::from_millis(50));
    server.signal("TERM");
    server.expect_written("stopping");
    let started = Instant::now();
    let (status, _) = server.terminate();
    assert_eq!(status.code(), Some(1));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn a_client_that_never_ends_its_request_is_not_waited_for() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::launch(serve(data.path()).args(["--timeout", "1"]));
    let mut begun: Client = server.connect();
    let head = begun.head("POST", &server.list());
    begun.send(format!("{head}Content-Length: 22\r\n\r\nPhoneNumber="));
    server.get("/_callerid/health").expect(200);
    let (status, _) = server.terminate();
    assert_eq!(status.code(), Some(0));
    begun.answer().expect_exception(408);
}

#[test]
fn a_log_that_nobody_reads_keeps_neither_requests_nor_a_signal_waiting() {
    let data = tempfile::tempdir().unwrap();
    let (unread, errors) = std::io::pipe().unwrap();
    let command = &mut serve(data.path());
    let server = Server::launch_with_errors_to(command.args(["--log", "trace"]), errors.into());
    let mut client = server.connect();
    // Each request writes some kilobytes to a pipe that holds 64.
    for _ in 0..1000 {
        client.get("/_callerid/health").expect(200);
    }
    let started = Instant::now();
    let (status, _) = server.terminate();
    assert_eq!(status.code(), Some(0));
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    drop(unread);
}
