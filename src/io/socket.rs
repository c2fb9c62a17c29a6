//! A connected TCP socket: non-blocking, never a SIGPIPE, never a loss to an interrupted call.

use std::io::{self, ErrorKind};
use std::mem::ManuallyDrop;
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsRawFd, FromRawFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use socket2::{Domain, Protocol, TcpKeepalive, Type};

use crate::detector;
use crate::error::{Error, Result, Status, fail};
use crate::io::clock::{self, Deadline};
use crate::thread_end::{self, Ending, Held};

pub(crate) struct Socket {
    socket: ManuallyDrop<socket2::Socket>,
    /// Cleared when somebody else closes the descriptor (an external event loop).
    owned: AtomicBool,
    /// Bytes read. One thread at a time does that.
    taken: AtomicU64,
}

/// What the system's TCP does about a silent peer. The default leaves it as the system has it.
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpOptions {
    pub keep_alive: Option<KeepAlive>,
    /// Unacknowledged data fails the socket after that many milliseconds; 0 or less: the system's time.
    pub user_timeout_ms: i64,
}

/// Probes of an idle connection; 0 stands for the system's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAlive {
    pub idle_s: u32,
    pub interval_s: u32,
    pub count: u32,
}

/// What the system knows about a TCP connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TcpState {
    /// Segments sent again since the connect.
    pub retransmits: u32,
    /// Segments sent and not acknowledged.
    pub unacked: u32,
}

/// What to wait for on a socket.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interest {
    Read,
    Write,
}

impl Socket {
    /// Connects within the deadline. A connect that is refused at once gives `NoServer`, one that fails or is
    /// refused while it is waited for `Timeout`: the difference shows in the status of a connect to several
    /// servers.
    pub(crate) fn connect(address: SocketAddr, deadline: Deadline, tcp: &TcpOptions) -> Result<Socket> {
        let unusable = |e: io::Error| Error::new(Status::NoServer, format!("{address}: {e}"));
        let socket = socket2::Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))
            .map_err(unusable)?;
        socket.set_nonblocking(true).map_err(unusable)?;
        let in_progress = match socket.connect(&address.into()) {
            Ok(()) => false,
            Err(e) if e.raw_os_error() == Some(libc::EINPROGRESS) => true,
            Err(e) => return Err(unusable(e)),
        };
        let socket = Socket::prepared(socket, tcp)?;
        if in_progress {
            if !socket.wait_or_end(Interest::Write, deadline)? {
                return fail(Status::Timeout, format!("{address}: connect timed out"));
            }
            if let Some(e) = socket.take_error() {
                return fail(Status::Timeout, format!("{address}: {e}"));
            }
        }
        Ok(socket)
    }

    /// Takes over a descriptor that is connected already (made by a proxy handler).
    pub(crate) fn from_fd(fd: RawFd, tcp: &TcpOptions) -> Result<Socket> {
        if fd < 0 {
            return fail(Status::NoServer, "the proxy handler gave no socket");
        }
        // SAFETY: the handler hands the open descriptor over to the library.
        let socket = unsafe { socket2::Socket::from_raw_fd(fd) };
        socket.set_nonblocking(true).map_err(|e| Error::new(Status::SysError, e.to_string()))?;
        Socket::prepared(socket, tcp)
    }

    fn prepared(socket: socket2::Socket, tcp: &TcpOptions) -> Result<Socket> {
        // The options are no condition for working: a proxy's socket may not even be TCP.
        let _ = socket.set_tcp_nodelay(true);
        let _ = socket.set_reuse_address(true);
        let _ = socket.set_linger(Some(Duration::ZERO));
        let socket = Socket {
            socket: ManuallyDrop::new(socket),
            owned: AtomicBool::new(true),
            taken: AtomicU64::new(0),
        };
        if let Some(keep_alive) = tcp.keep_alive {
            socket.set_keep_alive(keep_alive);
        }
        socket.set_user_timeout(tcp.user_timeout_ms);
        Ok(socket)
    }

    /// Reads what is there; 0 is the end of the stream.
    #[inline]
    pub(crate) fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        let _held = Held::new();
        loop {
            // SAFETY: the pointer and length are those of a writable slice; the descriptor is open.
            let n = unsafe { libc::recv(self.fd(), buf.as_mut_ptr().cast(), buf.len(), 0) };
            let result = if n >= 0 { Ok(n as usize) } else { Err(io::Error::last_os_error()) };
            detector::release(self);
            match result {
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                result => {
                    detector::received();
                    self.taken.store(self.taken() + *result.as_ref().unwrap_or(&0) as u64, Ordering::Relaxed);
                    return result;
                }
            }
        }
    }

    /// Bytes read so far.
    #[inline]
    pub(crate) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Bytes that have arrived so far. May count some twice that are read at this moment.
    pub(crate) fn arrived(&self) -> u64 {
        let mut unread: libc::c_int = 0;
        // SAFETY: the request writes one int.
        let result = unsafe { libc::ioctl(self.fd(), libc::FIONREAD, &mut unread) };
        self.taken() + if result == 0 { unread.max(0) as u64 } else { 0 }
    }

    /// Writes what the socket takes at once.
    #[inline]
    pub(crate) fn write(&self, buf: &[u8]) -> io::Result<usize> {
        let _held = Held::new();
        detector::sending();
        loop {
            match self.socket.send_with_flags(buf, libc::MSG_NOSIGNAL) {
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                result => {
                    detector::release(self);
                    return result;
                }
            }
        }
    }

    /// Writes what the socket takes at once of several pieces.
    pub(crate) fn write_pieces(&self, pieces: &[io::IoSlice<'_>]) -> io::Result<usize> {
        let _held = Held::new();
        detector::sending();
        loop {
            match self.socket.send_vectored_with_flags(pieces, libc::MSG_NOSIGNAL) {
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                result => {
                    detector::release(self);
                    return result;
                }
            }
        }
    }

    /// Whether the peer has ended the connection, so that nothing written from now on is read. What it sent
    /// before may still be there to read.
    pub(crate) fn peer_has_closed(&self) -> bool {
        const ENDS: libc::c_short = libc::POLLRDHUP | libc::POLLHUP | libc::POLLERR;
        let mut entry = libc::pollfd { fd: self.fd(), events: libc::POLLRDHUP, revents: 0 };
        thread_end::poll_held(&mut entry, 0) > 0 && entry.revents & ENDS != 0
    }

    /// Looks again and again, without giving the processor away, until there is something to read; false
    /// after `at_most`.
    pub(crate) fn spin_for_data(&self, at_most: Duration) -> bool {
        let end = clock::monotonic() + at_most;
        loop {
            if self.wait(Interest::Read, Deadline::in_ms(0)).unwrap_or(true) {
                return true;
            }
            if clock::monotonic() > end {
                return false;
            }
            std::hint::spin_loop();
        }
    }

    /// Waits until the socket is ready; false at the deadline. A socket that was shut down is ready.
    pub(crate) fn wait(&self, interest: Interest, deadline: Deadline) -> Result<bool> {
        self.wait_by(interest, deadline, |entry, timeout| Ok(thread_end::poll_held(entry, timeout)))
    }

    /// The same, but the wait also ends when the thread is cancelled, with an error.
    pub(crate) fn wait_or_end(&self, interest: Interest, deadline: Deadline) -> Result<bool> {
        self.wait_by(interest, deadline, thread_end::poll_or_end)
    }

    fn wait_by(
        &self,
        interest: Interest,
        deadline: Deadline,
        poll: impl Fn(&mut libc::pollfd, i32) -> std::result::Result<isize, Ending>,
    ) -> Result<bool> {
        let events = if interest == Interest::Read { libc::POLLIN } else { libc::POLLOUT };
        loop {
            let mut entry = libc::pollfd { fd: self.fd(), events, revents: 0 };
            let n = poll(&mut entry, deadline.poll_timeout());
            detector::release(self);
            match n? {
                1.. => return Ok(true),
                0 if deadline.has_passed() => return Ok(false),
                0 => {}
                error => {
                    let e = io::Error::from_raw_os_error(-error as i32);
                    if e.kind() != ErrorKind::Interrupted {
                        return fail(Status::IoError, e.to_string());
                    }
                }
            }
        }
    }

    /// Ends the connection both ways: reads and waits of other threads end, the descriptor stays open.
    pub(crate) fn shutdown(&self) {
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    /// Leaves closing the descriptor to somebody else.
    pub(crate) fn disown(&self) {
        self.owned.store(false, Ordering::Relaxed);
    }

    fn set_keep_alive(&self, keep_alive: KeepAlive) {
        let _ = self.socket.set_keepalive(true);
        let seconds = |n: u32| Some(Duration::from_secs(n.into())).filter(|d| !d.is_zero());
        let mut probes = TcpKeepalive::new();
        if let Some(idle) = seconds(keep_alive.idle_s) {
            probes = probes.with_time(idle);
        }
        if let Some(interval) = seconds(keep_alive.interval_s) {
            probes = probes.with_interval(interval);
        }
        if keep_alive.count > 0 {
            probes = probes.with_retries(keep_alive.count);
        }
        let _ = self.socket.set_tcp_keepalive(&probes);
    }

    /// Lets the socket fail when data is unacknowledged for that many milliseconds; 0 or less leaves the time
    /// to the system. No effect on a socket that is not TCP.
    pub(crate) fn set_user_timeout(&self, ms: i64) {
        let _ = self.socket.set_tcp_user_timeout(u64::try_from(ms).ok().filter(|ms| *ms > 0).map(|ms| {
            Duration::from_millis(ms.min(i32::MAX as u64)) // the option is an int
        }));
    }

    /// Bytes handed to the system that the peer's has not acknowledged.
    pub(crate) fn unsent(&self) -> Option<u64> {
        let mut bytes: libc::c_int = 0;
        // SAFETY: the request writes one int.
        let result = unsafe { libc::ioctl(self.fd(), libc::TIOCOUTQ, &mut bytes) };
        (result == 0).then_some(bytes.max(0) as u64)
    }

    /// What the system knows, if the socket is TCP.
    pub(crate) fn tcp_state(&self) -> Option<TcpState> {
        // SAFETY: zero is a value for every field.
        let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
        let mut len = size_of_val(&info) as libc::socklen_t;
        let place = (&raw mut info).cast();
        // SAFETY: `len` is the size of `info`; the system writes at most that.
        let result =
            unsafe { libc::getsockopt(self.fd(), libc::IPPROTO_TCP, libc::TCP_INFO, place, &mut len) };
        (result == 0).then_some(TcpState { retransmits: info.tcpi_total_retrans, unacked: info.tcpi_unacked })
    }

    /// The error the socket holds, if any.
    pub(crate) fn take_error(&self) -> Option<io::Error> {
        self.socket.take_error().ok().flatten()
    }

    /// The address of this end.
    pub(crate) fn local_address(&self) -> io::Result<SocketAddr> {
        let address = self.socket.local_addr()?;
        address.as_socket().ok_or_else(|| io::Error::from(ErrorKind::Unsupported))
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        detector::acquire(self);
        let _held = Held::new();
        if self.owned.load(Ordering::Relaxed) {
            // SAFETY: dropped once, here.
            unsafe { ManuallyDrop::drop(&mut self.socket) };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::os::fd::IntoRawFd;
    use std::os::unix::net::UnixStream;
    use std::thread;

    use super::*;

    const SOON: i64 = 20_000;

    fn pair() -> (Socket, Socket) {
        let (a, b) = UnixStream::pair().unwrap();
        let socket = |end: UnixStream| Socket::from_fd(end.into_raw_fd(), &TcpOptions::default()).unwrap();
        (socket(a), socket(b))
    }

    #[test]
    fn what_was_read_and_what_has_arrived_is_counted() {
        let (ours, peer) = pair();
        let mut room = [0; 4];
        assert_eq!(ours.read(&mut room).unwrap_err().kind(), ErrorKind::WouldBlock);
        assert_eq!(peer.write(b"abcdef").unwrap(), 6);
        assert!(ours.wait(Interest::Read, Deadline::in_ms(SOON)).unwrap());
        assert_eq!((ours.taken(), ours.arrived()), (0, 6));
        assert_eq!((ours.read(&mut room).unwrap(), &room), (4, b"abcd"));
        assert_eq!((ours.taken(), ours.arrived()), (4, 6));
    }

    #[test]
    fn pieces_are_written_in_their_order() {
        let (ours, peer) = pair();
        let pieces = [b"ab", &b""[..], b"c"].map(io::IoSlice::new);
        assert_eq!(peer.write_pieces(&pieces).unwrap(), 3);
        let mut room = [0; 8];
        assert_eq!((ours.read(&mut room).unwrap(), &room[..3]), (3, &b"abc"[..]));
    }

    #[test]
    fn a_wait_ends_at_its_deadline_or_with_the_connection() {
        let (ours, peer) = pair();
        assert!(!ours.wait(Interest::Read, Deadline::in_ms(5)).unwrap());
        assert!(!ours.spin_for_data(Duration::from_millis(1)));
        assert!(!ours.peer_has_closed());
        thread::scope(|scope| {
            let waits = scope.spawn(|| ours.wait(Interest::Read, Deadline::in_ms(SOON)));
            peer.shutdown();
            assert!(waits.join().unwrap().unwrap());
        });
        assert!(ours.peer_has_closed());
        assert_eq!(ours.read(&mut [0; 1]).unwrap(), 0);
        assert!(peer.write(b"x").is_err(), "an error, and no signal");
    }

    #[test]
    fn a_disowned_descriptor_stays_open() {
        let (ours, peer) = pair();
        let fd = ours.fd();
        ours.disown();
        drop(ours);
        assert_eq!(peer.write(b"x").unwrap(), 1);
        // SAFETY: the descriptor is open and nobody's.
        drop(unsafe { socket2::Socket::from_raw_fd(fd) });
        assert!(peer.peer_has_closed());
    }

    #[test]
    fn where_nobody_listens_is_told_with_the_address() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connected = Socket::connect(address, Deadline::in_ms(SOON), &TcpOptions::default()).unwrap();
        assert!(connected.tcp_state().is_some() && connected.unsent() == Some(0));
        drop(listener);
        let error = Socket::connect(address, Deadline::in_ms(SOON), &TcpOptions::default()).err().unwrap();
        assert!(error.to_string().contains(&address.to_string()), "{error}");
        assert!(Socket::from_fd(-1, &TcpOptions::default()).is_err());
    }
}
