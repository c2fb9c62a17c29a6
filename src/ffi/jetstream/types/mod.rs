//! C types of JetStream, by what they are for.

mod config;
mod errors;
mod handles;
mod info;
mod options;

pub use config::*;
pub use errors::*;
pub use handles::*;
pub use info::*;
pub use options::*;
