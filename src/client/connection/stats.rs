//! Counters of a connection.

use std::sync::atomic::{AtomicU64, Ordering};

/// What went through a connection since it was made. Bytes are headers and payload, without the protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    pub in_msgs: u64,
    pub in_bytes: u64,
    pub out_msgs: u64,
    pub out_bytes: u64,
    /// How often the connection was lost and made again.
    pub reconnects: u64,
}

/// What is counted here; what went out is counted where it is written.
#[derive(Default)]
pub(super) struct Counters {
    msgs: AtomicU64,
    bytes: AtomicU64,
    reconnects: AtomicU64,
}

impl Counters {
    /// Counts what a read brought. One thread at a time reads, so a plain addition will do.
    pub(super) fn note_read(&self, msgs: u64, bytes: u64) {
        let add = |counter: &AtomicU64, n: u64| {
            counter.store(counter.load(Ordering::Relaxed) + n, Ordering::Relaxed);
        };
        add(&self.msgs, msgs);
        add(&self.bytes, bytes);
    }

    /// Messages that have arrived.
    pub(super) fn received(&self) -> u64 {
        self.msgs.load(Ordering::Relaxed)
    }

    /// An attempt to come back reached a server.
    pub(super) fn note_reconnect(&self) {
        self.reconnects.fetch_add(1, Ordering::Relaxed);
    }

    /// The link that it made cannot be used.
    pub(super) fn take_reconnect_back(&self) {
        self.reconnects.fetch_sub(1, Ordering::Relaxed);
    }

    /// All of them; `published` are messages and bytes that went out.
    pub(super) fn all(&self, published: (u64, u64)) -> Statistics {
        Statistics {
            in_msgs: self.received(),
            in_bytes: self.bytes.load(Ordering::Relaxed),
            out_msgs: published.0,
            out_bytes: published.1,
            reconnects: self.reconnects.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_add_up_and_a_reconnect_can_be_taken_back() {
        let counters = Counters::default();
        counters.note_read(2, 30);
        counters.note_read(1, 4);
        (0..3).for_each(|_| counters.note_reconnect());
        counters.take_reconnect_back();
        let expected = Statistics { in_msgs: 3, in_bytes: 34, out_msgs: 5, out_bytes: 6, reconnects: 2 };
        assert_eq!(counters.all((5, 6)), expected);
    }
}
