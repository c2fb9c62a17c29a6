//! `natsInbox_*`: unique subjects for replies.

use crate::client::library::{self, inbox};
use crate::ffi::support::strings::required;
use crate::ffi::support::{alloc, boundary, infallible};
use crate::ffi::types::{natsInbox, natsStatus};

const PREFIX: &[u8] = inbox::DEFAULT_PREFIX;

/// Creates a subject that nobody else uses, to receive replies on. It starts with `_INBOX.`, also when a
/// connection has an inbox prefix of its own. Opens the library if that was not done yet.
///
/// @param newInbox gets the NUL-terminated subject, to be destroyed with natsInbox_Destroy().
/// @return #NATS_OK; #NATS_INVALID_ARG if `newInbox` is NULL; #NATS_NO_MEMORY; the status of opening the
/// library if that fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsInbox_Create(newInbox: *mut *mut natsInbox) -> natsStatus {
    boundary("natsInbox_Create", || {
        let out = required(newInbox)?;
        library::open_default()?;
        let inbox = alloc::string(&inbox::new_inbox(PREFIX)?)?;
        // SAFETY: not NULL, and writable by the C contract.
        unsafe { out.write(inbox) };
        Ok(())
    })
}

/// Releases a subject made by natsInbox_Create(); NULL is ignored.
///
/// @param inbox the subject.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsInbox_Destroy(inbox: *mut natsInbox) {
    infallible("natsInbox_Destroy", (), || {
        // SAFETY: NULL or malloced by natsInbox_Create, not used afterwards.
        unsafe { libc::free(inbox.cast()) };
    });
}
