//! What the body of an exported function gives, as what C gets.

use std::ffi::c_int;
use std::ptr;

use crate::error::{Error, Result, Status};
use crate::ffi::types::{natsConnStatus, natsStatus};

/// The result of a body of a function that returns a `C`.
pub(crate) trait Answer<C: Returned> {
    fn into_c(self) -> Result<C>;

    /// What C gets when there is no result.
    fn failed(error: &Error) -> C {
        C::failed(error)
    }
}

/// A function that does something and says how it went.
impl Answer<natsStatus> for Result<()> {
    #[inline(always)]
    fn into_c(self) -> Result<natsStatus> {
        self.map(|()| natsStatus::NATS_OK)
    }
}

/// The same for one that cannot fail once it has its object.
impl Answer<natsStatus> for () {
    fn into_c(self) -> Result<natsStatus> {
        Ok(natsStatus::NATS_OK)
    }
}

/// A function that finds a status, which is no failure of its own.
impl Answer<natsStatus> for Result<Status> {
    fn into_c(self) -> Result<natsStatus> {
        self.map(natsStatus::from)
    }
}

/// A number that may be unknown, which is -1 in C.
impl Answer<c_int> for Option<usize> {
    fn into_c(self) -> Result<c_int> {
        Ok(self.map_or(-1, clamped))
    }

    fn failed(_: &Error) -> c_int {
        -1
    }
}

impl<C: Plain> Answer<C> for C {
    #[inline(always)]
    fn into_c(self) -> Result<C> {
        Ok(self)
    }
}

/// What an exported function returns.
pub(crate) trait Returned: Copy {
    /// Whether C can tell from it that the handle was refused, so that the last error has to say why.
    const TELLS: bool;

    /// What says that there is no result.
    fn failed(error: &Error) -> Self;
}

impl Returned for natsStatus {
    const TELLS: bool = true;

    fn failed(error: &Error) -> natsStatus {
        error.status().into()
    }
}

/// A value that is no status, with the one for an object that is not there.
pub(crate) trait Plain: Copy {
    const NONE: Self;
}

impl<C: Plain> Returned for C {
    const TELLS: bool = false;

    fn failed(_: &Error) -> C {
        C::NONE
    }
}

macro_rules! plain {
    ($($kind:ty: $none:expr),+) => {
        $(impl Plain for $kind {
            const NONE: $kind = $none;
        })+
    };
}

plain!((): (), bool: false, c_int: 0, i64: 0, u16: 0, u32: 0, u64: 0);

impl Plain for natsConnStatus {
    const NONE: natsConnStatus = natsConnStatus::NATS_CONN_STATUS_CLOSED;
}

impl<T> Plain for *const T {
    const NONE: *const T = ptr::null();
}

impl<T> Plain for *mut T {
    const NONE: *mut T = ptr::null_mut();
}

/// Numbers are C ints in this interface; larger ones stop at the largest.
pub(crate) fn clamped<N: TryInto<c_int>>(number: N) -> c_int {
    number.try_into().unwrap_or(c_int::MAX)
}
