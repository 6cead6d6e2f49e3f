//! A server under the control of tests: how it starts, and what only a host can do: lose and hold
//! responses, wait, and send callbacks while a clock advances.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use crate::harness::{Client, Server, callerid, run, said, serve};

fn launch(data: &std::path::Path) -> Server {
    Server::launch(serve(data).args(["--test", "--callback-allow", "127.0.0.1"]))
}

fn control(server: &Server, method: &str, path: &str, body: &Value) -> Value {
    let body = body.to_string();
    server.connect().request(method, &format!("/_callerid/{path}"), &body).expect(200).json()
}

/// Sends a create on a connection, and returns the connection.
fn send_create(server: &Server, form: &str) -> Client {
    let mut client = server.connect();
    let head = client.head("POST", &server.list());
    client.send(format!("{head}Content-Length: {}\r\n\r\n{form}", form.len()));
    client
}

fn fault(server: &Server, then: &Value) -> u64 {
    let fault = json!({"match": {"method": "POST"}, "times": 1, "then": then});
    control(server, "POST", "faults", &fault)["id"].as_u64().unwrap()
}

fn calls(server: &Server) -> usize {
    server.get("/_callerid/calls").json()["calls"].as_array().unwrap().len()
}

#[test]
fn an_ephemeral_server_tells_its_address_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (ready, seed) = (folder.path().join("ready.json"), folder.path().join("seed.json"));
    fs::write(&seed, r#"{"caller_ids":[{"phone_number":"4158675309"}]}"#).unwrap();
    let mut command = serve(&folder.path().join("unused"));
    command.args(["--test", "--ephemeral"]);
    command.arg("--ready-file").arg(&ready).arg("--seed").arg(&seed);
    let server = Server::launch(&mut command);
    let said: Value = serde_json::from_slice(&fs::read(&ready).unwrap()).unwrap();
    assert_eq!(said["url"], format!("http://{}", server.address));
    assert_eq!(said["account_sid"], server.account.sid.as_str());
    assert_eq!(said["auth_token"], server.account.auth_token.expose());
    assert_eq!(server.get("/_callerid/health").json()["test"], true);
    let listed = server.get("/_callerid/caller_ids").json();
    assert_eq!(listed["caller_ids"][0]["phone_number"], "4158675309");
    let written = server.written();
    assert!(written.contains("Under the control of tests"), "{written}");
    let data = data_of(&server);
    assert!(data.exists());
    assert!(server.terminate().0.success());
    assert!(!data.exists() && !folder.path().join("unused").exists());
}

/// The directory that a server says it works on.
fn data_of(server: &Server) -> PathBuf {
    server.expect_written("Data in ");
    let written = server.written();
    written.lines().find_map(|line| line.strip_prefix("Data in ")).unwrap().into()
}

#[cfg(unix)]
#[test]
fn an_ephemeral_server_removes_what_killed_ones_left_and_nothing_else() {
    let launch =
        || Server::launch(callerid().args(["serve", "--ephemeral", "--listen", "127.0.0.1:0"]));
    let age = |directory: &Path| {
        let then = SystemTime::now() - Duration::from_secs(60);
        fs::File::open(directory).unwrap().set_modified(then).unwrap();
    };
    let [killed, running] = [launch(), launch()];
    let [left, served] = [data_of(&killed), data_of(&running)];
    let place = left.parent().unwrap();
    let beside = |prefix: &str| tempfile::Builder::new().prefix(prefix).tempdir_in(place).unwrap();
    // Killed before it had its lock, about to begin, and of another program.
    let [unlocked, beginning] = [(); 2].map(|()| beside("callerid-ephemeral-"));
    let foreign = beside("callerid-");
    killed.kill();
    assert!(left.exists());
    for directory in [&left, &served, unlocked.path(), foreign.path()] {
        age(directory);
    }
    let next = launch();
    assert!(!left.exists() && !unlocked.path().exists());
    assert!(served.exists() && beginning.path().exists() && foreign.path().exists());
    running.connect().get("/_callerid/ready").expect(200);
    for server in [running, next] {
        assert!(server.terminate().0.success());
    }
}

#[cfg(unix)]
#[test]
fn a_server_tells_its_address_on_a_file_descriptor() {
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready");
    let mut command = std::process::Command::new("sh");
    let program = callerid().get_program().to_owned();
    command
        .arg("-c")
        .arg("exec \"$0\" serve --ephemeral --listen 127.0.0.1:0 --ready-fd 3 3>\"$1\"");
    let server = Server::launch(command.arg(program).arg(&ready));
    let said: Value = serde_json::from_slice(&fs::read(&ready).unwrap()).unwrap();
    assert_eq!(said["url"], format!("http://{}", server.address));
    // Killed, it would leave its directory.
    assert!(server.terminate().0.success());
}

#[test]
fn a_seed_with_a_mistake_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let seed = folder.path().join("seed.json");
    fs::write(&seed, r#"{"caller_ids":[{"phone_number":"banana"}]}"#).unwrap();
    let output = run(serve(folder.path()).args(["--test", "--seed"]).arg(&seed));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(
        error.contains("seed.json: ") && error.contains("caller_ids[0].phone_number"),
        "{error}"
    );
}

#[test]
fn thousands_of_caller_ids_are_seeded_and_kept_at_once() {
    let data = tempfile::tempdir().unwrap();
    let server = launch(data.path());
    let rows: Vec<_> =
        (0..5_000).map(|n| json!({"phone_number": format!("415867{n:04}")})).collect();
    let seeded = control(&server, "POST", "seed", &json!({"caller_ids": rows}));
    assert_eq!(seeded["caller_ids"], 5_000);
    let snapshot = control(&server, "GET", "snapshot", &json!({}));
    assert_eq!(control(&server, "POST", "reset", &json!({}))["caller_ids"], 0);
    assert_eq!(control(&server, "PUT", "snapshot", &snapshot)["caller_ids"], 5_000);
    // Forms of the API stay short.
    let long = format!("PhoneNumber={}", "4".repeat(70_000));
    server.post(&server.list(), &long).expect_exception(413);
}

#[test]
fn a_connection_is_lost_before_or_after_the_work_or_within_the_response() {
    let data = tempfile::tempdir().unwrap();
    let server = launch(data.path());
    for (drop, done) in [("before", 0), ("after", 1), ("mid_body", 2)] {
        fault(&server, &json!({"drop": drop}));
        let form = format!("PhoneNumber=415867530{done}");
        let mut client = send_create(&server, &form);
        let head = client.read_head().unwrap_or_default();
        assert_eq!(head.is_empty(), drop != "mid_body", "{drop}: {head}");
        assert!(client.is_closed() || drop == "mid_body", "{drop}");
        assert_eq!(calls(&server), done, "{drop}");
    }
    server.create("PhoneNumber=4158675309");
}

#[test]
fn a_response_is_delayed_or_held() {
    let data = tempfile::tempdir().unwrap();
    let server = launch(data.path());
    fault(&server, &json!({"delay_ms": 300}));
    let started = Instant::now();
    server.create("PhoneNumber=4158675309");
    assert!(started.elapsed() >= Duration::from_millis(300));

    let held = fault(&server, &json!({"hold": true}));
    let mut client = send_create(&server, "PhoneNumber=4158675310");
    assert!(!client.hears_within(Duration::from_millis(300)));
    assert_eq!(calls(&server), 2, "the work is done");
    control(&server, "POST", &format!("faults/{held}/release"), &json!({}));
    assert_eq!(client.answer().status(), 200);
}

#[test]
fn a_request_waits_for_what_it_asks_for() {
    let data = tempfile::tempdir().unwrap();
    let server = launch(data.path());
    let started = Instant::now();
    let path = "/_callerid/calls?phone_number=4158675309&wait=1";
    assert_eq!(server.get(path).expect(200).json()["calls"], json!([]));
    assert!(started.elapsed() >= Duration::from_secs(1));

    let mut waiting = server.connect();
    let waiting = thread::spawn(move || {
        let path = "/_callerid/calls?phone_number=4158675309&status=busy&wait=30";
        waiting.get(path).expect(200).json()
    });
    server.create("PhoneNumber=4158675309");
    let call = server.newest_call()["call_sid"].as_str().unwrap().to_owned();
    server.post(&format!("/_callerid/calls/{call}/busy"), "").expect(200);
    assert_eq!(waiting.join().unwrap()["calls"][0]["call_sid"], call.as_str());
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn callbacks_are_tried_again_at_their_times_while_the_clock_advances() {
    let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = receiver.local_addr().unwrap();
    thread::spawn(move || {
        for connection in receiver.incoming() {
            let mut connection = connection.unwrap();
            let _ = connection.read(&mut [0; 4096]).unwrap();
            connection.write_all(b"HTTP/1.1 503 Down\r\nContent-Length: 0\r\n\r\n").unwrap();
        }
    });
    let data = tempfile::tempdir().unwrap();
    let server = launch(data.path());
    control(&server, "POST", "clock", &json!({"now": "2008-04-01T18:26:32Z", "frozen": true}));
    control(&server, "PUT", "phones/*", &json!("busy"));
    let list = server.list().replace("2008-08-01", "2010-04-01");
    let form = format!("PhoneNumber=%2B14158675309&StatusCallback=http://{address}/");
    server.post(&list, &form).expect(200);
    // Attempts at 0, 5, 35 and 155 s; the next one at 755 s.
    control(&server, "POST", "clock/advance", &json!({"seconds": 200}));
    let callback = server.get("/_callerid/callbacks").json()["callbacks"][0].clone();
    assert_eq!((&callback["attempts"], &callback["last_status"]), (&json!(4), &json!(503)));
    assert_eq!(callback["next_at"], "2008-04-01T18:39:07.000Z");
}

#[test]
fn two_runs_with_the_same_seed_give_the_same_bytes() {
    let runs = [(); 2].map(|()| {
        let data = tempfile::tempdir().unwrap();
        let server = Server::launch(serve(data.path()).args(["--test", "--entropy-seed", "7"]));
        control(&server, "POST", "clock", &json!({"now": "2008-04-01T18:26:32Z", "frozen": true}));
        let mut said = server.create("PhoneNumber=2125550171");
        said += server.get("/_callerid/caller_ids?wait=10").text();
        said += server.get(&server.list()).text();
        said += server.get("/_callerid/requests").text();
        said
    });
    assert!(runs[0].contains("2008 18:26:32"), "{}", runs[0]);
    assert_eq!(runs[0], runs[1]);
}

#[test]
fn a_sandbox_ends_with_its_time() {
    let data = tempfile::tempdir().unwrap();
    let server = launch(data.path());
    let sandbox = control(&server, "POST", "sandboxes", &json!({"ttl_s": 1}));
    let sid = callerid_core::AccountSid::parse(sandbox["account_sid"].as_str().unwrap()).unwrap();
    let auth_token =
        callerid_core::AuthToken::new(sandbox["auth_token"].as_str().unwrap()).unwrap();
    let account = callerid_service::Account { sid, auth_token };
    let mut client = Client::new(server.address, crate::harness::authorization(&account));
    client.get("/_callerid/health").expect(200);
    let deadline = Instant::now() + Duration::from_secs(20);
    while client.get("/_callerid/health").status() != 401 {
        assert!(Instant::now() < deadline);
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn sandboxes_of_a_server_that_was_killed_are_removed() {
    let data = tempfile::tempdir().unwrap();
    let server = launch(data.path());
    let seed = json!({"caller_ids": [{"phone_number": "4158675309"}]});
    let sandbox = control(&server, "POST", "sandboxes", &json!({"seed": seed}));
    let sandbox = sandbox["account_sid"].as_str().unwrap();
    control(&server, "POST", "seed", &seed);
    server.kill();
    let accounts = || said(callerid().args(["account", "list", "--data"]).arg(data.path()));
    assert!(accounts().contains(sandbox));
    // Whether it is under the control of tests or not.
    let server = Server::start(data.path());
    assert!(!accounts().contains(sandbox));
    let list = server.get(&server.list()).expect(200);
    assert!(list.text().contains("4158675309"));
}
