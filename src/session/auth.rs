//! What a server's `-ERR` means, and the rule that two equal authentication errors end a connection.

use crate::proto::blank::{trim_end, trim_start};
use crate::session::pool::AuthError;

/// Longest part of a `-ERR` text that is looked at, in bytes, counted before quotes are taken off.
const MAX_ERR_TEXT: usize = 255;

/// What an error sent by the server asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerErr {
    /// The server missed our PONGs: the same path as a stale connection found by ourselves.
    Stale,
    /// One operation was refused; the connection stays.
    Permissions,
    /// Authentication failed or ran out; the connection stays unless [`note`] says otherwise.
    Auth(AuthError),
    /// Anything else ends the connection.
    Other,
}

/// Takes `-ERR`, blanks and single quotes off both ends of an error line, which is cut at 255 bytes first.
///
/// Works on the whole line (without its line end) and on its argument alone.
pub(crate) fn normalize_err(line: &[u8]) -> Vec<u8> {
    let is_space = |byte: &u8| *byte == b' ';
    let line = trim_start(line, is_space);
    let text = trim_start(line.strip_prefix(b"-ERR").unwrap_or(line), is_space);
    let text = &text[..text.len().min(MAX_ERR_TEXT)];
    trim_end(trim_start(text, |byte| b" '".contains(byte)), |byte| b" '\r\n".contains(byte)).to_vec()
}

/// Classifies a text that went through [`normalize_err`]; case does not matter.
pub(crate) fn classify_err(text: &[u8]) -> ServerErr {
    if text.eq_ignore_ascii_case(b"Stale Connection") {
        ServerErr::Stale
    } else if contains(text, b"Permissions Violation") {
        ServerErr::Permissions
    } else if contains(text, b"Authorization Violation") {
        ServerErr::Auth(AuthError::Violation)
    } else if contains(text, b"User Authentication Expired") {
        ServerErr::Auth(AuthError::Expired)
    } else {
        ServerErr::Other
    }
}

/// Remembers an authentication error of a server; true when it is the second of the same kind in a row, so
/// that the connection has to be given up (unless the program chose to ignore that).
///
/// A successful connect forgets the memory: see [`super::pool::ServerPool::reset_attempts_of_current`].
pub(crate) fn note(last: &mut Option<AuthError>, error: AuthError) -> bool {
    last.replace(error) == Some(error)
}

fn contains(text: &[u8], what: &[u8]) -> bool {
    text.windows(what.len()).any(|part| part.eq_ignore_ascii_case(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_blanks_go_the_inside_stays() {
        for (line, text) in [
            (&b"-ERR 'Stale Connection'"[..], &b"Stale Connection"[..]),
            (b"  ' Stale Connection ' '  ", b"Stale Connection"),
            (b"-ERR '  a 'b' c ' ", b"a 'b' c"),
            (b"-ERRabc", b"abc"),
            (b"-ERR -ERR abc", b"-ERR abc"),
            (b"-ERR \"abc\"", b"\"abc\""),
            (b"-ERR\t'abc\t'", b"\t'abc\t"),
            (b"-ERR ''", b""),
            (b"-ERR", b""),
            (b"", b""),
            (b"-ERR 'x'\r\n", b"x"),
            (b"-ERR '\xff\xfe'", b"\xff\xfe"),
        ] {
            assert_eq!(normalize_err(line), text, "{:?}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn the_cut_comes_before_the_trimming() {
        let line = |blanks: usize, z: usize, tail: &str| {
            format!("-ERR '{}{}{tail}'", " ".repeat(blanks), "z".repeat(z)).into_bytes()
        };
        assert_eq!(normalize_err(&line(0, 300, "")).len(), 254);
        assert_eq!(normalize_err(&line(0, 250, "      abc")).len(), 250);
        assert_eq!(normalize_err(&line(100, 253, "     abc")).len(), 154);
    }

    #[test]
    fn texts_are_classified_without_regard_to_case() {
        use AuthError::*;
        for (text, what) in [
            ("Stale Connection", ServerErr::Stale),
            ("stale connection", ServerErr::Stale),
            ("Stale Connection!", ServerErr::Other),
            ("\tStale Connection", ServerErr::Other),
            ("Permissions Violation for Publish to \"x\"", ServerErr::Permissions),
            ("permissions violation for x", ServerErr::Permissions),
            ("Permissions Violation Authorization Violation", ServerErr::Permissions),
            ("Authorization Violation", ServerErr::Auth(Violation)),
            ("xauthorization violationy", ServerErr::Auth(Violation)),
            ("User Authentication Expired", ServerErr::Auth(Expired)),
            ("Account Authentication Expired", ServerErr::Other),
            ("Maximum Connections Exceeded", ServerErr::Other),
            ("", ServerErr::Other),
        ] {
            assert_eq!(classify_err(text.as_bytes()), what, "{text}");
        }
    }

    #[test]
    fn only_the_same_error_twice_in_a_row_aborts() {
        let mut last = None;
        assert!(!note(&mut last, AuthError::Expired));
        assert!(!note(&mut last, AuthError::Violation));
        assert!(!note(&mut last, AuthError::Expired));
        assert!(note(&mut last, AuthError::Expired));
        last = None;
        assert!(!note(&mut last, AuthError::Expired));
    }
}
