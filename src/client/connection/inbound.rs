//! What arrives: reading the socket, and doing what the server says.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::sync::MutexGuard;

use crate::client::connection::Connection;
use crate::client::connection::event_loop::Call;
use crate::client::connection::link::Link;
use crate::client::connection::loss::{Loss, Reason};
use crate::client::connection::subscriptions::Table;
use crate::client::message::recycle::Maker;
use crate::client::message::{self, Msg};
use crate::client::pause;
use crate::client::subscription::Subscription;
use crate::error::{Error, Result, Status, shown};
use crate::io::clock::Deadline;
use crate::io::poller::Driven;
use crate::io::socket::Interest;
use crate::proto::info::ServerInfo;
use crate::proto::memory;
use crate::proto::parser::{MsgLine, Parser, PartialBody, Sink};
use crate::session::auth::{self, ServerErr};
use crate::session::pool::Announced;

/// Reads of one turn; after them other connections of the poller have theirs.
const READS_PER_TURN: usize = 8;
/// The rest of a message body from this size on is read straight into the message.
const DIRECT_BODY: usize = 16 * 1024;

/// A read is to bring about so many messages: enough to be worth waking a delivery thread, not more than what still lies
/// in the processor's cache when that thread gets it.
const MESSAGES_PER_READ: usize = 2048;
const SMALLEST_READ: usize = 64 * 1024;
/// Room for what a caller reads that waits for a reply.
const CALLER_READ: usize = 4096;

/// State of the read side, held by the thread that reads.
pub struct Inbound {
    parser: Parser<Arriving>,
    /// Most bytes of the next read.
    room: usize,
}

impl Default for Inbound {
    fn default() -> Self {
        Inbound { parser: Parser::default(), room: usize::MAX }
    }
}

/// A message whose body is still arriving.
struct Arriving {
    sid: u64,
    msg: message::Arriving,
}

impl PartialBody for Arriving {
    fn missing(&self) -> usize {
        self.msg.missing()
    }

    fn room(&mut self) -> Result<&mut [u8]> {
        self.msg.room()
    }

    fn fill(&mut self, n: usize) {
        self.msg.fill(n);
    }
}

/// Who reads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
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

/// Something to be done once nothing is locked any more.
enum Event {
    /// The subscription has begun to drop messages.
    Slow(Arc<Subscription>),
    Ping,
    Pong,
    Info(Vec<u8>),
    ServerError(Vec<u8>),
}

/// What one read does: messages go into the table's batches, the rest is done at once or kept as events.
struct Receiver<'a> {
    connection: &'a Arc<Connection>,
    table: MutexGuard<'a, Table>,
    maker: Maker,
    padding: usize,
    reply_sid: u64,
    /// Answers to requests; whoever gets one may count on having the messages that came before.
    replies: Vec<Msg>,
    events: Vec<Event>,
    msgs: u64,
    bytes: u64,
    /// Nothing is to be parsed any more.
    broken: bool,
    /// Why the connection cannot go on, if not because of what the server said.
    failure: Option<Error>,
}

impl Sink for Receiver<'_> {
    type Partial = Arriving;

    #[inline(always)]
    fn message(&mut self, line: MsgLine<'_>, body: &[u8]) {
        let (maker, padding) = (&mut self.maker, self.padding);
        match Msg::received(maker, line.subject, line.reply, line.header_len, body, padding) {
            Ok(msg) => self.hand_over(line.sid, body.len(), msg),
            Err(error) => self.fail(error),
        }
    }

    fn begin(&mut self, line: MsgLine<'_>) -> Result<Arriving> {
        let msg = Msg::arriving(line.subject, line.reply, line.header_len, line.size, self.padding)?;
        Ok(Arriving { sid: line.sid, msg })
    }

    fn complete(&mut self, message: Arriving) {
        let msg = message.msg.finish();
        self.hand_over(message.sid, msg.size(), msg);
    }

    fn ping(&mut self) {
        self.note(Event::Ping);
    }

    fn pong(&mut self) {
        // Who waits for it may count on having the messages that came before.
        self.note(Event::Pong);
    }

    fn info(&mut self, json: &[u8]) {
        match memory::copy(json) {
            Ok(json) => self.note(Event::Info(json)),
            Err(error) => self.fail(error),
        }
    }

    fn server_error(&mut self, text: &[u8]) {
        let text = auth::normalize_err(text);
        self.broken = matches!(auth::classify_err(&text), ServerErr::Stale | ServerErr::Other);
        self.note(Event::ServerError(text));
    }

    fn stopped(&self) -> bool {
        self.broken
    }
}

impl Receiver<'_> {
    #[inline(always)]
    fn hand_over(&mut self, sid: u64, size: usize, msg: Msg) {
        self.msgs += 1;
        self.bytes += size as u64;
        let kept = if sid == self.reply_sid {
            memory::push(&mut self.replies, msg)
        } else {
            self.table.add(sid, size, msg)
        };
        if let Err(error) = kept {
            self.fail(error);
        }
    }

    fn note(&mut self, event: Event) {
        if let Err(error) = memory::push(&mut self.events, event) {
            self.fail(error);
        }
    }

    /// The connection ends with this error.
    #[cold]
    fn fail(&mut self, error: Error) {
        self.broken = true;
        self.failure.get_or_insert(error);
    }

    /// Hands the messages over and unlocks the table; gives the answers to requests, and why the connection has to end,
    /// if it has.
    fn finish(mut self, events: &mut Vec<Event>) -> (Vec<Msg>, Result<()>) {
        // One thread at a time writes these: a plain addition will do.
        let add = |counter: &std::sync::atomic::AtomicU64, n: u64| {
            counter.store(counter.load(Ordering::Relaxed) + n, Ordering::Relaxed);
        };
        add(&self.connection.received, self.msgs);
        add(&self.connection.received_bytes, self.bytes);
        let mut slow = Vec::new();
        if let Err(error) = self.table.deliver(&self.connection.core().delivery, &mut slow) {
            self.fail(error);
        }
        match events.try_reserve(slow.len() + self.events.len()) {
            Ok(()) => {
                events.extend(slow.into_iter().map(Event::Slow));
                events.append(&mut self.events);
            }
            Err(error) => self.fail(error.into()),
        }
        (self.replies, self.failure.map_or(Ok(()), Err))
    }
}

/// While this lives the calling thread reads the link's socket, and the poller does not.
struct CallerTurn<'a> {
    connection: &'a Connection,
    link: &'a Link,
}

impl<'a> CallerTurn<'a> {
    /// `None` when somebody else reads right now or is about to, or nobody watches who would take over again.
    fn take(connection: &'a Arc<Connection>, link: &'a Link) -> Option<CallerTurn<'a>> {
        if link.event_loop().is_some() {
            return None; // the loop is told once of what arrives, and has to find it
        }
        let inbound = connection.inbound.try_lock()?;
        if link.is_read_by_caller() || link.may_have_more() {
            return None;
        }
        link.set_read_by_caller(true);
        drop(inbound);
        pause::at("caller reads", connection);
        let turn = CallerTurn { connection, link };
        link.watch_readable(false).then_some(turn)
    }
}

impl Drop for CallerTurn<'_> {
    fn drop(&mut self) {
        let inbound = self.connection.inbound.lock();
        self.link.set_read_by_caller(false);
        drop(inbound);
        // Tells the poller of what has arrived meanwhile.
        self.link.watch_readable(true);
    }
}

impl Connection {
    /// The parser of a new link starts clean, with what the handshake read too much.
    pub(super) fn begin_receiving(self: &Arc<Self>, link: &Arc<Link>, leftover: &[u8]) {
        let mut inbound = self.inbound.lock();
        *inbound = Inbound::default();
        let mut events = Vec::new();
        let result =
            self.parse(&mut inbound, &mut events, |parser, receiver| parser.parse(leftover, receiver));
        drop(inbound);
        self.attend(link, &mut events);
        link.note_attended(link.socket().taken()); // nobody reads from it yet
        if let Err(e) = result {
            self.receive_failed(link, e);
        }
    }

    /// Lets the calling thread, which waits for a reply, be the one that reads the next arrival: the poller does not
    /// have to wake up first, and what arrived is this caller's reply most of the time. One read only: who then still
    /// waits is better served by the poller. Does nothing where another thread reads, or a program's event loop.
    pub(super) fn read_as_caller(self: &Arc<Self>, deadline: Deadline, answered: impl FnOnce() -> bool) {
        let Some(link) = self.state.lock().link.clone() else { return };
        let Some(_turn) = CallerTurn::take(self, &link) else { return };
        // What the poller has read until now it has handed over, and it reads no more.
        if answered() {
            return;
        }
        let socket = link.socket();
        let ready = self.requests.eagerness.spin(|at_most| socket.spin_for_data(at_most))
            || socket.wait_or_end(Interest::Read, deadline).is_ok_and(|ready| ready);
        if !ready {
            return;
        }
        let mut buffer = [0; CALLER_READ];
        self.receive(&link, Reader::Caller, &mut buffer, 1, false);
        while link.may_have_more() && !link.is_down() {
            self.receive(&link, Reader::Caller, &mut buffer, READS_PER_TURN, false);
        }
    }

    /// Reads until nothing is left or the turn is over; true when there may be more. See
    /// [`Driven::readable`] for `maybe_ended`.
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
            // Where it is a caller's turn now, the caller will find what there is.
            if link.is_down() || link.is_read_by_caller() != (reader == Reader::Caller) {
                return false;
            }
            let result = self.read_once(&mut inbound, link, buffer, &mut events);
            let taken = link.socket().taken();
            if !events.is_empty() {
                MutexGuard::unlocked(&mut inbound, || self.attend(link, &mut events));
            }
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
        let before = self.received.load(Ordering::Relaxed);
        self.parse(inbound, events, |parser, receiver| parser.parse(&buffer[..n], receiver))?;
        let messages = self.received.load(Ordering::Relaxed) - before;
        let size = n.checked_div(messages as usize).unwrap_or(usize::MAX);
        inbound.room = size.saturating_mul(MESSAGES_PER_READ).max(SMALLEST_READ);
        Ok(if n == buffer.len() || link.may_have_more() { Read::All } else { Read::Short })
    }

    /// Messages and replies are handed over; what else was found is appended to `events`.
    fn parse(
        self: &Arc<Self>,
        inbound: &mut Inbound,
        events: &mut Vec<Event>,
        feed: impl FnOnce(&mut Parser<Arriving>, &mut Receiver<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut receiver = Receiver {
            connection: self,
            table: self.subscriptions.lock(),
            maker: Maker::new(),
            padding: self.options.buffers.message_padding,
            reply_sid: self.requests.sid(),
            replies: Vec::new(),
            events: Vec::new(),
            msgs: 0,
            bytes: 0,
            broken: false,
            failure: None,
        };
        let result = feed(&mut inbound.parser, &mut receiver);
        let (replies, kept) = receiver.finish(events);
        for reply in replies {
            self.requests.reply(reply);
        }
        result.and(kept)
    }

    fn attend(self: &Arc<Self>, link: &Arc<Link>, events: &mut Vec<Event>) {
        for event in events.drain(..) {
            match event {
                Event::Slow(subscription) => self.slow_consumer(link, subscription),
                Event::Ping => self.on_ping(link),
                Event::Pong => self.on_pong(link),
                Event::Info(json) => self.on_async_info(link, &json),
                Event::ServerError(text) => self.on_server_error(link, &text),
            }
        }
    }

    fn on_ping(self: &Arc<Self>, link: &Arc<Link>) {
        self.vitals.note_server_ping();
        self.carry_out(self.outbound.answer_ping(link));
    }

    /// The cause is what went wrong first, be it with writing.
    fn receive_failed(self: &Arc<Self>, link: &Arc<Link>, error: Error) {
        let cause = link.failure().cloned().unwrap_or(error);
        self.connection_lost(link, Loss::new(Reason::ProtocolError, cause));
    }

    pub(super) fn slow_consumer(self: &Arc<Self>, link: &Arc<Link>, subscription: Arc<Subscription>) {
        let mut state = self.state.lock();
        if !state.is_current(link) {
            self.report(&mut state, Some(subscription), Status::SlowConsumer.into());
            return;
        }
        // An older text stays: that is how the reference does it.
        let text = state.last_error.take().map(|(_, text)| text).filter(|t| !t.is_empty());
        let text = text.unwrap_or_else(|| Status::SlowConsumer.text().as_bytes().to_vec());
        state.last_error = Some((Status::SlowConsumer, text));
        self.report(&mut state, Some(subscription), Status::SlowConsumer.into());
    }

    /// INFO while connected. What cannot be parsed still wipes the record, as in the reference.
    pub(super) fn on_async_info(self: &Arc<Self>, link: &Arc<Link>, json: &[u8]) {
        let read =
            ServerInfo::parse(json).and_then(|info| Announced::new(&info).map(|others| (info, others)));
        let (info, others) = match read {
            Err(error) if error.status() == Status::NoMemory => return self.receive_failed(link, error),
            read => read.unwrap_or_default(),
        };
        let mut state = self.state.lock();
        if !state.is_current(link) {
            return;
        }
        self.take_info(&mut state, info, others, true);
    }

    /// Makes `info` the record of the server; the pool learns of the others it announced.
    pub(super) fn take_info(
        self: &Arc<Self>,
        state: &mut super::State,
        info: ServerInfo,
        others: Announced,
        tell_discovered: bool,
    ) {
        self.outbound.set_limits(info.max_payload, info.headers);
        if !self.options.servers.ignore_discovered {
            let randomize = !self.options.servers.no_randomize;
            let discovered = state.pool.update(others, randomize, &mut state.rng);
            if discovered && tell_discovered {
                self.post_notice(state, &self.options.handlers.discovered);
            }
        }
        if info.lame_duck {
            self.post_notice(state, &self.options.handlers.lame_duck);
        }
        state.info = info;
    }

    pub(super) fn on_server_error(self: &Arc<Self>, link: &Arc<Link>, text: &[u8]) {
        let shown = shown(text).into_owned();
        match auth::classify_err(text) {
            ServerErr::Stale => self.connection_lost(link, Loss::stale(Reason::ServerStale)),
            ServerErr::Permissions => {
                let error = Error::new(Status::NotPermitted, shown);
                let mut state = self.state.lock();
                if state.is_current(link) {
                    state.note_error(&error);
                    self.report(&mut state, None, error);
                }
            }
            ServerErr::Auth(kind) => {
                let error = Error::new(Status::ConnectionAuthFailed, shown);
                link.note_reason(Reason::Auth); // the server is about to close
                let mut state = self.state.lock();
                if !state.is_current(link) {
                    return;
                }
                state.note_error(&error);
                let again =
                    state.pool.current_mut().is_some_and(|s| auth::note(&mut s.last_auth_error, kind));
                self.report(&mut state, None, error.clone());
                drop(state);
                if again && !self.options.auth.ignore_error_abort {
                    self.close_link(link, Loss::new(Reason::Auth, error));
                }
            }
            ServerErr::Other => {
                let error = match shown.as_str() {
                    "" => Error::from(Status::Err),
                    _ => Error::new(Status::Err, shown),
                };
                if self.options.reconnect.on_protocol_error {
                    self.connection_lost(link, Loss::new(Reason::ServerErr, error));
                } else {
                    self.close_link(link, Loss::new(Reason::ServerErr, error));
                }
            }
        }
    }

    // ---- external event loop ----

    /// The program's loop found the socket readable. Does nothing without a socket.
    pub fn process_read_event(self: &Arc<Self>) {
        let link = self.state.lock().link.clone();
        let Some(link) = link.filter(|l| l.event_loop().is_some()) else { return };
        let mut buffer = match memory::zeros(self.options.buffers.io_size) {
            Ok(buffer) => buffer,
            Err(error) => return self.receive_failed(&link, error),
        };
        link.read_events.run(|again| {
            // A loop that tells of arrivals only once has told of several by then.
            let reads = if again { READS_PER_TURN } else { 1 };
            self.receive(&link, Reader::Watcher, &mut buffer, reads, false);
            link.with_held_data(|| {
                while link.may_have_more() && !link.is_down() {
                    self.receive(&link, Reader::Watcher, &mut buffer, READS_PER_TURN, false);
                }
            });
        });
    }

    /// The program's loop found the socket writable. Does nothing without a socket.
    pub fn process_write_event(self: &Arc<Self>) {
        let link = self.state.lock().link.clone();
        let Some(link) = link else { return };
        let Some(event_loop) = link.event_loop() else { return };
        link.write_events.run(|_| {
            let (left, then) = self.outbound.writable();
            self.carry_out(then);
            if left {
                return;
            }
            event_loop.post(Call::Write(false));
            if self.outbound.has_bytes() {
                event_loop.post(Call::Write(true)); // appended since the look above
            }
            self.make_calls(event_loop);
        });
    }
}

impl Driven for Connection {
    fn readable(self: Arc<Self>, buffer: &mut [u8], maybe_ended: bool) -> bool {
        let link = self.state.lock().link.clone();
        link.is_some_and(|link| self.receive(&link, Reader::Watcher, buffer, READS_PER_TURN, maybe_ended))
    }

    fn writable(self: Arc<Self>) {
        let (_, then) = self.outbound.writable();
        self.carry_out(then);
    }

    fn flush_due(self: Arc<Self>, first_look: bool) -> Option<Duration> {
        self.note_ping_tried();
        let (later, then) = self.outbound.flush_due(first_look);
        self.carry_out(then);
        later
    }
}
