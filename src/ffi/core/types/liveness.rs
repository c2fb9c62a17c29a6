//! C types of the liveness extensions.

use std::ffi::{c_char, c_int, c_void};
use std::time::Duration;

use crate::client::connection::loss::{Disconnect, Reason};
use crate::client::connection::vitals::Pulse;
use crate::client::options::handlers::PingEvent;
use crate::ffi::core::types::handles::natsConnection;
use crate::ffi::core::types::status::natsStatus;
use crate::ffi::support::cenum::CEnum;

/// Extension. What ended a connection to a server.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum natsDisconnectReason {
    /// More keep-alive PINGs than natsOptions_SetMaxPingsOut() allows went unanswered.
    NATS_DISCONNECT_MAX_PINGS = 1,
    /// A PING was unanswered for longer than natsOptions_SetPongTimeout(), or than the time of
    /// natsConnection_CheckLiveness().
    NATS_DISCONNECT_PONG_TIMEOUT = 2,
    /// The server reported a stale connection: it missed the PONGs of this side.
    NATS_DISCONNECT_SERVER_STALE = 3,
    /// The server reported another error that ends the connection; see the text.
    NATS_DISCONNECT_SERVER_ERR = 4,
    /// The server closed the connection without a word.
    NATS_DISCONNECT_SERVER_CLOSED = 5,
    /// The socket failed, such as by a reset.
    NATS_DISCONNECT_IO_ERROR = 6,
    /// The system gave up on a peer that acknowledged nothing: natsOptions_SetTCPUserTimeout(),
    /// natsOptions_SetTCPKeepAlive(), or the system's own limits.
    NATS_DISCONNECT_TCP_TIMEOUT = 7,
    /// A write took longer than natsOptions_SetWriteDeadline().
    NATS_DISCONNECT_WRITE_DEADLINE = 8,
    /// The server sent what is not NATS protocol.
    NATS_DISCONNECT_PROTOCOL_ERROR = 9,
    /// The server no longer accepts the credentials.
    NATS_DISCONNECT_AUTH = 10,
    /// The program called natsConnection_Reconnect().
    NATS_DISCONNECT_FORCED = 11,
    /// The program closed or drained the connection.
    NATS_DISCONNECT_CLOSED_BY_USER = 12,
}
// SAFETY: a `#[repr(C)]` enum.
unsafe impl CEnum for natsDisconnectReason {}

/// Extension. What happened to a keep-alive PING.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum natsPingEvent {
    /// A PING was sent.
    NATS_PING_SENT = 1,
    /// A PONG answered a PING.
    NATS_PONG_RECEIVED = 2,
    /// A PING is still unanswered although the next one is due, or the PONG timeout is over: the warning
    /// before a stale connection.
    NATS_PONG_MISSED = 3,
}
// SAFETY: a `#[repr(C)]` enum.
unsafe impl CEnum for natsPingEvent {}

/// Extension. One disconnect and what was known at that moment. -1 stands for what is not known.
///
/// Later versions of the library add fields at the end only.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct natsDisconnectInfo {
    /// Bytes of this struct that the library filled.
    pub Size: usize,
    /// Why.
    pub Reason: natsDisconnectReason,
    /// The status a program finds as the connection's last error if it is not to reconnect.
    pub Status: natsStatus,
    /// When: milliseconds since 1970-01-01 UTC by the system's clock, as nats_Now().
    pub Time: i64,
    /// Keep-alive PINGs unanswered.
    pub PingsOutstanding: c_int,
    /// The server had announced that it is going to shut down.
    pub LameDuck: bool,
    /// Milliseconds since bytes came in, and since the socket took bytes.
    pub LastByteInAge: i64,
    pub LastByteOutAge: i64,
    /// Bytes in the library's buffer, and in the system's that the peer has not acknowledged.
    pub BytesUnsent: i64,
    /// Smoothed round trip in nanoseconds.
    pub SmoothedRTT: i64,
    /// TCP segments sent again since the connect.
    pub TCPRetransmits: i64,
    /// TCP segments sent and not acknowledged.
    pub TCPUnacked: i64,
    /// What happened, cut to fit.
    pub Text: [c_char; 256],
    /// The server, without credentials, cut to fit.
    pub ServerURL: [c_char; 256],
    /// The server's id, cut to fit.
    pub ServerID: [c_char; 64],
}

/// Extension. The pulse of a connection. Counters run over all reconnects; -1 stands for what is not known.
///
/// Later versions of the library add fields at the end only.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct natsLiveness {
    /// Bytes of this struct that the library filled.
    pub Size: usize,
    /// PINGs sent, those of natsConnection_Flush() and natsConnection_GetRTT() included, and PONGs received.
    pub PingsSent: u64,
    pub PongsReceived: u64,
    /// PINGs received from the server, each answered.
    pub ServerPings: u64,
    /// Keep-alive PINGs unanswered now.
    pub PingsOutstanding: c_int,
    /// Milliseconds since bytes came in, and since the socket took bytes.
    pub LastByteInAge: i64,
    pub LastByteOutAge: i64,
    /// Round trips in nanoseconds, of any PING.
    pub RTTLast: i64,
    pub RTTMin: i64,
    pub RTTMax: i64,
    /// The smoothed one: each new round trip counts an eighth.
    pub RTTSmoothed: i64,
    /// How often this side found the server dead, and how often the server said so of this side.
    pub StaleByClient: u64,
    pub StaleByServer: u64,
    /// The longest time in milliseconds for which the socket took no bytes.
    pub LongestWriteStall: i64,
    /// Bytes in the library's write buffer.
    pub BytesBuffered: i64,
    /// Bytes in the system's buffer that the peer has not acknowledged; -1 without a socket.
    pub BytesInSocket: i64,
    /// Milliseconds after which a dead server is found at the latest, without what a busy client may put that
    /// off (half a ping interval, 5000 at most); -1 when no PINGs are sent.
    pub DetectionBound: i64,
}

/// Extension. Called right before the disconnected callback, on the same thread. `info` is valid during the
/// call.
pub type natsDisconnectedErrHandler = Option<
    unsafe extern "C" fn(nc: *mut natsConnection, info: *const natsDisconnectInfo, closure: *mut c_void),
>;

/// Extension. Called with what happens to keep-alive PINGs, on the thread of the other connection callbacks.
/// `pingsOut` is how many are unanswered; `rtt` the round trip in nanoseconds with #NATS_PONG_RECEIVED, else
/// -1.
pub type natsPingEventHandler = Option<
    unsafe extern "C" fn(
        nc: *mut natsConnection,
        event: natsPingEvent,
        pingsOut: c_int,
        rtt: i64,
        closure: *mut c_void,
    ),
>;

impl From<&Disconnect> for natsDisconnectInfo {
    fn from(disconnect: &Disconnect) -> natsDisconnectInfo {
        natsDisconnectInfo {
            Size: size_of::<natsDisconnectInfo>(),
            Reason: disconnect.reason.into(),
            Status: disconnect.status.into(),
            Time: disconnect.at.as_millis() as i64,
            PingsOutstanding: disconnect.pings_outstanding,
            LameDuck: disconnect.lame_duck,
            LastByteInAge: millis(disconnect.since_in),
            LastByteOutAge: millis(disconnect.since_out),
            BytesUnsent: disconnect.bytes_unsent as i64,
            SmoothedRTT: nanos(disconnect.rtt_smoothed),
            TCPRetransmits: disconnect.tcp_retransmits.map_or(-1, i64::from),
            TCPUnacked: disconnect.tcp_unacked.map_or(-1, i64::from),
            Text: text(disconnect.text.as_bytes()),
            ServerURL: text(&disconnect.server_url),
            ServerID: text(disconnect.server_id.as_bytes()),
        }
    }
}

impl From<Reason> for natsDisconnectReason {
    fn from(reason: Reason) -> natsDisconnectReason {
        match reason {
            Reason::MaxPings => natsDisconnectReason::NATS_DISCONNECT_MAX_PINGS,
            Reason::PongTimeout => natsDisconnectReason::NATS_DISCONNECT_PONG_TIMEOUT,
            Reason::ServerStale => natsDisconnectReason::NATS_DISCONNECT_SERVER_STALE,
            Reason::ServerErr => natsDisconnectReason::NATS_DISCONNECT_SERVER_ERR,
            Reason::ServerClosed => natsDisconnectReason::NATS_DISCONNECT_SERVER_CLOSED,
            Reason::IoError => natsDisconnectReason::NATS_DISCONNECT_IO_ERROR,
            Reason::TcpTimeout => natsDisconnectReason::NATS_DISCONNECT_TCP_TIMEOUT,
            Reason::WriteDeadline => natsDisconnectReason::NATS_DISCONNECT_WRITE_DEADLINE,
            Reason::ProtocolError => natsDisconnectReason::NATS_DISCONNECT_PROTOCOL_ERROR,
            Reason::Auth => natsDisconnectReason::NATS_DISCONNECT_AUTH,
            Reason::Forced => natsDisconnectReason::NATS_DISCONNECT_FORCED,
            Reason::ClosedByUser => natsDisconnectReason::NATS_DISCONNECT_CLOSED_BY_USER,
        }
    }
}

impl From<PingEvent> for natsPingEvent {
    fn from(event: PingEvent) -> natsPingEvent {
        match event {
            PingEvent::Sent => natsPingEvent::NATS_PING_SENT,
            PingEvent::Answered => natsPingEvent::NATS_PONG_RECEIVED,
            PingEvent::Missed => natsPingEvent::NATS_PONG_MISSED,
        }
    }
}

impl From<&Pulse> for natsLiveness {
    fn from(pulse: &Pulse) -> natsLiveness {
        natsLiveness {
            Size: size_of::<natsLiveness>(),
            PingsSent: pulse.pings_sent,
            PongsReceived: pulse.pongs_received,
            ServerPings: pulse.server_pings,
            PingsOutstanding: pulse.outstanding,
            LastByteInAge: millis(pulse.since_in),
            LastByteOutAge: millis(pulse.since_out),
            RTTLast: nanos(pulse.rtt_last),
            RTTMin: nanos(pulse.rtt_min),
            RTTMax: nanos(pulse.rtt_max),
            RTTSmoothed: nanos(pulse.rtt_smoothed),
            StaleByClient: pulse.stale_by_client,
            StaleByServer: pulse.stale_by_server,
            LongestWriteStall: millis(Some(pulse.longest_write_stall)),
            BytesBuffered: pulse.buffered as i64,
            BytesInSocket: pulse.in_socket.map_or(-1, |bytes| bytes as i64),
            DetectionBound: millis(pulse.detection_bound),
        }
    }
}

fn millis(time: Option<Duration>) -> i64 {
    time.map_or(-1, |time| i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
}

/// Nanoseconds, -1 for what is not known.
pub(crate) fn nanos(time: Option<Duration>) -> i64 {
    time.map_or(-1, |time| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX))
}

/// A C string in an array, cut to fit.
fn text<const N: usize>(bytes: &[u8]) -> [c_char; N] {
    let mut array = [0; N];
    for (to, from) in array[..N - 1].iter_mut().zip(bytes) {
        *to = *from as c_char;
    }
    array
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_and_end_in_nul() {
        assert_eq!(text::<4>(b"ab"), [b'a' as c_char, b'b' as c_char, 0, 0]);
        assert_eq!(text::<3>(b"abc"), [b'a' as c_char, b'b' as c_char, 0]);
    }
}
