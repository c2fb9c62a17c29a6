//! One established connection to one server: the socket and who watches it. A reconnect makes a new one.

use std::io::{self, ErrorKind};
use std::sync::{Arc, OnceLock};
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use crate::client::options::EventLoop;
use crate::error::{Error, Result, Status, fail};
use crate::io::clock::Deadline;
use crate::io::poller::{Driven, Poller, Registration};
use crate::io::socket::{Interest, Socket};

/// What a write that took too long says.
pub const WRITE_DEADLINE: &str = "the server did not take the data before the write deadline";

pub struct Link {
    socket: Socket,
    event_loop: Option<Arc<dyn EventLoop>>,
    registration: Mutex<Option<(Arc<Poller>, Registration)>>,
    down: AtomicBool,
    write_timed_out: AtomicBool,
    failure: OnceLock<Error>,
}

impl Link {
    pub fn new(socket: Socket, event_loop: Option<Arc<dyn EventLoop>>) -> Arc<Link> {
        Arc::new(Link {
            socket,
            event_loop,
            registration: Mutex::new(None),
            down: AtomicBool::new(false),
            write_timed_out: AtomicBool::new(false),
            failure: OnceLock::new(),
        })
    }

    /// The program's event loop, when that one watches the socket.
    pub fn event_loop(&self) -> Option<&Arc<dyn EventLoop>> {
        self.event_loop.as_ref()
    }

    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Lets the poller watch the socket.
    pub fn watch(&self, poller: Arc<Poller>, source: Arc<dyn Driven>) -> Result<()> {
        let mut registration = self.registration.lock();
        let entry = poller.add(self.socket.fd(), source)?;
        if self.is_down() {
            poller.remove(entry, self.socket.fd()); // lost before it was watched
        } else {
            *registration = Some((poller, entry));
        }
        Ok(())
    }

    /// Ends the link: nobody watches the socket any more, and whoever waits on it wakes up.
    pub fn take_down(&self) {
        self.down.store(true, Ordering::Release);
        self.socket.shutdown();
        if let Some((poller, registration)) = self.registration.lock().take() {
            poller.remove(registration, self.socket.fd());
        }
    }

    /// Ends only the conversation, after a write failed: the one who reads the socket sees its end.
    pub fn break_off(&self, failure: &Error) {
        if failure.status() == Status::Timeout {
            self.write_timed_out.store(true, Ordering::Release);
        } else {
            let _ = self.failure.set(failure.clone());
        }
        self.socket.shutdown();
    }

    /// What writing failed with.
    pub fn failure(&self) -> Option<&Error> {
        self.failure.get()
    }

    /// Whether the write deadline ended this link.
    pub fn write_timed_out(&self) -> bool {
        self.write_timed_out.load(Ordering::Acquire)
    }

    pub fn is_down(&self) -> bool {
        self.down.load(Ordering::Acquire)
    }

    /// Reads what is there: `None` when that is nothing yet.
    #[inline]
    pub fn read(&self, buf: &mut [u8]) -> Result<Option<usize>> {
        match self.socket.read(buf) {
            Ok(0) => Err(Status::ConnectionClosed.into()),
            Ok(n) => Ok(Some(n)),
            Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(e) => fail(Status::IoError, format!("error reading from the server: {e}")),
        }
    }

    /// Writes what the socket takes now, of `data` from `sent` on. False when something is left.
    pub fn write_now(&self, data: &[u8], sent: &mut usize) -> Result<bool> {
        while *sent < data.len() {
            match self.socket.write(&data[*sent..]) {
                Ok(n) => *sent += n,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(e) => return Err(write_error(&e)),
            }
        }
        Ok(true)
    }

    /// Waits until the socket takes bytes again. Ends with `NATS_TIMEOUT` at the deadline.
    pub fn wait_writable(&self, deadline: Deadline) -> Result<()> {
        match self.socket.wait(Interest::Write, deadline)? {
            true => Ok(()),
            false => fail(Status::Timeout, WRITE_DEADLINE),
        }
    }
}

fn write_error(e: &io::Error) -> Error {
    Error::new(Status::IoError, format!("error writing to the server: {e}"))
}
