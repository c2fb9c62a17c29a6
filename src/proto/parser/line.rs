//! Control lines: verbs, arguments, and what is said of wrong ones.

use std::borrow::Cow;

use memchr::memchr;

use crate::error::{Error, Result, Status};
use crate::proto::blank::{is_blank, trim_start};
use crate::proto::info;

/// Longest control line but INFO, in bytes with its line end.
pub(super) const MAX_LINE: usize = 1 << 20;
/// Longest text of an error, in bytes.
pub(super) const MAX_TEXT: usize = 255;

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

/// The verbs, and the states the reference's parser is in behind so many bytes of each, as its error texts
/// tell.
const VERBS: [(&[u8], &[u8]); 7] = [
    (b"MSG ", &[0, 10, 11, 12]),
    (b"HMSG ", &[0, 17, 10, 11, 12]),
    (b"PING", &[0, 18, 19, 20]),
    (b"PONG", &[0, 18, 22, 23]),
    (b"INFO ", &[0, 25, 26, 27, 28]),
    (b"-ERR ", &[0, 4, 5, 6, 7]),
    (b"+OK", &[0, 1, 2]),
];

/// Where a line stops being like any verb.
pub(super) struct WrongVerb {
    pub(super) at: usize,
    state: u8,
}

impl WrongVerb {
    /// `rest` is what was read from the wrong byte on.
    #[cold]
    pub(super) fn error(&self, rest: &[u8]) -> Error {
        Error::new(Status::ProtocolError, text(&format!("Parse Error [{}]: ", self.state), rest))
    }
}

/// Finds out, as soon as it is so, that the start of a line cannot become a known one.
pub(super) fn wrong_verb(start: &[u8]) -> Option<WrongVerb> {
    let mut wrong = WrongVerb { at: 0, state: 0 };
    for (verb, states) in VERBS {
        let same = start.iter().zip(verb).take_while(|(byte, wanted)| fits(**byte, **wanted)).count();
        if same == verb.len().min(start.len()) {
            return None;
        }
        if same > wrong.at {
            wrong = WrongVerb { at: same, state: states[same] };
        }
    }
    Some(wrong)
}

fn fits(byte: u8, wanted: u8) -> bool {
    byte.eq_ignore_ascii_case(&wanted) || (wanted == b' ' && is_blank(&byte))
}

/// Bounds what a line that does not end makes us keep.
pub(super) fn check_length(first: u8, len: usize) -> Result<()> {
    let limit = if first.eq_ignore_ascii_case(&b'I') { info::MAX_LINE } else { MAX_LINE };
    if len <= limit {
        return Ok(());
    }
    Err(Error::new(Status::LineTooLong, format!("control line of more than {limit} bytes")))
}

/// `<subject> <sid> [reply] <size>`, or with headers `<subject> <sid> [reply] <header size> <size>`.
pub(super) fn parse_msg_args(args: &[u8], with_headers: bool) -> Result<MsgLine<'_>> {
    let mut tokens: [&[u8]; 6] = [&[]; 6];
    let count = split(args, &mut tokens);
    let sizes = if with_headers { 2 } else { 1 };
    if count != 2 + sizes && count != 3 + sizes {
        let problem = "processMsgArgs Parse Error: wrong number of arguments";
        return Err(Error::new(Status::ProtocolError, problem));
    }
    let size = body_len(tokens[count - 1]);
    let header_len = if with_headers { body_len(tokens[count - 2]) } else { Some(0) };
    // With headers every fault of the two sizes is called one of the headers' size, as in the reference.
    if with_headers && (size.is_none() || header_len.is_none() || header_len > size) {
        return Err(args_error("Bad or Missing Header Size", args));
    }
    let (Some(size), Some(header_len)) = (size, header_len) else {
        return Err(args_error("Bad or Missing Size", args));
    };
    let sid = decimal(tokens[1]).ok_or_else(|| args_error("Bad or Missing Sid", args))?;
    let reply = (count == 3 + sizes).then(|| tokens[2]);
    Ok(MsgLine { subject: tokens[0], reply, sid, header_len, size })
}

/// Splits at runs of blanks; stops counting one past the room there is.
#[inline]
fn split<'a>(args: &'a [u8], tokens: &mut [&'a [u8]; 6]) -> usize {
    let (mut count, mut i) = (0, 0);
    while i < args.len() {
        if is_blank(&args[i]) {
            i += 1;
            continue;
        }
        let start = i;
        while i < args.len() && !is_blank(&args[i]) {
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

#[cold]
fn args_error(problem: &str, args: &[u8]) -> Error {
    Error::new(
        Status::ProtocolError,
        text(&format!("processMsgArgs {problem}: "), trim_start(args, is_blank)),
    )
}

/// An error's text with what was read, up to a NUL, in quotes. It is cut off like every text of a connection.
fn text(problem: &str, read: &[u8]) -> String {
    let read = &read[..read.len().min(MAX_TEXT)];
    let read: Cow<'_, str> = String::from_utf8_lossy(&read[..memchr(0, read).unwrap_or(read.len())]);
    let mut text = format!("{problem}'{read}'");
    let end = (0..=text.len().min(MAX_TEXT)).rev().find(|end| text.is_char_boundary(*end));
    text.truncate(end.unwrap_or(0));
    text
}
