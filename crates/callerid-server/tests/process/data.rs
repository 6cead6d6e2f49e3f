//! The data directory: what the server does when it is removed or replaced.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{Server, callerid, run, said};

const DATABASE: &str = "callerid.sqlite3";

/// Removes something while the server runs. The server must notice it, report it and exit.
fn take_away(take: impl FnOnce(&Path)) -> (tempfile::TempDir, String) {
    let parent = tempfile::tempdir().unwrap();
    let data = parent.path().join("data");
    let server = Server::start(&data);
    let mut client = server.connect();
    let list = server.list();
    client.post(&list, "PhoneNumber=4158675309").expect(200);
    take(&data);
    let taken = Instant::now();
    // Even before the server notices, it acknowledges nothing that the next start would not find.
    if let Ok(response) = client.try_request("POST", &list, "PhoneNumber=4158675310") {
        let response = response.expect_exception(503);
        assert_eq!(response.header("retry-after"), Some("1"));
    }
    let (status, written) = server.wait();
    assert!(taken.elapsed() < Duration::from_secs(3), "{:?}", taken.elapsed());
    assert_eq!(status.code(), Some(1), "{written}");
    let last = written.lines().last().unwrap();
    assert!(last.starts_with("callerid: the store failed: "), "{written}");
    assert!(last.ends_with(" was removed or replaced while it was in use"), "{written}");
    (parent, written)
}

#[test]
fn a_directory_that_is_removed_ends_the_server() {
    let (parent, written) = take_away(|data| fs::remove_dir_all(data).unwrap());
    assert!(written.contains("nothing more can be kept"), "{written}");
    assert_eq!(fs::read_dir(&parent).unwrap().count(), 0, "nothing is made in its place");
}

#[test]
fn a_directory_that_is_moved_keeps_what_was_acknowledged() {
    let (parent, _) = take_away(|data| fs::rename(data, data.with_file_name("moved")).unwrap());
    let server = Server::start(&parent.path().join("moved"));
    assert_eq!(server.newest_call()["phone_number"], "4158675309");
}

#[test]
fn a_lock_or_a_log_that_is_removed_ends_the_server() {
    for name in ["lock", "callerid.sqlite3-wal"] {
        take_away(|data| fs::remove_file(data.join(name)).unwrap());
    }
}

#[test]
fn a_database_that_is_replaced_is_not_written() {
    let other = tempfile::tempdir().unwrap();
    let server = Server::start(other.path());
    server.create("PhoneNumber=2127365000");
    server.kill();
    let files = [DATABASE, "callerid.sqlite3-wal"];
    let read = |directory: &Path| files.map(|name| fs::read(directory.join(name)).unwrap());
    let before = read(other.path());
    let (parent, _) = take_away(|data| {
        for name in files {
            let new = data.join("new");
            fs::copy(other.path().join(name), &new).unwrap();
            fs::rename(new, data.join(name)).unwrap();
        }
    });
    assert!(read(&parent.path().join("data")) == before, "written");
}

fn command(arguments: &[&str], data: &Path) -> Command {
    let mut command = callerid();
    command.args(arguments).env("CALLERID_DATA", data);
    command
}

/// The standard output and the error message of a command that fails.
fn failed(command: &mut Command) -> (String, String) {
    let output = run(command);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr))
}

#[test]
fn a_backup_of_a_busy_server_restores_what_was_acknowledged_before_it() {
    let parent = tempfile::tempdir().unwrap();
    let (data, file) = (&parent.path().join("data"), parent.path().join("backup"));
    let server = Server::start(data);
    let name = file.to_str().unwrap();
    let (mut before, mut all) = (0, 0);
    thread::scope(|scope| {
        let create = scope.spawn(|| {
            let mut client = server.connect();
            for number in 0..400 {
                let form = format!("PhoneNumber=415867{number:04}");
                let _ = client.post(&server.list(), &form);
            }
            server.get("/_callerid/calls").expect(200).json()["calls"].as_array().unwrap().len()
        });
        while before < 20 {
            before = server.get("/_callerid/calls").json()["calls"].as_array().unwrap().len();
        }
        said(&mut command(&["backup", name], data));
        all = create.join().unwrap();
    });
    assert!(said(&mut command(&["check", name], data)).contains("is sound: accounts 1,"));
    assert!(said(&mut command(&["check"], data)).contains("is sound: accounts 1,"));
    let (_, errors) = failed(&mut command(&["backup", name], data));
    assert!(errors.ends_with(" is there already; --overwrite replaces it\n"), "{errors}");
    let length = fs::metadata(&file).unwrap().len();
    said(&mut command(&["backup", "--overwrite", name], data));
    assert!(fs::metadata(&file).unwrap().len() >= length);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o077, 0);
    }
    server.kill();

    // Restores as docs/operating.md describes.
    for beside in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(data.join(format!("{DATABASE}{beside}")));
    }
    let (_, errors) = failed(&mut command(&["serve", "--listen=127.0.0.1:0"], data));
    assert!(errors.contains("is missing or empty"), "{errors}");
    fs::rename(&file, data.join(DATABASE)).unwrap();
    let server = Server::start(data);
    let calls = server.get("/_callerid/calls").expect(200).json();
    let restored = calls["calls"].as_array().unwrap().len();
    assert!(restored >= before && restored <= all, "{before} {restored} {all}");
    server.validate("4155550123");
    let left: Vec<_> = fs::read_dir(&parent).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(left, ["data"]);
}

#[test]
fn backup_errors_name_the_problem() {
    let data = tempfile::tempdir().unwrap();
    let missing = data.path().join("missing");
    let (_, errors) = failed(&mut command(&["backup", "x"], &missing));
    assert!(errors.contains("callerid.sqlite3: No such file"), "{errors}");
    assert!(!missing.exists());
    Server::start(data.path()).terminate();
    let database = data.path().join(DATABASE);
    let itself = ["backup", "--overwrite", database.to_str().unwrap()];
    let (_, errors) = failed(&mut command(&itself, data.path()));
    assert!(errors.contains("is the database; name another file"), "{errors}");
    let (_, errors) = failed(&mut command(&["backup", "/nowhere/file"], data.path()));
    assert!(errors.starts_with("callerid: cannot write /nowhere/file: "), "{errors}");
}

#[test]
fn a_check_says_what_is_wrong() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    server.validate("4158675309");
    server.create("PhoneNumber=4158675310");
    server.terminate();
    let connection = rusqlite::Connection::open(data.path().join(DATABASE)).unwrap();
    let spoil = "PRAGMA foreign_keys = OFF;
         UPDATE caller_id SET number = 'x';
         UPDATE call SET status = 'x';
         UPDATE event SET account = 99 WHERE id = (SELECT max(id) FROM event);
         UPDATE account SET sealed_token = x'00'";
    connection.execute_batch(spoil).unwrap();
    drop(connection);
    let (found, errors) = failed(&mut command(&["check"], data.path()));
    assert!(errors.ends_with("callerid.sqlite3: 5 found\n"), "{found}{errors}");
    for expected in [
        "a row of the table event is of no account",
        "a caller ID cannot be read: PN",
        "a call cannot be read: CA",
        "the token of account AC309475e5fede1b49e100272a8640f438 cannot be unsealed",
    ] {
        assert!(found.contains(expected), "{expected}: {found}");
    }
    fs::remove_file(data.path().join("key")).unwrap();
    let (found, _) = failed(&mut command(&["check"], data.path()));
    assert!(found.contains("the key that tokens were sealed with is not in "), "{found}");
}

/// Keeps all other processes from changing the database.
fn lock(data: &Path) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(data.join(DATABASE)).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    connection
}

#[test]
fn a_database_that_another_process_has_locked_is_answered_with_503_and_when_to_try_again() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let locked = lock(data.path());
    let refused = server.post(&server.list(), "PhoneNumber=4158675309").expect_exception(503);
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert!(refused.text().contains("<Code>20503</Code>"), "{}", refused.text());
    server.get(&server.list()).expect(200);
    drop(locked);
    server.create("PhoneNumber=4158675309");
}

#[test]
fn a_change_is_answered_to_a_client_that_sends_nothing_more() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let locked = lock(data.path());
    let mut client = server.connect();
    let head = client.head("POST", &server.list());
    client.send(format!("{head}Content-Length: 22\r\n\r\nPhoneNumber=4158675309"));
    client.finish();
    assert!(!client.hears_within(Duration::from_millis(300)), "it is under way");
    drop(locked);
    client.answer().expect(200).element("ValidationCode");
    assert!(client.is_closed());
}
