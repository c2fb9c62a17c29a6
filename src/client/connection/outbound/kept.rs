//! Frames kept in chunks: a connection that comes and goes moves them about without copying them, and none grows large.

use std::collections::LinkedList;
use std::collections::linked_list::IntoIter;

use crate::client::connection::outbound::Outgoing;
use crate::proto::buffer::{Buffer, NoMemory};
use crate::proto::encoder;

/// A chunk is not filled beyond this, but for one larger frame.
const FULL: usize = 256 * 1024;

/// Bytes on their way to the socket, of which some are sent.
#[derive(Default)]
pub struct Chunk {
    pub data: Buffer,
    pub sent: usize,
    /// Nothing in it belongs to one connection only.
    only_publishes: bool,
}

/// A list, for lists are joined without allocating.
#[derive(Default)]
pub struct Kept {
    chunks: LinkedList<Chunk>,
    len: usize,
}

impl Chunk {
    pub fn new(data: Buffer) -> Chunk {
        Chunk { data, sent: 0, only_publishes: false }
    }

    pub fn left(&self) -> usize {
        self.data.len() - self.sent
    }

    pub fn is_empty(&self) -> bool {
        self.sent >= self.data.len()
    }

    /// See [`encoder::keep_publishes`].
    pub fn keep_publishes(&mut self, withdrawn: impl Fn(usize) -> bool) {
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
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Appends a message, or nothing.
    pub fn append_publish(&mut self, out: Outgoing<'_>) -> Result<(), NoMemory> {
        let parts = out.subject.len() + out.reply.map_or(0, <[u8]>::len) + out.size();
        self.write(encoder::publish_size(parts), true, |data| {
            encoder::publish(data, out.subject, out.reply, out.headers, out.payload)
        })
    }

    pub fn append_ping(&mut self) -> Result<(), NoMemory> {
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

    /// Appends a chunk of publishes. Small ones are put together, so that their number is bounded by their bytes.
    pub fn push(&mut self, mut chunk: Chunk) {
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

    pub fn push_first(&mut self, chunk: Chunk) {
        self.len += chunk.data.len();
        self.chunks.push_front(chunk);
    }

    pub fn take_first(&mut self) -> Option<Chunk> {
        let first = self.chunks.pop_front()?;
        self.len -= first.data.len();
        Some(first)
    }

    /// Moves all of `other` behind what is here.
    pub fn append(&mut self, other: &mut Kept) {
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
