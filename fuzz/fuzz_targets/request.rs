//! Any request with valid credentials: the service responds without a panic, and never with a 5xx.

#![no_main]

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use callerid_core::{AccountSid, AuthToken, Credentials, Moment};
use callerid_service::{Account, MemoryStore, RandomBytes, Request, Seed, Service};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, &str, Option<&str>, &[u8])| {
    let (method, path, query, content_type, body) = input;
    let sid = AccountSid::from_random_bytes(&[1; 16]);
    let auth_token = AuthToken::from_random_bytes(&[2; 16]);
    let account = Account { sid, auth_token: auth_token.clone() };
    let service = Service::new(MemoryStore::new([account])).with_testing(Seed::default());
    // Half of the paths belong to the account. Random paths rarely would.
    let own = format!("/2008-08-01/Accounts/{sid}/OutgoingCallerIds{path}");
    let path = if path.starts_with('/') { path } else { own.as_str() };
    let credentials = Some(Credentials { sid, auth_token });
    let content_encoding = None;
    let request =
        Request { method, path, query, credentials, content_type, content_encoding, body };
    let now = Moment::from_unix_millis(1_207_074_392_000);
    let random_bytes = RandomBytes::new([7; RandomBytes::BYTES]);
    let respond = pin!(service.respond(request, now, &random_bytes));
    let Poll::Ready(reply) = respond.poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("a store in memory does not wait");
    };
    assert!(reply.failure.is_none());
    assert!((200..500).contains(&reply.response.status));
});
