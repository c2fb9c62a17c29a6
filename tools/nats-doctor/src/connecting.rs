//! A connection to look at.

use std::sync::Arc;

use nats::doctor::{Connection, Error, Options, Outcome, Result, Status, connect};

/// A connection that is up.
pub(crate) fn connected(options: Options) -> Result<Arc<Connection>> {
    match connect(options)? {
        Outcome::Connected(connection) => Ok(connection),
        Outcome::Retrying(_) => Err(Error::from(Status::NotYetConnected)),
    }
}
