//! The types of the C interface under one name. Each family has its own beside its functions; the C header is
//! generated from those files.

pub use crate::ffi::core::types::*;
pub use crate::ffi::jetstream::types::*;
pub use crate::ffi::kv::types::*;
pub use crate::ffi::micro::types::*;
pub use crate::ffi::object::types::*;
