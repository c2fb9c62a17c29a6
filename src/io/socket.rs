//! A connected TCP socket: non-blocking, never a SIGPIPE, never a loss to an interrupted call.

use std::io::{self, ErrorKind};
use std::mem::ManuallyDrop;
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsRawFd, FromRawFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use socket2::{Domain, Protocol, Type};

use crate::error::{Error, Result, Status, fail};
use crate::io::clock::Deadline;

pub struct Socket {
    socket: ManuallyDrop<socket2::Socket>,
    /// Cleared when somebody else closes the descriptor (an external event loop).
    owned: AtomicBool,
}

/// What to wait for on a socket.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    Read,
    Write,
}

impl Socket {
    /// Connects within the deadline. A connect that is refused at once gives `NoServer`, one that fails or is
    /// refused while it is waited for `Timeout`: the difference shows in the status of a connect to several servers.
    pub fn connect(address: SocketAddr, deadline: Deadline) -> Result<Socket> {
        let unusable = |e: io::Error| Error::new(Status::NoServer, format!("{address}: {e}"));
        let socket = socket2::Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))
            .map_err(unusable)?;
        socket.set_nonblocking(true).map_err(unusable)?;
        let in_progress = match socket.connect(&address.into()) {
            Ok(()) => false,
            Err(e) if e.raw_os_error() == Some(libc::EINPROGRESS) => true,
            Err(e) => return Err(unusable(e)),
        };
        let socket = Socket::prepared(socket)?;
        if in_progress {
            if !socket.wait(Interest::Write, deadline)? {
                return fail(Status::Timeout, format!("{address}: connect timed out"));
            }
            if let Some(e) = socket.take_error() {
                return fail(Status::Timeout, format!("{address}: {e}"));
            }
        }
        Ok(socket)
    }

    /// Takes over a descriptor that is connected already (made by a proxy handler).
    pub fn from_fd(fd: RawFd) -> Result<Socket> {
        if fd < 0 {
            return fail(Status::NoServer, "the proxy handler gave no socket");
        }
        // SAFETY: the handler hands the open descriptor over to the library.
        let socket = unsafe { socket2::Socket::from_raw_fd(fd) };
        socket.set_nonblocking(true).map_err(|e| Error::new(Status::SysError, e.to_string()))?;
        Socket::prepared(socket)
    }

    fn prepared(socket: socket2::Socket) -> Result<Socket> {
        // The options are no condition for working: a proxy's socket may not even be TCP.
        let _ = socket.set_tcp_nodelay(true);
        let _ = socket.set_reuse_address(true);
        let _ = socket.set_linger(Some(Duration::ZERO));
        Ok(Socket { socket: ManuallyDrop::new(socket), owned: AtomicBool::new(true) })
    }

    /// Reads what is there; 0 is the end of the stream.
    #[inline]
    pub fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            // SAFETY: the pointer and length are those of a writable slice; the descriptor is open.
            let n = unsafe { libc::recv(self.fd(), buf.as_mut_ptr().cast(), buf.len(), 0) };
            if n >= 0 {
                return Ok(n as usize);
            }
            let e = io::Error::last_os_error();
            if e.kind() != ErrorKind::Interrupted {
                return Err(e);
            }
        }
    }

    /// Writes what the socket takes at once.
    #[inline]
    pub fn write(&self, buf: &[u8]) -> io::Result<usize> {
        loop {
            match self.socket.send_with_flags(buf, libc::MSG_NOSIGNAL) {
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    /// Writes what the socket takes at once of several pieces.
    pub fn write_pieces(&self, pieces: &[io::IoSlice<'_>]) -> io::Result<usize> {
        loop {
            match self.socket.send_vectored_with_flags(pieces, libc::MSG_NOSIGNAL) {
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    /// Waits until the socket is ready; false at the deadline. A socket that was shut down is ready.
    pub fn wait(&self, interest: Interest, deadline: Deadline) -> Result<bool> {
        let events = if interest == Interest::Read { libc::POLLIN } else { libc::POLLOUT };
        loop {
            let mut entry = libc::pollfd { fd: self.fd(), events, revents: 0 };
            // SAFETY: one valid entry.
            let n = unsafe { libc::poll(&mut entry, 1, deadline.poll_timeout()) };
            match n {
                1.. => return Ok(true),
                0 if deadline.has_passed() => return Ok(false),
                0 => {}
                _ => {
                    let e = io::Error::last_os_error();
                    if e.kind() != ErrorKind::Interrupted {
                        return fail(Status::IoError, e.to_string());
                    }
                }
            }
        }
    }

    /// Ends the connection both ways: reads and waits of other threads end, the descriptor stays open.
    pub fn shutdown(&self) {
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    /// Leaves closing the descriptor to somebody else.
    pub fn disown(&self) {
        self.owned.store(false, Ordering::Relaxed);
    }

    /// The error the socket holds, if any.
    pub fn take_error(&self) -> Option<io::Error> {
        self.socket.take_error().ok().flatten()
    }

    /// The address of this end.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        let address = self.socket.local_addr()?;
        address.as_socket().ok_or_else(|| io::Error::from(ErrorKind::Unsupported))
    }

    pub fn fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.owned.load(Ordering::Relaxed) {
            // SAFETY: dropped once, here.
            unsafe { ManuallyDrop::drop(&mut self.socket) };
        }
    }
}
