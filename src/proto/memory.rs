//! Bytes whose number somebody else decides: there may be no memory for them, which is no reason to end the process.

use crate::error::Result;

/// Appends; `NO_MEMORY` if there is no room.
pub fn extend(out: &mut Vec<u8>, bytes: &[u8]) -> Result<()> {
    out.try_reserve(bytes.len())?;
    out.extend_from_slice(bytes);
    Ok(())
}

/// Appends one item; `NO_MEMORY` if there is no room.
#[inline(always)]
pub fn push<T>(out: &mut Vec<T>, item: T) -> Result<()> {
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
pub fn copy(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    out.try_reserve_exact(bytes.len())?;
    out.extend_from_slice(bytes);
    Ok(out)
}

/// So many zeros; `NO_MEMORY` if there is no room.
pub fn zeros(count: usize) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    out.try_reserve_exact(count)?;
    out.resize(count, 0);
    Ok(out)
}

/// The items as a list; `NO_MEMORY` if there is no room.
pub fn collect<T>(items: impl ExactSizeIterator<Item = T>) -> Result<Vec<T>> {
    let mut out = Vec::new();
    out.try_reserve_exact(items.len())?;
    out.extend(items);
    Ok(out)
}
