//! Server URLs: `[scheme://][user[:password]@]host[:port[/path]]`.

use core::net::IpAddr;

use super::blank::trim;
use super::memory::{self, concat};
use crate::error::{Error, Result, Status, fail, shown};

/// The server that a program means when it names none.
pub(crate) const DEFAULT_URL: &[u8] = b"nats://localhost:4222";
const DEFAULT_SCHEME: &[u8] = b"nats";
const DEFAULT_HOST: &[u8] = b"localhost";
const DEFAULT_PORT: u32 = 4222;
const MAX_PORT: u32 = i32::MAX as u32;

/// A server URL taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerUrl {
    /// Text before `://`, as written; `nats` when there was none.
    pub scheme: Vec<u8>,
    /// Percent-decoded, never empty.
    pub user: Option<Vec<u8>>,
    /// Percent-decoded; may be empty (`user:@host`), and may be there without a user.
    pub password: Option<Vec<u8>>,
    /// Never empty; an IPv6 address keeps its brackets.
    pub host: Vec<u8>,
    /// At most 2^31-1: a port above 65535 parses and only fails when connecting.
    pub port: u32,
    /// What follows the first `/` after the port, without that `/`.
    pub path: Vec<u8>,
    /// Canonical form, with defaults filled in and the credentials still percent-encoded.
    pub full: Vec<u8>,
}

impl ServerUrl {
    /// Parses one URL; blanks around it are ignored.
    ///
    /// Fails with `INVALID_ARG` for blank text or a bad port, with `ERR` for a bad percent escape in the
    /// credentials, and with `NO_MEMORY`.
    pub fn parse(text: &[u8]) -> Result<ServerUrl> {
        let text = trim(text);
        if text.is_empty() {
            return fail(Status::InvalidArg, "empty URL");
        }
        let (scheme, user_info, address) = parts(text);
        let scheme = scheme.unwrap_or(DEFAULT_SCHEME);
        let (user, password) = match memchr::memchr(b':', user_info) {
            Some(at) => (&user_info[..at], Some(&user_info[at + 1..])),
            None => (user_info, None),
        };
        let (host, port, path) = split_address(address)?;
        Ok(ServerUrl {
            scheme: memory::copy(scheme)?,
            user: Some(percent_decode(user)?).filter(|user| !user.is_empty()),
            password: password.map(percent_decode).transpose()?,
            host: memory::copy(host)?,
            port,
            path: memory::copy(path)?,
            full: canonical(scheme, user, password.unwrap_or_default(), host, port, path)?,
        })
    }

    /// `host:port`, the key under which the server pool knows this server.
    pub fn host_port(&self) -> Result<Vec<u8>> {
        join_host_port(&self.host, self.port)
    }

    /// The host as the resolver wants it: an IPv6 address without brackets.
    pub fn resolvable_host(&self) -> &[u8] {
        self.host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]")).unwrap_or(&self.host)
    }

    /// `nats://host:port`, whatever the scheme was: fit to be shown, as it carries no credentials.
    pub fn public(&self) -> Result<Vec<u8>> {
        concat(&[b"nats://", &self.host, b":", self.port.to_string().as_bytes()])
    }

    /// Whether the scheme asks for TLS (`tls`, in any case).
    pub fn is_tls(&self) -> bool {
        self.scheme.eq_ignore_ascii_case(b"tls")
    }

    /// Whether the host is an IP address rather than a name.
    pub fn is_ip(&self) -> bool {
        std::str::from_utf8(self.resolvable_host()).is_ok_and(|host| host.parse::<IpAddr>().is_ok())
    }
}

/// A URL as written but for the credentials in it: fit to be shown, though it may be none.
pub fn without_credentials(text: &[u8]) -> Result<Vec<u8>> {
    match parts(text) {
        (Some(scheme), _, address) => concat(&[scheme, b"://", address]),
        (None, _, address) => memory::copy(address),
    }
}

/// What stands before `://`, if that does, between it and the last `@`, and behind that.
fn parts(text: &[u8]) -> (Option<&[u8]>, &[u8], &[u8]) {
    let (scheme, rest) = match memchr::memmem::find(text, b"://") {
        Some(at) => (Some(&text[..at]), &text[at + 3..]),
        None => (None, text),
    };
    match memchr::memrchr(b'@', rest) {
        Some(at) => (scheme, &rest[..at], &rest[at + 1..]),
        None => (scheme, &rest[..0], rest),
    }
}

/// Splits `host[:port[/path]]`. The colons inside `[...]` belong to the host; without brackets the last
/// colon counts, and a `/` means a path only behind it.
fn split_address(address: &[u8]) -> Result<(&[u8], u32, &[u8])> {
    let after_brackets = memchr::memrchr(b']', address).unwrap_or(0);
    let colon = memchr::memrchr(b':', &address[after_brackets..]).map(|at| after_brackets + at);
    let (host, port_and_path) = match colon {
        Some(at) => (&address[..at], &address[at + 1..]),
        None => (address, &address[..0]),
    };
    let (port, path) = match memchr::memchr(b'/', port_and_path) {
        Some(at) => (&port_and_path[..at], &port_and_path[at + 1..]),
        None => (port_and_path, &port_and_path[..0]),
    };
    let host = if host.is_empty() { DEFAULT_HOST } else { host };
    Ok((host, parse_port(port)?, path))
}

fn parse_port(text: &[u8]) -> Result<u32> {
    if text.is_empty() {
        return Ok(DEFAULT_PORT);
    }
    text.iter()
        .try_fold(0u32, |port, byte| {
            let digit = byte.is_ascii_digit().then(|| u32::from(byte - b'0'))?;
            port.checked_mul(10)?.checked_add(digit).filter(|port| *port <= MAX_PORT)
        })
        .ok_or_else(|| Error::new(Status::InvalidArg, format!("invalid port '{}'", shown(text))))
}

/// Decodes `%XX`. An encoded NUL ends the text, as credentials are C strings.
fn percent_decode(text: &[u8]) -> Result<Vec<u8>> {
    let mut decoded = Vec::new();
    decoded.try_reserve_exact(text.len())?;
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let (Some(high), Some(low)) = (hex_digit(bytes.next()), hex_digit(bytes.next())) else {
            return fail(Status::Err, format!("invalid percent encoding in URL: {}", shown(text)));
        };
        decoded.push(high << 4 | low);
    }
    if let Some(end) = memchr::memchr(0, &decoded) {
        decoded.truncate(end);
    }
    Ok(decoded)
}

fn hex_digit(byte: Option<&u8>) -> Option<u8> {
    char::from(*byte?).to_digit(16).map(|digit| digit as u8)
}

fn canonical(
    scheme: &[u8],
    user: &[u8],
    password: &[u8],
    host: &[u8],
    port: u32,
    path: &[u8],
) -> Result<Vec<u8>> {
    let colon: &[u8] = if password.is_empty() { b"" } else { b":" };
    // A password without a user gets no `@`: programs compare this text.
    let at: &[u8] = if user.is_empty() { b"" } else { b"@" };
    let slash: &[u8] = if path.is_empty() { b"" } else { b"/" };
    let port = port.to_string();
    concat(&[scheme, b"://", user, colon, password, at, host, b":", port.as_bytes(), slash, path])
}

fn join_host_port(host: &[u8], port: u32) -> Result<Vec<u8>> {
    concat(&[host, b":", port.to_string().as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> ServerUrl {
        ServerUrl::parse(text.as_bytes()).unwrap()
    }

    fn failure(text: &str) -> (Status, String) {
        let error = ServerUrl::parse(text.as_bytes()).unwrap_err();
        (error.status(), error.text().to_owned())
    }

    #[test]
    fn shown_without_credentials() {
        for (text, shown) in [
            ("nats://me:secret@host:4222", "nats://host:4222"),
            ("secret@host", "host"),
            ("tls://host", "tls://host"),
            ("nats://a@b@host:x", "nats://host:x"),
            ("a@b://host", "a@b://host"),
            ("", ""),
        ] {
            assert_eq!(without_credentials(text.as_bytes()).unwrap(), shown.as_bytes());
        }
    }

    #[test]
    fn canonical_form_and_address() {
        for (text, full, host, port) in [
            ("localhost", "nats://localhost:4222", "localhost", 4222),
            (" h:1\t\r\n", "nats://h:1", "h", 1),
            ("foo://h:2", "foo://h:2", "h", 2),
            ("://h", "://h:4222", "h", 4222),
            ("nats://", "nats://localhost:4222", "localhost", 4222),
            ("u:p@:1", "nats://u:p@localhost:1", "localhost", 1),
            ("nats://h:3/path", "nats://h:3/path", "h", 3),
            ("h/path", "nats://h/path:4222", "h/path", 4222),
            ("h:/p", "nats://h:4222/p", "h", 4222),
            ("h:4222/", "nats://h:4222", "h", 4222),
            ("h:12/p/q:3", "nats://h:12/p/q:3", "h:12/p/q", 3),
            ("a://b://c", "a://b:4222//c", "b", 4222),
            ("ivan:localhost:4222", "nats://ivan:localhost:4222", "ivan:localhost", 4222),
            ("[::1]", "nats://[::1]:4222", "[::1]", 4222),
            ("[::1]:5", "nats://[::1]:5", "[::1]", 5),
            ("::1", "nats://::1", ":", 1),
            ("]:3", "nats://]:3", "]", 3),
            ("h:000004", "nats://h:4", "h", 4),
            ("h:99999", "nats://h:99999", "h", 99999),
            ("h:2147483647", "nats://h:2147483647", "h", 2147483647),
            ("nats://a/b@h:1", "nats://a/b@h:1", "h", 1),
            ("a%20b:c%41@h", "nats://a%20b:c%41@h:4222", "h", 4222),
            ("u:@h", "nats://u@h:4222", "h", 4222),
            (":p@h", "nats://:ph:4222", "h", 4222),
            (":@h", "nats://h:4222", "h", 4222),
            ("@h", "nats://h:4222", "h", 4222),
        ] {
            let url = parse(text);
            assert_eq!(String::from_utf8(url.full).unwrap(), full, "{text:?}");
            assert_eq!((url.host.as_slice(), url.port), (host.as_bytes(), port), "{text:?}");
        }
    }

    #[test]
    fn credentials() {
        for (text, user, password) in [
            ("h", None, None),
            ("@h", None, None),
            ("u@h", Some("u"), None),
            ("u:@h", Some("u"), Some("")),
            ("@@localhost", Some("@"), None),
            ("a:b:c@h", Some("a"), Some("b:c")),
            ("::a:b:c@h", None, Some(":a:b:c")),
            ("u@h/p@q", Some("u@h/p"), None),
            ("a%20b:%e2%82%AC@h", Some("a b"), Some("€")),
            ("a%00b:c%00d@h", Some("a"), Some("c")),
            ("nats://u:p@", Some("u"), Some("p")),
        ] {
            let url = parse(text);
            assert_eq!(url.user.as_deref(), user.map(str::as_bytes), "{text:?}");
            assert_eq!(url.password.as_deref(), password.map(str::as_bytes), "{text:?}");
        }
    }

    #[test]
    fn refused_texts() {
        for (text, part) in [
            ("h:2147483648", "2147483648"),
            ("h:99999999999999", "99999999999999"),
            ("h:-1", "-1"),
            ("h:+1", "+1"),
            ("h: 1", " 1"),
            ("h:1a", "1a"),
            ("h:a/b", "a"),
            ("h:1?x", "1?x"),
        ] {
            assert_eq!(failure(text), (Status::InvalidArg, format!("invalid port '{part}'")));
        }
        for (text, part) in [("a%zz@h", "a%zz"), ("u:p%4@h", "p%4"), ("u%:x@h", "u%"), ("u:%@h", "%")] {
            assert_eq!(failure(text), (Status::Err, format!("invalid percent encoding in URL: {part}")));
        }
        assert_eq!(failure("").0, Status::InvalidArg);
        assert_eq!(failure(" \t").0, Status::InvalidArg);
        // Only credentials are percent-encoded.
        assert_eq!(parse("a%b").host, b"a%b");
        assert!(ServerUrl::parse(b"\xff:\xff").is_err());
    }

    #[test]
    fn views() {
        let url = parse("TLS://u:p@[::1]:5/x");
        assert!(url.is_tls() && url.is_ip());
        assert_eq!(url.host_port().unwrap(), b"[::1]:5");
        assert_eq!(url.resolvable_host(), b"::1");
        assert_eq!(url.public().unwrap(), b"nats://[::1]:5");
        assert_eq!(url.path, b"x");
        assert!(parse("127.0.0.1").is_ip());
        let name = parse("TLSx://h");
        assert!(!name.is_tls() && !name.is_ip());
        assert_eq!(name.public().unwrap(), b"nats://h:4222");
    }
}
