//! Reading of a session, by one thread at a time.

use std::io::ErrorKind;
use std::sync::atomic::Ordering;

use openssl::ssl::ErrorCode;

use super::pipe::{self, READ};
use super::{RECORD, Session, failure};
use crate::error::{Result, Status, fail};
use crate::io::socket::Socket;
use crate::io::tls::errors::apart;
use crate::proto::memory;

/// Reads from the socket in one call, so that a peer that sends nothing but empty records keeps nobody busy.
const READS_PER_CALL: usize = 8;
/// Most bytes of answers to a peer that asks and asks (for new keys), and does not read.
pub(super) const MAX_ANSWERS: usize = 64 * 1024;

/// What OpenSSL made of the ciphertext it has.
enum Decrypted {
    Data(usize),
    NeedsMore,
}

impl Session {
    /// Reads what is there, until `buf` is full or the socket has nothing: `None` when that is nothing yet.
    /// [`Session::may_have_more`] says whether to call again.
    pub(crate) fn read(&self, socket: &Socket, buf: &mut [u8]) -> Result<Option<usize>> {
        self.more.store(false, Ordering::Relaxed);
        if let Some(end) = self.end.lock().take() {
            return Err(end);
        }
        let mut filled = 0;
        match self.fill(socket, buf, &mut filled) {
            Ok(more) => self.more.store(more, Ordering::Relaxed),
            Err(end) if filled == 0 => return Err(end),
            Err(end) => {
                *self.end.lock() = Some(end);
                self.more.store(true, Ordering::Relaxed);
            }
        }
        let busy = self.more.load(Ordering::Relaxed);
        Ok((filled > 0 || busy).then_some(filled))
    }

    /// True when it stopped for another reason than an empty socket.
    fn fill(&self, socket: &Socket, buf: &mut [u8], filled: &mut usize) -> Result<bool> {
        let mut drained = false;
        for _ in 0..=READS_PER_CALL {
            while let Decrypted::Data(n) = self.decrypt(&mut buf[*filled..])? {
                *filled += n;
                if *filled == buf.len() {
                    return Ok(true);
                }
            }
            // With nothing to return the end, which may have come along, must not be missed.
            if drained && *filled > 0 {
                return Ok(false);
            }
            match self.receive(socket)? {
                None => return Ok(false),
                Some(all) => drained = all,
            }
        }
        Ok(true)
    }

    /// One record, or the rest of one.
    fn decrypt(&self, buf: &mut [u8]) -> Result<Decrypted> {
        let mut stream = self.stream.lock();
        let result = apart(|| stream.ssl_read(buf));
        if !stream.get_ref().outgoing.is_empty() {
            self.unsent.store(true, Ordering::Release);
        }
        if stream.get_ref().outgoing.len() > MAX_ANSWERS {
            return fail(Status::IoError, "the server asks for more than it reads");
        }
        let error = match result {
            Ok(n) if n > 0 => return Ok(Decrypted::Data(n)),
            Ok(_) => return closed(),
            Err(error) => error,
        };
        match error.code() {
            ErrorCode::WANT_READ => {
                stream.get_mut().give_back();
                Ok(Decrypted::NeedsMore)
            }
            ErrorCode::ZERO_RETURN => closed(),
            _ if stream.get_ref().ended => closed(),
            _ => fail(Status::IoError, format!("error reading from the server: {}", failure(&error, false))),
        }
    }

    /// Reads from the socket once: `None` when there is nothing, else whether that was all.
    fn receive(&self, socket: &Socket) -> Result<Option<bool>> {
        if self.only_held.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let mut buffer = pipe::buffer()?;
        match socket.read(&mut buffer) {
            Ok(n) if n > 0 => {
                self.stream.lock().get_mut().feed(buffer, n);
                Ok(Some(n < READ))
            }
            result => {
                pipe::keep_for_next(buffer);
                match result {
                    Ok(_) => {
                        self.stream.lock().get_mut().ended = true;
                        Ok(Some(false)) // OpenSSL decides what an end at this place means
                    }
                    Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(None),
                    Err(e) => fail(Status::IoError, format!("error reading from the server: {e}")),
                }
            }
        }
    }

    /// Appends what has arrived with the handshake already: nothing will announce it. An end among it is for
    /// the next read.
    pub(crate) fn take_decrypted(&self, into: &mut Vec<u8>) -> Result<()> {
        let mut record = memory::zeros(RECORD)?;
        loop {
            match self.decrypt(&mut record) {
                Ok(Decrypted::Data(n)) => memory::extend(into, &record[..n])?,
                Ok(Decrypted::NeedsMore) => return Ok(()),
                Err(end) => {
                    *self.end.lock() = Some(end);
                    self.more.store(true, Ordering::Relaxed);
                    return Ok(());
                }
            }
        }
    }

    /// While on, reads leave the socket alone and return what OpenSSL still has.
    pub(crate) fn read_only_held(&self, on: bool) {
        self.only_held.store(on, Ordering::Relaxed);
    }

    /// Whether the last read left something behind that no event will announce.
    pub(crate) fn may_have_more(&self) -> bool {
        self.more.load(Ordering::Relaxed)
    }
}

fn closed<T>() -> Result<T> {
    Err(Status::ConnectionClosed.into())
}
