//! Making and releasing options.

use std::sync::Arc;

use crate::client::library;
use crate::client::options::{Options, SharedOptions};
use crate::ffi::support::*;
use crate::ffi::types::*;

/// Creates options with their default values.
///
/// They can be used for any number of connections: each copies them when it connects, so that they may be
/// changed or destroyed right afterwards.
///
/// @param newOpts gets the options, to be destroyed with natsOptions_Destroy().
/// @return #NATS_OK; #NATS_INVALID_ARG if `newOpts` is NULL; #NATS_FAILED_TO_INITIALIZE while the library is
/// being closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_Create(newOpts: *mut *mut natsOptions) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_Create", (), |()| {
            let out = Out::of(newOpts)?;
            library::open_default()?;
            let opts = SharedOptions::new(Options::new(&library::defaults()));
            out.set(natsOptions::give(Arc::new(opts)))
        })
    }
}

/// Destroys options. Connections made with them are not affected.
///
/// @param opts the options, not to be used afterwards. NULL is accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_Destroy(opts: *mut natsOptions) {
    // SAFETY: the C contract.
    unsafe { on("natsOptions_Destroy", Released(opts), |_| ()) }
}
