//! Opaque C handles: each a pointer that C gets, with the Rust object behind it.

use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::sync::Arc;

use crate::error::{Error, Result, Status};

/// A handle of an object that C and the library have references to: an `Arc` turned into a pointer. Only
/// shared references are ever taken from one.
pub(crate) trait Shared: Sized {
    type Object: 'static;

    /// Gives a strong reference to C; taken back by [`Shared::take`].
    fn give(object: Arc<Self::Object>) -> *mut Self {
        Self::given(&object);
        Arc::into_raw(object) as *mut Self
    }

    /// The handle of an object that somebody keeps alive, e.g. for the time of a callback.
    fn lend(object: &Arc<Self::Object>) -> *mut Self {
        Arc::as_ptr(object) as *mut Self
    }

    /// The object behind a handle; NULL is an invalid argument.
    ///
    /// # Safety
    /// `handle` is NULL or was made by `give` or `lend` and is still alive.
    #[inline(always)]
    unsafe fn borrow<'a>(handle: *const Self) -> Result<Borrowed<'a, Self::Object>> {
        // SAFETY: as promised by the caller.
        unsafe { Self::borrow_opt(handle) }.ok_or_else(|| Status::InvalidArg.into())
    }

    /// The object behind a handle, `None` for NULL.
    ///
    /// # Safety
    /// As for [`Shared::borrow`].
    #[inline(always)]
    unsafe fn borrow_opt<'a>(handle: *const Self) -> Option<Borrowed<'a, Self::Object>> {
        if handle.is_null() {
            return None;
        }
        // SAFETY: the pointer came from an Arc of this type; ManuallyDrop leaves its count alone.
        let arc = unsafe { Arc::from_raw(handle.cast::<Self::Object>()) };
        Some(Borrowed { arc: ManuallyDrop::new(arc), life: PhantomData })
    }

    /// Takes the reference given to C back; `None` for NULL.
    ///
    /// # Safety
    /// `handle` is NULL or was made by `give` and is not used by C afterwards.
    unsafe fn take(handle: *mut Self) -> Option<Arc<Self::Object>> {
        if handle.is_null() {
            return None;
        }
        // SAFETY: as promised by the caller.
        let object = unsafe { Arc::from_raw(handle.cast::<Self::Object>()) };
        Self::taken(&object);
        Some(object)
    }

    /// Refuses an object that a fork left behind.
    fn check(_object: &Self::Object) -> Result<()> {
        Ok(())
    }

    /// The program gets a reference.
    fn given(_object: &Self::Object) {}

    /// The program gives one back.
    fn taken(_object: &Self::Object) {}
}

/// A reference to an object held by a C handle; cloning the `Arc` inside keeps the object beyond the call.
pub(crate) struct Borrowed<'a, T> {
    arc: ManuallyDrop<Arc<T>>,
    life: PhantomData<&'a T>,
}

impl<T> Deref for Borrowed<'_, T> {
    type Target = Arc<T>;

    fn deref(&self) -> &Arc<T> {
        &self.arc
    }
}

/// A handle of an object that C owns, and changes on one thread at a time.
pub(crate) trait Owned: Sized {
    type Object: 'static;
    type Borrowed<'a>: Deref<Target = Self::Object>;
    type BorrowedMut<'a>: DerefMut<Target = Self::Object>;

    /// Gives the object to C; taken back by [`Owned::take`].
    fn give(object: Self::Object) -> *mut Self;

    /// The object behind a handle, to be read.
    ///
    /// # Safety
    /// The handle is alive, and nobody changes the object meanwhile.
    unsafe fn open<'a>(handle: NonNull<Self>) -> Self::Borrowed<'a>;

    /// The object behind a handle, to be changed.
    ///
    /// # Safety
    /// The handle is alive, and nobody else uses the object meanwhile.
    unsafe fn open_mut<'a>(handle: NonNull<Self>) -> Self::BorrowedMut<'a>;

    /// The object itself.
    ///
    /// # Safety
    /// The handle is alive, and not used by C afterwards.
    unsafe fn close(handle: NonNull<Self>) -> Self::Object;

    /// What a function on NULL fails with.
    fn missing() -> Error {
        Status::InvalidArg.into()
    }

    /// The object behind a handle that is an argument; NULL is an invalid one.
    ///
    /// # Safety
    /// As for [`Owned::open`], or `handle` is NULL.
    #[inline(always)]
    unsafe fn borrow<'a>(handle: *const Self) -> Result<Self::Borrowed<'a>> {
        let handle = NonNull::new(handle.cast_mut()).ok_or(Status::InvalidArg)?;
        // SAFETY: as promised by the caller.
        Ok(unsafe { Self::open(handle) })
    }

    /// The same, to be changed.
    ///
    /// # Safety
    /// As for [`Owned::open_mut`], or `handle` is NULL.
    #[inline(always)]
    unsafe fn borrow_mut<'a>(handle: *mut Self) -> Result<Self::BorrowedMut<'a>> {
        let handle = NonNull::new(handle).ok_or(Status::InvalidArg)?;
        // SAFETY: as promised by the caller.
        Ok(unsafe { Self::open_mut(handle) })
    }

    /// Takes the object back from C; `None` for NULL.
    ///
    /// # Safety
    /// As for [`Owned::close`], or `handle` is NULL.
    #[inline(always)]
    unsafe fn take(handle: *mut Self) -> Option<Self::Object> {
        // SAFETY: as promised by the caller.
        NonNull::new(handle).map(|handle| unsafe { Self::close(handle) })
    }
}

/// An owned handle of the usual kind: a `Box` turned into a pointer.
pub(crate) trait Boxed: Sized {
    type Object: 'static;
}

impl<H: Boxed> Owned for H {
    type Object = H::Object;
    type Borrowed<'a> = &'a H::Object;
    type BorrowedMut<'a> = &'a mut H::Object;

    fn give(object: H::Object) -> *mut H {
        Box::into_raw(Box::new(object)).cast()
    }

    unsafe fn open<'a>(handle: NonNull<H>) -> &'a H::Object {
        // SAFETY: made by `give`; the rest is the caller's promise.
        unsafe { handle.cast::<H::Object>().as_ref() }
    }

    unsafe fn open_mut<'a>(handle: NonNull<H>) -> &'a mut H::Object {
        // SAFETY: as above.
        unsafe { handle.cast::<H::Object>().as_mut() }
    }

    unsafe fn close(handle: NonNull<H>) -> H::Object {
        // SAFETY: as above.
        *unsafe { Box::from_raw(handle.cast::<H::Object>().as_ptr()) }
    }
}
