//! Why a connection was lost.

use std::time::Duration;

use crate::error::{Error, Status};

/// What ended a connection to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// More PINGs went unanswered than allowed.
    MaxPings,
    /// One PING was unanswered for too long.
    PongTimeout,
    /// The server said that this side is stale: it missed our PONGs.
    ServerStale,
    /// The server said another error that ends the connection.
    ServerErr,
    /// The server ended the stream without a word.
    ServerClosed,
    /// The socket failed, such as by a reset.
    IoError,
    /// The system gave up on a peer that acknowledges nothing.
    TcpTimeout,
    WriteDeadline,
    /// The server sent what is no protocol.
    ProtocolError,
    /// The server no longer accepts the credentials.
    Auth,
    /// The program asked for a reconnect.
    Forced,
    ClosedByUser,
}

/// One loss, and what was known at that moment.
#[derive(Clone, Debug)]
pub struct Disconnect {
    pub reason: Reason,
    pub status: Status,
    pub text: String,
    /// Since the epoch, by the wall clock.
    pub at: Duration,
    pub pings_outstanding: i32,
    pub since_in: Option<Duration>,
    pub since_out: Option<Duration>,
    /// Published or otherwise queued, and not acknowledged by the peer's system.
    pub bytes_unsent: u64,
    pub rtt_smoothed: Option<Duration>,
    /// Without credentials.
    pub server_url: Vec<u8>,
    pub server_id: String,
    pub lame_duck: bool,
    /// Segments sent again over the socket's life, and sent but not acknowledged, where the system tells.
    pub tcp_retransmits: Option<u32>,
    pub tcp_unacked: Option<u32>,
}

/// A reason along with the error the program may see.
pub(super) struct Loss {
    pub reason: Reason,
    pub error: Error,
}

impl Loss {
    pub fn new(reason: Reason, error: impl Into<Error>) -> Loss {
        Loss { reason, error: error.into() }
    }

    pub fn stale(reason: Reason) -> Loss {
        Loss::new(reason, Status::StaleConnection)
    }

    pub fn closed_by_user() -> Loss {
        Loss::new(Reason::ClosedByUser, Status::ConnectionClosed)
    }
}
