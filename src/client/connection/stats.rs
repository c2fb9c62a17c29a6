//! Counters of a connection.

/// What went through a connection since it was made. Bytes are headers and payload, without the protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    pub in_msgs: u64,
    pub in_bytes: u64,
    pub out_msgs: u64,
    pub out_bytes: u64,
    /// How often the connection was lost and made again.
    pub reconnects: u64,
}
