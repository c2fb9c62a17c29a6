//! Which bytes are blank, with them taken off the ends of a text.

/// Whether `byte` is a space, tab, LF, VT, FF or CR, as for C's `isspace`.
pub(crate) fn is_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Whether `byte` is a space or a tab, which part the words of a control line.
#[inline]
pub(crate) fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// `text` without what C's `isspace` accepts at both ends.
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    trim_end(trim_start(text, is_space), is_space)
}

/// `text` from the first byte on that is not blank.
pub(crate) fn trim_start(text: &[u8], blank: impl Fn(&u8) -> bool) -> &[u8] {
    let start = text.iter().position(|byte| !blank(byte)).unwrap_or(text.len());
    &text[start..]
}

/// `text` up to the last byte that is not blank.
pub(crate) fn trim_end(text: &[u8], blank: impl Fn(&u8) -> bool) -> &[u8] {
    let end = text.iter().rposition(|byte| !blank(byte)).map_or(0, |last| last + 1);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trims_both_ends() {
        assert_eq!(trim(b" \t\n\x0b\x0c\ra b\r\n"), b"a b");
        assert_eq!(trim(b" \r\n"), b"");
        assert_eq!(trim(b""), b"");
        assert_eq!(trim(b"\0\xa0"), b"\0\xa0");
        assert_eq!(trim_start(b" \t\n ", is_blank), b"\n ");
        assert_eq!(trim_end(b" \n\t ", is_blank), b" \n");
        assert_eq!((trim_start(b" ", is_blank), trim_end(b" ", is_blank)), (&b""[..], &b""[..]));
    }
}
