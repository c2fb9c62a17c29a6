//! A connection to a NATS server.

/// A connection: shared by the user, its subscriptions and running callbacks.
pub struct Connection {}
