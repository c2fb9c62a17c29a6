//! Locks: the one place that says which ones the library uses.
//!
//! Each lock is a futex: a word in the object it guards, and who sleeps on it is known to the kernel alone.
//! The locks of a process share nothing. That is why they are not parking_lot's, whose interface they have:
//! it keeps the sleeping threads of all locks in one table, and a thread that is in that table when another
//! one forks leaves a part of it locked in the child, for good and for every lock.

mod condvar;
pub(crate) mod futex;
mod mutex;
mod queue;

pub(crate) use condvar::Condvar;
#[cfg(feature = "tls")]
pub(crate) use mutex::ReentrantMutex;
pub(crate) use mutex::{Mutex, MutexGuard};
pub(crate) use queue::Queue;
