//! `callerid import`: a directory that is copied to a database gives the same answers there.

use std::path::Path;
use std::process::Command;

use callerid_core::{AccountSid, AuthToken, Credentials, Moment};
use callerid_server::clock::Clock;
use callerid_server::postgres::{DatabaseOptions, PostgresStore};
use callerid_server::seal::SealingKey;
use callerid_server::server::ServerStore as _;
use callerid_server::store::{DurableStore as _, Options, SqliteStore};
use callerid_service::{Account, RandomBytes, Request, Service, Store as _};

use crate::cluster::Cluster;
use crate::fair_shares::another_account;
use crate::harness::{Client, SID, Server, authorization, callerid, run, said, serve};

const KEY: &str = "c0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ff";

fn command(arguments: &[&str], data: &Path) -> Command {
    let mut command = callerid();
    command.args(arguments).arg("--data").arg(data);
    command
}

fn import(data: &Path, database: &str) -> Command {
    let mut command = callerid();
    command.arg("import").arg(data).args(["--database", database]).env("CALLERID_KEY", KEY);
    command
}

fn refused(command: &mut Command) -> String {
    let output = run(command);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// Everything that a directory can contain. Returns the accounts, a session of the first one, and a
/// live call of it with its code.
fn fill(data: &Path) -> (Vec<Account>, String, [String; 2]) {
    let server = Server::launch(serve(data).args(["--callback-allow", "127.0.0.1"]));
    let (other, _) = another_account(data);
    let mut second = Client::new(server.address, authorization(&other));
    let list_of_second = format!("/2010-04-01/Accounts/{}/OutgoingCallerIds.json", other.sid);
    let rows: Vec<_> = (0..5).map(|row| server.validate(&format!("415867530{row}"))).collect();
    let path = |sid: &str| format!("{}/{sid}", server.list());
    server.connect().request("PUT", &path(&rows[1]), "FriendlyName=Zo%C3%AB").expect(200);
    server.connect().request("DELETE", &path(&rows[2]), "").expect(204);
    // The other account's events are between those of the first.
    second.post(&list_of_second, "PhoneNumber=4158675301").expect(200);
    server.validate("2127365000");
    // A call that ended after two wrong codes, and reports that to nobody.
    let report = "StatusCallback=http://user:password@127.0.0.1:9/done";
    let list_in_json = format!("/2010-04-01/Accounts/{SID}/OutgoingCallerIds.json");
    let create = |form: &str| {
        let created = server.post(&list_in_json, &format!("{form}&{report}")).expect(200).json();
        created["validation_code"].as_str().unwrap().to_owned()
    };
    let code = create("PhoneNumber=4158675309");
    let call = server.newest_call()["call_sid"].as_str().unwrap().to_owned();
    let phone = |call: &str, event: &str| format!("/_callerid/calls/{call}/{event}");
    let wrong = if code == "000000" { "111111" } else { "000000" };
    server.post(&phone(&call, "answer"), "").expect(200);
    for _ in 0..2 {
        server.post(&phone(&call, "digits"), &format!("Digits={wrong}")).expect(200);
    }
    server.post(&phone(&call, "hangup"), "").expect(200);
    create("PhoneNumber=4158675310&CallDelay=60&Extension=12&FriendlyName=x");
    let code = create("PhoneNumber=4158675311");
    let live = server.newest_call()["call_sid"].as_str().unwrap().to_owned();
    server.post(&phone(&live, "answer"), "").expect(200);
    let session = server.post("/_callerid/sessions", "").expect(200).json();
    let session = session["session"].as_str().unwrap().to_owned();
    said(&mut command(&["optout", "add", "3129220000"], data));
    said(&mut command(&["line", "stop"], data));
    let accounts = vec![server.account.clone(), other];
    server.terminate();
    // What only a real line leaves.
    let connection = rusqlite::Connection::open(data.join("callerid.sqlite3")).unwrap();
    let line = format!(
        "INSERT INTO line_call (number, account_sid, at) VALUES ('4158675309', '{SID}', 5), (NULL, '{SID}', 7);
         INSERT INTO line_number (number, wrong_entries) VALUES ('4158675309', 3);"
    );
    connection.execute_batch(&line).unwrap();
    (accounts, session, [live, code])
}

/// Asserts that a request gets the same answer from both services.
async fn assert_same_answer(
    services: (&Service<SqliteStore>, &Service<PostgresStore>, Moment),
    account: &Account,
    method: &str,
    address: &str,
    form: &str,
) {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let Account { sid, auth_token } = account.clone();
    let request = Request {
        method,
        path,
        query,
        credentials: Some(Credentials { sid, auth_token }),
        content_type: (method != "GET").then_some("application/x-www-form-urlencoded"),
        body: form.as_bytes(),
        ..Request::default()
    };
    let random = RandomBytes::new(std::array::from_fn(|at| at as u8 ^ 0x5a));
    let one = services.0.respond(request.clone(), services.2, &random).await.response;
    let other = services.1.respond(request, services.2, &random).await.response;
    assert_eq!(one, other, "{method} {address}");
    // There are pages that an account does not have.
    let is_as_expected = one.status < 300 || method == "GET" && one.status == 400;
    assert!(is_as_expected, "{method} {address}: {}", one.status);
}

async fn assert_same_contents(one: &SqliteStore, other: &PostgresStore, accounts: &[Account]) {
    assert_eq!(one.accounts().await.unwrap(), other.accounts().await.unwrap());
    assert_eq!(one.failed_numbers().await.unwrap(), other.failed_numbers().await.unwrap());
    assert_eq!(one.opt_outs().await.unwrap(), other.opt_outs().await.unwrap());
    assert_eq!(one.line_stopped_at().await.unwrap(), other.line_stopped_at().await.unwrap());
    for account in accounts {
        let sid = &account.sid;
        let find = (one.account(sid).await.unwrap(), other.account(sid).await.unwrap());
        assert_eq!(find, (Some(account.clone()), Some(account.clone())));
        assert_eq!(one.contents(sid).await.unwrap(), other.contents(sid).await.unwrap());
        let newest = one.events_after(sid, 0, 2_000).await.unwrap().newest;
        for after in (0..40).chain([newest.saturating_sub(1_000), newest - 1, newest, newest + 1]) {
            let events = one.events_after(sid, after, 2_000).await.unwrap();
            assert_eq!(events, other.events_after(sid, after, 2_000).await.unwrap(), "{after}");
        }
    }
}

#[tokio::test]
async fn an_imported_directory_gives_the_same_answers() {
    let cluster = Cluster::start();
    let database = cluster.database();
    let directory = tempfile::tempdir().unwrap();
    let (accounts, session, [live, code]) = fill(directory.path());
    let imported = said(&mut import(directory.path(), &database));
    assert!(
        imported.contains("accounts 2, caller IDs 5, calls 10, callbacks 1, events "),
        "{imported}"
    );

    // The servers themselves. Callbacks are left out, because both servers try to send them.
    {
        let on_directory = Server::start(directory.path());
        let over = |command: &mut Command| {
            Server::launch(command.env("CALLERID_DATABASE", &database).env("CALLERID_KEY", KEY))
        };
        let over_database = over(&mut serve(directory.path()));
        let list = on_directory.list();
        for path in [list.clone(), format!("{list}?num=2&page=1"), "/_callerid/calls".to_owned()] {
            let [one, other] =
                [&on_directory, &over_database].map(|it| it.get(&path).expect(200).body);
            assert_eq!(String::from_utf8(one).unwrap(), String::from_utf8(other).unwrap());
        }
        let auth_token = AuthToken::new(&session).unwrap();
        let signed_in = Account { auth_token, ..over_database.account.clone() };
        let mut client = Client::new(over_database.address, authorization(&signed_in));
        client.get(&list).expect(200);
        let errors = refused(&mut import(directory.path(), &database));
        assert!(errors.contains("another server works on"), "{errors}");
    }

    // Again, since they have changed what they serve: into another database.
    let database = cluster.database();
    said(&mut import(directory.path(), &database));
    let sqlite = SqliteStore::open(directory.path(), Options::default()).unwrap();
    let key = SealingKey::parse(KEY).unwrap();
    let postgres = PostgresStore::open(&database, DatabaseOptions::default(), key).await.unwrap();
    let session = Credentials {
        sid: AccountSid::parse(SID).unwrap(),
        auth_token: AuthToken::new(&session).unwrap(),
    };
    let now = Clock::system().now();
    assert!(postgres.session_account(&session, now).await.unwrap().is_some());
    assert_same_contents(&sqlite, &postgres, &accounts).await;
    let (one, other) = (Service::new(sqlite), Service::new(postgres));
    let services = (&one, &other, now);
    for account in &accounts {
        for version in ["2008-08-01", "2010-04-01"] {
            let list = format!("/{version}/Accounts/{}/OutgoingCallerIds", account.sid);
            for rest in [
                "",
                ".json",
                ".csv",
                ".html",
                "?num=2",
                "?num=2&page=1",
                "?PhoneNumber=4158675301",
                "?FriendlyName=Zo%C3%AB",
                ".json?PageSize=2&Page=1",
            ] {
                if version == "2008-08-01" || !rest.starts_with(".html") {
                    assert_same_answer(services, account, "GET", &format!("{list}{rest}"), "")
                        .await;
                }
            }
        }
        for path in ["/_callerid/calls", "/_callerid/calls?num=3", "/_callerid/callbacks"] {
            assert_same_answer(services, account, "GET", path, "").await;
        }
    }
    // The live call goes on, and its changes' events have the same ids.
    let first = &accounts[0];
    let digits = format!("/_callerid/calls/{live}/digits");
    assert_same_answer(services, first, "POST", &digits, &format!("Digits={code}")).await;
    let list = format!("/2008-08-01/Accounts/{}/OutgoingCallerIds", first.sid);
    let rows = one.store().contents(&first.sid).await.unwrap().caller_ids;
    assert_same_answer(
        services,
        first,
        "PUT",
        &format!("{list}/{}", rows[0].sid),
        "FriendlyName=Y",
    )
    .await;
    assert_same_answer(services, first, "DELETE", &format!("{list}/{}", rows[1].sid), "").await;
    assert_same_answer(services, first, "POST", &list, "PhoneNumber=6172530000").await;
    assert_same_contents(one.store(), other.store(), &accounts[..1]).await;
    // Beyond a thousand events, the oldest are dropped, though the imported ones have gaps.
    for turn in 0..1_100 {
        let now = now.plus_seconds(turn);
        one.store().rename(&first.sid, &rows[2].sid, None, now).await.unwrap().unwrap();
        other.store().rename(&first.sid, &rows[2].sid, None, now).await.unwrap().unwrap();
        if turn % 490 == 0 {
            assert_same_contents(one.store(), other.store(), &accounts[..1]).await;
        }
    }
    assert_same_contents(one.store(), other.store(), &accounts[..1]).await;
    let rows = cluster.psql(
        database.rsplit_once('=').unwrap().1,
        "SELECT number, account_sid, at FROM line_call ORDER BY id",
    );
    assert_eq!(rows, format!("4158675309|{SID}|5\n|{SID}|7\n"));
}

#[test]
fn an_import_is_refused_where_it_would_lose_something() {
    let cluster = Cluster::start();
    let parent = tempfile::tempdir().unwrap();
    let (missing, data) = (parent.path().join("missing"), parent.path().join("data"));
    let served = cluster.database();
    let errors = refused(&mut import(&missing, &served));
    assert!(errors.contains("callerid.sqlite3: No such file") && !missing.exists(), "{errors}");

    // A directory whose key is in the environment.
    let server = Server::launch(serve(&data).env("CALLERID_KEY", KEY));
    server.validate("4158675309");
    let errors = refused(&mut import(&data, &served));
    assert!(errors.contains("another server works on"), "{errors}");
    server.terminate();
    let errors = refused(import(&data, &served).env("CALLERID_KEY", "5b".repeat(32)));
    assert!(errors.contains("sealed with another key"), "{errors}");

    let over = |command: &mut Command| {
        Server::launch(command.env("CALLERID_DATABASE", &served).env("CALLERID_KEY", KEY))
    };
    let server = over(&mut serve(&data));
    let errors = refused(&mut import(&data, &served));
    assert!(errors.contains("a server serves the database: stop it first"), "{errors}");
    server.terminate();
    let errors = refused(&mut import(&data, &served));
    assert!(errors.contains("is not empty, there are rows in its table account"), "{errors}");

    let connection = rusqlite::Connection::open(data.join("callerid.sqlite3")).unwrap();
    let spoil = |status: &str| connection.execute("UPDATE call SET status = ?1", [status]).unwrap();
    spoil("x");
    let database = cluster.database();
    let errors = refused(&mut import(&data, &database));
    assert!(
        errors.contains("cannot be read (`callerid check` names them): calls 1 of 1"),
        "{errors}"
    );
    spoil("completed");
    let imported = said(&mut import(&data, &database));
    assert!(imported.contains("accounts 1, caller IDs 1, calls 1, callbacks 0"), "{imported}");
}
