//! Locks: the one place that says which ones the library uses.
//!
//! Each lock is a futex: a word in the object it guards, and who sleeps on it is known to the kernel alone. The locks of a
//! process share nothing. That is why they are not parking_lot's, whose interface they have: it keeps the sleeping
//! threads of all locks in one table, and a thread that is in that table when another one forks leaves a part of it
//! locked in the child, for good and for every lock.

mod condvar;
pub(crate) mod futex;
mod mutex;
mod queue;

pub use condvar::{Condvar, WaitTimeoutResult};
use mutex::{RawMutex, ThreadAddress};
pub use queue::Queue;

/// A lock without poisoning: a panic while it is held unlocks it.
pub type Mutex<T> = lock_api::Mutex<RawMutex, T>;
pub type MutexGuard<'a, T> = lock_api::MutexGuard<'a, RawMutex, T>;
/// A lock that its holder may take again.
pub type ReentrantMutex<T> = lock_api::ReentrantMutex<RawMutex, ThreadAddress, T>;
