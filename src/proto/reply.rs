//! Reply subjects of multiplexed requests: `<inbox prefix><12 characters>.0_<id>`.
//!
//! The `0_` keeps ordinary requests apart from JetStream contexts, which use `<n>_` with n >= 1 below the
//! same prefix.

use super::memory;
use crate::error::Result;

const DIGITS: &[u8; BASE as usize] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE: u64 = 62;
/// Enough base 62 digits for 64 bits.
const ID_LEN: usize = 11;
const MARK: &[u8] = b"0_";
/// Characters taken from the end of an identifier.
const UNIQUE_LEN: usize = 12;

/// What the reply subjects of one connection start with.
#[derive(Clone, Debug)]
pub struct ReplyPrefix {
    /// `<inbox prefix><12 characters>.*`
    wildcard: Vec<u8>,
}

impl ReplyPrefix {
    /// `inbox_prefix` ends with a dot (`_INBOX.`); the last 12 characters of `nuid` make it unique.
    pub fn new(inbox_prefix: &[u8], nuid: &[u8; super::nuid::LEN]) -> Result<ReplyPrefix> {
        let unique = &nuid[nuid.len() - UNIQUE_LEN..];
        Ok(ReplyPrefix { wildcard: memory::concat(&[inbox_prefix, unique, b".*"])? })
    }

    /// The subject to subscribe to for all replies.
    pub fn wildcard(&self) -> &[u8] {
        &self.wildcard
    }

    /// Appends the reply subject of request `id` to `out`.
    pub fn reply(&self, id: u64, out: &mut Vec<u8>) -> Result<()> {
        out.try_reserve(self.prefix().len() + MARK.len() + ID_LEN)?;
        out.extend_from_slice(self.prefix());
        out.extend_from_slice(MARK);
        out.extend_from_slice(&encode(id));
        Ok(())
    }

    /// The request that `subject` answers; none if this connection would not have made such a subject.
    pub fn parse(&self, subject: &[u8]) -> Option<u64> {
        let id = subject.strip_prefix(self.prefix())?.strip_prefix(MARK)?;
        decode(id.try_into().ok()?)
    }

    /// Whether `subject` is one of this connection's reply subjects, of a request or not.
    pub fn matches(&self, subject: &[u8]) -> bool {
        subject.starts_with(self.prefix())
    }

    /// Everything before the last token, final dot included.
    fn prefix(&self) -> &[u8] {
        &self.wildcard[..self.wildcard.len() - 1]
    }
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

    fn reply(id: u64) -> String {
        let mut out = Vec::new();
        prefix().reply(id, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn shapes() {
        assert_eq!(prefix().wildcard(), b"_INBOX.PV326I42MJPA.*");
        assert_eq!(reply(0), "_INBOX.PV326I42MJPA.0_00000000000");
        assert_eq!(reply(1), "_INBOX.PV326I42MJPA.0_10000000000");
        assert_eq!(reply(61), "_INBOX.PV326I42MJPA.0_z0000000000");
        assert_eq!(reply(62 * 10), "_INBOX.PV326I42MJPA.0_0A000000000");
        let mut out = b"PUB s ".to_vec();
        prefix().reply(0, &mut out).unwrap();
        assert!(out.starts_with(b"PUB s _INBOX."));
    }

    #[test]
    fn ids_survive_the_round_trip() {
        for id in (0..64).map(|bit| 1u64 << bit).chain([0, 61, 62, 3843, 3844, u64::MAX]) {
            assert_eq!(prefix().parse(reply(id).as_bytes()), Some(id));
        }
    }

    #[test]
    fn foreign_subjects() {
        for subject in [
            "",
            "_INBOX.PV326I42MJPA",
            "_INBOX.PV326I42MJPA.",
            "_INBOX.PV326I42MJPA.*",
            "_INBOX.PV326I42MJPA.0_",
            "_INBOX.PV326I42MJPA.0_0000000000",
            "_INBOX.PV326I42MJPA.0_000000000000",
            "_INBOX.PV326I42MJPA.1_00000000000",
            "_INBOX.PV326I42MJPA.0_0000000000-",
            "_INBOX.PV326I42MJPA.0_zzzzzzzzzzz",
            "_INBOX.XV326I42MJPA.0_00000000000",
            "mapped.0_00000000000",
        ] {
            assert_eq!(prefix().parse(subject.as_bytes()), None, "{subject:?}");
        }
    }
}
