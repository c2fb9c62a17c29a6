//! The safe API of the library; everything that C programs see behaves here, without any C type.

pub mod connection;
pub mod delivery;
pub mod library;
pub mod message;
pub mod options;
mod pause;
pub mod subscription;
