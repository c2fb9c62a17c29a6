//! The poller: one thread that serves the sockets of many connections. Nothing it calls may wait.

use std::collections::LinkedList;
use std::io;
use std::os::fd::RawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::proto::memory;
use crate::sync::Mutex;
use mio::unix::SourceFd;
use mio::{Events, Poll, Registry, Token, Waker};

use crate::detector;
use crate::error::{Error, Result, Status};
use crate::io::clock;
use crate::io::duty;
use crate::io::threads::Threads;
use crate::thread_end::Held;

/// Room for one read; shared by all connections of a poller, so an idle connection holds no buffer.
const READ_BUFFER: usize = 256 * 1024;
/// Events taken from the system at a time.
const EVENTS: usize = 256;

/// What the poller serves.
pub trait Driven: Send + Sync {
    /// The socket became readable (or broken): read until it would block or the turn is over. True asks for
    /// another turn. A read that does not fill the buffer tells that nothing is left, unless the stream may
    /// have ended behind it (`maybe_ended`): nobody announces that again.
    fn readable(self: Arc<Self>, buffer: &mut [u8], maybe_ended: bool) -> bool;
    /// The socket takes bytes again; only told when asked for with [`Poller::set_interest`].
    fn writable(self: Arc<Self>);
    /// A flush that was asked for is due; returns when to ask again if it is not time yet.
    fn flush_due(self: Arc<Self>, first_look: bool) -> Option<Duration>;
}

/// What to tell of a socket, besides its end.
#[derive(Clone, Copy, Debug)]
pub struct Interest {
    pub readable: bool,
    pub writable: bool,
}

/// Names a registered socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registration(usize);

pub struct Poller {
    registry: Registry,
    waker: Waker,
    asleep: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sources: Vec<Slot>,
    free: Vec<usize>,
    flushes: LinkedList<Arc<dyn Driven>>,
    closed: bool,
}

#[derive(Default)]
struct Slot {
    /// Counts the uses of this slot: an event for an earlier use is not for the present one.
    generation: u32,
    source: Option<Arc<dyn Driven>>,
}

const WAKE: Token = Token(usize::MAX);

impl Poller {
    pub fn start(threads: &Arc<Threads>) -> Result<Arc<Poller>> {
        let failed = |e: io::Error| Error::new(Status::SysError, format!("cannot create the poller: {e}"));
        let poll = Poll::new().map_err(failed)?;
        let registry = poll.registry().try_clone().map_err(failed)?;
        let waker = Waker::new(&registry, WAKE).map_err(failed)?;
        let poller =
            Arc::new(Poller { registry, waker, asleep: AtomicBool::new(false), state: Mutex::default() });
        let (runner, buffer) = (Arc::clone(&poller), memory::zeros(READ_BUFFER)?);
        threads.spawn("nats-poller", move || runner.run(poll, buffer))?;
        Ok(poller)
    }

    /// Serves a socket from now on.
    pub fn add(&self, fd: RawFd, source: Arc<dyn Driven>, interest: Interest) -> Result<Registration> {
        let registration = self.state.lock().occupy(source)?;
        match self.registry.register(&mut SourceFd(&fd), Token(registration.0), interest.events()) {
            Ok(()) => Ok(registration),
            Err(e) => {
                let source = self.state.lock().vacate(registration);
                drop(source); // after the lock: it may be the last reference
                Err(Error::new(Status::SysError, format!("cannot poll the socket: {e}")))
            }
        }
    }

    /// Says what to tell of. What is so already at this moment is told at once.
    pub fn set_interest(&self, registration: Registration, fd: RawFd, interest: Interest) {
        let _ = self.registry.reregister(&mut SourceFd(&fd), Token(registration.0), interest.events());
    }

    /// Serves the socket no longer. A call that runs at this moment is not waited for.
    pub fn remove(&self, registration: Registration, fd: RawFd) {
        let source = self.state.lock().vacate(registration);
        if source.is_some() {
            let _ = self.registry.deregister(&mut SourceFd(&fd));
        }
    }

    /// Asks for a call of [`Driven::flush_due`] soon.
    pub fn request_flush(&self, source: Arc<dyn Driven>) {
        self.state.lock().flushes.push_back(source);
        self.wake();
    }

    /// Ends the thread.
    pub fn close(&self) {
        self.state.lock().closed = true;
        self.wake();
    }

    fn wake(&self) {
        if self.asleep.swap(false, Ordering::SeqCst) {
            let _held = Held::new();
            let _ = self.waker.wake();
            detector::release(self);
        }
    }

    fn run(&self, mut poll: Poll, buffer: Vec<u8>) {
        duty::this_thread_serves_all();
        let _held = Held::new(); // once for all that it does: no code of the program runs here
        let mut events = Events::with_capacity(EVENTS);
        let mut work =
            Work { poller: self, buffer, unfinished: LinkedList::new(), flushes: LinkedList::new() };
        loop {
            self.asleep.store(true, Ordering::SeqCst);
            if !work.take_requests() {
                return;
            }
            let waited = poll.poll(&mut events, work.longest_sleep());
            self.asleep.store(false, Ordering::SeqCst);
            if waited.is_ok() {
                work.serve_all(&events); // otherwise interrupted: all else cannot be with a valid poller
            }
        }
    }
}

/// What the thread has to do. Lists, for any number of connections may be in them, and each takes memory for
/// itself only.
struct Work<'a> {
    poller: &'a Poller,
    buffer: Vec<u8>,
    /// Sources that asked for another turn.
    unfinished: LinkedList<Token>,
    /// Flushes that are not due yet.
    flushes: LinkedList<(Duration, Arc<dyn Driven>)>,
}

impl Work<'_> {
    /// Looks at the flushes that were asked for. False once the poller is closed.
    fn take_requests(&mut self) -> bool {
        let (new_flushes, closed) = {
            let mut state = self.poller.state.lock();
            (std::mem::take(&mut state.flushes), state.closed)
        };
        if closed {
            return false;
        }
        for source in new_flushes {
            if let Some(later) = guarded(|| Arc::clone(&source).flush_due(true)).flatten() {
                self.flushes.push_back((later, source));
            }
        }
        true
    }

    /// Runs the flushes that are due, unless there are turns to go on with first.
    fn longest_sleep(&mut self) -> Option<Duration> {
        if self.unfinished.is_empty() { next_flush(&mut self.flushes) } else { Some(Duration::ZERO) }
    }

    fn serve_all(&mut self, events: &Events) {
        for token in std::mem::take(&mut self.unfinished) {
            self.serve(token, Some(true), false);
        }
        for event in events.iter().filter(|e| e.token() != WAKE) {
            let ended = event.is_error() || event.is_read_closed() || event.is_write_closed();
            let readable = (event.is_readable() || ended).then_some(ended);
            self.serve(event.token(), readable, event.is_writable());
        }
    }

    /// `readable` holds whether the stream may have ended.
    fn serve(&mut self, token: Token, readable: Option<bool>, writable: bool) {
        let Some(source) = self.poller.state.lock().find(token) else { return };
        if writable {
            guarded(|| Arc::clone(&source).writable());
        }
        let Some(maybe_ended) = readable else { return };
        let more = guarded(|| Arc::clone(&source).readable(&mut self.buffer, maybe_ended)) == Some(true);
        if more && !self.unfinished.contains(&token) {
            self.unfinished.push_back(token);
        }
    }
}

impl Drop for Poller {
    /// Closes the descriptors, after all who woke the thread.
    fn drop(&mut self) {
        detector::acquire(self);
    }
}

impl Interest {
    fn events(self) -> mio::Interest {
        // Never nothing: the end of the connection is told in any case.
        let readable = if self.readable { mio::Interest::READABLE } else { mio::Interest::PRIORITY };
        if self.writable { readable | mio::Interest::WRITABLE } else { readable }
    }
}

/// Runs the flushes that are due; returns how long the poller may sleep.
fn next_flush(flushes: &mut LinkedList<(Duration, Arc<dyn Driven>)>) -> Option<Duration> {
    if flushes.is_empty() {
        return None;
    }
    let now = clock::now();
    for (due, source) in std::mem::take(flushes) {
        let later =
            if due > now { Some(due) } else { guarded(|| Arc::clone(&source).flush_due(false)).flatten() };
        if let Some(later) = later {
            flushes.push_back((later, source));
        }
    }
    flushes.iter().map(|(due, _)| due.saturating_sub(now)).min()
}

/// A panic in one connection's code must not take the others' poller down.
fn guarded<T>(call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call)).ok()
}

impl State {
    fn occupy(&mut self, source: Arc<dyn Driven>) -> Result<Registration> {
        self.sources.try_reserve(1)?;
        self.free.try_reserve(self.sources.len() + 1 - self.free.len())?; // so that all can be given back
        let index = self.free.pop().unwrap_or_else(|| {
            self.sources.push(Slot::default());
            self.sources.len() - 1
        });
        let slot = &mut self.sources[index];
        // One bit less than there is room for: the waker's token has the top bit set.
        slot.generation = slot.generation.wrapping_add(1) & (u32::MAX >> 1);
        slot.source = Some(source);
        Ok(Registration(token_of(index, slot.generation)))
    }

    fn vacate(&mut self, registration: Registration) -> Option<Arc<dyn Driven>> {
        let (index, generation) = parts_of(registration.0);
        let slot = self.sources.get_mut(index).filter(|slot| slot.generation == generation)?;
        let source = slot.source.take()?;
        self.free.push(index);
        Some(source)
    }

    fn find(&self, token: Token) -> Option<Arc<dyn Driven>> {
        let (index, generation) = parts_of(token.0);
        let slot = self.sources.get(index).filter(|slot| slot.generation == generation)?;
        slot.source.clone()
    }
}

fn token_of(index: usize, generation: u32) -> usize {
    index | (generation as usize) << 32
}

fn parts_of(token: usize) -> (usize, u32) {
    (token & 0xffff_ffff, (token >> 32) as u32)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;
    use crate::io::clock::Deadline;

    const SOON: Duration = Duration::from_secs(20);
    const READ: Interest = Interest { readable: true, writable: false };

    #[derive(Debug, PartialEq, Eq)]
    enum Told {
        Read(Vec<u8>, bool),
        Writable,
        Flush(bool),
    }

    /// Reads a byte at a time, so each but the last asks for another turn.
    struct Source {
        socket: UnixStream,
        told: Sender<Told>,
        flushes_later: bool,
    }

    impl Driven for Source {
        fn readable(self: Arc<Self>, buffer: &mut [u8], maybe_ended: bool) -> bool {
            let read = (&self.socket).read(&mut buffer[..1]).unwrap_or(0);
            let _ = self.told.send(Told::Read(buffer[..read].to_vec(), maybe_ended)); // a test may have ended
            if buffer[..read] == *b"!" {
                std::panic::resume_unwind(Box::new(())); // a fault in one connection's code
            }
            read > 0
        }

        fn writable(self: Arc<Self>) {
            self.told.send(Told::Writable).unwrap();
        }

        fn flush_due(self: Arc<Self>, first_look: bool) -> Option<Duration> {
            self.told.send(Told::Flush(first_look)).unwrap();
            (first_look && self.flushes_later).then(|| clock::now() + Duration::from_millis(5))
        }
    }

    struct Fixture {
        threads: Arc<Threads>,
        poller: Arc<Poller>,
    }

    impl Fixture {
        fn new() -> Fixture {
            let threads = Threads::new(None);
            let poller = Poller::start(&threads).unwrap();
            Fixture { threads, poller }
        }
    }

    impl Drop for Fixture {
        fn drop(&mut self) {
            self.poller.close();
            assert!(self.threads.wait_for_all(Deadline::in_ms(10_000)));
        }
    }

    fn source(flushes_later: bool) -> (Arc<Source>, UnixStream, Receiver<Told>) {
        let (socket, peer) = UnixStream::pair().unwrap();
        socket.set_nonblocking(true).unwrap();
        let (tell, told) = channel();
        (Arc::new(Source { socket, told: tell, flushes_later }), peer, told)
    }

    fn next(told: &Receiver<Told>) -> Told {
        told.recv_timeout(SOON).unwrap()
    }

    #[test]
    fn a_source_is_served_until_nothing_is_left_and_not_after_its_removal() {
        let f = Fixture::new();
        let (source, mut peer, told) = source(false);
        let fd = source.socket.as_raw_fd();
        let registration = f.poller.add(fd, source.clone(), READ).unwrap();
        peer.write_all(b"ab").unwrap();
        // What is left of a turn may have ended meanwhile, for all that is known.
        assert_eq!(next(&told), Told::Read(b"a".into(), false));
        assert_eq!(next(&told), Told::Read(b"b".into(), true));
        assert_eq!(next(&told), Told::Read(b"".into(), true));
        f.poller.set_interest(registration, fd, Interest { readable: true, writable: true });
        while next(&told) != Told::Writable {}
        f.poller.remove(registration, fd);
        f.poller.request_flush(source);
        while next(&told) != Told::Flush(true) {}
        drop(peer);
        assert!(told.recv_timeout(Duration::from_millis(20)).is_err(), "nobody holds it any more");
    }

    #[test]
    fn the_end_of_a_stream_is_told_with_what_came_before_it() {
        let f = Fixture::new();
        let (source, mut peer, told) = source(false);
        peer.write_all(b"x").unwrap();
        drop(peer);
        f.poller.add(source.socket.as_raw_fd(), source.clone(), READ).unwrap();
        assert_eq!(next(&told), Told::Read(b"x".into(), true));
        assert_eq!(next(&told), Told::Read(b"".into(), true));
    }

    #[test]
    fn a_flush_that_is_not_due_is_asked_for_again() {
        let f = Fixture::new();
        let (source, _peer, told) = source(true);
        f.poller.request_flush(source);
        assert_eq!((next(&told), next(&told)), (Told::Flush(true), Told::Flush(false)));
    }

    #[test]
    fn a_panic_of_one_source_stops_no_other() {
        let f = Fixture::new();
        let ((bad, mut bad_peer, bad_told), (good, mut good_peer, good_told)) =
            (source(false), source(false));
        f.poller.add(bad.socket.as_raw_fd(), bad.clone(), READ).unwrap();
        f.poller.add(good.socket.as_raw_fd(), good.clone(), READ).unwrap();
        bad_peer.write_all(b"!").unwrap();
        assert_eq!(next(&bad_told), Told::Read(b"!".into(), false));
        good_peer.write_all(b"g").unwrap();
        assert_eq!(next(&good_told), Told::Read(b"g".into(), false));
    }

    #[test]
    fn an_event_for_an_earlier_use_of_a_slot_is_for_nobody() {
        let (first, second) = (source(false).0, source(false).0);
        let mut state = State::default();
        let earlier = state.occupy(first).unwrap();
        assert!(state.find(Token(earlier.0)).is_some());
        assert!(state.vacate(earlier).is_some() && state.vacate(earlier).is_none());
        let later = state.occupy(second).unwrap();
        assert_eq!(parts_of(earlier.0).0, parts_of(later.0).0);
        assert!(state.find(Token(earlier.0)).is_none() && state.find(Token(later.0)).is_some());
        assert!(state.find(WAKE).is_none());
    }
}
