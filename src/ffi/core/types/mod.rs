//! The C types of core NATS.

pub mod handles;
pub mod liveness;
pub mod status;

pub use handles::*;
pub use liveness::*;
pub use status::*;
