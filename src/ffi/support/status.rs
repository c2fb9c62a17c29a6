//! What a status from C means.

use std::mem::MaybeUninit;

use crate::error::Status;
use crate::ffi::support::cenum::enum_code;
use crate::ffi::types::natsStatus;

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
    use crate::ffi::support::cenum::enum_from_code;

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
