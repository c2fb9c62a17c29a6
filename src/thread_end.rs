//! Threads that end in the middle of a call: by `pthread_cancel` while the library waits, by `pthread_exit` in a handler
//! of the program.
//!
//! The C library ends such a thread by forced unwinding: it leaves frame after frame, up to the thread's first function,
//! and runs the cleanup code it finds on its way. Frames of Rust must not be left like that, unless they own nothing. So
//! each call that a forced unwinding may come out of goes through [`call`], a frame written in assembly. Its cleanup code
//! does what cleanup code may do, it takes as long as it likes: it returns to the library, which learns that the thread is
//! ending, lets its own frames end as usual and gives up what they hold. On a thread of the program the door to the
//! library, whose frame owns nothing by then, goes on with the unwinding: [`resume`]. A thread of the library just returns
//! from its first function.
//!
//! Cancellation is off while frames of Rust run ([`Held`]), for any function of the C library may be a cancellation
//! point. It is on in the waits that may last ([`may_be_cancelled`]), and in handlers as it was in their thread, but for the
//! adapters of event loops.
//!
//! Linux with glibc on x86_64 only; elsewhere cancellation waits for the end of the call, and `pthread_exit` in a handler
//! aborts.

use std::cell::Cell;
use std::ffi::{c_int, c_long, c_void};
use std::ptr;

use crate::error::{Error, Status};

const ENABLE: c_int = 0;
const DISABLE: c_int = 1;
const ASYNCHRONOUS: c_int = 1;

unsafe extern "C-unwind" {
    fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
    fn pthread_setcanceltype(kind: c_int, before: *mut c_int) -> c_int;
    fn pthread_testcancel();
    fn poll(entries: *mut c_void, count: libc::nfds_t, timeout: c_int) -> c_int;
    fn syscall(number: c_long, ...) -> c_long;
    fn _Unwind_Resume(exception: *mut c_void) -> !;
}

/// What is known about the calling thread.
struct Known {
    /// The unwinding that was stopped on it, NULL when there is none.
    stopped: Cell<*mut c_void>,
    /// Whether its waits end when it is cancelled: it is in a call to the library that was made with cancellation on, and
    /// not by an adapter.
    cancellable: Cell<bool>,
    /// Whether a [`Held`] has switched cancellation off, and no code of the program runs.
    held: Cell<bool>,
}

thread_local! {
    static KNOWN: Known =
        const { Known { stopped: Cell::new(ptr::null_mut()), cancellable: Cell::new(false), held: Cell::new(false) } };
}

/// The thread is ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending;

impl From<Ending> for Error {
    /// Nobody sees it: the call does not return.
    fn from(_: Ending) -> Error {
        Error::from(Status::Timeout)
    }
}

/// Whether the calling thread is ending: it must not wait any more.
pub fn is_ending() -> bool {
    KNOWN.with(|known| !known.stopped.get().is_null())
}

/// An error when the calling thread is ending.
pub fn check() -> Result<(), Ending> {
    if is_ending() { Err(Ending) } else { Ok(()) }
}

/// Forgets that the thread was to end. For the threads of the library that must go on.
pub fn stay() {
    KNOWN.with(|known| known.stopped.set(ptr::null_mut()));
}

/// Goes on with the end of the thread, if it is ending.
///
/// # Safety
/// The frames from here to the program's own have nothing left to drop, and may be unwound.
pub unsafe fn resume() {
    let exception = KNOWN.with(|known| known.stopped.replace(ptr::null_mut()));
    if !exception.is_null() {
        // SAFETY: stopped by `call` on this thread, in a frame below the caller's.
        unsafe { _Unwind_Resume(exception) };
    }
}

/// A cancellation point: ends the calling thread if it was cancelled.
///
/// # Safety
/// As for [`resume`].
pub unsafe fn test() {
    // SAFETY: no arguments; what it may unwind is the caller's promise.
    unsafe { pthread_testcancel() };
}

/// Switches cancellation off for all threads of the library: what ends one of them is `pthread_exit`.
pub fn never_cancel() {
    // SAFETY: NULL stands for "not interested".
    unsafe { pthread_setcancelstate(DISABLE, ptr::null_mut()) };
}

/// As long as this lives, no function of the C library is a cancellation point. Inside of another one it costs nothing.
pub struct Held {
    /// The state before; `None` inside of another one.
    before: Option<c_int>,
    cancellable_before: bool,
}

impl Held {
    #[inline]
    #[allow(clippy::new_without_default, reason = "a guard is made on purpose")]
    pub fn new() -> Held {
        KNOWN.with(|known| {
            let cancellable_before = known.cancellable.get();
            if known.held.replace(true) {
                return Held { before: None, cancellable_before };
            }
            let mut before = DISABLE;
            // SAFETY: `before` is writable.
            unsafe { pthread_setcancelstate(DISABLE, &mut before) };
            known.cancellable.set(cancellable_before || before == ENABLE);
            Held { before: Some(before), cancellable_before }
        })
    }

    /// A cancellation that was held off counts now: the caller gives up what it does.
    pub fn check(&self) -> Result<(), Ending> {
        if !may_be_cancelled() {
            return check();
        }
        enabled(test_point as *const c_void, [0; 4]).map(drop)
    }
}

impl Drop for Held {
    #[inline]
    fn drop(&mut self) {
        let Some(before) = self.before else { return };
        KNOWN.with(|known| {
            known.cancellable.set(self.cancellable_before);
            known.held.set(false);
        });
        // SAFETY: a state that was in effect before.
        unsafe { pthread_setcancelstate(before, ptr::null_mut()) };
    }
}

/// As long as this lives, waits of the calling thread do not end when it is cancelled: for what must be done as a whole.
pub struct Uncut(bool);

impl Uncut {
    #[allow(clippy::new_without_default, reason = "a guard is made on purpose")]
    pub fn new() -> Uncut {
        Uncut(KNOWN.with(|known| known.cancellable.replace(false)))
    }
}

impl Drop for Uncut {
    fn drop(&mut self) {
        KNOWN.with(|known| known.cancellable.set(self.0));
    }
}

/// A cancellation point of a function that works with cancellation on, but for parts of it. One that holds cancellation off
/// as a whole has its own.
pub fn point() -> Result<(), Ending> {
    if KNOWN.with(|known| known.held.get()) { check() } else { Held::new().check() }
}

/// Whether a wait of this thread has to end when it is cancelled.
#[inline]
pub fn may_be_cancelled() -> bool {
    cfg!(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))
        && KNOWN.with(|known| known.cancellable.get() && known.stopped.get().is_null())
}

/// `poll` of one descriptor, no cancellation point; the error's number as a negative result.
pub fn poll_held(entry: &mut libc::pollfd, timeout: c_int) -> isize {
    let _held = Held::new();
    // SAFETY: one valid entry; without cancellation nothing is unwound.
    result_of(unsafe { poll(ptr::from_mut(entry).cast(), 1, timeout) }.into())
}

/// The same, but it ends when the thread is cancelled.
pub fn poll_or_end(entry: &mut libc::pollfd, timeout: c_int) -> Result<isize, Ending> {
    check()?;
    if !may_be_cancelled() {
        return Ok(poll_held(entry, timeout));
    }
    enabled(poll_point as *const c_void, [ptr::from_mut(entry).addr(), timeout as usize, 0, 0])
}

/// `FUTEX_WAIT` on a word; the error's number as a negative result.
pub fn sleep_or_end(word: usize, operation: c_int, expected: u32, time: usize) -> Result<isize, Ending> {
    enabled(futex_point as *const c_void, [word, operation as usize, expected as usize, time])
}

/// Calls one of the three functions below, which are left by cancellation alone.
fn enabled(point: *const c_void, [a, b, c, d]: [usize; 4]) -> Result<isize, Ending> {
    // SAFETY: the function takes these arguments; cancellation is on in it, and is switched off again below.
    let result = unsafe { call(point, [a, b, c, d, 0]) };
    never_cancel();
    result.map(|value| value as isize)
}

unsafe extern "C-unwind" fn test_point() -> isize {
    // SAFETY: nothing here to be unwound.
    unsafe {
        pthread_setcancelstate(ENABLE, ptr::null_mut());
        pthread_testcancel();
    }
    0
}

unsafe extern "C-unwind" fn poll_point(entry: *mut c_void, timeout: usize) -> isize {
    // SAFETY: one entry, by the caller's promise.
    unsafe {
        pthread_setcancelstate(ENABLE, ptr::null_mut());
        result_of(poll(entry, 1, timeout as c_int).into())
    }
}

/// The system call itself is no cancellation point; nothing but it may be left at any moment. The result is taken before
/// anything else can change the error's number.
unsafe extern "C-unwind" fn futex_point(
    word: usize,
    operation: usize,
    expected: usize,
    time: usize,
) -> isize {
    let mut kind = 0;
    // SAFETY: word and time are valid for the call, by the caller's promise.
    unsafe {
        pthread_setcancelstate(ENABLE, ptr::null_mut());
        pthread_setcanceltype(ASYNCHRONOUS, &mut kind);
        let result = result_of(syscall(libc::SYS_futex, word, operation as c_int, expected as u32, time));
        pthread_setcanceltype(kind, ptr::null_mut());
        // The signal of a cancellation that found the thread in its sleep may come later, and in a function of the C
        // library that sleeps it would act although cancellation is off by then. A cancellation point of that library
        // does not end before such a signal has come.
        poll(ptr::null_mut(), 0, 0);
        pthread_testcancel();
        result
    }
}

fn result_of(returned: c_long) -> isize {
    // SAFETY: errno is there on every thread.
    if returned == -1 { -(unsafe { *libc::__errno_location() } as isize) } else { returned as isize }
}

/// Calls a function of an event loop's adapter, with cancellation held off: adapters hold locks of their own across
/// functions of the C library. The thread may end in it by `pthread_exit` all the same.
///
/// # Safety
/// The function takes these arguments.
pub unsafe fn call_adapter(function: *const c_void, arguments: [usize; 5]) -> Result<usize, Ending> {
    let _held = Held::new();
    let cancellable = KNOWN.with(|known| {
        known.held.set(false);
        known.cancellable.replace(false) // not in what the adapter calls either
    });
    // SAFETY: as promised by the caller.
    let result = unsafe { call(function, arguments) };
    never_cancel();
    KNOWN.with(|known| {
        known.cancellable.set(cancellable);
        known.held.set(true);
    });
    result
}

/// Calls a handler of the program with cancellation as it is in the program's part of the thread.
///
/// # Safety
/// The function takes these arguments.
pub unsafe fn call_handler(handler: *const c_void, arguments: [usize; 5]) -> Result<usize, Ending> {
    let (cancellable, held) =
        KNOWN.with(|known| (known.cancellable.replace(false), known.held.replace(false)));
    if !cancellable {
        // What the handler does about cancellation is not known: the next `Held` switches it off again.
        // SAFETY: as promised by the caller.
        return unsafe { call(handler, arguments) };
    }
    // SAFETY: as promised by the caller; cancellation was on when the program called the library.
    let result = unsafe {
        pthread_setcancelstate(ENABLE, ptr::null_mut());
        call(handler, arguments)
    };
    never_cancel();
    KNOWN.with(|known| {
        known.cancellable.set(true);
        known.held.set(held);
    });
    result
}

/// Calls a function with up to five arguments, of any kind that fits a general register. When the thread ends in it, that
/// is noted for [`is_ending`] and [`resume`]. When it is ending already, that waits: what the function calls of the library
/// works as ever.
///
/// # Safety
/// The function takes these arguments.
unsafe fn call(function: *const c_void, [a, b, c, d, e]: [usize; 5]) -> Result<usize, Ending> {
    let stopped = KNOWN.with(|known| known.stopped.replace(ptr::null_mut()));
    // SAFETY: as promised by the caller.
    let returned = unsafe { frame::nats_call(a, b, c, d, e, function) };
    if !stopped.is_null() {
        KNOWN.with(|known| known.stopped.set(stopped)); // each thread has one: should it have ended again, it is the same
    }
    if returned.ended { Err(Ending) } else { Ok(returned.value) }
}

/// The same for a function that returns nothing, the quickest way.
///
/// # Safety
/// The function takes these arguments.
#[inline(always)]
pub unsafe fn call_message_handler(function: *const c_void, [a, b, c, d]: [usize; 4]) -> Result<(), Ending> {
    // SAFETY: as promised by the caller.
    if unsafe { frame::nats_call_void(a, b, c, d, function) } { Err(Ending) } else { Ok(()) }
}

/// In the two registers of a result.
#[repr(C)]
struct Returned {
    value: usize,
    ended: bool,
}

/// The frames that forced unwinding is stopped in. The arguments are where the function wants them. The landing pads are
/// found by the personality function for C, which runs cleanup code and knows nothing else. A forced unwinding has class
/// 0; other exceptions (of C++) go on.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
mod frame {
    use std::ffi::c_void;

    use super::{KNOWN, Returned};

    unsafe extern "C-unwind" {
        pub(super) fn nats_call(
            a: usize,
            b: usize,
            c: usize,
            d: usize,
            e: usize,
            function: *const c_void,
        ) -> Returned;
        pub(super) fn nats_call_void(a: usize, b: usize, c: usize, d: usize, function: *const c_void)
        -> bool;
    }

    extern "C" fn stopped(exception: *mut c_void) {
        KNOWN.with(|known| known.stopped.set(exception));
    }

    std::arch::global_asm!(
        ".pushsection .text.nats_call, \"ax\", @progbits",
        ".globl nats_call",
        ".hidden nats_call",
        ".type nats_call, @function",
        "nats_call:",
        ".cfi_startproc",
        ".cfi_personality 0x9b, .Lnats_personality",
        ".cfi_lsda 0x1b, .Lnats_call_table",
        "sub rsp, 8",
        ".cfi_adjust_cfa_offset 8",
        ".Lnats_call_begin:",
        "call r9",
        ".Lnats_call_end:",
        "xor edx, edx",
        ".Lnats_call_return:",
        "add rsp, 8",
        ".cfi_remember_state",
        ".cfi_adjust_cfa_offset -8",
        "ret",
        ".cfi_restore_state",
        ".Lnats_call_pad:",
        "mov rdi, rax",
        "cmp qword ptr [rdi], 0",
        "jne .Lnats_call_resume",
        "call {stopped}",
        "mov edx, 1",
        "jmp .Lnats_call_return",
        ".Lnats_call_resume:",
        "call {resume}",
        "ud2",
        ".cfi_endproc",
        ".size nats_call, . - nats_call",
        ".globl nats_call_void",
        ".hidden nats_call_void",
        ".type nats_call_void, @function",
        "nats_call_void:",
        ".cfi_startproc",
        ".cfi_personality 0x9b, .Lnats_personality",
        ".cfi_lsda 0x1b, .Lnats_call_void_table",
        "sub rsp, 8",
        ".cfi_adjust_cfa_offset 8",
        ".Lnats_call_void_begin:",
        "call r8",
        ".Lnats_call_void_end:",
        "xor eax, eax",
        ".Lnats_call_void_return:",
        "add rsp, 8",
        ".cfi_remember_state",
        ".cfi_adjust_cfa_offset -8",
        "ret",
        ".cfi_restore_state",
        ".Lnats_call_void_pad:",
        "mov rdi, rax",
        "cmp qword ptr [rdi], 0",
        "jne .Lnats_call_void_resume",
        "call {stopped}",
        "mov eax, 1",
        "jmp .Lnats_call_void_return",
        ".Lnats_call_void_resume:",
        "call {resume}",
        "ud2",
        ".cfi_endproc",
        ".size nats_call_void, . - nats_call_void",
        ".popsection",
        // Where the calls are and their landing pads; they count from the function's begin, without types, in uleb128.
        ".pushsection .gcc_except_table.nats_call, \"a\", @progbits",
        ".balign 4",
        ".Lnats_call_table:",
        ".byte 0xff, 0xff, 0x01",
        ".uleb128 .Lnats_call_table_end - .Lnats_call_entry",
        ".Lnats_call_entry:",
        ".uleb128 .Lnats_call_begin - nats_call",
        ".uleb128 .Lnats_call_end - .Lnats_call_begin",
        ".uleb128 .Lnats_call_pad - nats_call",
        ".uleb128 0",
        ".Lnats_call_table_end:",
        ".balign 4",
        ".Lnats_call_void_table:",
        ".byte 0xff, 0xff, 0x01",
        ".uleb128 .Lnats_call_void_table_end - .Lnats_call_void_entry",
        ".Lnats_call_void_entry:",
        ".uleb128 .Lnats_call_void_begin - nats_call_void",
        ".uleb128 .Lnats_call_void_end - .Lnats_call_void_begin",
        ".uleb128 .Lnats_call_void_pad - nats_call_void",
        ".uleb128 0",
        ".Lnats_call_void_table_end:",
        ".popsection",
        // A name of its own: the compiler defines the usual one where it needs it.
        ".pushsection .data.rel.ro.nats_personality, \"aw\", @progbits",
        ".balign 8",
        ".Lnats_personality:",
        ".quad __gcc_personality_v0",
        ".popsection",
        resume = sym super::_Unwind_Resume,
        stopped = sym stopped,
    );
}

/// Elsewhere nothing is stopped.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
mod frame {
    use std::ffi::c_void;
    use std::mem::transmute;

    use super::Returned;

    pub(super) unsafe fn nats_call(
        a: usize,
        b: usize,
        c: usize,
        d: usize,
        e: usize,
        function: *const c_void,
    ) -> Returned {
        type Function = unsafe extern "C-unwind" fn(usize, usize, usize, usize, usize) -> usize;
        // SAFETY: as promised by the caller; arguments too many do no harm on these targets.
        let value = unsafe { transmute::<*const c_void, Function>(function)(a, b, c, d, e) };
        Returned { value, ended: false }
    }

    pub(super) unsafe fn nats_call_void(
        a: usize,
        b: usize,
        c: usize,
        d: usize,
        function: *const c_void,
    ) -> bool {
        type Function = unsafe extern "C-unwind" fn(usize, usize, usize, usize);
        // SAFETY: as promised by the caller.
        unsafe { transmute::<*const c_void, Function>(function)(a, b, c, d) };
        false
    }
}

#[cfg(all(test, target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::*;

    unsafe extern "C-unwind" {
        fn pthread_exit(value: *mut c_void) -> !;
    }

    /// As an exported function that a handler calls.
    extern "C" fn ending_seen() -> usize {
        is_ending().into()
    }

    unsafe extern "C-unwind" fn exits() {
        // SAFETY: no frame between here and the call owns anything.
        unsafe { pthread_exit(ptr::null_mut()) };
    }

    extern "C" fn adds(a: usize, b: usize, c: usize, d: usize, e: usize) -> usize {
        a + 10 * b + 100 * c + 1000 * d + 10_000 * e
    }

    fn in_a_thread(body: impl FnOnce() + Send + 'static) {
        std::thread::spawn(body).join().expect("no panic");
    }

    #[test]
    fn arguments_and_results_get_through() {
        // SAFETY: takes five words.
        assert_eq!(unsafe { call(adds as *const c_void, [1, 2, 3, 4, 5]) }, Ok(54_321));
        assert!(!is_ending());
    }

    #[test]
    fn an_exit_comes_back_as_an_error() {
        in_a_thread(|| {
            // SAFETY: takes nothing.
            assert_eq!(unsafe { call(exits as *const c_void, [0; 5]) }, Err(Ending));
            assert!(is_ending() && check().is_err());
            stay();
            // SAFETY: takes nothing.
            assert_eq!(unsafe { call_message_handler(exits as *const c_void, [0; 4]) }, Err(Ending));
            stay();
            assert!(!is_ending());
        });
    }

    #[test]
    fn a_thread_that_is_ending_calls_as_ever_and_ends_then() {
        in_a_thread(|| {
            // SAFETY: takes nothing.
            assert_eq!(unsafe { call(exits as *const c_void, [0; 5]) }, Err(Ending));
            // SAFETY: takes nothing.
            assert_eq!(unsafe { call(ending_seen as *const c_void, [0; 5]) }, Ok(0));
            assert!(is_ending());
            // SAFETY: takes nothing.
            assert_eq!(unsafe { call(exits as *const c_void, [0; 5]) }, Err(Ending));
            assert!(is_ending());
            stay();
        });
    }

    #[test]
    fn an_adapter_is_not_cancelled_nor_what_it_calls() {
        extern "C-unwind" fn adapter() -> usize {
            let held = Held::new();
            // SAFETY: cancels the calling thread, which has cancellation off.
            unsafe { libc::pthread_cancel(libc::pthread_self()) };
            usize::from(may_be_cancelled() || held.check().is_err())
        }
        in_a_thread(|| {
            // SAFETY: takes nothing.
            assert_eq!(unsafe { call_adapter(adapter as *const c_void, [0; 5]) }, Ok(0));
            assert_eq!(Held::new().check(), Err(Ending));
            stay();
            never_cancel();
        });
    }

    #[test]
    fn a_cancelled_thread_waits_no_more() {
        in_a_thread(|| {
            let held = Held::new();
            // SAFETY: cancels the calling thread, which has cancellation off.
            unsafe { libc::pthread_cancel(libc::pthread_self()) };
            let mut nothing = libc::pollfd { fd: -1, events: 0, revents: 0 };
            assert_eq!(poll_held(&mut nothing, 0), 0);
            assert_eq!(poll_or_end(&mut nothing, -1), Err(Ending));
            assert!(!may_be_cancelled());
            assert_eq!(held.check(), Err(Ending));
            stay();
        });
    }

    #[test]
    fn who_does_not_want_to_be_cancelled_is_not() {
        in_a_thread(|| {
            never_cancel();
            let held = Held::new();
            // SAFETY: cancels the calling thread, which has cancellation off.
            unsafe { libc::pthread_cancel(libc::pthread_self()) };
            assert!(!may_be_cancelled());
            assert_eq!(held.check(), Ok(()));
        });
    }
}
