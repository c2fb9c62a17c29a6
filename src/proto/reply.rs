//! Reply subjects of multiplexed questions: `<inbox prefix><12 characters>.<context>_<id>`.
//!
//! Context 0 are the ordinary requests; each JetStream context has a number of its own, which is never used
//! again.

use super::memory;
use crate::error::Result;

const DIGITS: &[u8; BASE as usize] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE: u64 = 62;
/// Enough base 62 digits for 64 bits.
const ID_LEN: usize = 11;
/// Between a context and an id.
const MARK: u8 = b'_';
/// Enough decimal digits for a context.
const CONTEXT_LEN: usize = 20;
/// Characters taken from the end of an identifier.
const UNIQUE_LEN: usize = 12;

/// What the reply subjects of one connection start with.
#[derive(Clone, Debug)]
pub(crate) struct ReplyPrefix {
    /// `<inbox prefix><12 characters>.*`
    wildcard: Vec<u8>,
}

/// What a reply's subject names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Reply {
        context: u64,
        id: u64,
    },
    /// It is one of this connection's, but no reply has such a subject.
    Nothing,
    /// Not one of this connection's: the server has mapped it.
    Foreign,
}

impl ReplyPrefix {
    /// `inbox_prefix` ends with a dot (`_INBOX.`); the last 12 characters of `nuid` make it unique.
    pub(crate) fn new(inbox_prefix: &[u8], nuid: &[u8; super::nuid::LEN]) -> Result<ReplyPrefix> {
        let unique = &nuid[nuid.len() - UNIQUE_LEN..];
        Ok(ReplyPrefix { wildcard: memory::concat(&[inbox_prefix, unique, b".*"])? })
    }

    /// The subject to subscribe to for all replies.
    pub(crate) fn wildcard(&self) -> &[u8] {
        &self.wildcard
    }

    /// Appends the reply subject of question `id` of a context to `out`.
    pub(crate) fn reply(&self, context: u64, id: u64, out: &mut Vec<u8>) -> Result<()> {
        out.try_reserve(self.prefix().len() + CONTEXT_LEN + 1 + ID_LEN)?;
        out.extend_from_slice(self.prefix());
        append_decimal(out, context);
        out.push(MARK);
        out.extend_from_slice(&encode(id));
        Ok(())
    }

    /// What `subject` answers.
    pub(crate) fn parse(&self, subject: &[u8]) -> Named {
        let Some(token) = subject.strip_prefix(self.prefix()) else { return Named::Foreign };
        parse_token(token).map_or(Named::Nothing, |(context, id)| Named::Reply { context, id })
    }

    /// A quick look: false for a subject that names nothing.
    pub(crate) fn may_answer(&self, subject: &[u8]) -> bool {
        subject.strip_prefix(self.prefix()).is_none_or(|token| token.len() > 1 + ID_LEN)
    }

    /// Everything before the last token, final dot included.
    fn prefix(&self) -> &[u8] {
        &self.wildcard[..self.wildcard.len() - 1]
    }
}

/// To be called with room for it.
fn append_decimal(out: &mut Vec<u8>, number: u64) {
    if number >= 10 {
        append_decimal(out, number / 10);
    }
    out.push(b'0' + (number % 10) as u8);
}

/// Context and id, written as [`ReplyPrefix::reply`] does.
fn parse_token(token: &[u8]) -> Option<(u64, u64)> {
    let (rest, id) = token.split_last_chunk::<ID_LEN>()?;
    let (mark, context) = rest.split_last()?;
    if *mark != MARK {
        return None;
    }
    Some((parse_decimal(context)?, decode(id)?))
}

fn parse_decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || (digits.len() > 1 && digits[0] == b'0') {
        return None;
    }
    digits.iter().try_fold(0u64, |number, byte| match byte {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(u64::from(byte - b'0')),
        _ => None,
    })
}

/// Least significant digit first.
fn encode(id: u64) -> [u8; ID_LEN] {
    let mut rest = id;
    std::array::from_fn(|_| {
        let digit = DIGITS[(rest % BASE) as usize];
        rest /= BASE;
        digit
    })
}

fn decode(text: &[u8; ID_LEN]) -> Option<u64> {
    text.iter().rev().try_fold(0u64, |id, byte| id.checked_mul(BASE)?.checked_add(digit_value(*byte)?))
}

fn digit_value(byte: u8) -> Option<u64> {
    let value = match byte {
        b'0'..=b'9' => byte - b'0',
        b'A'..=b'Z' => byte - b'A' + 10,
        b'a'..=b'z' => byte - b'a' + 36,
        _ => return None,
    };
    Some(u64::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix() -> ReplyPrefix {
        ReplyPrefix::new(b"_INBOX.", b"0123456789PV326I42MJPA").unwrap()
    }

    fn reply(context: u64, id: u64) -> String {
        let mut out = Vec::new();
        prefix().reply(context, id, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn shapes() {
        assert_eq!(prefix().wildcard(), b"_INBOX.PV326I42MJPA.*");
        assert_eq!(reply(0, 0), "_INBOX.PV326I42MJPA.0_00000000000");
        assert_eq!(reply(0, 1), "_INBOX.PV326I42MJPA.0_10000000000");
        assert_eq!(reply(0, 61), "_INBOX.PV326I42MJPA.0_z0000000000");
        assert_eq!(reply(7, 62 * 10), "_INBOX.PV326I42MJPA.7_0A000000000");
        assert_eq!(reply(120, 0), "_INBOX.PV326I42MJPA.120_00000000000");
        let mut out = b"PUB s ".to_vec();
        prefix().reply(0, 0, &mut out).unwrap();
        assert!(out.starts_with(b"PUB s _INBOX."));
    }

    #[test]
    fn contexts_and_ids_survive_the_round_trip() {
        let numbers: Vec<u64> =
            (0..64).map(|bit| 1u64 << bit).chain([0, 9, 10, 61, 62, 3843, 3844, u64::MAX]).collect();
        for (context, id) in numbers.iter().zip(numbers.iter().rev()) {
            let (context, id) = (*context, *id);
            let subject = reply(context, id);
            assert_eq!(prefix().parse(subject.as_bytes()), Named::Reply { context, id });
            assert!(prefix().may_answer(subject.as_bytes()));
        }
    }

    #[test]
    fn own_subjects_that_name_nothing() {
        for (token, short) in [
            ("", true),
            ("*", true),
            ("0_", true),
            ("_00000000000", true),
            ("0_0000000000", true),
            ("0_000000000000", false),
            ("00_00000000000", false),
            ("01_00000000000", false),
            ("-1_00000000000", false),
            ("x_00000000000", false),
            ("0x00000000000", false),
            ("0_0000000000-", false),
            ("0_zzzzzzzzzzz", false),
            ("18446744073709551616_00000000000", false),
        ] {
            let subject = format!("_INBOX.PV326I42MJPA.{token}");
            assert_eq!(prefix().parse(subject.as_bytes()), Named::Nothing, "{subject:?}");
            assert_eq!(prefix().may_answer(subject.as_bytes()), !short, "{subject:?}");
        }
    }

    #[test]
    fn foreign_subjects() {
        for subject in
            ["", "_INBOX.PV326I42MJPA", "_INBOX.XV326I42MJPA.0_00000000000", "mapped.0_00000000000"]
        {
            assert_eq!(prefix().parse(subject.as_bytes()), Named::Foreign, "{subject:?}");
            assert!(prefix().may_answer(subject.as_bytes()), "{subject:?}");
        }
    }
}
