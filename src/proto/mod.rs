//! Bytes without I/O: everything the protocol needs that can be computed from its arguments alone.

#![forbid(unsafe_code)]

pub mod blank;
pub mod buffer;
pub mod connect;
pub mod creds;
pub mod encoder;
pub mod headers;
pub mod info;
pub mod memory;
pub mod nkeys;
pub mod nuid;
pub mod parser;
pub mod reply;
pub mod subject;
pub mod url;
