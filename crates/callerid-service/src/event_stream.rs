//! Event streams: an account's changes, as sent by `GET /_callerid/events`.

use crate::account::Account;
use crate::api_error::{ApiError, ServiceError};
use crate::event::{RESET, RESET_DATA, server_sent};
use crate::response::Response;
use crate::store::{Events, Store, StoreError};

/// The path of the event stream.
pub const EVENTS_PATH: &str = "/_callerid/events";

/// A client's position in an account's events. It holds no reference to the store, so the store can
/// change while the stream is open.
#[derive(Clone, Debug)]
pub struct EventStream {
    account: Account,
    /// The id of the last event that the client has received or can skip.
    last: u64,
    has_begun: bool,
}

impl EventStream {
    /// Opens a stream of the events after this id, which is the value of a `Last-Event-ID` header.
    /// Without an id, the stream begins with the next event.
    ///
    /// # Errors
    /// A 400 if the id is not a number, or the store's error.
    pub async fn open<S: Store>(
        store: &S,
        account: Account,
        last_event_id: Option<&str>,
    ) -> Result<Self, ServiceError> {
        let last = match last_event_id {
            Some(text) => callerid_core::decimal(text).ok_or_else(|| {
                let message = "Invalid Last-Event-ID: expected the id of an event, a whole number";
                ApiError::http(400, message)
            })?,
            None => store.events_after(&account.sid, u64::MAX, 0).await?.newest,
        };
        Ok(Self { account, last, has_begun: false })
    }

    /// The account, as it was when the stream was opened.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The response whose body is the stream.
    pub(crate) fn response() -> Response {
        Response::new(200, "text/event-stream", Vec::new())
    }

    /// The next events in the format of the stream, at most `limit`; empty if there are none. If
    /// some have been deleted, an event `reset` precedes them, which tells the client to reload its
    /// lists.
    ///
    /// The first result begins with the id that the stream starts after, so a client that loses its
    /// connection before the first change does not miss any.
    ///
    /// # Errors
    /// The store's error. The stream's position does not change.
    pub async fn catch_up<S: Store>(
        &mut self,
        store: &S,
        limit: usize,
    ) -> Result<String, StoreError> {
        let Events { events, newest, gap } =
            store.events_after(&self.account.sid, self.last, limit).await?;
        let mut piece = String::new();
        if !std::mem::replace(&mut self.has_begun, true) {
            piece = format!("retry: 1000\nid: {}\n\n", self.last);
        }
        if gap {
            let id = events.first().map_or(newest, |event| event.id.saturating_sub(1));
            piece.push_str(&server_sent(id, RESET, RESET_DATA));
        }
        for event in &events {
            piece.push_str(&event.to_server_sent());
        }
        // The events after the account's last one belong to other accounts.
        self.last = match events.last() {
            Some(event) if events.len() >= limit => event.id,
            _ => newest,
        };
        Ok(piece)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::call::Call;
    use crate::limits::Limits;
    use crate::random_bytes::RandomBytes;
    use crate::store::MemoryStore;
    use callerid_core::{AccountSid, AuthToken, Moment, NewCallerId, PhoneNumber};

    fn ready<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => panic!("a store in memory does not wait"),
        }
    }

    fn add_call(store: &MemoryStore, account: AccountSid, seed: u8) {
        let new = NewCallerId::new(PhoneNumber::parse(&format!("415555012{seed}")).unwrap());
        let now = Moment::default();
        let call =
            Call::new(account, new, &RandomBytes::new([seed; RandomBytes::BYTES]), now).unwrap();
        ready(store.add_call(call, &Limits::default())).unwrap().unwrap();
    }

    #[test]
    fn a_stream_resumes_at_its_position_or_sends_reset() {
        let account = Account {
            sid: AccountSid::from_random_bytes(&[1; 16]),
            auth_token: AuthToken::from_random_bytes(&[2; 16]),
        };
        let store = MemoryStore::new([account.clone()]);
        let open = |id| ready(EventStream::open(&store, account.clone(), id));
        let next = |stream: &mut EventStream, limit| ready(stream.catch_up(&store, limit)).unwrap();
        add_call(&store, account.sid, 1);
        let mut fresh = open(None).unwrap();
        assert_eq!(next(&mut fresh, 9), "retry: 1000\nid: 1\n\n");
        assert_eq!(next(&mut fresh, 9), "");
        for seed in 2..5 {
            add_call(&store, account.sid, seed);
        }
        let ids = |piece: &str| {
            let ids = piece.lines().filter_map(|line| line.strip_prefix("id: "));
            ids.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(ids(&next(&mut fresh, 2)), ["2", "3"]);
        assert_eq!(ids(&next(&mut fresh, 2)), ["4"]);
        assert_eq!(next(&mut fresh, 2), "");
        let mut resumed = open(Some("3")).unwrap();
        assert_eq!(ids(&next(&mut resumed, 9)), ["3", "4"]);
        let mut ahead = open(Some("99")).unwrap();
        let reset = "id: 4\nevent: reset\ndata: {}\n\n";
        assert_eq!(next(&mut ahead, 9), format!("retry: 1000\nid: 99\n\n{reset}"));
        assert_eq!(next(&mut ahead, 9), "");
        assert!(
            matches!(open(Some("x")), Err(ServiceError::Api(refused)) if refused.status == 400)
        );

        store.restore(&store.snapshot()).unwrap();
        assert_eq!(next(&mut resumed, 9), "id: 5\nevent: reset\ndata: {}\n\n");
        assert_eq!(next(&mut resumed, 9), "");
    }
}
