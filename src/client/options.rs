//! Options of a connection.
