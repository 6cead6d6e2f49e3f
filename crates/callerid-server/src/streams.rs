//! Event streams: counts those of each account, and notifies them of changes.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use callerid_core::AccountSid;
use tokio::sync::watch;

use crate::lock::lock;

#[derive(Debug, Default)]
pub(crate) struct Streams(Mutex<HashMap<AccountSid, watch::Sender<()>>>);

impl Streams {
    /// Opens a stream: returns a receiver of change notifications, or `None` if the account has
    /// `most` streams.
    pub(crate) fn open(&self, account: AccountSid, most: usize) -> Option<watch::Receiver<()>> {
        let mut streams = self.streams();
        streams.retain(|_, changes| !changes.is_closed());
        let changes = streams.entry(account).or_default();
        (changes.receiver_count() < most).then(|| changes.subscribe())
    }

    /// Notifies the account's streams that its data may have changed.
    pub(crate) fn changed(&self, account: &AccountSid) {
        if let Some(changes) = self.streams().get(account) {
            changes.send_replace(());
        }
    }

    /// Notifies all streams that data of any account may have changed.
    pub(crate) fn all_changed(&self) {
        self.streams().values().for_each(|changes| {
            changes.send_replace(());
        });
    }

    fn streams(&self) -> MutexGuard<'_, HashMap<AccountSid, watch::Sender<()>>> {
        lock(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(index: u8) -> AccountSid {
        AccountSid::from_random_bytes(&[index; 16])
    }

    #[test]
    fn an_account_has_a_limit_and_ended_streams_do_not_count() {
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
    fn only_streams_of_the_account_are_notified() {
        let streams = Streams::default();
        let own = [(); 2].map(|()| streams.open(account(1), 2).unwrap());
        let other = streams.open(account(2), 2).unwrap();
        streams.changed(&account(1));
        assert!(own.iter().all(|changes| changes.has_changed().unwrap()));
        assert!(!other.has_changed().unwrap());
        streams.all_changed();
        assert!(other.has_changed().unwrap());
    }
}
