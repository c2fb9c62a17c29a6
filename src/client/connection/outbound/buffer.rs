//! The write buffer, which is swapped out whole to be written.

use super::kept::Chunk;
use crate::proto::buffer::{Buffer, NoMemory};

/// A buffer that grew beyond this for one large message is given back: the largest that servers take by
/// default, and what is about it.
const KEPT_CAPACITY: usize = (1 << 20) + (64 << 10);

/// `filling` takes frames while a writer has those before them; what a writer did not finish goes first the
/// next time. All bytes ever put in are numbered: a writer that reached number `goal` has written all that
/// was there when somebody looked at [`WriteBuffer::enqueued`].
#[derive(Default)]
pub(super) struct WriteBuffer {
    filling: Buffer,
    /// Swapped in for the next one.
    spare: Buffer,
    /// Taken out before, but not written completely.
    unfinished: Chunk,
    /// Bytes a writer has taken out and not written yet.
    in_flight: usize,
    /// Running totals of bytes put in, and of those that left for good.
    enqueued: u64,
    written: u64,
}

/// What was in a buffer whose connection is over.
pub(super) struct Unsent {
    /// The number of the first byte of `unfinished`.
    pub start: u64,
    pub unfinished: Chunk,
    pub filling: Chunk,
}

impl WriteBuffer {
    /// Bytes that no writer has taken out yet.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.filling.len()
    }

    /// The number of the byte that comes next.
    #[inline(always)]
    pub(super) fn enqueued(&self) -> u64 {
        self.enqueued
    }

    pub(super) fn has_written(&self, goal: u64) -> bool {
        self.written >= goal
    }

    /// Whether nothing waits for a writer.
    pub(super) fn is_empty(&self) -> bool {
        self.unfinished.is_empty() && self.filling.is_empty()
    }

    pub(super) fn has_unfinished(&self) -> bool {
        !self.unfinished.is_empty()
    }

    /// Bytes that are not written, those included that a writer has.
    pub(super) fn waiting(&self) -> usize {
        self.unfinished.left() + self.in_flight + self.filling.len()
    }

    /// Appends a frame, or nothing.
    #[inline(always)]
    pub(super) fn append(
        &mut self,
        write: impl FnOnce(&mut Buffer) -> Result<(), NoMemory>,
    ) -> Result<(), NoMemory> {
        let before = self.filling.len();
        write(&mut self.filling)?;
        self.enqueued += (self.filling.len() - before) as u64;
        Ok(())
    }

    /// Numbers bytes that go out before the buffer's and are kept elsewhere.
    pub(super) fn number(&mut self, len: usize) {
        self.enqueued += len as u64;
    }

    /// Bytes that the writer has besides those it took out.
    pub(super) fn announce(&mut self, len: usize) {
        self.enqueued += len as u64;
        self.in_flight += len;
    }

    /// A writer takes out what comes next: what is unfinished, then what `stored` gives, then what was
    /// appended. Says whether it is the last of these. There is one writer at a time.
    pub(super) fn take(&mut self, stored: impl FnOnce() -> Option<Chunk>) -> (Chunk, bool) {
        debug_assert!(self.in_flight == 0, "one writer at a time");
        let before =
            if self.unfinished.is_empty() { stored() } else { Some(std::mem::take(&mut self.unfinished)) };
        let swaps = before.is_none();
        let chunk = before.unwrap_or_else(|| {
            let next = std::mem::take(&mut self.spare);
            Chunk::new(std::mem::replace(&mut self.filling, next))
        });
        self.in_flight = chunk.left();
        (chunk, swaps)
    }

    /// The writer gives back what it took out. What it left is kept if there may be a next one.
    pub(super) fn put_back(&mut self, chunk: Chunk, keep: bool) {
        self.written += (self.in_flight - chunk.left()) as u64;
        self.in_flight = 0;
        if !keep {
            return;
        }
        if !chunk.is_empty() {
            self.unfinished = chunk;
        } else if let Some(spare) = chunk.into_spare(KEPT_CAPACITY) {
            self.spare = spare;
        }
    }

    /// Takes all out because the connection is over: nothing of it counts as waiting any more. No writer has
    /// anything.
    pub(super) fn take_unsent(&mut self) -> Unsent {
        let unfinished = std::mem::take(&mut self.unfinished);
        let start = self.written - unfinished.sent() as u64;
        self.written = self.enqueued;
        Unsent { start, unfinished, filling: Chunk::new(std::mem::take(&mut self.filling)) }
    }

    /// A new connection is told `first` before anything else.
    pub(super) fn begin_with(&mut self, first: Buffer) {
        debug_assert!(self.waiting() == 0);
        self.filling = first;
    }

    /// Nothing will be written any more.
    pub(super) fn forget_bytes(&mut self) {
        self.filling = Buffer::default();
        self.spare = Buffer::default();
        self.unfinished = Chunk::default();
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::SmallRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    fn put(buffer: &mut WriteBuffer, bytes: &[u8]) {
        buffer.append(|b| b.extend_from_slice(bytes)).unwrap();
    }

    fn send(chunk: &mut Chunk, len: usize) -> Vec<u8> {
        chunk.write(|data, sent| {
            let out = data[*sent..*sent + len].to_vec();
            *sent += len;
            out
        })
    }

    /// The model is a row of bytes of which a part has left.
    #[test]
    fn whatever_writers_do_bytes_leave_whole_and_in_order() {
        for seed in 0..200 {
            let mut rng = SmallRng::seed_from_u64(seed);
            let mut buffer = WriteBuffer::default();
            let (mut all, mut out) = (Vec::new(), Vec::new());
            let mut taken: Option<Chunk> = None;
            for step in 0..300_u32 {
                match rng.random_range(0..6) {
                    0..3 => {
                        let frame = vec![step as u8; rng.random_range(0..5_000)];
                        put(&mut buffer, &frame);
                        all.extend(frame);
                    }
                    3 if taken.is_none() => taken = Some(buffer.take(|| None).0),
                    4 => {
                        if let Some(chunk) = &mut taken {
                            let len = rng.random_range(0..=chunk.left());
                            out.extend(send(chunk, len));
                        }
                    }
                    _ => {
                        if let Some(chunk) = taken.take() {
                            buffer.put_back(chunk, true);
                            assert_eq!(buffer.waiting(), all.len() - out.len());
                            assert_eq!(buffer.is_empty(), all.len() == out.len());
                            assert!(buffer.has_written(out.len() as u64));
                            assert!(!buffer.has_written(out.len() as u64 + 1));
                        }
                    }
                }
                assert_eq!(buffer.enqueued(), all.len() as u64);
                assert!(all.starts_with(&out), "seed {seed}, step {step}");
            }
            if let Some(chunk) = taken {
                buffer.put_back(chunk, true);
            }
            let Unsent { start, unfinished, filling } = buffer.take_unsent();
            assert_eq!(start + unfinished.sent() as u64, out.len() as u64);
            assert_eq!(all[start as usize..], [unfinished.bytes(), filling.bytes()].concat());
            assert!(buffer.waiting() == 0 && buffer.has_written(all.len() as u64));
        }
    }

    #[test]
    fn what_is_stored_goes_between_the_unfinished_and_the_appended() {
        let mut buffer = WriteBuffer::default();
        put(&mut buffer, b"first");
        let (mut chunk, swaps) = buffer.take(|| None);
        assert!(swaps);
        send(&mut chunk, 2);
        buffer.put_back(chunk, true);
        put(&mut buffer, b"last");
        let (chunk, swaps) = buffer.take(|| panic!("not its turn"));
        assert!(chunk.bytes() == b"first" && chunk.left() == 3 && !swaps);
        assert_eq!(buffer.waiting(), 7);
        buffer.put_back(Chunk::default(), true); // all of it was written
        let mut stored = Buffer::default();
        stored.extend_from_slice(b"stored").unwrap();
        buffer.number(6);
        let (chunk, swaps) = buffer.take(|| Some(Chunk::new(stored)));
        assert!(chunk.bytes() == b"stored" && !swaps);
        buffer.put_back(Chunk::default(), true);
        assert_eq!((buffer.len(), buffer.enqueued()), (4, 15));
        assert!(buffer.has_written(11) && !buffer.has_written(12));
    }

    #[test]
    fn what_a_writer_has_of_its_own_counts_as_waiting() {
        let mut buffer = WriteBuffer::default();
        put(&mut buffer, b"head");
        let (chunk, _) = buffer.take(|| None);
        buffer.announce(1000);
        assert_eq!((buffer.waiting(), buffer.enqueued()), (1004, 1004));
        drop(chunk);
        buffer.put_back(Chunk::default(), true);
        assert!(buffer.waiting() == 0 && buffer.has_written(1004));
    }

    #[test]
    fn room_is_used_again_unless_it_is_large() {
        let mut buffer = WriteBuffer::default();
        for (size, kept) in [(1000, true), (2 << 20, false)] {
            put(&mut buffer, &vec![0; size]);
            let (mut chunk, _) = buffer.take(|| None);
            send(&mut chunk, size);
            buffer.put_back(chunk, true);
            assert_eq!(buffer.spare.capacity() >= size, kept);
            buffer.spare = Buffer::default();
        }
        put(&mut buffer, b"abc");
        let (chunk, _) = buffer.take(|| None);
        buffer.put_back(chunk, false);
        assert!(buffer.is_empty(), "there is no next one");
    }
}
