//! The C surface: one file per family of `nats.h`. Nothing below this layer knows about C.
#![allow(non_camel_case_types, non_snake_case)]

pub mod library;
pub mod options;
pub mod status;
pub(crate) mod support;
pub mod types;
