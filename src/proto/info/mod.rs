//! The server's INFO record.

mod field;

use std::borrow::Cow;

pub(crate) use self::field::MAX_URLS;
use self::field::{Field, MAX_TEXT, Record};
use crate::error::{Result, Status, fail};

/// Longest INFO line, in bytes with its line end: a server announces the others of its cluster in it.
pub(crate) const MAX_LINE: usize = 16 << 20;
/// Deepest nesting of an INFO's JSON.
const MAX_DEPTH: usize = 64;

/// What a server says about itself. Every INFO replaces the whole record: a field it leaves out (or sets to
/// `null`) has its default, which is zero, false, empty or none.
#[derive(Clone, Debug, Default)]
pub struct ServerInfo {
    pub server_id: String,
    pub server_name: String,
    pub version: String,
    pub host: String,
    pub port: i64,
    pub auth_required: bool,
    pub tls_required: bool,
    pub tls_available: bool,
    /// Largest accepted message (headers and payload together), in bytes.
    pub max_payload: i64,
    /// `host:port` of the cluster's servers, the first [`MAX_URLS`] of them.
    pub connect_urls: Vec<String>,
    pub proto: i64,
    /// Zero when the server gave none.
    pub client_id: u64,
    pub nonce: Option<String>,
    pub client_ip: Option<String>,
    /// The server is about to go away (`ldm` on the wire).
    pub lame_duck: bool,
    pub headers: bool,
}

impl ServerInfo {
    /// Parses the JSON text of an INFO line. Blank text is an empty record, unknown fields are ignored, the
    /// last of several equal fields wins, and bytes that are not UTF-8 are replaced.
    ///
    /// Fails with `ERR` for bad JSON, `PROTOCOL_ERROR` for a field of the wrong type or beyond the limits
    /// above, and `NO_MEMORY`.
    pub fn parse(json: &[u8]) -> Result<ServerInfo> {
        if json.trim_ascii().is_empty() {
            return Ok(ServerInfo::default());
        }
        check_limits(json)?;
        let mut fields = Fields(Record::parse(&utf8(json)?)?);
        Ok(ServerInfo {
            server_id: fields.text("server_id")?.unwrap_or_default(),
            server_name: fields.text("server_name")?.unwrap_or_default(),
            version: fields.text("version")?.unwrap_or_default(),
            host: fields.text("host")?.unwrap_or_default(),
            port: fields.integer("port")?,
            auth_required: fields.flag("auth_required")?,
            tls_required: fields.flag("tls_required")?,
            tls_available: fields.flag("tls_available")?,
            max_payload: fields.integer("max_payload")?,
            connect_urls: fields.texts("connect_urls")?,
            proto: fields.integer("proto")?,
            client_id: fields.unsigned("client_id")?,
            nonce: fields.text("nonce")?,
            client_ip: fields.text("client_ip")?,
            lame_duck: fields.flag("ldm")?,
            headers: fields.flag("headers")?,
        })
    }
}

/// What the JSON reader would have to keep is bounded before it begins, as it cannot do without memory: the
/// nesting, and texts with escapes.
fn check_limits(json: &[u8]) -> Result<()> {
    let (mut depth, mut at) = (0_usize, 0);
    while at < json.len() {
        match json[at] {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => at = check_text(json, at + 1)?,
            _ => {}
        }
        if depth > MAX_DEPTH {
            return fail(Status::ProtocolError, "Invalid protocol: INFO is nested too deeply");
        }
        at += 1;
    }
    Ok(())
}

/// Gives the place of the quote that ends the text.
fn check_text(json: &[u8], start: usize) -> Result<usize> {
    let (mut at, mut escapes) = (start, false);
    while at < json.len() && json[at] != b'"' {
        let escape = json[at] == b'\\';
        escapes |= escape;
        at += if escape { 2 } else { 1 };
    }
    if escapes && at - start > MAX_TEXT {
        return fail(Status::ProtocolError, "Invalid protocol: text in INFO is too long");
    }
    Ok(at)
}

/// The text, with bytes that are not UTF-8 replaced.
fn utf8(json: &[u8]) -> Result<Cow<'_, str>> {
    if let Ok(text) = std::str::from_utf8(json) {
        return Ok(text.into());
    }
    let mut text = String::new();
    for chunk in json.utf8_chunks() {
        text.try_reserve(chunk.valid().len() + char::REPLACEMENT_CHARACTER.len_utf8())?;
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    Ok(text.into())
}

/// The fields still to be taken.
struct Fields(Record);

impl Fields {
    fn take(&mut self, name: &str) -> Result<Option<Field>> {
        match self.0.take(name) {
            None | Some(Field::Null) => Ok(None),
            Some(Field::NoMemory) => Err(Status::NoMemory.into()),
            Some(Field::LongText) => {
                fail(Status::ProtocolError, format!("Invalid protocol: INFO field '{name}' is too long"))
            }
            field => Ok(field),
        }
    }

    fn text(&mut self, name: &str) -> Result<Option<String>> {
        match self.take(name)? {
            None => Ok(None),
            Some(Field::Text(text)) => Ok(Some(text)),
            Some(_) => wrong_type(name),
        }
    }

    fn texts(&mut self, name: &str) -> Result<Vec<String>> {
        match self.take(name)? {
            None => Ok(Vec::new()),
            Some(Field::Texts(texts)) => Ok(texts),
            Some(_) => wrong_type(name),
        }
    }

    fn flag(&mut self, name: &str) -> Result<bool> {
        match self.take(name)? {
            None => Ok(false),
            Some(Field::Flag(flag)) => Ok(flag),
            Some(_) => wrong_type(name),
        }
    }

    /// Fractions are cut off, numbers out of range saturate.
    fn integer(&mut self, name: &str) -> Result<i64> {
        match self.take(name)? {
            None => Ok(0),
            Some(Field::Negative(number)) => Ok(number),
            Some(Field::Whole(number)) => Ok(i64::try_from(number).unwrap_or(i64::MAX)),
            Some(Field::Float(number)) => Ok(number as i64),
            Some(_) => wrong_type(name),
        }
    }

    /// As [`Fields::integer`], but a negative number is taken modulo 2^64 as C does.
    fn unsigned(&mut self, name: &str) -> Result<u64> {
        match self.take(name)? {
            None => Ok(0),
            Some(Field::Negative(number)) => Ok(number as u64),
            Some(Field::Whole(number)) => Ok(number),
            Some(Field::Float(number)) => Ok(number as u64),
            Some(_) => wrong_type(name),
        }
    }
}

fn wrong_type<T>(name: &str) -> Result<T> {
    fail(Status::ProtocolError, format!("Invalid protocol: INFO field '{name}' has the wrong type"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> ServerInfo {
        ServerInfo::parse(json.as_bytes()).unwrap()
    }

    #[test]
    fn all_fields() {
        let info = parse(
            r#"{"server_id":"ID","server_name":"N","version":"2.15.1","proto":1,"git_commit":"c","go":"go1",
            "host":"0.0.0.0","port":4222,"headers":true,"tls_available":true,"tls_required":true,
            "auth_required":true,"max_payload":1048576,"jetstream":true,"client_id":18446744073709551615,
            "client_ip":"127.0.0.1","nonce":"abc","xkey":"X","ldm":true,"connect_urls":["a:1","[::1]:2"]}"#,
        );
        assert_eq!((info.server_id.as_str(), info.server_name.as_str()), ("ID", "N"));
        assert_eq!((info.version.as_str(), info.host.as_str(), info.port), ("2.15.1", "0.0.0.0", 4222));
        assert!(info.headers && info.tls_available && info.tls_required && info.auth_required);
        assert!(info.lame_duck);
        assert_eq!((info.max_payload, info.proto, info.client_id), (1048576, 1, u64::MAX));
        assert_eq!(info.connect_urls, ["a:1", "[::1]:2"]);
        assert_eq!((info.nonce.as_deref(), info.client_ip.as_deref()), (Some("abc"), Some("127.0.0.1")));
    }

    #[test]
    fn missing_and_null_are_defaults() {
        for json in
            ["", "  ", "{}", r#"{"max_payload":null,"connect_urls":null,"headers":null,"nonce":null}"#]
        {
            let info = parse(json);
            assert_eq!((info.max_payload, info.client_id, info.headers), (0, 0, false));
            assert!(info.connect_urls.is_empty() && info.nonce.is_none() && info.client_ip.is_none());
        }
        assert_eq!(parse(r#"{"client_ip":""}"#).client_ip.as_deref(), Some(""));
    }

    #[test]
    fn lenient_values() {
        assert_eq!(parse(r#"{"server_id":"a","server_id":"b"}"#).server_id, "b");
        assert_eq!(parse(r#"{"server_id":"a\u0000b"}"#).server_id, "a");
        assert_eq!(parse(r#"{"max_payload":1.5}"#).max_payload, 1);
        assert_eq!(parse(r#"{"max_payload":1e3}"#).max_payload, 1000);
        assert_eq!(parse(r#"{"max_payload":-5}"#).max_payload, -5);
        assert_eq!(parse(r#"{"max_payload":99999999999999999999}"#).max_payload, i64::MAX);
        assert_eq!(parse(r#"{"client_id":-1}"#).client_id, u64::MAX);
        assert_eq!(parse(r#"{"client_id":5.9}"#).client_id, 5);
        assert_eq!(parse(r#"{"x":{"y":[1,[2],{"a":null}]},"port":3}"#).port, 3);
        assert_eq!(ServerInfo::parse(b"{\"server_id\":\"a\xff\"}").unwrap().server_id, "a\u{fffd}");
    }

    #[test]
    fn bad_syntax_is_an_error_and_a_wrong_type_a_protocol_error() {
        for json in ["null", "[]", "{", "{} x", r#"{"a":1,}"#] {
            assert_eq!(ServerInfo::parse(json.as_bytes()).unwrap_err().status(), Status::Err, "{json}");
        }
        for json in [
            r#"{"max_payload":"1"}"#,
            r#"{"headers":1}"#,
            r#"{"headers":"true"}"#,
            r#"{"server_id":1}"#,
            r#"{"connect_urls":"a:1"}"#,
            r#"{"connect_urls":["a:1",3]}"#,
            r#"{"client_id":true}"#,
            r#"{"nonce":5}"#,
        ] {
            let error = ServerInfo::parse(json.as_bytes()).unwrap_err();
            assert_eq!(error.status(), Status::ProtocolError, "{json}");
        }
    }

    fn status(json: &[u8]) -> Status {
        ServerInfo::parse(json).unwrap_err().status()
    }

    #[test]
    fn what_is_ignored_may_be_anything() {
        let json =
            r#"{"x":[1,-2,3e9,"a\n",null,{"y":[[]]}],"server_id":"a","connect_urls":[],"\u0068ost":"h"}"#;
        let info = parse(json);
        assert_eq!((info.server_id.as_str(), info.host.as_str()), ("a", "h"));
        let elements = format!(r#"{{"x":[{}0],"port":7}}"#, "0,".repeat(1 << 20));
        assert_eq!(parse(&elements).port, 7);
        let long = format!(r#"{{"x":"{}","port":7}}"#, "y".repeat(1 << 20));
        assert_eq!(parse(&long).port, 7);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let text = |len: usize, more: &str| format!(r#"{{"server_id":"{}{more}"}}"#, "x".repeat(len));
        assert_eq!(parse(&text(MAX_TEXT, "")).server_id.len(), MAX_TEXT);
        assert_eq!(status(text(MAX_TEXT + 1, "").as_bytes()), Status::ProtocolError);
        assert_eq!(parse(&text(MAX_TEXT - 2, "\\n")).server_id.len(), MAX_TEXT - 1);
        assert_eq!(status(text(MAX_TEXT, "\\n").as_bytes()), Status::ProtocolError);
        let nested = |depth: usize| format!(r#"{{"x":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
        assert!(ServerInfo::parse(nested(MAX_DEPTH - 1).as_bytes()).is_ok());
        assert_eq!(status(nested(MAX_DEPTH).as_bytes()), Status::ProtocolError);
        let urls: Vec<String> = (0..MAX_URLS + 9).map(|i| format!("\"h{i}:1\"")).collect();
        let info = parse(&format!(r#"{{"connect_urls":[{}],"port":7}}"#, urls.join(",")));
        assert_eq!(
            (info.connect_urls.len(), info.connect_urls[MAX_URLS - 1].as_str()),
            (MAX_URLS, "h32767:1")
        );
        assert_eq!(info.port, 7);
        let long = format!(r#"{{"connect_urls":["{}:1","b:2"]}}"#, "x".repeat(MAX_TEXT));
        assert_eq!(parse(&long).connect_urls, ["b:2"]);
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced_at_any_place() {
        let info = ServerInfo::parse(b"{\"server_id\":\"\xffa\xc3\",\"port\":5}").unwrap();
        assert_eq!((info.server_id.as_str(), info.port), ("\u{fffd}a\u{fffd}", 5));
    }

    /// Nothing a server can send makes this panic, and what is cut off is never taken for whole.
    #[test]
    fn every_start_of_a_record_is_refused() {
        let json =
            br#"{"server_id":"a\u00e4\"b","port":-2e1,"headers":true,"x":[{"y":null}],"connect_urls":["a"]}"#;
        for end in 1..json.len() {
            assert_eq!(status(&json[..end]), Status::Err, "{:?}", String::from_utf8_lossy(&json[..end]));
        }
    }
}
