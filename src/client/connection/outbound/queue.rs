//! What the outbound side keeps under its lock: buffers, counts, and who waits for which PONG.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::kept::{Chunk, Kept};
use crate::client::connection::link::Link;
use crate::client::connection::outbound::{Outgoing, Then};
use crate::client::connection::waiter::Waiter;
use crate::error::{Error, Result, Status};
use crate::io::clock;
use crate::proto::buffer::{Buffer, NoMemory};
use crate::session::pongs::{PingId, PongQueue};

/// A buffer that grew beyond this for one large message is given back: the largest that servers take by default, and
/// what is about it.
const KEPT_CAPACITY: usize = (1 << 20) + (64 << 10);
/// PINGs of flushes get that much more than publishes in a reconnect buffer that is full.
const ROOM_FOR_PINGS: usize = 64 << 10;
/// So many unanswered PINGs are timed.
const MAX_TIMED: usize = 1024;

/// Where frames go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// No connection yet, or none at present: publishes wait in the reconnect buffer.
    Down,
    Live,
    Closed,
}

/// Frames in the order they go out: `unfinished` or what a writer has taken out, `backlog`, `buffer`; while there is no
/// connection `pending` comes last.
pub struct Queue {
    pub phase: Phase,
    pub link: Option<Arc<Link>>,
    pub buffer: Buffer,
    pub spare: Buffer,
    /// Taken out of `buffer` but not written completely.
    pub unfinished: Chunk,
    pub writing: bool,
    /// Bytes a writer has taken out and not written yet.
    pub in_flight: usize,
    /// Running totals of bytes put into and taken out of the buffer for good.
    pub enqueued: u64,
    pub written: u64,
    /// A flush was asked for and has not begun.
    pub flush_requested: bool,
    /// Nobody was asked, for somebody is about to write anyway: it is asked for again when he leaves something.
    pub flush_deferred: bool,
    /// The poller tells when the socket takes bytes again.
    pub watching: bool,
    /// Publishers that wait for their turn to write.
    pub waiting: u32,
    /// The link takes nothing any more; who reads it is about to notice.
    pub over: bool,
    /// Publishes since the flush was requested.
    pub since_request: u32,
    /// The last write, and the last one that was more than a lone message's: a burst that begins with one does not wait.
    pub last_write: Duration,
    pub last_flush: Duration,
    /// The reconnect buffer.
    pub pending: Kept,
    /// What lost connections left unsent and, once there is a new one, the reconnect buffer: it goes before `buffer`.
    pub backlog: Kept,
    /// Frames, by the byte they start with, whose publishers were told of a failure: they are not kept.
    pub withdrawn: Vec<u64>,
    /// Who waits for the PONG to which PING.
    pub pings: VecDeque<(PingId, Arc<Waiter<()>>)>,
    pub pongs: PongQueue,
    /// When the PINGs still unanswered were written into the buffer.
    pub timed: VecDeque<TimedPing>,
    /// PONGs in `buffer`.
    pub waiting_pongs: u32,
    pub draining: bool,
    pub checked: bool,
    pub max_payload: i64,
    pub headers: bool,
    /// How large a message may be at this moment without any other check, but for that of its headers.
    pub plain_limit: i64,
    pub out_msgs: u64,
    pub out_bytes: u64,
}

pub struct TimedPing {
    pub id: PingId,
    pub at: Duration,
    pub keep_alive: bool,
}

impl Queue {
    pub fn new() -> Queue {
        Queue {
            phase: Phase::Down,
            link: None,
            buffer: Buffer::default(),
            spare: Buffer::default(),
            unfinished: Chunk::default(),
            writing: false,
            in_flight: 0,
            enqueued: 0,
            written: 0,
            flush_requested: false,
            flush_deferred: false,
            watching: false,
            waiting: 0,
            over: false,
            since_request: 0,
            last_write: Duration::ZERO,
            last_flush: Duration::ZERO,
            pending: Kept::default(),
            backlog: Kept::default(),
            withdrawn: Vec::new(),
            pings: VecDeque::new(),
            pongs: PongQueue::new(),
            timed: VecDeque::new(),
            waiting_pongs: 0,
            draining: false,
            checked: false,
            max_payload: 0,
            plain_limit: -1,
            headers: false,
            out_msgs: 0,
            out_bytes: 0,
        }
    }

    #[inline]
    pub fn count(&mut self, out: &Outgoing<'_>) {
        self.out_msgs += 1;
        self.out_bytes += out.size() as u64;
    }

    /// To be called after every change of what a publish depends on.
    pub fn refresh_plain_limit(&mut self) {
        self.plain_limit = match self.phase {
            Phase::Live if !self.backlog.is_empty() => -1,
            Phase::Live if !self.draining && self.checked => self.max_payload,
            Phase::Live if !self.draining => i64::MAX,
            _ => -1,
        };
    }

    pub fn admit(&self, out: &Outgoing<'_>, reconnect_capacity: usize) -> Result<()> {
        if self.phase == Phase::Closed {
            return Err(Status::ConnectionClosed.into());
        }
        if self.draining {
            return Err(Status::Draining.into());
        }
        if self.checked {
            self.check_limits(out)?;
        }
        self.admit_while_down(reconnect_capacity)
    }

    /// The reconnect buffer's limit holds for all that waits for a connection. What lost connections left was accepted
    /// and stays; it is the new message that finds no room.
    pub fn admit_while_down(&self, reconnect_capacity: usize) -> Result<()> {
        let full = match self.phase {
            Phase::Down => self.kept_bytes() >= reconnect_capacity,
            // An event loop's publishers do not wait until the backlog has gone.
            Phase::Live => self.is_event_driven() && self.is_clogged(reconnect_capacity),
            Phase::Closed => false,
        };
        if full { Err(Status::InsufficientBuffer.into()) } else { Ok(()) }
    }

    /// All that waits for the next connection.
    fn kept_bytes(&self) -> usize {
        self.waiting_bytes() + self.pending.len()
    }

    /// So much is left of the time without a connection that publishes have to wait, however little is in `buffer`.
    pub fn is_clogged(&self, reconnect_capacity: usize) -> bool {
        !self.backlog.is_empty() && self.backlog.len() >= reconnect_capacity
    }

    /// Puts the PING of a flush behind what waits for a connection.
    pub fn ping_while_down(&mut self, waiter: Arc<Waiter<()>>, reconnect_capacity: usize) -> Result<()> {
        if self.kept_bytes() >= reconnect_capacity.saturating_add(ROOM_FOR_PINGS) {
            return Err(Status::InsufficientBuffer.into());
        }
        self.pending.append_ping()?;
        self.expect_pong(waiter);
        Ok(())
    }

    #[inline]
    pub fn check_limits(&self, out: &Outgoing<'_>) -> Result<()> {
        if out.headers.is_some() && !self.headers {
            return Err(Status::NoServerSupport.into());
        }
        let size = out.size();
        if size as i64 > self.max_payload {
            return Err(payload_too_large(size, self.max_payload));
        }
        Ok(())
    }

    /// The PING for it is written.
    pub fn expect_pong(&mut self, waiter: Arc<Waiter<()>>) {
        debug_assert!(self.pings.capacity() > self.pings.len());
        let id = self.pongs.sent_ping();
        self.note_ping(id, false);
        self.pings.push_back((id, waiter));
    }

    pub fn note_ping(&mut self, id: PingId, keep_alive: bool) {
        if self.timed.len() < MAX_TIMED && self.timed.try_reserve(1).is_ok() {
            self.timed.push_back(TimedPing { id, at: clock::now(), keep_alive });
        }
    }

    /// Appends a frame, or nothing.
    pub fn append(
        &mut self,
        write: impl FnOnce(&mut Buffer) -> std::result::Result<(), NoMemory>,
    ) -> Result<()> {
        let before = self.buffer.len();
        write(&mut self.buffer)?;
        self.enqueued += (self.buffer.len() - before) as u64;
        Ok(())
    }

    /// Asks for what is there to be written, unless that was done or somebody writes it without being asked.
    pub fn request_flush(&mut self) -> Then {
        if std::mem::replace(&mut self.flush_requested, true) {
            return Then::Nothing;
        }
        self.flush_deferred = self.is_attended();
        if self.flush_deferred { Then::Nothing } else { Then::RequestFlush }
    }

    /// To be called by who ends writing or unwatches the socket, before the lock is let go. Of the bytes left behind
    /// this always holds: somebody is about to write them, or a flush is asked for.
    pub fn look_after_rest(&mut self) -> Then {
        if self.phase != Phase::Live || self.is_attended() {
            return Then::Nothing;
        }
        self.take_back_deferred();
        let left = self.has_bytes();
        if !left && self.is_event_driven() {
            self.flush_requested = false;
        }
        if left { self.request_flush() } else { Then::Nothing }
    }

    /// Where nobody is about to write any more, nobody has been asked to: for one who appends next, and asks.
    pub fn take_back_deferred(&mut self) {
        if self.flush_deferred && !self.is_attended() {
            self.flush_deferred = false;
            self.flush_requested = false;
        }
    }

    /// Whether somebody writes what is there without being asked.
    pub fn is_attended(&self) -> bool {
        self.writing || self.watching || self.waiting > 0 || self.over
    }

    /// Who was asked for a flush finds somebody writing.
    pub fn leave_flush_to_writer(&mut self) {
        self.flush_deferred = self.flush_requested;
    }

    /// What was asked for begins. An event loop goes on telling as long as something is left, so its request stays.
    pub fn begin_flush(&mut self) {
        self.since_request = 0;
        if !self.is_event_driven() {
            self.flush_requested = false;
            self.flush_deferred = false;
        }
    }

    /// Whether the poller is to tell when the socket takes bytes again. Event loops are asked by their adapter.
    pub fn watch(&mut self, on: bool) {
        if self.watching != on
            && !self.is_event_driven()
            && let Some(link) = &self.link
        {
            self.watching = on;
            link.watch_writable(on);
        }
    }

    /// Whether the writer has something to do before the byte with number `goal` is written.
    pub fn has_work(&self, goal: u64) -> bool {
        self.phase == Phase::Live && (self.written < goal || self.link_has_bytes())
    }

    pub fn note_publisher_wrote(&mut self) {
        self.last_write = clock::now();
        self.last_flush = self.last_write;
    }

    /// A new link has nothing of what was true of the one before.
    pub fn forget_requests(&mut self) {
        self.flush_requested = false;
        self.flush_deferred = false;
        self.watching = false;
        self.over = false;
        self.waiting_pongs = 0;
    }

    /// Bytes that the writer has besides those it took out of the buffer.
    pub fn announce(&mut self, len: usize) {
        self.enqueued += len as u64;
        self.in_flight += len;
    }

    /// Fails when the connection was closed.
    pub fn open(&self) -> Result<()> {
        if self.phase == Phase::Closed { Err(Status::ConnectionClosed.into()) } else { Ok(()) }
    }

    /// Whether a publisher may write from its own memory right now, behind what waits.
    pub fn can_write_directly(&self) -> bool {
        let plain = self.link.as_ref().is_some_and(|link| link.is_plain() && link.event_loop().is_none());
        plain && !self.writing && self.unfinished.is_empty() && self.backlog.is_empty()
    }

    pub fn is_event_driven(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.event_loop().is_some())
    }

    pub fn is_current(&self, link: &Arc<Link>) -> bool {
        self.link.as_ref().is_some_and(|current| Arc::ptr_eq(current, link))
    }

    pub fn has_bytes(&self) -> bool {
        let none = self.unfinished.is_empty() && self.backlog.is_empty() && self.buffer.is_empty();
        !none || self.link_has_bytes()
    }

    /// TLS has something of its own to send.
    pub fn link_has_bytes(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.has_unsent())
    }

    pub fn waiting_bytes(&self) -> usize {
        self.unfinished.left() + self.in_flight + self.backlog.len() + self.buffer.len()
    }

    /// Begins writing: the caller is the writer until it puts the chunk back.
    pub fn take_chunk(&mut self) -> (Arc<Link>, Chunk) {
        debug_assert!(!self.writing, "one writer at a time");
        self.writing = true;
        let chunk = self.next_chunk();
        self.in_flight = chunk.left();
        let link = self.link.clone().expect("only a live connection is written to");
        (link, chunk)
    }

    fn next_chunk(&mut self) -> Chunk {
        if !self.unfinished.is_empty() {
            return std::mem::take(&mut self.unfinished);
        }
        if let Some(chunk) = self.backlog.take_first() {
            self.refresh_plain_limit();
            return chunk;
        }
        self.waiting_pongs = 0;
        let next = std::mem::take(&mut self.spare);
        Chunk::new(std::mem::replace(&mut self.buffer, next))
    }

    /// Ends writing; `over` when the link takes nothing any more. [`Queue::look_after_rest`] comes next.
    pub fn put_back(&mut self, mut chunk: Chunk, link: &Arc<Link>, over: bool) {
        self.writing = false;
        self.over |= over && self.is_current(link);
        self.written += (self.in_flight - chunk.left()) as u64;
        self.in_flight = 0;
        if self.phase == Phase::Closed {
            return;
        }
        if !chunk.is_empty() {
            self.unfinished = chunk;
        } else if chunk.data.capacity() <= KEPT_CAPACITY {
            chunk.data.clear();
            self.spare = chunk.data;
        }
        if !self.is_current(link) {
            self.collect_unsent();
        }
    }

    /// A frame's publisher is told that it failed, because the link it was for is over: the next one does not get it.
    pub fn withdraw(&mut self, own: Option<u64>) {
        self.withdrawn.extend(own);
    }

    /// Keeps the publishes that a lost connection did not take, for the next one. Allocates nothing of size.
    pub fn collect_unsent(&mut self) {
        if self.writing || self.phase == Phase::Live {
            return;
        }
        let unfinished = std::mem::take(&mut self.unfinished);
        let buffer = Chunk::new(std::mem::take(&mut self.buffer));
        let backlog = std::mem::take(&mut self.backlog);
        let mut at = self.written - unfinished.sent as u64;
        for mut chunk in std::iter::once(unfinished).chain(backlog).chain(std::iter::once(buffer)) {
            let start = at;
            at += chunk.data.len() as u64;
            chunk.keep_publishes(|offset| self.withdrawn.contains(&(start + offset as u64)));
            self.backlog.push(chunk);
        }
        self.withdrawn.clear();
        self.written = self.enqueued;
    }

    /// What waited goes out on a new link, behind `first`.
    pub fn send_kept(&mut self, first: Buffer) {
        self.backlog.append(&mut self.pending);
        self.enqueued += (self.backlog.len() + first.len()) as u64;
        if self.backlog.is_empty() {
            self.buffer = first;
        } else {
            self.backlog.push_first(Chunk::new(first));
        }
    }

    pub fn forget_bytes(&mut self) {
        self.buffer = Buffer::default();
        self.spare = Buffer::default();
        self.unfinished = Chunk::default();
        self.pending = Kept::default();
        self.backlog = Kept::default();
    }
}

#[cold]
fn payload_too_large(size: usize, max: i64) -> Error {
    Error::new(Status::MaxPayload, format!("Payload {size} greater than maximum allowed: {max}"))
}
