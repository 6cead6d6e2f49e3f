//! `callerid account`, while a server runs.

use std::path::Path;
use std::process::Command;

use callerid_core::{AccountSid, AuthToken};
use callerid_service::Account;

use crate::harness::{Client, SID, Server, authorization, callerid, run, said};

fn account(data: &Path, arguments: &[&str]) -> Command {
    let mut command = callerid();
    command.arg("account").args(arguments).env("CALLERID_DATA", data);
    command
}

/// The account that a command's output shows.
fn shown(output: &str) -> Account {
    let word = |name| {
        let line = output.lines().find(|line| line.contains(name)).expect(output);
        line.split_whitespace().last().unwrap()
    };
    Account {
        sid: AccountSid::parse(word("AccountSid")).unwrap(),
        auth_token: AuthToken::new(word("AuthToken")).unwrap(),
    }
}

#[test]
fn accounts_come_change_and_go_while_a_server_runs() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Server::start(data.path());
    let first = server.account.clone();
    server.validate("4158675309");

    let added = shown(&said(&mut account(data.path(), &["add"])));
    let listed = said(&mut account(data.path(), &["list"]));
    assert_eq!(listed, format!("{SID}\n{}\n", added.sid));
    server.account = added.clone();
    let list = server.list();
    assert!(server.get(&list).expect(200).text().contains("total=\"0\""));
    // Both accounts can validate the same number, and neither sees the other's caller ID.
    let caller_id = server.validate("4158675309");
    let mut other = Client::new(server.address, authorization(&first));
    other.get(&format!("{list}/{caller_id}")).expect_exception(404);

    let rotated = shown(&said(&mut account(data.path(), &["rotate", added.sid.as_str()])));
    assert_eq!(rotated.sid, added.sid);
    server.get(&list).expect_exception(401);
    server.account = rotated;
    server.get(&list).expect(200);

    let removed = said(&mut account(data.path(), &["remove", added.sid.as_str()]));
    assert_eq!(removed, format!("Removed {}\n", added.sid));
    server.get(&list).expect_exception(401);
    assert_eq!(said(&mut account(data.path(), &["list"])), format!("{SID}\n"));
    server.account = first;
    assert!(server.get(&server.list()).expect(200).text().contains("total=\"1\""));
}

#[test]
fn a_number_with_too_many_wrong_codes_is_unlocked() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let mut client = server.connect();
    let list = server.list();
    // 33 calls with three wrong codes each, and one call with one.
    for _ in 0..34 {
        let created = client.post(&list, "PhoneNumber=4158675309").expect(200);
        let wrong = if created.element("ValidationCode") == "000000" { "111111" } else { "000000" };
        let call = server.newest_call()["call_sid"].as_str().unwrap().to_owned();
        client.post(&format!("/_callerid/calls/{call}/answer"), "").expect(200);
        let digits = format!("Digits={}", wrong.repeat(3));
        client.post(&format!("/_callerid/calls/{call}/digits"), &digits).expect(200);
    }
    let refused = client.post(&list, "PhoneNumber=4158675309").expect_exception(429);
    assert_eq!(refused.element("Code"), "20429");
    let unlock = &mut account(data.path(), &["unlock", SID, "+1 415 867 5309"]);
    assert_eq!(said(unlock), "Unlocked (415) 867-5309\n");
    assert_eq!(said(unlock), "Was not locked: (415) 867-5309\n");
    client.post(&list, "PhoneNumber=4158675309").expect(200);
}

#[test]
fn missing_things_are_reported() {
    let data = tempfile::tempdir().unwrap();
    let missing = data.path().join("missing");
    let refused = |path: &Path, arguments: &[&str]| {
        let output = run(&mut account(path, arguments));
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused(&missing, &["list"]).starts_with("callerid: there is no directory "));
    assert!(!missing.exists());
    for arguments in [&["rotate", SID][..], &["remove", SID], &["unlock", SID, "4158675309"]] {
        let said = refused(data.path(), arguments);
        assert_eq!(said, format!("callerid: there is no account {SID}\n"));
    }
    let output = run(&mut account(data.path(), &["unlock", SID, "415-867-530"]));
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("too few digits"), "{output:?}");
}

#[test]
fn the_directory_may_be_named_before_and_after_the_command() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().to_str().unwrap();
    let added = shown(&said(callerid().args(["account", "add", "--data", path])));
    for arguments in [["account", "--data", path, "list"], ["account", "list", "--data", path]] {
        assert_eq!(said(callerid().args(arguments)), format!("{}\n", added.sid));
    }
}
