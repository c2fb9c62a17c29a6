//! What a client sends after the handshake, byte for byte.

pub const PING: &[u8] = b"PING\r\n";
pub const PONG: &[u8] = b"PONG\r\n";
const CRLF: &[u8] = b"\r\n";

/// Upper bound of what [`publish`] adds besides subject, reply, headers and payload.
pub const PUBLISH_OVERHEAD: usize = 64;

/// `PUB` or, with a header block, `HPUB`, up to the start of the payload.
#[inline]
pub fn publish_line(
    out: &mut Vec<u8>,
    subject: &[u8],
    reply: Option<&[u8]>,
    headers: Option<&[u8]>,
    payload_len: usize,
) {
    let reply_len = reply.map_or(0, |r| r.len() + 1);
    let header_len = headers.map_or(0, <[u8]>::len);
    out.reserve(subject.len() + reply_len + header_len + payload_len + PUBLISH_OVERHEAD);
    out.extend_from_slice(if headers.is_some() { b"HPUB " } else { b"PUB " });
    out.extend_from_slice(subject);
    out.push(b' ');
    if let Some(reply) = reply {
        out.extend_from_slice(reply);
        out.push(b' ');
    }
    if let Some(headers) = headers {
        decimal(out, header_len as u64);
        out.push(b' ');
        decimal(out, (header_len + payload_len) as u64);
        out.extend_from_slice(CRLF);
        out.extend_from_slice(headers);
    } else {
        decimal(out, payload_len as u64);
        out.extend_from_slice(CRLF);
    }
}

/// A whole `PUB` or `HPUB` frame.
#[inline]
pub fn publish(
    out: &mut Vec<u8>,
    subject: &[u8],
    reply: Option<&[u8]>,
    headers: Option<&[u8]>,
    payload: &[u8],
) {
    publish_line(out, subject, reply, headers, payload.len());
    out.extend_from_slice(payload);
    out.extend_from_slice(CRLF);
}

/// `SUB`; without a queue group its place stays empty, as the reference writes it.
pub fn subscribe(out: &mut Vec<u8>, subject: &[u8], queue: Option<&[u8]>, sid: u64) {
    out.extend_from_slice(b"SUB ");
    out.extend_from_slice(subject);
    out.push(b' ');
    out.extend_from_slice(queue.unwrap_or_default());
    out.push(b' ');
    decimal(out, sid);
    out.extend_from_slice(CRLF);
}

/// `UNSUB`, at once or after `max` further messages; the blank after the sid is always there.
pub fn unsubscribe(out: &mut Vec<u8>, sid: u64, max: Option<u64>) {
    out.extend_from_slice(b"UNSUB ");
    decimal(out, sid);
    out.push(b' ');
    if let Some(max) = max {
        decimal(out, max);
    }
    out.extend_from_slice(CRLF);
}

/// The decimal digits of a number.
#[inline]
pub fn decimal(out: &mut Vec<u8>, mut value: u64) {
    if value < 10 {
        out.push(b'0' + value as u8);
        return;
    }
    let mut digits = [0u8; 20];
    let mut i = digits.len();
    while value > 0 {
        i -= 1;
        digits[i] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    out.extend_from_slice(&digits[i..]);
}

/// The publish frames of `unsent`, a run of whole frames written by this module of which the first `sent` bytes
/// went to a connection that is gone. A frame that was sent only in part is kept: the server cannot have used it.
/// Anything else (SUB, UNSUB, PING, PONG) belonged to that connection and is left out.
pub fn publishes_not_sent(unsent: &[u8], sent: usize, out: &mut Vec<u8>) {
    let mut start = 0;
    while start < unsent.len() {
        let frame = &unsent[start..];
        let Some(len) = frame_len(frame) else { return };
        if start + len > sent && matches!(frame[0], b'P' | b'H') && !matches!(frame[1], b'I' | b'O') {
            out.extend_from_slice(&frame[..len]);
        }
        start += len;
    }
}

fn frame_len(frame: &[u8]) -> Option<usize> {
    let line = memchr::memchr(b'\n', frame)? + 1;
    let is_publish = frame.starts_with(b"PUB ") || frame.starts_with(b"HPUB ");
    if !is_publish {
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

    fn encoded(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn frames_are_as_the_contract_says() {
        assert_eq!(encoded(|o| publish(o, b"foo", None, None, b"hello")), "PUB foo 5\r\nhello\r\n");
        assert_eq!(encoded(|o| publish(o, b"foo", Some(b"r"), None, b"")), "PUB foo r 0\r\n\r\n");
        assert_eq!(
            encoded(|o| publish(o, b"foo", Some(b"r"), Some(b"NATS/1.0\r\n\r\n"), b"hello, wide world")),
            "HPUB foo r 12 29\r\nNATS/1.0\r\n\r\nhello, wide world\r\n"
        );
        assert_eq!(encoded(|o| subscribe(o, b"foo", None, 1)), "SUB foo  1\r\n");
        assert_eq!(encoded(|o| subscribe(o, b"foo", Some(b"q"), 12)), "SUB foo q 12\r\n");
        assert_eq!(encoded(|o| unsubscribe(o, 7, None)), "UNSUB 7 \r\n");
        assert_eq!(encoded(|o| unsubscribe(o, 7, Some(10))), "UNSUB 7 10\r\n");
        assert_eq!(encoded(|o| decimal(o, u64::MAX)), u64::MAX.to_string());
    }

    #[test]
    fn only_whole_publishes_survive_a_lost_connection() {
        let mut all = Vec::new();
        publish(&mut all, b"a", None, None, b"1");
        let second = all.len();
        all.extend_from_slice(PING);
        publish(&mut all, b"b", None, Some(b"NATS/1.0\r\n\r\n"), b"PUB");
        subscribe(&mut all, b"x", None, 1);
        publish(&mut all, b"c", None, None, b"");
        let kept = |sent| {
            let mut out = Vec::new();
            publishes_not_sent(&all, sent, &mut out);
            String::from_utf8(out).unwrap()
        };
        let (a, b, c) = ("PUB a 1\r\n1\r\n", "HPUB b 12 15\r\nNATS/1.0\r\n\r\nPUB\r\n", "PUB c 0\r\n\r\n");
        assert_eq!(kept(0), format!("{a}{b}{c}"));
        assert_eq!(kept(1), format!("{a}{b}{c}"));
        assert_eq!(kept(second), format!("{b}{c}"));
        assert_eq!(kept(second + 10), format!("{b}{c}"));
        assert_eq!(kept(all.len() - 1), c);
        assert_eq!(kept(all.len()), "");
    }
}
