//! C types: the status of a call and the state of a connection.

use crate::client::connection::ConnStatus;
use crate::error::Status;
use crate::ffi::support::cenum::CEnum;

/// State of a connection, see natsConnection_Status().
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum natsConnStatus {
    /// No connection was made yet.
    NATS_CONN_STATUS_DISCONNECTED = 0,
    /// The first connection is being made.
    NATS_CONN_STATUS_CONNECTING = 1,
    /// Connected and usable.
    NATS_CONN_STATUS_CONNECTED = 2,
    /// Closed for good.
    NATS_CONN_STATUS_CLOSED = 3,
    /// The connection was lost and is being made again.
    NATS_CONN_STATUS_RECONNECTING = 4,
    /// Draining: the subscriptions get what is still on its way to them.
    NATS_CONN_STATUS_DRAINING_SUBS = 5,
    /// Draining: the subscriptions are done, what was published is being flushed.
    NATS_CONN_STATUS_DRAINING_PUBS = 6,
}
// SAFETY: a `#[repr(C)]` enum.
unsafe impl CEnum for natsConnStatus {}

/// Result of every function that can fail. natsStatus_GetText() gives the text of a value.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum natsStatus {
    /// Success.
    NATS_OK = 0,
    /// A failure without a status of its own; nats_GetLastError() has the text.
    NATS_ERR = 1,
    /// The server sent something that is not the NATS protocol.
    NATS_PROTOCOL_ERROR = 2,
    /// Reading from or writing to the socket failed.
    NATS_IO_ERROR = 3,
    /// A protocol line of the server is longer than the library accepts.
    NATS_LINE_TOO_LONG = 4,
    /// The connection is closed for good.
    NATS_CONNECTION_CLOSED = 5,
    /// None of the servers could be reached.
    NATS_NO_SERVER = 6,
    /// The server left too many pings unanswered, or said so itself.
    NATS_STALE_CONNECTION = 7,
    /// TLS was asked for, the server does not offer it.
    NATS_SECURE_CONNECTION_WANTED = 8,
    /// The server insists on TLS, it was not asked for.
    NATS_SECURE_CONNECTION_REQUIRED = 9,
    /// The connection was lost while the call was waiting; the library may be reconnecting.
    NATS_CONNECTION_DISCONNECTED = 10,
    /// The server refused the credentials, or they expired.
    NATS_CONNECTION_AUTH_FAILED = 11,
    /// The server does not permit this, or the state of the object does not.
    NATS_NOT_PERMITTED = 12,
    /// What was looked for does not exist.
    NATS_NOT_FOUND = 13,
    /// The URL has no host.
    NATS_ADDRESS_MISSING = 14,
    /// The subject is not a valid one.
    NATS_INVALID_SUBJECT = 15,
    /// An argument is NULL or out of its range.
    NATS_INVALID_ARG = 16,
    /// The subscription is closed or of the wrong kind for this call.
    NATS_INVALID_SUBSCRIPTION = 17,
    /// The timeout is not positive.
    NATS_INVALID_TIMEOUT = 18,
    /// The call is not possible in the present state of the object.
    NATS_ILLEGAL_STATE = 19,
    /// Messages were dropped because the subscription's pending limits were reached.
    NATS_SLOW_CONSUMER = 20,
    /// The message is larger than the server accepts.
    NATS_MAX_PAYLOAD = 21,
    /// The subscription has received its maximum number of messages.
    NATS_MAX_DELIVERED_MSGS = 22,
    /// The buffer is too small, or the reconnect buffer is full.
    NATS_INSUFFICIENT_BUFFER = 23,
    /// Memory could not be allocated.
    NATS_NO_MEMORY = 24,
    /// A call of the operating system failed.
    NATS_SYS_ERROR = 25,
    /// The time given was not enough.
    NATS_TIMEOUT = 26,
    /// The library could not be initialised.
    NATS_FAILED_TO_INITIALIZE = 27,
    /// The library is not initialised.
    NATS_NOT_INITIALIZED = 28,
    /// TLS failed: the handshake, a certificate or a setting.
    NATS_SSL_ERROR = 29,
    /// The server is too old for this, or has it turned off.
    NATS_NO_SERVER_SUPPORT = 30,
    /// The first connection is still being tried in the background.
    NATS_NOT_YET_CONNECTED = 31,
    /// The connection or subscription is draining and takes nothing new.
    NATS_DRAINING = 32,
    /// The queue group's name is not a valid one.
    NATS_INVALID_QUEUE_NAME = 33,
    /// Nobody listens to the subject of the request.
    NATS_NO_RESPONDERS = 34,
    /// The consumer's sequences differ between client and server: messages were lost.
    NATS_MISMATCH = 35,
    /// The server's heartbeats stayed away.
    NATS_MISSED_HEARTBEAT = 36,
    /// The server ended the request because one of its limits was reached.
    NATS_LIMIT_REACHED = 37,
    /// Another client is pinned to the consumer.
    NATS_PIN_ID_MISMATCH = 38,
    /// The configuration is not valid.
    NATS_INVALID_CONFIG = 39,
    /// Not a status: one more than the largest.
    NATS_MAX_STATUS_VALUE = 40,
}
// SAFETY: a `#[repr(C)]` enum.
unsafe impl CEnum for natsStatus {}

impl From<Status> for natsStatus {
    fn from(status: Status) -> natsStatus {
        match status {
            Status::Ok => natsStatus::NATS_OK,
            Status::Err => natsStatus::NATS_ERR,
            Status::ProtocolError => natsStatus::NATS_PROTOCOL_ERROR,
            Status::IoError => natsStatus::NATS_IO_ERROR,
            Status::LineTooLong => natsStatus::NATS_LINE_TOO_LONG,
            Status::ConnectionClosed => natsStatus::NATS_CONNECTION_CLOSED,
            Status::NoServer => natsStatus::NATS_NO_SERVER,
            Status::StaleConnection => natsStatus::NATS_STALE_CONNECTION,
            Status::SecureConnectionWanted => natsStatus::NATS_SECURE_CONNECTION_WANTED,
            Status::SecureConnectionRequired => natsStatus::NATS_SECURE_CONNECTION_REQUIRED,
            Status::ConnectionDisconnected => natsStatus::NATS_CONNECTION_DISCONNECTED,
            Status::ConnectionAuthFailed => natsStatus::NATS_CONNECTION_AUTH_FAILED,
            Status::NotPermitted => natsStatus::NATS_NOT_PERMITTED,
            Status::NotFound => natsStatus::NATS_NOT_FOUND,
            Status::AddressMissing => natsStatus::NATS_ADDRESS_MISSING,
            Status::InvalidSubject => natsStatus::NATS_INVALID_SUBJECT,
            Status::InvalidArg => natsStatus::NATS_INVALID_ARG,
            Status::InvalidSubscription => natsStatus::NATS_INVALID_SUBSCRIPTION,
            Status::InvalidTimeout => natsStatus::NATS_INVALID_TIMEOUT,
            Status::IllegalState => natsStatus::NATS_ILLEGAL_STATE,
            Status::SlowConsumer => natsStatus::NATS_SLOW_CONSUMER,
            Status::MaxPayload => natsStatus::NATS_MAX_PAYLOAD,
            Status::MaxDeliveredMsgs => natsStatus::NATS_MAX_DELIVERED_MSGS,
            Status::InsufficientBuffer => natsStatus::NATS_INSUFFICIENT_BUFFER,
            Status::NoMemory => natsStatus::NATS_NO_MEMORY,
            Status::SysError => natsStatus::NATS_SYS_ERROR,
            Status::Timeout => natsStatus::NATS_TIMEOUT,
            Status::FailedToInitialize => natsStatus::NATS_FAILED_TO_INITIALIZE,
            Status::NotInitialized => natsStatus::NATS_NOT_INITIALIZED,
            Status::SslError => natsStatus::NATS_SSL_ERROR,
            Status::NoServerSupport => natsStatus::NATS_NO_SERVER_SUPPORT,
            Status::NotYetConnected => natsStatus::NATS_NOT_YET_CONNECTED,
            Status::Draining => natsStatus::NATS_DRAINING,
            Status::InvalidQueueName => natsStatus::NATS_INVALID_QUEUE_NAME,
            Status::NoResponders => natsStatus::NATS_NO_RESPONDERS,
            Status::Mismatch => natsStatus::NATS_MISMATCH,
            Status::MissedHeartbeat => natsStatus::NATS_MISSED_HEARTBEAT,
            Status::LimitReached => natsStatus::NATS_LIMIT_REACHED,
            Status::PinIdMismatch => natsStatus::NATS_PIN_ID_MISMATCH,
            Status::InvalidConfig => natsStatus::NATS_INVALID_CONFIG,
        }
    }
}

impl From<ConnStatus> for natsConnStatus {
    fn from(status: ConnStatus) -> natsConnStatus {
        match status {
            ConnStatus::Disconnected => natsConnStatus::NATS_CONN_STATUS_DISCONNECTED,
            ConnStatus::Connecting => natsConnStatus::NATS_CONN_STATUS_CONNECTING,
            ConnStatus::Connected => natsConnStatus::NATS_CONN_STATUS_CONNECTED,
            ConnStatus::Closed => natsConnStatus::NATS_CONN_STATUS_CLOSED,
            ConnStatus::Reconnecting => natsConnStatus::NATS_CONN_STATUS_RECONNECTING,
            ConnStatus::DrainingSubs => natsConnStatus::NATS_CONN_STATUS_DRAINING_SUBS,
            ConnStatus::DrainingPubs => natsConnStatus::NATS_CONN_STATUS_DRAINING_PUBS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_keeps_its_value() {
        let statuses: Vec<Status> = (0..).map_while(Status::from_code).collect();
        assert_eq!(statuses.len(), natsStatus::NATS_MAX_STATUS_VALUE as usize);
        for status in statuses {
            assert_eq!(natsStatus::from(status) as i32, status.code());
        }
    }
}
