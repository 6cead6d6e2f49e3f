//! Wrong tokens: after many consecutive ones, a client must wait before the next is checked, as
//! NIST SP 800-63B-4, 3.2.2 requires.
//!
//! They are counted per account and per client address. An account's count affects only addresses
//! that have sent a wrong token themselves, so that nobody can lock out the account's owner.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use callerid_core::AccountSid;

use crate::lock::lock;

/// The first wait. Each further wrong token doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// How long a count is kept after the last wrong token.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// The minimum number of accounts, and of addresses, that are counted. The maximum is twice that.
const COUNTED: usize = 10_000;
/// At most one line is logged per this duration.
const LOG_EVERY: Duration = Duration::from_secs(1);

/// Counts wrong tokens.
#[derive(Debug)]
pub(crate) struct TokenFailures {
    /// The number of consecutive wrong tokens after which the next one must wait.
    free: u32,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    accounts: Recent<AccountSid, Failures>,
    addresses: Recent<IpAddr, Failures>,
    logged: Option<Instant>,
    unlogged: u64,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Instant,
    /// For an address: the account that all wrong tokens were for, if there is only one.
    account: Option<AccountSid>,
}

impl Failures {
    fn wait(&self, free: u32, now: Instant) -> Option<Duration> {
        let doublings = self.count.checked_sub(free)?;
        let wait = FIRST_WAIT.saturating_mul(1 << doublings.min(20)).min(LONGEST_WAIT);
        wait.checked_sub(now.saturating_duration_since(self.last)).filter(|left| !left.is_zero())
    }
}

impl TokenFailures {
    /// Counts from zero. The next token must wait after `free` consecutive wrong ones.
    pub(crate) fn new(free: u32) -> Self {
        Self { free, counts: Mutex::default() }
    }

    /// How long a token for this account from this address must wait.
    pub(crate) fn wait(
        &self,
        account: &AccountSid,
        address: IpAddr,
        now: Instant,
    ) -> Option<Duration> {
        let counts = self.counts();
        let of_address = counts.addresses.get(&address)?;
        let of_account = counts.accounts.get(account);
        let wait = |failures: &Failures| failures.wait(self.free, now);
        wait(of_address).max(of_account.and_then(wait))
    }

    pub(crate) fn failed(&self, account: &AccountSid, address: IpAddr, now: Instant) {
        let mut counts = self.counts();
        count(&mut counts.accounts, *account, *account, now);
        count(&mut counts.addresses, address, *account, now);
        counts.unlogged += 1;
        let since = counts.logged.map(|logged| now.saturating_duration_since(logged));
        if since.is_none_or(|since| since >= LOG_EVERY) {
            let failures = std::mem::take(&mut counts.unlogged);
            counts.logged = Some(now);
            tracing::warn!(%account, %address, failures, "wrong token");
        }
    }

    pub(crate) fn has_failed(&self, address: IpAddr) -> bool {
        self.counts().addresses.get(&address).is_some()
    }

    /// Resets the count for this account from this address: it was the owner who made mistakes.
    pub(crate) fn succeeded(&self, account: &AccountSid, address: IpAddr) {
        let mut counts = self.counts();
        let is_only = |failures: &Failures| failures.account == Some(*account);
        let Some(forgotten) = counts.addresses.get(&address).copied().filter(is_only) else {
            return;
        };
        counts.addresses.remove(&address);
        if let Some(mut failures) = counts.accounts.remove(account) {
            failures.count = failures.count.saturating_sub(forgotten.count);
            if failures.count > 0 {
                counts.accounts.insert(*account, failures);
            }
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        lock(&self.counts)
    }
}

fn count<K: Copy + Eq + Hash>(
    counts: &mut Recent<K, Failures>,
    key: K,
    account: AccountSid,
    now: Instant,
) {
    let before = counts.remove(&key).filter(|it| now.saturating_duration_since(it.last) < KEPT);
    let failures = match before {
        Some(before) => Failures {
            count: before.count.saturating_add(1),
            last: now,
            account: before.account.filter(|only| *only == account),
        },
        None => Failures { count: 1, last: now, account: Some(account) },
    };
    counts.insert(key, failures);
}

/// A map that keeps the [`COUNTED`] most recently changed entries, and at most twice as many.
#[derive(Debug)]
struct Recent<K, V> {
    newer: HashMap<K, V>,
    older: HashMap<K, V>,
}

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self { newer: HashMap::new(), older: HashMap::new() }
    }
}

impl<K: Eq + Hash, V> Recent<K, V> {
    fn get(&self, key: &K) -> Option<&V> {
        self.newer.get(key).or_else(|| self.older.get(key))
    }

    fn remove(&mut self, key: &K) -> Option<V> {
        let older = self.older.remove(key);
        self.newer.remove(key).or(older)
    }

    fn insert(&mut self, key: K, value: V) {
        if self.newer.len() >= COUNTED {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(index: u8) -> AccountSid {
        AccountSid::from_random_bytes(&[index; 16])
    }

    fn address(index: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(index).into()
    }

    #[test]
    fn after_a_hundred_in_a_row_the_wait_grows() {
        let (failures, mut now) = (TokenFailures::new(100), Instant::now());
        for _ in 0..100 {
            assert_eq!(failures.wait(&account(1), address(1), now), None);
            failures.failed(&account(1), address(1), now);
        }
        for seconds in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
            let wait = failures.wait(&account(1), address(1), now);
            assert_eq!(wait, Some(Duration::from_secs(seconds)));
            now += Duration::from_secs(seconds);
            assert_eq!(failures.wait(&account(1), address(1), now), None);
            failures.failed(&account(1), address(1), now);
        }
        // From this address, other accounts must wait too; from other addresses, none must.
        assert!(failures.wait(&account(2), address(1), now).is_some());
        assert_eq!(failures.wait(&account(1), address(2), now), None);
        failures.failed(&account(1), address(2), now);
        assert!(failures.wait(&account(1), address(2), now).is_some());
    }

    #[test]
    fn the_right_token_forgets_its_own_failures_alone() {
        let (failures, now) = (TokenFailures::new(100), Instant::now());
        for _ in 0..99 {
            failures.failed(&account(1), address(1), now);
        }
        failures.succeeded(&account(2), address(1));
        assert!(failures.has_failed(address(1)));
        failures.succeeded(&account(1), address(1));
        assert!(!failures.has_failed(address(1)));
        for turn in 0..100 {
            failures.failed(&account(turn % 2), address(1), now);
        }
        // Attackers cannot reset the count with an account of their own.
        failures.succeeded(&account(0), address(1));
        assert!(failures.wait(&account(0), address(1), now).is_some());
    }

    #[test]
    fn memory_is_bounded_whoever_comes() {
        let (failures, now) = (TokenFailures::new(100), Instant::now());
        for index in 0..50_000_u32 {
            let account = AccountSid::from_random_bytes(&u128::from(index).to_be_bytes());
            failures.failed(&account, address(index), now);
        }
        let counts = failures.counts();
        assert!(counts.accounts.newer.len() + counts.accounts.older.len() <= 2 * COUNTED);
        assert!(counts.addresses.newer.len() + counts.addresses.older.len() <= 2 * COUNTED);
        assert!(counts.addresses.get(&address(49_000)).is_some());
    }
}
