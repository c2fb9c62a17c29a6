//! What one read brings: messages go to their routes, the rest is kept to be attended to.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::sync::MutexGuard;

use crate::client::connection::Connection;
use crate::client::connection::routes::Table;
use crate::client::message::recycle::Maker;
use crate::client::message::{self, Msg};
use crate::client::subscription::Subscription;
use crate::error::{Error, Result};
use crate::proto::memory;
use crate::proto::parser::{MsgLine, PartialBody, Sink};
use crate::session::auth::{self, ServerErr};

/// A message whose body is still arriving.
pub(super) struct Arriving {
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

/// Something to be done once nothing is locked any more.
pub(super) enum Event {
    /// The subscription has begun to drop messages.
    Slow(Arc<Subscription>),
    Ping,
    Pong,
    Info(Vec<u8>),
    ServerError(Vec<u8>),
}

/// What one read does: messages go into the table's batches, the rest is done at once or kept as events.
pub(super) struct Receiver<'a> {
    pub connection: &'a Arc<Connection>,
    pub table: MutexGuard<'a, Table>,
    pub maker: Maker,
    pub padding: usize,
    pub reply_sid: u64,
    /// Answers to requests; whoever gets one may count on having the messages that came before.
    pub replies: Vec<Msg>,
    pub events: Vec<Event>,
    pub msgs: u64,
    pub bytes: u64,
    /// Nothing is to be parsed any more.
    pub broken: bool,
    /// Why the connection cannot go on, if not because of what the server said.
    pub failure: Option<Error>,
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
    pub fn finish(mut self, events: &mut Vec<Event>) -> (Vec<Msg>, Result<()>) {
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
