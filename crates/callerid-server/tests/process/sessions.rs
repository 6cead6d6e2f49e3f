//! Signing in: single-use codes, and the sessions that they start.

use std::path::Path;
use std::process::Command;
use std::sync::Barrier;

use callerid_core::AuthToken;
use callerid_service::Account;

use crate::harness::{
    Client, Response, SID, Server, TOKEN, authorization, callerid, run, said, serve,
};

const SESSIONS: &str = "/_callerid/sessions";

/// A client for the account of these tests, with this password.
fn with(server: &Server, password: &str) -> Client {
    let auth_token = AuthToken::new(password).unwrap();
    Client::new(server.address, authorization(&Account { auth_token, ..server.account.clone() }))
}

fn exchange(server: &Server, password: &str) -> Response {
    with(server, password).post(SESSIONS, "")
}

/// The secret of the session that the password starts.
fn session(server: &Server, password: &str) -> String {
    let json = exchange(server, password).expect(200).json();
    assert_eq!(json["account_sid"], SID);
    json["session"].as_str().unwrap().to_owned()
}

fn page(data: &Path) -> Command {
    let mut command = callerid();
    command.arg("page").env("CALLERID_DATA", data);
    command
}

/// The code in an address of the page.
fn code(server: &Server, address: &str) -> String {
    let start = format!("http://{}/#account={SID}&code=", server.address);
    let code = address.trim().strip_prefix(&start).expect(address);
    assert_eq!(code.len(), 32, "{address}");
    code.to_owned()
}

fn new_code(server: &Server, data: &Path) -> String {
    code(server, &said(&mut page(data)))
}

/// Changes the expiry of all codes and sessions in the store to this many seconds from now.
fn expire_in(data: &Path, seconds: i64) {
    let connection = rusqlite::Connection::open(data.join("callerid.sqlite3")).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let then = now.as_millis() as i64 + seconds * 1_000;
    connection.execute("UPDATE sign_in SET expires_at = ?1", [then]).unwrap();
}

#[test]
fn the_printed_address_signs_in_once_and_no_secret_stays_in_the_log() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::launch(serve(data.path()).args(["--log", "trace"]));
    server.get("/");
    let printed = || {
        server
            .written()
            .lines()
            .find_map(|line| line.trim().starts_with("http://").then(|| line.to_owned()))
    };
    while printed().is_none() {
        std::thread::yield_now();
    }
    let code = code(&server, &printed().unwrap());
    let session = session(&server, &code);
    assert!(session.starts_with("session-") && session.len() == 40, "{session}");
    exchange(&server, &code).expect_exception(401);
    with(&server, &session).get(&server.list()).expect(200);
    // The secret is not a token: it cannot start another session, and does not work for another
    // account.
    exchange(&server, &session).expect_exception(401);
    exchange(&server, "session-0123456789abcdef0123456789abcdef").expect_exception(401);
    with(&server, "session-wrong").get(&server.list()).expect_exception(401);
    let other = said(callerid().args(["account", "add"]).env("CALLERID_DATA", data.path()));
    let other = other.lines().find_map(|line| line.trim().strip_prefix("AccountSid  ")).unwrap();
    let sid = callerid_core::AccountSid::parse(other).unwrap();
    let account = Account { sid, auth_token: AuthToken::new(&session).unwrap() };
    let mut stranger = Client::new(server.address, authorization(&account));
    stranger.get("/_callerid/health").expect_exception(401);

    let (_, written) = server.terminate();
    assert_eq!(written.matches(&code).count(), 1, "{written}");
    assert!(!written.contains(&session) && !written.contains(TOKEN), "{written}");
    for file in std::fs::read_dir(data.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for secret in [&code, &session] {
            assert!(!bytes.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()));
        }
    }
}

#[test]
fn one_session_too_many_ends_the_oldest() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::launch(serve(data.path()).args(["--max-sessions-per-account", "2"]));
    let sessions = [(); 3].map(|()| {
        // The oldest is told by its milliseconds.
        std::thread::sleep(std::time::Duration::from_millis(5));
        session(&server, TOKEN)
    });
    with(&server, &sessions[0]).get(&server.list()).expect_exception(401);
    for session in &sessions[1..] {
        with(&server, session).get(&server.list()).expect(200);
    }
}

#[test]
fn a_code_works_for_ten_minutes_and_a_session_for_twelve_hours() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let [first, second] = [0; 2].map(|_| new_code(&server, data.path()));
    expire_in(data.path(), 60);
    let session = session(&server, &first);
    with(&server, &session).get(&server.list()).expect(200);
    expire_in(data.path(), 0);
    exchange(&server, &second).expect_exception(401);
    with(&server, &session).get(&server.list()).expect_exception(401);
}

#[test]
fn of_many_exchanges_at_once_one_wins() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let code = new_code(&server, data.path());
    let together = Barrier::new(8);
    let statuses = std::thread::scope(|scope| {
        let exchange = || {
            let mut client = with(&server, &code);
            together.wait();
            client.post(SESSIONS, "").status()
        };
        let threads = [0; 8].map(|_| scope.spawn(exchange));
        threads.map(|thread| thread.join().unwrap())
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 7, "{statuses:?}");
}

#[test]
fn a_token_begins_sessions_too_and_another_token_ends_them() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let session = session(&server, TOKEN);
    let code = new_code(&server, data.path());
    let mut stream = with(&server, &session);
    let head = stream.head("GET", "/_callerid/events");
    stream.send(format!("{head}\r\n"));
    assert!(stream.read_head().unwrap().starts_with("HTTP/1.1 200 "));
    with(&server, &session).get(&server.list()).expect(200);

    said(callerid().args(["account", "rotate", SID]).env("CALLERID_DATA", data.path()));
    with(&server, &session).get(&server.list()).expect_exception(401);
    exchange(&server, &code).expect_exception(401);
    exchange(&server, TOKEN).expect_exception(401);
}

#[test]
fn a_session_survives_a_restart_of_the_server() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let session = session(&server, &new_code(&server, data.path()));
    server.kill();
    let server = Server::start(data.path());
    with(&server, &session).get(&server.list()).expect(200);
}

#[test]
fn wrong_codes_are_counted_as_wrong_tokens_are() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::launch(serve(data.path()).args(["--max-wrong-tokens", "5"]));
    let mut guessing = with(&server, "0123456789abcdef0123456789abcdee");
    for _ in 0..5 {
        guessing.post(SESSIONS, "").expect_exception(401);
    }
    let refused = guessing.post(SESSIONS, "").expect_exception(429);
    assert!(refused.header("retry-after").is_some());
    // Until then, the right code is not checked either.
    exchange(&server, &new_code(&server, data.path())).expect_exception(429);
}

#[test]
fn only_the_newest_sessions_of_an_account_are_kept() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let first = session(&server, TOKEN);
    // Each session must be later than the one before.
    std::thread::sleep(std::time::Duration::from_millis(2));
    let second = session(&server, TOKEN);
    std::thread::sleep(std::time::Duration::from_millis(2));
    for _ in 0..99 {
        session(&server, TOKEN);
    }
    with(&server, &first).get(&server.list()).expect_exception(401);
    with(&server, &second).get(&server.list()).expect(200);
}

#[test]
fn unusable_addresses_are_reported() {
    let data = tempfile::tempdir().unwrap();
    let refused = |command: &mut Command| {
        let output = run(command);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let not_running = "callerid: no server runs on this data: start one with `callerid serve`\n";
    assert_eq!(refused(&mut page(data.path())), not_running);
    let server = Server::start(data.path());
    said(callerid().args(["account", "add"]).env("CALLERID_DATA", data.path()));
    let several = "callerid: there are several accounts: name one\n";
    assert_eq!(refused(&mut page(data.path())), several);
    code(&server, &said(page(data.path()).arg(SID)));
    let unknown = "AC00000000000000000000000000000000";
    let no_account = format!("callerid: there is no account {unknown}\n");
    assert_eq!(refused(page(data.path()).arg(unknown)), no_account);
    server.kill();
    assert_eq!(refused(page(data.path()).arg(SID)), not_running);
}

#[test]
fn sessions_are_begun_by_post_alone_and_with_credentials() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    server.get(SESSIONS).expect_exception(404);
    let mut anonymous = server.connect();
    anonymous.send(format!("POST {SESSIONS} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"));
    anonymous.answer().expect_exception(401);
}
