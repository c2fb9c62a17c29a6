//! Sockets, names, the poller, timers and threads: the only user of OS sockets and OS threads.

pub mod clock;
pub mod dns;
pub mod duty;
pub mod environment;
pub mod executor;
pub mod fork;
pub mod helpers;
pub mod poller;
pub mod socket;
pub mod stderr;
pub mod threads;
pub mod timer;
pub mod tls;
