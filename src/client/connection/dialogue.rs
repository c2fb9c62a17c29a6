//! The conversation with a server until it is ready.

use std::sync::Arc;

use crate::client::connection::Connection;
use crate::client::connection::link::{Link, Wrote};
use crate::error::{Result, Status, fail};
use crate::io::clock::Deadline;
use crate::io::socket::Interest;
use crate::io::tls::{self, Peer};
use crate::proto::connect::ConnectFields;
use crate::proto::encoder;
use crate::proto::info::{self, ServerInfo};
use crate::proto::memory;
use crate::session::handshake::{self, Handshake, Reply};
use crate::session::pool::Server;
use crate::thread_end;

/// The conversation from the first byte to the PONG, with one deadline for all of it.
pub(super) struct Dialogue<'a> {
    pub link: &'a Link,
    pub deadline: Deadline,
    /// Read but not used yet.
    pub received: Vec<u8>,
}

impl Dialogue<'_> {
    /// Returns the server's INFO and what was read beyond the PONG.
    pub(super) fn run(
        mut self,
        connection: &Arc<Connection>,
        server: &Server,
    ) -> Result<(ServerInfo, Vec<u8>)> {
        let options = &connection.options;
        if options.tls.first {
            self.secure(connection, server)?;
        }
        let line = self.line(b"\r\n", info::MAX_LINE)?;
        let info = Handshake::on_info_line(&line)?;
        self.received.clear(); // what came along with INFO, before any request of ours, is not used
        if Handshake::tls_step(&info, connection.security.is_required())? && !options.tls.first {
            self.secure(connection, server)?;
        }
        Handshake::check_echo(&info, options.behaviour.no_echo)?;
        self.send_connect(connection, server, &info)?;
        let mut handshake = Handshake::new(options.behaviour.verbose);
        loop {
            let line = self.line(b"\n", handshake::MAX_REPLY)?;
            if handshake.on_reply_line(&line)? == Reply::Done {
                self.link.take_decrypted(&mut self.received)?;
                return Ok((info, self.received));
            }
        }
    }

    /// The TLS handshake; everything after it is encrypted.
    fn secure(&self, connection: &Connection, server: &Server) -> Result<()> {
        let host = server.url.resolvable_host();
        let peer = Peer { host, name: server.tls_name.as_deref().unwrap_or(host) };
        let session = tls::handshake(&*connection.tls_settings()?, peer, self.link.socket(), self.deadline)?;
        self.link.secure(session);
        Ok(())
    }

    fn send_connect(&self, connection: &Connection, server: &Server, info: &ServerInfo) -> Result<()> {
        let options = &connection.options;
        let asking = connection.state.ask()?;
        let login = connection.login(server, info)?;
        drop(asking);
        let fields = ConnectFields {
            verbose: options.behaviour.verbose,
            pedantic: options.behaviour.pedantic,
            nkey: login.nkey.as_deref(),
            jwt: login.jwt.as_deref(),
            sig: login.signature.as_deref(),
            user: login.user.as_deref(),
            pass: login.password.as_deref(),
            auth_token: login.token.as_deref(),
            tls_required: connection.security.is_required(),
            name: options.behaviour.name.as_deref().unwrap_or_default(),
            echo: !options.behaviour.no_echo,
            headers: info.headers,
            no_responders: info.headers && !options.behaviour.disable_no_responders,
        };
        let mut bytes = zeroize::Zeroizing::new(fields.encode()?);
        bytes.extend_from_slice(encoder::PING);
        connection.open()?; // a credentials handler may have closed it
        thread_end::check()?; // or have ended the thread
        self.send(&bytes)
    }

    fn send(&self, bytes: &[u8]) -> Result<()> {
        let mut sent = 0;
        // A server that has gone is found out by the read that follows.
        while self.link.write_now(bytes, &mut sent)? == Wrote::Part {
            self.link.wait_writable(self.deadline)?;
        }
        Ok(())
    }

    /// The next line, without its end; of `limit` bytes at most, with its end.
    fn line(&mut self, end: &[u8], limit: usize) -> Result<Vec<u8>> {
        let mut searched = 0;
        loop {
            let found = memchr::memmem::find(&self.received[searched..], end).map(|at| searched + at);
            if found.unwrap_or(self.received.len()) + end.len() > limit {
                return Err(Status::LineTooLong.into());
            }
            if let Some(at) = found {
                let rest = memory::copy(&self.received[at + end.len()..])?;
                let mut line = std::mem::replace(&mut self.received, rest);
                line.truncate(at);
                return Ok(line);
            }
            searched = self.received.len().saturating_sub(end.len() - 1);
            self.read_more()?;
        }
    }

    fn read_more(&mut self) -> Result<()> {
        let mut chunk = [0; 4096];
        loop {
            if let Some(n) = self.link.read(&mut chunk)? {
                return memory::extend(&mut self.received, &chunk[..n]);
            }
            if !self.link.socket().wait_or_end(Interest::Read, self.deadline)? {
                return fail(Status::Timeout, "the server did not answer in time");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::client::connection::testing::{link_with_peer, unconnected};

    fn status<T>(result: Result<T>) -> Option<Status> {
        result.err().map(|error| error.status())
    }

    #[test]
    fn lines_are_found_however_they_arrive() {
        let (link, mut peer) = link_with_peer();
        let deadline = Deadline::in_ms(20_000);
        let mut dialogue = Dialogue { link: &link, deadline, received: Vec::new() };
        peer.write_all(b"one\r\ntw").unwrap();
        assert_eq!(dialogue.line(b"\r\n", 100).unwrap(), b"one");
        let rest = std::thread::spawn(move || {
            peer.write_all(b"o\r").unwrap();
            peer.write_all(b"\nthree\r\n").unwrap();
            peer
        });
        assert_eq!(dialogue.line(b"\r\n", 100).unwrap(), b"two");
        let _peer = rest.join().unwrap();
        assert_eq!(status(dialogue.line(b"\r\n", 6)), Some(Status::LineTooLong), "seven bytes");
        assert_eq!(dialogue.line(b"\r\n", 7).unwrap(), b"three");
        assert!(dialogue.received.is_empty());
    }

    #[test]
    fn a_line_without_end_is_not_waited_for_nor_kept() {
        let (link, mut peer) = link_with_peer();
        let mut dialogue = Dialogue { link: &link, deadline: Deadline::in_ms(1), received: Vec::new() };
        assert_eq!(status(dialogue.line(b"\r\n", 10)), Some(Status::Timeout));
        peer.write_all(&[b'x'; 20]).unwrap();
        assert_eq!(status(dialogue.line(b"\r\n", 10)), Some(Status::LineTooLong));
        drop(peer);
        dialogue.received.clear();
        assert_eq!(status(dialogue.line(b"\r\n", 10)), Some(Status::ConnectionClosed));
    }

    #[test]
    fn nobody_is_asked_for_credentials_once_the_connection_is_closed() {
        let (link, mut peer) = link_with_peer();
        let connection = unconnected(|options| {
            options.set_url(Some(b"nats://a:1")).unwrap();
            options.auth.token_handler = Some(std::sync::Arc::new(|| panic!("closed")));
        });
        let server = connection.state.lock().servers.pool.current().unwrap().clone();
        connection.abandon();
        peer.write_all(b"INFO {}\r\n").unwrap();
        let dialogue = Dialogue { link: &link, deadline: Deadline::in_ms(20_000), received: Vec::new() };
        assert_eq!(status(dialogue.run(&connection, &server)), Some(Status::ConnectionClosed));
    }

    #[test]
    fn what_came_along_with_the_pong_is_handed_on_and_what_came_with_info_is_not() {
        let (link, mut peer) = link_with_peer();
        let connection = unconnected(|options| options.set_url(Some(b"nats://a:1")).unwrap());
        let server = connection.state.lock().servers.pool.current().unwrap().clone();
        peer.write_all(b"INFO {\"max_payload\":5}\r\nPONG\r\n").unwrap();
        let answers = std::thread::spawn(move || {
            let mut read = std::io::BufReader::new(peer.try_clone().unwrap());
            let mut line = String::new();
            while line != "PING\r\n" {
                line.clear();
                std::io::BufRead::read_line(&mut read, &mut line).unwrap();
            }
            peer.write_all(b"PONG\r\nMSG x").unwrap();
        });
        let deadline = Deadline::in_ms(20_000);
        let dialogue = Dialogue { link: &link, deadline, received: Vec::new() };
        let (info, leftover) = dialogue.run(&connection, &server).unwrap();
        answers.join().unwrap();
        assert_eq!((info.max_payload, leftover.as_slice()), (5, &b"MSG x"[..]));
        connection.abandon();
    }
}
