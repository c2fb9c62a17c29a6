//! Bytes of the NATS protocol, without any I/O.

pub mod encoder;
pub mod parser;
