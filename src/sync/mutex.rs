//! The lock itself: free, held, or held with others asleep who have to be woken.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::detector;
use crate::sync::futex;

const FREE: u32 = 0;
const HELD: u32 = 1;
/// Held, and somebody may be asleep.
const CONTENDED: u32 = 2;
/// Held, and a race detector is to be told of the end of that.
const WATCHED: u32 = 3;
/// So many looks at a held lock come before falling asleep: holders are quick, and waking up is not.
const LOOKS: u32 = 10;
/// After the first few of them a thread gives its processor away instead of spinning: the holder may be in
/// need of it.
const SPINS: u32 = 3;

/// A lock without poisoning: a panic while it is held unlocks it.
pub(crate) type Mutex<T> = lock_api::Mutex<RawMutex, T>;
pub(crate) type MutexGuard<'a, T> = lock_api::MutexGuard<'a, RawMutex, T>;
/// A lock that its holder may take again.
#[cfg(any(test, feature = "tls"))]
pub(crate) type ReentrantMutex<T> = lock_api::ReentrantMutex<RawMutex, ThreadAddress, T>;

pub struct RawMutex(AtomicU32);

// SAFETY: FREE becomes something else for one thread at a time, and only `unlock` makes it FREE again.
unsafe impl lock_api::RawMutex for RawMutex {
    const INIT: RawMutex = RawMutex(AtomicU32::new(FREE));

    type GuardMarker = lock_api::GuardNoSend;

    #[inline]
    fn lock(&self) {
        if !self.take() {
            self.lock_contended();
        }
        if detector::may_be_here() {
            self.tell_taken();
        }
    }

    #[inline]
    fn try_lock(&self) -> bool {
        let taken = self.take();
        if taken && detector::may_be_here() {
            self.tell_taken();
        }
        taken
    }

    #[inline]
    unsafe fn unlock(&self) {
        if self.0.compare_exchange(HELD, FREE, Ordering::Release, Ordering::Relaxed).is_err() {
            self.unlock_with_care();
        }
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.0.load(Ordering::Relaxed) != FREE
    }
}

impl Drop for RawMutex {
    /// Comes before the end of what the lock guards: whoever ends it has seen what all holders did.
    #[inline]
    fn drop(&mut self) {
        detector::acquire(self);
    }
}

impl RawMutex {
    #[inline]
    fn take(&self) -> bool {
        self.0.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[cold]
    fn lock_contended(&self) {
        self.spin();
        self.lock_as_sleeper();
    }

    /// Locks after a sleep in which [`RawMutex::move_here`] may have brought the thread here, and others with
    /// it.
    pub(super) fn relock(&self) {
        self.lock_as_sleeper();
        if detector::may_be_here() {
            detector::acquire(self);
        }
    }

    /// The holder has those who sleep on `word` wait for the lock instead: each is woken when it can have it.
    /// False if that cannot be done.
    pub(super) fn move_here(&self, word: &AtomicU32) -> bool {
        self.0.store(CONTENDED, Ordering::Relaxed);
        futex::move_all(word, &self.0)
    }

    fn lock_as_sleeper(&self) {
        // From here on CONTENDED is what this thread locks with, since it does not know of others who sleep.
        while self.0.swap(CONTENDED, Ordering::Acquire) != FREE {
            futex::wait(&self.0, CONTENDED, None);
        }
    }

    /// Looks for a while whether the lock gets free; not when others sleep already.
    fn spin(&self) {
        for look in 0..LOOKS {
            if look < SPINS {
                (0..2 << look).for_each(|_| std::hint::spin_loop());
            } else {
                std::thread::yield_now();
            }
            if self.0.load(Ordering::Relaxed) != HELD {
                return;
            }
        }
    }

    #[cold]
    fn unlock_with_care(&self) {
        detector::release(self);
        if self.0.swap(FREE, Ordering::Release) == CONTENDED {
            futex::wake_one(&self.0);
        }
    }

    /// The holder tells a race detector, and sees to it that it hears of the end too.
    #[cold]
    fn tell_taken(&self) {
        detector::acquire(self);
        // A lock that others wait for is `unlock_with_care`'s anyway.
        let _ = self.0.compare_exchange(HELD, WATCHED, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// Tells the running threads of a process apart.
#[cfg(any(test, feature = "tls"))]
pub(crate) struct ThreadAddress;

// SAFETY: no two running threads have the same address, and a thread keeps its own.
#[cfg(any(test, feature = "tls"))]
unsafe impl lock_api::GetThreadId for ThreadAddress {
    const INIT: ThreadAddress = ThreadAddress;

    fn nonzero_thread_id(&self) -> std::num::NonZeroUsize {
        thread_local! { static PLACE: u8 = const { 0 } }
        PLACE.with(|place| {
            std::num::NonZeroUsize::new(std::ptr::from_ref(place).addr())
                .expect("no variable is at address 0")
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn one_at_a_time() {
        let sum = Arc::new(Mutex::new(0_u64));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let sum = Arc::clone(&sum);
                thread::spawn(move || (0..50_000).for_each(|_| *sum.lock() += 1))
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(*sum.lock(), 200_000);
    }

    #[test]
    fn held_or_not() {
        let lock = Mutex::new(());
        let guard = lock.lock();
        assert!(lock.is_locked() && lock.try_lock().is_none());
        drop(guard);
        assert!(!lock.is_locked() && lock.try_lock().is_some());
    }

    #[test]
    fn a_panic_unlocks() {
        let lock = Mutex::new(1);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _guard = lock.lock();
            panic!("while the lock is held");
        }));
        assert!(panicked.is_err());
        assert_eq!(*lock.try_lock().unwrap(), 1);
    }

    #[test]
    fn unlocked_for_a_while() {
        let lock = Mutex::new(1);
        let mut guard = lock.lock();
        MutexGuard::unlocked(&mut guard, || *lock.lock() = 2);
        assert_eq!(*guard, 2);
    }

    #[test]
    fn a_holder_may_come_again() {
        let lock = Arc::new(ReentrantMutex::new(()));
        let outer = lock.lock();
        let inner = lock.lock();
        let other = Arc::clone(&lock);
        assert!(!thread::spawn(move || other.try_lock().is_some()).join().unwrap());
        drop((outer, inner));
        let other = Arc::clone(&lock);
        assert!(thread::spawn(move || other.try_lock().is_some()).join().unwrap());
    }

    /// Who takes the lock again and again, with hardly a pause, does not keep another one out.
    #[test]
    fn nobody_starves() {
        let lock = Arc::new(Mutex::new(()));
        let stop = Arc::new(AtomicBool::new(false));
        let hogs: Vec<_> = (0..2)
            .map(|_| {
                let (lock, stop) = (Arc::clone(&lock), Arc::clone(&stop));
                thread::spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        let _guard = lock.lock();
                        (0..200).for_each(|_| std::hint::spin_loop());
                    }
                })
            })
            .collect();
        let mut longest = Duration::ZERO;
        for _ in 0..50 {
            let start = Instant::now();
            drop(lock.lock());
            longest = longest.max(start.elapsed());
        }
        stop.store(true, Ordering::Relaxed);
        hogs.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(longest < Duration::from_secs(5), "waited {longest:?}");
    }
}
