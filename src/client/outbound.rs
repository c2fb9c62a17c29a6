//! Everything on its way to the server: the write buffer, the reconnect buffer, and the PINGs that wait for a PONG.
//!
//! Publishers write into `buffer` under a short lock. Whoever fills it takes it out and writes it to the socket
//! itself, without the lock, while others fill the next one; a buffer with room left is written by the poller.
//! There is one writer at a time (`writing`), so the bytes keep their order.

mod queue;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::sync::{Condvar, Mutex, MutexGuard};

use self::queue::{Chunk, Phase, Queue};
use crate::client::link::{Link, WRITE_DEADLINE, Wrote};
use crate::client::vitals::Vitals;
use crate::client::waiter::Waiter;
use crate::error::{Error, Result, Status};
use crate::io::clock::{self, Deadline, wait_until};
use crate::proto::buffer::Buffer;
use crate::proto::encoder;
use crate::thread_end::Held;

/// Payloads from this size on wait for larger writes, by this factor.
const LARGE_PAYLOAD: usize = 1024;
const LARGE_WRITES: usize = 2;
/// So often a publisher that finds the lock taken gives its processor away before it sleeps: waking it would take
/// longer than the lock is held, and spinning keeps the holder from running where there are few processors.
const YIELDS: u32 = 64;
/// A payload of this size is written from where the program has it, instead of being copied into the buffer.
const DIRECT_PAYLOAD: usize = 32 * 1024;
/// A connection that wrote nothing for this long is quiet: the next message goes out at once.
const QUIET: Duration = Duration::from_millis(1);
/// The end of a connection is noticed long before this has passed.
const LOSS_NOTICED_MS: i64 = 1000;
/// When the poller finds a publisher writing, it comes back after this.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// A message to publish.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    pub subject: &'a [u8],
    pub reply: Option<&'a [u8]>,
    pub headers: Option<&'a [u8]>,
    pub payload: &'a [u8],
}

impl Outgoing<'_> {
    /// Of headers and payload.
    #[inline(always)]
    fn size(&self) -> usize {
        self.headers.map_or(0, <[u8]>::len) + self.payload.len()
    }
}

/// When the bytes go to the socket.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Flush {
    /// With the next write of the poller, soon.
    Soon,
    /// Before the call returns.
    Now,
}

/// What the caller has to do after it let go of the lock.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Then {
    Nothing,
    /// Ask the poller for a flush (or the event loop for a write event).
    RequestFlush,
}

pub struct Settings {
    pub capacity: usize,
    pub reconnect_capacity: usize,
    pub send_asap: bool,
    pub flusher_wait: Duration,
    pub write_deadline_ms: i64,
}

pub struct Outbound {
    settings: Settings,
    vitals: Arc<Vitals>,
    queue: Mutex<Queue>,
    /// Signalled when the buffer has room, when a writer is done and when the phase changes.
    changed: Condvar,
    /// When the socket stopped taking bytes (ms on the liveness clock, plus 1), 0 while it takes them.
    stuck_since: AtomicU64,
}

/// What an arriving PONG answers.
#[derive(Default)]
pub struct Answer {
    /// Who waits for it.
    pub waiter: Option<Arc<Waiter<()>>>,
    pub round_trip: Option<Duration>,
    pub keep_alive: bool,
}

type Guard<'a> = MutexGuard<'a, Queue>;

impl Outbound {
    pub fn new(settings: Settings, vitals: Arc<Vitals>) -> Outbound {
        Outbound {
            settings,
            vitals,
            queue: Mutex::new(Queue::new()),
            changed: Condvar::new(),
            stuck_since: AtomicU64::new(0),
        }
    }

    // ---- publishing ----

    /// Publishes; on `NATS_OK` the message is in a buffer or on the socket.
    #[inline(always)]
    pub fn publish(&self, out: Outgoing<'_>, flush: Flush) -> Result<Then> {
        let queue = self.lock_to_publish();
        let plain = (out.headers.is_none() || queue.headers) && out.size() as i64 <= queue.plain_limit;
        if plain && queue.buffer.len() < self.settings.capacity_for(&out) {
            self.put(queue, out, flush)
        } else {
            self.publish_checked(queue, out, flush)
        }
    }

    #[inline]
    fn lock_to_publish(&self) -> Guard<'_> {
        self.queue.try_lock().unwrap_or_else(|| self.lock_contended())
    }

    #[cold]
    fn lock_contended(&self) -> Guard<'_> {
        for _ in 0..YIELDS {
            thread::yield_now();
            if !self.queue.is_locked()
                && let Some(queue) = self.queue.try_lock()
            {
                return queue;
            }
        }
        self.queue.lock()
    }

    /// The ordinary way of a publish, with all checks.
    #[cold]
    fn publish_checked<'a>(&'a self, mut queue: Guard<'a>, out: Outgoing<'_>, flush: Flush) -> Result<Then> {
        queue.admit(&out, self.settings.reconnect_capacity)?;
        let capacity = self.settings.capacity_for(&out);
        if queue.phase == Phase::Live && queue.buffer.len() >= capacity {
            queue = self.wait_for_room(queue, capacity)?;
        }
        if queue.phase == Phase::Live {
            return self.put(queue, out, flush);
        }
        // Down now, maybe only since the wait above: the message goes out after the reconnect.
        queue.count(&out);
        encoder::publish(&mut queue.pending, out.subject, out.reply, out.headers, out.payload);
        Ok(Then::Nothing)
    }

    #[inline(always)]
    fn put<'a>(&'a self, mut queue: Guard<'a>, out: Outgoing<'_>, flush: Flush) -> Result<Then> {
        if out.payload.len() >= DIRECT_PAYLOAD && queue.can_write_directly() {
            return self.put_directly(queue, out);
        }
        queue.count(&out);
        let before = queue.buffer.len();
        encoder::publish(&mut queue.buffer, out.subject, out.reply, out.headers, out.payload);
        let after = queue.buffer.len();
        queue.enqueued += (after - before) as u64;
        if flush == Flush::Now || self.settings.send_asap || after >= self.settings.capacity_for(&out) {
            return self.flush_after_publish(queue, flush, before);
        }
        queue.since_request = queue.since_request.wrapping_add(1);
        if queue.flush_requested {
            return Ok(Then::Nothing);
        }
        self.first_publish(queue)
    }

    /// Writes what waits and this message behind it, whose payload is only copied when the socket does not take it.
    #[cold]
    fn put_directly<'a>(&'a self, mut queue: Guard<'a>, out: Outgoing<'_>) -> Result<Then> {
        queue.count(&out);
        let start = queue.enqueued;
        queue.append(|b| {
            encoder::publish_without_payload(b, out.subject, out.reply, out.headers, out.payload.len());
        });
        let (link, mut chunk) = queue.take_chunk();
        queue.announce(out.payload.len() + encoder::CRLF.len());
        let goal = queue.enqueued;
        drop(queue);
        let result = link.write_pieces(&[chunk.data.as_slice(), out.payload, encoder::CRLF]);
        let sent = *result.as_ref().unwrap_or(&0);
        if sent < chunk.data.len() + out.payload.len() + encoder::CRLF.len() {
            chunk.data.extend_from_slice(out.payload);
            chunk.data.extend_from_slice(encoder::CRLF);
        }
        chunk.sent = sent.min(chunk.data.len());
        let queue = self.written(chunk, &link);
        let own = Some(start..goal);
        match result {
            Err(e) => self.write_failed(queue, &link, own, e)?,
            Ok(_) => self.write_until(queue, goal, own)?,
        }
        Ok(Then::Nothing)
    }

    /// The first message of several, maybe the only one. When nothing was written for a while it goes out at once, as
    /// far as the socket takes it; otherwise it waits for the poller, together with those that follow.
    #[cold]
    fn first_publish<'a>(&'a self, mut queue: Guard<'a>) -> Result<Then> {
        let quiet = clock::now().saturating_sub(queue.last_write) > QUIET;
        if !quiet || queue.writing || queue.is_event_driven() {
            return Ok(queue.request_flush());
        }
        Ok(if self.write_what_fits(queue) { self.queue.lock().request_flush() } else { Then::Nothing })
    }

    /// Called with the buffer full or the program wanting it out: the publisher writes it itself.
    fn flush_after_publish<'a>(&'a self, mut queue: Guard<'a>, flush: Flush, before: usize) -> Result<Then> {
        if queue.is_event_driven() {
            return Ok(queue.request_flush());
        }
        let all = flush == Flush::Now || self.settings.send_asap;
        if queue.writing && !all {
            return Ok(Then::Nothing); // whoever writes now, or finds the buffer full next, takes care of it
        }
        let goal = queue.enqueued;
        let own = goal - (queue.buffer.len() - before) as u64..goal;
        self.write_until(queue, goal, Some(own))?;
        Ok(Then::Nothing)
    }

    /// Appends a frame that is not a publish. Nothing is written while there is no connection.
    pub fn push(&self, flush: Flush, write: impl FnOnce(&mut Buffer)) -> Result<Then> {
        let mut queue = self.queue.lock();
        if queue.phase != Phase::Live {
            return Ok(Then::Nothing);
        }
        queue.append(write);
        if (flush == Flush::Now || self.settings.send_asap) && !queue.is_event_driven() {
            let goal = queue.enqueued;
            self.write_until(queue, goal, None)?;
            return Ok(Then::Nothing);
        }
        Ok(queue.request_flush())
    }

    /// Appends a frame without ever waiting: for the poller and the timer.
    pub fn push_only(&self, write: impl FnOnce(&mut Buffer)) -> Then {
        let mut queue = self.queue.lock();
        if queue.phase != Phase::Live {
            return Then::Nothing;
        }
        queue.append(write);
        queue.request_flush()
    }

    /// Appends a frame that goes out with the next one.
    pub fn push_quietly(&self, write: impl FnOnce(&mut Buffer)) {
        let mut queue = self.queue.lock();
        if queue.phase == Phase::Live {
            queue.append(write);
        }
    }

    // ---- PING and PONG ----

    /// Appends a keep-alive PING; its PONG is waited for by nobody. Never waits.
    pub fn keep_alive(&self) -> Then {
        let mut queue = self.queue.lock();
        if queue.phase != Phase::Live {
            return Then::Nothing;
        }
        let id = queue.pongs.sent_ping();
        queue.note_ping(id, true);
        self.vitals.note_ping();
        queue.append(|b| b.extend_from_slice(encoder::PING));
        queue.request_flush()
    }

    /// Appends a PING whose PONG completes `waiter`. While there is no connection it goes out after the reconnect.
    pub fn ping(&self, waiter: Arc<Waiter<()>>) -> Result<Then> {
        let mut queue = self.queue.lock();
        if queue.phase != Phase::Closed {
            self.vitals.note_ping();
        }
        match queue.phase {
            Phase::Closed => Err(Status::ConnectionClosed.into()),
            Phase::Down => {
                queue.expect_pong(waiter);
                queue.pending.extend_from_slice(encoder::PING);
                Ok(Then::Nothing)
            }
            Phase::Live => {
                queue.expect_pong(waiter);
                queue.append(|b| b.extend_from_slice(encoder::PING));
                drop(queue);
                Ok(self.flush_try())
            }
        }
    }

    /// Forgets a waiter that gave up; its PONG is still counted.
    pub fn forget(&self, waiter: &Arc<Waiter<()>>) {
        self.queue.lock().pings.retain(|(_, w)| !Arc::ptr_eq(w, waiter));
    }

    /// A PONG arrived: what it answers.
    pub fn pong(&self) -> Answer {
        let mut queue = self.queue.lock();
        let Some(id) = queue.pongs.received() else { return Answer::default() };
        let waiter = queue.pings.iter().position(|(ping, _)| *ping == id);
        let waiter = waiter.and_then(|index| queue.pings.remove(index)).map(|(_, waiter)| waiter);
        let timed =
            queue.timed.front().is_some_and(|ping| ping.id == id).then(|| queue.timed.pop_front()).flatten();
        let round_trip = timed.as_ref().map(|ping| clock::now().saturating_sub(ping.at));
        Answer { waiter, round_trip, keep_alive: timed.is_some_and(|ping| ping.keep_alive) }
    }

    // ---- writing ----

    /// Something of TLS is to be sent, soon.
    pub fn flush_soon(&self) -> Then {
        let mut queue = self.queue.lock();
        if queue.phase == Phase::Live { queue.request_flush() } else { Then::Nothing }
    }

    /// Writes what the socket takes right now, on the calling thread; the poller does the rest.
    pub fn flush_try(&self) -> Then {
        let mut queue = self.queue.lock();
        if queue.phase != Phase::Live {
            return Then::Nothing;
        }
        if queue.is_event_driven() {
            return queue.request_flush();
        }
        if self.write_what_fits(queue) { self.queue.lock().request_flush() } else { Then::Nothing }
    }

    /// The poller looks at a flush that was asked for. `first_look` is true when nothing was waited for yet.
    /// Returns when to look again if more publishes came and the last write is too recent.
    pub fn flush_due(&self, first_look: bool) -> Option<Duration> {
        let mut queue = self.queue.lock();
        let now = clock::now();
        if queue.writing {
            return Some(now + LOOK_AGAIN); // that writer may stop before it has written everything
        }
        let wait = self.settings.flusher_wait;
        if first_look && queue.since_request > 1 && !wait.is_zero() {
            let due = queue.last_flush + wait;
            if due > now {
                return Some(due);
            }
        }
        queue.last_flush = now;
        self.write_what_fits(queue);
        None
    }

    /// The socket takes bytes again. For the poller and for event loops; returns false when nothing is left.
    pub fn writable(&self) -> bool {
        let queue = self.queue.lock();
        let nothing_unfinished =
            queue.unfinished.is_empty() && !queue.is_event_driven() && !queue.link_has_bytes();
        if queue.writing || nothing_unfinished {
            let (link, left) = (queue.link.clone(), queue.has_bytes());
            drop(queue);
            if let Some(link) = link {
                link.watch_writable(false);
            }
            return left;
        }
        self.write_what_fits(queue)
    }

    /// Writes without waiting; what does not fit is written when the socket takes bytes again.
    fn write_what_fits<'a>(&'a self, mut queue: Guard<'a>) -> bool {
        if queue.writing {
            return true;
        }
        queue.flush_requested = false;
        queue.since_request = 0;
        // No more than what is there now: a publisher that fills the buffer meanwhile is better at writing it.
        let goal = queue.enqueued;
        let mut stuck = None;
        while queue.phase == Phase::Live && (queue.written < goal || queue.link_has_bytes()) {
            let (link, mut chunk) = queue.take_chunk();
            drop(queue);
            let result = link.write_now(chunk.data.as_slice(), &mut chunk.sent);
            queue = self.queue.lock();
            self.note_progress(matches!(result, Ok(Wrote::All | Wrote::Gone)));
            queue.put_back(chunk, &link);
            self.changed.notify_all();
            match result {
                Ok(Wrote::All) => continue,
                Ok(Wrote::Part) => stuck = Some(link),
                Ok(Wrote::Gone) => {} // the reader sees the end and starts the reconnect
                Err(e) => link.break_off(&e), // the same
            }
            break;
        }
        queue.last_write = clock::now();
        if queue.is_event_driven() {
            queue.flush_requested = queue.has_bytes(); // the loop goes on telling as long as something is left
        }
        let left = queue.has_bytes();
        drop(queue);
        if let Some(link) = stuck {
            link.watch_writable(true);
        }
        left
    }

    /// Writes until the byte with number `goal` is on the socket. Waits while another thread writes. When that
    /// fails, the frame `own` is the caller's to know about: it is not kept for the reconnect.
    fn write_until<'a>(&'a self, queue: Guard<'a>, goal: u64, own: Option<Range<u64>>) -> Result<()> {
        self.reach(queue, goal, own)?;
        Ok(Held::new().check()?) // of all publishes only those that write are cancellation points
    }

    fn reach<'a>(&'a self, mut queue: Guard<'a>, goal: u64, own: Option<Range<u64>>) -> Result<()> {
        let deadline = self.write_deadline();
        while queue.phase == Phase::Live && queue.written < goal {
            if queue.writing {
                queue = self.wait_for_change(queue, own.clone(), deadline)?;
                continue;
            }
            let (link, mut chunk) = queue.take_chunk();
            drop(queue);
            let result = self.write_chunk(&link, &mut chunk, deadline);
            queue = self.written(chunk, &link);
            match result {
                Ok(Wrote::Gone) => return self.wait_for_loss(queue, &link),
                Ok(_) => {}
                Err(e) => return self.write_failed(queue, &link, own, e),
            }
        }
        queue.open()
    }

    /// Ends a publisher's write.
    fn written(&self, chunk: Chunk, link: &Arc<Link>) -> Guard<'_> {
        let mut queue = self.queue.lock();
        queue.put_back(chunk, link);
        queue.last_write = clock::now();
        queue.last_flush = queue.last_write;
        self.changed.notify_all();
        queue
    }

    /// A publisher's write failed: its own frame is its own to know about, unless the link was lost meanwhile; then what
    /// was not sent goes out after the reconnect.
    fn write_failed(
        &self,
        mut queue: Guard<'_>,
        link: &Arc<Link>,
        own: Option<Range<u64>>,
        error: Error,
    ) -> Result<()> {
        if !queue.is_current(link) {
            return queue.open();
        }
        queue.take_back(own);
        link.break_off(&error);
        Err(error)
    }

    /// The server has ended the connection, and the thread that reads is about to notice. What was to be written goes out
    /// after the reconnect.
    fn wait_for_loss(&self, mut queue: Guard<'_>, link: &Arc<Link>) -> Result<()> {
        let deadline = Deadline::in_ms(LOSS_NOTICED_MS);
        wait_until(&self.changed, &mut queue, deadline, |queue| (!queue.is_current(link)).then_some(()));
        queue.open()
    }

    /// Writes until all is written or the server has gone.
    fn write_chunk(&self, link: &Link, chunk: &mut Chunk, deadline: Deadline) -> Result<Wrote> {
        loop {
            let before = chunk.sent;
            let wrote = link.write_now(chunk.data.as_slice(), &mut chunk.sent)?;
            self.note_progress(wrote != Wrote::Part || chunk.sent > before);
            if wrote != Wrote::Part {
                return Ok(wrote);
            }
            self.note_progress(false);
            link.wait_writable(deadline)?;
        }
    }

    /// Waits until the buffer takes another frame, or there is no connection to write to.
    fn wait_for_room<'a>(&'a self, mut queue: Guard<'a>, capacity: usize) -> Result<Guard<'a>> {
        let deadline = self.write_deadline();
        while queue.phase == Phase::Live && queue.buffer.len() >= capacity && !queue.is_event_driven() {
            if queue.writing {
                queue = self.wait_for_change(queue, None, deadline)?;
            } else {
                let goal = queue.enqueued;
                self.write_until(queue, goal, None)?;
                queue = self.queue.lock();
            }
        }
        queue.open()?;
        Ok(queue)
    }

    fn wait_for_change<'a>(
        &'a self,
        mut queue: Guard<'a>,
        own: Option<Range<u64>>,
        deadline: Deadline,
    ) -> Result<Guard<'a>> {
        match deadline.remaining() {
            None => self.changed.wait(&mut queue),
            Some(Duration::ZERO) => {
                let error = Error::new(Status::Timeout, WRITE_DEADLINE);
                queue.take_back(own);
                if let Some(link) = &queue.link {
                    link.break_off(&error);
                }
                return Err(error);
            }
            Some(left) => drop(self.changed.wait_for(&mut queue, left)),
        }
        Ok(queue)
    }

    fn write_deadline(&self) -> Deadline {
        match self.settings.write_deadline_ms {
            ms if ms > 0 => Deadline::in_ms(ms),
            _ => Deadline::NEVER,
        }
    }

    fn note_progress(&self, progress: bool) {
        if progress {
            let stall = self.stuck_for();
            if !stall.is_zero() {
                self.vitals.note_stall(stall);
            }
            self.stuck_since.store(0, Ordering::Relaxed);
        } else if self.stuck_since.load(Ordering::Relaxed) == 0 {
            self.stuck_since.store(clock::now().as_millis() as u64 + 1, Ordering::Relaxed);
        }
    }

    /// For how long the socket has not taken a byte, zero while it does.
    fn stuck_for(&self) -> Duration {
        match self.stuck_since.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            since => clock::now().saturating_sub(Duration::from_millis(since - 1)),
        }
    }

    /// For how long a publisher has been waiting for the socket to take a byte, zero when none is.
    pub fn publisher_blocked_for(&self) -> Duration {
        // The poller never stays the writer of a socket that takes nothing: this one is a thread of the program.
        if self.queue.lock().writing { self.stuck_for() } else { Duration::ZERO }
    }

    // ---- life of the connection ----

    /// A connection is there. `first` is what it has to be told before anything else (subscriptions); then goes
    /// what waited for it. When the connection was there before (`again`), a PING of our own ends that part.
    pub fn go_live(&self, link: &Arc<Link>, first: Buffer, again: bool) {
        let mut queue = self.queue.lock();
        if queue.phase == Phase::Closed {
            return;
        }
        debug_assert!(!queue.writing);
        queue.collect_unsent();
        queue.phase = Phase::Live;
        queue.refresh_plain_limit();
        queue.link = Some(Arc::clone(link));
        queue.flush_requested = false;
        self.stuck_since.store(0, Ordering::Relaxed);
        let (unsent, pending) = (std::mem::take(&mut queue.unsent), std::mem::take(&mut queue.pending));
        queue.append(|b| {
            b.extend_from_slice(first.as_slice());
            b.extend_from_slice(unsent.as_slice());
            b.extend_from_slice(pending.as_slice());
        });
        if again {
            queue.pongs.sent_ping();
            queue.append(|b| b.extend_from_slice(encoder::PING));
        }
        drop(queue);
        self.changed.notify_all();
    }

    /// The connection is gone: publishes go to the reconnect buffer, who waits for the socket is woken. Returns
    /// those who wait for a PONG.
    pub fn go_down(&self) -> Vec<Arc<Waiter<()>>> {
        self.leave(Phase::Down)
    }

    /// Nothing is taken any more.
    pub fn close(&self) -> Vec<Arc<Waiter<()>>> {
        self.leave(Phase::Closed)
    }

    fn leave(&self, phase: Phase) -> Vec<Arc<Waiter<()>>> {
        let mut queue = self.queue.lock();
        if queue.phase == Phase::Closed {
            return Vec::new();
        }
        queue.phase = phase;
        queue.refresh_plain_limit();
        queue.link = None;
        let waiters = queue.pings.drain(..).map(|(_, waiter)| waiter).collect();
        queue.pongs.reset();
        queue.timed.clear();
        if phase == Phase::Closed {
            queue.forget_bytes();
        }
        drop(queue);
        self.changed.notify_all();
        waiters
    }

    /// Waits until no thread writes to a lost connection any more; its socket was shut down, so that is soon.
    pub fn settle(&self) {
        let mut queue = self.queue.lock();
        while queue.writing {
            self.changed.wait(&mut queue);
        }
        queue.collect_unsent();
    }

    /// What the server's latest INFO allows.
    pub fn set_limits(&self, max_payload: i64, headers: bool) {
        let mut queue = self.queue.lock();
        queue.checked = true;
        queue.max_payload = max_payload;
        queue.headers = headers;
        queue.refresh_plain_limit();
    }

    /// Refuses publishes from now on (second phase of a drain).
    pub fn refuse_publishes(&self) {
        let mut queue = self.queue.lock();
        queue.draining = true;
        queue.refresh_plain_limit();
    }

    /// Whether anything waits to be written.
    pub fn has_bytes(&self) -> bool {
        self.queue.lock().has_bytes()
    }

    /// Bytes that wait to be written.
    pub fn buffered(&self) -> usize {
        let queue = self.queue.lock();
        if queue.phase == Phase::Live { queue.waiting_bytes() } else { 0 }
    }

    /// Bytes that wait to be written; `None` when somebody has the buffer right now.
    pub fn try_buffered(&self) -> Option<usize> {
        let queue = self.queue.try_lock()?;
        Some(if queue.phase == Phase::Live { queue.waiting_bytes() } else { 0 })
    }

    /// Messages and bytes published.
    pub fn published(&self) -> (u64, u64) {
        let queue = self.queue.lock();
        (queue.out_msgs, queue.out_bytes)
    }
}

impl Settings {
    /// How full the buffer may be before a message like this one has it written. Larger messages gain most from
    /// larger writes.
    #[inline]
    fn capacity_for(&self, out: &Outgoing<'_>) -> usize {
        if out.payload.len() < LARGE_PAYLOAD { self.capacity } else { self.capacity * LARGE_WRITES }
    }
}
