//! State of one connection without any I/O: time is an argument, randomness is handed in.

#![forbid(unsafe_code)]

use std::time::Duration;

pub mod auth;
pub mod grace;
pub mod handshake;
pub mod liveness;
pub mod pongs;
pub mod pool;
pub mod reconnect;

/// A point in time: the time since an arbitrary origin of a monotonic clock that also counts sleep.
pub type Moment = Duration;
