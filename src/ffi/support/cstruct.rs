//! Memory that C programs release: it comes from libc's `malloc`, never from Rust's allocator, and is
//! released along with all it holds.

use std::ffi::{CStr, c_char, c_int, c_uchar};
use std::ptr;

use crate::error::{Result, Status};
use crate::ffi::support::answer::clamped;
use crate::ffi::support::handle::Owned;
use crate::ffi::support::strings;
use crate::ffi::types::natsMsg;

/// A block from `malloc`, or NULL, that is freed unless it is given to C. Not what it refers to.
pub(crate) struct Malloced<T>(*mut T);

impl<T> Malloced<T> {
    pub(crate) const NULL: Malloced<T> = Malloced(ptr::null_mut());

    /// Room for that many values; one byte at least, so that it is never NULL.
    fn room(count: usize) -> Result<Malloced<T>> {
        let size = size_of::<T>().checked_mul(count).ok_or(Status::NoMemory)?;
        // SAFETY: malloc takes any size, and aligns the block for any of its values.
        let block = unsafe { libc::malloc(size.max(1)) };
        if block.is_null() { Err(Status::NoMemory.into()) } else { Ok(Malloced(block.cast())) }
    }

    /// Where a function of the program is to store a block that is the library's then.
    pub(crate) fn place(&mut self) -> *mut *mut T {
        &raw mut self.0
    }

    pub(crate) fn as_ptr(&self) -> *const T {
        self.0
    }

    /// Gives the block to the program, which frees it.
    pub(crate) fn into_c(mut self) -> *mut T {
        std::mem::replace(&mut self.0, ptr::null_mut())
    }

    /// Takes a block back that was given to the program, or that a function of the program has made.
    ///
    /// # Safety
    /// It comes from `malloc`, or is NULL, and nobody uses it afterwards.
    pub(crate) unsafe fn from_c(block: *mut T) -> Malloced<T> {
        Malloced(block)
    }
}

impl<T> Drop for Malloced<T> {
    fn drop(&mut self) {
        // SAFETY: NULL or a block from `malloc` that nobody else frees.
        unsafe { libc::free(self.0.cast()) };
    }
}

impl Malloced<c_char> {
    /// A NUL-terminated copy of a text.
    pub(crate) fn text(text: &[u8]) -> Result<Malloced<c_char>> {
        let copy = Malloced::<c_char>::room(text.len() + 1)?;
        // SAFETY: the block has room for the text and its NUL.
        unsafe {
            copy.0.copy_from_nonoverlapping(text.as_ptr().cast(), text.len());
            copy.0.add(text.len()).write(0);
        }
        Ok(copy)
    }

    /// The text that a function of the program has stored, if any.
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        // SAFETY: NULL or a C string, which is there as long as `self`.
        unsafe { strings::bytes(self.0) }
    }
}

/// What an array in memory of the program consists of, by what is to be released along with the array.
pub(crate) trait Element: Copy {
    /// Releases what the element refers to.
    ///
    /// # Safety
    /// Nobody uses that afterwards.
    unsafe fn release(self) {}
}

/// A byte refers to nothing.
impl Element for c_uchar {}

/// A text of somebody else.
impl Element for *const c_char {}

/// A text of the array's own.
impl Element for *mut c_char {
    unsafe fn release(self) {
        // SAFETY: as promised by the caller.
        drop(unsafe { Malloced::from_c(self) });
    }
}

/// A message of the array's own, or NULL.
impl Element for *mut natsMsg {
    unsafe fn release(self) {
        // SAFETY: as promised by the caller.
        drop(unsafe { natsMsg::take(self) });
    }
}

/// An array from `malloc` with its elements, released as a whole unless it is given to C.
pub(crate) struct List<E: Element> {
    items: Malloced<E>,
    count: usize,
}

impl<E: Element> List<E> {
    /// An array of what the iterator gives; never NULL.
    pub(crate) fn collect(items: impl ExactSizeIterator<Item = Result<E>>) -> Result<List<E>> {
        let room = items.len();
        let mut list = List { items: Malloced::<E>::room(room)?, count: 0 };
        for item in items.take(room) {
            // SAFETY: below the number of elements there is room for.
            unsafe { list.items.0.add(list.count).write(item?) };
            list.count += 1;
        }
        Ok(list)
    }

    /// The same, but an empty array is none: NULL.
    pub(crate) fn or_null(self) -> List<E> {
        if self.count > 0 { self } else { List { items: Malloced::NULL, count: 0 } }
    }

    /// Gives the array and its elements to the program.
    pub(crate) fn into_c(mut self) -> (*mut E, c_int) {
        let count = std::mem::take(&mut self.count);
        let items = std::mem::replace(&mut self.items, Malloced::NULL);
        (items.into_c(), clamped(count))
    }

    /// Takes an array back; NULL, or a count below 1, has no elements.
    ///
    /// # Safety
    /// The array is NULL, or comes from `malloc` and has `count` elements; nobody uses them afterwards.
    pub(crate) unsafe fn from_c(items: *mut E, count: c_int) -> List<E> {
        let count = if items.is_null() { 0 } else { usize::try_from(count).unwrap_or(0) };
        // SAFETY: as promised by the caller.
        List { items: unsafe { Malloced::from_c(items) }, count }
    }
}

impl<E: Element> Drop for List<E> {
    fn drop(&mut self) {
        for i in 0..self.count {
            // SAFETY: written, or given by the program, and not used by anybody else.
            unsafe { self.items.0.add(i).read().release() };
        }
    }
}

impl List<*const c_char> {
    /// The texts themselves, which stay their owner's.
    pub(crate) fn pointers<'a>(
        texts: impl ExactSizeIterator<Item = Option<&'a CStr>>,
    ) -> Result<List<*const c_char>> {
        List::collect(texts.map(|text| Ok(strings::c_pointer(text))))
    }
}

impl List<*mut c_char> {
    /// Copies of texts.
    pub(crate) fn texts<T: AsRef<[u8]>>(texts: &[T]) -> Result<List<*mut c_char>> {
        List::collect(texts.iter().map(|text| Ok(Malloced::text(text.as_ref())?.into_c())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_go_to_c_and_back_with_all_they_hold() {
        let (items, count) = List::texts(&["a", ""]).unwrap().into_c();
        assert_eq!(count, 2);
        // SAFETY: an array of two texts, which are not used afterwards.
        unsafe {
            assert_eq!((CStr::from_ptr(*items), CStr::from_ptr(*items.add(1))), (c"a", c""));
            drop(List::from_c(items, count));
            drop(List::<*mut c_char>::from_c(ptr::null_mut(), 3));
        }
    }

    #[test]
    fn an_element_that_cannot_be_made_releases_the_others() {
        let items = [Some("a"), None].into_iter().map(|text| match text {
            Some(text) => Ok(Malloced::text(text.as_bytes())?.into_c()),
            None => Err(Status::NoMemory.into()),
        });
        assert_eq!(List::collect(items).err().unwrap().status(), Status::NoMemory);
    }

    #[test]
    fn an_empty_list_is_a_block_unless_asked_otherwise() {
        let empty = || List::texts(&[""; 0]).unwrap();
        let (items, count) = empty().into_c();
        assert!(!items.is_null() && count == 0);
        // SAFETY: made above.
        drop(unsafe { List::from_c(items, count) });
        assert!(empty().or_null().into_c().0.is_null());
    }
}
