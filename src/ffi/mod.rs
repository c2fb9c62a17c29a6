//! The C surface: a folder per part of `nats.h`, a file per family. Nothing below this layer knows about C.
#![allow(non_camel_case_types, non_snake_case)]

pub mod core;
pub mod jetstream;
pub mod kv;
pub mod micro;
pub mod object;
pub mod options;
pub(crate) mod support;
pub mod types;
