//! The two buffers in memory that OpenSSL reads from and writes to.

use std::cell::Cell;
use std::io::{self, ErrorKind, Read, Write};

use crate::error::Result;
use crate::proto::memory;

/// Size of one read from the socket.
pub(super) const READ: usize = 64 * 1024;

thread_local! {
    /// What a thread reads into; it travels through the session and comes back when it is used up.
    pub(super) static CIPHERTEXT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The two buffers.
#[derive(Default)]
pub(super) struct Pipe {
    pub(super) incoming: Vec<u8>,
    used: usize,
    filled: usize,
    pub(super) ended: bool,
    pub(super) outgoing: Vec<u8>,
}

/// A buffer for one read from the socket.
pub(super) fn buffer() -> Result<Vec<u8>> {
    let buffer = CIPHERTEXT.try_with(Cell::take).unwrap_or_default();
    if buffer.len() < READ { memory::zeros(READ) } else { Ok(buffer) }
}

pub(super) fn keep_for_next(buffer: Vec<u8>) {
    let _ = CIPHERTEXT.try_with(|spare| spare.set(buffer));
}

/// Frees what the calling thread keeps.
pub(crate) fn release_thread_memory() {
    keep_for_next(Vec::new());
}

impl Pipe {
    /// Gives ciphertext to OpenSSL, which has used up what it had.
    pub(super) fn feed(&mut self, buffer: Vec<u8>, filled: usize) {
        debug_assert_eq!(self.used, self.filled);
        (self.incoming, self.used, self.filled) = (buffer, 0, filled);
    }

    /// An idle connection holds no buffer.
    pub(super) fn give_back(&mut self) {
        if self.incoming.len() == READ {
            (self.used, self.filled) = (0, 0);
            keep_for_next(std::mem::take(&mut self.incoming));
        }
    }
}

impl Read for Pipe {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = buf.len().min(self.filled - self.used);
        if n == 0 && !self.ended {
            return Err(ErrorKind::WouldBlock.into());
        }
        buf[..n].copy_from_slice(&self.incoming[self.used..self.used + n]);
        self.used += n;
        Ok(n)
    }
}

impl Write for Pipe {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.outgoing.try_reserve(data.len())?;
        self.outgoing.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
