//! `natsInbox_*`: unique subjects for replies.

use crate::client::library::{self, inbox};
use crate::ffi::support::*;
use crate::ffi::types::*;

const PREFIX: &[u8] = inbox::DEFAULT_PREFIX;

/// Creates a subject that nobody else uses, to receive replies on. It starts with `_INBOX.`, also when a
/// connection has an inbox prefix of its own. Opens the library if that was not done yet.
///
/// @param newInbox gets the NUL-terminated subject, to be destroyed with natsInbox_Destroy().
/// @return #NATS_OK; #NATS_INVALID_ARG if `newInbox` is NULL; #NATS_NO_MEMORY; the status of opening the
/// library if that fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsInbox_Create(newInbox: *mut *mut natsInbox) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsInbox_Create", (), |()| {
            let out = Out::of(newInbox)?;
            library::open_default()?;
            out.set(Malloced::text(&inbox::new_inbox(PREFIX)?)?.into_c())
        })
    }
}

/// Releases a subject made by natsInbox_Create(); NULL is ignored.
///
/// @param inbox the subject.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsInbox_Destroy(inbox: *mut natsInbox) {
    // SAFETY: the C contract.
    unsafe { on("natsInbox_Destroy", Quick(()), |()| drop(Malloced::from_c(inbox))) }
}
