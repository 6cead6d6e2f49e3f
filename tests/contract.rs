//! The contract: the same cases, played against the service itself and over HTTP.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use callerid_core::{
    Account, AccountSid, AuthToken, Credentials, Entropy, MemoryStore, Moment, Service, http,
};
use callerid_tests::{Case, Host, Request, Response};

/// The service in this process, over a store in memory, with a clock and an entropy of its own.
struct InProcess {
    service: Service<MemoryStore>,
    account: Account,
    now: Moment,
    requests: u64,
}

impl InProcess {
    fn new() -> Self {
        let account = Account {
            sid: AccountSid::from_entropy(&[0x5a; 16]),
            auth_token: AuthToken::from_entropy(&[0xa5; 16]),
        };
        let service = Service::new(MemoryStore::new([account.clone()]));
        Self { service, account, now: Moment::from_unix_millis(1_207_074_392_000), requests: 0 }
    }

    /// As good as random for what the cases look at: no two requests get the same.
    fn entropy(&mut self) -> Entropy {
        self.requests += 1;
        let mut state = self.requests;
        Entropy::new(std::array::from_fn(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        }))
    }
}

impl Host for InProcess {
    fn account(&self) -> (String, String) {
        let Account { sid, auth_token } = self.account.clone();
        (sid.to_string(), Credentials { sid, auth_token }.to_authorization())
    }

    fn send(&mut self, request: &Request) -> Response {
        let entropy = self.entropy();
        self.now = Moment::from_unix_millis(self.now.unix_millis() + 1);
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let request = http::Request {
            method: &request.method,
            path,
            query,
            authorization: request.header("authorization"),
            content_type: request.header("content-type"),
            body: request.body.as_bytes(),
        };
        let reply = ready(self.service.respond(&request, self.now, &entropy));
        assert!(reply.failure.is_none(), "{:?}", reply.failure);
        let headers = reply.response.headers.into_iter();
        Response {
            status: reply.response.status,
            headers: headers.map(|(name, value)| (name.into(), value.into())).collect(),
            body: String::from_utf8(reply.response.body).expect("answers are UTF-8"),
        }
    }

    fn advance(&mut self, seconds: u32) {
        self.now = self.now.plus_seconds(seconds);
        ready(self.service.tick(self.now)).expect("a store in memory does not fail");
    }
}

/// The outcome of a future that never waits, as those over a store in memory.
fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("a store in memory does not wait"),
    }
}

fn play_all(mut host: impl FnMut() -> Box<dyn Host>) {
    let cases = Case::all();
    assert!(!cases.is_empty());
    let mut broken = Vec::new();
    for case in cases {
        match case.play(&mut *host()) {
            Ok(played) => println!("{}: {played} exchanges", case.name()),
            Err(why) => broken.push(why),
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n\n"));
}

#[test]
fn the_service_keeps_the_contract() {
    play_all(|| Box::new(InProcess::new()));
}
