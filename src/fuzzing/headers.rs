//! Header blocks: reading, looking up, changing and writing agree; the look without parsing sees the same.

use indexmap::IndexMap;

use crate::proto::headers::{HeaderMap, inline_status};

type Fields = IndexMap<Vec<u8>, Vec<Vec<u8>>>;

pub fn run(data: &[u8]) {
    block(data);
    // Most inputs lack the version line and would end there.
    block(&[b"NATS/1.0\r\n", data].concat());
}

fn block(raw: &[u8]) {
    let Ok(headers) = HeaderMap::parse(raw) else {
        let error = HeaderMap::parse(raw).expect_err("a block is malformed at every look");
        assert!(!error.text().is_empty());
        return;
    };
    quick_look_agrees(raw, &headers);
    look_ups_agree(&headers);
    what_is_written_reads_the_same(&headers);
    deleting_leaves_the_others(headers);
}

fn quick_look_agrees(raw: &[u8], headers: &HeaderMap) {
    if let Some(status) = inline_status(raw) {
        let parsed = headers.get(b"Status").flatten().expect("a status on the version line is a header");
        assert_eq!(parsed.to_bytes(), status);
        assert_eq!(headers.values(b"Status").map(|values| values.len()), Some(1));
    }
}

fn look_ups_agree(headers: &HeaderMap) {
    assert_eq!(headers.is_empty(), headers.keys().next().is_none());
    assert_eq!(headers.keys().count(), headers.len());
    for key in headers.keys() {
        let mut values = headers.values(key.to_bytes()).expect("a key has values");
        assert!(values.len() > 0);
        assert_eq!(values.next(), headers.get(key.to_bytes()));
    }
    assert!(headers.get(b"no such key\r\n\r\n:").is_none());
}

fn what_is_written_reads_the_same(headers: &HeaderMap) {
    let wire = headers.encode().expect("there is memory");
    assert_eq!(wire.len(), headers.encoded_len());
    let again = HeaderMap::parse(&wire).expect("what is written can be read");
    assert!(fields(&again).iter().eq(fields(headers).iter()), "{headers:?} became {again:?}");
    let settled = again.encode().expect("there is memory");
    let third = HeaderMap::parse(&settled).and_then(|third| third.encode());
    assert_eq!(third.ok(), Some(settled), "from then on nothing changes");
}

fn deleting_leaves_the_others(mut headers: HeaderMap) {
    let keys: Vec<Vec<u8>> = headers.keys().map(|key| key.to_bytes().to_vec()).collect();
    let Some((first, others)) = keys.split_first() else { return };
    assert!(headers.delete(first) && !headers.delete(first));
    assert!(headers.keys().map(|key| key.to_bytes()).eq(others));
    let writes_lines = first.iter().any(|byte| matches!(byte, b'\r' | b'\n' | b':'));
    assert_eq!(headers.add(first, Some(b"1")).is_err(), writes_lines);
    if !writes_lines {
        headers.add(first, None).expect("as before");
        assert_eq!(headers.values(first).map(|values| values.len()), Some(2));
        headers.set(first, Some(b"2")).expect("as before");
        assert_eq!(headers.get(first), Some(Some(c"2")));
    }
}

/// Keys and values in order, as they look on the wire: a line end is a space there, and blanks around a value
/// do not count.
fn fields(headers: &HeaderMap) -> Fields {
    let mut fields = Fields::new();
    for key in headers.keys() {
        let values = headers.values(key.to_bytes()).expect("a key has values");
        let values = values.map(|value| trimmed(&joined(value.unwrap_or_default().to_bytes())).to_vec());
        let key = joined(key.to_bytes());
        fields.entry(key).or_default().extend(values);
    }
    fields
}

fn joined(text: &[u8]) -> Vec<u8> {
    text.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }).collect()
}

/// As C's `isspace` sees blanks.
fn trimmed(text: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | 0x09..=0x0d);
    let start = text.iter().position(|byte| !blank(byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    &text[start..end]
}
