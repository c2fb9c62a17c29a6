//! State of one connection without any I/O: time is an argument, randomness is handed in.

#![forbid(unsafe_code)]

use std::time::Duration;

pub(crate) mod auth;
pub(crate) mod grace;
pub(crate) mod handshake;
pub(crate) mod liveness;
pub(crate) mod pongs;
pub(crate) mod pool;
pub(crate) mod reconnect;

/// A point in time: the time since an arbitrary origin of a monotonic clock that also counts sleep.
pub(crate) type Moment = Duration;
