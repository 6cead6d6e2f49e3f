//! Liveness and readiness.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{PATIENCE, Response, SID, Server, TOKEN, callerid, run, serve};

/// Sends a request without credentials.
fn probe(server: &Server, name: &str) -> Response {
    let request = format!("GET /_callerid/{name} HTTP/1.1\r\nHost: x\r\n\r\n");
    server.connect().send(request).answer()
}

#[test]
fn a_server_lives_and_is_ready_without_credentials() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    for name in ["live", "ready"] {
        let answer = probe(&server, name).expect(200);
        assert_eq!(answer.text(), r#"{"status":"ok"}"#);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(answer.header("twilio-request-id").is_some());
    }
    probe(&server, "health").expect(401);
}

/// Asks with the program itself. Returns the exit status and the error.
fn ask(address: &str) -> (Option<i32>, String) {
    let output = run(callerid().arg("ready").env("CALLERID_LISTEN", address));
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn the_program_itself_asks_whether_a_server_is_ready() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    assert_eq!(ask(&server.address.to_string()), (Some(0), String::new()));
    // A server that listens on every address is asked on this machine.
    assert_eq!(ask(&format!("0.0.0.0:{}", server.address.port())), (Some(0), String::new()));
    let address = server.address.to_string();
    server.terminate();
    let (status, error) = ask(&address);
    assert_eq!(status, Some(1));
    assert!(error.starts_with(&format!("callerid: {address}: ")), "{error}");
}

#[test]
fn a_server_whose_disk_is_full_lives_and_is_not_ready() {
    let data = tempfile::tempdir().unwrap();
    // Limits files to 400 KB, to simulate a full disk. (The resulting signal would end the process,
    // so it is ignored.)
    let script = "trap '' XFSZ; ulimit -f 800; exec \"$0\" \"$@\"";
    let program = callerid();
    let command = &mut Command::new("sh");
    command.args(["-c", script]).arg(program.get_program());
    command.args(["serve", "--listen=127.0.0.1:0", "--data"]).arg(data.path());
    command.env("CALLERID_ACCOUNT_SID", SID).env("CALLERID_AUTH_TOKEN", TOKEN);
    let server = Server::launch(command);
    probe(&server, "ready").expect(200);
    let mut client = server.connect();
    let mut at = 0;
    while client.post(&server.list(), &format!("PhoneNumber=415867{at:04}")).status() == 200 {
        at += 1;
    }
    let deadline = Instant::now() + PATIENCE;
    while probe(&server, "ready").status() == 200 {
        assert!(Instant::now() < deadline, "it is still ready");
        thread::sleep(Duration::from_millis(100));
    }
    let unready = probe(&server, "ready").expect_exception(503);
    let address = server.address.to_string();
    let not_ready = format!("callerid: {address}: not ready: 503 Service Unavailable\n");
    assert_eq!(ask(&address), (Some(1), not_ready));
    assert!(unready.text().contains("nothing can be stored"), "{}", unready.text());
    probe(&server, "live").expect(200);
    server.get(&server.list()).expect(200);
}

pub(crate) fn metrics(server: &Server, headers: &str) -> Response {
    let request = format!("GET /_callerid/metrics HTTP/1.1\r\n{headers}\r\n\r\n");
    server.connect().send(request).answer()
}

#[test]
fn metrics_count_requests_calls_and_writes() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    server.validate("4158675309");
    server.post(&server.list(), "PhoneNumber=4158675309").expect(400);
    server.create("PhoneNumber=4158675310");
    server.create("PhoneNumber=4158675310");
    let answer = metrics(&server, "Host: localhost:8008").expect(200);
    assert!(answer.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    assert_eq!(answer.header("access-control-allow-origin"), None);
    let lines: Vec<_> = answer.text().lines().collect();
    for line in [
        r#"callerid_requests_total{surface="2008-08-01",method="POST",status="200"} 3"#,
        r#"callerid_requests_total{surface="2008-08-01",method="POST",status="400"} 1"#,
        r#"callerid_request_duration_seconds_count{surface="2008-08-01"} 5"#,
        "callerid_calls_created_total 3",
        r#"callerid_calls_ended_total{outcome="verified"} 1"#,
        r#"callerid_calls_ended_total{outcome="canceled"} 1"#,
        r#"callerid_calls_refused_total{reason="AlreadyValidated"} 1"#,
        "callerid_store_failures_total 0",
        "# EOF",
    ] {
        assert!(lines.contains(&line), "{line} in {}", answer.text());
    }
    let writes = "callerid_store_write_duration_seconds_count";
    let writes = lines.iter().find(|line| line.starts_with(writes));
    assert!(writes.is_some_and(|line| !line.ends_with(" 0")), "{}", answer.text());
    for secret in [SID, TOKEN, "4158675309"] {
        assert!(!answer.text().contains(secret), "{}", answer.text());
    }
}

#[test]
fn metrics_are_for_this_machine_or_for_their_token() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    for host in ["localhost", "127.0.0.1:8008", "[::1]:8008"] {
        metrics(&server, &format!("Host: {host}")).expect(200);
    }
    let own = format!("Host: localhost\r\nAuthorization: {}", server.authorization());
    metrics(&server, &own).expect(200);
    for headers in ["Host: evil.example", "Host: localhost\r\nX-Forwarded-For: 127.0.0.1"] {
        metrics(&server, headers).expect_exception(403);
    }
    server.terminate();
    let server = Server::launch(serve(data.path()).args(["--trusted-proxy", "127.0.0.1"]));
    metrics(&server, "Host: localhost\r\nX-Forwarded-For: 192.0.2.7").expect_exception(403);
    metrics(&server, "Host: localhost").expect(200);
    server.terminate();
    let server = Server::launch(serve(data.path()).env("CALLERID_METRICS_TOKEN", "scrape"));
    metrics(&server, "Host: x\r\nAuthorization: Bearer scrape").expect(200);
    for headers in ["Host: localhost", "Host: x\r\nAuthorization: Bearer scraped", &own] {
        metrics(&server, headers).expect_exception(401);
    }
}
