//! A client for outgoing caller IDs, as Twilio's REST API defines them. It builds requests and
//! reads responses, and does no I/O itself.
//!
//! A [`Client`] creates a [`ClientRequest`] for each operation of the API. Send it with any HTTP
//! client, and pass the response to [`ClientRequest::read`], which parses it into the right type:
//!
//! ```
//! use callerid_client::Client;
//! use callerid_core::{AccountSid, AuthToken, Credentials, Moment, NewCallerId, PhoneNumber};
//! use callerid_service::{Account, RandomBytes, MemoryStore, Service};
//! # fn wait<T>(future: impl Future<Output = T>) -> T {
//! #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
//! #     match std::pin::pin!(future).poll(&mut context) {
//! #         std::task::Poll::Ready(output) => output,
//! #         std::task::Poll::Pending => unreachable!("a store in memory never waits"),
//! #     }
//! # }
//!
//! let sid = AccountSid::parse("AC309475e5fede1b49e100272a8640f438")?;
//! let auth_token = AuthToken::new("2ab10d3c8f")?;
//! let client = Client::new(Credentials { sid, auth_token: auth_token.clone() }, "http://127.0.0.1:8008")?;
//!
//! let request = client.create(&NewCallerId::new(PhoneNumber::parse("(415) 867-5309")?))?;
//! assert_eq!(request.method(), "POST");
//! assert_eq!(
//!     request.url(),
//!     "http://127.0.0.1:8008/2008-08-01/Accounts/AC309475e5fede1b49e100272a8640f438/OutgoingCallerIds"
//! );
//! assert_eq!(request.body(), "PhoneNumber=4158675309");
//!
//! // Here a service in the same process stands for the network.
//! let service = Service::new(MemoryStore::new([Account { sid, auth_token }]));
//! let now = Moment::from_unix_millis(1_207_074_392_000);
//! let reply = wait(service.respond(&request.to_http()?, now, &RandomBytes::new([7; RandomBytes::BYTES])));
//!
//! let answer = request.read_http(&reply.response.into())?;
//! println!("Key {} when your phone rings.", answer.validation_code.expose());
//! # assert_eq!(answer.phone_number.as_str(), "4158675309");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Client::with_version`] selects the version of the API. The client uses XML in both versions.
//!
//! # Features
//!
//! - `http`, on by default: converts requests to and responses from the types of the `http` crate,
//!   which reqwest, ureq, hyper and tower use.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod address;
mod client;
mod error;
mod request;

pub use address::InvalidBaseUrl;
pub use client::Client;
pub use error::ClientError;
pub use request::ClientRequest;

/// Runs the README's examples as doctests.
#[cfg(all(doctest, feature = "http"))]
#[doc = include_str!("../README.md")]
struct Readme;
