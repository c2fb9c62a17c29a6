//! One connection's place in the program's event loop.

use std::cell::Cell;
use std::os::fd::RawFd;
use std::sync::Arc;

use crate::sync::ReentrantMutex;

use crate::client::connection::Connection;
use crate::client::options::EventLoop;
use crate::error::Result;

/// Calls into the loop's adapter come one at a time, none before the first attachment and none after the last call.
///
/// The lock is held during a call, and reentrant: an adapter may use the connection. The connection's own locks are
/// not held.
pub struct Attachment {
    event_loop: Arc<dyn EventLoop>,
    phase: ReentrantMutex<Cell<Phase>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Never attached, or detached for good: the adapter has nothing of ours.
    Unknown,
    Polling,
    /// Attached, but the socket is gone.
    Idle,
}

impl Attachment {
    pub fn new(event_loop: Arc<dyn EventLoop>) -> Attachment {
        Attachment { event_loop, phase: ReentrantMutex::new(Cell::new(Phase::Unknown)) }
    }

    /// Gives the loop a socket, unless `wanted` finds that it was lost meanwhile. True: the adapter has it now.
    pub fn attach(&self, conn: &Arc<Connection>, fd: RawFd, wanted: impl FnOnce() -> bool) -> Result<bool> {
        let phase = self.phase.lock();
        if !wanted() {
            return Ok(false);
        }
        self.event_loop.attach(conn, fd)?;
        phase.set(Phase::Polling);
        Ok(true)
    }

    /// Starts or stops polling for writing.
    pub fn write(&self, add: bool) -> Result<()> {
        let phase = self.phase.lock();
        if phase.get() == Phase::Polling { self.event_loop.write(add) } else { Ok(()) }
    }

    /// Ends the polling of a socket, which the adapter then closes.
    pub fn release(&self) -> Result<()> {
        let phase = self.phase.lock();
        if phase.get() != Phase::Polling {
            return Ok(());
        }
        phase.set(Phase::Idle);
        let (write, read) = (self.event_loop.write(false), self.event_loop.read(false));
        write.and(read)
    }

    /// The last call into the adapter, if there was any.
    pub fn detach(&self) {
        let phase = self.phase.lock();
        if phase.replace(Phase::Unknown) != Phase::Unknown {
            let _ = self.event_loop.detach();
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Recorder(Mutex<Vec<&'static str>>);

    impl EventLoop for Recorder {
        fn attach(&self, _conn: &Arc<Connection>, _fd: RawFd) -> Result<()> {
            self.0.lock().push("attach");
            Ok(())
        }

        fn read(&self, add: bool) -> Result<()> {
            self.0.lock().push(if add { "read" } else { "no read" });
            Ok(())
        }

        fn write(&self, add: bool) -> Result<()> {
            self.0.lock().push(if add { "write" } else { "no write" });
            Ok(())
        }

        fn detach(&self) -> Result<()> {
            self.0.lock().push("detach");
            Ok(())
        }
    }

    #[test]
    fn nothing_is_said_outside_of_an_attachment() {
        let recorder = Arc::new(Recorder::default());
        let attachment = Attachment::new(recorder.clone());
        attachment.write(true).unwrap();
        attachment.release().unwrap();
        attachment.detach();
        assert!(recorder.0.lock().is_empty());

        attachment.phase.lock().set(Phase::Polling);
        attachment.write(true).unwrap();
        attachment.release().unwrap();
        attachment.write(true).unwrap();
        attachment.release().unwrap();
        attachment.detach();
        attachment.write(true).unwrap();
        attachment.detach();
        assert_eq!(*recorder.0.lock(), ["write", "no write", "no read", "detach"]);
    }
}
