//! Snapshots: a line that names the format, followed by everything in a
//! [`MemoryStore`](super::MemoryStore) except its events, encoded with postcard. Reading JSON would
//! add 30 KB to the npm package.

use std::fmt;

use super::State;

/// The start of a snapshot. Increment its number for every incompatible change of the encoding.
const FORMAT: &[u8] = b"callerid snapshot 6\n";

impl State {
    pub(super) fn to_snapshot(&self) -> Vec<u8> {
        let written = postcard::to_extend(self, FORMAT.to_vec());
        debug_assert!(written.is_ok(), "a Vec takes whatever is written to it");
        written.unwrap_or_default()
    }

    pub(super) fn from_snapshot(snapshot: &[u8]) -> Result<Self, InvalidSnapshot> {
        let state = snapshot.strip_prefix(FORMAT).ok_or(InvalidSnapshot::OtherFormat)?;
        match postcard::take_from_bytes(state) {
            Ok((state, [])) => Ok(state),
            Ok(_) => Err(InvalidSnapshot::Damaged("more follows its end".to_owned())),
            Err(error) => Err(InvalidSnapshot::Damaged(error.to_string())),
        }
    }
}

/// Bytes that are not a snapshot of this version.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidSnapshot {
    /// They do not start like a snapshot of this version.
    OtherFormat,
    /// They are truncated or damaged. The text says how and where.
    Damaged(String),
}

impl fmt::Display for InvalidSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherFormat => {
                f.write_str("not a snapshot of a store, or one of another version")
            }
            Self::Damaged(why) => write!(f, "a snapshot cut short or damaged: {why}"),
        }
    }
}

impl std::error::Error for InvalidSnapshot {}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::account::Account;
    use crate::call::Call;
    use crate::call::PhoneEvent;
    use crate::limits::Limits;
    use crate::random_bytes::RandomBytes;
    use crate::service::Service;
    use crate::store::Store as _;
    use crate::store::memory::MemoryStore;
    use callerid_core::NewCallerId;
    use callerid_core::{
        AccountSid, AuthToken, CallExtension, CallbackMethod, CallerIdSid, Date, FriendlyName,
        Moment, OutgoingCallerId, PhoneNumber, StatusCallback,
    };

    fn ready<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => panic!("a store in memory does not wait"),
        }
    }

    /// A store with a caller ID, an ended call with a wrong entry, and a call with two digits
    /// entered.
    fn store() -> MemoryStore {
        let account = Account {
            sid: AccountSid::from_random_bytes(&[1; 16]),
            auth_token: AuthToken::new("t0ken").unwrap(),
        };
        let service = Service::new(MemoryStore::new([account.clone()]));
        let now = Moment::from_unix_millis(1_207_074_392_123);
        let date = Date::new(1_207_074_392, -420);
        service.store().seed(OutgoingCallerId {
            sid: CallerIdSid::from_random_bytes(&[2; 16]),
            account_sid: account.sid,
            friendly_name: FriendlyName::new("Bücher 📚").unwrap(),
            // Withdrawn from the numbering plan since.
            phone_number: PhoneNumber::parse_possible("2215550123").unwrap(),
            date_created: date,
            date_updated: date,
        });
        let call = |number, keys, seed| {
            let new = NewCallerId {
                phone_number: PhoneNumber::parse(number).unwrap(),
                friendly_name: Some(FriendlyName::new("Bob").unwrap()),
                call_delay: Default::default(),
                extension: Some(CallExtension::new("1w2").unwrap()),
                status_callback: StatusCallback::new(
                    "https://u:p@example.com/",
                    CallbackMethod::Get,
                )
                .ok(),
            };
            let call =
                Call::new(account.sid, new, &RandomBytes::new([seed; RandomBytes::BYTES]), now)
                    .unwrap();
            let sid = call.sid;
            ready(service.store().add_call(call, &Limits::default())).unwrap().unwrap();
            ready(service.tick(now)).unwrap();
            for event in
                [PhoneEvent::Answered, PhoneEvent::Pressed(crate::Keys::parse(keys).unwrap())]
            {
                ready(service.phone_event(&sid, &event, now)).outcome.unwrap();
            }
            sid
        };
        call("4155550123", "12", 4);
        let ended = call("4155550124", "1#", 5);
        ready(service.phone_event(&ended, &PhoneEvent::HungUp, now)).outcome.unwrap();
        service.into_store()
    }

    #[test]
    fn a_snapshot_holds_everything() {
        let store = store();
        let snapshot = store.snapshot();
        let restored = MemoryStore::default();
        restored.restore(&snapshot).unwrap();
        {
            let (mut restored, mut store) = (restored.state(), store.state());
            restored.newest_event = store.newest_event;
            restored.events_from = store.events_from;
            store.events.clear();
            assert_eq!(format!("{restored:?}"), format!("{store:?}"));
        }
        assert_eq!(restored.snapshot(), snapshot);
        let state = restored.state();
        let codes = state.calls.iter().filter_map(|call| call.validation_code);
        assert_eq!(codes.count(), 1);
        let failed = state.numbers.iter().filter(|it| it.1.failed_entries == 1);
        assert_eq!((failed.count(), state.callbacks.len()), (1, 1));
        assert!(state.calls.iter().any(|call| call.keyed.expose() == "12"));
    }

    #[test]
    fn a_damaged_snapshot_is_refused_and_changes_nothing() {
        let store = store();
        let snapshot = store.snapshot();
        for length in 0..snapshot.len() {
            assert!(store.restore(&snapshot[..length]).is_err(), "{length}");
        }
        assert_eq!(store.snapshot(), snapshot);
        assert!(store.restore(&[&snapshot[..], b"x"].concat()).is_err());
        let mut other = snapshot.clone();
        other[18] = b'1';
        assert_eq!(store.restore(&other), Err(InvalidSnapshot::OtherFormat));
        // No damaged byte causes a panic.
        for at in 0..snapshot.len() {
            let mut damaged = snapshot.clone();
            damaged[at] ^= 0x80;
            let _ = MemoryStore::default().restore(&damaged);
        }
    }
}
