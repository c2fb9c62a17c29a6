//! Functions of the program: how they are registered, and called.

use std::ffi::{c_char, c_int, c_long, c_void};
use std::mem::MaybeUninit;

use crate::error::{Error, Result, Status, fail, shown};
use crate::ffi::support::cenum::{enum_from_code, status_from_c};
use crate::ffi::support::last_error;
use crate::ffi::types::{natsPingEvent, natsStatus};
use crate::thread_end::{self, Ending};

/// A function that the program has registered, with its closure.
#[derive(Clone, Copy)]
pub(crate) struct Callback<F> {
    function: F,
    /// The library never looks at what it points to.
    closure: *mut c_void,
}

// SAFETY: the library only hands the closure back; the C interface says that callbacks run on threads of the
// library, so what it points to is the program's to synchronise.
unsafe impl<F: Send> Send for Callback<F> {}
// SAFETY: as above.
unsafe impl<F: Sync> Sync for Callback<F> {}

impl<F: Function> Callback<F> {
    /// `None` without a function.
    pub(crate) fn new(function: Option<F>, closure: *mut c_void) -> Option<Callback<F>> {
        function.map(|function| Callback { function, closure })
    }

    /// What the program gets back as the last argument.
    #[inline(always)]
    pub(crate) fn closure(&self) -> *mut c_void {
        self.closure
    }

    /// Calls the function.
    ///
    /// # Safety
    /// Pointers among the arguments are what the function's type promises the program.
    pub(crate) unsafe fn call(&self, arguments: F::Arguments) -> std::result::Result<F::Output, Ending> {
        // SAFETY: these are its arguments; the rest is the caller's promise.
        unsafe { thread_end::call_handler(self.function.address(), F::words(arguments)) }.map(F::output)
    }

    /// Calls a function that tells the program something. What that leaves as last error is no other's.
    ///
    /// # Safety
    /// As for [`Callback::call`].
    pub(crate) unsafe fn tell(&self, arguments: F::Arguments) {
        // SAFETY: as promised by the caller.
        let _ = unsafe { self.call(arguments) };
        last_error::clear();
    }

    /// Calls a message handler: the quickest way.
    ///
    /// # Safety
    /// As for [`Callback::call`]; the function has four arguments at most.
    #[inline(always)]
    pub(crate) unsafe fn deliver(&self, arguments: F::Arguments) -> std::result::Result<(), Ending> {
        let [a, b, c, d, _] = F::words(arguments);
        // SAFETY: these are its arguments; the rest is the caller's promise.
        unsafe { thread_end::call_message_handler(self.function.address(), [a, b, c, d]) }
    }
}

impl<F: Function<Output = MaybeUninit<natsStatus>>> Callback<F> {
    /// Calls a function of an event loop's adapter.
    ///
    /// # Safety
    /// As for [`Callback::call`].
    pub(crate) unsafe fn call_adapter(&self, arguments: F::Arguments) -> Result<()> {
        // SAFETY: as promised by the caller.
        unsafe { call_adapter(self.function, arguments) }
    }
}

/// Calls a function of an event loop's adapter.
///
/// # Safety
/// As for [`Callback::call`].
pub(crate) unsafe fn call_adapter<F>(function: F, arguments: F::Arguments) -> Result<()>
where
    F: Function<Output = MaybeUninit<natsStatus>>,
{
    // SAFETY: these are its arguments; the rest is the caller's promise.
    let returned = unsafe { thread_end::call_adapter(function.address(), F::words(arguments)) };
    outcome(returned.map(F::output), None)
}

/// What a function of the program has returned: a failure with `text`, if there is one. Any number that is no
/// status is `NATS_ERR`, as is the end of the thread.
pub(crate) fn outcome(
    returned: std::result::Result<MaybeUninit<natsStatus>, Ending>,
    text: Option<&[u8]>,
) -> Result<()> {
    // SAFETY: a function returned it.
    let status = returned.ok().and_then(|status| unsafe { status_from_c(status) }).unwrap_or(Status::Err);
    match (status, text) {
        (Status::Ok, _) => Ok(()),
        (status, Some(text)) => fail(status, shown(text).into_owned()),
        (status, None) => Err(Error::from(status)),
    }
}

/// The type of a C function: what goes in, what comes out, each through a general register.
pub(crate) trait Function: Copy {
    type Arguments;
    type Output;

    fn address(self) -> *const c_void;

    fn words(arguments: Self::Arguments) -> [usize; 5];

    fn output(word: usize) -> Self::Output;
}

macro_rules! functions {
    ($($kind:ident $argument:ident),+) => {
        impl<R: Output, $($kind: Argument),+> Function for unsafe extern "C" fn($($kind),+) -> R {
            type Arguments = ($($kind,)+);
            type Output = R;

            #[inline(always)]
            fn address(self) -> *const c_void {
                self as *const c_void
            }

            #[inline(always)]
            fn words(($($argument,)+): Self::Arguments) -> [usize; 5] {
                let given = [$($argument.word()),+];
                std::array::from_fn(|i| given.get(i).copied().unwrap_or(0))
            }

            #[inline(always)]
            fn output(word: usize) -> R {
                R::from_word(word)
            }
        }
    };
}

functions!(A a);
functions!(A a, B b);
functions!(A a, B b, C c);
functions!(A a, B b, C c, D d);
functions!(A a, B b, C c, D d, E e);

/// An argument of a function of the program.
pub(crate) trait Argument {
    fn word(self) -> usize;
}

impl<T> Argument for *const T {
    #[inline(always)]
    fn word(self) -> usize {
        self.expose_provenance()
    }
}

impl<T> Argument for *mut T {
    #[inline(always)]
    fn word(self) -> usize {
        self.expose_provenance()
    }
}

macro_rules! arguments {
    ($($kind:ty),+) => {
        $(impl Argument for $kind {
            fn word(self) -> usize {
                self as usize
            }
        })+
    };
}

arguments!(bool, c_int, i64, natsStatus, natsPingEvent);

/// What a function of the program returns.
pub(crate) trait Output {
    fn from_word(word: usize) -> Self;
}

impl Output for () {
    fn from_word(_: usize) {}
}

impl Output for c_long {
    fn from_word(word: usize) -> c_long {
        word as c_long
    }
}

impl Output for *const c_char {
    fn from_word(word: usize) -> *const c_char {
        std::ptr::with_exposed_provenance(word)
    }
}

impl Output for MaybeUninit<natsStatus> {
    fn from_word(word: usize) -> MaybeUninit<natsStatus> {
        enum_from_code(word as c_int)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_of_the_program_are_checked() {
        let outcome = |code, text| outcome(Ok(enum_from_code(code)), text);
        assert!(outcome(0, Some(&b"ignored"[..])).is_ok());
        let error = outcome(77, Some(b"mine")).unwrap_err();
        assert_eq!((error.status(), error.text()), (Status::Err, "mine"));
        assert_eq!(outcome(-1, None).unwrap_err().status(), Status::Err);
        assert_eq!(outcome(26, None).unwrap_err().status(), Status::Timeout);
        assert_eq!(super::outcome(Err(Ending), None).unwrap_err().status(), Status::Err);
    }

    unsafe extern "C" fn sum(a: c_int, b: i64, c: bool, closure: *mut c_void) -> c_long {
        i64::from(a) + b + i64::from(c) + closure.addr() as i64
    }

    #[test]
    fn arguments_and_results_are_those_of_the_type() {
        type Sum = unsafe extern "C" fn(c_int, i64, bool, *mut c_void) -> c_long;
        assert!(Callback::<Sum>::new(None, std::ptr::null_mut()).is_none());
        let callback = Callback::new(Some(sum as Sum), std::ptr::without_provenance_mut(1000)).unwrap();
        // SAFETY: plain numbers.
        let sum = unsafe { callback.call((-5, -100, true, callback.closure())) };
        assert_eq!(sum, Ok(896));
    }
}
