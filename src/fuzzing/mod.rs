//! What must hold for any bytes that come from outside: one body for each kind of input, a function of bytes
//! that panics when something is wrong. `tests/fuzz_corpus.rs` runs them over the files in `fuzz/corpus`, the
//! targets in `fuzz/` over what libFuzzer thinks of; docs/fuzzing.md says how.

#![forbid(unsafe_code)]

pub mod credentials;
pub mod headers;
pub mod info;
mod input;
pub mod nkeys;
pub mod parser;
pub mod server_error;
pub mod session;
pub mod url;

/// A body: takes any bytes, panics when they break a promise.
pub type Body = fn(&[u8]);

/// All bodies with the names of their targets and of their folders in `fuzz/corpus`.
pub const BODIES: [(&str, Body); 8] = [
    ("credentials", credentials::run),
    ("headers", headers::run),
    ("info", info::run),
    ("nkeys", nkeys::run),
    ("parser", parser::run),
    ("server_error", server_error::run),
    ("session", session::run),
    ("url", url::run),
];
