//! One TLS connection. OpenSSL works on two buffers in memory; whoever reads fills the one, whoever writes
//! empties the other. OpenSSL's own lock is short: a record is encrypted or decrypted under it, no socket is
//! touched.
mod handshake;
mod pipe;
mod reading;
#[cfg(test)]
mod tests;
mod writing;

use std::sync::atomic::AtomicBool;

use openssl::ssl::SslStream;

pub(crate) use self::handshake::handshake;
use self::pipe::Pipe;
pub(crate) use self::pipe::release_thread_memory;
use self::writing::Writer;
use crate::error::Error;
use crate::io::fork::EndsUndisturbed;
use crate::io::tls::errors::reason;
use crate::sync::Mutex;

/// Most bytes of data in one record.
const RECORD: usize = 16 * 1024;

pub(crate) struct Session {
    stream: Mutex<EndsUndisturbed<SslStream<Pipe>>>,
    /// Of the one thread that writes at a time.
    writer: Mutex<Writer>,
    /// OpenSSL wants something sent that no writer has taken yet (an answer to the peer).
    unsent: AtomicBool,
    /// The last write left ciphertext behind.
    unfinished: AtomicBool,
    /// Why reading has ended, kept for the next call when there was still data to return.
    end: Mutex<Option<Error>>,
    /// The last read left something behind: data, or the end.
    more: AtomicBool,
    /// Reading only uses what was read from the socket before.
    only_held: AtomicBool,
}

impl Session {
    fn new(stream: SslStream<Pipe>) -> Session {
        Session {
            stream: Mutex::new(EndsUndisturbed::new(stream)),
            writer: Mutex::default(),
            unsent: AtomicBool::new(false),
            unfinished: AtomicBool::new(false),
            end: Mutex::new(None),
            more: AtomicBool::new(false),
            only_held: AtomicBool::new(false),
        }
    }
}

fn failure(error: &openssl::ssl::Error, ended: bool) -> String {
    match error.ssl_error() {
        Some(stack) if !stack.errors().is_empty() => reason(stack),
        _ if ended => "unexpected eof while reading".to_owned(),
        _ => "unknown error".to_owned(),
    }
}
