//! The client's side of the protocol handshake, line by line, after TCP is connected.

use crate::error::{Error, Result, Status, fail, shown};
use crate::proto::info::ServerInfo;
use crate::session::auth::{ServerErr, classify_err, normalize_err};

/// Longest line that answers CONNECT and PING, in bytes with its line end.
pub(crate) const MAX_REPLY: usize = 32 * 1024;

/// What to do after a line of the answer to CONNECT and PING.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Read another line.
    More,
    /// Connected.
    Done,
}

/// The steps in order: [`Handshake::on_info_line`], [`Handshake::tls_step`], [`Handshake::check_echo`], then
/// CONNECT and PING are written and [`Handshake::on_reply_line`] gets the lines that come back.
#[derive(Debug)]
pub(crate) struct Handshake {
    ok_expected: bool,
}

impl Handshake {
    /// `verbose`: CONNECT asks the server to confirm with `+OK`.
    pub(crate) fn new(verbose: bool) -> Handshake {
        Handshake { ok_expected: verbose }
    }

    /// Takes the server's first line, without CRLF.
    ///
    /// Anything but `INFO` and a blank (or nothing) in front is a protocol error, as is what
    /// [`ServerInfo::parse`] refuses.
    pub(crate) fn on_info_line(line: &[u8]) -> Result<ServerInfo> {
        let (word, json) = match line.iter().position(|b| *b == b' ') {
            Some(at) => (&line[..at], &line[at..]),
            None => (line, &b""[..]),
        };
        match word {
            b"INFO" => ServerInfo::parse(json),
            _ => fail(
                Status::ProtocolError,
                format!("Unexpected protocol: got '{}' instead of 'INFO'", shown(word)),
            ),
        }
    }

    /// Whether to upgrade to TLS now. `secure`: the program asked for it. With TLS from the first byte the
    /// check still applies, the answer does not.
    pub(crate) fn tls_step(info: &ServerInfo, secure: bool) -> Result<bool> {
        if secure && !info.tls_required && !info.tls_available {
            return Err(Status::SecureConnectionWanted.into());
        }
        Ok(secure || info.tls_required)
    }

    /// Fails with no-server-support when own messages are not wanted back and the server cannot do that.
    pub(crate) fn check_echo(info: &ServerInfo, no_echo: bool) -> Result<()> {
        if no_echo && info.proto < 1 {
            return Err(Status::NoServerSupport.into());
        }
        Ok(())
    }

    /// Takes a line that answers CONNECT and PING; its line end may still be there.
    pub(crate) fn on_reply_line(&mut self, line: &[u8]) -> Result<Reply> {
        if self.ok_expected {
            if !line.starts_with(b"+OK") {
                return unexpected("+OK", line);
            }
            self.ok_expected = false;
            return Ok(Reply::More);
        }
        if line.starts_with(b"PONG") {
            return Ok(Reply::Done);
        }
        if line.starts_with(b"-ERR") {
            return Err(refusal(line));
        }
        unexpected("PONG", line)
    }
}

#[track_caller]
fn unexpected(wanted: &str, line: &[u8]) -> Result<Reply> {
    let got = shown(line.trim_ascii_end());
    fail(Status::ProtocolError, format!("Expected '{wanted}', got '{got}'"))
}

#[track_caller]
fn refusal(line: &[u8]) -> Error {
    let text = normalize_err(line);
    let status = match classify_err(&text) {
        ServerErr::Auth(_) => Status::ConnectionAuthFailed,
        _ => Status::Err,
    };
    if text.is_empty() {
        return status.into();
    }
    Error::new(status, shown(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(result: Result<impl std::fmt::Debug>) -> (Status, String) {
        let error = result.unwrap_err();
        (error.status(), error.text().to_owned())
    }

    #[test]
    fn the_first_word_is_info_and_nothing_else() {
        for good in [&b"INFO {}"[..], b"INFO", b"INFO ", b"INFO     {}   "] {
            assert!(Handshake::on_info_line(good).is_ok(), "{:?}", String::from_utf8_lossy(good));
        }
        for (bad, got) in [
            (&b"INFOZ {}"[..], "INFOZ"),
            (b"info {}", "info"),
            (b" INFO {}", ""),
            (b"INFO\t{}", "INFO\t{}"),
            (b"-ERR 'Authorization Violation'", "-ERR"),
            (b"PING", "PING"),
            (b"", ""),
        ] {
            let text = format!("Unexpected protocol: got '{got}' instead of 'INFO'");
            assert_eq!(status(Handshake::on_info_line(bad)), (Status::ProtocolError, text));
        }
    }

    #[test]
    fn the_info_record_is_read() {
        let info = Handshake::on_info_line(br#"INFO {"server_id":"x","proto":1,"max_payload":99}"#).unwrap();
        assert_eq!((info.server_id.as_str(), info.proto, info.max_payload), ("x", 1, 99));
        assert!(Handshake::on_info_line(b"INFO {bad").is_err());
    }

    #[test]
    fn tls_is_decided_by_both_sides() {
        let info = |required, available| ServerInfo {
            tls_required: required,
            tls_available: available,
            ..ServerInfo::default()
        };
        let step = |required, available, secure| Handshake::tls_step(&info(required, available), secure).ok();
        assert_eq!(step(false, false, false), Some(false));
        assert_eq!(step(false, true, false), Some(false));
        assert_eq!(step(true, false, false), Some(true));
        assert_eq!(step(true, false, true), Some(true));
        assert_eq!(step(false, true, true), Some(true));
        let refused = Handshake::tls_step(&info(false, false), true);
        assert_eq!(status(refused).0, Status::SecureConnectionWanted);
    }

    #[test]
    fn no_echo_needs_a_newer_server() {
        let info = |proto| ServerInfo { proto, ..ServerInfo::default() };
        assert!(Handshake::check_echo(&info(0), false).is_ok());
        assert!(Handshake::check_echo(&info(1), true).is_ok());
        assert_eq!(status(Handshake::check_echo(&info(0), true)).0, Status::NoServerSupport);
    }

    #[test]
    fn pong_ends_the_handshake() {
        for line in [&b"PONG"[..], b"PONG\r\n", b"PONGxx"] {
            assert_eq!(Handshake::new(false).on_reply_line(line).unwrap(), Reply::Done);
        }
        for line in ["pong", " PONG", "+OK", "INFO {}", "PING", "", "-err 'abc'"] {
            let text = format!("Expected 'PONG', got '{line}'");
            let answer = Handshake::new(false).on_reply_line(format!("{line}\r\n").as_bytes());
            assert_eq!(status(answer), (Status::ProtocolError, text));
        }
    }

    #[test]
    fn verbose_wants_one_ok_first() {
        let mut shake = Handshake::new(true);
        assert_eq!(shake.on_reply_line(b"+OK").unwrap(), Reply::More);
        assert_eq!(shake.on_reply_line(b"PONG").unwrap(), Reply::Done);
        for line in ["PONG", "+ok", "INFO {}", "-ERR 'Authorization Violation'"] {
            let text = format!("Expected '+OK', got '{line}'");
            let answer = Handshake::new(true).on_reply_line(line.as_bytes());
            assert_eq!(status(answer), (Status::ProtocolError, text));
        }
        let mut shake = Handshake::new(true);
        shake.on_reply_line(b"+OKx").unwrap();
        assert_eq!(status(shake.on_reply_line(b"+OK")).0, Status::ProtocolError);
    }

    #[test]
    fn refusals_carry_their_text() {
        let refuse = |line: &[u8]| status(Handshake::new(false).on_reply_line(line));
        let auth = Status::ConnectionAuthFailed;
        for (line, expected, text) in [
            ("-ERR 'Authorization Violation'", auth, "Authorization Violation"),
            ("-ERR 'authorization violation'", auth, "authorization violation"),
            ("-ERR 'User Authentication Expired'", auth, "User Authentication Expired"),
            ("-ERR 'Permissions Violation for x'", Status::Err, "Permissions Violation for x"),
            ("-ERR 'Stale Connection'", Status::Err, "Stale Connection"),
            ("-ERRabc", Status::Err, "abc"),
            ("-ERR", Status::Err, "Error"),
        ] {
            assert_eq!(refuse(line.as_bytes()), (expected, text.to_owned()), "{line}");
        }
        assert_eq!(refuse(b"-ERR '\xff'"), (Status::Err, "\u{fffd}".to_owned()));
    }
}
