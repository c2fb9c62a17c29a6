//! Rules for subjects, queue names and inbox prefixes.

use super::blank::is_space;

/// Whether one can subscribe to `subject`: tokens separated by dots, none of them empty, no blanks. `*` may
/// be any token, `>` only the last one; inside a longer token both are ordinary characters.
pub(crate) fn is_valid(subject: &[u8]) -> bool {
    let mut tokens = subject.split(|byte| *byte == b'.').peekable();
    while let Some(token) = tokens.next() {
        let misplaced = token == b">" && tokens.peek().is_some();
        if misplaced || !is_word(token) {
            return false;
        }
    }
    true
}

/// Whether `queue` is a queue group name: not empty, no blanks.
pub(crate) fn is_valid_queue(queue: &[u8]) -> bool {
    is_word(queue)
}

/// Whether `prefix` (without the final dot) can start inbox subjects: a subject without wildcard tokens.
pub(crate) fn is_valid_prefix(prefix: &[u8]) -> bool {
    prefix.split(|byte| *byte == b'.').all(|token| is_word(token) && token != b"*" && token != b">")
}

/// Whether `subject` can be written on a protocol line without breaking it: no NUL, CR, LF, space or tab.
/// Nothing else is checked; the empty subject passes.
#[inline]
pub(crate) fn is_publishable(subject: &[u8]) -> bool {
    const WORD: usize = size_of::<u64>();
    // The last word overlaps the ones before it, so that there is no rest to look at byte by byte.
    let suspicious = if let Some(tail) = subject.last_chunk::<WORD>() {
        let words = subject.chunks_exact(WORD).map(|word| word.try_into().expect("a whole word"));
        words.chain([*tail]).fold(0, |found, word| found | bytes_up_to_space(word))
    } else if let (Some([a, b, c, d]), Some([e, f, g, h])) = (subject.first_chunk(), subject.last_chunk()) {
        bytes_up_to_space([*a, *b, *c, *d, *e, *f, *g, *h])
    } else {
        1
    };
    suspicious == 0 || subject.iter().all(|byte| !breaks_line(*byte))
}

/// Not zero if a byte of `word` is at most 0x20; the lowest bit set is in the first such byte. Rests on the
/// subtraction's borrow: a byte below 0x21 sets its top bit, and a top bit that was set before does not
/// count.
#[inline]
pub(super) fn bytes_up_to_space(word: [u8; 8]) -> u64 {
    const TOP_BITS: u64 = u64::from_le_bytes([0x80; 8]);
    const LIMIT: u64 = u64::from_le_bytes([b' ' + 1; 8]);
    let word = u64::from_le_bytes(word);
    word.wrapping_sub(LIMIT) & !word & TOP_BITS
}

#[inline]
fn breaks_line(byte: u8) -> bool {
    matches!(byte, b'\0' | b'\t' | b'\n' | b'\r' | b' ')
}

/// Not empty and free of what C's `isspace` calls blank.
fn is_word(token: &[u8]) -> bool {
    !token.is_empty() && !token.iter().any(is_space)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects() {
        for good in ["a", "a.b", "*", ">", "a.*", "*.*", "a.>", "*.>", "a*b", "a>b.c", ">>.a", "**", "a.*b.>"]
        {
            assert!(is_valid(good.as_bytes()), "{good}");
        }
        for bad in
            ["", ".", ".a", "a.", "a..b", ">.a", "a.>.b", ">.>", "a b", " a", "a\tb", "a\n", "a\x0bb", "\r"]
        {
            assert!(!is_valid(bad.as_bytes()), "{bad:?}");
        }
        assert!(is_valid(b"\xff.\x80"));
    }

    #[test]
    fn queues() {
        assert!(is_valid_queue(b"q.*.>..") && is_valid_queue(b"\xff"));
        for bad in ["", "a b", " ", "q\x0c", "q\x0b", "\tq", "q\r\n"] {
            assert!(!is_valid_queue(bad.as_bytes()), "{bad:?}");
        }
    }

    #[test]
    fn prefixes() {
        assert!(is_valid_prefix(b"_MYINBOX") && is_valid_prefix(b"a.b") && is_valid_prefix(b"a*b.c>"));
        for bad in ["", ".", "a.", ".a", "a..b", "*", "a.*", ">", "a.>", "a b", "a\n"] {
            assert!(!is_valid_prefix(bad.as_bytes()), "{bad:?}");
        }
    }

    #[test]
    fn publishable_at_every_length_and_place() {
        assert!(is_publishable(b"") && is_publishable(b"*.>..") && is_publishable(b"\x01\x1f\x7f\x80\xff"));
        for len in 1..40 {
            for at in 0..len {
                for byte in 0..=u8::MAX {
                    let mut subject = vec![b'a'; len];
                    subject[at] = byte;
                    let expected = !b"\0\t\n\r ".contains(&byte);
                    assert_eq!(is_publishable(&subject), expected, "{byte:#x} at {at} of {len}");
                }
            }
        }
    }
}
