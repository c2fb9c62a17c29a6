//! One established connection to one server: the socket and who watches it. A reconnect makes a new one.

use std::io::{self, ErrorKind, IoSlice};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::sync::Mutex;

use crate::client::connection::event_loop::Attachment;
use crate::client::connection::loss::Reason;
use crate::client::connection::one_at_a_time::OneAtATime;
use crate::client::connection::vitals::Vitals;
use crate::error::{Error, Result, Status, fail};
use crate::io::clock::Deadline;
use crate::io::poller::{self, Driven, Poller};
use crate::io::socket::{Interest, Socket};
use crate::io::tls;
use crate::session::grace::Arrivals;

/// What a write that took too long says.
pub(super) const WRITE_DEADLINE: &str = "the server did not take the data before the write deadline";

/// What became of data that was to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrote {
    All,
    /// The socket takes no more at the moment.
    Part,
    /// The server has ended the connection. What is not written is not lost: it can go out on the next one.
    Gone,
}

pub(super) struct Link {
    /// Ends before the socket: whoever then closes it has seen what others did with it.
    watch: Mutex<Watch>,
    socket: Socket,
    /// There once the handshake is done: from then on no plain byte is read or written.
    tls: OnceLock<tls::Session>,
    event_loop: Option<Arc<Attachment>>,
    pub(super) read_events: OneAtATime,
    pub(super) write_events: OneAtATime,
    down: AtomicBool,
    /// The parser is ready for what arrives. Changes under the lock of the connection's `inbound`.
    received: AtomicBool,
    /// A caller reads the socket, not the poller. Changes under the lock of the connection's `inbound`.
    read_by_caller: AtomicBool,
    write_timed_out: AtomicBool,
    /// Of the bytes read from the socket, those that nothing is left to be done about.
    attended: AtomicU64,
    vitals: Arc<Vitals>,
    failure: OnceLock<Error>,
    /// What broke it, the first time something did.
    reason: OnceLock<Reason>,
}

/// How the poller watches the socket.
struct Watch {
    registration: Option<(Arc<Poller>, poller::Registration)>,
    interest: poller::Interest,
}

impl Link {
    pub(super) fn new(socket: Socket, event_loop: Option<Arc<Attachment>>, vitals: Arc<Vitals>) -> Arc<Link> {
        Arc::new(Link {
            socket,
            tls: OnceLock::new(),
            event_loop,
            read_events: OneAtATime::default(),
            write_events: OneAtATime::default(),
            watch: Mutex::new(Watch {
                registration: None,
                interest: poller::Interest { readable: true, writable: false },
            }),
            down: AtomicBool::new(false),
            received: AtomicBool::new(false),
            read_by_caller: AtomicBool::new(false),
            write_timed_out: AtomicBool::new(false),
            attended: AtomicU64::new(0),
            vitals,
            failure: OnceLock::new(),
            reason: OnceLock::new(),
        })
    }

    /// The program's event loop, when that one watches the socket.
    pub(super) fn event_loop(&self) -> Option<&Arc<Attachment>> {
        self.event_loop.as_ref()
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Everything from now on is encrypted.
    pub(super) fn secure(&self, session: tls::Session) {
        let _ = self.tls.set(session);
    }

    /// Appends data that has arrived and that no event of the socket will announce.
    pub(super) fn take_decrypted(&self, into: &mut Vec<u8>) -> Result<()> {
        self.tls.get().map_or(Ok(()), |tls| tls.take_decrypted(into))
    }

    /// Whether the last read left something behind that no event of the socket will announce.
    #[inline]
    pub(super) fn may_have_more(&self) -> bool {
        self.tls.get().is_some_and(tls::Session::may_have_more)
    }

    /// Whether reading made something to be sent that nobody has begun to write.
    #[inline]
    pub(super) fn wants_write(&self) -> bool {
        self.tls.get().is_some_and(tls::Session::wants_write)
    }

    /// Whether a write has something to send even without data.
    #[inline]
    pub(super) fn has_unsent(&self) -> bool {
        self.tls.get().is_some_and(tls::Session::has_unsent)
    }

    /// Runs `read`, which sees only what was read from the socket before.
    pub(super) fn with_held_data(&self, read: impl FnOnce()) {
        if let Some(tls) = self.tls.get() {
            tls.read_only_held(true);
            let _ends = OnlyHeld(tls);
            read();
        }
    }

    /// Lets the poller watch the socket.
    pub(super) fn watch(&self, poller: Arc<Poller>, source: Arc<dyn Driven>) -> Result<()> {
        let mut watch = self.watch.lock();
        let entry = poller.add(self.socket.fd(), source, watch.interest)?;
        if self.is_down() {
            poller.remove(entry, self.socket.fd()); // lost before it was watched
        } else {
            watch.registration = Some((poller, entry));
        }
        Ok(())
    }

    /// Whether the poller is to tell when the socket takes bytes again. Only while it has something to write
    /// itself: a publisher that writes waits on its own, and the poller would be woken for nothing.
    pub(super) fn watch_writable(&self, on: bool) {
        let mut watch = self.watch.lock();
        if std::mem::replace(&mut watch.interest.writable, on) != on {
            self.rewatch(&watch);
        }
    }

    /// Whether the poller is to tell when there is something to read. False when it does not watch the
    /// socket.
    pub(super) fn watch_readable(&self, on: bool) -> bool {
        let mut watch = self.watch.lock();
        watch.interest.readable = on;
        self.rewatch(&watch)
    }

    fn rewatch(&self, watch: &Watch) -> bool {
        if let Some((poller, entry)) = &watch.registration {
            poller.set_interest(*entry, self.socket.fd(), watch.interest);
        }
        watch.registration.is_some()
    }

    /// Whether the socket may be read: it is up, and the connection's parser is ready for what arrives.
    pub(super) fn is_received(&self) -> bool {
        self.received.load(Ordering::Relaxed) && !self.is_down()
    }

    pub(super) fn begin_receiving(&self) {
        self.received.store(true, Ordering::Relaxed);
    }

    /// Whether a caller has taken over reading.
    pub(super) fn is_read_by_caller(&self) -> bool {
        self.read_by_caller.load(Ordering::Relaxed)
    }

    pub(super) fn set_read_by_caller(&self, on: bool) {
        self.read_by_caller.store(on, Ordering::Relaxed);
    }

    /// What still arrives is not to be read any more. The rest is done by [`Link::take_down`], without any
    /// lock.
    pub(super) fn mark_down(&self) {
        self.down.store(true, Ordering::Release);
    }

    /// Ends the link: nobody watches the socket any more, and whoever waits on it wakes up. An event loop has
    /// to be told first, see [`crate::client::connection::event_loop`]; nobody waits on the socket that one
    /// polls.
    pub(super) fn take_down(&self) {
        self.mark_down();
        if self.event_loop.is_none() {
            self.socket.shutdown();
        }
        if let Some((poller, entry)) = self.watch.lock().registration.take() {
            poller.remove(entry, self.socket.fd());
        }
    }

    /// Ends a link whose socket no event loop has.
    pub(super) fn discard(&self) {
        self.take_down();
        self.socket.shutdown();
    }

    /// Ends only the conversation, after a write failed: the one who reads the socket sees its end.
    pub(super) fn break_off(&self, failure: &Error) {
        if failure.status() == Status::Timeout {
            self.note_reason(Reason::WriteDeadline);
            self.write_timed_out.store(true, Ordering::Release);
        } else {
            let _ = self.failure.set(failure.clone());
        }
        if !self.is_down() {
            self.socket.shutdown();
        }
    }

    /// Remembers what broke the link; later reasons are consequences of the first.
    pub(super) fn note_reason(&self, reason: Reason) {
        let _ = self.reason.set(reason);
    }

    pub(super) fn reason(&self) -> Option<Reason> {
        self.reason.get().copied()
    }

    /// What writing failed with.
    pub(super) fn failure(&self) -> Option<&Error> {
        self.failure.get()
    }

    /// Whether the write deadline ended this link.
    pub(super) fn write_timed_out(&self) -> bool {
        self.write_timed_out.load(Ordering::Acquire)
    }

    pub(super) fn is_down(&self) -> bool {
        self.down.load(Ordering::Acquire)
    }

    /// Reads what is there: `None` when that is nothing yet.
    #[inline]
    pub(super) fn read(&self, buf: &mut [u8]) -> Result<Option<usize>> {
        if let Some(tls) = self.tls.get() {
            let read = tls.read(&self.socket, buf).inspect_err(|e| self.note_reason(reason_of_error(e)))?;
            if read.is_some() {
                self.vitals.note_in();
            }
            return Ok(read);
        }
        match self.socket.read(buf) {
            Ok(0) => {
                self.note_reason(Reason::ServerClosed);
                Err(Status::ConnectionClosed.into())
            }
            Ok(n) => {
                self.vitals.note_in();
                Ok(Some(n))
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(e) => {
                self.note_reason(reason_of(&e));
                fail(Status::IoError, format!("error reading from the server: {e}"))
            }
        }
    }

    /// Takes note that all is done about the first so many bytes of the socket. The poller may be late with
    /// it, after a caller that has read on.
    #[inline]
    pub(super) fn note_attended(&self, bytes: u64) {
        if !self.may_have_more() {
            self.attended.fetch_max(bytes, Ordering::Relaxed);
        }
    }

    /// How far reading has come.
    pub(super) fn arrivals(&self) -> Arrivals {
        let arrived = self.socket.arrived();
        Arrivals { arrived, attended: self.attended.load(Ordering::Relaxed) }
    }

    /// Writes what the socket takes now, of `data` from `sent` on.
    pub(super) fn write_now(&self, data: &[u8], sent: &mut usize) -> Result<Wrote> {
        if self.socket.peer_has_closed() {
            return Ok(Wrote::Gone);
        }
        if let Some(tls) = self.tls.get() {
            return self.write_encrypted(tls, data, sent);
        }
        while *sent < data.len() {
            match self.socket.write(&data[*sent..]) {
                Ok(n) => {
                    *sent += n;
                    self.vitals.note_out();
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(Wrote::Part),
                Err(e) => {
                    self.note_reason(reason_of(&e));
                    return Err(write_error(&e));
                }
            }
        }
        Ok(Wrote::All)
    }

    fn write_encrypted(&self, tls: &tls::Session, data: &[u8], sent: &mut usize) -> Result<Wrote> {
        let before = *sent;
        let result = tls.write(&self.socket, data, sent);
        if *sent > before {
            self.vitals.note_out();
        }
        match result {
            Ok(true) => Ok(Wrote::All),
            Ok(false) => Ok(Wrote::Part),
            Err(e) => {
                self.note_reason(reason_of(&e));
                Err(write_error(&e))
            }
        }
    }

    /// Whether bytes go to the socket as they are, so that [`Link::write_pieces`] can be used.
    pub(super) fn is_plain(&self) -> bool {
        self.tls.get().is_none()
    }

    /// Writes what a plain socket takes now of several pieces in a row: how many bytes.
    pub(super) fn write_pieces(&self, pieces: &[&[u8]; 3]) -> Result<usize> {
        if self.socket.peer_has_closed() {
            return Ok(0);
        }
        match self.socket.write_pieces(&pieces.map(IoSlice::new)) {
            Ok(n) => {
                self.vitals.note_out();
                Ok(n)
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(0),
            Err(e) => {
                self.note_reason(reason_of(&e));
                Err(write_error(&e))
            }
        }
    }

    /// Waits until the socket takes bytes again. Ends with `NATS_TIMEOUT` at the deadline.
    pub(super) fn wait_writable(&self, deadline: Deadline) -> Result<()> {
        match self.socket.wait(Interest::Write, deadline)? {
            true => Ok(()),
            false => fail(Status::Timeout, WRITE_DEADLINE),
        }
    }
}

/// While this lives reads see only what was read from the socket before.
struct OnlyHeld<'a>(&'a tls::Session);

impl Drop for OnlyHeld<'_> {
    fn drop(&mut self) {
        self.0.read_only_held(false);
    }
}

fn reason_of(e: &io::Error) -> Reason {
    if e.kind() == ErrorKind::TimedOut { Reason::TcpTimeout } else { Reason::IoError }
}

fn reason_of_error(error: &Error) -> Reason {
    if error.status() == Status::ConnectionClosed { Reason::ServerClosed } else { Reason::IoError }
}

fn write_error(e: &io::Error) -> Error {
    if e.kind() == ErrorKind::OutOfMemory {
        return Status::NoMemory.into();
    }
    Error::new(Status::IoError, format!("error writing to the server: {e}"))
}

#[cfg(test)]
mod tests {
    use std::os::fd::IntoRawFd;
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::io::socket::TcpOptions;

    #[test]
    fn what_was_attended_to_stays_so() {
        let (ours, _peer) = UnixStream::pair().unwrap();
        let socket = Socket::from_fd(ours.into_raw_fd(), &TcpOptions::default()).unwrap();
        let link = Link::new(socket, None, Arc::default());
        link.note_attended(10);
        link.note_attended(5); // by who was held up in between
        assert_eq!(link.arrivals().attended, 10);
    }
}
