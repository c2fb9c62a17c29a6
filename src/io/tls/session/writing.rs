//! Writing of a session, by one thread at a time.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::sync::atomic::Ordering;

use super::{RECORD, Session, failure};
use crate::io::socket::Socket;
use crate::io::tls::errors::apart;

/// What a record has besides its data, at most.
const RECORD_OVERHEAD: usize = 64;
/// Records that are written with one call.
const RECORDS_PER_WRITE: usize = 4;

/// Ciphertext on its way to the socket.
#[derive(Default)]
pub(super) struct Writer {
    ciphertext: Vec<u8>,
    sent: usize,
    /// Where in the ciphertext a record ends, and how much data is in it.
    records: VecDeque<(usize, usize)>,
}

impl Session {
    /// Whether OpenSSL wants something sent for which nobody has called [`Session::write`] yet.
    pub(crate) fn wants_write(&self) -> bool {
        self.unsent.load(Ordering::Acquire)
    }

    /// Whether a [`Session::write`] would have something to send even without data.
    pub(crate) fn has_unsent(&self) -> bool {
        self.wants_write() || self.unfinished.load(Ordering::Acquire)
    }

    /// Writes what the socket takes now, of `data` from `sent` on; a call that did not finish is repeated
    /// with the same data. A record counts as sent when all of it is. False when something is left.
    pub(crate) fn write(&self, socket: &Socket, data: &[u8], sent: &mut usize) -> io::Result<bool> {
        let mut writer = std::mem::take(&mut *self.writer.lock());
        let result = self.write_with(&mut writer, socket, data, sent);
        self.unfinished.store(matches!(result, Ok(false)), Ordering::Release);
        *self.writer.lock() = writer;
        result
    }

    fn write_with(
        &self,
        writer: &mut Writer,
        socket: &Socket,
        data: &[u8],
        sent: &mut usize,
    ) -> io::Result<bool> {
        loop {
            if !writer.send(socket, sent)? {
                return Ok(false);
            }
            *writer = Writer::default();
            if *sent >= data.len() && !self.wants_write() {
                return Ok(true);
            }
            self.encrypt(&data[*sent..], writer)?;
        }
    }

    fn encrypt(&self, data: &[u8], writer: &mut Writer) -> io::Result<()> {
        let data = &data[..data.len().min(RECORDS_PER_WRITE * RECORD)];
        let mut stream = self.stream.lock();
        self.unsent.store(false, Ordering::Release);
        stream.get_mut().outgoing.try_reserve(data.len() + RECORDS_PER_WRITE * RECORD_OVERHEAD)?;
        for record in data.chunks(RECORD) {
            match apart(|| stream.ssl_write(record)) {
                Ok(n) => writer.records.push_back((stream.get_ref().outgoing.len(), n)),
                Err(e) => return Err(io::Error::other(failure(&e, false))),
            }
        }
        writer.ciphertext = std::mem::take(&mut stream.get_mut().outgoing);
        Ok(())
    }
}

impl Writer {
    /// False when the socket does not take all of it.
    fn send(&mut self, socket: &Socket, sent: &mut usize) -> io::Result<bool> {
        while self.sent < self.ciphertext.len() {
            match socket.write(&self.ciphertext[self.sent..]) {
                Ok(n) => self.sent += n,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(e) => return Err(e),
            }
            while let Some((end, data)) = self.records.front().copied().filter(|(end, _)| *end <= self.sent) {
                debug_assert!(end <= self.sent);
                *sent += data;
                self.records.pop_front();
            }
        }
        Ok(true)
    }
}
