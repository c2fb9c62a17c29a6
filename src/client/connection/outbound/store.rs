//! The reconnect buffer: what waits for the next connection.

use super::Outgoing;
use super::buffer::Unsent;
use super::kept::{Chunk, Kept};
use crate::error::{Result, Status};
use crate::proto::buffer::{Buffer, NoMemory};

/// PINGs of flushes get that much more than publishes in a reconnect buffer that is full.
const ROOM_FOR_PINGS: usize = 64 << 10;

/// Messages that lost connections did not take, and those published while there was none. Both count against
/// one limit; what was accepted stays, it is the new message that finds no room. A new connection gets all of
/// it, before what is appended to the write buffer then.
pub(super) struct Store {
    capacity: usize,
    /// What lost connections left and, once there is a new one, everything.
    backlog: Kept,
    /// What came while there was no connection.
    pending: Kept,
    /// Frames, by the byte they start with, whose publishers were told of a failure: they are not kept.
    withdrawn: Vec<u64>,
}

impl Store {
    pub(super) fn new(capacity: usize) -> Store {
        Store { capacity, backlog: Kept::default(), pending: Kept::default(), withdrawn: Vec::new() }
    }

    /// Bytes that a connection has to take before those of the write buffer.
    pub(super) fn backlog(&self) -> usize {
        self.backlog.len()
    }

    /// Bytes published since there is no connection.
    pub(super) fn pending(&self) -> usize {
        self.pending.len()
    }

    pub(super) fn has_backlog(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// So much is left of the time without a connection that publishes have to wait, however little else
    /// does.
    pub(super) fn is_clogged(&self) -> bool {
        self.has_backlog() && self.backlog.len() >= self.capacity
    }

    /// Whether another message may wait for a connection, besides `waiting` bytes of a lost one.
    pub(super) fn has_room(&self, waiting: usize) -> bool {
        self.len(waiting) < self.capacity
    }

    fn len(&self, waiting: usize) -> usize {
        waiting + self.backlog.len() + self.pending.len()
    }

    /// Puts a message, or nothing, behind what waits.
    pub(super) fn append_publish(&mut self, out: Outgoing<'_>) -> std::result::Result<(), NoMemory> {
        self.pending.append_publish(out)
    }

    /// Puts the PING of a flush behind what waits.
    pub(super) fn append_ping(&mut self, waiting: usize) -> Result<()> {
        if self.len(waiting) >= self.capacity.saturating_add(ROOM_FOR_PINGS) {
            return Err(Status::InsufficientBuffer.into());
        }
        Ok(self.pending.append_ping()?)
    }

    /// A frame's publisher is told that it failed, because the link it was for is over: the next one does not
    /// get it.
    pub(super) fn withdraw(&mut self, own: Option<u64>) {
        self.withdrawn.extend(own);
    }

    /// Keeps the publishes that a lost connection did not take. Allocates nothing of size.
    pub(super) fn collect(&mut self, unsent: Unsent) {
        let Unsent { start: mut at, unfinished, filling } = unsent;
        let backlog = std::mem::take(&mut self.backlog);
        for mut chunk in std::iter::once(unfinished).chain(backlog).chain(std::iter::once(filling)) {
            let start = at;
            at += chunk.len() as u64;
            chunk.keep_publishes(|offset| self.withdrawn.contains(&(start + offset as u64)));
            self.backlog.push(chunk);
        }
        self.withdrawn.clear();
    }

    /// A connection is there: all that waits is its backlog, behind `first`. Where nothing waits, `first` is
    /// given back.
    pub(super) fn go_live(&mut self, first: Buffer) -> Option<Buffer> {
        self.backlog.append(&mut self.pending);
        if self.backlog.is_empty() {
            return Some(first);
        }
        self.backlog.push_first(Chunk::new(first));
        None
    }

    /// The next chunk for the connection.
    pub(super) fn take_first(&mut self) -> Option<Chunk> {
        self.backlog.take_first()
    }

    /// There will be no connection any more.
    pub(super) fn forget_bytes(&mut self) {
        self.pending = Kept::default();
        self.backlog = Kept::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::encoder;

    fn message(payload: &[u8]) -> Outgoing<'_> {
        Outgoing { subject: b"foo", reply: None, headers: None, payload }
    }

    fn frame(payload: &str) -> String {
        format!("PUB foo {}\r\n{payload}\r\n", payload.len())
    }

    fn buffer(text: &str) -> Buffer {
        let mut buffer = Buffer::default();
        buffer.extend_from_slice(text.as_bytes()).unwrap();
        buffer
    }

    fn chunk(text: &str, sent: usize) -> Chunk {
        let mut chunk = Chunk::new(buffer(text));
        chunk.note_sent(sent, [&[]; 2]);
        chunk
    }

    /// What the next connection gets behind a line of its own.
    fn all_of(store: &mut Store) -> String {
        let mut all = match store.go_live(buffer("SUB\r\n")) {
            Some(first) => String::from_utf8(first.as_slice().to_vec()).unwrap(),
            None => String::new(),
        };
        while let Some(chunk) = store.take_first() {
            all.push_str(std::str::from_utf8(chunk.bytes()).unwrap());
        }
        assert!(store.backlog() == 0 && !store.has_backlog());
        all
    }

    #[test]
    fn whole_messages_survive_in_order_but_those_withdrawn() {
        let mut store = Store::new(1 << 20);
        let first = format!("{}{}PING\r\n", frame("sent"), frame("begun"));
        let second = format!("{}SUB foo  1\r\n{}{}", frame("told"), frame("kept"), frame("own"));
        let start = 1000;
        store.withdraw(Some(start + first.len() as u64)); // the first frame of the second chunk
        store.withdraw(None);
        let unfinished = chunk(&first, frame("sent").len() + 3);
        store.collect(Unsent { start, unfinished, filling: chunk(&second, 0) });
        store.append_publish(message(b"later")).unwrap();
        assert!(store.has_backlog() && !store.is_clogged());
        let kept = ["begun", "kept", "own", "later"].map(frame).concat();
        assert_eq!(all_of(&mut store), format!("SUB\r\n{kept}"));
        assert_eq!(all_of(&mut store), "SUB\r\n", "it is sent once");
    }

    #[test]
    fn a_connection_that_comes_and_goes_takes_nothing_away() {
        let mut store = Store::new(1 << 20);
        let mut expected = String::new();
        for round in 0..10 {
            let payload = round.to_string();
            store.append_publish(message(payload.as_bytes())).unwrap();
            store.append_ping(0).unwrap(); // with a waiter who is told that the connection was lost
            assert!(store.go_live(buffer("SUB foo  1\r\n")).is_none());
            let begun = store.take_first().unwrap();
            store.collect(Unsent { start: 0, unfinished: begun, filling: chunk("PONG\r\n", 0) });
            expected.push_str(&frame(&payload));
        }
        assert_eq!(store.backlog(), expected.len());
        assert_eq!(all_of(&mut store), format!("SUB\r\n{expected}"));
    }

    #[test]
    fn all_that_waits_counts_against_the_limit() {
        let mut store = Store::new(100);
        assert!(store.has_room(99) && !store.has_room(100));
        store.append_publish(message(&[b'x'; 50])).unwrap();
        let len = frame(&"x".repeat(50)).len();
        assert!(store.has_room(99 - len) && !store.has_room(100 - len));
        while store.append_ping(0).is_ok() {}
        assert_eq!(store.append_ping(0).unwrap_err().status(), Status::InsufficientBuffer);
        let pinged = store.len(0);
        assert!((100 + ROOM_FOR_PINGS..100 + ROOM_FOR_PINGS + encoder::PING.len()).contains(&pinged));
        assert!(!store.is_clogged(), "there is no connection to wait for");
        assert!(store.go_live(Buffer::default()).is_none() && store.is_clogged());
        while store.is_clogged() {
            store.take_first().unwrap();
        }
        store.forget_bytes();
        assert!(store.has_room(0) && !store.has_backlog());
    }
}
