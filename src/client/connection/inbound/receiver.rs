//! What one read brings: messages go to their routes, the rest is kept to be attended to.

use std::sync::Arc;

use crate::client::connection::arrival::Aside;
use crate::client::connection::routes::Table;
use crate::client::delivery::Delivery;
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
    /// A message for a hook; whoever gets it may count on having those that came before.
    Arrived(Aside),
    Ping,
    Pong,
    Info(Vec<u8>),
    ServerError(Vec<u8>),
}

/// What one read does: messages go into the table's batches, the rest becomes events.
pub(super) struct Receiver<'a> {
    table: &'a mut Table,
    events: &'a mut Vec<Event>,
    maker: Maker,
    padding: usize,
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
    /// Messages are made with so many zero bytes behind them.
    pub(super) fn new<'a>(table: &'a mut Table, events: &'a mut Vec<Event>, padding: usize) -> Receiver<'a> {
        let maker = Maker::new();
        Receiver { table, events, maker, padding, msgs: 0, bytes: 0, broken: false, failure: None }
    }

    #[inline(always)]
    fn hand_over(&mut self, sid: u64, size: usize, msg: Msg) {
        self.msgs += 1;
        self.bytes += size as u64;
        let events = &mut self.events;
        if let Err(error) =
            self.table.add(sid, size, msg, |aside| memory::push(events, Event::Arrived(aside)))
        {
            self.fail(error);
        }
    }

    fn note(&mut self, event: Event) {
        if let Err(error) = memory::push(self.events, event) {
            self.fail(error);
        }
    }

    /// The connection ends with this error.
    #[cold]
    fn fail(&mut self, error: Error) {
        self.broken = true;
        self.failure.get_or_insert(error);
    }

    /// How many messages came, with how many bytes.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.msgs, self.bytes)
    }

    /// Hands the messages over. An error is why the connection has to end.
    pub(super) fn finish(mut self, delivery: &Arc<Delivery>) -> Result<()> {
        let mut slow = Vec::new();
        if let Err(error) = self.table.deliver(delivery, &mut slow) {
            self.fail(error);
        }
        if !slow.is_empty() {
            self.note_slow(slow);
        }
        self.failure.map_or(Ok(()), Err)
    }

    /// Who then hears of a PONG or a reply may count on the program having been told.
    #[cold]
    fn note_slow(&mut self, slow: Vec<Arc<Subscription>>) {
        match self.events.try_reserve(slow.len()) {
            Ok(()) => drop(self.events.splice(..0, slow.into_iter().map(Event::Slow))),
            Err(error) => self.fail(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::connection::Connection;
    use crate::client::connection::arrival::{Arrival, Verdict};
    use crate::client::connection::routes::{Route, Target};
    use crate::client::connection::testing::{subscribed, unconnected};
    use crate::error::Status;
    use crate::proto::parser::Parser;

    const HOOKED: u64 = 77;

    /// Has everything put aside.
    struct All;

    impl Arrival for All {
        fn arrived(&self, msg: Msg) -> Verdict {
            Verdict::Attend(msg)
        }

        fn attend(&self, _: Msg) {}
    }

    struct Fixture {
        connection: Arc<Connection>,
        sub: Arc<Subscription>,
        table: Table,
        parser: Parser<Arriving>,
    }

    fn fixture() -> Fixture {
        let connection = unconnected(|_| {});
        let sub = subscribed(&connection, b"foo");
        let mut table = Table::default();
        table.open(sub.sid(), Route::to(&sub), |_| Ok(())).unwrap();
        let hooked = Route { hook: Some(Arc::new(All)), target: Target::Nobody { subject: Vec::new() } };
        table.open(HOOKED, hooked, |_| Ok(())).unwrap();
        Fixture { connection, sub, table, parser: Parser::default() }
    }

    impl Drop for Fixture {
        fn drop(&mut self) {
            self.connection.abandon();
        }
    }

    impl Fixture {
        /// What a read of these bytes brings besides messages that are queued.
        fn read(&mut self, bytes: &str) -> (Vec<String>, Result<()>) {
            let mut events = Vec::new();
            let mut receiver = Receiver::new(&mut self.table, &mut events, 4);
            let parsed = self.parser.parse(bytes.as_bytes(), &mut receiver);
            let kept = receiver.finish(&self.connection.core().delivery);
            (events.iter().map(shown).collect(), parsed.and(kept))
        }

        fn queued(&self) -> Vec<String> {
            let msgs = std::iter::from_fn(|| self.sub.next_msg(0).ok());
            msgs.map(|msg| String::from_utf8_lossy(msg.data()).into_owned()).collect()
        }
    }

    fn shown(event: &Event) -> String {
        match event {
            Event::Slow(sub) => format!("slow {}", sub.sid()),
            Event::Arrived(aside) => format!("arrived {}", String::from_utf8_lossy(aside.msg.data())),
            Event::Ping => "ping".into(),
            Event::Pong => "pong".into(),
            Event::Info(json) => format!("info {}", String::from_utf8_lossy(json)),
            Event::ServerError(text) => format!("error {}", String::from_utf8_lossy(text)),
        }
    }

    #[test]
    fn messages_are_queued_and_the_rest_waits_in_order() {
        let mut f = fixture();
        let (events, result) = f.read(
            "MSG foo 1 1\r\na\r\nPING\r\nMSG r 77 2\r\nr1\r\nPONG\r\n\
             INFO {}\r\nMSG foo 1 1\r\nb\r\nMSG r 77 2\r\nr2\r\n",
        );
        assert!(result.is_ok());
        assert_eq!(events, ["ping", "arrived r1", "pong", "info {}", "arrived r2"]);
        assert_eq!(f.queued(), ["a", "b"]);
    }

    #[test]
    fn what_straddles_reads_arrives_with_its_end() {
        let mut f = fixture();
        assert!(f.read("MSG foo 1 4\r\nab").0.is_empty() && f.queued().is_empty());
        assert!(f.read("cd\r\nMSG r 7").0.is_empty());
        assert_eq!(f.queued(), ["abcd"]);
        assert!(f.read("7 3\r\nx").0.is_empty());
        assert_eq!(f.read("yz\r\n").0, ["arrived xyz"]);
    }

    #[test]
    fn the_slow_consumer_comes_before_what_the_same_read_brought() {
        let mut f = fixture();
        f.sub.set_pending_limits(1, -1).unwrap();
        let (events, _) = f.read("PONG\r\nMSG foo 1 1\r\na\r\nMSG foo 1 1\r\nb\r\nMSG r 77 1\r\nr\r\n");
        assert_eq!(events, ["slow 1", "pong", "arrived r"]);
    }

    #[test]
    fn an_error_that_ends_the_connection_ends_the_reading() {
        let mut f = fixture();
        let (events, result) =
            f.read("-ERR 'Permissions Violation'\r\nPING\r\n-ERR 'Stale Connection'\r\nPING\r\n");
        assert_eq!(events, ["error Permissions Violation", "ping", "error Stale Connection"]);
        assert!(result.is_ok(), "what comes of it is for those who attend to it");
        let (events, result) = f.read("MSG foo 1 1\r\na\r\nPING\r\nNONSENSE\r\n");
        assert_eq!(events, ["ping"]);
        assert_eq!(result.unwrap_err().status(), Status::ProtocolError);
        assert_eq!(f.queued(), ["a"]);
    }
}
