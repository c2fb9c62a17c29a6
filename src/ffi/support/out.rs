//! Places of the program that a function fills. Their type says what is there when the function fails.

use std::ffi::{c_char, c_int};
use std::ptr::NonNull;

use crate::error::{Error, Result, Status};
use crate::ffi::support::answer::Plain;
use crate::ffi::support::cstruct::{Element, List};

/// A place that must be given, and that a failure leaves untouched.
pub(crate) struct Out<T>(NonNull<T>);

impl<T> Out<T> {
    /// # Safety
    /// `place` is NULL, which is an invalid argument, or writable as long as this lives.
    #[inline(always)]
    pub(crate) unsafe fn of(place: *mut T) -> Result<Out<T>> {
        NonNull::new(place).map(Out).ok_or_else(|| Status::InvalidArg.into())
    }

    /// The same, with a text of its own for NULL.
    ///
    /// # Safety
    /// As for [`Out::of`].
    pub(crate) unsafe fn named(place: *mut T, refusal: &'static str) -> Result<Out<T>> {
        NonNull::new(place).map(Out).ok_or_else(|| Error::new(Status::InvalidArg, refusal))
    }

    /// Stores the result; the last step of a body.
    #[inline(always)]
    pub(crate) fn set(self, value: T) -> Result<()> {
        self.write(value);
        Ok(())
    }

    /// From now on the place holds NULL or 0, unless a result is stored.
    #[inline(always)]
    pub(crate) fn cleared(self) -> Cleared<T>
    where
        T: Plain,
    {
        self.write(T::NONE);
        Cleared(self)
    }

    #[inline(always)]
    fn write(&self, value: T) {
        // SAFETY: writable, as promised to `of`.
        unsafe { self.0.write(value) };
    }
}

/// A place that must be given, and where a failure leaves NULL or 0.
pub(crate) struct Cleared<T>(Out<T>);

impl<T> Cleared<T> {
    /// Stores the result; the last step of a body.
    #[inline(always)]
    pub(crate) fn set(self, value: T) -> Result<()> {
        self.0.set(value)
    }
}

/// A place that may be NULL, which asks for no result.
pub(crate) struct Wanted<T>(Option<NonNull<T>>);

impl<T> Wanted<T> {
    /// # Safety
    /// `place` is NULL or writable as long as this lives.
    pub(crate) unsafe fn of(place: *mut T) -> Wanted<T> {
        Wanted(NonNull::new(place))
    }

    pub(crate) fn set(self, value: T) {
        if let Some(place) = self.0 {
            // SAFETY: writable, as promised to `of`.
            unsafe { place.write(value) };
        }
    }
}

/// The two places of an array and its length, both to be given. A failure leaves them untouched, or NULL and
/// 0 if they were cleared.
pub(crate) struct OutList<E> {
    items: Out<*mut E>,
    count: Out<c_int>,
}

impl<E: Element> OutList<E> {
    /// # Safety
    /// As for [`Out::of`], each.
    pub(crate) unsafe fn of(items: *mut *mut E, count: *mut c_int) -> Result<OutList<E>> {
        // SAFETY: as promised by the caller.
        unsafe { Ok(OutList { items: Out::of(items)?, count: Out::of(count)? }) }
    }

    /// # Safety
    /// As for [`Out::of`], each.
    pub(crate) unsafe fn named(
        items: *mut *mut E,
        count: *mut c_int,
        refusal: &'static str,
    ) -> Result<OutList<E>> {
        // SAFETY: as promised by the caller.
        unsafe { Ok(OutList { items: Out::named(items, refusal)?, count: Out::named(count, refusal)? }) }
    }

    /// Gives the list to the program; the last step of a body.
    pub(crate) fn set(self, list: List<E>) -> Result<()> {
        let (items, count) = list.into_c();
        self.items.write(items);
        self.count.set(count)
    }

    /// From now on the places hold NULL and 0, unless a list is stored.
    pub(crate) fn cleared(self) -> ClearedList<E> {
        self.items.write(Plain::NONE);
        self.count.write(Plain::NONE);
        ClearedList(self)
    }
}

/// The two places of an array and its length, where a failure leaves NULL and 0.
pub(crate) struct ClearedList<E>(OutList<E>);

impl<E: Element> ClearedList<E> {
    /// Gives the list to the program; the last step of a body.
    pub(crate) fn set(self, list: List<E>) -> Result<()> {
        self.0.set(list)
    }
}

/// The place of a struct that later versions may extend, with the size that the program knows of it. A
/// failure leaves it untouched.
pub(crate) struct OutStruct<T> {
    place: Out<T>,
    size: usize,
}

impl<T: Copy> OutStruct<T> {
    /// # Safety
    /// `place` is NULL or has `size` writable bytes as long as this lives.
    pub(crate) unsafe fn of(place: *mut T, size: usize) -> Result<OutStruct<T>> {
        if size == 0 {
            return Err(Status::InvalidArg.into());
        }
        // SAFETY: as promised by the caller.
        Ok(OutStruct { place: unsafe { Out::of(place) }?, size })
    }

    /// The bytes of the struct that both sides know.
    pub(crate) fn known(&self) -> usize {
        self.size.min(size_of::<T>())
    }

    /// Stores what both sides know of the struct, and zeros in what the program alone knows; the last step of
    /// a body.
    pub(crate) fn set(self, value: &T) -> Result<()> {
        let known = self.known();
        let place = self.place.0.as_ptr().cast::<u8>();
        // SAFETY: both have `known` bytes, and the place has `size`, as promised to `of`.
        unsafe {
            place.copy_from_nonoverlapping((value as *const T).cast(), known);
            place.add(known).write_bytes(0, self.size - known);
        }
        Ok(())
    }
}

/// A buffer of the program for a text and its NUL.
pub(crate) struct Buffer {
    place: NonNull<c_char>,
    size: usize,
}

impl Buffer {
    /// `None` when there is no room at all.
    ///
    /// # Safety
    /// `place` is NULL or has `size` writable bytes as long as this lives.
    pub(crate) unsafe fn of(place: *mut c_char, size: usize) -> Option<Buffer> {
        NonNull::new(place).filter(|_| size > 0).map(|place| Buffer { place, size })
    }

    /// Bytes of a text that fit.
    pub(crate) fn room(&self) -> usize {
        self.size - 1
    }

    /// Stores as much of the text as fits.
    pub(crate) fn set(&mut self, text: &[u8]) {
        let text = &text[..text.len().min(self.room())];
        // SAFETY: the text and its NUL are at most `size` bytes, which are writable as promised to `of`.
        unsafe {
            self.place.as_ptr().copy_from_nonoverlapping(text.as_ptr().cast(), text.len());
            self.place.add(text.len()).write(0);
        }
    }
}

/// Copies a text and its NUL into a buffer of `size` bytes; one that is too small is left with "".
///
/// # Safety
/// `place` is NULL or has `size` writable bytes.
pub(crate) unsafe fn copy_whole(text: &[u8], place: *mut c_char, size: usize) -> Result<()> {
    if place.is_null() {
        return Err(Status::InvalidArg.into());
    }
    // SAFETY: as promised by the caller.
    let buffer = unsafe { Buffer::of(place, size) };
    match buffer {
        Some(mut buffer) if text.len() <= buffer.room() => {
            buffer.set(text);
            Ok(())
        }
        Some(mut buffer) => {
            buffer.set(b"");
            Err(Status::InsufficientBuffer.into())
        }
        None => Err(Status::InsufficientBuffer.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::ptr::null_mut;

    use super::*;
    use crate::error::fail;

    #[test]
    fn what_a_failure_leaves_is_said_by_the_type() {
        let (mut untouched, mut cleared, mut wanted) = (7, 7, 7);
        // SAFETY: all places are writable or NULL.
        unsafe {
            let untouched = || Out::of(&mut untouched)?.set(fail(Status::Err, "no")?);
            assert!({ untouched }().is_err());
            let cleared = || Out::of(&mut cleared)?.cleared().set(fail(Status::Err, "no")?);
            assert!({ cleared }().is_err());
            Wanted::of(&mut wanted).set(8);
            Wanted::of(null_mut()).set(9);
            assert_eq!(Out::<i64>::of(null_mut()).err().unwrap().status(), Status::InvalidArg);
            assert_eq!(Out::<i64>::named(null_mut(), "mine").err().unwrap().text(), "mine");
        }
        assert_eq!((untouched, cleared, wanted), (7, 0, 8));
    }

    #[test]
    fn structs_of_other_sizes_are_filled_as_far_as_they_go() {
        let value = [1u32, 2, 3];
        let mut out = [9u32; 5];
        // SAFETY: every size is within `out`.
        unsafe {
            let place = out.as_mut_ptr().cast::<[u32; 3]>();
            assert!(OutStruct::of(place, 0).is_err() && OutStruct::<u32>::of(null_mut(), 4).is_err());
            OutStruct::of(place, 8).unwrap().set(&value).unwrap();
            assert_eq!(out, [1, 2, 9, 9, 9]);
            OutStruct::of(place, 16).unwrap().set(&value).unwrap();
            assert_eq!(out, [1, 2, 3, 0, 9]);
        }
    }

    #[test]
    fn texts_fit_as_a_whole_or_are_cut() {
        let mut room = [b'x' as c_char; 4];
        let text = |room: &[c_char; 4]| room.map(|c| c as u8);
        // SAFETY: every size is within `room`.
        unsafe {
            copy_whole(b"abc", room.as_mut_ptr(), 4).unwrap();
            assert_eq!(&text(&room), b"abc\0");
            let status = |result: Result<()>| result.unwrap_err().status();
            assert_eq!(status(copy_whole(b"abc", room.as_mut_ptr(), 3)), Status::InsufficientBuffer);
            assert_eq!(&text(&room), b"\0bc\0");
            assert_eq!(status(copy_whole(b"", room.as_mut_ptr(), 0)), Status::InsufficientBuffer);
            assert_eq!(status(copy_whole(b"", null_mut(), 0)), Status::InvalidArg);
            Buffer::of(room.as_mut_ptr(), 3).unwrap().set(b"xyz");
            assert_eq!(&text(&room), b"xy\0\0");
        }
    }
}
