//! Memory the C program releases with `free()`: it comes from libc's `malloc`, never from Rust's allocator.

use std::ffi::c_char;

use crate::error::{Result, Status};

/// A `malloc`ed, NUL-terminated copy of `text`.
pub(crate) fn string(text: &[u8]) -> Result<*mut c_char> {
    let copy = block(text.len() + 1)?;
    // SAFETY: the block has room for the text and its NUL.
    unsafe {
        copy.copy_from_nonoverlapping(text.as_ptr(), text.len());
        copy.add(text.len()).write(0);
    }
    Ok(copy.cast())
}

/// A `malloc`ed copy of a slice of plain values; an empty slice still gives a block.
pub(crate) fn array<T: Copy>(items: &[T]) -> Result<*mut T> {
    let copy = block(size_of_val(items).max(1))?.cast::<T>();
    // SAFETY: the block has room for all items and malloc aligns it for any of them.
    unsafe { copy.copy_from_nonoverlapping(items.as_ptr(), items.len()) };
    Ok(copy)
}

/// A `malloc`ed array of `malloc`ed strings, all to be freed by the C program.
pub(crate) fn strings(texts: &[Vec<u8>]) -> Result<*mut *mut c_char> {
    let array = block((texts.len() * size_of::<*mut c_char>()).max(1))?.cast::<*mut c_char>();
    for (i, text) in texts.iter().enumerate() {
        match string(text) {
            // SAFETY: the block has room for that many pointers.
            Ok(copy) => unsafe { array.add(i).write(copy) },
            Err(e) => {
                // SAFETY: made above and handed to nobody.
                unsafe {
                    (0..i).for_each(|i| libc::free(array.add(i).read().cast()));
                    libc::free(array.cast());
                }
                return Err(e);
            }
        }
    }
    Ok(array)
}

fn block(size: usize) -> Result<*mut u8> {
    // SAFETY: malloc takes any size.
    let block = unsafe { libc::malloc(size) };
    if block.is_null() { Err(Status::NoMemory.into()) } else { Ok(block.cast()) }
}
