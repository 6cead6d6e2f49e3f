//! A client for outgoing caller IDs, as Twilio's REST API defines them. It builds requests and
//! reads responses, and does no I/O itself.
//!
//! A [`Client`] creates a [`ClientRequest`] for each operation of the API. Send it with any HTTP
//! client, and pass the response to [`ClientRequest::read`], which parses it into the right type:
//!
//! ```
//! use callerid_client::Client;
//! use callerid_core::{AccountSid, AuthToken, Credentials, NewCallerId, PhoneNumber};
//! # use callerid_service::{Account, MockApi};
//!
//! let sid = AccountSid::parse("AC309475e5fede1b49e100272a8640f438")?;
//! let auth_token = AuthToken::new("2ab10d3c8f")?;
//! # let api = MockApi::with_account(Account { sid, auth_token: auth_token.clone() });
//! let client = Client::new(Credentials { sid, auth_token }, "http://127.0.0.1:8008")?;
//!
//! let number = PhoneNumber::parse("(415) 867-5309")?;
//! let request = client.create(&NewCallerId::new(number))?;
//! assert_eq!(request.method(), "POST");
//! assert_eq!(
//!     request.url(),
//!     "http://127.0.0.1:8008/2008-08-01/Accounts/AC309475e5fede1b49e100272a8640f438/OutgoingCallerIds"
//! );
//! assert_eq!(request.body(), "PhoneNumber=4158675309");
//! # let response = http::Response::from(api.respond(&request.to_http()?));
//!
//! // `response` is what your HTTP client received for `request.to_http()`.
//! let answer = request.read_http(&response)?;
//! println!("Key {} when your phone rings.", answer.validation_code.expose());
//! # assert_eq!(answer.phone_number, number);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The README sends requests with ureq; `docs/sdk.md` in the repository also with reqwest. In a test, use the `MockApi`
//! of `callerid-service`, which answers requests in the same process.
//!
//! A list comes in pages, whose rows are in `page.items`:
//!
//! ```
//! use callerid_client::Client;
//! use callerid_core::{Filter, PageRequest};
//! use callerid_service::MockApi;
//!
//! let api = MockApi::new();
//! let client = Client::new(api.credentials(), "http://127.0.0.1:8008")?;
//! let filter = Filter::default();
//! let mut next = Some(client.list(&filter, PageRequest::default()));
//! while let Some(request) = next {
//!     let received = request.read_http(&api.respond(&request.to_http()?).into())?;
//!     for caller_id in &received.page.items {
//!         println!("{} is {}", caller_id.phone_number, caller_id.friendly_name);
//!     }
//!     next = client.next_page(&filter, &received)?;
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Client::with_version`] selects the version of the API. The client uses XML in both versions.
//!
//! # Features
//!
//! | feature | default | |
//! |---|---|---|
//! | `http` | enabled | [`ClientRequest::to_http`] and [`ClientRequest::read_http`], which convert to and from the types of the [`http`](https://docs.rs/http) crate, which reqwest, ureq, hyper and tower use |

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
