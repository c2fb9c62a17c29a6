//! The read side of a connection: whose turn it is to read its socket.

mod attend;
mod caller;
mod receiver;
mod watched;

use std::sync::Arc;

use crate::sync::MutexGuard;

use self::receiver::{Arriving, Event, Receiver};
use crate::client::connection::Connection;
use crate::client::connection::link::Link;
use crate::client::connection::loss::{Loss, Reason};
use crate::client::pause;
use crate::error::{Error, Result};
use crate::proto::parser::Parser;

/// Reads of one turn; after them other connections of the poller have theirs.
const READS_PER_TURN: usize = 8;
/// The rest of a message body from this size on is read straight into the message.
const DIRECT_BODY: usize = 16 * 1024;

/// A read is to bring about so many messages: enough to be worth waking a delivery thread, not more than what
/// still lies in the processor's cache when that thread gets it.
const MESSAGES_PER_READ: usize = 2048;
const SMALLEST_READ: usize = 64 * 1024;

/// State of the read side, held by the thread that reads.
pub(in crate::client::connection) struct Inbound {
    parser: Parser<Arriving>,
    /// Most bytes of the next read.
    room: usize,
    /// So many threads have let go of the lock to attend to what they have read.
    attending: usize,
}

impl Default for Inbound {
    fn default() -> Self {
        Inbound { parser: Parser::default(), room: usize::MAX, attending: 0 }
    }
}

/// Who reads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::client::connection) enum Reader {
    /// Whoever watches the socket all the time: the poller, or a program's event loop.
    Watcher,
    /// A caller that waits for a reply.
    Caller,
}

/// How much a read found.
enum Read {
    /// As much as there was room for.
    All,
    Short,
    Nothing,
}

impl Connection {
    /// The parser of a new link starts clean, with what the handshake read too much.
    pub(super) fn begin_receiving(self: &Arc<Self>, link: &Arc<Link>, leftover: &[u8]) {
        let mut inbound = self.inbound.lock();
        if link.is_down() {
            return; // lost meanwhile; the next one may be here already, in the middle of a message
        }
        *inbound = Inbound { attending: inbound.attending, ..Inbound::default() };
        let mut events = Vec::new();
        let result =
            self.parse(&mut inbound, &mut events, |parser, receiver| parser.parse(leftover, receiver));
        self.attend_unlocked(&mut inbound, link, &mut events);
        link.note_attended(link.socket().taken()); // nobody reads from it yet
        link.begin_receiving();
        drop(inbound);
        if let Err(e) = result {
            self.receive_failed(link, e);
        }
    }

    /// Reads until nothing is left or the turn is over; true when there may be more. See
    /// [`readable`](crate::io::poller::Driven::readable) for `maybe_ended`.
    pub(super) fn receive(
        self: &Arc<Self>,
        link: &Arc<Link>,
        reader: Reader,
        buffer: &mut [u8],
        reads: usize,
        maybe_ended: bool,
    ) -> bool {
        let more = self.read_for_a_turn(link, reader, buffer, reads, maybe_ended);
        if link.wants_write() {
            self.carry_out(self.outbound.flush_soon());
        }
        more
    }

    fn read_for_a_turn(
        self: &Arc<Self>,
        link: &Arc<Link>,
        reader: Reader,
        buffer: &mut [u8],
        reads: usize,
        maybe_ended: bool,
    ) -> bool {
        let mut inbound = self.inbound.lock();
        let mut events = Vec::new();
        for _ in 0..reads {
            // An event of the link before may come while this one is not watched yet: what is there is told
            // of then. Where it is a caller's turn now, the caller will find it.
            if !link.is_received() || link.is_read_by_caller() != (reader == Reader::Caller) {
                return false;
            }
            let result = self.read_once(&mut inbound, link, buffer, &mut events);
            let taken = link.socket().taken();
            self.attend_unlocked(&mut inbound, link, &mut events);
            link.note_attended(taken);
            match result {
                Ok(Read::All) => {}
                Ok(Read::Short) if maybe_ended => {}
                Ok(Read::Short | Read::Nothing) => return false,
                Err(e) => {
                    drop(inbound);
                    self.receive_failed(link, e);
                    return false;
                }
            }
        }
        true
    }

    fn read_once(
        self: &Arc<Self>,
        inbound: &mut Inbound,
        link: &Link,
        buffer: &mut [u8],
        events: &mut Vec<Event>,
    ) -> Result<Read> {
        if let Some(body) = inbound.parser.body_room(DIRECT_BODY) {
            let body = body?;
            let room = body.len();
            let Some(n) = link.read(body)? else { return Ok(Read::Nothing) };
            self.parse(inbound, events, |parser, receiver| {
                parser.body_filled(n, receiver);
                Ok(())
            })?;
            return Ok(if n == room || link.may_have_more() { Read::All } else { Read::Short });
        }
        let room = buffer.len().min(inbound.room);
        let buffer = &mut buffer[..room];
        let Some(n) = link.read(buffer)? else { return Ok(Read::Nothing) };
        let before = self.counters.received();
        self.parse(inbound, events, |parser, receiver| parser.parse(&buffer[..n], receiver))?;
        let messages = self.counters.received() - before;
        let size = n.checked_div(messages as usize).unwrap_or(usize::MAX);
        inbound.room = size.saturating_mul(MESSAGES_PER_READ).max(SMALLEST_READ);
        Ok(if n == buffer.len() || link.may_have_more() { Read::All } else { Read::Short })
    }

    /// Messages are handed over; what else was found is appended to `events`.
    fn parse(
        &self,
        inbound: &mut Inbound,
        events: &mut Vec<Event>,
        feed: impl FnOnce(&mut Parser<Arriving>, &mut Receiver<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut table = self.routes.lock();
        let mut receiver = Receiver::new(&mut table, events, self.options.buffers.message_padding);
        let result = feed(&mut inbound.parser, &mut receiver);
        let (msgs, bytes) = receiver.counts();
        self.counters.note_read(msgs, bytes);
        let kept = receiver.finish(&self.core().delivery);
        result.and(kept)
    }

    /// Attends to what a read found, with the reader's lock let go.
    fn attend_unlocked(
        self: &Arc<Self>,
        inbound: &mut MutexGuard<'_, Inbound>,
        link: &Arc<Link>,
        events: &mut Vec<Event>,
    ) {
        if events.is_empty() {
            return;
        }
        inbound.attending += 1;
        MutexGuard::unlocked(inbound, || {
            pause::at("attend", self);
            self.attend(link, events);
        });
        inbound.attending -= 1;
    }

    /// The cause is what went wrong first, be it with writing.
    fn receive_failed(self: &Arc<Self>, link: &Arc<Link>, error: Error) {
        let cause = link.failure().cloned().unwrap_or(error);
        self.connection_lost(link, Loss::new(Reason::ProtocolError, cause));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::thread;

    use super::*;
    use crate::client::connection::testing::{SOON, Server, connect_to, connected, subscribed};
    use crate::client::pause::Hold;
    use crate::error::Status;
    use crate::io::clock;
    use crate::io::poller::Driven;

    #[test]
    fn a_body_that_is_read_straight_into_its_message_arrives_whole() {
        let body: String = (0..DIRECT_BODY * 20).map(|at| char::from(b'a' + (at % 23) as u8)).collect();
        let sent = body.clone();
        let connection = connect_to(
            move |mut client| {
                assert!(client.wait_for("SUB foo  1"));
                client.say(&format!("MSG foo 1 {}\r\n{sent}\r\nMSG foo 1 3\r\nend\r\n", sent.len()));
                client.wait_for("never");
            },
            |_| {},
        );
        let sub = subscribed(&connection, b"foo");
        assert!(sub.next_msg(20_000).unwrap().data() == body.as_bytes());
        assert_eq!(sub.next_msg(20_000).unwrap().data(), b"end");
        let stats = connection.statistics();
        assert_eq!((stats.in_msgs, stats.in_bytes), (2, body.len() as u64 + 3));
        connection.abandon();
    }

    #[test]
    fn nothing_is_read_from_a_link_before_its_parser_is_ready() {
        let server = Server::start(false);
        let connection = connected(&server);
        let sub = subscribed(&connection, b"foo");
        let (link, mut stream) = (connection.link_now(), server.accepted.recv_timeout(SOON).unwrap());
        let before = link.arrivals().attended;
        stream.write_all(b"MSG foo 1 5\r\nhe").unwrap();
        let until = clock::now() + SOON;
        while link.arrivals().attended < before + 15 {
            assert!(clock::now() < until, "half a message is not read");
            thread::yield_now();
        }
        let hold = Hold::at("unwatched", &connection);
        connection.reconnect().unwrap();
        hold.wait_for_one();
        let mut stream = server.accepted.recv_timeout(SOON).unwrap();
        stream.write_all(b"MSG foo 1 1\r\nx\r\n").unwrap();
        assert!(connection.link_now().socket().spin_for_data(SOON));
        // An event that was for the link before.
        Arc::clone(&connection).readable(&mut [0; 1000], false);
        drop(hold);
        assert_eq!(sub.next_msg(20_000).unwrap().data(), b"x");
        connection.close();
    }

    #[test]
    fn what_came_with_the_end_of_the_handshake_is_received() {
        let connection = connect_to(
            |mut client| {
                client.wait_for("never");
            },
            |options| options.reconnect.allow = false,
        );
        let link = connection.link_now();
        let sub = subscribed(&connection, b"foo");
        connection.begin_receiving(&link, b"MSG foo 1 1\r\nx\r\nINFO {\"max_payload\":5}\r\nMSG fo");
        assert_eq!(sub.next_msg(0).unwrap().data(), b"x");
        assert_eq!(connection.max_payload(), 5);
        connection.begin_receiving(&link, b"o 1 1\r\n"); // nothing is left of before: this is no protocol
        assert!(connection.is_closed());
        assert_eq!(connection.last_error().unwrap().0, Status::ProtocolError);
    }
}
