//! The C surface: one file per family of `nats.h`. Nothing below this layer knows about C.
#![allow(non_camel_case_types, non_snake_case)]

pub mod connection;
pub mod event_loop;
pub mod header;
pub mod inbox;
pub mod library;
pub mod liveness;
pub mod msg;
pub mod options;
pub mod options_tls;
pub mod publish;
pub mod stats;
pub mod status;
pub mod subscribe;
pub mod subscription;
pub(crate) mod support;
pub mod types;
pub mod undeclared;
