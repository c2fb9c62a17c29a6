//! The C surface: one file per family of `nats.h`. Nothing below this layer knows about C.
#![allow(non_camel_case_types, non_snake_case)]

pub mod header;
pub mod inbox;
pub mod library;
pub mod msg;
pub mod options;
pub mod stats;
pub mod status;
pub(crate) mod support;
pub mod types;
