//! A whole session without I/O: an input is a list of what happens - time, bytes from the server, calls of
//! the program, losses - and a simple model says what the parts of `session` must answer.
//!
//! An event is one byte that says what happens, and its arguments: see `Session::step`.

mod keep_alive;
mod servers;

use std::collections::VecDeque;
use std::time::Duration;

use crate::error::Result;
use crate::fuzzing::input::Input;
use crate::proto::info::ServerInfo;
use crate::proto::parser::{MsgLine, Parser, PartialBody, Sink};
use crate::session::auth::{ServerErr, classify_err, normalize_err};
use crate::session::handshake::{Handshake, Reply};
use crate::session::pongs::{PingId, PongQueue};

use keep_alive::KeepAlive;
use servers::Servers;

/// So long an input may keep one run busy.
const MAX_EVENTS: usize = 10_000;

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let mut session = Session::new(&mut input);
    for _ in 0..MAX_EVENTS {
        if input.is_empty() || session.servers.is_empty() {
            break;
        }
        session.step(&mut input);
    }
}

struct Session {
    now: Duration,
    keep_alive: KeepAlive,
    servers: Servers,
    /// None while connecting or reconnecting.
    link: Option<Link>,
}

/// What belongs to one connection to one server.
#[derive(Default)]
struct Link {
    parser: Parser<Body>,
    pongs: PongQueue,
    /// PINGs out, oldest first; None once a PONG came that answered nothing.
    pings: Option<VecDeque<PingId>>,
}

impl Session {
    fn new(input: &mut Input<'_>) -> Session {
        Session {
            now: Duration::from_secs(1000),
            keep_alive: KeepAlive::new(input.milliseconds(), input.count()),
            servers: Servers::new(input),
            link: None,
        }
    }

    fn step(&mut self, input: &mut Input<'_>) {
        match input.byte() % 14 {
            0 => self.now += input.time(),
            1 => self.now = self.now.saturating_sub(input.time()), // no clock does that; nothing may break
            2 => self.now = self.keep_alive.next_tick().map_or(self.now, |next| self.now.max(next)),
            3 | 4 => self.tick(),
            5 => self.receive(input),
            6 => self.flush(),
            7 => self.keep_alive.set(self.now, input),
            8 => self.lose(),
            9 => self.shake_hands(input),
            10 => self.keep_alive.check_bound(),
            12 => self.keep_alive.tried(self.now),
            13 => self.keep_alive.bytes(input),
            _ => self.fall_silent(),
        }
        self.keep_alive.check();
        self.servers.check();
    }

    fn tick(&mut self) {
        match self.keep_alive.tick(self.now) {
            keep_alive::Due::Nothing => {}
            keep_alive::Due::Ping => self.flush(),
            keep_alive::Due::Stale => self.lose(),
        }
    }

    /// A PING goes out.
    fn flush(&mut self) {
        let Some(link) = &mut self.link else { return };
        let id = link.pongs.sent_ping();
        if let Some(pings) = &mut link.pings {
            assert!(pings.back().is_none_or(|last| last + 1 == id), "numbers rise by one");
            pings.push_back(id);
        }
    }

    fn receive(&mut self, input: &mut Input<'_>) {
        let Some(link) = &mut self.link else { return };
        let n = usize::from(input.byte());
        let mut seen = Seen::default();
        let parsed = link.parser.parse(input.bytes(n), &mut seen);
        for _ in 0..seen.pongs {
            link.pong();
            self.keep_alive.pong();
        }
        for info in &seen.infos {
            self.servers.announced(info);
        }
        let fatal = seen.errors.iter().any(|text| self.servers.refused(text));
        if parsed.is_err() || fatal {
            self.lose();
        }
    }

    fn lose(&mut self) {
        if self.link.take().is_none() {
            return;
        }
        self.keep_alive.stop();
        self.servers.lost();
    }

    /// A peer that answers nothing any more, under a timer that is on time.
    fn fall_silent(&mut self) {
        if self.link.is_none() {
            return;
        }
        if let Some(dead) = self.keep_alive.silence(self.now) {
            self.now = dead;
            self.lose();
        }
    }

    /// One attempt at the next server, with whatever it answers.
    fn shake_hands(&mut self, input: &mut Input<'_>) {
        if self.link.is_some() || !self.servers.attempt() {
            return;
        }
        let n = usize::from(input.byte());
        let Some(info) = dialogue(input.bytes(n), n % 2 == 0) else {
            return self.servers.failed();
        };
        self.servers.connected();
        self.servers.announced(&info);
        self.keep_alive.start(self.now);
        self.link = Some(Link { pings: Some(VecDeque::new()), ..Link::default() });
    }
}

impl Link {
    fn pong(&mut self) {
        let answered = self.pongs.received();
        let expected = self.pings.as_mut().and_then(VecDeque::pop_front);
        if expected.is_none() {
            self.pings = None;
        }
        assert_eq!(answered.filter(|_| self.pings.is_some()), expected);
    }
}

/// The server's lines up to its PONG; its INFO when that went well.
fn dialogue(bytes: &[u8], verbose: bool) -> Option<ServerInfo> {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let info = Handshake::on_info_line(lines.next()?.trim_ascii_end()).ok()?;
    let mut handshake = Handshake::new(verbose);
    for (n, line) in lines.enumerate() {
        assert!(n < 2, "an answer is one line or two");
        match handshake.on_reply_line(line).ok()? {
            Reply::Done => return Some(info),
            Reply::More => {}
        }
    }
    None
}

/// Whether an `-ERR` is about authentication.
fn is_auth(text: &[u8]) -> bool {
    matches!(classify_err(&normalize_err(text)), ServerErr::Auth(_))
}

/// What one read brought.
#[derive(Default)]
struct Seen {
    pongs: usize,
    infos: Vec<ServerInfo>,
    errors: Vec<Vec<u8>>,
    stopped: bool,
}

/// A body nobody keeps: how much of it is missing, and room for some of it.
struct Body(usize, [u8; 64]);

impl PartialBody for Body {
    fn missing(&self) -> usize {
        self.0
    }

    fn room(&mut self) -> Result<&mut [u8]> {
        let room = self.0.min(self.1.len());
        Ok(&mut self.1[..room])
    }

    fn fill(&mut self, n: usize) {
        self.0 -= n;
    }
}

impl Sink for Seen {
    type Partial = Body;

    fn message(&mut self, _: MsgLine<'_>, _: &[u8]) {}

    fn begin(&mut self, line: MsgLine<'_>) -> Result<Body> {
        Ok(Body(line.size, [0; 64]))
    }

    fn complete(&mut self, _: Body) {}

    fn ping(&mut self) {}

    fn pong(&mut self) {
        self.pongs += 1;
    }

    fn info(&mut self, json: &[u8]) {
        match ServerInfo::parse(json) {
            Ok(info) => self.infos.push(info),
            Err(_) => self.stopped = true,
        }
    }

    fn server_error(&mut self, text: &[u8]) {
        self.errors.push(text.to_vec());
    }

    fn stopped(&self) -> bool {
        self.stopped
    }
}
