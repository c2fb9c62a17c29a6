//! The CONNECT line.

use crate::error::Result;

const VERSION: &[u8] = env!("CARGO_PKG_VERSION").as_bytes();

/// What the client tells the server when connecting. A `None` is left out of the line, an empty text is sent.
#[derive(Clone, Copy, Default)]
pub(crate) struct ConnectFields<'a> {
    pub verbose: bool,
    pub pedantic: bool,
    pub nkey: Option<&'a [u8]>,
    pub jwt: Option<&'a [u8]>,
    /// Signature of the server's nonce, base64url without padding.
    pub sig: Option<&'a [u8]>,
    pub user: Option<&'a [u8]>,
    pub pass: Option<&'a [u8]>,
    pub auth_token: Option<&'a [u8]>,
    pub tls_required: bool,
    /// Name of the connection, may be empty.
    pub name: &'a [u8],
    pub echo: bool,
    pub headers: bool,
    pub no_responders: bool,
}

impl ConnectFields<'_> {
    /// The complete line, `CONNECT {...}` and CRLF. Texts are escaped for JSON, except that bytes which are
    /// not UTF-8 go out as they are. The vector never grew, and has room for a short frame more: no copy of a
    /// secret is left behind. `NO_MEMORY` if there is no room.
    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        let mut line = Line(Vec::new());
        line.0.try_reserve_exact(self.room())?;
        line.0.extend_from_slice(b"CONNECT {");
        line.flag(b"verbose", self.verbose);
        line.flag(b"pedantic", self.pedantic);
        line.optional_text(b"nkey", self.nkey);
        line.optional_text(b"jwt", self.jwt);
        line.optional_text(b"sig", self.sig);
        line.optional_text(b"user", self.user);
        line.optional_text(b"pass", self.pass);
        line.optional_text(b"auth_token", self.auth_token);
        line.flag(b"tls_required", self.tls_required);
        line.text(b"name", self.name);
        line.text(b"lang", b"C");
        line.text(b"version", VERSION);
        line.raw(b"protocol", b"1");
        line.flag(b"echo", self.echo);
        line.flag(b"headers", self.headers);
        line.flag(b"no_responders", self.no_responders);
        Ok(line.finish())
    }
}

impl ConnectFields<'_> {
    /// Bytes that are enough for the line and a PING.
    fn room(&self) -> usize {
        const FIXED: usize = 512;
        const LONGEST_ESCAPE: usize = 6;
        let texts = [self.nkey, self.jwt, self.sig, self.user, self.pass, self.auth_token, Some(self.name)];
        FIXED + texts.iter().flatten().map(|text| text.len() * LONGEST_ESCAPE).sum::<usize>()
    }
}

/// The line being written.
struct Line(Vec<u8>);

impl Line {
    fn raw(&mut self, name: &[u8], value: &[u8]) {
        self.key(name);
        self.0.extend_from_slice(value);
    }

    fn flag(&mut self, name: &[u8], value: bool) {
        self.raw(name, if value { b"true" } else { b"false" });
    }

    fn optional_text(&mut self, name: &[u8], value: Option<&[u8]>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    fn text(&mut self, name: &[u8], value: &[u8]) {
        self.key(name);
        self.0.push(b'"');
        value.iter().for_each(|byte| self.escaped(*byte));
        self.0.push(b'"');
    }

    fn key(&mut self, name: &[u8]) {
        if self.0.last() != Some(&b'{') {
            self.0.push(b',');
        }
        self.0.push(b'"');
        self.0.extend_from_slice(name);
        self.0.extend_from_slice(b"\":");
    }

    fn escaped(&mut self, byte: u8) {
        let short = match byte {
            b'"' | b'\\' => byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0c => b'f',
            0x00..0x20 => return self.0.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => return self.0.push(byte),
        };
        self.0.extend_from_slice(&[b'\\', short]);
    }

    fn finish(mut self) -> Vec<u8> {
        self.0.extend_from_slice(b"}\r\n");
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_never_grows() {
        let (long, control) = ([b'x'; 3000], [1; 3000]);
        let fields = ConnectFields {
            jwt: Some(&long),
            pass: Some(&control),
            nkey: Some(b""),
            sig: Some(b""),
            user: Some(b""),
            auth_token: Some(b""),
            name: &control,
            ..ConnectFields::default()
        };
        for fields in [fields, ConnectFields::default()] {
            let line = fields.encode().unwrap();
            assert!(line.len() + b"PING\r\n".len() <= fields.room());
            assert_eq!(line.capacity(), fields.room(), "grew");
        }
    }

    #[test]
    fn plain_line() {
        let fields = ConnectFields { echo: true, headers: true, no_responders: true, ..Default::default() };
        assert_eq!(
            String::from_utf8(fields.encode().unwrap()).unwrap(),
            "CONNECT {\"verbose\":false,\"pedantic\":false,\"tls_required\":false,\"name\":\"\",\
             \"lang\":\"C\",\"version\":\"3.14.0\",\"protocol\":1,\"echo\":true,\"headers\":true,\
             \"no_responders\":true}\r\n"
        );
    }

    #[test]
    fn every_field_in_order() {
        let fields = ConnectFields {
            verbose: true,
            pedantic: true,
            nkey: Some(b"NK"),
            jwt: Some(b"J"),
            sig: Some(b"S"),
            user: Some(b"u"),
            pass: Some(b""),
            auth_token: Some(b"t"),
            tls_required: true,
            name: b"n",
            echo: false,
            headers: false,
            no_responders: false,
        };
        assert_eq!(
            String::from_utf8(fields.encode().unwrap()).unwrap(),
            "CONNECT {\"verbose\":true,\"pedantic\":true,\"nkey\":\"NK\",\"jwt\":\"J\",\"sig\":\"S\",\
             \"user\":\"u\",\"pass\":\"\",\"auth_token\":\"t\",\"tls_required\":true,\"name\":\"n\",\
             \"lang\":\"C\",\"version\":\"3.14.0\",\"protocol\":1,\"echo\":false,\"headers\":false,\
             \"no_responders\":false}\r\n"
        );
    }

    #[test]
    fn texts_are_escaped() {
        let fields = ConnectFields { name: b"a\"b\\c/\n\r\t\x08\x0c\x01\x7f\xff{", ..Default::default() };
        let line = fields.encode().unwrap();
        let expected = b"\"name\":\"a\\\"b\\\\c/\\n\\r\\t\\b\\f\\u0001\x7f\xff{\",\"lang\"";
        assert!(memchr::memmem::find(&line, expected).is_some());
    }
}
