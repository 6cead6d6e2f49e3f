//! `cargo xtask compare DESCRIPTION`: compares this server with Prism, which mocks Twilio's OpenAPI
//! description.
//!
//! Both get the same twelve requests and then the same load, on the same machine in the same run.
//! The output is a Markdown table.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64ct::{Base64, Encoding as _};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::runtime;
use tokio::task::JoinSet;

use crate::openapi::description;
use crate::server::{self, ACCOUNT_SID, AUTH_TOKEN, Server};
use crate::{Outcome, node, root};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const CONNECTIONS: usize = 16;
const WARM_UP: Duration = Duration::from_secs(2);
const LOAD: Duration = Duration::from_secs(10);
/// The time limit for starting a server.
const PATIENCE: Duration = Duration::from_secs(60);

/// The credentials in a request.
#[derive(Clone, Copy)]
enum Credentials {
    Right,
    Wrong,
    None,
}

/// A request for the list of caller IDs, or for one of them.
struct Case {
    name: &'static str,
    method: &'static str,
    /// The part after `OutgoingCallerIds`. `{sid}` is an existing caller ID.
    rest: &'static str,
    form: &'static str,
    credentials: Credentials,
}

impl Case {
    const fn new(name: &'static str, method: &'static str, rest: &'static str) -> Self {
        Self { name, method, rest, form: "", credentials: Credentials::Right }
    }

    const fn form(self, form: &'static str) -> Self {
        Self { form, ..self }
    }

    const fn by(self, credentials: Credentials) -> Self {
        Self { credentials, ..self }
    }
}

const LIST: Case = Case::new("the list", "GET", ".json");
const CREATE: Case = Case::new("a good number", "POST", ".json").form("PhoneNumber=%2B14158675310");

/// The requests to both servers, in this order. One caller ID, (415) 867-5309, exists.
const CASES: [Case; 12] = [
    CREATE,
    Case::new("`PhoneNumber=banana`", "POST", ".json").form("PhoneNumber=banana"),
    Case::new("no number", "POST", ".json").form("FriendlyName=Office"),
    Case::new("a delay of 999 seconds", "POST", ".json")
        .form("PhoneNumber=%2B14158675310&CallDelay=999"),
    LIST,
    Case::new("a page of 5000", "GET", ".json?PageSize=5000"),
    Case::new("a filter that nothing matches", "GET", ".json?FriendlyName=Nobody"),
    Case::new("an unknown Sid", "GET", "/PN00000000000000000000000000000000.json"),
    Case::new("an update", "POST", "/{sid}.json").form("FriendlyName=Front+desk"),
    Case::new("no credentials", "GET", ".json").by(Credentials::None),
    Case::new("wrong credentials", "GET", ".json").by(Credentials::Wrong),
    Case::new("a deletion", "DELETE", "/{sid}.json"),
];

/// The results for one server.
struct Measured {
    answers: Vec<String>,
    lists: f64,
    creates: f64,
    start: Duration,
    at_rest: String,
    after: String,
}

/// Builds this server, installs Prism, and prints the comparison.
pub(crate) fn run_all(args: &[String]) -> Outcome {
    let description = description("compare", args)?;
    let prism = root().join("tests/compare");
    node::install(&prism)?;
    let program = server::build("dist")?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let ours = runtime.block_on(measure_ours(&program))?;
    let theirs = runtime.block_on(measure_prism(&prism, description, &ours.1))?;
    print(&ours.0, &theirs);
    Ok(())
}

fn print(ours: &Measured, prism: &Measured) {
    println!("| request | callerid | Prism |\n|---|---|---|");
    for (case, (ours, prism)) in CASES.iter().zip(ours.answers.iter().zip(&prism.answers)) {
        println!("| {} | {ours} | {prism} |", case.name);
    }
    let rate = |figure: f64| format!("{figure:.0}");
    let start = |time: Duration| format!("{} ms", time.as_millis());
    for (name, ours, prism) in [
        ("lists a second", rate(ours.lists), rate(prism.lists)),
        ("creates a second", rate(ours.creates), rate(prism.creates)),
        ("from start to the first answer", start(ours.start), start(prism.start)),
        ("resident memory, started", ours.at_rest.clone(), prism.at_rest.clone()),
        ("resident memory, after the load", ours.after.clone(), prism.after.clone()),
    ] {
        println!("| {name} | {ours} | {prism} |");
    }
    println!(
        "\n{CONNECTIONS} connections, {} s each, one thread of load on the same machine ({} cores). \
        A create here is on disk before it is answered.",
        LOAD.as_secs(),
        std::thread::available_parallelism().map_or(1, usize::from),
    );
}

/// Also returns the Sid of the caller ID that exists.
async fn measure_ours(program: &Path) -> Result<(Measured, String)> {
    let begun = Instant::now();
    let server = Server::start(program, &[])?;
    let address = server.url.trim_start_matches("http://").parse()?;
    let mut client = Client::connect(address).await?;
    client.ask(&LIST, "").await?;
    let start = begun.elapsed();
    let sid = add_caller_id(&mut client).await?;
    let measured = measure(address, server.id(), start, &sid).await?;
    Ok((measured, sid))
}

/// Creates (415) 867-5309 and enters its code.
async fn add_caller_id(client: &mut Client) -> Result<String> {
    let create = Case::new("", "POST", ".json").form("PhoneNumber=%2B14158675309");
    let (_, request) = client.ask(&create, "").await?;
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or("no such property");
    let (call, code) = (text(&request["call_sid"])?, text(&request["validation_code"])?);
    let call = format!("/_callerid/calls/{call}");
    client.send("POST", &format!("{call}/answer"), "", Credentials::Right).await?;
    let digits = format!("Digits={code}");
    client.send("POST", &format!("{call}/digits"), &digits, Credentials::Right).await?;
    let (_, list) = client.ask(&LIST, "").await?;
    Ok(text(&list["outgoing_caller_ids"][0]["sid"])?)
}

/// Prism's process, which is stopped when this is dropped.
struct Prism(Child);

impl Drop for Prism {
    fn drop(&mut self) {
        self.0.kill().unwrap_or_default();
        self.0.wait().map(drop).unwrap_or_default();
    }
}

async fn measure_prism(folder: &Path, description: &Path, sid: &str) -> Result<Measured> {
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let begun = Instant::now();
    let process = node::node()
        .arg(folder.join("node_modules/@stoplight/prism-cli/dist/index.js"))
        .args(["mock", "--multiprocess", "false", "--verboseLevel", "error"])
        .args(["--host", "127.0.0.1", "--port", &address.port().to_string()])
        .arg(description)
        .stdout(Stdio::null())
        .spawn()?;
    let prism = Prism(process);
    let mut client = loop {
        match Client::connect(address).await {
            Ok(client) => break client,
            Err(error) if begun.elapsed() > PATIENCE => return Err(error),
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    };
    client.ask(&LIST, "").await?;
    measure(address, prism.0.id(), begun.elapsed(), sid).await
}

async fn measure(
    address: SocketAddr,
    process: u32,
    start: Duration,
    sid: &str,
) -> Result<Measured> {
    let at_rest = resident_memory(process)?;
    let mut client = Client::connect(address).await?;
    let mut answers = Vec::new();
    for case in &CASES {
        let (status, body) = client.ask(case, sid).await?;
        answers.push(in_words(status, &body));
    }
    let lists = load(address, &LIST).await?;
    let creates = load(address, &CREATE).await?;
    let after = resident_memory(process)?;
    Ok(Measured { answers, lists, creates, start, at_rest, after })
}

/// Summarizes a response: its status, and what distinguishes its body.
fn in_words(status: StatusCode, body: &Value) -> String {
    let status = status.as_u16();
    if let Some(rows) = body["outgoing_caller_ids"].as_array() {
        let numbers: Vec<_> = rows.iter().filter_map(|row| row["phone_number"].as_str()).collect();
        format!("{status}: {}", if rows.is_empty() { "no rows".into() } else { numbers.join(" ") })
    } else if let Some(code) = body["validation_code"].as_str() {
        format!("{status}: validation code {code}")
    } else if let Some(code) = body["code"].as_u64() {
        format!("{status}: {code}")
    } else if let Some(name) = body["friendly_name"].as_str() {
        format!("{status}: “{name}”")
    } else if let Some(title) = body["title"].as_str() {
        format!("{status}: {title}")
    } else {
        status.to_string()
    }
}

/// Responses per second to this request, across all connections.
async fn load(address: SocketAddr, case: &'static Case) -> Result<f64> {
    let begun = Instant::now() + WARM_UP;
    let mut tasks = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let mut client = Client::connect(address).await?;
        tasks.spawn(async move {
            let mut answers = 0_u64;
            loop {
                let (status, _) = client.raw(case, "").await.map_err(|error| error.to_string())?;
                if !status.is_success() {
                    return Err(format!("{}: {status} under load", case.name));
                }
                let now = Instant::now();
                if now > begun + LOAD {
                    return Ok(answers);
                }
                answers += u64::from(now > begun);
            }
        });
    }
    let mut answers = 0;
    while let Some(counted) = tasks.join_next().await {
        answers += counted??;
    }
    Ok(answers as f64 / LOAD.as_secs_f64())
}

/// The memory that a process uses, according to `ps`.
fn resident_memory(process: u32) -> Result<String> {
    let output = Command::new("ps").args(["-o", "rss=", "-p", &process.to_string()]).output()?;
    let kibibytes: f64 = String::from_utf8_lossy(&output.stdout).trim().parse()?;
    Ok(format!("{:.1} MB", kibibytes * 1024.0 / 1e6))
}

/// A connection.
struct Client(SendRequest<Full<Bytes>>);

impl Client {
    async fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// Sends a case, for the caller ID with this Sid. Returns the body as JSON, or null if it is
    /// not JSON.
    async fn ask(&mut self, case: &Case, sid: &str) -> Result<(StatusCode, Value)> {
        let (status, body) = self.raw(case, sid).await?;
        Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
    }

    async fn raw(&mut self, case: &Case, sid: &str) -> Result<(StatusCode, Bytes)> {
        let rest = case.rest.replace("{sid}", sid);
        let path = format!("/2010-04-01/Accounts/{ACCOUNT_SID}/OutgoingCallerIds{rest}");
        self.send(case.method, &path, case.form, case.credentials).await
    }

    async fn send(
        &mut self,
        method: &str,
        path: &str,
        form: &str,
        credentials: Credentials,
    ) -> Result<(StatusCode, Bytes)> {
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
        if !form.is_empty() {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        let token = match credentials {
            Credentials::Right => Some(AUTH_TOKEN),
            Credentials::Wrong => Some("not the token"),
            Credentials::None => None,
        };
        if let Some(token) = token {
            let encoded = Base64::encode_string(format!("{ACCOUNT_SID}:{token}").as_bytes());
            request = request.header("authorization", format!("Basic {encoded}"));
        }
        self.0.ready().await?;
        let response = self.0.send_request(request.body(form.to_owned().into())?).await?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }
}
