//! The contract: runs the same cases against the service itself and over HTTP, and holds the
//! answers of the control surface against its description.

#[path = "../crates/callerid-server/tests/cluster/mod.rs"]
mod cluster;
mod description;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread::JoinHandle;
use std::time::Duration;

use callerid_core::{AccountSid, AuthToken, Credentials, Moment, PhoneNumber};
use callerid_server::callbacks::Callbacks;
use callerid_server::clock::Clock;
use callerid_server::line::PhoneLine;
use callerid_server::postgres::{DatabaseOptions, PostgresStore};
use callerid_server::seal::SealingKey;
use callerid_server::server::{self, Limits};
use callerid_server::store::{DurableStore, Options, SqliteStore};
use callerid_service::{
    Account, Call, FollowUp, Line, LineLimits, LineRules, MemoryStore, Prompt, RandomBytes, Seed,
    Service, Store,
};
use callerid_tests::{Case, Host, Request, Response, Setting};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use cluster::Cluster;
use description::Description;

/// The service in this process, with a store in memory, and its own clock and random bytes.
struct InProcess {
    service: Service<MemoryStore>,
    account: Account,
    now: Moment,
    requests: u64,
}

impl InProcess {
    fn new(setting: Setting) -> Self {
        let account = Account {
            sid: AccountSid::from_random_bytes(&[0x5a; 16]),
            auth_token: AuthToken::from_random_bytes(&[0xa5; 16]),
        };
        let service = service(MemoryStore::new([account.clone()]), setting);
        let service = service.with_line(line(setting)).with_limits(limits());
        Self { service, account, now: Moment::from_unix_millis(1_207_074_392_000), requests: 0 }
    }

    /// Sufficiently random for the cases. No two requests get the same bytes.
    fn random_bytes(&mut self) -> RandomBytes {
        self.requests += 1;
        let mut state = self.requests;
        RandomBytes::new(std::array::from_fn(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        }))
    }
}

impl Host for InProcess {
    fn account(&self) -> (String, String) {
        known(&self.account)
    }

    fn send(&mut self, request: &Request) -> Response {
        let random_bytes = self.random_bytes();
        self.now = Moment::from_unix_millis(self.now.unix_millis() + 1);
        let mut http = http::Request::builder().method(&*request.method).uri(&request.target);
        for name in ["authorization", "content-type"] {
            if let Some(value) = request.header(name) {
                http = http.header(name, value);
            }
        }
        let request = http.body(request.body.as_bytes()).expect("a case is HTTP");
        let reply = ready(self.service.respond(&request, self.now, &random_bytes));
        assert!(reply.failure.is_none(), "{:?}", reply.failure);
        if let Some(FollowUp::Advance { account, to }) = reply.follow_up {
            while !ready(self.service.advance(&account, to, self.now)).unwrap().is_done {}
        }
        ready(self.service.tick(self.now)).expect("a store in memory does not fail");
        let (head, body) = http::Response::from(reply.response).into_parts();
        let text = |value: &http::HeaderValue| value.to_str().expect("headers are text").to_owned();
        let headers = head.headers.iter().map(|(name, value)| (name.to_string(), text(value)));
        Response {
            status: head.status.as_u16(),
            headers: headers.collect(),
            body: String::from_utf8(body).expect("answers are UTF-8"),
        }
    }

    fn advance(&mut self, seconds: u32) {
        self.now = self.now.plus_seconds(seconds);
        ready(self.service.tick(self.now)).expect("a store in memory does not fail");
    }
}

/// The output of a future that never waits, like those of a store in memory.
fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("a store in memory does not wait"),
    }
}

/// A service, under the control of tests if the case needs that.
fn service<S: Store>(store: S, setting: Setting) -> Service<S> {
    let service = Service::new(store);
    if setting == Setting::Tests { service.with_testing(Seed::default()) } else { service }
}

/// The line that a case needs.
fn line(setting: Setting) -> Line {
    let caller = PhoneNumber::parse("2125550100").expect("a valid number");
    if setting == Setting::RealLine { Line::Real { name: "sip", caller } } else { Line::Virtual }
}

/// The default limits, also of a real line, which else calls no number at night.
fn limits() -> callerid_service::Limits {
    let rules = LineRules { any_hour: true, ..LineRules::DEFAULT };
    let line = Some(LineLimits { rules, ..LineLimits::DEFAULT });
    callerid_service::Limits { line, ..callerid_service::Limits::DEFAULT }
}

/// A line whose calls nobody answers.
struct SilentLine(Line);

impl PhoneLine for SilentLine {
    fn line(&self) -> Line {
        self.0
    }

    fn place(&self, _: &Call) {}

    fn resume(&self, _: &Call) {}

    fn play(&self, _: &Call, _: Prompt) {}

    fn hang_up(&self, _: &Call, _: Option<Prompt>) {}
}

fn play_all(mut host: impl FnMut(Setting) -> Box<dyn Host>) {
    let cases = Case::all();
    assert!(!cases.is_empty());
    let mut broken = Vec::new();
    for case in cases {
        match case.play(&mut *host(case.setting())) {
            Ok(played) => println!("{}: {played} exchanges", case.name()),
            Err(why) => broken.push(why),
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n\n"));
}

/// The server on loopback, with a durable store and the system's clock.
struct OverHttp {
    address: SocketAddr,
    account: Account,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
    _data: TempDir,
}

impl OverHttp {
    /// A server over a database, or over a directory.
    fn new(setting: Setting, database: Option<String>) -> Self {
        let account = Account {
            sid: AccountSid::from_random_bytes(&[0x5a; 16]),
            auth_token: AuthToken::from_random_bytes(&[0xa5; 16]),
        };
        let data = tempfile::tempdir().expect("a directory can be made");
        let directory = data.path().to_owned();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let (stop, stopped) = oneshot::channel();
        let served = account.clone();
        let server = std::thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                match database {
                    None => {
                        let store = SqliteStore::open(&directory, Options::default());
                        let store = store.expect("a store opens");
                        serve(store, served, listener, setting, stopped).await;
                    }
                    Some(address) => {
                        let key = SealingKey::parse(&"5a".repeat(32)).expect("a key");
                        let store =
                            PostgresStore::open(&address, DatabaseOptions::default(), key).await;
                        let store = store.expect("a store opens");
                        serve(store, served, listener, setting, stopped).await;
                    }
                }
            });
        });
        Self { address, account, stop: Some(stop), server: Some(server), _data: data }
    }
}

async fn serve(
    store: impl DurableStore + 'static,
    account: Account,
    listener: std::net::TcpListener,
    setting: Setting,
    stopped: oneshot::Receiver<()>,
) {
    assert!(store.add_account(account).await.expect("the account is added"));
    listener.set_nonblocking(true).expect("a listener need not block");
    let listener = TcpListener::from_std(listener).expect("tokio takes it");
    let line = |_| Box::new(SilentLine(line(setting))) as Box<dyn PhoneLine>;
    let stop = async { stopped.await.unwrap_or_default() };
    let callbacks = Callbacks::default();
    let limits = Limits { service: limits(), ..Limits::default() };
    let service = service(store, setting);
    server::run(listener, service, Clock::system(), line, callbacks, limits, stop).await;
}

impl Drop for OverHttp {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(Err(panic)) = self.server.take().map(JoinHandle::join) {
            eprintln!("the server ended with {panic:?}");
        }
    }
}

impl Host for OverHttp {
    fn account(&self) -> (String, String) {
        known(&self.account)
    }

    fn send(&mut self, request: &Request) -> Response {
        exchange(self.address, request)
    }

    fn advance(&mut self, seconds: u32) {
        std::thread::sleep(Duration::from_secs(seconds.into()));
    }
}

/// The npm package's mock, which its tests serve at an address.
struct OverMock {
    address: SocketAddr,
    account: Account,
}

impl OverMock {
    /// Begins with a fresh account.
    fn new(address: SocketAddr) -> Self {
        let account = InProcess::new(Setting::Tests).account;
        let Account { sid, auth_token } = account.clone();
        let request = Request {
            method: "POST".to_owned(),
            target: "/fresh".to_owned(),
            headers: vec![
                ("Account".to_owned(), sid.to_string()),
                ("Token".to_owned(), auth_token.expose().to_owned()),
            ],
            ..Request::default()
        };
        assert_eq!(exchange(address, &request).status, 200);
        Self { address, account }
    }
}

impl Host for OverMock {
    fn account(&self) -> (String, String) {
        known(&self.account)
    }

    fn send(&mut self, request: &Request) -> Response {
        exchange(self.address, request)
    }

    fn advance(&mut self, seconds: u32) {
        std::thread::sleep(Duration::from_secs(seconds.into()));
    }
}

/// An account's Sid, and what its requests carry.
fn known(account: &Account) -> (String, String) {
    let Account { sid, auth_token } = account.clone();
    (sid.to_string(), Credentials { sid, auth_token }.to_authorization())
}

/// Sends a request on a connection of its own.
fn exchange(address: SocketAddr, request: &Request) -> Response {
    let mut stream = TcpStream::connect(address).expect("the server accepts");
    let Request { method, target, headers, body } = request;
    let length = body.len();
    write!(stream, "{method} {target} HTTP/1.1\r\nHost: {address}\r\n")
        .and_then(|()| write!(stream, "Connection: close\r\nContent-Length: {length}\r\n"))
        .and_then(|()| {
            headers.iter().try_for_each(|(name, value)| write!(stream, "{name}: {value}\r\n"))
        })
        .and_then(|()| write!(stream, "\r\n{body}"))
        .expect("a request can be sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer is UTF-8");
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let headers = lines.filter_map(|line| line.split_once(": "));
    Response {
        status: status.expect("an answer has a status"),
        headers: headers.map(|(name, value)| (name.into(), value.into())).collect(),
        body: body.into(),
    }
}

#[test]
#[ignore = "the npm package's tests run it, and serve the mock at CALLERID_MOCK"]
fn the_mock_keeps_the_contract() {
    let address = std::env::var("CALLERID_MOCK").expect("the address of a mock");
    let address: SocketAddr = address.parse().expect("an address and a port");
    for case in Case::all().iter().filter(|case| case.setting().allows_tests()) {
        case.play(&mut OverMock::new(address)).unwrap_or_else(|why| panic!("{why}"));
    }
}

#[test]
fn the_server_keeps_the_contract() {
    play_all(|setting| Box::new(OverHttp::new(setting, None)));
}

#[test]
fn the_server_keeps_the_contract_over_a_database() {
    let cluster = Cluster::start();
    play_all(|setting| Box::new(OverHttp::new(setting, Some(cluster.database()))));
}

#[test]
fn the_service_keeps_the_contract() {
    play_all(|setting| Box::new(InProcess::new(setting)));
}

#[test]
fn tests_do_not_control_a_real_line() {
    let mut host = InProcess::new(Setting::Tests);
    host.service = host.service.with_line(line(Setting::RealLine));
    let (_, authorization) = host.account();
    for (method, path) in [("GET", "clock"), ("POST", "reset"), ("PUT", "phones/4158675309")] {
        let request = Request {
            method: method.to_owned(),
            target: format!("/_callerid/{path}"),
            headers: vec![("Authorization".to_owned(), authorization.clone())],
            ..Request::default()
        };
        assert_eq!(host.send(&request).status, 409, "{method} {path}");
    }
}

/// A host whose answers are held against the description.
struct Described<'a, H> {
    host: H,
    description: &'a mut Description,
}

impl<H: Host> Host for Described<'_, H> {
    fn account(&self) -> (String, String) {
        self.host.account()
    }

    fn send(&mut self, request: &Request) -> Response {
        let response = self.host.send(request);
        self.description.check(request, &response).unwrap_or_else(|why| panic!("{why}"));
        response
    }

    fn advance(&mut self, seconds: u32) {
        self.host.advance(seconds);
    }
}

#[test]
fn the_control_surface_answers_as_it_is_described() {
    let mut description = Description::of(&mut InProcess::new(Setting::Tests));
    for case in Case::all().iter().filter(|case| case.setting().allows_tests()) {
        let mut host =
            Described { host: InProcess::new(Setting::Tests), description: &mut description };
        case.play(&mut host).unwrap_or_else(|why| panic!("{why}"));
    }
    assert_eq!(description.unanswered(), Vec::<String>::new(), "no case has these");
}

#[test]
fn a_server_answers_all_that_is_described() {
    let mut host = OverHttp::new(Setting::Tests, None);
    let description = &mut Description::of(&mut host);
    let operations = description.operations().filter(|operation| operation.is_of_server());
    let operations: Vec<_> = operations.map(|it| (it.method.clone(), it.path.to_owned())).collect();
    for (method, path) in operations {
        let mut request = description::request(&host, &method, &path);
        match path.as_str() {
            // A stream, which does not end.
            "/_callerid/events" => continue,
            "/_callerid/metrics" => {
                request.headers.clear();
                assert_eq!(host.send(&request).status, 200);
            }
            _ => {
                let response = host.send(&request);
                assert_eq!(response.status, 200, "{method} {path}");
                description.check(&request, &response).unwrap_or_else(|why| panic!("{why}"));
            }
        }
    }
}

#[test]
fn a_method_that_is_not_described_is_not_allowed() {
    let mut host = InProcess::new(Setting::Tests);
    let description = Description::of(&mut host);
    let (account, _) = host.account();
    for (path, item) in description.paths() {
        let is_of_server = |it: description::Operation<'_>| it.path == path && it.is_of_server();
        if description.operations().any(is_of_server) {
            continue;
        }
        let target = path
            .replace("{CallSid}", "CA0123456789abcdef0123456789abcdef")
            .replace("{AccountSid}", &account)
            .replace("{number}", "4158675309")
            .replace("{name}", "one")
            .replace("{id}", "1");
        let response = host.send(&description::request(&host, "PATCH", &target));
        let allow = response.headers.iter().find(|(name, _)| name == "allow");
        let mut allowed: Vec<_> = allow.expect("an Allow header").1.split(", ").collect();
        allowed.sort_unstable();
        let methods = item.as_object().unwrap().keys().filter(|name| *name != "parameters");
        let mut methods: Vec<_> = methods.map(|name| name.to_uppercase()).collect();
        methods.sort_unstable();
        assert_eq!((response.status, allowed), (405, methods.iter().map(String::as_str).collect()));
    }
}
