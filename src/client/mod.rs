//! The safe API of the library; everything that C programs see behaves here, without any C type.

pub(crate) mod connection;
pub(crate) mod delivery;
pub mod library;
pub(crate) mod message;
pub(crate) mod options;
mod pause;
pub(crate) mod subscription;
