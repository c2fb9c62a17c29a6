//! Enums of the C interface.
//!
//! A C program may store any number in an enum, which a Rust enum must not hold: where C hands us one (a
//! struct field, an argument, what a callback returns) its type is `MaybeUninit<E>`, which the header prints
//! as `E`. [`enum_code`] reads it.

use std::ffi::c_int;
use std::mem::MaybeUninit;

use crate::error::Status;
use crate::ffi::types::natsStatus;

/// Marks the enums of the C interface.
///
/// # Safety
/// Only for `#[repr(C)]` enums, which have the size of an `int`.
pub(crate) unsafe trait CEnum: Copy {}

/// The number in an enum that came from C.
///
/// # Safety
/// `value` is initialised.
pub(crate) unsafe fn enum_code<E: CEnum>(value: MaybeUninit<E>) -> c_int {
    const { assert!(size_of::<E>() == size_of::<c_int>()) };
    // SAFETY: initialised by the caller's promise, and of the size of an int by the trait's.
    unsafe { value.as_ptr().cast::<c_int>().read() }
}

/// An enum for C with any number in it: what a function of the program returned, the -1 of a field that was
/// not chosen.
pub(crate) fn enum_from_code<E: CEnum>(code: c_int) -> MaybeUninit<E> {
    const { assert!(size_of::<E>() == size_of::<c_int>()) };
    let mut value = MaybeUninit::<E>::uninit();
    // SAFETY: an int fits, and MaybeUninit may hold anything.
    unsafe { value.as_mut_ptr().cast::<c_int>().write(code) };
    value
}

/// The status a callback returned; `None` for a number that is none.
///
/// # Safety
/// `value` is initialised.
pub(crate) unsafe fn status_from_c(value: MaybeUninit<natsStatus>) -> Option<Status> {
    // SAFETY: as promised by the caller.
    Status::from_code(unsafe { enum_code(value) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::types::jsAckPolicy;

    #[test]
    fn enums_hold_any_number() {
        let chosen = MaybeUninit::new(jsAckPolicy::js_AckAll);
        let not_chosen = enum_from_code::<jsAckPolicy>(-1);
        // SAFETY: both are initialised.
        unsafe {
            assert_eq!(enum_code(chosen), 2);
            assert_eq!(enum_code(not_chosen), -1);
        }
    }

    #[test]
    fn only_known_numbers_are_a_status() {
        // SAFETY: both are initialised.
        unsafe {
            assert_eq!(status_from_c(MaybeUninit::new(natsStatus::NATS_TIMEOUT)), Some(Status::Timeout));
            assert_eq!(status_from_c(MaybeUninit::new(natsStatus::NATS_MAX_STATUS_VALUE)), None);
            assert_eq!(status_from_c(enum_from_code(-7)), None);
        }
    }
}
