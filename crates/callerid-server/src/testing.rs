//! A server for the tests of programs that use the API: in the test's own process and runtime, on a
//! free port, in memory.
//!
//! ```
//! use callerid_core::PhoneNumber;
//! use callerid_server::testing::{CallStatus, Fault, TestServer};
//!
//! # /*
//! #[tokio::test]
//! # */
//! # #[tokio::main(flavor = "current_thread")]
//! async fn validates_a_number() -> Result<(), Box<dyn std::error::Error>> {
//!     let server = TestServer::start().await?;
//!     server.faults().add(&Fault::status(503).method("POST").times(2)).await?;
//!
//!     // The number of a phone that answers and keys the code by itself.
//!     let number = PhoneNumber::parse("212-555-0171")?;
//!     my_program(server.url(), server.account_sid(), server.auth_token(), number).await?;
//!
//!     let call = server.calls().of(number).with_status(CallStatus::Completed).next().await?;
//!     assert_eq!(call.verification_status.as_deref(), Some("success"));
//!     assert_eq!(server.caller_ids().list().await?.len(), 1);
//!     Ok(())
//! }
//! # use callerid_core::{AccountSid, AuthToken, Credentials};
//! # /// Requests a validation until it succeeds.
//! # async fn my_program(
//! #     url: &str, sid: AccountSid, auth_token: &AuthToken, number: PhoneNumber,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! #     let credentials = Credentials { sid, auth_token: auth_token.clone() };
//! #     let client = callerid_client::Client::new(credentials, url)?;
//! #     let request = client.create(&callerid_core::NewCallerId::new(number))?.to_http()?;
//! #     tokio::task::spawn_blocking(move || {
//! #         let (head, body) = request.into_parts();
//! #         while ureq::run(ureq::http::Request::from_parts(head.clone(), body.clone())).is_err() {}
//! #     }).await?;
//! #     Ok(())
//! # }
//! # validates_a_number().unwrap();
//! ```
//!
//! [`TestServer`] has the methods of its [`TestAccount`]. Each is a request of the control surface,
//! with the same name; `docs/testing.md` in the repository describes them all. Tests that run side
//! by side can each have a server, or [a sandbox](TestAccount::sandbox) of one.

mod account;
mod connection;
mod controls;
mod error;
mod matching;

use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::ops::Deref;

use callerid_core::{AccountSid, AuthToken, Credentials};
use callerid_service::{Account, MemoryStore, Service};
use rand::Rng as _;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use account::TestAccount;
pub use callerid_service::testing::{
    Action, AddSandbox, AddedFault, Clock, Drop, Fault, KeptSnapshot, LiveCode, LoggedRequest,
    NamedScript, NearMatch, NumberOrAny, PhoneScript, Phones, Seed, SeedCallerId, Snapshot, Step,
};
pub use callerid_service::{CallStatus, CallView, CallbackView};
pub use controls::{ClockControl, Faults, Phone, Requests, Snapshots};
pub use error::ControlError;
pub use matching::Matching;

use crate::callbacks::{Allowed, Callbacks};
use crate::exchange::random_bytes;
use crate::line::{PhoneLine, VirtualLine};
use crate::server::{self, Limits};

/// The addresses of this machine.
const LOOPBACK: [&str; 2] = ["127.0.0.0/8", "::1"];

/// A server in this process, under the control of tests. It stops when it is dropped.
pub struct TestServer {
    account: TestAccount,
    serving: JoinHandle<()>,
    stop: DropGuard,
}

/// What a [`TestServer`] starts with.
#[derive(Clone, Debug)]
pub struct TestOptions {
    /// What the account begins with, and what a reset restores.
    pub seed: Seed,
    /// The account; if absent, one with a random Sid and token.
    pub account: Option<Account>,
    /// Allowed destinations of status callbacks besides public addresses. The default is this
    /// machine.
    pub callback_allow: Vec<Allowed>,
    /// The server's limits.
    pub limits: Limits,
}

impl Default for TestOptions {
    fn default() -> Self {
        Self {
            seed: Seed::default(),
            account: None,
            callback_allow: LOOPBACK.into_iter().flat_map(str::parse).collect(),
            limits: Limits::default(),
        }
    }
}

impl TestServer {
    /// Starts a server on a free port of 127.0.0.1. Its tasks run in the current runtime.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start() -> io::Result<Self> {
        Self::start_with(TestOptions::default()).await
    }

    /// Starts a server with these options.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start_with(options: TestOptions) -> io::Result<Self> {
        let TestOptions { seed, account, callback_allow, limits } = options;
        let Account { sid, auth_token } = account.unwrap_or_else(random_account);
        let store = MemoryStore::new([Account { sid, auth_token: auth_token.clone() }]);
        let service = Service::new(store).with_testing(seed);
        let clock = crate::clock::Clock::system();
        service.add_seed(&sid, clock.now(), &random_bytes()).await.map_err(io::Error::other)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let line = |_| Box::new(VirtualLine) as Box<dyn PhoneLine>;
        let callbacks = Callbacks { allow: callback_allow, ..Callbacks::default() };
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let serving = server::run(listener, service, clock, line, callbacks, limits, stopped);
        Ok(Self {
            account: TestAccount::new(address, Credentials { sid, auth_token }),
            serving: tokio::spawn(serving),
            stop: stop.drop_guard(),
        })
    }

    /// Stops the server, and waits until the requests in progress have been answered.
    pub async fn stop(self) {
        let Self { serving, stop, .. } = self;
        drop(stop);
        serving.await.unwrap_or_default();
    }
}

/// The account that the server started with.
impl Deref for TestServer {
    type Target = TestAccount;

    fn deref(&self) -> &TestAccount {
        &self.account
    }
}

impl fmt::Debug for TestServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestServer").field("account", &self.account).finish_non_exhaustive()
    }
}

fn random_account() -> Account {
    let mut random = [[0; 16]; 2];
    random.iter_mut().for_each(|bytes| rand::rng().fill_bytes(bytes));
    let [sid, auth_token] = random;
    Account {
        sid: AccountSid::from_random_bytes(&sid),
        auth_token: AuthToken::from_random_bytes(&auth_token),
    }
}
