//! The safe API of the library; everything that C programs see behaves here, without any C type.

pub mod connection;
pub mod inbox;
pub mod message;
pub mod options;
pub mod stats;
pub mod subscription;
