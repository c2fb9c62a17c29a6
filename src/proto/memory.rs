//! Bytes whose number somebody else decides: there may be no memory for them, which is no reason to end the
//! process.

use std::ffi::CString;
use std::ops::Deref;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::error::{Error, Result, Status};

/// A text that is copied once and then shared; wiped from memory at the end, as it may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(Arc<Zeroizing<Vec<u8>>>);

impl Text {
    /// `NO_MEMORY` if there is no room.
    pub fn copy(bytes: &[u8]) -> Result<Text> {
        copy(bytes).map(Text::from)
    }
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl From<Vec<u8>> for Text {
    fn from(bytes: Vec<u8>) -> Text {
        Text(Arc::new(Zeroizing::new(bytes)))
    }
}

impl Deref for Text {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// Appends; `NO_MEMORY` if there is no room.
pub(crate) fn extend(out: &mut Vec<u8>, bytes: &[u8]) -> Result<()> {
    out.try_reserve(bytes.len())?;
    out.extend_from_slice(bytes);
    Ok(())
}

/// Appends one item; `NO_MEMORY` if there is no room.
#[inline(always)]
pub(crate) fn push<T>(out: &mut Vec<T>, item: T) -> Result<()> {
    if out.len() == out.capacity() {
        grow(out)?;
    }
    out.push(item);
    Ok(())
}

#[cold]
fn grow<T>(out: &mut Vec<T>) -> Result<()> {
    Ok(out.try_reserve(1)?)
}

/// A copy; `NO_MEMORY` if there is no room.
pub(crate) fn copy(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    out.try_reserve_exact(bytes.len())?;
    out.extend_from_slice(bytes);
    Ok(out)
}

/// So many zeros; `NO_MEMORY` if there is no room.
pub(crate) fn zeros(count: usize) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    out.try_reserve_exact(count)?;
    out.resize(count, 0);
    Ok(out)
}

/// The items as a list; `NO_MEMORY` if there is no room.
pub(crate) fn collect<T>(items: impl ExactSizeIterator<Item = T>) -> Result<Vec<T>> {
    let mut out = Vec::new();
    out.try_reserve_exact(items.len())?;
    out.extend(items);
    Ok(out)
}

/// All pieces as one; `NO_MEMORY` if there is no room.
pub(crate) fn concat(pieces: &[&[u8]]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    out.try_reserve_exact(pieces.iter().map(|piece| piece.len()).sum())?;
    pieces.iter().for_each(|piece| out.extend_from_slice(piece));
    Ok(out)
}

/// A copy as C string; `NO_MEMORY` if there is no room, `INVALID_ARG` for a NUL inside.
pub(crate) fn c_text(bytes: &[u8]) -> Result<CString> {
    let mut out = Vec::new();
    out.try_reserve_exact(bytes.len() + 1)?; // the NUL included, which is appended without asking
    out.extend_from_slice(bytes);
    CString::new(out).map_err(|_| Error::from(Status::InvalidArg))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_there() {
        let mut out = copy(b"ab").unwrap();
        extend(&mut out, b"cd").unwrap();
        push(&mut out, b'e').unwrap();
        assert_eq!(out, b"abcde");
        assert_eq!(zeros(3).unwrap(), [0; 3]);
        assert_eq!(collect([1, 2].into_iter()).unwrap(), [1, 2]);
        assert_eq!(concat(&[b"a", b"", b"bc"]).unwrap(), b"abc");
        assert_eq!(c_text(b"abc").unwrap().as_c_str(), c"abc");
        assert_eq!(c_text(b"a\0c").unwrap_err().status(), Status::InvalidArg);
    }

    #[test]
    fn more_than_there_can_be_is_an_error() {
        assert_eq!(zeros(usize::MAX / 2).unwrap_err().status(), Status::NoMemory);
        let endless = std::iter::repeat_n(0u64, usize::MAX / 16);
        assert_eq!(collect(endless).unwrap_err().status(), Status::NoMemory);
    }

    #[test]
    fn a_text_is_shared_and_not_copied_again() {
        let text = Text::copy(b"secret").unwrap();
        let other = text.clone();
        assert_eq!(text.as_ptr(), other.as_ptr());
        assert_eq!(other.as_ref(), b"secret");
    }
}
