//! Bytes without I/O: everything the protocol needs that can be computed from its arguments alone.

#![forbid(unsafe_code)]

pub(crate) mod blank;
pub(crate) mod buffer;
pub(crate) mod connect;
pub(crate) mod creds;
pub mod encoder;
pub(crate) mod headers;
pub(crate) mod info;
pub(crate) mod memory;
pub(crate) mod nkeys;
pub(crate) mod nuid;
pub(crate) mod parser;
pub(crate) mod reply;
pub(crate) mod subject;
pub(crate) mod url;
