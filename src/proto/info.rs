//! The server's INFO record.

use serde_json::{Map, Value};

use crate::error::{Error, Result, Status, fail};

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
    /// `host:port` of the cluster's servers.
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
    /// Fails with `PROTOCOL_ERROR` for bad JSON or a field of the wrong type.
    pub fn parse(json: &[u8]) -> Result<ServerInfo> {
        if json.trim_ascii().is_empty() {
            return Ok(ServerInfo::default());
        }
        let mut fields = Fields(parse_object(json)?);
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

fn parse_object(json: &[u8]) -> Result<Map<String, Value>> {
    serde_json::from_str(&String::from_utf8_lossy(json))
        .map_err(|error| Error::new(Status::Err, format!("Invalid protocol: {error}")))
}

/// The fields still to be taken.
struct Fields(Map<String, Value>);

impl Fields {
    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    fn text(&mut self, name: &str) -> Result<Option<String>> {
        self.take(name).map(|value| into_text(value, name)).transpose()
    }

    fn texts(&mut self, name: &str) -> Result<Vec<String>> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => items.into_iter().map(|item| into_text(item, name)).collect(),
            Some(_) => wrong_type(name),
        }
    }

    fn flag(&mut self, name: &str) -> Result<bool> {
        match self.take(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => wrong_type(name),
        }
    }

    /// Fractions are cut off, numbers out of range saturate.
    fn integer(&mut self, name: &str) -> Result<i64> {
        match self.take(name) {
            None => Ok(0),
            Some(Value::Number(number)) => {
                Ok(number.as_i64().unwrap_or_else(|| number.as_f64().unwrap_or_default() as i64))
            }
            Some(_) => wrong_type(name),
        }
    }

    /// As [`Fields::integer`], but a negative number is taken modulo 2^64 as C does.
    fn unsigned(&mut self, name: &str) -> Result<u64> {
        match self.take(name) {
            None => Ok(0),
            Some(Value::Number(number)) => Ok(number
                .as_u64()
                .or_else(|| number.as_i64().map(|negative| negative as u64))
                .unwrap_or_else(|| number.as_f64().unwrap_or_default() as u64)),
            Some(_) => wrong_type(name),
        }
    }
}

/// The text up to an embedded NUL, since C programs get to see it.
fn into_text(value: Value, name: &str) -> Result<String> {
    let Value::String(mut text) = value else {
        return wrong_type(name);
    };
    if let Some(end) = text.find('\0') {
        text.truncate(end);
    }
    Ok(text)
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
}
