//! Random bytes from the system's generator, drawn for many requests at a time: a system call each would be a
//! noticeable part of a short request.

use std::cell::RefCell;

use callerid_core::{Entropy, RequestSid};

/// Requests whose bytes are drawn together.
const REQUESTS: usize = 50;

thread_local! {
    static DRAWN: RefCell<Drawn> = const { RefCell::new(Drawn { bytes: [0; _], left: 0 }) };
}

/// Bytes that wait to be used, each once; the last `left` of them are fresh.
struct Drawn {
    bytes: [u8; REQUESTS * Entropy::BYTES],
    left: usize,
}

impl Drawn {
    fn take(&mut self) -> Result<Entropy, getrandom::Error> {
        if self.left == 0 {
            getrandom::fill(&mut self.bytes)?;
            self.left = self.bytes.len();
        }
        let start = self.bytes.len() - self.left;
        let mut taken = [0; Entropy::BYTES];
        // What comes back is gone here: a code must not lie about in memory after its time.
        self.bytes[start..][..Entropy::BYTES].swap_with_slice(&mut taken);
        self.left -= Entropy::BYTES;
        Ok(Entropy::new(taken))
    }
}

/// The random bytes of one request; `None`, and a line in the log, where the system gives none: the request cannot be
/// answered.
pub(crate) fn entropy() -> Option<Entropy> {
    let drawn = DRAWN.with_borrow_mut(Drawn::take);
    drawn.inspect_err(|error| tracing::error!(%error, "the system gives no random bytes")).ok()
}

/// The Sid of a request; all zeros for one that has no random bytes.
pub(crate) fn request_sid(entropy: Option<&Entropy>) -> RequestSid {
    entropy.map_or_else(|| RequestSid::from_entropy(&[0; 16]), Entropy::request_sid)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_requests_have_the_same_bytes() {
        let threads = (0..4).map(|_| {
            std::thread::spawn(|| {
                let requests = 0..REQUESTS * 3;
                requests.map(|_| request_sid(entropy().as_ref())).collect::<Vec<_>>()
            })
        });
        let threads: Vec<_> = threads.collect();
        let sids: Vec<_> = threads.into_iter().flat_map(|it| it.join().unwrap()).collect();
        assert_eq!(sids.len(), 4 * REQUESTS * 3);
        assert_eq!(sids.iter().collect::<HashSet<_>>().len(), sids.len());
    }

    #[test]
    fn what_was_taken_is_not_kept() {
        let mut drawn = Drawn { bytes: [0; _], left: 0 };
        drawn.take().unwrap();
        assert_eq!(drawn.left, drawn.bytes.len() - Entropy::BYTES);
        assert!(drawn.bytes[..Entropy::BYTES].iter().all(|byte| *byte == 0));
        assert!(drawn.bytes[Entropy::BYTES..].iter().any(|byte| *byte != 0));
    }
}
