//! Starting: the printed commands work when pasted, and every problem is reported in one line.

use std::net::TcpListener;
use std::process::Command;
use std::time::Instant;

use crate::harness::{SID, Server, TOKEN, callerid, run, said, serve};

/// The lines of the welcome message that are commands.
fn commands(written: &str) -> Vec<&str> {
    let is_command = |line: &&str| line.starts_with("curl ") || line.starts_with("CALL=");
    indented(written).filter(is_command).collect()
}

fn indented(written: &str) -> impl Iterator<Item = &str> {
    written.lines().filter_map(|line| line.strip_prefix("  "))
}

/// The lines that set the variables for the commands.
fn settings(written: &str) -> String {
    let settings = indented(written).filter(|line| line.starts_with("CALLERID_"));
    settings.map(|line| format!("{line}\n")).collect()
}

fn shell(script: &str) -> String {
    said(
        Command::new("sh")
            .args(["-ec", script])
            .env("CALLERID_ACCOUNT_SID", SID)
            .env("CALLERID_AUTH_TOKEN", TOKEN),
    )
}

/// The complete welcome message.
fn welcome(server: &Server) -> String {
    server.get("/");
    while commands(&server.written()).len() < 5 {
        std::thread::yield_now();
    }
    server.written()
}

fn paste(server: &Server) {
    let written = welcome(server);
    let commands = commands(&written);
    let (create, phone) = commands.split_first().unwrap();
    let settings = settings(&written);
    let created = shell(&format!("{settings}{create}"));
    let (_, code) = created.split_once("<ValidationCode>").expect(&created);
    let phone = phone.join("\n").replace("000000", &code[..6]);
    let listed = shell(&format!("{settings}{phone}"));
    assert!(listed.contains("<FriendlyName>(415) 867-5309</FriendlyName>"), "{listed}");
}

#[test]
fn the_first_starts_lines_work_when_pasted() {
    let data = tempfile::tempdir().unwrap();
    let command = &mut callerid();
    command.args(["serve", "--listen=127.0.0.1:0", "--data"]).arg(data.path().join("new/data"));
    let server = Server::launch(command);
    paste(&server);
    let written = server.written();
    let line = indented(&written).find_map(|line| line.strip_prefix("CALLERID_AUTH_TOKEN="));
    let token = line.unwrap();
    assert_eq!((token.len(), written.matches(token).count()), (32, 1), "{written}");
    server.terminate();
    let server = Server::launch(command);
    let (_, again) = server.terminate();
    assert!(!again.contains(token), "shown again: {again}");
}

#[test]
fn an_account_from_the_environment_works_when_pasted_and_its_token_can_change() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    paste(&server);
    server.terminate();
    let (_, written) = Server::start(data.path()).terminate();
    assert!(!written.contains(TOKEN) && !written.contains("is not the one"), "{written}");
    let other = "another-token";
    let mut server = Server::launch(serve(data.path()).env("CALLERID_AUTH_TOKEN", other));
    server.get(&server.list()).expect_exception(401);
    server.account.auth_token = callerid_core::AuthToken::new(other).unwrap();
    let list = server.get(&server.list()).expect(200);
    assert!(list.text().contains("total=\"1\""), "{}", list.text());
    let (_, written) = server.terminate();
    assert!(written.contains("the token in CALLERID_AUTH_TOKEN is not the one"), "{written}");
}

/// Starts a server that cannot start. Returns its error message.
fn refused(command: &mut Command) -> String {
    let output = run(command);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(output.stdout, b"");
    let errors = String::from_utf8(output.stderr).unwrap();
    let said: Vec<_> = errors.lines().collect();
    assert_eq!(said.len(), 1, "{errors}");
    errors.trim().strip_prefix("callerid: ").expect(&errors).to_owned()
}

#[test]
fn half_an_account_in_the_environment_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let refused = |name, value| refused(serve(data.path()).env(name, value));
    assert_eq!(
        refused("CALLERID_AUTH_TOKEN", ""),
        "CALLERID_ACCOUNT_SID is set and CALLERID_AUTH_TOKEN is not"
    );
    assert_eq!(
        refused("CALLERID_ACCOUNT_SID", ""),
        "CALLERID_AUTH_TOKEN is set and CALLERID_ACCOUNT_SID is not"
    );
    assert!(refused("CALLERID_ACCOUNT_SID", "AC1").starts_with("CALLERID_ACCOUNT_SID: "));
    assert!(refused("CALLERID_AUTH_TOKEN", "a b").starts_with("CALLERID_AUTH_TOKEN: "));
    assert!(refused("CALLERID_KEY", "short").starts_with("CALLERID_KEY: "));
}

#[test]
fn an_address_that_cannot_be_had_is_named() {
    let data = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = refused(serve(data.path()).args(["--listen", &address]));
    assert_eq!(
        said,
        format!("{address} is in use by another program; --listen takes another address")
    );
    let said = refused(serve(data.path()).args(["--listen", "8008"]));
    assert!(said.contains("\"8008\" is no address"), "{said}");
    let said = refused(serve(data.path()).args(["--listen", "192.0.2.1:8008"]));
    assert!(said.starts_with("cannot listen on 192.0.2.1:8008: "), "{said}");
}

#[test]
fn a_directory_that_cannot_be_used_is_named() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("file");
    std::fs::write(&file, "").unwrap();
    let said = refused(&mut serve(&file.join("data")));
    assert!(said.starts_with("cannot keep data in ") && said.contains("/file/data: "), "{said}");
    let said = refused(&mut serve(&file));
    assert!(said.starts_with("cannot keep data in "), "{said}");
}

#[test]
fn a_database_from_a_newer_version_is_left_alone() {
    let data = tempfile::tempdir().unwrap();
    Server::start(data.path()).terminate();
    let database = data.path().join("callerid.sqlite3");
    let connection = rusqlite::Connection::open(&database).unwrap();
    connection.pragma_update(None, "user_version", 1_000).unwrap();
    drop(connection);
    let before = std::fs::read(&database).unwrap();
    let said = refused(&mut serve(data.path()));
    assert!(said.contains("callerid.sqlite3 has version 1000"), "{said}");
    assert!(said.contains("use a newer one"), "{said}");
    assert_eq!(std::fs::read(&database).unwrap(), before);
}

#[test]
fn a_second_server_on_a_directory_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let said = refused(&mut serve(data.path()));
    assert!(said.starts_with("another server works on "), "{said}");
    assert!(said.contains(&format!("(process {})", server.pid())), "{said}");
    server.get(&server.list()).expect(200);
    server.kill();
    Server::start(data.path()).get("/_callerid/health").expect(200);
}

#[test]
fn unknown_options_are_refused_with_the_usage() {
    for arguments in [&["serve", "--port", "1"][..], &["serve", "--timeout", "0"], &["ring"]] {
        let output = run(callerid().args(arguments));
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("--help"), "{output:?}");
    }
}

#[test]
fn it_answers_soon_after_it_is_started() {
    let data = tempfile::tempdir().unwrap();
    Server::start(data.path()).terminate();
    let started = Instant::now();
    Server::start(data.path()).get("/_callerid/health").expect(200);
    let taken = started.elapsed();
    // The goal is 50 ms. This allows for a busy machine and an unoptimised build.
    assert!(taken.as_millis() < 1000, "{taken:?}");
}

#[test]
fn the_log_tells_of_requests_and_keeps_secrets() {
    let data = tempfile::tempdir().unwrap();
    let command = &mut serve(data.path());
    command.args(["--log", "debug,hyper=trace", "--log-format", "json"]);
    command.args(["--trusted-proxy", "127.0.0.0/8"]);
    let server = Server::launch(command);
    let mut proxied = server.connect();
    let head = proxied.head("POST", &server.list());
    let forwarded = "X-Forwarded-For: 198.51.100.1, 192.0.2.7\r\nContent-Length: 22\r\n\r\n";
    proxied.send(format!("{head}{forwarded}PhoneNumber=4158675309"));
    let code = proxied.answer().expect(200).element("ValidationCode").to_owned();
    let call = server.newest_call()["call_sid"].as_str().unwrap().to_owned();
    server.post(&format!("/_callerid/calls/{call}/answer"), "").expect(200);
    server.post(&format!("/_callerid/calls/{call}/digits"), "Digits=918273").expect(200);
    server.get(&format!("{}?PhoneNumber=4158675309", server.list())).expect(200);
    let authorization = server.authorization();
    let (_, written) = server.terminate();
    let events: Vec<serde_json::Value> = written
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    let requests: Vec<_> = events.iter().filter(|event| event["message"] == "request").collect();
    assert_eq!(requests.len(), 5, "{written}");
    assert_eq!(requests[0]["method"], "POST");
    assert_eq!(requests[0]["path"], format!("/2008-08-01/Accounts/{SID}/OutgoingCallerIds"));
    assert_eq!(requests[0]["status"], 200);
    assert_eq!(requests[0]["account"], SID);
    assert!(requests[0]["micros"].is_u64());
    assert_eq!(requests[0]["client"], "192.0.2.7");
    let request_sid = requests[0]["request_sid"].as_str().unwrap();
    assert!(callerid_core::RequestSid::parse(request_sid).is_ok(), "{request_sid}");
    assert_eq!(requests[1]["client"], "127.0.0.1");
    for secret in [code.as_str(), TOKEN, &authorization, &authorization[6..], "918273"] {
        assert!(!written.contains(secret), "{secret} in {written}");
    }
}

#[test]
#[cfg(unix)]
fn a_directory_or_database_that_other_users_can_access_is_refused() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;
    let data = tempfile::tempdir().unwrap();
    Server::start(data.path()).terminate();
    let database = data.path().join("callerid.sqlite3");
    for (path, loose, right) in [(data.path(), 0o775, 0o700), (database.as_path(), 0o640, 0o600)] {
        set_permissions(path, Permissions::from_mode(loose)).unwrap();
        let said = refused(&mut serve(data.path()));
        assert!(said.contains(&format!("has mode {loose:o}")), "{said}");
        assert!(said.ends_with(&format!("chmod {right:o} {}", path.display())), "{said}");
        set_permissions(path, Permissions::from_mode(right)).unwrap();
    }
    Server::start(data.path()).get("/_callerid/health").expect(200);
}

#[test]
#[cfg(target_os = "linux")]
fn too_few_open_files_for_the_connections_are_warned_of() {
    for (files, is_warned) in [(200, true), (900, false)] {
        let data = tempfile::tempdir().unwrap();
        let program = callerid();
        let command = &mut Command::new("sh");
        command.args(["-c", &format!("ulimit -n {files}; exec \"$0\" \"$@\"")]);
        command.arg(program.get_program()).args(["serve", "--listen=127.0.0.1:0", "--data"]);
        let (_, written) = Server::launch(command.arg(data.path())).terminate();
        assert_eq!(written.contains("too few open files"), is_warned, "{written}");
    }
}
