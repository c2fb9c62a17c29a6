//! The C surface: a folder per part of `nats.h`, a file per family. Nothing below this layer knows about C.
//!
//! Every exported function is written out, and passes [`support::on`], the one door into the library: name,
//! what it is called on, body.
//!
//! What a function does about cancellation is its target's [`support::Mode`], unless it names another one:
//! functions on connections and subscriptions are cancellation points, questions about them are `Held`, the
//! quickest are `Quick`. One that waits or calls handlers is `extern "C-unwind"`.
//!
//! # The C contract
//!
//! What a program owes every function unless the function's text says otherwise, and what `SAFETY: the C
//! contract` means:
//!
//! - A handle is NULL, or was made by the library and not given back since. What has one owner (messages,
//!   headers, statistics) is changed by one thread at a time, and read by no other meanwhile.
//! - A string is NULL, or NUL-terminated; a buffer is NULL, or has as many bytes as the length beside it
//!   says. Both stay as they are during the call.
//! - A place for a result is NULL or writable.
//! - A callback has the type it is registered with, and may be called with its closure on any thread of the
//!   library.
//!
//! In return, an exported function has nothing to drop around its door, for a thread may end in there.
#![allow(non_camel_case_types, non_snake_case)]

pub mod core;
pub mod jetstream;
pub mod kv;
pub mod micro;
pub mod object;
pub mod options;
pub(crate) mod support;
pub mod types;
