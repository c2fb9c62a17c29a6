//! Texts of statuses.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use crate::ffi::support::cenum::status_from_c;
use crate::ffi::types::natsStatus;

/// Returns the English text of a status, such as "Timeout" for #NATS_TIMEOUT.
///
/// @param s any number: one that is no status gives a text that says so.
/// @return a static string, never NULL; do not free it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsStatus_GetText(s: MaybeUninit<natsStatus>) -> *const c_char {
    // SAFETY: the caller passes a number, any number.
    match unsafe { status_from_c(s) } {
        Some(status) => status.text_with_nul().as_ptr().cast(),
        None => c"Unknown Status".as_ptr(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::support::cenum::enum_from_code;
    use std::ffi::{CStr, c_int};

    fn text(code: c_int) -> &'static CStr {
        // SAFETY: the function takes any 32-bit number and returns a static C string.
        unsafe { CStr::from_ptr(natsStatus_GetText(enum_from_code(code))) }
    }

    #[test]
    fn every_number_has_a_text() {
        assert_eq!(text(0), c"OK");
        assert_eq!(text(39), c"Invalid Configuration");
        for code in [-1, 40, i32::MAX, i32::MIN] {
            assert_eq!(text(code), c"Unknown Status");
        }
    }
}
