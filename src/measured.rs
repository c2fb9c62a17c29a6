//! What benchmarks and tests outside of the crate may use of the library.

pub use crate::client::connection::Connection;
pub use crate::client::connection::connect::{Outcome, connect};
pub use crate::client::library;
pub use crate::client::options::Options;
pub use crate::client::subscription::{MsgHandler, Request, Subscription};
pub use crate::error::Result;
pub use crate::io::clock;
pub use crate::proto::buffer::Buffer;
pub use crate::proto::encoder;
pub use crate::proto::headers::HeaderMap;
pub use crate::proto::parser::{MsgLine, Parser, PartialBody, Sink};
