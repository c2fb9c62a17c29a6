//! What the outbound side keeps under its lock: parts with a state of their own.

use std::sync::Arc;

use super::admission::{Admission, Fill, Frame, Phase, Place, Wait};
use super::buffer::WriteBuffer;
use super::kept::Chunk;
use super::pings::PingBook;
use super::schedule::Schedule;
use super::store::Store;
use super::{Outgoing, Then, Written};
use crate::client::connection::link::Link;
use crate::client::connection::waiter::Waiter;
use crate::error::Result;
use crate::proto::buffer::Buffer;
use crate::proto::encoder;

/// The parts, tied together. Frames in the order they go out: what a writer has taken out or left, the
/// store's backlog, the write buffer; while there is no connection the rest of the store comes last. Each
/// part is changed by its own methods only.
pub(super) struct Queue {
    /// Of a live connection.
    link: Option<Arc<Link>>,
    pub admission: Admission,
    pub buffer: WriteBuffer,
    pub store: Store,
    pub pings: PingBook,
    pub schedule: Schedule,
    out_msgs: u64,
    out_bytes: u64,
}

/// A writer's turn: what it took out, and for which link. It ends by [`Queue::end_turn`].
#[must_use]
pub(super) struct Turn {
    link: Arc<Link>,
    chunk: Chunk,
}

impl Turn {
    pub(super) fn write<T>(&mut self, write: impl FnOnce(&Link, &mut Chunk) -> T) -> T {
        write(&self.link, &mut self.chunk)
    }

    /// Writes what a plain socket takes now of this and of `payload` with its line's end behind it. What it
    /// does not take is copied, there is room for it.
    pub(super) fn write_with(&mut self, payload: &[u8]) -> Result<()> {
        let pieces = [payload, encoder::CRLF];
        let result = self.chunk.write(|data, _| self.link.write_pieces(&[data, pieces[0], pieces[1]]));
        self.chunk.note_sent(*result.as_ref().unwrap_or(&0), pieces);
        result.map(drop)
    }
}

impl Queue {
    pub(super) fn new(reconnect_capacity: usize) -> Queue {
        Queue {
            link: None,
            admission: Admission::new(),
            buffer: WriteBuffer::default(),
            store: Store::new(reconnect_capacity),
            pings: PingBook::default(),
            schedule: Schedule::default(),
            out_msgs: 0,
            out_bytes: 0,
        }
    }

    #[inline]
    pub(super) fn count(&mut self, out: &Outgoing<'_>) {
        self.out_msgs += 1;
        self.out_bytes += out.size() as u64;
    }

    /// Messages and bytes published.
    pub(super) fn published(&self) -> (u64, u64) {
        (self.out_msgs, self.out_bytes)
    }

    // ---- life of the connection ----

    /// There is a connection: see [`super::Outbound::go_live`].
    pub(super) fn go_live(&mut self, link: &Arc<Link>, first: Buffer, again: bool) -> Then {
        self.collect_unsent();
        self.link = Some(Arc::clone(link));
        self.schedule.reset(link.event_loop().is_some());
        self.admission.set_phase(Phase::Live);
        self.buffer.number(self.store_len() + first.len());
        if let Some(first) = self.store.go_live(first) {
            self.buffer.begin_with(first);
        }
        self.admission.set_backlog(self.store.has_backlog());
        if again && self.append(|b| b.extend_from_slice(encoder::PING)).is_ok() {
            self.pings.note_ping();
        }
        self.look_after_rest()
    }

    fn store_len(&self) -> usize {
        self.store.backlog() + self.store.pending()
    }

    /// There is none any more, or never will be. Returns those who wait for a PONG.
    pub(super) fn leave(&mut self, phase: Phase) -> Vec<Arc<Waiter<()>>> {
        self.link = None;
        self.admission.set_phase(phase);
        self.schedule.reset(false);
        if phase == Phase::Closed {
            self.buffer.forget_bytes();
            self.store.forget_bytes();
        }
        self.collect_unsent();
        self.pings.end()
    }

    /// Keeps the publishes that a lost connection did not take, for the next one. A writer does it himself
    /// once he is done.
    pub(super) fn collect_unsent(&mut self) {
        if !self.schedule.is_writing() && !self.admission.is_live() {
            self.store.collect(self.buffer.take_unsent());
        }
    }

    // ---- frames ----

    /// Where a frame goes for which the write buffer may be filled up to `capacity`.
    pub(super) fn place(&mut self, frame: Frame, capacity: usize) -> Result<Place> {
        let full = Fill {
            buffer: self.buffer.len() >= capacity,
            clogged: self.store.is_clogged(),
            store: !self.store.has_room(self.buffer.waiting()),
        };
        self.admission.place(frame, full, self.schedule.is_event_driven())
    }

    /// Whether a call may write itself, and wait for the socket.
    pub(super) fn may_write(&self, wait: Wait) -> bool {
        wait == Wait::Yes && !self.schedule.is_event_driven()
    }

    /// Appends a frame, or nothing.
    #[inline(always)]
    pub(super) fn append(&mut self, write: impl FnOnce(&mut Buffer) -> Written) -> Result<()> {
        Ok(self.buffer.append(write)?)
    }

    /// Whether a publisher may write from its own memory right now, behind what waits.
    pub(super) fn can_write_directly(&self) -> bool {
        let plain = self.link.as_ref().is_some_and(|link| link.is_plain() && link.event_loop().is_none());
        let waits = self.schedule.is_writing() || self.buffer.has_unfinished() || self.store.has_backlog();
        plain && !waits
    }

    // ---- turns ----

    /// Begins writing: the caller is the writer until [`Queue::end_turn`].
    pub(super) fn take_turn(&mut self) -> Turn {
        self.schedule.begin_turn();
        let (chunk, swapped) = self.buffer.take(|| self.store.take_first());
        if swapped {
            self.pings.buffer_taken();
            self.admission.buffer_taken();
        }
        self.admission.set_backlog(self.store.has_backlog());
        let link = self.link.clone().expect("only a live connection is written to");
        Turn { link, chunk }
    }

    /// Ends writing; `over` when the link takes nothing any more. Before the lock is let go the caller writes
    /// on or calls [`Queue::look_after_rest`].
    pub(super) fn end_turn(&mut self, turn: Turn, over: bool) -> Arc<Link> {
        let Turn { link, chunk } = turn;
        let current = self.is_current(&link);
        self.schedule.end_turn(over && current);
        self.buffer.put_back(chunk, self.admission.phase() != Phase::Closed);
        if !current {
            self.collect_unsent();
        }
        link
    }

    /// See [`Schedule::look_after`].
    pub(super) fn look_after_rest(&mut self) -> Then {
        if !self.admission.is_live() || self.schedule.is_attended() {
            return Then::Nothing;
        }
        let left = self.has_bytes();
        self.schedule.look_after(left)
    }

    /// Whether all that waits has somebody who writes it. What TLS has to send of its own is told by the
    /// thread that reads.
    pub(super) fn is_looked_after(&self) -> bool {
        let left = !self.buffer.is_empty() || self.store.has_backlog();
        self.schedule.is_looked_after(left && self.admission.is_live())
    }

    /// Whether the poller is to tell when the socket takes bytes again.
    pub(super) fn watch(&mut self, on: bool) {
        if let Some(link) = &self.link
            && self.schedule.watch(on)
        {
            link.watch_writable(on);
        }
    }

    // ---- questions ----

    /// Whether the writer has something to do before the byte with number `goal` is written.
    pub(super) fn has_work(&self, goal: u64) -> bool {
        self.admission.is_live() && (!self.buffer.has_written(goal) || self.link_has_bytes())
    }

    pub(super) fn is_current(&self, link: &Arc<Link>) -> bool {
        self.link.as_ref().is_some_and(|current| Arc::ptr_eq(current, link))
    }

    pub(super) fn link(&self) -> Option<&Arc<Link>> {
        self.link.as_ref()
    }

    /// Whether something waits for a writer.
    pub(super) fn has_bytes(&self) -> bool {
        !self.buffer.is_empty() || self.store.has_backlog() || self.link_has_bytes()
    }

    /// TLS has something of its own to send.
    fn link_has_bytes(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.has_unsent())
    }

    /// Bytes that wait to be written to a live connection.
    pub(super) fn waiting_bytes(&self) -> usize {
        if self.admission.is_live() { self.buffer.waiting() + self.store.backlog() } else { 0 }
    }
}
