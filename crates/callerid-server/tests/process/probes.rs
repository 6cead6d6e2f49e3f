//! Whether it lives and is ready.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{PATIENCE, Response, SID, Server, TOKEN, callerid};

/// Asks without credentials.
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

#[test]
fn a_server_whose_disk_is_full_lives_and_is_not_ready() {
    let data = tempfile::tempdir().unwrap();
    // No file grows beyond 400 KB, as on a disk that is full. (The signal that comes of it would end the process.)
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
    assert!(unready.text().contains("nothing can be stored"), "{}", unready.text());
    probe(&server, "live").expect(200);
    server.get(&server.list()).expect(200);
}
