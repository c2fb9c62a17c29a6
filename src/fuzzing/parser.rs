//! The stream of a connection: what the parser finds must not depend on where the reads cut it.

use crate::error::{Result, Status};
use crate::proto::parser::{MsgLine, Parser, PartialBody, Sink};

/// Sizes of reads, besides one that has it all. One byte at a time sends everything the thorough way.
const READS: [usize; 5] = [1, 2, 7, 61, 4093];
/// Up to here every single cut is tried.
const SHORT: usize = 96;

pub fn run(data: &[u8]) {
    let whole = outcome(data, [data.len()]);
    for size in READS {
        assert_eq!(outcome(data, std::iter::repeat(size)), whole, "reads of {size}");
        assert_eq!(outcome_in_place(data, size), whole, "bodies read in place, reads of {size}");
    }
    for cut in 0..if data.len() <= SHORT { data.len() } else { 0 } {
        assert_eq!(outcome(data, [cut, data.len()]), whole, "cut at {cut}");
    }
}

/// What was found, how it ended, and whether a body is still to come.
type Outcome = (Vec<Event>, std::result::Result<(), Status>, bool);

/// Parses `data` in reads of these sizes.
fn outcome(data: &[u8], sizes: impl IntoIterator<Item = usize>) -> Outcome {
    let (mut parser, mut log) = (Parser::default(), Log::default());
    let mut rest = data;
    let mut end = Ok(());
    for size in sizes {
        let (read, after) = rest.split_at(size.min(rest.len()));
        end = parser.parse(read, &mut log);
        rest = after;
        if rest.is_empty() || end.is_err() {
            break;
        }
    }
    log.outcome(parser, end)
}

/// The same as a connection reads: what is missing of a body goes straight to its place.
fn outcome_in_place(data: &[u8], size: usize) -> Outcome {
    let (mut parser, mut log) = (Parser::default(), Log::default());
    let mut rest = data;
    let mut end = Ok(());
    while !rest.is_empty() && end.is_ok() {
        let read = if let Some(room) = parser.body_room(1) {
            let room = room.expect("there is memory");
            let read = room.len().min(size).min(rest.len());
            room[..read].copy_from_slice(&rest[..read]);
            parser.body_filled(read, &mut log);
            read
        } else {
            let read = size.min(rest.len());
            end = parser.parse(&rest[..read], &mut log);
            read
        };
        rest = &rest[read..];
    }
    log.outcome(parser, end)
}

#[derive(Debug, PartialEq)]
enum Event {
    Message(Line, Vec<u8>),
    Ping,
    Pong,
    Info(Vec<u8>),
    Error(Vec<u8>),
}

#[derive(Debug, PartialEq)]
struct Line {
    subject: Vec<u8>,
    reply: Option<Vec<u8>>,
    sid: u64,
    header_len: usize,
    size: usize,
}

impl From<MsgLine<'_>> for Line {
    fn from(line: MsgLine<'_>) -> Line {
        assert!(line.header_len <= line.size, "{line:?}");
        assert!(!line.subject.is_empty() && line.reply.is_none_or(|reply| !reply.is_empty()), "{line:?}");
        Line {
            subject: line.subject.to_vec(),
            reply: line.reply.map(<[u8]>::to_vec),
            sid: line.sid,
            header_len: line.header_len,
            size: line.size,
        }
    }
}

/// Grows by a few bytes at a time.
struct Partial {
    line: Line,
    body: Vec<u8>,
    filled: usize,
}

impl PartialBody for Partial {
    fn missing(&self) -> usize {
        self.line.size - self.filled
    }

    fn room(&mut self) -> Result<&mut [u8]> {
        const STEP: usize = 100;
        assert!(self.missing() > 0, "nothing is missing");
        if self.body.len() == self.filled {
            self.body.resize(self.filled + self.missing().min(STEP), 0);
        }
        Ok(&mut self.body[self.filled..])
    }

    fn fill(&mut self, n: usize) {
        self.filled += n;
        assert!(self.filled <= self.body.len());
    }
}

#[derive(Default)]
struct Log {
    events: Vec<Event>,
}

impl Log {
    fn outcome(self, mut parser: Parser<Partial>, end: Result<()>) -> Outcome {
        let body_begun = parser.body_room(0).is_some();
        (self.events, end.map_err(|error| error.status()), body_begun)
    }
}

impl Sink for Log {
    type Partial = Partial;

    fn message(&mut self, line: MsgLine<'_>, body: &[u8]) {
        assert_eq!(line.size, body.len());
        self.events.push(Event::Message(line.into(), body.to_vec()));
    }

    fn begin(&mut self, line: MsgLine<'_>) -> Result<Partial> {
        Ok(Partial { line: line.into(), body: Vec::new(), filled: 0 })
    }

    fn complete(&mut self, message: Partial) {
        assert_eq!(message.line.size, message.body.len());
        self.events.push(Event::Message(message.line, message.body));
    }

    fn ping(&mut self) {
        self.events.push(Event::Ping);
    }

    fn pong(&mut self) {
        self.events.push(Event::Pong);
    }

    fn info(&mut self, json: &[u8]) {
        self.events.push(Event::Info(json.to_vec()));
    }

    fn server_error(&mut self, text: &[u8]) {
        self.events.push(Event::Error(text.to_vec()));
    }

    fn stopped(&self) -> bool {
        false
    }
}
