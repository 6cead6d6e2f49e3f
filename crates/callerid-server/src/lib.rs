//! The server around [`callerid_service`]: sockets, a clock, randomness, a durable store, phone lines. It holds no rule of
//! the API; those stand in the [`Service`](callerid_service::Service).
//!
//! | to | see |
//! |---|---|
//! | serve | [`server::run`] |
//! | answer HTTP | `http`, over what `connection` accepts, for which there are `slots`, and `request_head` and `cross_site` let through |
//! | tell of every request | `observe`, with the address of its `client` |
//! | show a certificate | `tls` |
//! | refuse what HTTP/1.1 does not allow | `request_head` |
//! | stream what changes | `events`, for each account's `streams` |
//! | say that it lives and is ready, and how it does | `probes`, `metrics` |
//! | sign a browser in | `sessions` |
//! | have wrong tokens wait | `token_guard`, by what `token_failures` counts |
//! | give out the demo page | `page` |
//! | keep everything | [`store`], tokens with a [`seal`] |
//! | make the calls that are due | `switchboard`, over a [`line::PhoneLine`] |
//! | tell a URL how a call ended | [`callbacks`] |
//! | tell the time | [`clock`] |
//! | share what all of these need | `host`, and for HTTP `exchange`; neither knows the others |
//! | run the program `callerid` | [`cli`] |

pub mod callbacks;
pub mod cli;
mod client;
pub mod clock;
mod connection;
mod cross_site;
mod events;
mod exchange;
mod host;
mod http;
pub mod line;
mod listener;
mod metrics;
pub mod normalize;
mod observe;
mod page;
mod probes;
mod request_head;
pub mod seal;
pub mod server;
mod sessions;
mod slots;
pub mod store;
mod streams;
mod switchboard;
mod tls;
mod token_failures;
mod token_guard;
