//! Blanks as C's `isspace` sees them: the wire and the options follow it.

/// Whether `byte` is a space, tab, LF, VT, FF or CR.
pub fn is_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// `text` without the blanks around it.
pub fn trim(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !is_space(byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !is_space(byte)).map_or(start, |last| last + 1);
    &text[start..end]
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
    }
}
