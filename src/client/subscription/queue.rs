//! The messages that wait for delivery, with what may wait at most.

use std::collections::VecDeque;

use super::tally::Tally;
use crate::client::message::Msg;

/// Snapshot of what waits and what passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub pending_msgs: u64,
    pub pending_bytes: u64,
    pub max_pending_msgs: u64,
    pub max_pending_bytes: u64,
    pub delivered: u64,
    pub dropped: u64,
}

/// Under the subscription's lock. What was accepted and not yet delivered, as the [`Tally`] has it, is
/// pending: the queue and what a worker has taken out of it or, in the fixed pool, never came by here.
#[derive(Default)]
pub(super) struct Queue {
    msgs: VecDeque<Msg>,
    /// It has become large; its room is given back later.
    bulky: bool,
    accepted: u64,
    accepted_bytes: u64,
    msg_limit: i32,
    byte_limit: i32,
    max_pending: u64,
    max_pending_bytes: u64,
    dropped: u64,
    /// The last one that came was dropped.
    slow: bool,
}

impl Queue {
    /// Limits of 0 or less are none.
    pub(super) fn new(limits: (i32, i32)) -> Queue {
        Queue { msg_limit: limits.0, byte_limit: limits.1, ..Queue::default() }
    }

    // ---- arrival; true: dropping begins, of which the program is to be told ----

    /// Takes in what one read brought, as far as there is room for it. The batch is empty afterwards.
    #[inline]
    pub(super) fn offer(&mut self, tally: &Tally, batch: &mut Vec<Msg>, bytes: u64) -> bool {
        if self.fits(tally, batch.len() as u64, bytes) && self.can_append(batch.len()) {
            self.accept(tally, batch.len() as u64, bytes);
            self.slow = false;
            self.append(batch);
            false
        } else if self.msgs.try_reserve(batch.len()).is_ok() {
            self.offer_each(tally, batch)
        } else {
            self.drop_all(batch)
        }
    }

    fn offer_each(&mut self, tally: &Tally, batch: &mut Vec<Msg>) -> bool {
        let mut tell = false;
        for msg in batch.drain(..) {
            if self.admit(tally, &msg, &mut tell) {
                self.msgs.push_back(msg);
            }
        }
        tell
    }

    /// Counts one message in, or drops it: `tell` is set when dropping begins.
    pub(super) fn admit(&mut self, tally: &Tally, msg: &Msg, tell: &mut bool) -> bool {
        let size = msg.size() as u64;
        if self.fits(tally, 1, size) {
            self.accept(tally, 1, size);
            self.slow = false;
            return true;
        }
        self.dropped += 1;
        *tell |= !std::mem::replace(&mut self.slow, true);
        false
    }

    /// Queues a message that was counted in; without memory it is dropped after all.
    pub(super) fn push(&mut self, msg: Msg) -> bool {
        if self.msgs.try_reserve(1).is_err() {
            return self.take_back(1, msg.size() as u64);
        }
        self.msgs.push_back(msg);
        false
    }

    /// Drops what was counted in: there is no room for it elsewhere.
    #[cold]
    pub(super) fn take_back(&mut self, msgs: u64, bytes: u64) -> bool {
        self.accepted -= msgs;
        self.accepted_bytes -= bytes;
        self.dropped += msgs;
        !std::mem::replace(&mut self.slow, true)
    }

    /// The same where nobody can be told: the program is, with the next one that is dropped.
    #[cold]
    pub(super) fn take_back_untold(&mut self, msgs: u64, bytes: u64) {
        self.take_back(msgs, bytes);
        self.slow = false;
    }

    fn fits(&self, tally: &Tally, msgs: u64, bytes: u64) -> bool {
        let within = |limit: i32, value: u64| limit <= 0 || value <= limit as u64;
        within(self.msg_limit, self.pending(tally) + msgs)
            && within(self.byte_limit, self.pending_bytes(tally) + bytes)
    }

    fn accept(&mut self, tally: &Tally, msgs: u64, bytes: u64) {
        self.accepted += msgs;
        self.accepted_bytes += bytes;
        self.max_pending = self.max_pending.max(self.pending(tally));
        self.max_pending_bytes = self.max_pending_bytes.max(self.pending_bytes(tally));
    }

    /// Whether there is memory to append a batch of so many messages; the first batch needs none.
    fn can_append(&mut self, count: usize) -> bool {
        self.msgs.is_empty() || self.msgs.try_reserve(count).is_ok()
    }

    /// There is no memory: the consumer is too slow for this machine.
    #[cold]
    fn drop_all(&mut self, batch: &mut Vec<Msg>) -> bool {
        self.dropped += batch.len() as u64;
        batch.clear();
        !std::mem::replace(&mut self.slow, true)
    }

    /// Queues a batch, which is empty afterwards and keeps some capacity.
    fn append(&mut self, batch: &mut Vec<Msg>) {
        if self.msgs.is_empty() {
            // No message is moved: the two change places.
            let msgs = VecDeque::from(std::mem::take(batch));
            *batch = Vec::from(std::mem::replace(&mut self.msgs, msgs));
        } else {
            self.msgs.extend(batch.drain(..));
        }
    }

    // ---- delivery ----

    pub(super) fn pop(&mut self) -> Option<Msg> {
        self.msgs.pop_front()
    }

    /// The message that comes after so many others.
    #[inline]
    pub(super) fn get(&self, ahead: usize) -> Option<&Msg> {
        self.msgs.get(ahead)
    }

    /// Puts all into `batch`, which is empty, and has its room from now on.
    #[inline]
    pub(super) fn swap_out(&mut self, batch: &mut VecDeque<Msg>) {
        std::mem::swap(&mut self.msgs, batch);
    }

    /// Takes back what was swapped out and not delivered: it comes before what has come since, which is
    /// dropped where there is no memory to join the two.
    pub(super) fn put_back(&mut self, batch: &mut VecDeque<Msg>) {
        if batch.try_reserve(self.msgs.len()).is_err() {
            let bytes = self.msgs.iter().map(|msg| msg.size() as u64).sum();
            self.take_back_untold(self.msgs.len() as u64, bytes);
            self.msgs.clear();
        }
        batch.append(&mut self.msgs);
        std::mem::swap(&mut self.msgs, batch);
    }

    /// All that is queued: it leaves with its room.
    pub(super) fn take_all(&mut self) -> VecDeque<Msg> {
        std::mem::take(&mut self.msgs)
    }

    /// A message that was taken out is not the program's: it counts as if it had never come.
    pub(super) fn uncount(&mut self, size: u64) {
        self.accepted -= 1;
        self.accepted_bytes -= size;
    }

    /// Whether the last message that came was dropped; says so once.
    pub(super) fn take_slow(&mut self) -> bool {
        std::mem::take(&mut self.slow)
    }

    // ---- limits, counters, room ----

    pub(super) fn is_empty(&self) -> bool {
        self.msgs.is_empty()
    }

    pub(super) fn pending(&self, tally: &Tally) -> u64 {
        self.accepted.saturating_sub(tally.msgs())
    }

    fn pending_bytes(&self, tally: &Tally) -> u64 {
        self.accepted_bytes.saturating_sub(tally.bytes())
    }

    pub(super) fn limits(&self) -> (i32, i32) {
        (self.msg_limit, self.byte_limit)
    }

    pub(super) fn set_limits(&mut self, (msgs, bytes): (i32, i32)) {
        (self.msg_limit, self.byte_limit) = (msgs, bytes);
    }

    pub(super) fn clear_max_pending(&mut self) {
        (self.max_pending, self.max_pending_bytes) = (0, 0);
    }

    pub(super) fn counters(&self, tally: &Tally) -> Counters {
        Counters {
            pending_msgs: self.pending(tally),
            pending_bytes: self.pending_bytes(tally),
            max_pending_msgs: self.max_pending,
            max_pending_bytes: self.max_pending_bytes,
            delivered: tally.msgs(),
            dropped: self.dropped,
        }
    }

    /// Messages counted in so far: as long as this stands still, the queue is quiet.
    pub(super) fn accepted(&self) -> u64 {
        self.accepted
    }

    /// How many messages there is room for.
    #[inline]
    pub(super) fn room(&self) -> usize {
        self.msgs.capacity()
    }

    /// Notes that it is large; false when that was known.
    pub(super) fn set_bulky(&mut self, bulky: bool) -> bool {
        std::mem::replace(&mut self.bulky, bulky) != bulky
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: (i32, i32) = (-1, -1);

    fn msg(data: &[u8]) -> Msg {
        Msg::new(b"foo", None, data).unwrap()
    }

    fn offer(queue: &mut Queue, tally: &Tally, texts: &[&str]) -> bool {
        let mut batch: Vec<Msg> = texts.iter().map(|text| msg(text.as_bytes())).collect();
        let tell = queue.offer(tally, &mut batch, texts.iter().map(|text| text.len() as u64).sum());
        assert!(batch.is_empty());
        tell
    }

    fn deliver(queue: &mut Queue, tally: &Tally) -> Option<String> {
        let msg = queue.pop()?;
        tally.count(tally.next(), msg.size() as u64);
        Some(String::from_utf8(msg.data().to_vec()).unwrap())
    }

    fn all(queue: &mut Queue, tally: &Tally) -> Vec<String> {
        std::iter::from_fn(|| deliver(queue, tally)).collect()
    }

    #[test]
    fn what_fits_under_both_limits_is_taken_and_the_rest_dropped() {
        for (limits, dropped) in [((3, -1), 2), ((-1, 7), 2), ((3, 4), 3), (NONE, 0), ((5, 10), 0)] {
            let (mut queue, tally) = (Queue::new(limits), Tally::default());
            let tell = offer(&mut queue, &tally, &["aa", "bb", "cc", "dd", "ee"]);
            let counters = queue.counters(&tally);
            assert_eq!((tell, counters.dropped), (dropped > 0, dropped), "{limits:?}");
            assert_eq!((counters.pending_msgs, counters.pending_bytes), (5 - dropped, 10 - 2 * dropped));
            assert_eq!(all(&mut queue, &tally), ["aa", "bb", "cc", "dd", "ee"][..5 - dropped as usize]);
        }
    }

    #[test]
    fn that_messages_are_dropped_is_told_once_until_one_fits_again() {
        let (mut queue, tally) = (Queue::new((1, -1)), Tally::default());
        assert!(!offer(&mut queue, &tally, &["a"]));
        assert!(offer(&mut queue, &tally, &["b"]) && !offer(&mut queue, &tally, &["c"]));
        deliver(&mut queue, &tally).unwrap();
        assert!(!offer(&mut queue, &tally, &["d"]));
        assert!(!queue.take_slow(), "one has fitted since");
        assert!(offer(&mut queue, &tally, &["e"]));
        assert!(queue.take_slow() && !queue.take_slow());
        assert!(offer(&mut queue, &tally, &["f"]), "said, so it begins anew");
        assert_eq!(queue.counters(&tally).dropped, 4);
    }

    #[test]
    fn a_smaller_one_behind_one_that_does_not_fit_is_taken() {
        let (mut queue, tally) = (Queue::new((-1, 4)), Tally::default());
        assert!(offer(&mut queue, &tally, &["aa", "bbb", "cc"]));
        assert_eq!(all(&mut queue, &tally), ["aa", "cc"]);
    }

    #[test]
    fn what_a_worker_has_is_pending_and_comes_back_in_front() {
        let (mut queue, tally) = (Queue::new((3, -1)), Tally::default());
        let mut batch = VecDeque::new();
        offer(&mut queue, &tally, &["a", "b"]);
        queue.swap_out(&mut batch);
        assert!(queue.is_empty() && queue.pending(&tally) == 2);
        assert!(offer(&mut queue, &tally, &["c", "d"]), "no room for both");
        let first = batch.pop_front().unwrap();
        tally.count(tally.next(), first.size() as u64);
        queue.put_back(&mut batch);
        assert!(batch.is_empty());
        assert_eq!(all(&mut queue, &tally), ["b", "c"]);
        assert_eq!(queue.counters(&tally).max_pending_msgs, 3);
        queue.clear_max_pending();
        assert_eq!(queue.counters(&tally), Counters { delivered: 3, dropped: 1, ..Counters::default() });
    }

    #[test]
    fn what_was_counted_in_and_found_no_room_elsewhere_is_dropped() {
        let (mut queue, tally) = (Queue::new(NONE), Tally::default());
        let mut tell = false;
        assert!(queue.admit(&tally, &msg(b"abc"), &mut tell) && !tell);
        assert_eq!((queue.pending(&tally), queue.is_empty()), (1, true));
        assert!(queue.take_back(1, 3));
        assert!(queue.admit(&tally, &msg(b"abc"), &mut tell) && !tell);
        queue.take_back_untold(1, 3);
        assert!(!queue.take_slow());
        let counters = queue.counters(&tally);
        assert_eq!((counters.pending_msgs, counters.pending_bytes, counters.dropped), (0, 0, 2));
    }

    #[test]
    fn an_empty_queue_takes_the_batch_itself() {
        let (mut queue, tally) = (Queue::new(NONE), Tally::default());
        let mut batch = Vec::with_capacity(100);
        batch.push(msg(b"x"));
        queue.offer(&tally, &mut batch, 1);
        assert!(queue.room() >= 100 && batch.is_empty());
        assert!(queue.set_bulky(true) && !queue.set_bulky(true) && queue.set_bulky(false));
        drop(queue.take_all());
        assert_eq!(queue.room(), 0);
    }
}
