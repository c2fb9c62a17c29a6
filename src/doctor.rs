//! What nats-doctor (`tools/nats-doctor`) may use of the library, and nothing else.

pub use crate::client::connection::Connection;
pub use crate::client::connection::connect::{Outcome, connect};
pub use crate::client::connection::loss::{Disconnect, Reason};
pub use crate::client::library::{defaults, open_default};
pub use crate::client::options::Options;
pub use crate::client::options::auth::Credentials;
pub use crate::client::options::handlers::PingEvent;
pub use crate::client::options::tls::TlsSettings;
pub use crate::error::{Error, Result, Status};
pub use crate::proto::url::without_credentials;
