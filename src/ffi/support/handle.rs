//! Opaque C handles. Each is an `Arc` turned into a raw pointer; only shared references are ever taken from
//! one.

use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::sync::Arc;

use crate::error::{Result, Status};

/// A C handle type and the Rust object behind it.
pub(crate) trait Handle: Sized {
    type Object;

    /// Gives a strong reference to C; taken back by [`Handle::take`].
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
    unsafe fn borrow<'a>(handle: *const Self) -> Result<Borrowed<'a, Self::Object>> {
        // SAFETY: as promised by the caller.
        unsafe { Self::borrow_opt(handle) }.ok_or_else(|| Status::InvalidArg.into())
    }

    /// The object behind a handle, `None` for NULL.
    ///
    /// # Safety
    /// As for [`Handle::borrow`].
    unsafe fn borrow_opt<'a>(handle: *const Self) -> Option<Borrowed<'a, Self::Object>> {
        if handle.is_null() {
            return None;
        }
        // SAFETY: the pointer came from an Arc of this type; ManuallyDrop leaves its count alone.
        let arc = unsafe { Arc::from_raw(handle.cast::<Self::Object>()) };
        Some(Borrowed { arc: ManuallyDrop::new(arc), life: std::marker::PhantomData })
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

    /// The program gets a reference.
    fn given(_object: &Arc<Self::Object>) {}

    /// The program gives one back.
    fn taken(_object: &Arc<Self::Object>) {}
}

/// A reference to an object held by a C handle; cloning the `Arc` inside keeps the object beyond the call.
pub(crate) struct Borrowed<'a, T> {
    arc: ManuallyDrop<Arc<T>>,
    life: std::marker::PhantomData<&'a T>,
}

impl<T> Deref for Borrowed<'_, T> {
    type Target = Arc<T>;

    fn deref(&self) -> &Arc<T> {
        &self.arc
    }
}
