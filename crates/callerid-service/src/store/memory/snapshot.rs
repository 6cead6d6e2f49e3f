//! Snapshots: all that a [`MemoryStore`](super::MemoryStore) holds but its events, as bytes.
//!
//! A snapshot begins with [`FORMAT`]. Numbers are eight bytes, little end first; a text is its length and its bytes; what
//! may be absent is preceded by a number that is 1 or 0; of many things their number comes first.

use std::fmt;

use callerid_core::text::{digits, put};
use callerid_core::{
    AccountSid, AuthToken, CallExtension, CallSid, CallbackMethod, CallerIdSid, Date, FriendlyName,
    Moment, OutgoingCallerId, PhoneNumber, StatusCallback, ValidationCode,
};

use super::State;
use crate::account::Account;
use crate::call::{Call, CallStatus};
use crate::callback::Callback;
use crate::keypad::Keyed;

/// What a snapshot begins with. The number at its end goes up with every change of what follows.
const FORMAT: &[u8] = b"callerid snapshot 1\n";

impl State {
    pub(super) fn to_snapshot(&self) -> Vec<u8> {
        let mut out = Writer(FORMAT.to_vec());
        out.count(self.accounts.len());
        for Account { sid, auth_token } in &self.accounts {
            out.text(sid.as_str());
            out.text(auth_token.expose());
        }
        out.count(self.caller_ids.len());
        self.caller_ids.iter().for_each(|caller_id| out.caller_id(caller_id));
        out.count(self.calls.len());
        self.calls.iter().for_each(|call| out.call(call));
        out.count(self.failed_entries.len());
        for (account, number, entries) in &self.failed_entries {
            out.text(account.as_str());
            out.text(number.as_str());
            out.number((*entries).into());
        }
        out.count(self.callbacks.len());
        self.callbacks.iter().for_each(|callback| out.callback(callback));
        out.number(self.newest_event.cast_signed());
        out.0
    }

    pub(super) fn from_snapshot(snapshot: &[u8]) -> Result<Self, InvalidSnapshot> {
        let rest = snapshot.strip_prefix(FORMAT).ok_or(InvalidSnapshot { at: 0 })?;
        let mut reader = Reader { rest };
        let state = reader.state();
        match state {
            Some(state) if reader.rest.is_empty() => Ok(state),
            _ => Err(InvalidSnapshot { at: snapshot.len().saturating_sub(reader.rest.len()) }),
        }
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, number: i64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn count(&mut self, count: usize) {
        self.number(i64::try_from(count).unwrap_or(i64::MAX));
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn optional_text(&mut self, text: Option<&str>) {
        self.number(text.is_some().into());
        if let Some(text) = text {
            self.text(text);
        }
    }

    fn moment(&mut self, moment: Moment) {
        self.number(moment.unix_millis());
    }

    fn optional_moment(&mut self, moment: Option<Moment>) {
        self.number(moment.is_some().into());
        if let Some(moment) = moment {
            self.moment(moment);
        }
    }

    fn date(&mut self, date: Date) {
        self.number(date.unix_seconds());
        self.number(date.offset_minutes().into());
    }

    fn caller_id(&mut self, caller_id: &OutgoingCallerId) {
        self.text(caller_id.sid.as_str());
        self.text(caller_id.account_sid.as_str());
        self.text(caller_id.friendly_name.as_str());
        self.text(caller_id.phone_number.as_str());
        self.date(caller_id.date_created);
        self.date(caller_id.date_updated);
    }

    fn call(&mut self, call: &Call) {
        self.text(call.sid.as_str());
        self.text(call.account_sid.as_str());
        self.text(call.phone_number.as_str());
        self.optional_text(call.friendly_name.as_ref().map(FriendlyName::as_str));
        self.optional_text(call.extension.as_ref().map(CallExtension::as_str));
        self.optional_text(call.status_callback.as_ref().map(StatusCallback::url));
        self.optional_text(call.status_callback.as_ref().map(|it| it.method().as_str()));
        self.text(call.caller_id_sid.as_str());
        self.text(call.status.as_str());
        self.number(call.verified.into());
        self.optional_text(call.validation_code.as_ref().map(ValidationCode::expose));
        self.text(call.keyed.expose());
        self.number(call.entries_left.into());
        self.number(call.failed_entries.into());
        self.moment(call.created_at);
        self.moment(call.due_at);
        self.optional_moment(call.ringing_at);
        self.optional_moment(call.answered_at);
        self.optional_moment(call.ended_at);
        self.number(call.revision.into());
    }

    fn callback(&mut self, callback: &Callback) {
        self.text(callback.call_sid.as_str());
        self.text(callback.account_sid.as_str());
        self.text(callback.to.url());
        self.text(callback.to.method().as_str());
        self.text(&callback.parameters);
        self.moment(callback.created_at);
        self.number(callback.attempts.into());
        self.optional_moment(callback.next_at);
        self.number(callback.last_status.map_or(-1, i64::from));
        self.optional_text(callback.last_error.as_deref());
    }
}

/// Reads what the [`Writer`] writes; `None` where something else stands.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn number(&mut self) -> Option<i64> {
        let (number, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(i64::from_le_bytes(*number))
    }

    fn small<T: TryFrom<i64>>(&mut self) -> Option<T> {
        self.number()?.try_into().ok()
    }

    fn flag(&mut self) -> Option<bool> {
        match self.number()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.small()?;
        let (text, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        std::str::from_utf8(text).ok()
    }

    fn optional<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.flag()? { read(self).map(Some) } else { Some(None) }
    }

    /// Calls `read` as often as the number that stands here says.
    fn each(&mut self, mut read: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        let mut left = self.number()?;
        while left > 0 {
            read(self)?;
            left = left.saturating_sub(1);
        }
        Some(())
    }

    fn moment(&mut self) -> Option<Moment> {
        self.number().map(Moment::from_unix_millis)
    }

    fn date(&mut self) -> Option<Date> {
        let unix_seconds = self.number()?;
        Date::checked_new(unix_seconds, self.small()?)
    }

    fn account_sid(&mut self) -> Option<AccountSid> {
        AccountSid::parse(self.text()?).ok()
    }

    fn phone_number(&mut self) -> Option<PhoneNumber> {
        PhoneNumber::restore(self.text()?).ok()
    }

    fn friendly_name(&mut self) -> Option<FriendlyName> {
        FriendlyName::new(self.text()?).ok()
    }

    fn state(&mut self) -> Option<State> {
        let mut state = State::default();
        self.each(|reader| {
            let sid = reader.account_sid()?;
            let auth_token = AuthToken::new(reader.text()?).ok()?;
            state.accounts.push(Account { sid, auth_token });
            Some(())
        })?;
        self.each(|reader| {
            state.put_caller_id(reader.caller_id()?);
            Some(())
        })?;
        self.each(|reader| {
            state.calls.push(reader.call()?);
            Some(())
        })?;
        self.each(|reader| {
            let (account, number) = (reader.account_sid()?, reader.phone_number()?);
            state.failed_entries.push((account, number, reader.small()?));
            Some(())
        })?;
        self.each(|reader| {
            state.callbacks.push(reader.callback()?);
            Some(())
        })?;
        state.newest_event = self.number()?.cast_unsigned();
        Some(state)
    }

    fn caller_id(&mut self) -> Option<OutgoingCallerId> {
        Some(OutgoingCallerId {
            sid: CallerIdSid::parse(self.text()?).ok()?,
            account_sid: self.account_sid()?,
            friendly_name: self.friendly_name()?,
            phone_number: self.phone_number()?,
            date_created: self.date()?,
            date_updated: self.date()?,
        })
    }

    fn call(&mut self) -> Option<Call> {
        Some(Call {
            sid: CallSid::parse(self.text()?).ok()?,
            account_sid: self.account_sid()?,
            phone_number: self.phone_number()?,
            friendly_name: self.optional(Self::friendly_name)?,
            extension: self.optional(|reader| CallExtension::new(reader.text()?).ok())?,
            status_callback: match (self.optional(Self::text)?, self.optional(Self::text)?) {
                (Some(url), Some(method)) => Some(status_callback(url, method)?),
                _ => None,
            },
            caller_id_sid: CallerIdSid::parse(self.text()?).ok()?,
            status: CallStatus::parse(self.text()?)?,
            verified: self.flag()?,
            validation_code: self.optional(|reader| ValidationCode::parse(reader.text()?).ok())?,
            keyed: Keyed::resume(self.text()?),
            entries_left: self.small()?,
            failed_entries: self.small()?,
            created_at: self.moment()?,
            due_at: self.moment()?,
            ringing_at: self.optional(Self::moment)?,
            answered_at: self.optional(Self::moment)?,
            ended_at: self.optional(Self::moment)?,
            revision: self.small()?,
        })
    }

    fn callback(&mut self) -> Option<Callback> {
        Some(Callback {
            call_sid: CallSid::parse(self.text()?).ok()?,
            account_sid: self.account_sid()?,
            to: status_callback(self.text()?, self.text()?)?,
            parameters: self.text()?.into(),
            created_at: self.moment()?,
            attempts: self.small()?,
            next_at: self.optional(Self::moment)?,
            last_status: match self.number()? {
                -1 => None,
                status => Some(status.try_into().ok()?),
            },
            last_error: self.optional(Self::text)?.map(Box::from),
        })
    }
}

fn status_callback(url: &str, method: &str) -> Option<StatusCallback> {
    Some(StatusCallback::restore(url, CallbackMethod::parse(method)?))
}

/// Bytes that are no snapshot, or one of another version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidSnapshot {
    at: usize,
}

impl fmt::Display for InvalidSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            0 => f.write_str("not a snapshot of a store, or one of another version"),
            at => {
                let at = digits(at);
                put(f, &["a snapshot cut short or damaged: it cannot be read up to byte ", &at])
            }
        }
    }
}

impl std::error::Error for InvalidSnapshot {}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::call::PhoneEvent;
    use crate::random_bytes::Entropy;
    use crate::service::Service;
    use crate::store::Store as _;
    use crate::store::memory::MemoryStore;
    use callerid_core::NewCallerId;

    fn ready<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => panic!("a store in memory does not wait"),
        }
    }

    /// A store with a caller ID, an ended call with a wrong entry, and a call in which two digits were keyed.
    fn store() -> MemoryStore {
        let account = Account {
            sid: AccountSid::from_entropy(&[1; 16]),
            auth_token: AuthToken::new("t0ken").unwrap(),
        };
        let service = Service::new(MemoryStore::new([account.clone()]));
        let now = Moment::from_unix_millis(1_207_074_392_123);
        let date = Date::new(1_207_074_392, -420);
        service.store().seed(OutgoingCallerId {
            sid: CallerIdSid::from_entropy(&[2; 16]),
            account_sid: account.sid,
            friendly_name: FriendlyName::new("Bücher 📚").unwrap(),
            phone_number: PhoneNumber::parse("4158675309").unwrap(),
            date_created: date,
            date_updated: date,
        });
        let call = |number, keys, seed| {
            let new = NewCallerId {
                phone_number: PhoneNumber::parse(number).unwrap(),
                friendly_name: Some(FriendlyName::new("Bob").unwrap()),
                call_delay: Default::default(),
                extension: Some(CallExtension::new("1w2").unwrap()),
                status_callback: status_callback("https://example.com/", "GET"),
            };
            let call =
                Call::new(account.sid, new, &Entropy::new([seed; Entropy::BYTES]), now).unwrap();
            let sid = call.sid;
            ready(service.store().add_call(call)).unwrap().unwrap();
            ready(service.tick(now)).unwrap();
            for event in
                [PhoneEvent::Answered, PhoneEvent::Pressed(crate::Key::parse_all(keys).unwrap())]
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
            store.events.clear();
            assert_eq!(format!("{restored:?}"), format!("{store:?}"));
        }
        assert_eq!(restored.snapshot(), snapshot);
        let state = restored.state();
        let codes = state.calls.iter().filter_map(|call| call.validation_code);
        assert_eq!(codes.count(), 1);
        assert_eq!((state.failed_entries.len(), state.callbacks.len()), (1, 1));
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
        other[18] = b'2';
        assert_eq!(store.restore(&other), Err(InvalidSnapshot { at: 0 }));
        // Not one damaged byte leads to a panic.
        for at in 0..snapshot.len() {
            let mut damaged = snapshot.clone();
            damaged[at] ^= 0x80;
            let _ = MemoryStore::default().restore(&damaged);
        }
    }
}
