//! Waiting until somebody says that something has changed.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::sync::{MutexGuard, futex};
use crate::thread_end::Ending;

/// Whoever changes what others wait for does it under their lock and then notifies. A wait may end for no reason, so what
/// is waited for is looked at again.
#[derive(Default)]
pub struct Condvar {
    /// Counts the notifications: who saw the count before is not to fall asleep after one.
    notified: AtomicU32,
    /// Threads that wait. Changed to more under the lock, so a notifier that changed something cannot miss one.
    waiting: AtomicU32,
}

/// How a wait with a limit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    pub fn timed_out(self) -> bool {
        self.0
    }
}

impl Condvar {
    pub const fn new() -> Condvar {
        Condvar { notified: AtomicU32::new(0), waiting: AtomicU32::new(0) }
    }

    /// Unlocks, waits, and locks again.
    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        self.wait_at_most(guard, None);
    }

    /// The same for no longer than `limit`.
    pub fn wait_for<T>(&self, guard: &mut MutexGuard<'_, T>, limit: Duration) -> WaitTimeoutResult {
        WaitTimeoutResult(!self.wait_at_most(guard, Some(limit)))
    }

    /// The same for a thread that may be cancelled: it comes back at once then, not to wait any more.
    pub fn wait_or_end<T>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        limit: Option<Duration>,
    ) -> Result<(), Ending> {
        self.sleep(guard, |word, seen| futex::wait_or_end(word, seen, limit)).map(drop)
    }

    fn wait_at_most<T>(&self, guard: &mut MutexGuard<'_, T>, limit: Option<Duration>) -> bool {
        self.sleep(guard, |word, seen| futex::wait(word, seen, limit))
    }

    fn sleep<T, R>(&self, guard: &mut MutexGuard<'_, T>, sleep: impl FnOnce(&AtomicU32, u32) -> R) -> R {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let seen = self.notified.load(Ordering::Relaxed);
        MutexGuard::unlocked(guard, || {
            let result = sleep(&self.notified, seen);
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            result
        })
    }

    /// Ends the wait of one thread, if any waits.
    #[inline]
    pub fn notify_one(&self) {
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.notified.fetch_add(1, Ordering::Relaxed);
            futex::wake_one(&self.notified);
        }
    }

    /// Ends the wait of all threads.
    #[inline]
    pub fn notify_all(&self) {
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.notified.fetch_add(1, Ordering::Relaxed);
            futex::wake_all(&self.notified);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;
    use std::time::{Duration, Instant};

    use crate::sync::{Condvar, Mutex};

    #[test]
    fn a_limit_ends_a_wait() {
        let (lock, condvar) = (Mutex::new(()), Condvar::new());
        let start = Instant::now();
        let limit = Duration::from_millis(30);
        while !condvar.wait_for(&mut lock.lock(), limit).timed_out() {}
        assert!(start.elapsed() >= limit);
        assert!(lock.try_lock().is_some());
    }

    /// Several threads hand a number on; a notification that gets lost would stop them.
    #[test]
    fn no_notification_is_lost() {
        const THREADS: u32 = 3;
        const ROUNDS: u32 = 3_000;
        let shared = Arc::new((Mutex::new(0_u32), Condvar::new()));
        let threads: Vec<_> = (0..THREADS)
            .map(|own| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    let (turn, changed) = &*shared;
                    for _ in 0..ROUNDS {
                        let mut turn = turn.lock();
                        while *turn % THREADS != own {
                            changed.wait(&mut turn);
                        }
                        *turn += 1;
                        drop(turn);
                        changed.notify_all();
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(*shared.0.lock(), THREADS * ROUNDS);
    }

    #[test]
    fn one_notification_wakes_one_of_those_who_wait() {
        let shared = Arc::new((Mutex::new(0_u32), Condvar::new()));
        let taker = || {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let mut things = shared.0.lock();
                while *things == 0 {
                    shared.1.wait(&mut things);
                }
                *things -= 1;
            })
        };
        let takers: Vec<_> = (0..4).map(|_| taker()).collect();
        for _ in &takers {
            *shared.0.lock() += 1;
            shared.1.notify_one();
        }
        takers.into_iter().for_each(|taker| taker.join().unwrap());
        assert_eq!(*shared.0.lock(), 0);
    }
}
