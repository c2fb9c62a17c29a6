//! What the outbound side keeps under its lock: buffers, counts, and who waits for which PONG.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::client::link::Link;
use crate::client::outbound::{Outgoing, Then};
use crate::client::waiter::Waiter;
use crate::error::{Error, Result, Status};
use crate::io::clock;
use crate::proto::buffer::Buffer;
use crate::proto::encoder;
use crate::session::pongs::{PingId, PongQueue};

/// A buffer that grew beyond this for one large message is given back.
const KEPT_CAPACITY: usize = 1 << 20;
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

/// Frames in the order they go out: `unfinished`, what a writer has taken out, `buffer`.
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
    /// The reconnect buffer, and what a lost connection left unsent: that goes first.
    pub pending: Buffer,
    pub unsent: Buffer,
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

/// Bytes on their way to the socket, of which some are sent.
#[derive(Default)]
pub struct Chunk {
    pub data: Buffer,
    pub sent: usize,
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
            pending: Buffer::default(),
            unsent: Buffer::default(),
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
        if self.phase == Phase::Down && self.pending.len() >= reconnect_capacity {
            return Err(Status::InsufficientBuffer.into());
        }
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

    pub fn expect_pong(&mut self, waiter: Arc<Waiter<()>>) {
        let id = self.pongs.sent_ping();
        self.note_ping(id, false);
        self.pings.push_back((id, waiter));
    }

    pub fn note_ping(&mut self, id: PingId, keep_alive: bool) {
        if self.timed.len() < MAX_TIMED {
            self.timed.push_back(TimedPing { id, at: clock::now(), keep_alive });
        }
    }

    pub fn append(&mut self, write: impl FnOnce(&mut Buffer)) {
        let before = self.buffer.len();
        write(&mut self.buffer);
        self.enqueued += (self.buffer.len() - before) as u64;
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
    #[must_use]
    pub fn look_after_rest(&mut self) -> Then {
        if self.phase != Phase::Live || self.is_attended() {
            return Then::Nothing;
        }
        let left = self.has_bytes();
        if std::mem::take(&mut self.flush_deferred) || (!left && self.is_event_driven()) {
            self.flush_requested = false;
        }
        if left { self.request_flush() } else { Then::Nothing }
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
        plain && !self.writing && self.unfinished.is_empty()
    }

    pub fn is_event_driven(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.event_loop().is_some())
    }

    pub fn is_current(&self, link: &Arc<Link>) -> bool {
        self.link.as_ref().is_some_and(|current| Arc::ptr_eq(current, link))
    }

    pub fn has_bytes(&self) -> bool {
        !self.unfinished.is_empty() || !self.buffer.is_empty() || self.link_has_bytes()
    }

    /// TLS has something of its own to send.
    pub fn link_has_bytes(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.has_unsent())
    }

    pub fn waiting_bytes(&self) -> usize {
        self.unfinished.data.len() - self.unfinished.sent + self.buffer.len() + self.in_flight
    }

    /// Begins writing: the caller is the writer until it puts the chunk back.
    pub fn take_chunk(&mut self) -> (Arc<Link>, Chunk) {
        self.writing = true;
        let chunk = if self.unfinished.is_empty() {
            let next = std::mem::take(&mut self.spare);
            self.waiting_pongs = 0;
            Chunk { data: std::mem::replace(&mut self.buffer, next), sent: 0 }
        } else {
            std::mem::take(&mut self.unfinished)
        };
        self.in_flight = chunk.data.len() - chunk.sent;
        let link = self.link.clone().expect("only a live connection is written to");
        (link, chunk)
    }

    /// Ends writing; `over` when the link takes nothing any more. [`Queue::look_after_rest`] comes next.
    pub fn put_back(&mut self, mut chunk: Chunk, link: &Arc<Link>, over: bool) {
        self.writing = false;
        self.over |= over && self.is_current(link);
        self.written += (self.in_flight - (chunk.data.len() - chunk.sent)) as u64;
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

    /// Takes a frame that failed out again, whoever has appended others since.
    pub fn take_back(&mut self, own: Option<Range<u64>>) {
        let Some(own) = own else { return };
        let buffer_start = self.enqueued - self.buffer.len() as u64;
        let unfinished_start = buffer_start - self.unfinished.data.len() as u64;
        if own.start >= buffer_start {
            let at = (own.start - buffer_start) as usize;
            self.buffer.remove(at..at + (own.end - own.start) as usize);
        } else if own.start >= unfinished_start && own.end <= buffer_start {
            let at = (own.start - unfinished_start) as usize;
            self.unfinished.data.remove(at..at + (own.end - own.start) as usize);
            self.unfinished.sent = self.unfinished.sent.min(at);
        }
    }

    /// Keeps the publishes that a lost connection did not take, for the next one.
    pub fn collect_unsent(&mut self) {
        if self.writing || self.phase == Phase::Live {
            return;
        }
        let unfinished = std::mem::take(&mut self.unfinished);
        encoder::publishes_not_sent(unfinished.data.as_slice(), unfinished.sent, &mut self.unsent);
        let buffer = std::mem::take(&mut self.buffer);
        encoder::publishes_not_sent(buffer.as_slice(), 0, &mut self.unsent);
        self.written = self.enqueued;
    }

    pub fn forget_bytes(&mut self) {
        self.buffer = Buffer::default();
        self.spare = Buffer::default();
        self.unfinished = Chunk::default();
        self.pending = Buffer::default();
        self.unsent = Buffer::default();
    }
}

impl Chunk {
    pub fn is_empty(&self) -> bool {
        self.sent >= self.data.len()
    }
}

#[cold]
fn payload_too_large(size: usize, max: i64) -> Error {
    Error::new(Status::MaxPayload, format!("Payload {size} greater than maximum allowed: {max}"))
}
