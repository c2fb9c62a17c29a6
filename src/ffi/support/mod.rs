//! Everything the exported functions share: catching panics, handles, strings, memory from `malloc`, last
//! error.

pub(crate) mod alloc;
pub(crate) mod boundary;
pub(crate) mod callback;
pub(crate) mod cenum;
pub(crate) mod connection;
pub(crate) mod handle;
pub(crate) mod last_error;
pub(crate) mod strings;

pub(crate) use boundary::{boundary, held, infallible, waiting};
pub(crate) use handle::Handle;
