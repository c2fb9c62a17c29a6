//! Message headers: an ordered multimap and its wire form.

use std::borrow::Borrow;
use std::ffi::{CStr, CString};
use std::hash::{Hash, Hasher};

use indexmap::IndexMap;

use super::blank::{is_space, trim};
use crate::error::{Error, Result, Status};

const VERSION: &[u8] = b"NATS/1.0";
const CRLF: &[u8] = b"\r\n";
const STATUS: &[u8] = b"Status";
const DESCRIPTION: &[u8] = b"Description";
const STATUS_LEN: usize = 3;

/// Headers of a message: case-sensitive keys, each with one or more values in the order they were added. A
/// value can be absent (`None`), which goes out as an empty one.
///
/// Keys and values are C strings with an address of their own: a pointer to one stays valid, also when the
/// map moves or grows, until that key is set or deleted or the map is dropped. Bytes from a NUL on are cut off.
#[derive(Clone, Debug, Default)]
pub struct HeaderMap {
    entries: IndexMap<Key, Vec<Option<CString>>>,
}

impl HeaderMap {
    pub fn new() -> HeaderMap {
        HeaderMap::default()
    }

    /// Replaces all values of `key` with this one.
    pub fn set(&mut self, key: &[u8], value: Option<&[u8]>) {
        let values = self.values_mut(key);
        values.clear();
        values.push(value.map(c_string));
    }

    /// Adds a value to those of `key`.
    pub fn add(&mut self, key: &[u8], value: Option<&[u8]>) {
        self.values_mut(key).push(value.map(c_string));
    }

    /// The first value of `key`; the outer `None` if there is no such key.
    pub fn get(&self, key: &[u8]) -> Option<Option<&CStr>> {
        self.values(key)?.next()
    }

    /// All values of `key`, at least one.
    pub fn values(&self, key: &[u8]) -> Option<impl ExactSizeIterator<Item = Option<&CStr>>> {
        Some(self.entries.get(key)?.iter().map(Option::as_deref))
    }

    pub fn keys(&self) -> impl ExactSizeIterator<Item = &CStr> {
        self.entries.keys().map(|key| key.0.as_c_str())
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Removes `key` with all its values; whether it was there.
    pub fn delete(&mut self, key: &[u8]) -> bool {
        self.entries.shift_remove(key).is_some()
    }

    /// Number of bytes [`HeaderMap::encode`] writes: at least 12.
    pub fn encoded_len(&self) -> usize {
        let lines: usize = self.lines().map(|(key, value)| key.len() + value.len() + 4).sum();
        VERSION.len() + CRLF.len() + lines + CRLF.len()
    }

    /// The wire form: version line, a line per value, an empty line. A CR or LF inside a value becomes a space.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.encoded_len());
        out.extend_from_slice(VERSION);
        out.extend_from_slice(CRLF);
        for (key, value) in self.lines() {
            out.extend_from_slice(key);
            out.extend_from_slice(b": ");
            let start = out.len();
            out.extend_from_slice(value);
            for at in memchr::memchr2_iter(b'\r', b'\n', value) {
                out[start + at] = b' ';
            }
            out.extend_from_slice(CRLF);
        }
        out.extend_from_slice(CRLF);
        out
    }

    /// Reads the wire form. A status behind the version becomes the headers `Status` and `Description`,
    /// which replace lines of that name. Folded lines are joined with one space.
    ///
    /// Fails with `PROTOCOL_ERROR`.
    pub fn parse(raw: &[u8]) -> Result<HeaderMap> {
        if raw.len() < VERSION.len() + CRLF.len() || !raw.starts_with(VERSION) {
            return malformed("header prefix missing", raw);
        }
        let (first_line, mut rest) = split_line(raw).unwrap_or((raw, b""));
        if rest.is_empty() {
            return malformed("early termination of headers", first_line);
        }
        let mut headers = HeaderMap::new();
        while !is_end(rest) {
            rest = headers.parse_field(rest)?;
        }
        headers.apply_inline_status(&first_line[VERSION.len()..]);
        Ok(headers)
    }

    /// Reads one field with its folded lines; gives what follows it.
    fn parse_field<'a>(&mut self, text: &'a [u8]) -> Result<&'a [u8]> {
        if text[0] == b'\r' {
            return malformed("invalid start of a key", text);
        }
        if is_space(&text[0]) {
            return malformed("key cannot start with a space", text);
        }
        // The colon is looked for beyond the end of the line: that is how the reference reads it.
        let Some(colon) = memchr::memchr(b':', until_nul(text)) else {
            return malformed("column delimiter not found", text);
        };
        let key = &text[..colon];
        let (first, mut rest) = parse_value(key, &text[colon + 1..])?;
        let is_folded = |rest: &[u8]| rest.first().is_some_and(|byte| is_space(byte) && *byte != b'\r');
        if !is_folded(rest) {
            self.add(key, Some(first));
            return Ok(rest);
        }
        let mut value = until_nul(first).to_vec();
        while is_folded(rest) {
            let (folded, after) = parse_value(key, rest)?;
            value.push(b' ');
            value.extend_from_slice(until_nul(folded));
            rest = after;
        }
        self.add(key, Some(&value));
        Ok(rest)
    }

    fn apply_inline_status(&mut self, text: &[u8]) {
        let (status, description) = split_status(text);
        if status.is_empty() {
            return;
        }
        self.set(STATUS, Some(status));
        if !description.is_empty() {
            self.set(DESCRIPTION, Some(description));
        }
    }

    fn values_mut(&mut self, key: &[u8]) -> &mut Vec<Option<CString>> {
        // Looked up first, so that the key keeps its address.
        match self.entries.get_index_of(until_nul(key)) {
            Some(index) => &mut self.entries[index],
            None => self.entries.entry(Key(c_string(key))).or_default(),
        }
    }

    fn lines(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.entries.iter().flat_map(|(key, values)| {
            values.iter().map(|value| (key.0.to_bytes(), value.as_deref().unwrap_or_default().to_bytes()))
        })
    }
}

/// The status on the version line of raw headers (`503`), found without parsing the rest.
pub fn inline_status(raw: &[u8]) -> Option<&[u8]> {
    let text = raw.strip_prefix(VERSION)?;
    let line = split_line(text).map_or(text, |(line, _)| line);
    Some(split_status(line).0).filter(|status| !status.is_empty())
}

/// Takes what follows the version apart: spaces, three characters of status, the description.
fn split_status(text: &[u8]) -> (&[u8], &[u8]) {
    let start = text.iter().position(|byte| *byte != b' ').unwrap_or(text.len());
    let text = until_nul(&text[start..]);
    let (status, description) = text.split_at(text.len().min(STATUS_LEN));
    (status, trim(description))
}

/// Hashes like its bytes, so that lookups need no C string.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key(CString);

impl Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        self.0.to_bytes()
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bytes().hash(state);
    }
}

/// Whether nothing but the end of the block is left. One CRLF too many or half of it
/// missing does no harm.
fn is_end(rest: &[u8]) -> bool {
    matches!(rest, b"" | b"\r" | b"\r\n" | b"\r\n\r\n")
}

/// The value up to the next CRLF, without blanks around it, and what follows that CRLF.
fn parse_value<'a>(key: &[u8], text: &'a [u8]) -> Result<(&'a [u8], &'a [u8])> {
    match split_line(text) {
        Some((value, rest)) => Ok((trim(value), rest)),
        None if trim(text).is_empty() => malformed_value("no value found for key", key),
        None => malformed_value("no CRLF found for value of key", key),
    }
}

/// The text before the first CRLF and the text behind it.
fn split_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr_iter(b'\r', text).find(|at| text.get(at + 1) == Some(&b'\n'))?;
    Some((&text[..end], &text[end + CRLF.len()..]))
}

#[track_caller]
fn malformed<T>(problem: &str, text: &[u8]) -> Result<T> {
    let shown = String::from_utf8_lossy(until_nul(text));
    Err(Error::new(Status::ProtocolError, format!("{problem}: {shown}")))
}

#[track_caller]
fn malformed_value<T>(problem: &str, key: &[u8]) -> Result<T> {
    let shown = String::from_utf8_lossy(until_nul(key));
    Err(Error::new(Status::ProtocolError, format!("{problem} {shown}")))
}

fn c_string(text: &[u8]) -> CString {
    CString::new(until_nul(text)).expect("cut at the first NUL")
}

fn until_nul(text: &[u8]) -> &[u8] {
    &text[..memchr::memchr(0, text).unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(raw: &str) -> Vec<(String, Vec<String>)> {
        listing(&HeaderMap::parse(raw.as_bytes()).unwrap())
    }

    fn listing(headers: &HeaderMap) -> Vec<(String, Vec<String>)> {
        let text = |text: &CStr| text.to_str().unwrap().to_owned();
        let values = |key: &CStr| headers.values(key.to_bytes()).unwrap().map(|v| text(v.unwrap())).collect();
        headers.keys().map(|key| (text(key), values(key))).collect()
    }

    fn expect(raw: &str, fields: &[(&str, &[&str])]) {
        let fields: Vec<_> = fields
            .iter()
            .map(|(key, values)| (key.to_string(), values.iter().map(|value| value.to_string()).collect()))
            .collect();
        assert_eq!(parse(raw), fields, "{raw:?}");
    }

    fn failure(raw: &str) -> String {
        let error = HeaderMap::parse(raw.as_bytes()).unwrap_err();
        assert_eq!(error.status(), Status::ProtocolError);
        error.text().to_owned()
    }

    fn encode(headers: &HeaderMap) -> String {
        let out = headers.encode();
        assert_eq!(out.len(), headers.encoded_len());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn set_add_get_delete() {
        let mut headers = HeaderMap::new();
        assert!(headers.is_empty() && headers.get(b"A").is_none() && headers.values(b"A").is_none());
        headers.add(b"A", Some(b"1"));
        headers.add(b"A", None);
        headers.add(b"a", Some(b"x"));
        assert_eq!((headers.len(), headers.keys().len()), (2, 2));
        assert_eq!(headers.get(b"A"), Some(Some(c"1")));
        assert_eq!(headers.values(b"A").unwrap().collect::<Vec<_>>(), [Some(c"1"), None]);
        headers.set(b"A", None);
        assert_eq!(headers.get(b"A"), Some(None));
        assert_eq!(headers.values(b"A").unwrap().len(), 1);
        assert!(headers.delete(b"A") && !headers.delete(b"A"));
        assert_eq!(headers.keys().collect::<Vec<_>>(), [c"a"]);
        headers.set(b"k\0x", Some(b"v\0x"));
        headers.add(b"k\0y", Some(b"w"));
        assert_eq!(headers.get(b"k"), Some(Some(c"v")));
        assert_eq!(headers.values(b"k").unwrap().len(), 2);
    }

    #[test]
    fn pointers_outlive_changes_of_other_keys() {
        let mut headers = HeaderMap::new();
        headers.set(b"A", Some(b"1"));
        let key = headers.keys().next().unwrap().as_ptr();
        let value = headers.get(b"A").unwrap().unwrap().as_ptr();
        for i in 0..200 {
            headers.add(b"A", Some(b"more"));
            headers.set(i.to_string().as_bytes(), Some(b"x"));
        }
        headers.delete(b"7");
        let headers = Box::new(headers);
        assert_eq!(headers.keys().next().unwrap().as_ptr(), key);
        assert_eq!(headers.get(b"A").unwrap().unwrap().as_ptr(), value);
    }

    #[test]
    fn encoding() {
        let mut headers = HeaderMap::new();
        assert_eq!(encode(&headers), "NATS/1.0\r\n\r\n");
        headers.add(b"A", Some(b"1"));
        headers.add(b"B", Some(b"x\r\ny\nz\r"));
        headers.add(b"A", None);
        assert_eq!(encode(&headers), "NATS/1.0\r\nA: 1\r\nA: \r\nB: x  y z \r\n\r\n");
        headers.delete(b"A");
        headers.delete(b"B");
        assert_eq!(headers.encoded_len(), 12);
    }

    #[test]
    fn parsed_fields() {
        expect("NATS/1.0\r\n\r\n", &[]);
        expect(
            "NATS/1.0\r\nA:b\r\nB :  c d \t\r\na:\r\n\r\n",
            &[("A", &["b"]), ("B ", &["c d"]), ("a", &[""])],
        );
        expect("NATS/1.0\r\nA:b\r\nB:d\r\nA:c\r\n\r\n", &[("A", &["b", "c"]), ("B", &["d"])]);
        expect("NATS/1.0\r\nkCRLF\r\nfoo:bar\r\n\r\n", &[("kCRLF\r\nfoo", &["bar"])]);
        expect("NATS/1.0\r\nA: b\nc\rd\r\n\r\n", &[("A", &["b\nc\rd"])]);
        expect("NATS/1.0\r\nA: b \r\n c \r\n\td\r\n\r\n", &[("A", &["b c d"])]);
        expect("NATS/1.0\r\nA:\r\n\tx\r\n  \r\n\r\n", &[("A", &[" x "])]);
        expect("NATS/1.0\r\nA: b\0c\r\n \0d\r\n e\r\n\r\n", &[("A", &["b  e"])]);
        expect("NATS/1.0\r\nA: b\r\n: c\r\n\r\n", &[("A", &["b"]), ("", &["c"])]);
        for end in ["", "\r", "\r\n", "\r\n\r\n"] {
            expect(&format!("NATS/1.0\r\nA: b\r\n{end}"), &[("A", &["b"])]);
        }
    }

    #[test]
    fn inline_statuses() {
        for (line, status, description) in [
            (" 503", "503", None),
            ("503", "503", None),
            ("   503  ", "503", None),
            (" 50", "50", None),
            (" 503X", "503", Some("X")),
            (" 100  Hello  World  ", "100", Some("Hello  World")),
            (" 5\t3 x", "5\t3", Some("x")),
            ("\t503", "\t50", Some("3")),
            (" 123 \0x", "123", None),
        ] {
            let raw = format!("NATS/1.0{line}\r\n\r\n");
            let fields = [("Status", status), ("Description", description.unwrap_or_default())];
            let fields: Vec<_> = fields.map(|(k, v)| (k.to_owned(), vec![v.to_owned()])).into();
            assert_eq!(parse(&raw), fields[..1 + usize::from(description.is_some())], "{line:?}");
            assert_eq!(inline_status(raw.as_bytes()), Some(status.as_bytes()), "{line:?}");
        }
        expect("NATS/1.0  \r\n\r\n", &[]);
        for raw in
            ["", "NATS/1.0", "NATS/1.0\r\nStatus: 503\r\n\r\n", "NATS/1.0  \r\n\r\n", "NATS/2.0 503\r\n"]
        {
            assert_eq!(inline_status(raw.as_bytes()), None, "{raw:?}");
        }
        let both = "\r\nStatus: 1\r\nDescription: z\r\n\r\n";
        expect(&format!("NATS/1.0 404 No{both}"), &[("Status", &["404"]), ("Description", &["No"])]);
        expect(&format!("NATS/1.0 404{both}"), &[("Status", &["404"]), ("Description", &["z"])]);
    }

    #[test]
    fn malformed_blocks() {
        for (raw, text) in [
            ("", "header prefix missing: "),
            ("NATS/1.0\r", "header prefix missing: NATS/1.0\r"),
            ("nats/1.0\r\n\r\n", "header prefix missing: nats/1.0\r\n\r\n"),
            ("NATS/1.0xxxxx", "early termination of headers: NATS/1.0xxxxx"),
            ("NATS/1.0 5\r\n", "early termination of headers: NATS/1.0 5"),
            ("NATS/1.0\r\n A: b\r\n\r\n", "key cannot start with a space:  A: b\r\n\r\n"),
            ("NATS/1.0\r\nA:b\r\n\r\nC:d\r\n\r\n", "invalid start of a key: \r\nC:d\r\n\r\n"),
            ("NATS/1.0\r\nA\r\n\r\n", "column delimiter not found: A\r\n\r\n"),
            ("NATS/1.0\r\nA\0q: b\r\n\r\n", "column delimiter not found: A"),
            ("NATS/1.0\r\nA: b", "no CRLF found for value of key A"),
            ("NATS/1.0\r\nA: b\r\n c", "no CRLF found for value of key A"),
            ("NATS/1.0\r\nA: ", "no value found for key A"),
            ("NATS/1.0\r\nA:b\r\n ", "no value found for key A"),
            ("NATS/1.0\r\nA:b\r\n:", "no value found for key "),
        ] {
            assert_eq!(failure(raw), text, "{raw:?}");
        }
        assert!(HeaderMap::parse(b"NATS/1.0\r\n\xff\xff").is_err());
    }

    #[test]
    fn what_is_encoded_parses_back() {
        let mut headers = HeaderMap::new();
        headers.add(b"A", Some(b"1"));
        headers.add(b"A", Some(b"2"));
        headers.add(b"B", Some(b""));
        assert_eq!(listing(&HeaderMap::parse(&headers.encode()).unwrap()), listing(&headers));
    }
}
