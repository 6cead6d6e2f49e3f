//! Status callbacks, from the end of a call to a receiver on loopback.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use base64ct::{Base64, Encoding as _};
use callerid_core::{AccountSid, AuthToken};
use callerid_server::callbacks::Callbacks;
use callerid_server::clock::Clock;
use callerid_server::line::{PhoneLine, VirtualLine};
use callerid_server::server::{self, Limits};
use callerid_service::{Account, MemoryStore, Service};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha1::Sha1;

use crate::fair_shares::another_account;
use crate::harness::{Client, PATIENCE, SID, Server, TOKEN, authorization, serve};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// A request that the receiver got.
#[derive(Debug)]
struct Received {
    url: String,
    head: String,
    body: String,
    connection: TcpStream,
}

impl Received {
    fn read(connection: TcpStream) -> std::io::Result<Self> {
        let mut reader = BufReader::new(connection.try_clone()?);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
        let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut received = Self { url: String::new(), head, body: String::new(), connection };
        received.url = format!("http://{}{target}", received.header("host").unwrap_or_default());
        let length = received.header("content-length").map_or(0, |text| text.parse().unwrap());
        reader.take(length).read_to_string(&mut received.body)?;
        Ok(received)
    }

    fn method(&self) -> &str {
        self.head.split(' ').next().unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut fields = fields.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        fields.next().map(|(_, value)| value)
    }

    fn answer(mut self, answer: &str) {
        self.connection.write_all(answer.as_bytes()).unwrap();
    }

    /// The parameters of the body, or of the query.
    fn parameters(&self) -> BTreeMap<String, String> {
        let form = match self.method() {
            "POST" => &self.body,
            _ => self.url.split_once('?').unwrap().1,
        };
        let pairs = form.split('&').map(|pair| pair.split_once('=').unwrap());
        pairs.map(|(name, value)| (name.to_owned(), value.replace("%2B", "+"))).collect()
    }

    /// Checks the signature as Twilio's documentation describes for receivers.
    #[track_caller]
    fn expect_signature(&self) {
        let mut signed = self.url.clone();
        if self.method() == "POST" {
            for (name, value) in self.parameters() {
                signed += &name;
                signed += &value;
            }
        }
        let mut mac = Hmac::<Sha1>::new_from_slice(TOKEN.as_bytes()).unwrap();
        mac.update(signed.as_bytes());
        let expected = Base64::encode_string(&mac.finalize().into_bytes());
        assert_eq!(self.header("x-twilio-signature"), Some(expected.as_str()), "{signed}");
    }
}

/// Receives requests. The test decides when and how to answer them.
struct Receiver {
    address: SocketAddr,
    requests: mpsc::Receiver<Received>,
}

impl Receiver {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, requests) = mpsc::channel();
        thread::spawn(move || {
            for connection in listener.incoming() {
                let sender = sender.clone();
                thread::spawn(move || {
                    if let Ok(received) = Received::read(connection.unwrap()) {
                        sender.send(received).unwrap_or_default();
                    }
                });
            }
        });
        Self { address, requests }
    }

    #[track_caller]
    fn next(&self) -> Received {
        self.requests.recv_timeout(PATIENCE).expect("a callback")
    }

    #[track_caller]
    fn expect_none_within(&self, time: Duration) {
        if let Ok(received) = self.requests.recv_timeout(time) {
            panic!("{received:?}");
        }
    }

    fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

/// Requests that a test sends to a server.
trait Asked {
    fn client(&self) -> Client;

    /// Requests a call with a callback, through the API version that supports callbacks. Returns
    /// its Sid and its code.
    fn call_back(&self, number: &str, callback: &str, method: &str) -> (String, String) {
        let callback = callback.replace('%', "%25").replace('&', "%26").replace('+', "%2B");
        let form =
            format!("PhoneNumber={number}&StatusCallback={callback}&StatusCallbackMethod={method}");
        let path = format!("/2010-04-01/Accounts/{SID}/OutgoingCallerIds.json");
        let created = self.client().post(&path, &form).expect(200).json();
        let text = |name: &str| created[name].as_str().unwrap().to_owned();
        (text("call_sid"), text("validation_code"))
    }

    fn phone(&self, call: &str, action: &str, form: &str) {
        let path = format!("/_callerid/calls/{call}/{action}");
        self.client().post(&path, form).expect(200);
    }

    /// Makes a call that ends immediately, with a callback by POST.
    fn end_a_call(&self, number: &str, callback: &str) -> String {
        let (call, _) = self.call_back(number, callback, "POST");
        self.phone(&call, "busy", "");
        call
    }

    fn journal(&self) -> Vec<Value> {
        let journal = self.client().get("/_callerid/callbacks").expect(200).json();
        journal["callbacks"].as_array().unwrap().clone()
    }

    /// The journal's entry for a call, once it contains this many attempts.
    #[track_caller]
    fn journal_after(&self, attempts: u64, call: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let journal = self.journal();
            let entry = journal.iter().find(|entry| entry["call_sid"] == call).expect("an entry");
            if entry["attempts"] == attempts {
                return entry.clone();
            }
            assert!(Instant::now() < deadline, "{entry}");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Asked for Server {
    fn client(&self) -> Client {
        self.connect()
    }
}

/// A server process that may send callbacks to loopback.
fn start(data: &Path) -> Server {
    Server::launch(serve(data).args(["--callback-allow", "127.0.0.1"]))
}

/// A server in this process, in memory. The test sets its clock.
struct InProcess {
    address: SocketAddr,
    account: Account,
    ahead: Arc<AtomicI64>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    server: Option<thread::JoinHandle<()>>,
}

impl InProcess {
    fn start(timeout: Duration) -> Self {
        let account = Account {
            sid: AccountSid::parse(SID).unwrap(),
            auth_token: AuthToken::new(TOKEN).unwrap(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let store = MemoryStore::new([account.clone()]);
        let ahead = Arc::new(AtomicI64::new(1_700_000_000_000));
        let (now, started) = (Arc::clone(&ahead), Instant::now());
        let milliseconds = move || started.elapsed().as_millis() as i64;
        let clock = move || milliseconds() + now.load(Ordering::SeqCst);
        let clock = Clock::new(clock, milliseconds);
        let allow = vec!["127.0.0.1".parse().unwrap()];
        let callbacks = Callbacks { allow, timeout, ..Callbacks::default() };
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let server = thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let line = |_| Box::new(VirtualLine) as Box<dyn PhoneLine>;
                let stop = async { stopped.await.unwrap_or_default() };
                let limits = Limits { drain: Duration::from_millis(100), ..Limits::default() };
                server::run(listener, Service::new(store), clock, line, callbacks, limits, stop)
                    .await;
            });
        });
        Self { address, account, ahead, stop: Some(stop), server: Some(server) }
    }

    fn advance(&self, seconds: i64) {
        self.ahead.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

impl Asked for InProcess {
    fn client(&self) -> Client {
        Client::new(self.address, authorization(&self.account))
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.server.take().unwrap().join().unwrap_or_default();
    }
}

#[test]
fn every_outcome_of_a_call_is_told_by_either_method() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path());
    let receiver = Receiver::start();
    let base = format!("{}told?tenant=7&note=a%20b", receiver.url());
    let number = "4158675309";
    for method in ["POST", "GET"] {
        let told = |call: &str, status: &str| {
            let received = receiver.next();
            assert_eq!(received.method(), method);
            received.expect_signature();
            assert_eq!(
                received.header("user-agent"),
                Some(concat!("callerid/", env!("CARGO_PKG_VERSION")))
            );
            let parameters = received.parameters();
            let mut expected = BTreeMap::from(
                [
                    ("AccountSid", SID),
                    ("ApiVersion", "2010-04-01"),
                    ("CallSid", call),
                    ("CallStatus", status),
                    ("Direction", "outbound-api"),
                    ("From", "+18005550199"),
                    ("To", "+14158675309"),
                    ("VerificationStatus", "failed"),
                ]
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
            );
            if method == "POST" {
                assert_eq!(received.url, base);
                let form = "application/x-www-form-urlencoded";
                assert!(received.header("content-type").unwrap().starts_with(form));
            } else {
                assert!(received.url.starts_with(&format!("{base}&")), "{}", received.url);
                assert_eq!((received.body.as_str(), received.header("content-type")), ("", None));
                expected.insert("tenant".into(), "7".into());
                expected.insert("note".into(), "a%20b".into());
            }
            if let Some(sid) = parameters.get("OutgoingCallerIdSid") {
                expected.insert("OutgoingCallerIdSid".into(), sid.clone());
                expected.insert("VerificationStatus".into(), "success".into());
            }
            assert_eq!(parameters, expected);
            received.answer(OK);
            let entry = server.journal_after(1, call);
            assert_eq!(
                (&entry["status"], &entry["last_status"]),
                (&"delivered".into(), &200.into())
            );
            assert_eq!(entry["next_at"], Value::Null);
            parameters.get("OutgoingCallerIdSid").cloned()
        };
        let create = || server.call_back(number, &base, method);

        let (call, _) = create();
        server.phone(&call, "busy", "");
        assert_eq!(told(&call, "busy"), None);

        let (call, _) = create();
        server.phone(&call, "no-answer", "");
        assert_eq!(told(&call, "no-answer"), None);

        let (call, _) = create();
        server.phone(&call, "answer", "");
        server.phone(&call, "hangup", "");
        assert_eq!(told(&call, "completed"), None);

        let (call, code) = create();
        let wrong = if code == "111111" { "222222" } else { "111111" };
        server.phone(&call, "answer", "");
        server.phone(&call, "digits", &format!("Digits={wrong}{wrong}{wrong}"));
        assert_eq!(told(&call, "completed"), None);

        let (replaced, _) = create();
        let (call, code) = create();
        assert_eq!(told(&replaced, "canceled"), None);

        server.phone(&call, "answer", "");
        server.phone(&call, "digits", &format!("Digits={code}"));
        let sid = told(&call, "completed").expect("a caller ID");
        let path = format!("/2010-04-01/Accounts/{SID}/OutgoingCallerIds/{sid}.json");
        let caller_id = server.client().get(&path).expect(200).json();
        assert_eq!(caller_id["phone_number"], "+14158675309");
        server.client().request("DELETE", &path, "").expect(204);
    }
    receiver.expect_none_within(Duration::from_millis(50));
}

#[test]
fn a_callback_is_retried_when_due_and_follows_no_redirect() {
    let server = InProcess::start(PATIENCE);
    let [receiver, elsewhere] = [Receiver::start(), Receiver::start()];
    let call = server.end_a_call("4158675309", &receiver.url());
    receiver.next().answer("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
    let entry = server.journal_after(1, &call);
    assert_eq!((&entry["status"], &entry["last_status"]), (&"pending".into(), &503.into()));
    assert!(entry["next_at"].is_string(), "{entry}");
    server.advance(3);
    receiver.expect_none_within(Duration::from_millis(1200));
    server.advance(3);
    let redirect = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n",
        elsewhere.url()
    );
    receiver.next().answer(&redirect);
    assert_eq!(server.journal_after(2, &call)["last_status"], 307);
    server.advance(30);
    drop(receiver.next()); // Closed without an answer.
    let entry = server.journal_after(3, &call);
    assert_eq!((&entry["status"], &entry["last_status"]), (&"pending".into(), &Value::Null));
    assert!(entry["last_error"].as_str().unwrap().starts_with("HTTP failed"), "{entry}");
    server.advance(120);
    let received = receiver.next();
    received.expect_signature();
    assert_eq!(received.parameters()["CallSid"], call);
    received.answer("HTTP/1.1 204 No Content\r\n\r\n");
    let entry = server.journal_after(4, &call);
    assert_eq!((&entry["status"], &entry["last_status"]), (&"delivered".into(), &204.into()));
    assert_eq!(entry["last_error"], Value::Null);
    elsewhere.expect_none_within(Duration::ZERO);
}

#[test]
fn a_callback_is_given_up_after_its_last_attempt() {
    let server = InProcess::start(PATIENCE);
    let receiver = Receiver::start();
    let call = server.end_a_call("4158675309", &receiver.url());
    for attempt in 1..=6 {
        receiver.next().answer("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        let entry = server.journal_after(attempt, &call);
        assert_eq!(entry["status"], if attempt < 6 { "pending" } else { "failed" });
        server.advance(3600);
    }
    receiver.expect_none_within(Duration::from_millis(1200));
}

#[test]
fn a_callback_that_a_crash_cut_off_is_sent_after_the_next_start() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path());
    let receiver = Receiver::start();
    let call = server.end_a_call("4158675309", &receiver.url());
    let unanswered = receiver.next();
    server.kill();
    drop(unanswered);
    let server = start(data.path());
    let received = receiver.next();
    received.expect_signature();
    assert_eq!(received.parameters()["CallSid"], call);
    received.answer(OK);
    assert_eq!(server.journal_after(1, &call)["status"], "delivered");
}

#[test]
fn an_attempt_that_has_begun_ends_before_the_server_stops() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path());
    let receiver = Receiver::start();
    let call = server.end_a_call("4158675309", &receiver.url());
    let received = receiver.next();
    server.signal("TERM");
    thread::sleep(Duration::from_millis(200));
    received.answer(OK);
    let (status, written) = server.wait();
    assert_eq!(status.code(), Some(0), "{written}");
    let server = start(data.path());
    assert_eq!(server.journal_after(1, &call)["status"], "delivered");
}

#[test]
fn a_receiver_that_takes_too_long_is_given_no_more_time() {
    let server = InProcess::start(Duration::from_millis(300));
    let receiver = Receiver::start();
    let call = server.end_a_call("4158675309", &receiver.url());
    let silent = receiver.next();
    let entry = server.journal_after(1, &call);
    assert_eq!((&entry["status"], &entry["last_status"]), (&"pending".into(), &Value::Null));
    assert_eq!(entry["last_error"], "no answer within 300ms");
    drop(silent);
    // A receiver that keeps sending a little more must not take longer either.
    server.advance(6);
    let mut dripping = receiver.next().connection;
    dripping.write_all(b"HTTP/1.1 200 OK\r\nX-Slow: ").unwrap();
    let started = Instant::now();
    while dripping.write_all(b"x").is_ok() {
        assert!(started.elapsed() < PATIENCE);
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(server.journal_after(2, &call)["last_error"], "no answer within 300ms");
}

#[test]
fn no_answer_is_read_without_end() {
    let server = InProcess::start(PATIENCE);
    let receiver = Receiver::start();
    let call = server.end_a_call("4158675309", &receiver.url());
    let mut connection = receiver.next().connection;
    let flood = |connection: &mut TcpStream| {
        connection.set_write_timeout(Some(PATIENCE)).unwrap();
        let piece = [b'x'; 64 * 1024];
        // More data than any socket buffers.
        let stopped = (0..4096).find_map(|_| connection.write_all(&piece).err());
        let stopped = stopped.expect("an end").kind();
        assert!(
            matches!(stopped, std::io::ErrorKind::BrokenPipe | std::io::ErrorKind::ConnectionReset),
            "{stopped}"
        );
    };
    connection.write_all(b"HTTP/1.1 500 Oops\r\n\r\n").unwrap();
    flood(&mut connection);
    assert_eq!(server.journal_after(1, &call)["last_status"], 500);
    server.advance(6);
    let mut connection = receiver.next().connection;
    connection.write_all(b"HTTP/1.1 200 OK\r\nX-Long: ").unwrap();
    flood(&mut connection);
    let entry = server.journal_after(2, &call);
    assert!(entry["last_error"].as_str().unwrap().starts_with("HTTP failed"), "{entry}");
}

#[test]
fn a_private_address_is_refused_in_any_notation() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let receiver = Receiver::start();
    let port = receiver.address.port();
    let hosts = [
        ("127.0.0.1", "127.0.0.1 (loopback)"),
        ("localhost", "1 (loopback)"),
        ("127.1", "127.0.0.1 (loopback)"),
        ("2130706433", "127.0.0.1 (loopback)"),
        ("0x7f.0.0.1", "127.0.0.1 (loopback)"),
        ("[::1]", "::1 (loopback)"),
        ("[::ffff:127.0.0.1]", "127.0.0.1 (loopback)"),
        ("[::ffff:7f00:1]", "127.0.0.1 (loopback)"),
        ("0.0.0.0", "0.0.0.0 (unspecified)"),
        ("169.254.169.254", "169.254.169.254 (link-local)"),
        ("10.0.0.1", "10.0.0.1 (private)"),
        ("[fd00::1]", "fd00::1 (unique local)"),
    ];
    for (host, why) in hosts {
        let call = server.end_a_call("4158675309", &format!("http://{host}:{port}/"));
        let entry = server.journal_after(1, &call);
        assert_eq!(
            (&entry["status"], &entry["next_at"]),
            (&"failed".into(), &Value::Null),
            "{host}"
        );
        let error = entry["last_error"].as_str().unwrap();
        assert!(error.contains(why) && error.contains("--callback-allow"), "{host}: {error}");
    }
    receiver.expect_none_within(Duration::ZERO);
    server.expect_written("a callback is given up");
}

#[test]
fn a_host_is_allowed_by_its_name_through_the_environment_too() {
    let data = tempfile::tempdir().unwrap();
    let receiver = Receiver::start();
    let allowed = "10.0.0.0/8,LocalHost";
    let server = Server::launch(serve(data.path()).env("CALLERID_CALLBACK_ALLOW", allowed));
    let url = |host: &str| format!("http://{host}:{}/", receiver.address.port());
    let call = server.end_a_call("4158675309", &url("localhost"));
    receiver.next().answer(OK);
    assert_eq!(server.journal_after(1, &call)["status"], "delivered");
    let call = server.end_a_call("4158675309", &url("127.0.0.1"));
    assert_eq!(server.journal_after(1, &call)["status"], "failed");
    let output = serve(data.path()).args(["--callback-allow", "10.1.2.3/8"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("expected 10.0.0.0/8"), "{said}");
}

#[test]
fn so_many_are_sent_at_a_time_and_no_more() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path());
    let receiver = Receiver::start();
    let calls: Vec<_> =
        (0..20).map(|at| server.end_a_call(&format!("41586753{at:02}"), &receiver.url())).collect();
    let first: Vec<_> = (0..16).map(|_| receiver.next()).collect();
    receiver.expect_none_within(Duration::from_millis(200));
    first.into_iter().for_each(|received| received.answer(OK));
    (0..4).for_each(|_| receiver.next().answer(OK));
    for call in calls {
        assert_eq!(server.journal_after(1, &call)["status"], "delivered");
    }
    receiver.expect_none_within(Duration::from_millis(50));
}

const CHALLENGE: &str = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\
    Content-Length: 0\r\n\r\n";

#[test]
fn credentials_in_a_url_are_for_the_receiver_that_asks_and_for_nobody_else() {
    let data = tempfile::tempdir().unwrap();
    let launch = || {
        Server::launch(serve(data.path()).args(["--callback-allow", "127.0.0.1", "--log", "trace"]))
    };
    let server = launch();
    let receiver = Receiver::start();
    let url = format!("http://jane:s3%20cret@{}/told", receiver.address);
    let shown = format!("http://{}/told", receiver.address);
    // They outlive a restart, while the call waits as well as once it has ended.
    let (delivered, _) = server.call_back("4158675309", &url, "POST");
    let mut seen = server.written();
    server.kill();
    let server = launch();
    server.phone(&delivered, "busy", "");
    let expect_both = |then: &str| {
        let received = receiver.next();
        assert_eq!(received.header("authorization"), None);
        received.expect_signature();
        received.answer(CHALLENGE);
        let received = receiver.next();
        // base64 of "jane:s3 cret"
        assert_eq!(received.header("authorization"), Some("Basic amFuZTpzMyBjcmV0"));
        assert_eq!(received.url, shown);
        received.expect_signature();
        received.answer(then);
    };
    expect_both(OK);
    let entry = server.journal_after(1, &delivered);
    assert_eq!((&entry["status"], &entry["url"]), (&"delivered".into(), &shown.as_str().into()));
    // Where they are wrong, that was the attempt.
    let refused = server.end_a_call("4158675310", &url);
    expect_both(CHALLENGE);
    let entry = server.journal_after(1, &refused);
    assert_eq!((&entry["status"], &entry["last_status"]), (&"pending".into(), &401.into()));
    // Who does not ask for them does not get them.
    for challenge in ["", "WWW-Authenticate: Digest realm=\"x\"\r\n"] {
        let call = server.end_a_call("4158675311", &url);
        let answer = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n";
        receiver.next().answer(&format!("{answer}{challenge}\r\n"));
        assert_eq!(server.journal_after(1, &call)["last_status"], 401);
    }
    receiver.expect_none_within(Duration::from_millis(50));

    let list = format!("/2010-04-01/Accounts/{SID}/OutgoingCallerIds.json");
    let bad = "PhoneNumber=4158675312&StatusCallback=http%3A%2F%2Fjane%3As3%2520cret%40a..b%2F";
    seen += server.post(&list, bad).expect(400).text();
    for path in ["calls", "callbacks"] {
        seen += server.get(&format!("/_callerid/{path}")).expect(200).text();
    }
    seen += &server.written();
    server.terminate();
    for file in std::fs::read_dir(data.path()).unwrap() {
        seen += &String::from_utf8_lossy(&std::fs::read(file.unwrap().path()).unwrap());
    }
    for secret in ["s3%20cret", "s3 cret", "s3%2520cret", "jane", "amFuZTpzMyBjcmV0"] {
        assert!(!seen.contains(secret), "{secret}");
    }
}

/// Many calls of an account that have ended, with callbacks to receivers that take connections and never answer.
fn end_calls_with_dead_receivers(
    server: &Server,
    receivers: usize,
    calls: usize,
) -> Vec<TcpListener> {
    let dead: Vec<_> = (0..receivers).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    for at in 0..calls {
        let address = dead[at % receivers].local_addr().unwrap();
        server.end_a_call(&format!("4158675{at:03}"), &format!("http://{address}/"));
    }
    dead
}

const SOON: Duration = Duration::from_secs(2);

#[test]
fn a_dead_receiver_delays_no_other_receiver_of_its_account() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path());
    let _dead = end_calls_with_dead_receivers(&server, 1, 200);
    let receiver = Receiver::start();
    let started = Instant::now();
    let call = server.end_a_call("4158676309", &receiver.url());
    receiver.next().answer(OK);
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    assert_eq!(server.journal_after(1, &call)["status"], "delivered");
}

#[test]
fn dead_receivers_of_one_account_delay_no_other_account() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path());
    // So many that they take all that the account may send at a time.
    let _dead = end_calls_with_dead_receivers(&server, 20, 200);
    let (other, _) = another_account(data.path());
    let mut others = Client::new(server.address, authorization(&other));
    let receiver = Receiver::start();
    let started = Instant::now();
    let path = format!("/2010-04-01/Accounts/{}/OutgoingCallerIds.json", other.sid);
    let form = format!("PhoneNumber=4158676309&StatusCallback={}", receiver.url());
    let created = others.post(&path, &form).expect(200).json();
    let call = created["call_sid"].as_str().unwrap();
    others.post(&format!("/_callerid/calls/{call}/busy"), "").expect(200);
    receiver.next().answer(OK);
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
}

#[test]
fn the_operator_sets_how_many_are_sent_at_a_time() {
    let data = tempfile::tempdir().unwrap();
    let options = ["--callback-slots-per-receiver", "1", "--callback-slots-per-account", "2"];
    let server =
        Server::launch(serve(data.path()).args(["--callback-allow", "127.0.0.1"]).args(options));
    let receivers = [Receiver::start(), Receiver::start(), Receiver::start()];
    for (at, receiver) in receivers.iter().chain(&receivers).enumerate() {
        server.end_a_call(&format!("41586753{at:02}"), &receiver.url());
    }
    let (first, second) = (receivers[0].next(), receivers[1].next());
    for receiver in &receivers {
        receiver.expect_none_within(Duration::from_millis(100));
    }
    first.answer(OK);
    second.answer(OK);
    for receiver in [&receivers[2], &receivers[0], &receivers[1], &receivers[2]] {
        receiver.next().answer(OK);
    }
    let refused = serve(data.path()).args(["--callback-slots", "0"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
}
