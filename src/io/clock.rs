//! Clocks. Everything that waits or judges liveness uses [`now`], which no clock step moves and which goes on
//! while the machine sleeps.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::thread_end;

/// Added to [`now`] by tests that need time to pass at once.
static TEST_OFFSET_MS: AtomicU64 = AtomicU64::new(0);

/// Time since boot, time asleep included.
#[inline]
pub fn now() -> Duration {
    read(libc::CLOCK_BOOTTIME) + Duration::from_millis(TEST_OFFSET_MS.load(Ordering::Relaxed))
}

/// Time since the epoch, as the wall clock says.
pub fn wall() -> Duration {
    read(libc::CLOCK_REALTIME)
}

/// Time since an arbitrary origin, never stepped; stands still while the machine sleeps.
pub fn monotonic() -> Duration {
    read(libc::CLOCK_MONOTONIC)
}

/// Makes [`now`] jump ahead, as after a suspend. For tests.
#[doc(hidden)]
pub fn advance_for_test(by: Duration) {
    TEST_OFFSET_MS.fetch_add(by.as_millis() as u64, Ordering::Relaxed);
}

/// The system's time for what [`now`] calls `at`.
pub(super) fn untested(at: Duration) -> Duration {
    at.saturating_sub(Duration::from_millis(TEST_OFFSET_MS.load(Ordering::Relaxed)))
}

fn read(clock: libc::clockid_t) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for the result; the clocks used here exist on every supported kernel.
    unsafe { libc::clock_gettime(clock, &mut time) };
    Duration::new(time.tv_sec.max(0) as u64, time.tv_nsec as u32)
}

/// The end of a wait. Far-away ends (`INT64_MAX` milliseconds) never overflow.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Option<Duration>);

impl Deadline {
    /// No end.
    pub const NEVER: Deadline = Deadline(None);

    /// `ms` milliseconds from now; nothing or less has passed already.
    pub fn in_ms(ms: i64) -> Deadline {
        Deadline(now().checked_add(Duration::from_millis(ms.max(0) as u64)))
    }

    /// The earlier of this and `ms` milliseconds from now.
    pub fn at_most_ms(self, ms: i64) -> Deadline {
        let other = Deadline::in_ms(ms);
        match (self.0, other.0) {
            (Some(a), Some(b)) => Deadline(Some(a.min(b))),
            (a, b) => Deadline(a.or(b)),
        }
    }

    /// What is left, `None` for no end, zero once it has passed.
    pub fn remaining(self) -> Option<Duration> {
        self.0.map(|end| end.saturating_sub(now()))
    }

    pub fn has_passed(self) -> bool {
        self.remaining() == Some(Duration::ZERO)
    }

    /// What is left as a `poll` timeout: milliseconds rounded up, -1 for no end.
    pub fn poll_timeout(self) -> i32 {
        match self.remaining() {
            None => -1,
            Some(left) => i32::try_from(left.as_micros().div_ceil(1000)).unwrap_or(i32::MAX),
        }
    }
}

/// Sleeps until the deadline, or until the thread is cancelled.
pub fn sleep_or_end(deadline: Deadline) {
    while !thread_end::is_ending() && !deadline.has_passed() {
        let mut nothing = libc::pollfd { fd: -1, events: 0, revents: 0 };
        let _ = thread_end::poll_or_end(&mut nothing, deadline.poll_timeout());
    }
}

/// Waits on a condition variable until `ready` gives a value or the deadline passes. For a thread that was
/// cancelled it has passed.
pub fn wait_until<T, R>(
    condvar: &crate::sync::Condvar,
    guard: &mut crate::sync::MutexGuard<'_, T>,
    deadline: Deadline,
    mut ready: impl FnMut(&mut T) -> Option<R>,
) -> Option<R> {
    while !thread_end::is_ending() {
        if let Some(result) = ready(guard) {
            return Some(result);
        }
        let left = deadline.remaining();
        if left == Some(Duration::ZERO) {
            break;
        }
        // A wait of more than a day is taken up again; it also keeps the sum inside what the OS takes.
        let _ = condvar.wait_or_end(guard, left.map(|left| left.min(Duration::from_secs(86_400))));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_do_not_overflow() {
        let far = Deadline::in_ms(i64::MAX);
        assert!(!far.has_passed());
        assert_eq!(far.poll_timeout(), i32::MAX);
        assert!(Deadline::in_ms(-5).has_passed());
        assert!(far.at_most_ms(0).has_passed());
        assert!(!Deadline::NEVER.has_passed());
        assert_eq!(Deadline::NEVER.poll_timeout(), -1);
    }
}
