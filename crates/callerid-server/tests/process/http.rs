//! HTTP features beyond the API: compression, HEAD, and pages of other origins.

use std::collections::HashSet;
use std::io::Read as _;
use std::time::Duration;

use callerid_core::RequestSid;
use flate2::read::GzDecoder;

use crate::harness::{Response, Server, serve};

const ALLOWED_METHODS: &str = "GET, POST, PUT, DELETE, OPTIONS";

/// Sends a request with one additional header.
fn ask(server: &Server, method: &str, path: &str, header: &str) -> Response {
    let mut client = server.connect();
    let head = client.head(method, path);
    client.send(format!("{head}{header}\r\n\r\n")).answer()
}

#[track_caller]
fn expect_cors(response: &Response) {
    assert_eq!(response.header("access-control-allow-origin"), Some("*"), "{}", response.head);
    assert_eq!(response.header("access-control-allow-methods"), Some(ALLOWED_METHODS));
    assert_eq!(response.header("access-control-expose-headers"), Some("ETag"));
    let allowed = response.header("access-control-allow-headers").unwrap();
    for name in ["Authorization", "Content-Type", "Last-Event-ID"] {
        assert!(allowed.split(", ").any(|allowed| allowed == name), "{allowed}");
    }
}

#[test]
fn a_response_is_compressed_if_accepted_and_worthwhile() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let short = ask(&server, "GET", &server.list(), "Accept-Encoding: gzip").expect(200);
    assert_eq!((short.header("content-encoding"), short.header("vary")), (None, None));
    for at in 0..6 {
        server.validate(&format!("415867530{at}"));
    }
    let api = format!("/2010-04-01/Accounts/{}/OutgoingCallerIds.json", server.account.sid);
    for path in [server.list(), api, "/_callerid/calls".to_owned()] {
        let plain = ask(&server, "GET", &path, "X: y").expect(200);
        let refusing = ask(&server, "GET", &path, "Accept-Encoding: gzip;q=0, br").expect(200);
        for plain in [&plain, &refusing] {
            assert_eq!(plain.header("content-encoding"), None);
            assert_eq!(plain.header("vary"), Some("accept-encoding"));
        }
        let packed = ask(&server, "GET", &path, "Accept-Encoding: deflate, gzip, br").expect(200);
        assert_eq!(packed.header("content-encoding"), Some("gzip"));
        assert_eq!(packed.header("vary"), Some("accept-encoding"));
        assert_eq!(packed.header("content-type"), plain.header("content-type"));
        assert!(packed.body.len() * 2 < plain.body.len(), "{}", packed.body.len());
        let mut unpacked = String::new();
        GzDecoder::new(packed.body.as_slice()).read_to_string(&mut unpacked).unwrap();
        assert_eq!(unpacked, plain.text());
    }
}

#[test]
fn a_file_of_the_page_has_one_tag_compressed_or_not() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let plain = server.get("/main.js");
    if plain.status() == 404 {
        eprintln!("the program was built without its page");
        return;
    }
    let packed = ask(&server, "GET", "/main.js", "Accept-Encoding: gzip").expect(200);
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    let mut unpacked = String::new();
    GzDecoder::new(packed.body.as_slice()).read_to_string(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain.text());
    let etag = plain.header("etag").unwrap();
    assert!(etag.starts_with("W/"), "{etag}");
    let known = format!("Accept-Encoding: gzip\r\nIf-None-Match: {etag}");
    let again = ask(&server, "GET", "/main.js", &known).expect(304);
    for answer in [&plain, &packed, &again] {
        assert_eq!(answer.header("etag"), Some(etag));
        assert_eq!(answer.header("vary"), Some("accept-encoding"));
    }
    assert_eq!((again.body.len(), again.header("content-encoding")), (0, None));
}

#[test]
fn head_is_answered_as_get_is_without_the_body() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    for at in 0..6 {
        server.validate(&format!("415867530{at}"));
    }
    // Removes what differs between responses.
    let fixed = |head: &str| {
        let is_fixed = |line: &&str| {
            let line = line.to_ascii_lowercase();
            !line.starts_with("twilio-request-id:") && !line.starts_with("date:")
        };
        head.lines().filter(is_fixed).map(str::to_owned).collect::<Vec<_>>()
    };
    let nowhere = format!("{}/PN0123", server.list());
    for path in [server.list().as_str(), "/_callerid/health", &nowhere, "/nowhere", "/icon.svg"] {
        for header in ["X: y", "Accept-Encoding: gzip"] {
            let of_get = ask(&server, "GET", path, header);
            let mut client = server.connect();
            let head = client.head("HEAD", path);
            let of_head = client.send(format!("{head}{header}\r\n\r\n")).read_head().unwrap();
            assert_eq!(fixed(&of_head), fixed(&of_get.head), "{path}");
            // The next response follows immediately, so there was no body.
            client.get("/_callerid/health").expect(200);
        }
    }
}

#[test]
fn a_browser_may_ask_from_any_origin() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let events = "/_callerid/events";
    for path in [server.list().as_str(), "/_callerid/callbacks", events] {
        // Like browsers, without credentials.
        let preflight = format!(
            "OPTIONS {path} HTTP/1.1\r\nHost: x\r\nOrigin: https://example.com\r\n\
             Access-Control-Request-Method: POST\r\n\
             Access-Control-Request-Headers: authorization,last-event-id\r\n\r\n"
        );
        let preflight = server.connect().send(preflight).answer().expect(204);
        expect_cors(&preflight);
        assert!(preflight.body.is_empty());
        let unknown = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        expect_cors(&server.connect().send(unknown).answer().expect(401));
    }
    expect_cors(&server.get("/nowhere").expect(404));
    let mut stream = server.connect();
    let head = stream.head("GET", events);
    let head = stream.send(format!("{head}\r\n")).read_head().unwrap();
    expect_cors(&Response { head, body: Vec::new() }.expect(200));
}

#[test]
fn a_page_of_another_origin_changes_nothing_with_credentials_that_a_browser_remembers() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let sid = server.validate("4158675309");
    let row = format!("{}/{sid}", server.list());
    let post = |path: &str, headers: &str| {
        let mut client = server.connect();
        let head = client.head("POST", path);
        let form = "PhoneNumber=4158675310&FriendlyName=x";
        let length = form.len();
        let form = format!("{head}{headers}\r\nContent-Length: {length}\r\n\r\n{form}");
        client.send(form).answer()
    };
    let form = "Origin: https://evil.example\r\nAccept: text/html,*/*;q=0.8\r\n\
                Content-Type: application/x-www-form-urlencoded";
    let fetched = "Origin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: ";
    let metadata = "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate";
    for path in [server.list(), row, "/_callerid/calls/CA1/answer".to_owned()] {
        post(&path, form).expect_exception(403);
        post(&path, &format!("{form}\r\n{metadata}")).expect_exception(403);
        expect_cors(&post(&path, &format!("{fetched}no-cors")).expect_exception(403));
        let included = format!("{fetched}cors\r\nSec-Fetch-Storage-Access: active");
        post(&path, &included).expect_exception(403);
    }
    let list = server.get(&server.list()).expect(200);
    assert!(list.text().contains("<FriendlyName>(415) 867-5309</FriendlyName>"), "{}", list.text());
    assert_eq!(server.newest_call()["phone_number"], "4158675309");
    // A page with its own credentials, and the server's own page.
    post(&server.list(), &format!("{fetched}cors")).expect(200);
    let own = "Origin: http://x\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors";
    post(&server.list(), own).expect(200);
}

#[test]
fn a_browser_stores_no_answer_and_runs_none() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let html = format!("{}.html", server.list());
    let mut answers = answers_of_the_host(&Server::launch(
        serve(tempfile::tempdir().unwrap().path()).args(["--timeout", "1"]),
    ));
    for path in [server.list().as_str(), &html, "/_callerid/calls", "/nowhere", "/x.html"] {
        answers.push(server.get(path));
    }
    for answer in answers {
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{}", answer.head);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{}", answer.head);
        let is_html = answer.header("content-type").is_some_and(|it| it.starts_with("text/html"));
        let policy = answer.header("content-security-policy");
        assert_eq!(policy.is_some(), is_html, "{}", answer.head);
        assert!(policy.is_none_or(|it| it.starts_with("default-src 'none';")), "{policy:?}");
    }
    let answer = server.get(&html);
    assert!(answer.header("content-security-policy").is_some(), "{}", answer.head);
}

/// Responses that the host creates itself: for requests that are too long, too slow or not HTTP,
/// and for a stream.
fn answers_of_the_host(server: &Server) -> Vec<Response> {
    let mut answers = Vec::new();
    for path in [server.list().as_str(), "/_callerid/calls"] {
        let mut client = server.connect();
        let head = client.head("POST", path);
        client.send(format!("{head}Content-Length: 10000000\r\n\r\n"));
        answers.push(client.answer().expect_exception(413));
        let mut client = server.connect();
        client.send(format!("{head}Content-Length: 10\r\n\r\nPhone"));
        assert!(!client.hears_within(Duration::from_millis(500)));
        answers.push(client.answer().expect_exception(408));
        let mut client = server.connect();
        client.send(format!("{head}Transfer-Encoding: chunked\r\n\r\nzz\r\n"));
        answers.push(client.answer().expect_exception(400));
    }
    answers.push(server.connect().send("nonsense\r\n\r\n").answer().expect_exception(400));
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "y".repeat(40_000));
    answers.push(server.connect().send(long).answer().expect_exception(431));
    for (headers, status) in [("", 200), ("Last-Event-ID: banana\r\n", 400)] {
        let mut client = server.connect();
        let head = client.head("GET", "/_callerid/events");
        let head = client.send(format!("{head}{headers}\r\n")).read_head().unwrap();
        answers.push(Response { head, body: Vec::new() }.expect(status));
    }
    answers
}

#[test]
fn responses_of_the_host_allow_any_origin_and_have_a_request_id() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::launch(serve(data.path()).args(["--timeout", "1"]));
    answers_of_the_host(&server).iter().for_each(expect_cors);
    let mut answers = answers_of_the_host(&server);
    // And responses of the service: successes, errors and preflights.
    for path in [server.list().as_str(), "/_callerid/health", "/nowhere", "/_callerid/nowhere"] {
        answers.push(server.get(path));
        answers.push(server.connect().request("OPTIONS", path, ""));
        answers.push(server.connect().request("DELETE", path, ""));
    }
    let unknown = "GET /_callerid/events HTTP/1.1\r\nHost: x\r\n\r\n";
    answers.push(server.connect().send(unknown).answer().expect(401));
    let mut seen = HashSet::new();
    for answer in answers {
        let names = answer.head.lines().filter(|line| line.starts_with("twilio-request-id: "));
        assert_eq!(names.count(), 1, "{}", answer.head);
        let sid = answer.header("twilio-request-id").unwrap();
        assert!(RequestSid::parse(sid).is_ok(), "{sid}");
        assert!(seen.insert(sid.to_owned()), "{sid} is given twice");
    }
}
