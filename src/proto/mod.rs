//! Bytes without I/O: everything the protocol needs that can be computed from its arguments alone.

#![forbid(unsafe_code)]

pub mod connect;
pub mod encoder;
pub mod info;
pub mod nuid;
pub mod parser;
pub mod reply;
pub mod subject;
pub mod url;
