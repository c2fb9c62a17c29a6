//! The handshake, on the thread that connects.

use std::io::ErrorKind;

use openssl::ssl::{ErrorCode, SslStream};

use super::pipe::Pipe;
use super::{RECORD, Session, failure};
use crate::error::{Error, Result, Status, fail};
use crate::io::clock::Deadline;
use crate::io::socket::{Interest, Socket};
use crate::io::tls::Peer;
use crate::io::tls::errors::{apart, tried};
use crate::io::tls::settings::{Refusal, Settings};
use crate::proto::memory;

/// Runs the handshake on a connected socket, until the deadline.
pub(crate) fn handshake(
    settings: &Settings,
    peer: Peer<'_>,
    socket: &Socket,
    deadline: Deadline,
) -> Result<Session> {
    let (ssl, refusal) = settings.prepare(peer)?;
    let mut stream = tried(|| SslStream::new(ssl, Pipe::default()))
        .map_err(|e| Error::new(Status::SslError, format!("SSL handshake error: {e}")))?;
    loop {
        let step = settings.in_turn(|| apart(|| stream.connect()));
        let out = std::mem::take(&mut stream.get_mut().outgoing);
        match step {
            Ok(()) => {
                send_all(socket, &out, deadline)?;
                return Ok(Session::new(stream));
            }
            Err(e) if e.code() == ErrorCode::WANT_READ => send_all(socket, &out, deadline)?,
            Err(e) => {
                let _ = socket.write(&out); // tells the server why; it is no loss if that does not arrive
                return Err(handshake_error(&e, &refusal, stream.get_ref().ended));
            }
        }
        receive_some(socket, stream.get_mut(), deadline)?;
    }
}

fn send_all(socket: &Socket, data: &[u8], deadline: Deadline) -> Result<()> {
    let mut sent = 0;
    while sent < data.len() {
        match socket.write(&data[sent..]) {
            Ok(n) => sent += n,
            Err(e) if e.kind() == ErrorKind::WouldBlock => wait(socket, Interest::Write, deadline)?,
            Err(e) => return fail(Status::SslError, format!("SSL handshake error: {e}")),
        }
    }
    Ok(())
}

/// Waits for bytes from the server, or for their end.
fn receive_some(socket: &Socket, pipe: &mut Pipe, deadline: Deadline) -> Result<()> {
    let mut buffer = memory::zeros(RECORD)?;
    loop {
        wait(socket, Interest::Read, deadline)?;
        match socket.read(&mut buffer) {
            Ok(0) => pipe.ended = true,
            Ok(n) => pipe.feed(buffer, n),
            Err(e) if e.kind() == ErrorKind::WouldBlock => continue,
            Err(e) => return fail(Status::SslError, format!("SSL handshake error: {e}")),
        }
        return Ok(());
    }
}

fn wait(socket: &Socket, interest: Interest, deadline: Deadline) -> Result<()> {
    if socket.wait_or_end(interest, deadline)? && !deadline.has_passed() {
        Ok(())
    } else {
        Err(Status::Timeout.into())
    }
}

fn handshake_error(error: &openssl::ssl::Error, refusal: &Refusal, ended: bool) -> Error {
    let why = match refusal.lock().take() {
        Some(why) => why,
        None => failure(error, ended),
    };
    Error::new(Status::SslError, format!("SSL handshake error: {why}"))
}
