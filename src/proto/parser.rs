//! Parser of what a server sends after the handshake.
//!
//! Every complete frame of a buffer is parsed in place in one pass. Only what straddles two reads is kept: the
//! start of a control line in `line`, or a message body that is still arriving in `body`.

use memchr::memchr;

use crate::error::{Error, Result, Status};
use crate::proto::subject::bytes_up_to_space;

/// The control line of a `MSG` or `HMSG`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MsgLine<'a> {
    pub subject: &'a [u8],
    pub reply: Option<&'a [u8]>,
    pub sid: u64,
    /// Length of the header block at the start of the body, 0 for `MSG`.
    pub header_len: usize,
    /// Length of the whole body: headers and payload.
    pub size: usize,
}

/// Takes what the parser finds, in order.
pub trait Sink {
    /// A message that is made before its whole body is there.
    type Partial: PartialBody;

    /// A message whose whole body is in the buffer.
    fn message(&mut self, line: MsgLine<'_>, body: &[u8]);
    /// A message whose body is still arriving.
    fn begin(&mut self, line: MsgLine<'_>) -> Self::Partial;
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

/// Where the bytes of an incomplete message go.
pub trait PartialBody {
    /// The region for headers and payload, as long as the `size` of its control line.
    fn body_mut(&mut self) -> &mut [u8];
}

/// Parser state between two reads.
pub struct Parser<P> {
    line: Vec<u8>,
    body: Option<(P, usize)>,
    skip_line_end: bool,
}

impl<P: PartialBody> Default for Parser<P> {
    fn default() -> Self {
        Parser { line: Vec::new(), body: None, skip_line_end: false }
    }
}

impl<P: PartialBody> Parser<P> {
    /// The part of an incomplete body that is still missing, when it is worth reading straight into it.
    pub fn missing_body(&mut self, at_least: usize) -> Option<&mut [u8]> {
        let (message, filled) = self.body.as_mut()?;
        let rest = &mut message.body_mut()[*filled..];
        (rest.len() >= at_least).then_some(rest)
    }

    /// `n` bytes were read into [`Parser::missing_body`].
    pub fn body_filled(&mut self, n: usize, sink: &mut impl Sink<Partial = P>) {
        let (mut message, filled) = self.body.take().expect("a body is being read");
        if filled + n < message.body_mut().len() {
            self.body = Some((message, filled + n));
        } else {
            self.skip_line_end = true;
            sink.complete(message);
        }
    }

    /// Parses all of `buf`; what is incomplete at its end is kept for the next call.
    pub fn parse(&mut self, mut buf: &[u8], sink: &mut impl Sink<Partial = P>) -> Result<()> {
        while !buf.is_empty() && !sink.stopped() {
            if self.body.is_some() {
                buf = self.continue_body(buf, sink);
            } else if self.skip_line_end {
                let Some(end) = memchr(b'\n', buf) else { return Ok(()) };
                self.skip_line_end = false;
                buf = &buf[end + 1..];
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

    fn continue_body<'a>(&mut self, buf: &'a [u8], sink: &mut impl Sink<Partial = P>) -> &'a [u8] {
        let rest = self.missing_body(0).expect("a body is being read");
        let n = rest.len().min(buf.len());
        rest[..n].copy_from_slice(&buf[..n]);
        self.body_filled(n, sink);
        &buf[n..]
    }

    fn continue_line<'a>(&mut self, buf: &'a [u8], sink: &mut impl Sink<Partial = P>) -> Result<&'a [u8]> {
        let Some(end) = memchr(b'\n', buf) else {
            self.line.extend_from_slice(buf);
            check_verb(&self.line)?;
            return Ok(&[]);
        };
        self.line.extend_from_slice(&buf[..=end]);
        let line = std::mem::take(&mut self.line);
        self.frame(&line, sink)?;
        self.line = line;
        self.line.clear();
        if self.line.capacity() > 4096 {
            self.line = Vec::new();
        }
        Ok(&buf[end + 1..])
    }

    /// Parses the frame at the start of `buf` and returns what follows it.
    #[cold]
    fn frame<'a>(&mut self, buf: &'a [u8], sink: &mut impl Sink<Partial = P>) -> Result<&'a [u8]> {
        let Some(end) = memchr(b'\n', buf) else {
            check_verb(buf)?;
            self.line.extend_from_slice(buf);
            return Ok(&[]);
        };
        let (line, rest) = (without_cr(&buf[..end]), &buf[end + 1..]);
        match buf[0] {
            b'M' | b'm' | b'H' | b'h' => {
                let line = parse_msg_line(line)?;
                Ok(self.body(line, rest, sink))
            }
            _ => {
                control_line(line, sink)?;
                Ok(rest)
            }
        }
    }

    #[inline]
    fn body<'a>(&mut self, line: MsgLine<'_>, rest: &'a [u8], sink: &mut impl Sink<Partial = P>) -> &'a [u8] {
        if rest.len() >= line.size {
            let (body, after) = rest.split_at(line.size);
            sink.message(line, body);
            if let [b'\r', b'\n', after @ ..] = after {
                return after;
            }
            self.skip_line_end = true;
            return after;
        }
        let mut message = sink.begin(line);
        message.body_mut()[..rest.len()].copy_from_slice(rest);
        self.body = Some((message, rest.len()));
        &[]
    }
}

/// A whole message at the start of `buf`, written the way servers write it: upper case, single spaces, CRLF at both
/// ends, no number of more than nine digits. Nearly all messages are; the others are [`Parser::frame`]'s.
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
    Some((line, body, rest.strip_prefix(b"\r\n")?))
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

fn control_line(line: &[u8], sink: &mut impl Sink) -> Result<()> {
    let verb = |n: usize| line.get(..n).map(<[u8]>::to_ascii_uppercase);
    if verb(4).as_deref() == Some(b"PING") {
        sink.ping();
    } else if verb(4).as_deref() == Some(b"PONG") {
        sink.pong();
    } else if verb(3).as_deref() == Some(b"+OK") {
        // Only sent in verbose mode; nothing waits for it.
    } else if verb(4).as_deref() == Some(b"INFO") && line.len() > 4 && is_blank(line[4]) {
        sink.info(line[5..].trim_ascii());
    } else if verb(4).as_deref() == Some(b"-ERR") && line.len() > 4 && is_blank(line[4]) {
        sink.server_error(&line[5..]);
    } else {
        return Err(parse_error(line));
    }
    Ok(())
}

/// Refuses the start of a line as soon as it cannot become a known one.
fn check_verb(start: &[u8]) -> Result<()> {
    const VERBS: [&[u8]; 7] = [b"MSG ", b"HMSG ", b"PING", b"PONG", b"+OK", b"-ERR ", b"INFO "];
    let blank_as_space = |b: &u8| if is_blank(*b) { b' ' } else { b.to_ascii_uppercase() };
    let known = VERBS.iter().any(|verb| {
        let n = verb.len().min(start.len());
        start[..n].iter().map(blank_as_space).eq(verb[..n].iter().copied())
    });
    if known { Ok(()) } else { Err(parse_error(start)) }
}

/// `MSG <subject> <sid> [reply] <size>` or `HMSG <subject> <sid> [reply] <header size> <size>`.
#[inline]
fn parse_msg_line(line: &[u8]) -> Result<MsgLine<'_>> {
    let with_headers = matches!(line[0], b'H' | b'h');
    let verb: &[u8] = if with_headers { b"HMSG" } else { b"MSG" };
    let args = match line.split_at_checked(verb.len()) {
        Some((v, args)) if v.eq_ignore_ascii_case(verb) && args.first().is_some_and(|b| is_blank(*b)) => args,
        _ => return Err(parse_error(line)),
    };
    let mut tokens: [&[u8]; 6] = [&[]; 6];
    let count = split(args, &mut tokens);
    let sizes = if with_headers { 2 } else { 1 };
    if count != 2 + sizes && count != 3 + sizes {
        return Err(args_error("wrong number of arguments", None));
    }
    let sid = decimal(tokens[1]).ok_or_else(|| args_error("Bad or Missing Sid", Some(args)))?;
    let size = body_len(tokens[count - 1]).ok_or_else(|| args_error("Bad or Missing Size", Some(args)))?;
    let header_len = match with_headers {
        false => 0,
        true => body_len(tokens[count - 2])
            .filter(|n| *n <= size)
            .ok_or_else(|| args_error("Bad or Missing Header Size", Some(args)))?,
    };
    let reply = (count == 3 + sizes).then(|| tokens[2]);
    Ok(MsgLine { subject: tokens[0], reply, sid, header_len, size })
}

/// Splits at runs of blanks; stops counting one past the room there is.
#[inline]
fn split<'a>(args: &'a [u8], tokens: &mut [&'a [u8]; 6]) -> usize {
    let (mut count, mut i) = (0, 0);
    while i < args.len() {
        if is_blank(args[i]) {
            i += 1;
            continue;
        }
        let start = i;
        while i < args.len() && !is_blank(args[i]) {
            i += 1;
        }
        if count == tokens.len() {
            return count + 1;
        }
        tokens[count] = &args[start..i];
        count += 1;
    }
    count
}

#[inline]
fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    let mut value: i64 = 0;
    for d in digits {
        if !d.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(i64::from(d - b'0'))?;
    }
    Some(value as u64)
}

/// A body length; what does not fit a C int is no length.
#[inline]
fn body_len(digits: &[u8]) -> Option<usize> {
    decimal(digits).filter(|n| *n <= i32::MAX as u64).map(|n| n as usize)
}

#[inline]
fn is_blank(b: u8) -> bool {
    b == b' ' || b == b'\t'
}

#[inline]
fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cold]
fn args_error(what: &str, args: Option<&[u8]>) -> Error {
    let shown = args.map(|a| format!(": '{}'", String::from_utf8_lossy(a.trim_ascii()))).unwrap_or_default();
    Error::new(Status::ProtocolError, format!("processMsgArgs {what}{shown}"))
}

#[cold]
fn parse_error(rest: &[u8]) -> Error {
    let shown = String::from_utf8_lossy(&rest[..rest.len().min(64)]).into_owned();
    Error::new(Status::ProtocolError, format!("Parse Error [0]: '{shown}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Log(Vec<String>);

    struct Body(String, Vec<u8>);

    impl PartialBody for Body {
        fn body_mut(&mut self) -> &mut [u8] {
            &mut self.1
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
        fn begin(&mut self, line: MsgLine<'_>) -> Body {
            Body(show(line), vec![0; line.size])
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
                let thorough = parse_msg_line(line.trim_ascii_end().as_bytes()).unwrap();
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
        assert!(parser.missing_body(8).is_none());
        parser.missing_body(7).unwrap().copy_from_slice(b"3456789");
        parser.body_filled(7, &mut log);
        parser.parse(b"\r\nPING\r\n", &mut log).unwrap();
        assert_eq!(log.0, ["foo 1 - 0 [0123456789]", "ping"]);
    }

    #[test]
    fn malformed_input_is_refused() {
        for (input, text) in [
            (&b"X"[..], "Parse Error"),
            (b"\r\n", "Parse Error"),
            (b" PING\r\n", "Parse Error"),
            (b"PIX", "Parse Error"),
            (b"MSGS foo 1 1\r\n", "Parse Error"),
            (b"INFO\r\n", "Parse Error"),
            (b"-ERR\r\n", "Parse Error"),
            (b"MSG foo 1\r\n", "wrong number of arguments"),
            (b"MSG\r\n", "Parse Error"),
            (b"MSG \r\n", "wrong number of arguments"),
            (b"MSG a 1 b c 5\r\n", "wrong number of arguments"),
            (b"HMSG a 1 5\r\n", "wrong number of arguments"),
            (b"HMSG a 1 b 1 2 3 4\r\n", "wrong number of arguments"),
            (b"MSG foo x 1\r\n", "Bad or Missing Sid"),
            (b"MSG foo -1 1\r\n", "Bad or Missing Sid"),
            (b"MSG foo 1 -1\r\n", "Bad or Missing Size"),
            (b"MSG foo 1 99999999999\r\n", "Bad or Missing Size"),
            (b"MSG foo 1 99999999999999999999999\r\n", "Bad or Missing Size"),
            (b"HMSG foo 1 5 3\r\n", "Bad or Missing Header Size"),
        ] {
            for piece in [1, input.len()] {
                let error = parse_in_pieces(input, piece).1.expect_err("malformed");
                assert_eq!(error.status(), Status::ProtocolError);
                assert!(error.text().contains(text), "{:?}: {}", input, error.text());
            }
        }
    }
}
