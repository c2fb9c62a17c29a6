//! How a function gets at the options behind a handle.

use crate::client::options::Options;
use crate::error::Result;
use crate::ffi::support::{Handle, boundary};
use crate::ffi::types::{natsOptions, natsStatus};

/// Changes the options behind a handle.
///
/// # Safety
/// `opts` is NULL or a handle from natsOptions_Create() that is not destroyed.
pub(super) unsafe fn change(
    opts: *mut natsOptions,
    change: impl FnOnce(&mut Options) -> Result<()>,
) -> Result<()> {
    // SAFETY: as promised by the caller.
    let opts = unsafe { natsOptions::borrow(opts) }?;
    opts.with(change)
}

/// Changes a plain value, which cannot fail.
///
/// # Safety
/// As for [`change`].
pub(super) unsafe fn set(opts: *mut natsOptions, set: impl FnOnce(&mut Options)) -> Result<()> {
    // SAFETY: as promised by the caller.
    unsafe {
        change(opts, |opts| {
            set(opts);
            Ok(())
        })
    }
}

/// Changes the options behind a handle.
///
/// # Safety
/// `opts` is NULL or a live handle.
pub(super) unsafe fn on_options(
    name: &'static str,
    opts: *mut natsOptions,
    change: impl FnOnce(&mut Options) -> Result<()>,
) -> natsStatus {
    boundary(name, || {
        // SAFETY: as promised by the caller.
        let opts = unsafe { natsOptions::borrow(opts) }?;
        opts.with(change)
    })
}
