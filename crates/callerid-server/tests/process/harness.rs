//! A server process, and a client that sends exactly the bytes it is given.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use callerid_core::{AccountSid, AuthToken, Credentials};
use callerid_service::Account;

/// Longer than anything in these tests takes, so that a hang becomes a failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const SID: &str = "AC309475e5fede1b49e100272a8640f438";
pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// The program, with an environment that does not affect it.
pub(crate) fn callerid() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_callerid"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CALLERID_") {
            command.env_remove(name);
        }
    }
    command.env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

/// `callerid serve` on a free port, with the account of these tests.
pub(crate) fn serve(data: &Path) -> Command {
    let mut command = callerid();
    command.args(["serve", "--data"]).arg(data).env("CALLERID_LISTEN", "127.0.0.1:0");
    command.env("CALLERID_ACCOUNT_SID", SID).env("CALLERID_AUTH_TOKEN", TOKEN);
    command
}

pub(crate) fn run(command: &mut Command) -> Output {
    command.output().unwrap()
}

/// The standard output of a command that must succeed.
pub(crate) fn said(command: &mut Command) -> String {
    let output = run(command);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// How often to repeat a crash test, with different random numbers each time. `cargo xtask soak`
/// sets this.
pub(crate) fn repeats() -> u64 {
    soak().unwrap_or(1)
}

/// The same, where `cargo xtask soak` runs the test.
pub(crate) fn soak() -> Option<u64> {
    std::env::var("CALLERID_SOAK").ok().and_then(|times| times.parse().ok())
}

/// A server that is killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Everything it has written to standard output and standard error so far.
    written: Arc<Mutex<String>>,
    readers: Vec<thread::JoinHandle<()>>,
    pub(crate) account: Account,
}

impl Server {
    pub(crate) fn start(data: &Path) -> Self {
        Self::launch(&mut serve(data))
    }

    pub(crate) fn launch(command: &mut Command) -> Self {
        Self::launch_with_errors_to(command, Stdio::piped())
    }

    /// Redirects standard error to `errors`. If that is a pipe, reads it as well.
    pub(crate) fn launch_with_errors_to(command: &mut Command, errors: Stdio) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(errors).spawn().unwrap();
        let written = Arc::new(Mutex::new(String::new()));
        let (first_line, first_lines) = mpsc::channel();
        let output = follow(child.stdout.take().unwrap(), &written, Some(first_line));
        let errors = child.stderr.take().map(|stream| follow(stream, &written, None));
        let line = first_lines.recv_timeout(PATIENCE);
        let line = line.unwrap_or_else(|_| panic!("no start: {}", written.lock().unwrap()));
        let (_, address) = line.trim().rsplit_once("://").expect("an address");
        let address = address.parse().unwrap();
        let account = Account {
            sid: AccountSid::parse(SID).unwrap(),
            auth_token: AuthToken::new(TOKEN).unwrap(),
        };
        Self {
            child,
            address,
            written,
            readers: [output].into_iter().chain(errors).collect(),
            account,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The process's peak memory so far, in KiB, if the system reports it.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()));
        let status = status.unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak.and_then(|peak| peak.split_whitespace().next()?.parse().ok()).unwrap_or_default()
    }

    pub(crate) fn written(&self) -> String {
        self.written.lock().unwrap().clone()
    }

    /// Waits until the server has written this: its log is written in the background.
    pub(crate) fn expect_written(&self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.written().contains(text) {
            assert!(Instant::now() < deadline, "{text:?} is not in {}", self.written());
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn authorization(&self) -> String {
        authorization(&self.account)
    }

    pub(crate) fn list(&self) -> String {
        format!("/2008-08-01/Accounts/{}/OutgoingCallerIds", self.account.sid)
    }

    pub(crate) fn connect(&self) -> Client {
        Client::new(self.address, self.authorization())
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        self.connect().get(path)
    }

    pub(crate) fn post(&self, path: &str, form: &str) -> Response {
        self.connect().post(path, form)
    }

    /// Requests a validation call. Returns the code.
    pub(crate) fn create(&self, form: &str) -> String {
        self.post(&self.list(), form).expect(200).element("ValidationCode").to_owned()
    }

    /// The newest call, as JSON.
    pub(crate) fn newest_call(&self) -> serde_json::Value {
        self.get("/_callerid/calls").expect(200).json()["calls"][0].clone()
    }

    /// Validates a number, including the call. Returns the caller ID's Sid.
    pub(crate) fn validate(&self, number: &str) -> String {
        let code = self.create(&format!("PhoneNumber={number}"));
        let sid = self.newest_call()["call_sid"].as_str().unwrap().to_owned();
        self.post(&format!("/_callerid/calls/{sid}/answer"), "").expect(200);
        self.post(&format!("/_callerid/calls/{sid}/digits"), &format!("Digits={code}")).expect(200);
        let path = format!("{}?PhoneNumber={number}", self.list());
        self.get(&path).expect(200).element("Sid").to_owned()
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.pid().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for the process to end. Returns its exit status and everything it wrote.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it does not end: {}", self.written());
            thread::sleep(Duration::from_millis(5));
        };
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        (status, self.written())
    }

    pub(crate) fn terminate(self) -> (ExitStatus, String) {
        self.signal("TERM");
        self.wait()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the server, {:?}: {}", self.child.try_wait(), self.written());
        }
        if let Ok(None) = self.child.try_wait() {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
        }
    }
}

fn follow(
    stream: impl Read + Send + 'static,
    written: &Arc<Mutex<String>>,
    first_line: Option<mpsc::Sender<String>>,
) -> thread::JoinHandle<()> {
    let written = Arc::clone(written);
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            writeln!(written.lock().unwrap(), "{line}").unwrap();
            if let Some(first_line) = &first_line {
                first_line.send(line).unwrap_or_default();
            }
        }
    })
}

pub(crate) fn authorization(account: &Account) -> String {
    let Account { sid, auth_token } = account.clone();
    Credentials { sid, auth_token }.to_authorization()
}

/// One connection.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
    authorization: String,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, authorization: String) -> Self {
        Self::over(TcpStream::connect(address).unwrap(), authorization)
    }

    pub(crate) fn over(stream: TcpStream, authorization: String) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream), authorization }
    }

    /// The server's address.
    pub(crate) fn peer(&self) -> SocketAddr {
        self.stream.get_ref().peer_addr().unwrap()
    }

    pub(crate) fn get(&mut self, path: &str) -> Response {
        self.request("GET", path, "")
    }

    pub(crate) fn post(&mut self, path: &str, form: &str) -> Response {
        self.request("POST", path, form)
    }

    pub(crate) fn request(&mut self, method: &str, path: &str, form: &str) -> Response {
        self.try_request(method, path, form).unwrap()
    }

    /// Sends a request and returns its response, or the connection's error.
    pub(crate) fn try_request(
        &mut self,
        method: &str,
        path: &str,
        form: &str,
    ) -> std::io::Result<Response> {
        let mut head = self.head(method, path);
        if method != "GET" {
            let length = form.len();
            write!(head, "Content-Type: application/x-www-form-urlencoded\r\n").unwrap();
            write!(head, "Content-Length: {length}\r\n").unwrap();
        }
        self.stream.get_mut().write_all(format!("{head}\r\n{form}").as_bytes())?;
        self.try_answer()
    }

    /// The start of a request with credentials. Further headers may follow.
    pub(crate) fn head(&self, method: &str, path: &str) -> String {
        format!("{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\n", self.authorization)
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.stream.get_mut().write_all(bytes.as_ref()).unwrap();
        self
    }

    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.stream.get_mut().write_all(bytes.as_ref())
    }

    pub(crate) fn answer(&mut self) -> Response {
        self.try_answer().unwrap()
    }

    pub(crate) fn try_answer(&mut self) -> std::io::Result<Response> {
        let head = self.read_head()?;
        let mut response = Response { head, body: Vec::new() };
        match response.header("content-length") {
            Some(length) => {
                response.body.resize(length.parse().unwrap(), 0);
                self.stream.read_exact(&mut response.body)?;
            }
            None if !matches!(response.status(), 204 | 304) => {
                self.stream.read_to_end(&mut response.body)?;
            }
            None => {}
        }
        Ok(response)
    }

    /// Reads up to and including the empty line after the headers.
    pub(crate) fn read_head(&mut self) -> std::io::Result<String> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.stream.read_line(&mut head)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(head)
    }

    /// The next line, without its line end; `None` if the connection has ended.
    pub(crate) fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line).unwrap();
        (read > 0).then(|| line.trim_end().to_owned())
    }

    /// Whether data arrives, or the connection ends, within this time.
    pub(crate) fn hears_within(&mut self, time: Duration) -> bool {
        let socket = self.stream.get_ref();
        socket.set_read_timeout(Some(time)).unwrap();
        let heard = socket.peek(&mut [0]);
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        !heard.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    }

    /// Reads so many bytes at most; returns how many.
    pub(crate) fn try_read(&mut self, most: usize) -> std::io::Result<usize> {
        self.stream.get_mut().read(&mut vec![0; most])
    }

    pub(crate) fn is_closed(&mut self) -> bool {
        matches!(self.stream.read(&mut [0]), Ok(0) | Err(_))
    }

    /// Closes the sending side of the connection.
    pub(crate) fn finish(&mut self) {
        self.stream.get_mut().shutdown(std::net::Shutdown::Write).unwrap();
    }
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let is_it = |line: &&str| {
            line.split_once(':').is_some_and(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        Some(self.head.lines().skip(1).find(is_it)?.split_once(':')?.1.trim())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The first element with this name.
    pub(crate) fn element(&self, name: &str) -> &str {
        let (_, rest) = self.text().split_once(&format!("<{name}>")).expect(name);
        rest.split_once(&format!("</{name}>")).unwrap().0
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status(), status, "{}\n{}", self.head, String::from_utf8_lossy(&self.body));
        self
    }

    /// Checks that this is an error: XML of the API, or JSON of the control surface.
    #[track_caller]
    pub(crate) fn expect_exception(self, status: u16) -> Self {
        let response = self.expect(status);
        let says_status = format!("<Status>{status}</Status>");
        match response.header("content-type") {
            Some("application/json") => assert_eq!(response.json()["status"], status),
            _ => assert!(
                response.text().contains("<RestException>")
                    && response.text().contains(&says_status),
                "{}\n{}",
                response.head,
                response.text()
            ),
        }
        response
    }
}

/// A small pseudorandom number generator, for reproducible runs.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}
