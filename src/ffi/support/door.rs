//! The one way into the library from C.
//!
//! `on("natsConnection_Flush", nc, |nc| nc.flush(..))` turns the handle into its object, or refuses it; runs
//! the body; catches panics; keeps what failed as the thread's last error; and turns what the body gives into
//! what C gets. How those parts work for a kind of handle is said by its [`Target`], for a kind of result by
//! its [`Answer`].

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::{Error, Result, Status};
use crate::ffi::support::answer::{Answer, Returned};
use crate::ffi::support::last_error;
use crate::thread_end;

/// What a function does about cancellation of the calling thread (`thread_end`).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// For functions that only work in memory, or are called a million times per second: what those do
    /// besides, they do with cancellation held off, and fail when the thread was cancelled meanwhile.
    Quick,
    /// Nothing in the function is a cancellation point, but waits that say so.
    Held,
    /// The same for a function that may wait: a cancellation point even if it need not.
    Waiting,
}

/// What a C function is called on: a handle, or `()` for a function of the library as a whole.
pub(crate) trait Target: Copy {
    /// What the body gets.
    type Given<'a>;

    /// The mode of functions on it that do not ask for another one.
    const MODE: Mode;

    /// Runs the body with the object, unless the handle is refused: it is NULL, or its object was left behind
    /// by a fork. An object that a panic of the body may have left in any state is dealt with here, by a
    /// guard.
    ///
    /// # Safety
    /// The C contract.
    unsafe fn with<R>(self, body: impl FnOnce(Self::Given<'_>) -> R) -> Result<R>;
}

impl Target for () {
    type Given<'a> = ();

    const MODE: Mode = Mode::Held;

    #[inline(always)]
    unsafe fn with<R>(self, body: impl FnOnce(()) -> R) -> Result<R> {
        Ok(body(()))
    }
}

/// Defines a wrapper around a target that gives a function another mode.
macro_rules! mode {
    ($mode:ident) => {
        #[doc = concat!("A target of a function with [`Mode::", stringify!($mode), "`].")]
        #[derive(Clone, Copy)]
        pub(crate) struct $mode<T>(pub(crate) T);

        impl<T: Target> Target for $mode<T> {
            type Given<'a> = T::Given<'a>;

            const MODE: Mode = Mode::$mode;

            #[inline(always)]
            unsafe fn with<R>(self, body: impl FnOnce(Self::Given<'_>) -> R) -> Result<R> {
                // SAFETY: as promised by the caller.
                unsafe { self.0.with(body) }
            }
        }
    };
}

mode!(Quick);
mode!(Held);
mode!(Waiting);

/// Runs the body of the exported function `name` on `target`.
///
/// When the thread is ending, it does not return: functions that wait or call handlers are `extern
/// "C-unwind"`.
///
/// # Safety
/// The C contract: see `ffi`. The exported function has nothing to drop around this call.
#[inline]
pub(crate) unsafe fn on<T: Target, A: Answer<C>, C: Returned>(
    name: &'static str,
    target: T,
    body: impl FnOnce(T::Given<'_>) -> A,
) -> C {
    let outcome = match T::MODE {
        // SAFETY: as promised by the caller.
        Mode::Quick => unsafe { caught(name, target, body) },
        mode => {
            if mode == Mode::Waiting {
                // SAFETY: nothing is done yet.
                unsafe { thread_end::test() };
            }
            let _held = thread_end::Held::new();
            // SAFETY: as promised by the caller.
            unsafe { caught(name, target, body) }
        }
    };
    match outcome {
        Ok(value) if T::MODE == Mode::Quick => value,
        Ok(value) | Err(value) => {
            // SAFETY: nothing is left to drop here, nor in the exported functions, by their contract.
            unsafe { thread_end::resume() };
            value
        }
    }
}

/// What C gets: as an error when the call failed.
#[inline(always)]
unsafe fn caught<T: Target, A: Answer<C>, C: Returned>(
    name: &'static str,
    target: T,
    body: impl FnOnce(T::Given<'_>) -> A,
) -> std::result::Result<C, C> {
    // SAFETY: as promised by the caller.
    let result = catch_unwind(AssertUnwindSafe(|| unsafe { target.with(|given| body(given).into_c()) }));
    match result {
        Ok(Ok(Ok(value))) => Ok(value),
        Ok(Ok(Err(error))) => Err(failed::<A, C>(name, &error)),
        Ok(Err(refusal)) if C::TELLS => Err(failed::<A, C>(name, &refusal)),
        Ok(Err(refusal)) => Ok(A::failed(&refusal)), // who asks a question gets an answer, and no error
        Err(payload) => Err(panicked::<A, C>(name, payload)),
    }
}

#[cold]
#[inline(never)]
fn panicked<A: Answer<C>, C: Returned>(name: &'static str, _payload: Box<dyn Any + Send>) -> C {
    failed::<A, C>(name, &Error::new(Status::Err, "internal error: the library panicked"))
}

#[cold]
#[inline(never)]
fn failed<A: Answer<C>, C: Returned>(name: &'static str, error: &Error) -> C {
    last_error::record(name, error);
    A::failed(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::types::natsStatus;

    /// Is there or not.
    #[derive(Clone, Copy)]
    struct Object(bool);

    impl Target for Object {
        type Given<'a> = ();

        const MODE: Mode = Mode::Held;

        unsafe fn with<R>(self, body: impl FnOnce(()) -> R) -> Result<R> {
            if self.0 { Ok(body(())) } else { Err(Status::InvalidArg.into()) }
        }
    }

    fn last() -> (Option<Status>, String) {
        last_error::with(|last| match last {
            Some((status, text, function)) => {
                (Some(status), format!("{}: {}", function.unwrap_or_default(), text.to_str().unwrap()))
            }
            None => (None, String::new()),
        })
    }

    #[test]
    fn bodies_give_statuses_and_values() {
        last_error::clear();
        // SAFETY: the target is no handle.
        unsafe {
            let status: natsStatus = on("a", Object(true), |()| ());
            assert_eq!(status, natsStatus::NATS_OK);
            assert_eq!(on("a", Waiting(Object(true)), |()| Ok(())), natsStatus::NATS_OK);
            assert!(on("a", Quick(Object(true)), |()| true));
            assert_eq!(last().0, None);
            let status = on("b", Object(true), |()| Err::<(), _>(Status::Timeout.into()));
            assert_eq!(status, natsStatus::NATS_TIMEOUT);
        }
        let (status, text) = last();
        assert!(status == Some(Status::Timeout) && text.starts_with("b: (ffi/support/door.rs:"), "{text}");
    }

    #[test]
    fn a_refusal_is_an_error_for_statuses_only() {
        last_error::clear();
        // SAFETY: the target is no handle.
        unsafe {
            assert!(!on("a", Object(false), |()| true));
            assert_eq!(on("a", Object(false), |()| Some(7)), -1);
            assert_eq!(last().0, None);
            assert_eq!(on("b", Object(false), |()| Ok(())), natsStatus::NATS_INVALID_ARG);
        }
        assert_eq!(last().0, Some(Status::InvalidArg));
    }

    #[test]
    fn a_panic_is_an_error() {
        // SAFETY: the target is no handle.
        unsafe {
            assert_eq!(on("a", (), |()| -> Result<()> { panic!("once") }), natsStatus::NATS_ERR);
            let text = last().1;
            assert!(text.starts_with("a: ") && text.ends_with("the library panicked"), "{text}");
            assert_eq!(on("b", Quick(()), |()| -> i64 { panic!("twice") }), 0);
        }
        assert!(last().1.starts_with("b: "));
    }
}
