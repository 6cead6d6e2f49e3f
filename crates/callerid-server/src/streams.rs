//! The event streams of each account: how many there are, and how they hear of a change.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use callerid_core::AccountSid;
use tokio::sync::watch;

#[derive(Debug, Default)]
pub(crate) struct Streams(Mutex<HashMap<AccountSid, watch::Sender<()>>>);

impl Streams {
    /// What one more stream of that account hears of changes through; `None` where it has as many as it may.
    pub(crate) fn open(&self, account: AccountSid, most: usize) -> Option<watch::Receiver<()>> {
        let mut streams = self.streams();
        streams.retain(|_, changes| !changes.is_closed());
        let changes = streams.entry(account).or_default();
        (changes.receiver_count() < most).then(|| changes.subscribe())
    }

    /// Tells the account's streams that something of it may have changed.
    pub(crate) fn changed(&self, account: &AccountSid) {
        if let Some(changes) = self.streams().get(account) {
            changes.send_replace(());
        }
    }

    // The map is whole between any two statements, so a poisoned lock is as good.
    fn streams(&self) -> MutexGuard<'_, HashMap<AccountSid, watch::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(index: u8) -> AccountSid {
        AccountSid::from_random_bytes(&[index; 16])
    }

    #[test]
    fn an_account_has_so_many_and_what_ends_makes_room() {
        let streams = Streams::default();
        let first = streams.open(account(1), 2).unwrap();
        let _second = streams.open(account(1), 2).unwrap();
        assert!(streams.open(account(1), 2).is_none());
        drop(streams.open(account(2), 2).unwrap());
        drop(first);
        assert!(streams.open(account(1), 2).is_some());
        assert_eq!(streams.streams().len(), 1);
    }

    #[test]
    fn an_account_s_streams_alone_hear_of_its_changes() {
        let streams = Streams::default();
        let own = [(); 2].map(|()| streams.open(account(1), 2).unwrap());
        let other = streams.open(account(2), 2).unwrap();
        streams.changed(&account(1));
        assert!(own.iter().all(|changes| changes.has_changed().unwrap()));
        assert!(!other.has_changed().unwrap());
    }
}
