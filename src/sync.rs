//! Locks: the one place that says which ones the library uses.

pub use parking_lot::{Condvar, Mutex, MutexGuard, ReentrantMutex};
