//! Message headers: an ordered multimap and its wire form.

use std::borrow::{Borrow, Cow};
use std::ffi::{CStr, CString};
use std::hash::{Hash, Hasher};

use indexmap::IndexMap;

use super::blank::{is_space, trim};
use super::memory::extend;
use crate::error::{Error, Result, Status};

const VERSION: &[u8] = b"NATS/1.0";
const CRLF: &[u8] = b"\r\n";
const STATUS: &[u8] = b"Status";
const DESCRIPTION: &[u8] = b"Description";
const STATUS_LEN: usize = 3;
/// Longest part of malformed headers in an error's text.
const MAX_SHOWN: usize = 255;

/// A value; a C program may have set NULL.
pub(crate) type Value<'a> = Option<&'a CStr>;

/// Headers of a message: case-sensitive keys, each with one or more values in the order they were added. A
/// value can be absent (`None`), which goes out as an empty one.
///
/// Keys and values are C strings with an address of their own: a pointer to one stays valid, also when the
/// map moves or grows, until that key is set or deleted or the map is dropped. A value ends at its first NUL.
///
/// Everything that takes memory fails with `NO_MEMORY` where there is none, since publishers decide how many
/// headers a message has.
#[derive(Clone, Debug, Default)]
pub struct HeaderMap {
    entries: IndexMap<Key, Vec<Option<CString>>>,
    /// Some value has a line break, or some key: only a received block can bring such a one.
    line_breaks: bool,
    /// A malformed line was left out.
    malformed: bool,
}

impl HeaderMap {
    pub fn new() -> HeaderMap {
        HeaderMap::default()
    }

    /// Replaces all values of `key` with this one. A key that would write lines of its own is `INVALID_ARG`.
    pub fn set(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<()> {
        check_key(key)?;
        self.replace(key, value)
    }

    /// Adds a value to those of `key`. Keys are checked as by [`HeaderMap::set`].
    pub fn add(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<()> {
        check_key(key)?;
        self.append(key, value)
    }

    /// The first value of `key`; none if there is no such key.
    pub fn get(&self, key: &[u8]) -> Option<Value<'_>> {
        self.values(key)?.next()
    }

    /// All values of `key`, at least one.
    pub fn values(&self, key: &[u8]) -> Option<impl ExactSizeIterator<Item = Value<'_>>> {
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

    /// Whether the received block had a malformed line, which was left out.
    pub fn is_malformed(&self) -> bool {
        self.malformed
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

    /// The wire form: version line, a line per value, an empty line. A CR or LF inside a value becomes a
    /// space, and so does one inside a key, which only a received block can have.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        out.try_reserve_exact(self.encoded_len())?;
        out.extend_from_slice(VERSION);
        out.extend_from_slice(CRLF);
        for (key, value) in self.lines() {
            let start = out.len();
            out.extend_from_slice(key);
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            if self.line_breaks {
                join_lines(&mut out[start..]);
            }
            out.extend_from_slice(CRLF);
        }
        out.extend_from_slice(CRLF);
        Ok(out)
    }

    /// Reads the wire form, in time linear in its length. A status behind the version becomes the headers
    /// `Status` and `Description`, which replace lines of that name. Folded lines are joined with one space.
    /// A malformed line is left out, if another one follows it.
    ///
    /// Fails with `PROTOCOL_ERROR` when the version or the end of the block is missing; the text is about the
    /// first malformed line.
    pub fn parse(raw: &[u8]) -> Result<HeaderMap> {
        if raw.len() < VERSION.len() + CRLF.len() || !raw.starts_with(VERSION) {
            return Err(Malformed { problem: "header prefix missing: ", text: raw }.error());
        }
        let (first_line, fields) = split_line(raw).unwrap_or((raw, b""));
        if fields.is_empty() {
            return Err(Malformed { problem: "early termination of headers: ", text: first_line }.error());
        }
        let mut headers = HeaderMap::new();
        Reader::new(fields).read_into(&mut headers)?;
        headers.apply_inline_status(&first_line[VERSION.len()..])?;
        Ok(headers)
    }

    fn apply_inline_status(&mut self, text: &[u8]) -> Result<()> {
        let (status, description) = split_status(text);
        if status.is_empty() {
            return Ok(());
        }
        self.replace(STATUS, Some(status))?;
        if !description.is_empty() {
            self.replace(DESCRIPTION, Some(description))?;
        }
        Ok(())
    }

    fn replace(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<()> {
        let value = value.map(|text| self.c_string(text)).transpose()?;
        let values = self.values_mut(key)?;
        values.clear();
        values.push(value);
        Ok(())
    }

    fn append(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<()> {
        let value = value.map(|text| self.c_string(text)).transpose()?;
        self.values_mut(key)?.push(value);
        Ok(())
    }

    /// The values of `key`, with room for one more.
    fn values_mut(&mut self, key: &[u8]) -> Result<&mut Vec<Option<CString>>> {
        // Looked up first, so that the key keeps its address.
        if let Some(index) = self.entries.get_index_of(key) {
            let values = &mut self.entries[index];
            values.try_reserve(1)?;
            return Ok(values);
        }
        let key = Key(self.c_string(key)?);
        let mut values = Vec::new();
        values.try_reserve_exact(1)?;
        if self.entries.len() == self.entries.capacity() {
            self.entries.try_reserve(1).map_err(|_| Error::from(Status::NoMemory))?;
        }
        Ok(self.entries.entry(key).or_insert(values))
    }

    /// A copy, up to the first NUL; notes whether there is a line break in it.
    fn c_string(&mut self, text: &[u8]) -> Result<CString> {
        let mut text = text;
        // Without a branch for each byte; the rare others up to CR do no harm here.
        if text.iter().fold(false, |found, byte| found | (*byte <= b'\r')) {
            text = until_nul(text);
            self.line_breaks |= memchr::memchr2(b'\r', b'\n', text).is_some();
        }
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(text.len() + 1)?;
        bytes.extend_from_slice(text);
        Ok(CString::new(bytes).expect("cut at the first NUL")) // there is room for its NUL
    }

    fn lines(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.entries.iter().flat_map(|(key, values)| {
            values.iter().map(|value| (key.0.to_bytes(), value.as_deref().unwrap_or_default().to_bytes()))
        })
    }
}

/// The status on the version line of raw headers (`503`), found without parsing the rest.
pub(crate) fn inline_status(raw: &[u8]) -> Option<&[u8]> {
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

/// Takes the fields of a block apart. No byte is looked at more often than a few times.
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    /// The next colon or NUL, as far as it is known: nothing before it is one.
    stop: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a [u8]) -> Reader<'a> {
        Reader { text, at: 0, stop: 0 }
    }

    fn read_into(mut self, headers: &mut HeaderMap) -> Result<()> {
        let mut first = None;
        while !is_end(self.rest()) {
            let Some(malformed) = self.field(headers)? else { continue };
            let first = first.get_or_insert(malformed);
            headers.malformed = true;
            match split_line(self.rest()) {
                Some((_, after)) if !after.is_empty() => self.go_on_at(after),
                _ => return Err(first.error()),
            }
        }
        Ok(())
    }

    fn rest(&self) -> &'a [u8] {
        &self.text[self.at..]
    }

    fn go_on_at(&mut self, rest: &[u8]) {
        self.at = self.text.len() - rest.len();
    }

    /// Reads one field with its folded lines, unless its line is malformed. Fails where no line can follow:
    /// when a value has no end.
    fn field(&mut self, headers: &mut HeaderMap) -> Result<Option<Malformed<'a>>> {
        let text = self.rest();
        if text[0] == b'\r' {
            return Ok(Some(Malformed { problem: "invalid start of a key: ", text }));
        }
        if is_space(&text[0]) {
            return Ok(Some(Malformed { problem: "key cannot start with a space: ", text }));
        }
        let Some(key) = self.key() else {
            return Ok(Some(Malformed { problem: "column delimiter not found: ", text }));
        };
        let (first, mut rest) = parse_value(key, &text[key.len() + 1..])?;
        let is_folded = |rest: &[u8]| rest.first().is_some_and(|byte| is_space(byte) && *byte != b'\r');
        if is_folded(rest) {
            let mut value = Vec::new();
            extend(&mut value, until_nul(first))?;
            while is_folded(rest) {
                let (folded, after) = parse_value(key, rest)?;
                extend(&mut value, b" ")?;
                extend(&mut value, until_nul(folded))?;
                rest = after;
            }
            headers.append(key, Some(&value))?;
        } else {
            headers.append(key, Some(first))?;
        }
        self.go_on_at(rest);
        Ok(None)
    }

    /// What is before the next colon, which is looked for beyond the end of the line: that is how the
    /// reference reads it. None if a NUL comes first.
    fn key(&mut self) -> Option<&'a [u8]> {
        if self.stop <= self.at {
            let found = memchr::memchr2(b':', 0, self.rest());
            self.stop = found.map_or(self.text.len(), |offset| self.at + offset);
        }
        (self.text.get(self.stop) == Some(&b':')).then(|| &self.text[self.at..self.stop])
    }
}

/// What is wrong with a block, and where.
#[derive(Clone, Copy)]
struct Malformed<'a> {
    problem: &'static str,
    text: &'a [u8],
}

impl Malformed<'_> {
    #[cold]
    #[track_caller]
    fn error(&self) -> Error {
        Error::new(Status::ProtocolError, format!("{}{}", self.problem, shown(self.text)))
    }
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
    if let Some((value, rest)) = split_line(text) {
        return Ok((trim(value), rest));
    }
    let nothing = trim(text).is_empty();
    let problem = if nothing { "no value found for key " } else { "no CRLF found for value of key " };
    Err(Malformed { problem, text: key }.error())
}

/// The text before the first CRLF and the text behind it.
fn split_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr_iter(b'\r', text).find(|at| text.get(at + 1) == Some(&b'\n'))?;
    Some((&text[..end], &text[end + CRLF.len()..]))
}

/// As much of a text as an error keeps.
fn shown(text: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(until_nul(&text[..text.len().min(MAX_SHOWN)]))
}

/// What would end the line or the key, or be cut off, has no place in a key.
fn check_key(key: &[u8]) -> Result<()> {
    if key.iter().any(|byte| matches!(byte, b'\0' | b'\r' | b'\n' | b':')) {
        return Err(Error::new(Status::InvalidArg, "header key with a line break, a colon or a NUL"));
    }
    Ok(())
}

/// Each CR and LF becomes a space.
#[cold]
fn join_lines(text: &mut [u8]) {
    for byte in text.iter_mut().filter(|byte| matches!(byte, b'\r' | b'\n')) {
        *byte = b' ';
    }
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
        let out = headers.encode().unwrap();
        assert_eq!(out.len(), headers.encoded_len());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn set_add_get_delete() {
        let mut headers = HeaderMap::new();
        assert!(headers.is_empty() && headers.get(b"A").is_none() && headers.values(b"A").is_none());
        headers.add(b"A", Some(b"1")).unwrap();
        headers.add(b"A", None).unwrap();
        headers.add(b"a", Some(b"x")).unwrap();
        assert_eq!((headers.len(), headers.keys().len()), (2, 2));
        assert_eq!(headers.get(b"A"), Some(Some(c"1")));
        assert_eq!(headers.values(b"A").unwrap().collect::<Vec<_>>(), [Some(c"1"), None]);
        headers.set(b"A", None).unwrap();
        assert_eq!(headers.get(b"A"), Some(None));
        assert_eq!(headers.values(b"A").unwrap().len(), 1);
        assert!(headers.delete(b"A") && !headers.delete(b"A"));
        assert_eq!(headers.keys().collect::<Vec<_>>(), [c"a"]);
        headers.set(b"k", Some(b"v\0x")).unwrap();
        headers.add(b"k", Some(b"w")).unwrap();
        assert_eq!(headers.get(b"k"), Some(Some(c"v")));
        assert_eq!(headers.values(b"k").unwrap().len(), 2);
    }

    #[test]
    fn pointers_outlive_changes_of_other_keys() {
        let mut headers = HeaderMap::new();
        headers.set(b"A", Some(b"1")).unwrap();
        let key = headers.keys().next().unwrap().as_ptr();
        let value = headers.get(b"A").unwrap().unwrap().as_ptr();
        for i in 0..200 {
            headers.add(b"A", Some(b"more")).unwrap();
            headers.set(i.to_string().as_bytes(), Some(b"x")).unwrap();
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
        headers.add(b"A", Some(b"1")).unwrap();
        headers.add(b"B", Some(b"x\r\ny\nz\r")).unwrap();
        headers.add(b"A", None).unwrap();
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
    fn keys_cannot_write_lines() {
        let mut headers = HeaderMap::new();
        for bad in [&b"a\r\nb"[..], b"a\n", b"\ra", b"a:", b":", b"a\0b"] {
            assert_eq!(headers.set(bad, Some(b"v")).unwrap_err().status(), Status::InvalidArg);
            assert_eq!(headers.add(bad, None).unwrap_err().status(), Status::InvalidArg);
        }
        assert!(headers.is_empty());
        // A received block can have such a key. It stays one line when it is written anew.
        let headers = HeaderMap::parse(b"NATS/1.0\r\nA\nB\r\nC: d\r\n\r\n").unwrap();
        assert_eq!(headers.get(b"A\nB\r\nC"), Some(Some(c"d")));
        assert_eq!(encode(&headers), "NATS/1.0\r\nA B  C: d\r\n\r\n");
    }

    #[test]
    fn malformed_blocks() {
        for (raw, text) in [
            ("", "header prefix missing: "),
            ("NATS/1.0\r", "header prefix missing: NATS/1.0\r"),
            ("nats/1.0\r\n\r\n", "header prefix missing: nats/1.0\r\n\r\n"),
            ("NATS/1.0xxxxx", "early termination of headers: NATS/1.0xxxxx"),
            ("NATS/1.0 5\r\n", "early termination of headers: NATS/1.0 5"),
            ("NATS/1.0\r\nA:b\r\n\r\nC", "invalid start of a key: \r\nC"),
            ("NATS/1.0\r\nA:b\r\nC\r\n", "column delimiter not found: C\r\n"),
            ("NATS/1.0\r\nA:b\r\nC", "column delimiter not found: C"),
            ("NATS/1.0\r\nA\0q", "column delimiter not found: A"),
            ("NATS/1.0\r\n A: b\r\n", "key cannot start with a space:  A: b\r\n"),
            ("NATS/1.0\r\nA: b", "no CRLF found for value of key A"),
            ("NATS/1.0\r\nA: b\r\n c", "no CRLF found for value of key A"),
            ("NATS/1.0\r\nA: ", "no value found for key A"),
            ("NATS/1.0\r\nA:b\r\n ", "no value found for key A"),
            ("NATS/1.0\r\nA:b\r\n:", "no value found for key "),
        ] {
            assert_eq!(failure(raw), text, "{raw:?}");
        }
        assert!(HeaderMap::parse(b"NATS/1.0\r\n\xff\xff").is_err());
        assert!(failure(&format!("NATS/1.0\r\n{}", "x".repeat(10_000))).len() < 300);
    }

    /// What is malformed is left out where something follows it, as the reference does from the second look
    /// on.
    #[test]
    fn malformed_lines_are_left_out() {
        let x = ("X", &["y"][..]);
        expect("NATS/1.0\r\nK\r\n\r\n", &[]);
        expect("NATS/1.0\r\nK v\r\n\r\n", &[]);
        expect("NATS/1.0\r\n K: a\r\n\r\n", &[]);
        expect("NATS/1.0\r\nX: y\r\nK\r\n\r\n", &[x]);
        expect("NATS/1.0\r\nX: y\r\nK\r\nL\r\n\r\n", &[x]);
        expect("NATS/1.0\r\nK: v\r\n\r\nX: y\r\n\r\n", &[("K", &["v"]), x]);
        expect("NATS/1.0\r\nX: y\r\n\r\n\r\nK: v\r\n\r\n", &[x, ("K", &["v"])]);
        expect("NATS/1.0\r\nX: y\r\n\rK: v\r\n\r\n", &[x]);
        expect("NATS/1.0\r\n\r\n\r\n\r\n", &[]);
        expect("NATS/1.0\r\nA\0q: b\r\nX: y\r\n\r\n", &[x]);
        expect("NATS/1.0\r\n\0\r\nX: y\r\n\r\n", &[x]);
        expect("NATS/1.0\r\nX: y\r\n\0: z\r\n\r\n", &[x]);
        expect("NATS/1.0\r\nX: y\r\nB\r\n\r\nC: 3\r\n\r\n", &[x, ("B\r\n\r\nC", &["3"])]);
        expect("NATS/1.0 503\r\nX: y\r\nK\r\n\r\n", &[x, ("Status", &["503"])]);
        expect("NATS/1.0 503 No\r\n X: y\r\n\r\n", &[("Status", &["503"]), ("Description", &["No"])]);
    }

    /// Whatever a publisher sends, reading ends, gives the same twice, and what was read can be written and
    /// read again.
    #[test]
    fn any_bytes_can_be_read() {
        let pieces: [&[u8]; 14] = [
            b"\r\n",
            b"\r",
            b"\n",
            b":",
            b" ",
            b"\0",
            b"A",
            b"A: b\r\n",
            b"\r\n\r\n",
            b"C:\r\n",
            b"D\r\n",
            b" e\r\n",
            b"\t",
            b"\xff",
        ];
        let mut block = Vec::new();
        for number in 0..pieces.len().pow(4) {
            block.clear();
            block.extend_from_slice(b"NATS/1.0 503 No\r\n");
            let mut rest = number;
            for _ in 0..4 {
                block.extend_from_slice(pieces[rest % pieces.len()]);
                rest /= pieces.len();
            }
            let read = HeaderMap::parse(&block);
            assert_eq!(format!("{read:?}"), format!("{:?}", HeaderMap::parse(&block)));
            let Ok(read) = read else { continue };
            let written = read.encode().unwrap();
            assert_eq!(written.len(), read.encoded_len());
            // Not the same keys: one with a line break or a blank in front is written in another way.
            assert!(HeaderMap::parse(&written).is_ok(), "{:?}", String::from_utf8_lossy(&block));
        }
    }

    #[test]
    fn what_is_encoded_parses_back() {
        let mut headers = HeaderMap::new();
        headers.add(b"A", Some(b"1")).unwrap();
        headers.add(b"A", Some(b"2")).unwrap();
        headers.add(b"B", Some(b"")).unwrap();
        assert_eq!(listing(&HeaderMap::parse(&headers.encode().unwrap()).unwrap()), listing(&headers));
    }
}
