//! Tests of the parts together: threads that are cancelled or exit, and what the library sees of it.

use super::calls::call;
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
