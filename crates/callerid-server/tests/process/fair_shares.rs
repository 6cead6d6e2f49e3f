//! Fair shares: no account or address uses up what others need.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use callerid_service::Account;

use crate::events;
use crate::harness::{Client, Response, SID, Server, authorization, callerid, said, serve};

fn number(data: &Path, arguments: &[&str]) -> Command {
    let mut command = callerid();
    command.args(["number", "--data"]).arg(data).args(arguments);
    command
}

/// Adds another account to this server. Returns it and its list.
pub(crate) fn another_account(data: &Path) -> (Account, String) {
    let mut add = callerid();
    let added = said(add.args(["account", "--data"]).arg(data).arg("add"));
    let word = |name| {
        let (_, rest) = added.split_once(name).unwrap();
        rest.split_whitespace().next().unwrap().to_owned()
    };
    let sid = callerid_core::AccountSid::parse(&word("AccountSid")).unwrap();
    let auth_token = callerid_core::AuthToken::new(&word("AuthToken")).unwrap();
    let list = format!("/2008-08-01/Accounts/{sid}/OutgoingCallerIds");
    (Account { sid, auth_token }, list)
}

fn metrics(server: &Server) -> String {
    let mut client = server.connect();
    client.send("GET /_callerid/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client.answer().expect(200).text().to_owned()
}

/// How often that limit has refused something.
fn refusals(server: &Server, limit: &str) -> u64 {
    let metrics = metrics(server);
    let name = format!("callerid_limit_refusals_total{{limit=\"{limit}\"}} ");
    let count = metrics.lines().find_map(|line| line.strip_prefix(&name));
    count.map_or(0, |count| count.parse().unwrap())
}

#[track_caller]
fn expect_limit(client: &mut Client, list: &str, form: &str) -> u32 {
    let refused = client.post(list, form).expect_exception(429);
    assert_eq!(refused.element("Code"), "20429");
    refused.header("retry-after").expect("Retry-After").parse().unwrap()
}

#[test]
fn an_account_has_so_many_calls_under_way_and_all_have_so_many() {
    let data = tempfile::tempdir().unwrap();
    let options = ["--max-calls-per-account", "2", "--max-calls", "3"];
    let server = Server::launch(serve(data.path()).args(options));
    let list = server.list();
    let mut client = server.connect();
    for form in ["PhoneNumber=4158675309", "PhoneNumber=4158675310", "PhoneNumber=4158675309"] {
        client.post(&list, form).expect(200);
    }
    assert!(expect_limit(&mut client, &list, "PhoneNumber=4158675311") > 0);
    assert_eq!(refusals(&server, "TooManyCallsOfAccount"), 1);
    let (other, others_list) = another_account(data.path());
    let mut others = Client::new(server.address, authorization(&other));
    others.post(&others_list, "PhoneNumber=4158675311").expect(200);
    expect_limit(&mut others, &others_list, "PhoneNumber=4158675312");
    // A call that ends makes room for another.
    let call = server.newest_call()["call_sid"].as_str().unwrap().to_owned();
    server.post(&format!("/_callerid/calls/{call}/busy"), "").expect(200);
    client.post(&list, "PhoneNumber=4158675311").expect(200);
}

#[test]
fn no_two_creates_at_once_pass_the_limit() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::launch(serve(data.path()).args(["--max-calls-per-account", "5"]));
    let creates: Vec<_> = (0..20)
        .map(|last| {
            let (mut client, list) = (server.connect(), server.list());
            let form = format!("PhoneNumber=41586753{last:02}");
            std::thread::spawn(move || client.post(&list, &form).status())
        })
        .collect();
    let statuses = creates.into_iter().map(|create| create.join().unwrap());
    assert_eq!(statuses.filter(|status| *status == 200).count(), 5);
}

#[test]
fn a_number_rings_so_often_whoever_calls_it() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::launch(serve(data.path()).args(["--max-rings-per-number", "3"]));
    let (other, others_list) = another_account(data.path());
    let mut others = Client::new(server.address, authorization(&other));
    server.create("PhoneNumber=4158675309");
    server.create("PhoneNumber=4158675309");
    others.post(&others_list, "PhoneNumber=4158675309").expect(200);
    let wait = expect_limit(&mut server.connect(), &server.list(), "PhoneNumber=4158675309");
    assert!((3_500..=3_600).contains(&wait), "{wait}");
    server.create("PhoneNumber=4158675310");
    said(&mut number(data.path(), &["clear", "415-867-5309"]));
    others.post(&others_list, "PhoneNumber=4158675309").expect(200);
}

#[test]
fn wrong_codes_count_across_accounts_and_the_operator_clears_them() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (other, others_list) = another_account(data.path());
    let own = (server.connect(), server.list());
    let mut both = [own, (Client::new(server.address, authorization(&other)), others_list)];
    for turn in 0..34 {
        let (client, list) = &mut both[turn % 2];
        let created = client.post(list, "PhoneNumber=4158675309").expect(200);
        let wrong = if created.element("ValidationCode") == "000000" { "111111" } else { "000000" };
        let calls = client.get("/_callerid/calls").expect(200).json();
        let call = calls["calls"][0]["call_sid"].as_str().unwrap().to_owned();
        client.post(&format!("/_callerid/calls/{call}/answer"), "").expect(200);
        let digits = format!("Digits={}", wrong.repeat(3));
        client.post(&format!("/_callerid/calls/{call}/digits"), &digits).expect(200);
    }
    for (client, list) in &mut both {
        let wait = expect_limit(client, list, "PhoneNumber=4158675309");
        assert!((1..=60).contains(&wait), "{wait}");
    }
    let listed = said(&mut number(data.path(), &["list"]));
    assert!(listed.starts_with("4158675309\t100\t"), "{listed}");
    let cleared = said(&mut number(data.path(), &["clear", "415-867-5309"]));
    assert_eq!(cleared, "Cleared (415) 867-5309: 100 wrong codes, 34 calls\n");
    for (client, list) in &mut both {
        client.post(list, "PhoneNumber=4158675309").expect(200);
    }
    assert_eq!(said(&mut number(data.path(), &["list"])), "");
}

#[test]
fn the_operator_sets_how_many_wrong_codes_a_number_may_have() {
    let data = tempfile::tempdir().unwrap();
    let most = ["--max-wrong-codes-per-number", "4"];
    let server = Server::launch(serve(data.path()).args(most));
    for (wrong, entries_left) in [("1#2#3#", 0), ("4#", 0)] {
        server.create("PhoneNumber=4158675309");
        let call = server.newest_call()["call_sid"].as_str().unwrap().to_owned();
        server.post(&format!("/_callerid/calls/{call}/answer"), "").expect(200);
        let digits = format!("Digits={}", wrong.replace('#', "%23"));
        server.post(&format!("/_callerid/calls/{call}/digits"), &digits).expect(200);
        let ended = server.newest_call();
        assert_eq!(
            (&ended["entries_left"], &ended["status"]),
            (&entries_left.into(), &"completed".into())
        );
    }
    let wait = expect_limit(&mut server.connect(), &server.list(), "PhoneNumber=4158675309");
    assert!((1..=60).contains(&wait), "{wait}");
    let waits = |options: &[&str]| {
        let listed = said(number(data.path(), &["list"]).args(options));
        let wait = listed.trim_end().strip_prefix("4158675309\t4\t");
        wait.unwrap_or_else(|| panic!("{listed:?}")).parse::<u32>().unwrap()
    };
    assert!((1..=60).contains(&waits(&most)));
    assert_eq!(waits(&[]), 0);
}

#[test]
fn callbacks_that_wait_are_bounded_for_an_account() {
    let data = tempfile::tempdir().unwrap();
    let options = ["--max-callbacks-per-account", "2", "--callback-allow", "127.0.0.1"];
    let server = Server::launch(serve(data.path()).args(options));
    let list = format!("/2010-04-01/Accounts/{SID}/OutgoingCallerIds");
    // Nothing listens on port 1.
    let form = |last| format!("PhoneNumber=%2B1415867530{last}&StatusCallback=http://127.0.0.1:1/");
    for last in 0..2 {
        server.post(&list, &form(last)).expect(200);
        let call = server.newest_call()["call_sid"].as_str().unwrap().to_owned();
        server.post(&format!("/_callerid/calls/{call}/busy"), "").expect(200);
    }
    expect_limit(&mut server.connect(), &list, &form(3));
    server.post(&list, "PhoneNumber=%2B14158675303").expect(200);
}

/// A client that connects from 127.0.0.2.
fn from_elsewhere(address: SocketAddr, authorization: String) -> Client {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let connected = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        socket.connect(address).await.unwrap().into_std().unwrap()
    });
    connected.set_nonblocking(false).unwrap();
    Client::over(connected, authorization)
}

#[test]
fn after_a_hundred_wrong_tokens_the_next_ones_wait_and_nobody_elsewhere_does() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let auth_token = callerid_core::AuthToken::new("not-this-one").unwrap();
    let wrong = authorization(&Account { auth_token, ..server.account.clone() });
    let mut guesser = Client::new(server.address, wrong.clone());
    for _ in 0..100 {
        guesser.get(&server.list()).expect_exception(401);
    }
    for path in [&server.list(), "/_callerid/calls", "/_callerid/events"] {
        let refused = guesser.get(path).expect_exception(429);
        assert_eq!(refused.header("retry-after"), Some("1"));
    }
    // The right token from there must wait too; otherwise guessing could continue. From elsewhere
    // it works.
    server.get(&server.list()).expect_exception(429);
    from_elsewhere(server.address, server.authorization()).get(&server.list()).expect(200);
    from_elsewhere(server.address, wrong).get(&server.list()).expect_exception(401);
    assert_eq!(refusals(&server, "TooManyWrongTokens"), 4);
    std::thread::sleep(Duration::from_millis(2_100));
    guesser.get(&server.list()).expect_exception(401);
    let (_, written) = server.terminate();
    let lines = written.lines().filter(|line| line.contains("wrong token")).count();
    assert!((1..=4).contains(&lines), "{written}");
    assert!(written.contains(SID) && !written.contains("not-this-one"), "{written}");
}

#[test]
fn a_short_token_from_the_environment_is_taken_with_a_warning() {
    let data = tempfile::tempdir().unwrap();
    let mut command = serve(data.path());
    let server = Server::launch(command.env("CALLERID_AUTH_TOKEN", "short"));
    let auth_token = callerid_core::AuthToken::new("short").unwrap();
    let account = Account { auth_token, ..server.account.clone() };
    Client::new(server.address, authorization(&account)).get(&server.list()).expect(200);
    server.expect_written("CALLERID_AUTH_TOKEN is shorter than 16 characters");
}

#[test]
fn calls_and_callbacks_come_in_pages() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::launch(serve(data.path()).args(["--callback-allow", "127.0.0.1"]));
    let list = format!("/2010-04-01/Accounts/{SID}/OutgoingCallerIds");
    let mut client = server.connect();
    for last in 0..60 {
        let form = format!("PhoneNumber=%2B141586753{last:02}&StatusCallback=http://127.0.0.1:1/");
        client.post(&list, &form).expect(200);
        let call =
            client.get("/_callerid/calls?num=1").expect(200).json()["calls"][0]["call_sid"].clone();
        if last < 7 {
            let call = call.as_str().unwrap();
            client.post(&format!("/_callerid/calls/{call}/busy"), "").expect(200);
        }
    }
    for (what, begin, sizes) in [
        ("calls", "/_callerid/calls", &[50, 10][..]),
        ("calls", "/_callerid/calls?num=25", &[25, 25, 10]),
        ("calls", "/_callerid/calls?PageSize=1000", &[60]),
        ("callbacks", "/_callerid/callbacks?num=4", &[4, 3]),
    ] {
        let (mut seen, mut found, mut next) = (Vec::new(), Vec::new(), Some(begin.to_owned()));
        while let Some(path) = next.take() {
            let page = client.get(&path).expect(200).json();
            let rows = page[what].as_array().unwrap();
            found.push(rows.len());
            seen.extend(rows.iter().map(|row| row["call_sid"].as_str().unwrap().to_owned()));
            next = page["next_page_uri"].as_str().map(str::to_owned);
        }
        assert_eq!(found, sizes, "{begin}");
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), sizes.iter().sum::<usize>(), "{begin}");
    }
    for wrong in ["num=0", "num=1001", "PageToken=", "PageToken=CA1", "PageToken=x"] {
        let expected = if wrong == "PageToken=" { 200 } else { 400 };
        client.get(&format!("/_callerid/calls?{wrong}")).expect(expected);
    }
}

/// The ids and the names of what a stream tells, to its end.
fn told(stream: &mut Client) -> Vec<(u64, String)> {
    let events = std::iter::from_fn(|| events::next(stream));
    events.filter_map(|event| Some((event.id?, event.name))).collect()
}

#[test]
fn five_hundred_streams_of_an_account_shut_out_no_other_s() {
    let data = tempfile::tempdir().unwrap();
    let options = ["--max-connections", "600", "--max-stream-age", "60"];
    let server = Server::launch(serve(data.path()).args(options));
    let (other, others_list) = another_account(data.path());
    let mut streams = Vec::new();
    for _ in 0..512 {
        let mut client = server.connect();
        let head = client.head("GET", "/_callerid/events");
        let head = client.send(format!("{head}\r\n")).read_head().unwrap();
        match head.starts_with("HTTP/1.1 200 ") {
            true => streams.push(client),
            false => {
                assert!(head.starts_with("HTTP/1.1 429 "), "{head}");
                assert!(head.contains("retry-after: "), "{head}");
            }
        }
    }
    assert_eq!(streams.len(), 128);
    let mut others = Client::new(server.address, authorization(&other));
    let head = others.head("GET", "/_callerid/events");
    others.send(format!("{head}\r\n")).read_head().unwrap();
    events::next(&mut others).unwrap();
    let mut creator = Client::new(server.address, authorization(&other));
    creator.post(&others_list, "PhoneNumber=4158675309").expect(200);
    assert_eq!(events::next(&mut others).unwrap().name, "call");
    assert_eq!(refusals(&server, "TooManyStreams"), 384);
}

#[test]
fn a_stream_ends_at_its_age_and_resumes_without_a_loss() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::launch(serve(data.path()).args(["--max-stream-age", "1"]));
    let mut told_in_all = Vec::new();
    let mut creates = 0;
    while creates < 30 {
        let last = told_in_all.last().map_or(0, |(id, _)| *id);
        let mut stream = events::open(&server, Some(last));
        let started = Instant::now();
        // Until it is about to end, and past that.
        while started.elapsed() < Duration::from_millis(1_100) {
            server.create(&format!("PhoneNumber=41586753{creates:02}"));
            creates += 1;
            std::thread::sleep(Duration::from_millis(100));
        }
        told_in_all.extend(told(&mut stream).into_iter().filter(|(_, name)| name == "call"));
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    }
    let last = told_in_all.last().unwrap().0;
    let mut stream = events::open(&server, Some(last));
    told_in_all.extend(told(&mut stream).into_iter().filter(|(_, name)| name == "call"));
    let ids: Vec<_> = told_in_all.into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, (1..=creates).collect::<Vec<u64>>());
}

fn probe(client: &mut Client, name: &str) -> Response {
    client.send(format!("GET /_callerid/{name} HTTP/1.1\r\nHost: x\r\n\r\n")).answer()
}

#[test]
fn an_address_has_so_many_connections_and_its_probes_are_answered() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::launch(serve(data.path()).args(["--max-connections-per-address", "2"]));
    let mut clients = [server.connect(), server.connect()];
    for client in &mut clients {
        client.get("/_callerid/health").expect(200);
    }
    for name in ["live", "ready"] {
        let mut prober = server.connect();
        probe(&mut prober, name).expect(200);
        assert!(prober.is_closed());
    }
    let mut third = server.connect();
    let refused = third.get(&server.list()).expect_exception(429);
    assert!(refused.header("retry-after").is_some());
    assert!(third.is_closed());
    from_elsewhere(server.address, server.authorization()).get(&server.list()).expect(200);
    drop(third);
    std::thread::sleep(Duration::from_millis(100));
    // Not even for probes without an end.
    let silent: Vec<_> = (0..4).map(|_| server.connect()).collect();
    std::thread::sleep(Duration::from_millis(100));
    assert!(server.connect().is_closed());
    drop((clients, silent));
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(refusals(&server, "TooManyConnectionsOfAddress"), 2);
    server.terminate();

    let proxied = ["--max-connections-per-address", "2", "--trusted-proxy", "127.0.0.1"];
    let server = Server::launch(serve(data.path()).args(proxied));
    let mut clients: Vec<_> = (0..20).map(|_| server.connect()).collect();
    clients.iter_mut().for_each(|client| drop(client.get(&server.list()).expect(200)));
}

#[test]
fn probes_are_answered_while_all_connections_are_taken() {
    let data = tempfile::tempdir().unwrap();
    let options = ["--max-connections", "20", "--timeout", "5"];
    let server = Server::launch(serve(data.path()).args(options));
    let mut clients: Vec<_> = (0..20).map(|_| events::open(&server, None)).collect();
    // Some wait for a connection, and others more come in vain.
    let mut waiting: Vec<_> = (0..60).map(|_| server.connect()).collect();
    for client in &mut waiting {
        let request = format!("{}\r\n", client.head("GET", &server.list()));
        client.send(request);
    }
    for name in ["live", "ready"].repeat(10) {
        let started = Instant::now();
        probe(&mut server.connect(), name).expect(200);
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    }
    drop(clients.split_off(10));
    let statuses = waiting.iter_mut().map(|client| client.answer().status());
    let statuses: Vec<_> = statuses.collect();
    assert!(statuses.iter().all(|status| [200, 429].contains(status)), "{statuses:?}");
    drop((clients, waiting));
}
