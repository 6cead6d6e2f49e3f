//! The server around [`callerid_service`]: sockets, a clock, randomness, a durable store and phone
//! lines. It implements no rules of the API; those belong to the
//! [`Service`](callerid_service::Service).
//!
//! | to | see |
//! |---|---|
//! | test a program that uses the API | [`testing::TestServer`] |
//! | serve | [`server::run`] |
//! | answer HTTP requests | `http`, for requests that `connection` accepts, within `slots`, and that `request_head` and `cross_site` let through |
//! | tell who sent a request | `client` |
//! | log every request | `observe` |
//! | use TLS | `tls` |
//! | reject requests that HTTP/1.1 does not allow | `request_head` |
//! | stream changes | `events`, for the `streams` of each account |
//! | report liveness, readiness and metrics | `probes`, `metrics` |
//! | sign a browser in | `sessions` |
//! | delay clients that send wrong tokens | `token_guard`, which `token_failures` counts for |
//! | serve the demo page | `page` |
//! | record what a real line does | [`audit_log`] |
//! | store everything | [`store`] on disk or [`postgres`], with tokens encrypted by a [`seal`]; accounts take `turns` |
//! | know of other servers of a store | `server_store` |
//! | place the calls that are due | `switchboard`, over a [`line::PhoneLine`] |
//! | report to a URL how a call ended | [`callbacks`] |
//! | tell the time | [`clock`] |
//! | share what all of these need | `host`, `exchange` for HTTP, and `lock`; none depends on the others |
//! | lose and delay responses, for tests | `test_control` |
//! | run the program `callerid` | [`cli`] |

pub mod audit_log;
pub mod callbacks;
pub mod cli;
mod client;
pub mod clock;
mod connection;
mod counted;
mod cross_site;
mod durable_store;
mod events;
mod exchange;
mod fetch;
mod host;
mod http;
mod inbox;
pub mod line;
mod listener;
mod lock;
mod metrics;
pub mod normalize;
mod observe;
mod page;
#[cfg(feature = "postgres")]
pub mod postgres;
mod probes;
mod request_head;
pub mod seal;
pub mod server;
mod server_store;
mod sessions;
mod slots;
pub mod store;
mod streams;
mod switchboard;
mod test_control;
pub mod testing;
mod tls;
mod token_failures;
mod token_guard;
mod turns;
