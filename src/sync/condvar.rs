//! Waiting until somebody says that something has changed.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use lock_api::RawMutex as _;

use crate::sync::futex;
use crate::sync::mutex::MutexGuard;
use crate::thread_end::Ending;

/// Whoever changes what others wait for does it under their lock and then notifies. A wait may end for no
/// reason, so what is waited for is looked at again.
#[derive(Default)]
pub struct Condvar {
    /// Counts the notifications: who saw the count before is not to fall asleep after one.
    notified: AtomicU32,
    /// Threads that wait. Changed to more under the lock, so a notifier that changed something cannot miss
    /// one.
    waiting: AtomicU32,
    /// Whether [`Condvar::notify_all_in_turn`] has moved threads to the lock's queue.
    moved: AtomicBool,
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
        Condvar { notified: AtomicU32::new(0), waiting: AtomicU32::new(0), moved: AtomicBool::new(false) }
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
        // SAFETY: nothing uses the mutex.
        let lock = unsafe { MutexGuard::mutex(guard).raw() };
        // SAFETY: the guard says that it is locked; it is again before the guard is used.
        unsafe { lock.unlock() };
        let result = sleep(&self.notified, seen);
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        if self.moved.load(Ordering::Relaxed) {
            lock.relock();
        } else {
            lock.lock();
        }
        result
    }

    /// Ends the wait of one thread, if any waits.
    #[inline]
    pub fn notify_one(&self) {
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.notified.fetch_add(1, Ordering::Relaxed);
            futex::wake_one(&self.notified);
        }
    }

    /// Ends the wait of all threads. The caller holds the lock, and each is woken when the one before has let
    /// go of it: better than all at once when there may be many.
    #[inline]
    pub fn notify_all_in_turn<T>(&self, guard: &mut MutexGuard<'_, T>) {
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.move_all(guard);
        }
    }

    #[cold]
    fn move_all<T>(&self, guard: &mut MutexGuard<'_, T>) {
        // Seen by who was moved: it is woken by an unlock that comes later.
        self.moved.store(true, Ordering::Relaxed);
        self.notified.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the mutex stays locked.
        if !unsafe { MutexGuard::mutex(guard).raw() }.move_here(&self.notified) {
            futex::wake_all(&self.notified);
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

    use crate::sync::{Condvar, Mutex, MutexGuard};

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
    fn hand_on(changes: impl Fn(&Condvar, MutexGuard<'_, u32>) + Copy + Send + 'static) {
        const THREADS: u32 = 4;
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
                        changes(changed, turn);
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(*shared.0.lock(), THREADS * ROUNDS);
    }

    #[test]
    fn no_notification_is_lost() {
        hand_on(|changed, turn| {
            drop(turn);
            changed.notify_all();
        });
    }

    #[test]
    fn no_notification_in_turn_is_lost() {
        hand_on(|changed, mut turn| changed.notify_all_in_turn(&mut turn));
    }

    #[test]
    fn both_ways_of_notification_go_together() {
        hand_on(|changed, mut turn| match *turn % 3 {
            0 => changed.notify_all_in_turn(&mut turn),
            _ => {
                drop(turn);
                changed.notify_all();
            }
        });
    }

    /// Threads that are moved to the lock while their limits pass, and others that just take the lock: all
    /// get it.
    #[test]
    fn limits_may_pass_while_threads_wait_their_turn() {
        let shared = Arc::new((Mutex::new(0_u32), Condvar::new()));
        let in_time = Duration::from_secs(20);
        let start = Instant::now();
        let threads: Vec<_> = (0..6_u64)
            .map(|own| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    for round in 0..500 {
                        let mut count = shared.0.lock();
                        *count += 1;
                        match own {
                            0 => shared.1.notify_all_in_turn(&mut count),
                            1 => {}
                            _ => {
                                let limit = Duration::from_micros((own * 7 + round) % 40);
                                let _ = shared.1.wait_for(&mut count, limit);
                            }
                        }
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(*shared.0.lock(), 3_000);
        assert!(start.elapsed() < in_time);
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
