//! Parser of what a server sends after the handshake.
//!
//! Every complete frame of a buffer is parsed in place in one pass. Only what straddles two reads is kept:
//! the start of a control line in `line`, or a message body that is still arriving in `body`.

mod line;

use memchr::memchr;

pub use self::line::MsgLine;
use self::line::{check_length, parse_msg_args, wrong_verb};
use crate::error::Result;
use crate::proto::blank::{is_blank, trim_start};
use crate::proto::memory;
use crate::proto::subject::bytes_up_to_space;

/// A line buffer that grew beyond this is given back.
const KEPT_LINE: usize = 4096;

/// Takes what the parser finds, in order.
pub trait Sink {
    /// A message that is made before its whole body is there.
    type Partial: PartialBody;

    /// A message whose whole body is in the buffer.
    fn message(&mut self, line: MsgLine<'_>, body: &[u8]);
    /// A message whose body is still arriving.
    fn begin(&mut self, line: MsgLine<'_>) -> Result<Self::Partial>;
    /// The body of a message begun earlier is complete.
    fn complete(&mut self, message: Self::Partial);
    fn ping(&mut self);
    fn pong(&mut self);
    /// The JSON of an INFO line.
    fn info(&mut self, json: &[u8]);
    /// The text of an `-ERR` line.
    fn server_error(&mut self, text: &[u8]);
    /// True when parsing must stop here: the connection went away because of what was just reported.
    fn stopped(&self) -> bool;
}

/// A message whose body is arriving: headers and payload, as many bytes as the `size` of its control line.
pub trait PartialBody {
    /// How many bytes have not arrived yet; never 0 while the parser has it.
    fn missing(&self) -> usize;
    /// Where the next of them go: room for one at least. `NO_MEMORY` if there is none.
    fn room(&mut self) -> Result<&mut [u8]>;
    /// So many bytes of the room were filled.
    fn fill(&mut self, n: usize);
}

/// Parser state between two reads.
pub struct Parser<P> {
    line: Vec<u8>,
    body: Option<P>,
    line_end: LineEnd,
}

/// How much of a message's end is still to come: one byte, whatever it is, and the rest of the line. Servers
/// send CRLF.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    Passed,
    AnyByte,
    Rest,
}

impl<P: PartialBody> Default for Parser<P> {
    fn default() -> Self {
        Parser { line: Vec::new(), body: None, line_end: LineEnd::Passed }
    }
}

impl<P: PartialBody> Parser<P> {
    /// Room for some of an incomplete body, when so much of it is missing that it is worth reading straight
    /// into it.
    pub fn body_room(&mut self, at_least: usize) -> Option<Result<&mut [u8]>> {
        self.body.as_mut().filter(|message| message.missing() >= at_least).map(P::room)
    }

    /// `n` bytes were read into [`Parser::body_room`].
    pub fn body_filled(&mut self, n: usize, sink: &mut impl Sink<Partial = P>) {
        let message = self.body.as_mut().expect("a body is being read");
        message.fill(n);
        if message.missing() == 0 {
            self.line_end = LineEnd::AnyByte;
            sink.complete(self.body.take().expect("seen above"));
        }
    }

    /// Parses all of `buf`; what is incomplete at its end is kept for the next call.
    ///
    /// Fails with `PROTOCOL_ERROR`, `LINE_TOO_LONG` or `NO_MEMORY`.
    pub fn parse(&mut self, mut buf: &[u8], sink: &mut impl Sink<Partial = P>) -> Result<()> {
        while !buf.is_empty() && !sink.stopped() {
            if self.body.is_some() {
                buf = self.continue_body(buf, sink)?;
            } else if self.line_end != LineEnd::Passed {
                buf = self.skip_line_end(buf);
            } else if !self.line.is_empty() {
                buf = self.continue_line(buf, sink)?;
            } else if let Some((line, body, rest)) = usual_message(buf) {
                sink.message(line, body);
                buf = rest;
            } else {
                buf = self.frame(buf, sink)?;
            }
        }
        Ok(())
    }

    fn continue_body<'a>(&mut self, buf: &'a [u8], sink: &mut impl Sink<Partial = P>) -> Result<&'a [u8]> {
        let room = self.body.as_mut().expect("a body is being read").room()?;
        let n = room.len().min(buf.len());
        room[..n].copy_from_slice(&buf[..n]);
        self.body_filled(n, sink);
        Ok(&buf[n..])
    }

    fn skip_line_end<'a>(&mut self, buf: &'a [u8]) -> &'a [u8] {
        let rest = &buf[usize::from(self.line_end == LineEnd::AnyByte)..];
        match memchr(b'\n', rest) {
            Some(end) => {
                self.line_end = LineEnd::Passed;
                &rest[end + 1..]
            }
            None => {
                self.line_end = LineEnd::Rest;
                &[]
            }
        }
    }

    /// `buf` goes on with the line that was begun.
    fn continue_line<'a>(&mut self, buf: &'a [u8], sink: &mut impl Sink<Partial = P>) -> Result<&'a [u8]> {
        let kept = self.line.len();
        let line_end = memchr(b'\n', buf);
        let (part, rest) = buf.split_at(line_end.map_or(buf.len(), |end| end + 1));
        check_length(self.line[0], kept + part.len())?;
        memory::extend(&mut self.line, part)?;
        if let Some(wrong) = wrong_verb(&self.line) {
            return Err(wrong.error(&buf[wrong.at - kept..]));
        }
        if line_end.is_none() {
            return Ok(&[]);
        }
        let line = std::mem::take(&mut self.line);
        let rest = self.whole_line(&line, rest, sink)?;
        if line.capacity() <= KEPT_LINE {
            self.line = line;
            self.line.clear();
        }
        Ok(rest)
    }

    /// Parses the frame at the start of `buf` and returns what follows it.
    #[cold]
    fn frame<'a>(&mut self, buf: &'a [u8], sink: &mut impl Sink<Partial = P>) -> Result<&'a [u8]> {
        if let Some(wrong) = wrong_verb(buf) {
            return Err(wrong.error(&buf[wrong.at..]));
        }
        let line_end = memchr(b'\n', buf);
        let (line, rest) = buf.split_at(line_end.map_or(buf.len(), |end| end + 1));
        check_length(line[0], line.len())?;
        if line_end.is_none() {
            memory::extend(&mut self.line, line)?;
            return Ok(&[]);
        }
        self.whole_line(line, rest, sink)
    }

    /// Does what a line with a known verb says; `rest` follows it. Returns what follows the frame.
    fn whole_line<'a>(
        &mut self,
        line: &[u8],
        rest: &'a [u8],
        sink: &mut impl Sink<Partial = P>,
    ) -> Result<&'a [u8]> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match line[0].to_ascii_uppercase() {
            b'M' => self.body(parse_msg_args(&line[4..], false)?, rest, sink),
            b'H' => self.body(parse_msg_args(&line[5..], true)?, rest, sink),
            first => {
                match first {
                    b'P' if line[1].eq_ignore_ascii_case(&b'I') => sink.ping(),
                    b'P' => sink.pong(),
                    b'I' => sink.info(line[5..].trim_ascii()),
                    b'-' => sink.server_error(trim_start(&line[5..], is_blank)),
                    _ => {} // +OK, only sent in verbose mode; nothing waits for it
                }
                Ok(rest)
            }
        }
    }

    fn body<'a>(
        &mut self,
        line: MsgLine<'_>,
        rest: &'a [u8],
        sink: &mut impl Sink<Partial = P>,
    ) -> Result<&'a [u8]> {
        if let Some((body, after)) = rest.split_at_checked(line.size) {
            sink.message(line, body);
            self.line_end = LineEnd::AnyByte;
            return Ok(after);
        }
        self.body = Some(sink.begin(line)?);
        Ok(rest)
    }
}

/// A whole message at the start of `buf`, written the way servers write it: upper case, single spaces, CRLF
/// at both ends, no number of more than nine digits. Nearly all messages are; the others are
/// [`Parser::frame`]'s.
#[inline(always)]
fn usual_message(buf: &[u8]) -> Option<(MsgLine<'_>, &[u8], &[u8])> {
    let with_headers = buf.starts_with(b"HMSG ");
    if !with_headers && !buf.starts_with(b"MSG ") {
        return None;
    }
    let (subject, at) = usual_token(buf, if with_headers { 5 } else { 4 })?;
    let (sid, at) = usual_number(buf, at, b' ')?;
    let (reply, (header_len, size, at)) = match usual_sizes(buf, at, with_headers) {
        Some(sizes) => (None, sizes),
        None => {
            let (reply, at) = usual_token(buf, at)?;
            (Some(reply), usual_sizes(buf, at, with_headers)?)
        }
    };
    if subject.is_empty() || reply.is_some_and(<[u8]>::is_empty) || header_len > size {
        return None;
    }
    let (body, rest) = buf[at..].split_at_checked(size)?;
    let line = MsgLine { subject, reply, sid: sid as u64, header_len, size };
    match rest.split_first_chunk()? {
        (b"\r\n", rest) => Some((line, body, rest)),
        _ => None,
    }
}

/// The bytes up to the next space, and where to go on behind it.
#[inline(always)]
fn usual_token(buf: &[u8], start: usize) -> Option<(&[u8], usize)> {
    let mut at = start;
    loop {
        let word = buf.get(at..)?.first_chunk()?;
        let found = bytes_up_to_space(*word);
        if found != 0 {
            let end = at + found.trailing_zeros() as usize / 8;
            return (buf[end] == b' ').then(|| (&buf[start..end], end + 1));
        }
        at += word.len();
    }
}

/// Header length and size of the body with their line's end, and where the body starts.
#[inline(always)]
fn usual_sizes(buf: &[u8], at: usize, with_headers: bool) -> Option<(usize, usize, usize)> {
    let (header_len, at) = if with_headers { usual_number(buf, at, b' ')? } else { (0, at) };
    let (size, at) = usual_number(buf, at, b'\r')?;
    (buf.get(at) == Some(&b'\n')).then_some((header_len, size, at + 1))
}

/// A number that ends with `end`, and where to go on behind that.
#[inline(always)]
fn usual_number(buf: &[u8], start: usize, end: u8) -> Option<(usize, usize)> {
    const MAX_DIGITS: usize = 9;
    let (mut value, mut at) = (0, start);
    loop {
        let byte = *buf.get(at)?;
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            // Between one and nine of them: one comparison for both ends.
            let digits = at - start;
            return (byte == end && digits.wrapping_sub(1) < MAX_DIGITS).then_some((value, at + 1));
        }
        value = value.wrapping_mul(10).wrapping_add(usize::from(digit));
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::line::{MAX_LINE, MAX_TEXT};
    use super::*;
    use crate::error::Status;
    use crate::proto::info;

    #[derive(Default)]
    struct Log(Vec<String>);

    /// What the line said, the body, and how much of it has arrived.
    struct Body(String, Vec<u8>, usize);

    impl PartialBody for Body {
        fn missing(&self) -> usize {
            self.1.len() - self.2
        }
        fn room(&mut self) -> Result<&mut [u8]> {
            // Small rooms, so that bodies need several.
            let end = self.1.len().min(self.2 + 3);
            Ok(&mut self.1[self.2..end])
        }
        fn fill(&mut self, n: usize) {
            self.2 += n;
        }
    }

    fn show(line: MsgLine<'_>) -> String {
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        let reply = line.reply.map(text).unwrap_or("-".into());
        format!("{} {} {} {}", text(line.subject), line.sid, reply, line.header_len)
    }

    impl Sink for Log {
        type Partial = Body;
        fn message(&mut self, line: MsgLine<'_>, body: &[u8]) {
            self.0.push(format!("{} [{}]", show(line), String::from_utf8_lossy(body)));
        }
        fn begin(&mut self, line: MsgLine<'_>) -> Result<Body> {
            Ok(Body(show(line), vec![0; line.size], 0))
        }
        fn complete(&mut self, m: Body) {
            self.0.push(format!("{} [{}]", m.0, String::from_utf8_lossy(&m.1)));
        }
        fn ping(&mut self) {
            self.0.push("ping".into());
        }
        fn pong(&mut self) {
            self.0.push("pong".into());
        }
        fn info(&mut self, json: &[u8]) {
            self.0.push(format!("info {}", String::from_utf8_lossy(json)));
        }
        fn server_error(&mut self, text: &[u8]) {
            self.0.push(format!("err {}", String::from_utf8_lossy(text)));
        }
        fn stopped(&self) -> bool {
            false
        }
    }

    fn parse_in_pieces(input: &[u8], piece: usize) -> (Vec<String>, Result<()>) {
        let (mut parser, mut log) = (Parser::default(), Log::default());
        for chunk in input.chunks(piece) {
            if let Err(e) = parser.parse(chunk, &mut log) {
                return (log.0, Err(e));
            }
        }
        (log.0, Ok(()))
    }

    const ALL: &[u8] = b"PING\r\nMSG foo 1 5\r\nhello\r\npong junk\r\nmsg\tfoo  2 bar.x 0 \r\n\r\n+OK\r\n\
        HMSG a.b 3 12 15\r\nNATS/1.0\r\n\r\nabc\r\nINFO {\"a\":1}\r\n-ERR 'Some Thing'\r\n\
        HMSG a 4 r 0 2\r\nhi\r\nMSG x 9 1\r\nAjunk\nMSG y 10 2\r\n\r\n\r\nPING\n";

    #[test]
    fn any_split_gives_the_same_frames() {
        let (whole, r) = parse_in_pieces(ALL, ALL.len());
        r.unwrap();
        assert_eq!(
            whole,
            [
                "ping",
                "foo 1 - 0 [hello]",
                "pong",
                "foo 2 bar.x 0 []",
                "a.b 3 - 12 [NATS/1.0\r\n\r\nabc]",
                "info {\"a\":1}",
                "err 'Some Thing'",
                "a 4 r 0 [hi]",
                "x 9 - 0 [A]",
                "y 10 - 0 [\r\n]",
                "ping"
            ]
        );
        for piece in 1..ALL.len() {
            let (pieces, r) = parse_in_pieces(ALL, piece);
            r.unwrap();
            assert_eq!(pieces, whole, "in pieces of {piece}");
        }
    }

    /// Whatever the quick way takes, the thorough one takes in the same way.
    #[test]
    fn the_usual_message_is_no_other() {
        let lines = [
            "MSG a 1 5\r\n",
            "MSG a.longer.subject.name 123456789 5\r\n",
            "MSG a 1 reply 5\r\n",
            "MSG a 1 77 5\r\n",
            "MSG a 1 _INBOX.0123456789abcdef.12 5\r\n",
            "HMSG a 1 2 5\r\n",
            "HMSG a 1 reply 2 5\r\n",
            "HMSG a 1 77 2 5\r\n",
            "HMSG a 1 0 5\r\n",
        ];
        let others = [
            "msg a 1 5\r\n",
            "MSG a  1 5\r\n",
            "MSG  a 1 5\r\n",
            "MSG a 1  5\r\n",
            "MSG a 1 5 \r\n",
            "MSG a\t1 5\r\n",
            "MSG a 1 5\n",
            "MSG a 1 0000000005\r\n",
            "MSG a 1234567890 5\r\n",
            "MSG a 1: 5\r\n",
            "MSG a / 5\r\n",
            "MSG a 1\u{80} 5\r\n",
            "MSG a 1 99999999999\r\n",
            "MSG a b 1 x 5\r\n",
            "MSG a 1 r s 5\r\n",
            "MSG a\r 1 5\r\n",
            "MSG a 1 -5\r\n",
            "MSG a x 5\r\n",
            "HMSG a 1 5\r\n",
            "HMSG a 1 6 5\r\n",
            "HMSGa 1 2 5\r\n",
            "HMSG  1 2 5\r\n",
            "HMSG a 1 r s 2 5\r\n",
        ];
        for (line, usual) in lines.map(|l| (l, true)).into_iter().chain(others.map(|l| (l, false))) {
            for end in ["\r\n", "\n", "junk\n"] {
                let input = format!("{line}hello{end}PING\r\n");
                let taken = usual_message(input.as_bytes());
                assert_eq!(taken.is_some(), usual && end == "\r\n", "{input:?}");
                let Some((found, body, rest)) = taken else { continue };
                let (verb, args) = line.trim_ascii_end().split_once(' ').unwrap();
                let thorough = parse_msg_args(args.as_bytes(), verb == "HMSG").unwrap();
                assert_eq!((found, body, rest), (thorough, &b"hello"[..], &b"PING\r\n"[..]));
                for cut in 0..input.len() - rest.len() {
                    assert!(usual_message(&input.as_bytes()[..cut]).is_none(), "{input:?} cut at {cut}");
                }
            }
        }
    }

    #[test]
    fn usual_numbers() {
        for value in [0, 1, 9, 10, 42, 99, 123, 1000, 4096, 65535, 123_456, 1_000_000, 9_876_543, 9_999_999] {
            let text = format!("x{value} and so on");
            assert_eq!(usual_number(text.as_bytes(), 1, b' '), Some((value, 2 + value.to_string().len())));
        }
    }

    #[test]
    fn a_large_body_is_read_in_place() {
        let (mut parser, mut log) = (Parser::default(), Log::default());
        parser.parse(b"MSG foo 1 10\r\n012", &mut log).unwrap();
        assert!(parser.body_room(8).is_none());
        for part in [&b"345"[..], b"67", b"89"] {
            let room = parser.body_room(1).unwrap().unwrap();
            room[..part.len()].copy_from_slice(part);
            parser.body_filled(part.len(), &mut log);
        }
        parser.parse(b"\r\nPING\r\n", &mut log).unwrap();
        assert_eq!(log.0, ["foo 1 - 0 [0123456789]", "ping"]);
    }

    /// One byte behind a payload is anything, and what follows it up to an LF too.
    #[test]
    fn the_end_of_a_payload_is_lenient() {
        for end in
            ["\r\n", "\n\n", "\r\r\n", "\n\r\n", "\nx\n", "xy\n", "\0\n", "\nPING\r\n", " MSG foo 1 9\r\n"]
        {
            let input = format!(
                "MSG foo 1 2\r\nhi{end}MSG foo 1 0\r\n{end}\
                 HMSG foo 1 12 14\r\nNATS/1.0\r\n\r\nhi{end}PONG\r\n"
            );
            for piece in 1..=input.len() {
                let (frames, result) = parse_in_pieces(input.as_bytes(), piece);
                result.unwrap();
                let expected = ["foo 1 - 0 [hi]", "foo 1 - 0 []", "foo 1 - 12 [NATS/1.0\r\n\r\nhi]", "pong"];
                assert_eq!(frames, expected, "{end:?} in pieces of {piece}");
            }
        }
    }

    const PARSE: &str = "Parse Error [";
    const ARGUMENTS: &str = "processMsgArgs Parse Error: wrong number of arguments";

    /// Malformed input and how the error's text starts.
    const MALFORMED: [(&[u8], &str); 48] = [
        (b"X", "Parse Error [0]: 'X"),
        (b"\r\n", "Parse Error [0]: '\r"),
        (b"\n\nPING\r\n", "Parse Error [0]: '\n"),
        (b" PING\r\n", "Parse Error [0]: ' "),
        (b"PIX", "Parse Error [19]: 'X"),
        (b"PINK\r\n", "Parse Error [20]: 'K"),
        (b"pond\r\n", "Parse Error [23]: 'd"),
        (b"P\r\n", "Parse Error [18]: '\r"),
        (b"PO\n", "Parse Error [22]: '\n"),
        (b"M\r\n", "Parse Error [10]: '\r"),
        (b"MsX\r\n", "Parse Error [11]: 'X"),
        (b"MSGS foo 1 1\r\n", "Parse Error [12]: 'S"),
        (b"MSG\r\n", "Parse Error [12]: '\r"),
        (b"HX", "Parse Error [17]: 'X"),
        (b"HM\r\n", "Parse Error [10]: '\r"),
        (b"HMSGfoo", "Parse Error [12]: 'f"),
        (b"INFO\r\n", "Parse Error [28]: '\r"),
        (b"INF {}\r\n", "Parse Error [27]: ' "),
        (b"-ERR\r\n", "Parse Error [7]: '\r"),
        (b"-ERx", "Parse Error [6]: 'x"),
        (b"+NO\r\n", "Parse Error [1]: 'N"),
        (b"+OX\r\n", "Parse Error [2]: 'X"),
        (b"X\0Y\r\n", "Parse Error [0]: 'X"),
        (b"\0\r\n", "Parse Error [0]: ''"),
        (b"\xff\xfe\r\n", "Parse Error [0]: '\u{fffd}"),
        (b"MSG foo 1\r\n", ARGUMENTS),
        (b"MSG \r\n", ARGUMENTS),
        (b"MSG a 1 b c 5\r\n", ARGUMENTS),
        (b"MSG a b c d e f g h i j k\r\n", ARGUMENTS),
        (b"HMSG a 1 5\r\n", ARGUMENTS),
        (b"HMSG a 1 b 1 2 3 4\r\n", ARGUMENTS),
        (b"MSG foo x 1\r\n", "processMsgArgs Bad or Missing Sid: 'foo x 1'"),
        (b"MSG foo -1 1\r\n", "processMsgArgs Bad or Missing Sid: 'foo -1 1'"),
        (b"MSG \tfoo \t x   1  \r\n", "processMsgArgs Bad or Missing Sid: 'foo \t x   1  '"),
        (b"MSG foo bar 1 baz\r\n", "processMsgArgs Bad or Missing Size: 'foo bar 1 baz'"),
        (b"MSG foo bar baz\r\n", "processMsgArgs Bad or Missing Size: 'foo bar baz'"),
        (b"MSG foo 1 -1\r\n", "processMsgArgs Bad or Missing Size: 'foo 1 -1'"),
        (b"MSG foo 1 2147483648\r\n", "processMsgArgs Bad or Missing Size: 'foo 1 2147483648'"),
        (b"MSG foo 1 99999999999999999999999\r\n", "processMsgArgs Bad or Missing Size: 'foo 1 9999"),
        (b"MSG a\0b 1 x\r\n", "processMsgArgs Bad or Missing Size: 'a'"),
        (b"MSG foo 1 2\r\nhi\n\n\n", "Parse Error [0]: '\n"),
        (b"MSG foo 1 2\r\nhiMSG foo 1 2\r\nok\r\n", "Parse Error [0]: 'o"),
        (b"HMSG foo 1 5 3\r\n", "processMsgArgs Bad or Missing Header Size: 'foo 1 5 3'"),
        (b"HMSG foo 1 5 x\r\n", "processMsgArgs Bad or Missing Header Size: 'foo 1 5 x'"),
        (b"HMSG foo x y z\r\n", "processMsgArgs Bad or Missing Header Size: 'foo x y z'"),
        (b"HMSG foo r x 5 5\r\n", "processMsgArgs Bad or Missing Sid: 'foo r x 5 5'"),
        (b"MSG foo 18446744073709551616 1\r\n", "processMsgArgs Bad or Missing Sid: 'foo 184"),
        (b"PING\r\nINFO {}\r\nMSG foo 1 1\r\na\r\nMSG foo 1 1\r\nb\r\nnonsense", "Parse Error [0]: 'n"),
    ];

    #[test]
    fn malformed_input_is_refused_at_any_split() {
        for (input, text) in MALFORMED {
            let (whole, error) = parse_in_pieces(input, input.len());
            let error = error.expect_err("malformed");
            assert_eq!(error.status(), Status::ProtocolError);
            assert!(error.text().starts_with(text), "{:?}: {}", input, error.text());
            if text.starts_with(PARSE) && !input.contains(&0) && input.is_ascii() {
                // All that was read from the wrong byte on.
                let from = error.text().find('\'').unwrap() + 1;
                let rest = &error.text().as_bytes()[from..error.text().len() - 1];
                assert!(input.ends_with(rest), "{:?}: {}", input, error.text());
            }
            for piece in 1..input.len() {
                let (frames, split) = parse_in_pieces(input, piece);
                let split = split.expect_err("malformed");
                assert_eq!((frames.as_slice(), split.status()), (whole.as_slice(), Status::ProtocolError));
                assert!(split.text().starts_with(text), "{:?} in pieces of {piece}: {}", input, split.text());
            }
        }
    }

    #[test]
    fn texts_of_errors_are_short() {
        for input in ["x".repeat(1000), format!("MSG {} 1 x\r\n", "\u{e4}".repeat(500))] {
            let text = parse_in_pieces(input.as_bytes(), input.len()).1.unwrap_err().text().to_owned();
            assert!(text.len() <= MAX_TEXT && text.len() > MAX_TEXT - 4, "{text}");
        }
    }

    #[test]
    fn lines_are_bounded() {
        let status = |start: &str, len: usize, piece: usize| {
            let mut line = start.as_bytes().to_vec();
            line.resize(len - 2, b' ');
            line.extend_from_slice(b"\r\n");
            parse_in_pieces(&line, piece).1.map_err(|error| error.status())
        };
        let too_long = Err(Status::LineTooLong);
        for piece in [1 << 16, usize::MAX] {
            for (start, limit) in [
                ("PING", MAX_LINE),
                ("+OK", MAX_LINE),
                ("-ERR 'Permissions Violation'", MAX_LINE),
                ("iNFO {}", info::MAX_LINE),
                ("MSG foo 1 0", MAX_LINE),
            ] {
                assert_eq!(status(start, limit, piece), Ok(()), "{start} in pieces of {piece}");
                assert_eq!(status(start, limit + 1, piece), too_long, "{start} in pieces of {piece}");
            }
        }
    }

    /// A line that never ends is given up as soon as it is too long.
    #[test]
    fn an_endless_line_is_not_kept() {
        for (start, limit) in [(&b"PING"[..], MAX_LINE), (b"MSG ", MAX_LINE), (b"INFO ", info::MAX_LINE)] {
            let (mut parser, mut log, mut fed) = (Parser::default(), Log::default(), start.len());
            parser.parse(start, &mut log).unwrap();
            let chunk = [b'x'; 1000];
            while parser.parse(&chunk, &mut log).is_ok() {
                fed += chunk.len();
                assert!(fed <= limit && parser.line.capacity() <= 2 * limit);
            }
            assert!(fed + chunk.len() > limit);
        }
    }
}
