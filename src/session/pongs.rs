//! Which PING a PONG answers: they are matched by counting both.

/// Number of a PING on the current connection, from 1.
pub(crate) type PingId = u64;

/// Counts PINGs out and PONGs in. The PING of the handshake is not counted.
///
/// A PONG that answers nothing is counted too, as in the reference: from then on every PONG is taken for the
/// answer to a PING further on, so a waiter on that connection runs into its timeout instead of being told a
/// round trip that never happened.
#[derive(Debug, Default)]
pub(crate) struct PongQueue {
    sent: PingId,
    received: PingId,
}

impl PongQueue {
    /// Call for every PING written, keep-alive or flush, in the order they are written.
    pub(crate) fn sent_ping(&mut self) -> PingId {
        self.sent += 1;
        self.sent
    }

    /// Call for every PONG read: the PING it answers, None when no such PING was sent yet.
    /// Each number is returned at most once, in rising order.
    pub(crate) fn received(&mut self) -> Option<PingId> {
        self.received += 1;
        (self.received <= self.sent).then_some(self.received)
    }

    /// Starts over at each (re)connect.
    pub(crate) fn reset(&mut self) {
        *self = PongQueue::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pongs_answer_pings_in_order() {
        let mut q = PongQueue::default();
        assert_eq!((q.sent_ping(), q.sent_ping()), (1, 2));
        assert_eq!(q.received(), Some(1));
        assert_eq!(q.sent_ping(), 3);
        assert_eq!((q.received(), q.received(), q.received()), (Some(2), Some(3), None));
    }

    #[test]
    fn an_unsolicited_pong_never_completes_a_later_ping() {
        let mut q = PongQueue::default();
        for _ in 0..3 {
            assert_eq!(q.received(), None);
        }
        for expected in 1..=3 {
            assert_eq!(q.sent_ping(), expected);
            assert_eq!(q.received(), None, "the count ran ahead by three");
        }
    }

    #[test]
    fn a_new_connection_starts_over() {
        let mut q = PongQueue::default();
        q.received();
        q.sent_ping();
        q.sent_ping();
        q.reset();
        assert_eq!(q.received(), None);
        q.reset();
        assert_eq!(q.sent_ping(), 1);
        assert_eq!(q.received(), Some(1));
    }
}
