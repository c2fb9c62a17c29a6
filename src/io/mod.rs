//! Sockets, names, the poller, timers and threads: the only user of OS sockets and OS threads.

pub mod clock;
pub(crate) mod dns;
pub(crate) mod duty;
pub(crate) mod environment;
pub(crate) mod executor;
pub(crate) mod fork;
pub(crate) mod helpers;
pub(crate) mod poller;
pub(crate) mod socket;
pub(crate) mod stderr;
pub(crate) mod threads;
pub(crate) mod timer;
pub(crate) mod tls;
