//! What a client sends after the handshake, byte for byte.

use crate::proto::buffer::{Buffer, Cursor, NoMemory};

pub const PING: &[u8] = b"PING\r\n";
pub const PONG: &[u8] = b"PONG\r\n";
pub const CRLF: &[u8; 2] = b"\r\n";

/// Upper bound of what a frame has besides subject, reply, headers and payload.
const OVERHEAD: usize = 64;

/// A whole `PUB` or, with a header block, `HPUB` frame.
#[inline(always)]
pub fn publish(
    out: &mut Buffer,
    subject: &[u8],
    reply: Option<&[u8]>,
    headers: Option<&[u8]>,
    payload: &[u8],
) -> Result<(), NoMemory> {
    let mut frame = publish_head(out, subject, reply, headers, payload.len(), payload.len())?;
    frame.piece(payload);
    frame.array(CRLF);
    frame.finish();
    Ok(())
}

/// The frame up to its payload, for a payload of `payload_len` bytes that goes out from where it is, followed
/// by [`CRLF`].
pub fn publish_without_payload(
    out: &mut Buffer,
    subject: &[u8],
    reply: Option<&[u8]>,
    headers: Option<&[u8]>,
    payload_len: usize,
) -> Result<(), NoMemory> {
    publish_head(out, subject, reply, headers, payload_len, 0)?.finish();
    Ok(())
}

/// Begins a frame that has room for `payload_room` bytes of its payload.
#[inline(always)]
fn publish_head<'a>(
    out: &'a mut Buffer,
    subject: &[u8],
    reply: Option<&[u8]>,
    headers: Option<&[u8]>,
    payload_len: usize,
    payload_room: usize,
) -> Result<Cursor<'a>, NoMemory> {
    let reply_len = reply.map_or(0, <[u8]>::len);
    let header_len = headers.map_or(0, <[u8]>::len);
    let mut frame = out.frame(subject.len() + reply_len + header_len + payload_room + OVERHEAD)?;
    if headers.is_some() {
        frame.byte(b'H');
    }
    frame.array(b"PUB ");
    frame.piece(subject);
    frame.byte(b' ');
    if let Some(reply) = reply {
        frame.piece(reply);
        frame.byte(b' ');
    }
    if headers.is_some() {
        frame.decimal(header_len as u64);
        frame.byte(b' ');
    }
    frame.decimal((header_len + payload_len) as u64);
    frame.array(CRLF);
    if let Some(headers) = headers {
        frame.piece(headers);
    }
    Ok(frame)
}

/// `SUB`; without a queue group its place stays empty, as the reference writes it.
pub fn subscribe(out: &mut Buffer, subject: &[u8], queue: Option<&[u8]>, sid: u64) -> Result<(), NoMemory> {
    let queue = queue.unwrap_or_default();
    let mut frame = out.frame(subject.len() + queue.len() + OVERHEAD)?;
    frame.array(b"SUB ");
    frame.piece(subject);
    frame.byte(b' ');
    frame.piece(queue);
    frame.byte(b' ');
    frame.decimal(sid);
    frame.array(CRLF);
    frame.finish();
    Ok(())
}

/// `UNSUB`, at once or after `max` further messages; the blank after the sid is always there.
pub fn unsubscribe(out: &mut Buffer, sid: u64, max: Option<u64>) -> Result<(), NoMemory> {
    let mut frame = out.frame(OVERHEAD)?;
    frame.array(b"UNSUB ");
    frame.decimal(sid);
    frame.byte(b' ');
    if let Some(max) = max {
        frame.decimal(max);
    }
    frame.array(CRLF);
    frame.finish();
    Ok(())
}

/// An upper bound of the size of a publish frame whose parts are that long.
pub fn publish_size(parts: usize) -> usize {
    parts + OVERHEAD
}

/// Leaves of `frames`, a run of whole frames written by this module, the publishes of which not all went to a
/// connection that is gone; `sent` bytes did. A frame that was sent only in part is kept: the server cannot
/// have used it. Anything else (SUB, UNSUB, PING, PONG) belonged to that connection. Also left out are frames
/// that start where `withdrawn` says.
pub fn keep_publishes(frames: &mut Buffer, sent: usize, withdrawn: impl Fn(usize) -> bool) {
    let (mut start, mut kept) = (0, 0);
    while let Some(len) = frame_len(&frames.as_slice()[start..]) {
        let frame = start..start + len;
        if frame.end > sent && is_publish(&frames.as_slice()[start..]) && !withdrawn(start) {
            frames.move_down(frame.clone(), kept);
            kept += len;
        }
        start = frame.end;
    }
    frames.truncate(kept);
}

fn is_publish(frame: &[u8]) -> bool {
    frame.starts_with(b"PUB ") || frame.starts_with(b"HPUB ")
}

fn frame_len(frame: &[u8]) -> Option<usize> {
    let line = memchr::memchr(b'\n', frame)? + 1;
    if !is_publish(frame) {
        return Some(line);
    }
    let size = frame[..line].trim_ascii_end().rsplit(|b| *b == b' ').next()?;
    let size = size.iter().fold(0usize, |n, d| n * 10 + usize::from(d - b'0'));
    let len = line + size + CRLF.len();
    (len <= frame.len()).then_some(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(buffer: &Buffer) -> String {
        String::from_utf8(buffer.as_slice().to_vec()).unwrap()
    }

    fn encoded(write: impl FnOnce(&mut Buffer) -> Result<(), NoMemory>) -> String {
        let mut out = Buffer::default();
        write(&mut out).unwrap();
        text(&out)
    }

    #[test]
    fn frames_are_as_the_contract_says() {
        assert_eq!(encoded(|o| publish(o, b"foo", None, None, b"hello")), "PUB foo 5\r\nhello\r\n");
        assert_eq!(encoded(|o| publish(o, b"foo", Some(b"r"), None, b"")), "PUB foo r 0\r\n\r\n");
        assert_eq!(
            encoded(|o| publish(o, b"foo", Some(b"r"), Some(b"NATS/1.0\r\n\r\n"), b"hello, wide world")),
            "HPUB foo r 12 29\r\nNATS/1.0\r\n\r\nhello, wide world\r\n"
        );
        assert_eq!(
            encoded(|o| publish_without_payload(o, b"foo", None, Some(b"NATS/1.0\r\n\r\n"), 70000)),
            "HPUB foo 12 70012\r\nNATS/1.0\r\n\r\n"
        );
        assert_eq!(encoded(|o| subscribe(o, b"foo", None, 1)), "SUB foo  1\r\n");
        assert_eq!(encoded(|o| subscribe(o, b"foo", Some(b"q"), 12)), "SUB foo q 12\r\n");
        assert_eq!(encoded(|o| unsubscribe(o, 7, None)), "UNSUB 7 \r\n");
        assert_eq!(encoded(|o| unsubscribe(o, 7, Some(10))), "UNSUB 7 10\r\n");
    }

    #[test]
    fn only_whole_publishes_survive_a_lost_connection() {
        let mut all = Buffer::default();
        publish(&mut all, b"a", None, None, b"1").unwrap();
        let second = all.len();
        all.extend_from_slice(PING).unwrap();
        let third = all.len();
        publish(&mut all, b"b", None, Some(b"NATS/1.0\r\n\r\n"), b"PUB").unwrap();
        subscribe(&mut all, b"x", None, 1).unwrap();
        publish(&mut all, b"c", None, None, b"").unwrap();
        let kept = |sent, withdrawn: &[usize]| {
            let mut left = Buffer::default();
            left.extend_from_slice(all.as_slice()).unwrap();
            keep_publishes(&mut left, sent, |start| withdrawn.contains(&start));
            text(&left)
        };
        let (a, b, c) = ("PUB a 1\r\n1\r\n", "HPUB b 12 15\r\nNATS/1.0\r\n\r\nPUB\r\n", "PUB c 0\r\n\r\n");
        assert_eq!(kept(0, &[]), format!("{a}{b}{c}"));
        assert_eq!(kept(1, &[]), format!("{a}{b}{c}"));
        assert_eq!(kept(second, &[]), format!("{b}{c}"));
        assert_eq!(kept(second + 10, &[]), format!("{b}{c}"));
        assert_eq!(kept(all.len() - 1, &[]), c);
        assert_eq!(kept(all.len(), &[]), "");
        assert_eq!(kept(0, &[third]), format!("{a}{c}"));
        assert_eq!(kept(0, &[0, third]), c);
    }
}
