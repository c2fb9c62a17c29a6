//! libnats with a Rust core: a drop-in for the NATS C client.
//!
//! Layers, each uses only those below it (`tests/layers` checks):
//!
//! | layer | what lives there |
//! |---|---|
//! | [`ffi`] | every exported C function: pointers become values, one call into `client` |
//! | `client` | the safe API: connection, options, subscription, delivery, messages, requests, drain |
//! | `io` | sockets, DNS, poller, timers, clocks: the only user of OS sockets and threads |
//! | `session` | state of one connection without I/O: handshake, liveness, server pool, reconnect plan |
//! | `proto` | bytes without I/O: parser, encoder, INFO/CONNECT, headers, subjects, URLs, credentials |
//! | `error` | one error type for all |
//! | `sync` | locks for all |
//! | [`doctor`] | what nats-doctor may use; beside the layers |
//! | [`measured`] | what benchmarks and tests outside of the crate may use; beside the layers |
//! | [`fuzzing`] | what must hold for any bytes from outside, for tests; beside the layers |
//! | `detector` | what race detectors are told of them |
//! | `thread_end` | threads that are cancelled or exit inside a call |

mod client;
mod detector;
#[doc(hidden)]
pub mod doctor;
mod error;
pub mod ffi;
#[doc(hidden)]
pub mod fuzzing;
mod io;
#[doc(hidden)]
pub mod measured;
mod proto;
mod session;
mod sync;
mod thread_end;
