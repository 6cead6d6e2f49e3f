//! `callerid serve`.

use std::fmt::Write as _;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use callerid_core::{AccountSid, ApiVersion, AuthToken};
use callerid_service::{Account, Service, StoreError};
use clap::Args;
use ipnet::IpNet;
use tokio::net::TcpListener;
use tracing_subscriber::filter::Targets;

use super::limits::LimitOptions;
use super::line_limits::LineLimitOptions;
use super::log::{Log, LogFormat};
use super::page::{only_account, sign_in_address};
#[cfg(feature = "sip")]
use super::sip::{self, SipArguments};
use super::testing::TestOptions;
use super::{CommandError, Data, new_account, say, variable};
use crate::callbacks::{Allowed, Callbacks};
use crate::clock::Clock;
use crate::exchange::{random_bytes, seed_random_bytes};
use crate::line::{PhoneLine, PhoneReports, VirtualLine};
use crate::server::{self, Listener, Safeguards, Tls, TrustedProxies};
use crate::store::{DurableStore, Options};

const SID_VARIABLE: &str = "CALLERID_ACCOUNT_SID";
const TOKEN_VARIABLE: &str = "CALLERID_AUTH_TOKEN";
const METRICS_TOKEN_VARIABLE: &str = "CALLERID_METRICS_TOKEN";

/// Tokens with fewer characters than this cause a warning.
const SHORT_TOKEN: usize = 16;

/// More threads would not increase throughput, because one thread makes all changes.
const MOST_THREADS: usize = 4;

/// Open files other than connections and callbacks: the database's files, those of its readers, and
/// connections that wait.
const FILES_BESIDE: usize = 116;

#[derive(Debug, Args)]
#[command(after_help = "\
On the first start an account is made, and its token is shown once. To give one from outside instead, set
CALLERID_ACCOUNT_SID and CALLERID_AUTH_TOKEN. Every start prints an address of the page that signs in once, within
ten minutes; `callerid page` prints another.

Tokens are sealed with a key that is kept in the data directory; to keep it elsewhere, set CALLERID_KEY to
64 hexadecimal digits before the first start, or --key-file to a file with them. With --database it must be given
(see docs/many-nodes.md).

GET /_callerid/live and /_callerid/ready tell how the server does, without credentials. GET /_callerid/metrics is
for Prometheus: for this machine or, where CALLERID_METRICS_TOKEN is set, for whoever has it as a bearer token.")]
pub(super) struct Arguments {
    /// The address and port to listen on; port 0 selects a free port
    #[arg(long, value_name = "ADDRESS", env = "CALLERID_LISTEN", default_value = "127.0.0.1:8008")]
    listen: String,
    #[command(flatten)]
    data: Data,
    /// The level of the log on standard error: error, warn, info, debug (includes requests and
    /// calls), trace, or off
    #[arg(long, value_name = "LEVEL", env = "RUST_LOG", default_value = "info")]
    log: Targets,
    /// The format of the log
    #[arg(long, value_name = "FORM", env = "CALLERID_LOG_FORMAT", default_value = "text")]
    log_format: LogFormat,
    /// Destinations allowed for status callbacks besides public addresses: a host, an address, or a
    /// range like 10.0.0.0/8
    #[arg(
        long,
        value_name = "HOST-OR-CIDR",
        env = "CALLERID_CALLBACK_ALLOW",
        value_delimiter = ','
    )]
    callback_allow: Vec<Allowed>,
    /// A PEM file with the server's certificate chain; reloaded on SIGHUP
    #[arg(long, value_name = "FILE", env = "CALLERID_TLS_CERT", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// A PEM file with the certificate's private key
    #[arg(long, value_name = "FILE", env = "CALLERID_TLS_KEY", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Proxies whose X-Forwarded-For is trusted: an address, or a range like 10.0.0.0/8
    #[arg(
        long, value_name = "CIDR", env = "CALLERID_TRUSTED_PROXY", value_delimiter = ',',
        value_parser = parse_range,
    )]
    trusted_proxy: Vec<IpNet>,
    #[command(flatten)]
    limits: LimitOptions,
    #[cfg(feature = "sip")]
    #[command(flatten)]
    sip: SipArguments,
    #[command(flatten)]
    line_limits: LineLimitOptions,
    #[command(flatten)]
    testing: TestOptions,
    /// Maximum number of changes per commit; for benchmarks
    #[arg(long, value_name = "NUMBER", hide = true, default_value_t = Options::default().batch)]
    commit_batch: usize,
}

pub(super) fn run(arguments: Arguments) -> Result<ExitCode, CommandError> {
    let _log = Log::start(arguments.log.clone(), arguments.log_format);
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start threads: {error}"))?;
    let served = runtime.block_on(serve(arguments));
    // Anything still running has had enough time.
    runtime.shutdown_timeout(Duration::from_millis(100));
    served.map(|()| ExitCode::SUCCESS)
}

async fn serve(mut arguments: Arguments) -> Result<(), CommandError> {
    // Installed first, so that a signal during the start stops the server too.
    let stop = stop_signal()?;
    if !Clock::is_of_http() {
        return Err("the system's clock is before 1970 or after 9999: set it first".into());
    }
    let tls = open_tls(arguments.tls_cert.take(), arguments.tls_key.take())?;
    #[cfg(feature = "sip")]
    let line = open_line(&arguments.sip, arguments.testing.test).await?;
    #[cfg(not(feature = "sip"))]
    let line = open_line();
    #[cfg(feature = "postgres")]
    if arguments.data.is_database() {
        let store = arguments.data.open_database().await?;
        let (gone, location) = (store.serve().await?, store.location());
        return serve_from(store, gone, location, arguments, tls, line, stop).await;
    }
    let temporary = arguments.testing.temporary_directory()?;
    if let Some(directory) = &temporary {
        arguments.data.path = directory.path().to_owned();
    }
    let batch = arguments.commit_batch;
    let options = Options { serve: true, batch, ..Options::default() };
    let store = arguments.data.open_directory(options)?;
    let (gone, location) = (store.gone(), arguments.data.absolute().display().to_string());
    serve_from(store, gone, location, arguments, tls, line, stop).await
}

/// Serves from a store until `stop` completes, or until the store is gone.
async fn serve_from<S: DurableStore + 'static>(
    store: S,
    gone: impl Future<Output = StoreError>,
    location: String,
    arguments: Arguments,
    tls: Option<Tls>,
    line: ReadyLine,
    stop: impl Future<Output = ()>,
) -> Result<(), CommandError> {
    let Arguments { listen, data, callback_allow, trusted_proxy, testing, .. } = arguments;
    let Arguments { limits, line_limits, .. } = arguments;
    let given = given_account()?;
    let seed = testing.seed()?;
    let metrics_token = variable(METRICS_TOKEN_VARIABLE)?.map(|token| AuthToken::new(&token));
    let metrics_token =
        metrics_token.transpose().map_err(|error| format!("{METRICS_TOKEN_VARIABLE}: {error}"))?;
    let is_real_line = line.text.is_some();
    let audit_log = match is_real_line {
        true => Some(line_limits.open_audit_log(&data.path)?),
        false => None,
    };
    let listener = bind(&listen).await?;
    let address = listener.local_addr()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let is_proxied = !trusted_proxy.is_empty();
    if tls.is_none() && !address.ip().is_loopback() && !is_proxied {
        tracing::warn!(
            "other machines reach this in clear, and tokens with it: see --tls-cert and --trusted-proxy"
        );
    }
    let url = format!("{scheme}://{}", reachable(address));
    let accounts = account(&store, given).await?;
    store.set_page_url(&url).await?;
    let sid = accounts.to_sign_in_to(&store).await?;
    let page = match &sid {
        Some(sid) => Some(sign_in_address(&store, &url, sid).await?),
        None => None,
    };
    let clock = store.clock();
    let mut lost = None;
    let account = match &sid {
        Some(sid) => store.account(sid).await?,
        None => None,
    };
    let mut service = Service::new(store);
    if let Some(seed) = seed {
        if let Some(entropy) = testing.entropy_seed {
            seed_random_bytes(entropy);
        }
        service = service.with_testing(seed);
        if let Some(sid) = &sid {
            service.add_seed(sid, clock.now(), &random_bytes()).await?;
        }
    }
    testing.tell_ready(&url, account.as_ref())?;
    say(format_args!("{}", welcome(&url, &location, &accounts, page, testing.test, &line.text)));
    if is_real_line {
        say(format_args!("\n{}", line_limits.describe(&data.absolute())));
    }
    tracing::info!(%address, data = location, line = line.name, "serving");
    let (slots, mut limits) = (limits.to_callback_slots(), limits.to_limits());
    limits.service.line = Some(line_limits.to_limits());
    let callbacks = Callbacks { allow: callback_allow, slots, ..Callbacks::default() };
    if let Some(files) = open_files_allowed()
        && files < limits.connections.saturating_add(slots.total).saturating_add(FILES_BESIDE)
    {
        tracing::warn!(
            files,
            max_connections = limits.connections,
            "too few open files are allowed (ulimit -n) for these"
        );
    }
    let stop = async {
        tokio::select! {
            () = stop => {}
            error = gone => {
                tracing::error!(%error, "stopping: nothing more can be kept");
                lost = Some(error);
            }
        }
    };
    let trusted_proxies = TrustedProxies::new(trusted_proxy);
    let listener = Listener { socket: listener, tls, trusted_proxies, metrics_token };
    let safeguards = Safeguards { limits, audit_log };
    server::run(listener, service, clock, line.start, callbacks, safeguards, stop).await;
    tracing::info!("stopped");
    lost.map_or(Ok(()), |error| Err(error.into()))
}

/// The line that calls ring on.
struct ReadyLine {
    name: &'static str,
    /// What the welcome message says about it, if it calls real phones.
    text: Option<String>,
    start: Box<dyn FnOnce(PhoneReports) -> Box<dyn PhoneLine>>,
}

impl ReadyLine {
    fn of_no_phones() -> Self {
        Self { name: "virtual", text: None, start: Box::new(|_| Box::new(VirtualLine)) }
    }
}

#[cfg(feature = "sip")]
async fn open_line(sip: &SipArguments, is_test: bool) -> Result<ReadyLine, CommandError> {
    let Some(options) = sip.to_options()? else { return Ok(ReadyLine::of_no_phones()) };
    if is_test {
        return Err("--test is for the virtual phone, and --sip-trunk lets real ones ring".into());
    }
    let trunks: Vec<_> = options.trunks.iter().map(|(trunk, _)| trunk.to_string()).collect();
    let text = format!(
        "Real phones ring, called from {} over {}",
        options.caller.e164().as_str(),
        trunks.join(", ")
    );
    let open = sip::open(options).await?;
    let start = Box::new(|reports| Box::new(open.start(reports)) as Box<dyn PhoneLine>);
    Ok(ReadyLine { name: "sip", text: Some(text), start })
}

#[cfg(not(feature = "sip"))]
fn open_line() -> ReadyLine {
    ReadyLine::of_no_phones()
}

/// Configures TLS with the given files. They are reloaded on SIGHUP.
fn open_tls(
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
) -> Result<Option<Tls>, CommandError> {
    let (Some(certificate), Some(key)) = (certificate, key) else { return Ok(None) };
    let tls = Tls::open(&certificate, &key)?;
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (tls, mut hangups) = (tls.clone(), signal(SignalKind::hangup())?);
        tokio::spawn(async move {
            while hangups.recv().await.is_some() {
                match tls.reload() {
                    Ok(()) => tracing::info!("the certificate was read again"),
                    Err(error) => tracing::error!(error, "the certificate stays what it was"),
                }
            }
        });
    }
    Ok(Some(tls))
}

/// The number of files that this process may open, if the system reports it.
fn open_files_allowed() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Parses an address or a range of addresses.
fn parse_range(text: &str) -> Result<IpNet, String> {
    let address = text.parse::<IpAddr>().map(IpNet::from);
    let expected = |_| "expected an address, or a range like 10.0.0.0/8".to_owned();
    address.or_else(|_| text.parse()).map_err(expected)
}

async fn bind(address: &str) -> Result<TcpListener, CommandError> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => {
            format!("{address} is in use by another program; --listen takes another address").into()
        }
        ErrorKind::PermissionDenied => {
            format!("{address} may not be listened on; ports from 1024 on may").into()
        }
        ErrorKind::InvalidInput => {
            format!("{address:?} is no address; expected one like 127.0.0.1:8008").into()
        }
        _ => CommandError(format!("cannot listen on {address}: {error}")),
    })
}

/// What the welcome message says about accounts.
enum Accounts {
    /// There are accounts.
    Known,
    /// The account that the environment specifies.
    Given(AccountSid),
    /// There was no account, so this one was created.
    Made(Account),
}

impl Accounts {
    /// The account for the page's sign-in address.
    async fn to_sign_in_to(
        &self,
        store: &impl DurableStore,
    ) -> Result<Option<AccountSid>, CommandError> {
        match self {
            Self::Known => only_account(store).await,
            Self::Given(sid) | Self::Made(Account { sid, .. }) => Ok(Some(*sid)),
        }
    }
}

/// The account that the environment specifies.
fn given_account() -> Result<Option<Account>, CommandError> {
    match (variable(SID_VARIABLE)?, variable(TOKEN_VARIABLE)?) {
        (None, None) => Ok(None),
        (Some(sid), Some(token)) => {
            let invalid = |name, error: &dyn std::fmt::Display| format!("{name}: {error}");
            let sid = AccountSid::parse(&sid).map_err(|error| invalid(SID_VARIABLE, &error))?;
            let auth_token =
                AuthToken::new(&token).map_err(|error| invalid(TOKEN_VARIABLE, &error))?;
            if token.len() < SHORT_TOKEN {
                tracing::warn!(
                    "{TOKEN_VARIABLE} is shorter than {SHORT_TOKEN} characters: easier to guess than those made here"
                );
            }
            Ok(Some(Account { sid, auth_token }))
        }
        (Some(_), None) => Err(format!("{SID_VARIABLE} is set and {TOKEN_VARIABLE} is not").into()),
        (None, Some(_)) => Err(format!("{TOKEN_VARIABLE} is set and {SID_VARIABLE} is not").into()),
    }
}

async fn account(
    store: &impl DurableStore,
    given: Option<Account>,
) -> Result<Accounts, CommandError> {
    if let Some(account) = given {
        let sid = account.sid;
        if store.account(&account.sid).await?.as_ref() == Some(&account) {
            return Ok(Accounts::Given(sid));
        }
        if !store.add_account(account.clone()).await? {
            tracing::warn!(
                account = %account.sid,
                "the token in {TOKEN_VARIABLE} is not the one that is kept, and replaces it"
            );
            store.rotate(account).await?;
        }
        return Ok(Accounts::Given(sid));
    }
    if !store.accounts().await?.is_empty() {
        return Ok(Accounts::Known);
    }
    let account = new_account()?;
    store.add_account(account.clone()).await?;
    Ok(Accounts::Made(account))
}

/// The welcome message on standard output. Programs read the address in its first line.
fn welcome(
    url: &str,
    location: &str,
    accounts: &Accounts,
    page: Option<String>,
    is_test: bool,
    line: &Option<String>,
) -> String {
    let mut said = format!("callerid {} on {url}\n", env!("CARGO_PKG_VERSION"));
    if let Some(line) = line {
        writeln!(said, "{line}").unwrap_or_default();
    }
    if is_test {
        said.push_str("Under the control of tests: whoever has a token can reset its account\n");
    }
    writeln!(said, "Data in {location}\n").unwrap_or_default();
    match accounts {
        Accounts::Known => writeln!(said, "`callerid account` lists and adds accounts."),
        Accounts::Given(_) => writeln!(said, "The account is the one in {SID_VARIABLE}."),
        Accounts::Made(Account { sid, auth_token }) => {
            let token = auth_token.expose();
            writeln!(
                said,
                "A new account; its token is shown this once:\n
  {SID_VARIABLE}={sid}
  {TOKEN_VARIABLE}={token}"
            )
        }
    }
    .unwrap_or_default();
    match page {
        Some(address) => writeln!(
            said,
            "\nThe page, signed in. This address works once, for ten minutes; `callerid page` prints another:\n
  {address}\n"
        ),
        None => writeln!(said, "`callerid page AC…` prints an address that signs in to the page."),
    }
    .unwrap_or_default();
    if matches!(accounts, Accounts::Known) {
        return said;
    }
    let version = ApiVersion::V2008.as_str();
    let list = format!("{url}/{version}/Accounts/${SID_VARIABLE}/OutgoingCallerIds");
    let calls = format!("{url}/_callerid/calls");
    let curl = format!("curl -u \"${SID_VARIABLE}:${TOKEN_VARIABLE}\"");
    write!(
        said,
        "To validate a number, ask for a call; the answer shows its ValidationCode:

  {curl} -d PhoneNumber=415-867-5309 {list}

",
    )
    .unwrap_or_default();
    if line.is_some() {
        return said;
    }
    write!(
        said,
        "Then be the phone, and key that code in place of 000000:

  CALL=$({curl} -s {calls} | grep -o 'CA[0-9a-f]*' | head -n 1)
  {curl} -X POST {calls}/$CALL/answer
  {curl} -d Digits=000000 {calls}/$CALL/digits
  {curl} {list}

",
    )
    .unwrap_or_default();
    said
}

/// The address at which this machine can reach the listener.
pub(super) fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

/// Completes when the process is told to stop. A second signal ends the process at once.
#[cfg(unix)]
fn stop_signal() -> Result<impl Future<Output = ()>, CommandError> {
    use tokio::signal::unix::{Signal, SignalKind, signal};
    async fn received([interrupted, terminated]: &mut [Signal; 2]) {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    }
    let mut signals = [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?];
    Ok(async move {
        received(&mut signals).await;
        tokio::spawn(async move {
            received(&mut signals).await;
            std::process::exit(1);
        });
    })
}

/// Completes when the process is told to stop.
#[cfg(not(unix))]
fn stop_signal() -> Result<impl Future<Output = ()>, CommandError> {
    Ok(async { tokio::signal::ctrl_c().await.unwrap_or_default() })
}
