//! A list of chunks of frames.

use std::collections::LinkedList;
use std::collections::linked_list::IntoIter;

use crate::client::connection::outbound::Outgoing;
use crate::proto::buffer::{Buffer, NoMemory};
use crate::proto::encoder;

/// A chunk is not filled beyond this, but for one larger frame.
const FULL: usize = 256 * 1024;

/// Bytes on their way to the socket, of which some are sent.
#[derive(Default)]
pub(super) struct Chunk {
    data: Buffer,
    sent: usize,
    /// Nothing in it belongs to one connection only.
    only_publishes: bool,
}

/// Frames that are kept: a connection that comes and goes moves them about without copying them, and no chunk
/// grows large. A list, for lists are joined without allocating.
#[derive(Default)]
pub(super) struct Kept {
    chunks: LinkedList<Chunk>,
    len: usize,
}

impl Chunk {
    pub(super) fn new(data: Buffer) -> Chunk {
        Chunk { data, sent: 0, only_publishes: false }
    }

    /// All bytes, those included that are sent.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> &[u8] {
        self.data.as_slice()
    }

    pub(super) fn len(&self) -> usize {
        self.data.len()
    }

    pub(super) fn sent(&self) -> usize {
        self.sent
    }

    pub(super) fn left(&self) -> usize {
        self.data.len() - self.sent
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sent >= self.data.len()
    }

    /// Writes: `write` sees all bytes, and how many of them are sent, which it counts on.
    pub(super) fn write<T>(&mut self, write: impl FnOnce(&[u8], &mut usize) -> T) -> T {
        write(self.data.as_slice(), &mut self.sent)
    }

    /// Of these bytes and of `rest` behind them so many were sent, of which none before: what was not is kept
    /// here. There is room for it.
    pub(super) fn note_sent(&mut self, sent: usize, rest: [&[u8]; 2]) {
        if sent < self.data.len() + rest.iter().map(|piece| piece.len()).sum::<usize>() {
            let [first, second] = rest;
            let added = self.data.extend_from_slice(first);
            added.and_then(|()| self.data.extend_from_slice(second)).expect("there is room");
        }
        self.sent = sent.min(self.data.len());
    }

    /// The room of a chunk that was written, to be used again, unless it is larger than that.
    pub(super) fn into_spare(self, max: usize) -> Option<Buffer> {
        let mut data = self.data;
        data.clear();
        (data.capacity() <= max).then_some(data)
    }

    /// See [`encoder::keep_publishes`].
    pub(super) fn keep_publishes(&mut self, withdrawn: impl Fn(usize) -> bool) {
        if self.sent > 0 || !self.only_publishes {
            encoder::keep_publishes(&mut self.data, self.sent, withdrawn);
            self.sent = 0;
            self.only_publishes = true;
        }
    }

    /// Gives back the room of what is not there any more.
    fn shrink(&mut self) {
        let mut right = Buffer::default();
        if self.data.len() < self.data.capacity() / 2 && right.extend_from_slice(self.data.as_slice()).is_ok()
        {
            self.data = right;
        }
    }
}

impl Kept {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Appends a message, or nothing.
    pub(super) fn append_publish(&mut self, out: Outgoing<'_>) -> Result<(), NoMemory> {
        self.write(out.frame_size(), true, |data| {
            encoder::publish(data, out.subject, out.reply, out.headers, out.payload)
        })
    }

    pub(super) fn append_ping(&mut self) -> Result<(), NoMemory> {
        self.write(encoder::PING.len(), false, |data| data.extend_from_slice(encoder::PING))
    }

    fn write(
        &mut self,
        size: usize,
        publish: bool,
        write: impl FnOnce(&mut Buffer) -> Result<(), NoMemory>,
    ) -> Result<(), NoMemory> {
        if self.chunks.back().is_none_or(|last| last.data.len() + size > FULL) {
            let mut data = Buffer::default();
            write(&mut data)?;
            self.len += data.len();
            self.chunks.push_back(Chunk { data, sent: 0, only_publishes: publish });
        } else if let Some(last) = self.chunks.back_mut() {
            let before = last.data.len();
            write(&mut last.data)?;
            last.only_publishes &= publish;
            self.len += last.data.len() - before;
        }
        Ok(())
    }

    /// Appends a chunk of publishes. Small ones are put together, so that their number is bounded by their
    /// bytes.
    pub(super) fn push(&mut self, mut chunk: Chunk) {
        let len = chunk.data.len();
        if len == 0 {
            return;
        }
        self.len += len;
        if let Some(last) = self.chunks.back_mut()
            && last.data.len() + len <= FULL
            && last.data.extend_from_slice(chunk.data.as_slice()).is_ok()
        {
            return;
        }
        chunk.shrink();
        self.chunks.push_back(chunk);
    }

    pub(super) fn push_first(&mut self, chunk: Chunk) {
        self.len += chunk.data.len();
        self.chunks.push_front(chunk);
    }

    pub(super) fn take_first(&mut self) -> Option<Chunk> {
        let first = self.chunks.pop_front()?;
        self.len -= first.data.len();
        Some(first)
    }

    /// Moves all of `other` behind what is here.
    pub(super) fn append(&mut self, other: &mut Kept) {
        self.chunks.append(&mut other.chunks);
        self.len += std::mem::take(&mut other.len);
    }
}

impl IntoIterator for Kept {
    type Item = Chunk;
    type IntoIter = IntoIter<Chunk>;

    fn into_iter(self) -> IntoIter<Chunk> {
        self.chunks.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(payload: &[u8]) -> Outgoing<'_> {
        Outgoing { subject: b"foo", reply: None, headers: None, payload }
    }

    /// The lengths of all chunks, which are as many bytes as the list says.
    fn lens(kept: &Kept) -> Vec<usize> {
        let lens: Vec<_> = kept.chunks.iter().map(Chunk::len).collect();
        assert_eq!(lens.iter().sum::<usize>(), kept.len());
        lens
    }

    #[test]
    fn no_chunk_grows_beyond_its_bound_but_for_one_large_frame() {
        let mut kept = Kept::default();
        for size in [10, 100_000, 100_000, 100_000, 300_000, 0, 20] {
            kept.append_publish(message(&vec![b'x'; size])).unwrap();
        }
        let lens = lens(&kept);
        assert_eq!(lens.len(), 4);
        assert!(lens.iter().all(|len| *len <= FULL || *len == 300_000 + "PUB foo 300000\r\n\r\n".len()));
    }

    #[test]
    fn small_chunks_are_put_together() {
        let mut kept = Kept::default();
        for _ in 0..10_000 {
            let mut data = Buffer::default();
            data.extend_from_slice(&[b'x'; 100]).unwrap();
            kept.push(Chunk::new(data));
        }
        kept.push(Chunk::default());
        assert_eq!(kept.len(), 1_000_000);
        assert!(lens(&kept).len() <= 1_000_000 / FULL + 1);
    }

    #[test]
    fn what_was_left_out_of_a_chunk_takes_no_room() {
        let mut data = Buffer::default();
        data.extend_from_slice(&vec![b'x'; FULL]).unwrap();
        data.truncate(100);
        let mut kept = Kept::default();
        kept.push(Chunk::new(data));
        assert!(kept.take_first().unwrap().data.capacity() < FULL / 2);
        assert_eq!((kept.is_empty(), kept.len()), (true, 0));
    }

    #[test]
    fn what_is_sent_of_a_chunk_and_of_the_pieces_behind_it() {
        for sent in 0..=10 {
            let mut data = Buffer::default();
            data.extend_from_slice(b"head").unwrap();
            let mut chunk = Chunk::new(data);
            chunk.note_sent(sent, [b"tail", b"\r\n"]);
            assert_eq!((chunk.left(), chunk.is_empty()), (10 - sent, sent == 10));
            let left = chunk.write(|data, sent| data[*sent..].to_vec());
            assert_eq!(left, b"headtail\r\n"[sent..]);
        }
    }
}
