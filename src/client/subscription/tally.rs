//! What was delivered of a subscription, and how much it is to be in all.

use std::sync::atomic::{AtomicU64, Ordering, fence};

/// Written by the one who delivers, a worker or the reader of a synchronous subscription; read without a
/// lock.
#[derive(Default)]
pub(super) struct Tally {
    msgs: AtomicU64,
    bytes: AtomicU64,
    /// Messages after which the subscription ends by itself, 0 for no limit.
    max: AtomicU64,
}

impl Tally {
    #[inline]
    pub(super) fn msgs(&self) -> u64 {
        self.msgs.load(Ordering::Acquire)
    }

    #[inline]
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Acquire)
    }

    #[inline]
    pub(super) fn max(&self) -> u64 {
        self.max.load(Ordering::Relaxed)
    }

    /// The number of the message that is delivered next. For the one who delivers.
    #[inline]
    pub(super) fn next(&self) -> u64 {
        self.msgs.load(Ordering::Relaxed) + 1
    }

    /// Counts message number `number`. For the one who delivers.
    #[inline]
    pub(super) fn count(&self, number: u64, size: u64) {
        self.msgs.store(number, Ordering::Release);
        self.bytes.store(self.bytes.load(Ordering::Relaxed) + size, Ordering::Release);
    }

    /// Limits what is delivered to `max` messages in all; false when that many were delivered already: no
    /// limit then. The one who delivers looks again after each message, and once more under the lock when the
    /// queue is empty; one of the fixed pool, which does not lock, has a fence between counting and looking
    /// as there is one here.
    pub(super) fn limit(&self, max: u64) -> bool {
        self.max.store(max, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let ahead = max > self.msgs();
        if !ahead {
            self.max.store(0, Ordering::Relaxed);
        }
        ahead
    }

    /// Whether the limit is reached, which may have been set since the last message.
    #[inline]
    pub(super) fn is_at_max(&self) -> bool {
        let max = self.max();
        max > 0 && self.msgs() >= max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_ahead_or_none() {
        let tally = Tally::default();
        assert!(!tally.is_at_max(), "no limit");
        tally.count(tally.next(), 5);
        tally.count(tally.next(), 7);
        assert_eq!((tally.msgs(), tally.bytes()), (2, 12));
        assert!(!tally.limit(2) && !tally.limit(1) && tally.max() == 0, "that many were delivered already");
        assert!(tally.limit(3) && !tally.is_at_max());
        tally.count(tally.next(), 0);
        assert!(tally.is_at_max());
        assert!(tally.limit(4) && !tally.is_at_max(), "a new limit");
    }
}
