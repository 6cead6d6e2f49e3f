//! Fair scheduling of changes: no account delays the changes of others.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use callerid_core::AccountSid;

/// How long an account counts as active after a change, because more changes may follow.
const PRESENT: Duration = Duration::from_secs(1);
/// Changes per account in a commit while several accounts are active. Changes that arrive meanwhile
/// wait for them and their responses.
const SHARE: usize = 8;

/// A queued change and its account.
pub(crate) struct Queued<T> {
    account: Option<AccountSid>,
    pub(crate) change: T,
    turn: usize,
}

impl<T> Queued<T> {
    pub(crate) fn new(account: Option<AccountSid>, change: T) -> Self {
        Self { account, change, turn: 0 }
    }
}

/// Tracks whether several accounts are active.
#[derive(Default)]
pub(crate) struct Turns {
    last: Option<AccountSid>,
    several_until: Option<Instant>,
}

impl Turns {
    /// Sorts the queue in turns: the first change of every account, then the second ones, and so
    /// on. Returns how many of them can share a commit, which is all of them if only one account is
    /// active.
    pub(crate) fn take<T>(&mut self, queue: &mut [Queued<T>], now: Instant) -> usize {
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
    fn accounts_take_turns_and_their_own_changes_stay_in_order() {
        let mut queue = queue([1, 1, 1, 2, 2, 3, 0]);
        assert_eq!(Turns::default().take(&mut queue, Instant::now()), 7);
        let order: Vec<_> = queue.iter().map(|queued| queued.change).collect();
        assert_eq!(order, [0, 3, 5, 6, 1, 4, 2]);
    }

    #[test]
    fn several_accounts_share_a_commit() {
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
