//! Whose turn it is: while several accounts have something changed, none keeps the others waiting.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use callerid_core::AccountSid;

/// For how long an account that had something changed counts as one of several: it may be about to come again.
const PRESENT: Duration = Duration::from_secs(1);
/// Changes of one account in a commit, of several. All who come meanwhile wait for them, and for as many answers.
const SHARE: usize = 8;

/// What waits, and for which account.
pub(super) struct Queued<T> {
    account: Option<AccountSid>,
    pub(super) change: T,
    turn: usize,
}

impl<T> Queued<T> {
    pub(super) fn new(account: Option<AccountSid>, change: T) -> Self {
        Self { account, change, turn: 0 }
    }
}

/// Knows whether there are several accounts at a time.
#[derive(Default)]
pub(super) struct Turns {
    last: Option<AccountSid>,
    several_until: Option<Instant>,
}

impl Turns {
    /// Puts the first changes of all accounts first, then the second ones, and so on. Says how many of these may share a
    /// commit: of an account that is alone, all.
    pub(super) fn take<T>(&mut self, queue: &mut [Queued<T>], now: Instant) -> usize {
        let mut turns = HashMap::new();
        for queued in &mut *queue {
            let turn = turns.entry(queued.account).or_default();
            (queued.turn, *turn) = (*turn, *turn + 1);
            if let Some(account) = queued.account
                && self.last.replace(account).is_some_and(|last| last != account)
            {
                self.several_until = Some(now + PRESENT);
            }
        }
        queue.sort_by_key(|queued| queued.turn);
        match self.several_until {
            Some(until) if now < until => queue.partition_point(|queued| queued.turn < SHARE),
            _ => queue.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(accounts: impl IntoIterator<Item = u8>) -> Vec<Queued<usize>> {
        let account = |index| AccountSid::from_random_bytes(&[index; 16]);
        let queued = |(at, index)| Queued::new((index > 0).then(|| account(index)), at);
        accounts.into_iter().enumerate().map(queued).collect()
    }

    #[test]
    fn every_account_has_its_turn_and_its_own_changes_stay_in_order() {
        let mut queue = queue([1, 1, 1, 2, 2, 3, 0]);
        assert_eq!(Turns::default().take(&mut queue, Instant::now()), 7);
        let order: Vec<_> = queue.iter().map(|queued| queued.change).collect();
        assert_eq!(order, [0, 3, 5, 6, 1, 4, 2]);
    }

    #[test]
    fn of_several_accounts_each_has_a_share_of_a_commit() {
        let (mut turns, now) = (Turns::default(), Instant::now());
        assert_eq!(turns.take(&mut queue([1; 100]), now), 100);
        assert_eq!(turns.take(&mut queue([2]), now), 1);
        assert_eq!(turns.take(&mut queue([1; 100]), now), SHARE);
        let both = [1; 100].into_iter().chain([2; 3]);
        assert_eq!(turns.take(&mut queue(both), now), SHARE + 3);
        assert_eq!(turns.take(&mut queue([2]), now + PRESENT / 2), 1);
        // Alone for long enough.
        assert_eq!(turns.take(&mut queue([2; 100]), now + 2 * PRESENT), 100);
    }
}
