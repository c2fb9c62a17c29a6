//! Texts of `-ERR`: cut, trimmed and classified as the plain rules say, alike in the handshake and later.

use crate::error::Status;
use crate::session::auth::{ServerErr, classify_err, normalize_err, note};
use crate::session::handshake::{Handshake, Reply};
use crate::session::pool::AuthError;

/// Longest part of a text that is looked at.
const MAX: usize = 255;

pub fn run(data: &[u8]) {
    let text = normalize_err(data);
    assert!(text.len() <= MAX);
    assert!(text.first().is_none_or(|byte| !b" '".contains(byte)));
    assert!(text.last().is_none_or(|byte| !b" '\r\n".contains(byte)));
    if !trimmed(data).starts_with(b"-ERR") {
        assert_eq!(normalize_err(&[b"-ERR ", data].concat()), text, "with or without the verb");
    }
    assert_eq!(classify_err(&text), classified(&text));
    remembered(&text);
    handshake(data);
}

fn trimmed(text: &[u8]) -> &[u8] {
    &text[text.iter().position(|byte| *byte != b' ').unwrap_or(text.len())..]
}

/// The rules read slowly.
fn classified(text: &[u8]) -> ServerErr {
    let lower: String = text.iter().map(|byte| char::from(byte.to_ascii_lowercase())).collect();
    match lower.as_str() {
        "stale connection" => ServerErr::Stale,
        text if text.contains("permissions violation") => ServerErr::Permissions,
        text if text.contains("authorization violation") => ServerErr::Auth(AuthError::Violation),
        text if text.contains("user authentication expired") => ServerErr::Auth(AuthError::Expired),
        _ => ServerErr::Other,
    }
}

/// The second of a kind in a row ends the connection.
fn remembered(text: &[u8]) {
    let ServerErr::Auth(error) = classify_err(text) else { return };
    let mut last = None;
    assert!(!note(&mut last, error));
    assert!(note(&mut last, error));
    let other = if error == AuthError::Expired { AuthError::Violation } else { AuthError::Expired };
    assert!(!note(&mut last, other));
}

/// A reply line of the handshake gives what its first bytes say.
fn handshake(line: &[u8]) {
    let mut verbose = Handshake::new(true);
    let first = verbose.on_reply_line(line);
    assert_eq!(first.is_ok(), line.starts_with(b"+OK"));
    let reply = Handshake::new(false).on_reply_line(line);
    if first.is_ok() {
        assert!(verbose.on_reply_line(line).is_err(), "only one +OK is expected");
    }
    match reply {
        Ok(reply) => assert!(reply == Reply::Done && line.starts_with(b"PONG")),
        Err(error) if line.starts_with(b"-ERR") => {
            let auth = matches!(classify_err(&normalize_err(line)), ServerErr::Auth(_));
            assert_eq!(error.status() == Status::ConnectionAuthFailed, auth);
            assert!(!error.text().is_empty());
        }
        Err(error) => assert_eq!(error.status(), Status::ProtocolError),
    }
}
