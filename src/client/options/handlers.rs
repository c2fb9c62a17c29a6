//! What the program is told of a connection, by which functions. They get the connection or a subscription:
//! the one part of the options that knows those.

use std::os::fd::RawFd;
use std::sync::Arc;
use std::time::Duration;

use crate::client::connection::Connection;
use crate::client::connection::loss::Disconnect;
use crate::client::subscription::Subscription;
use crate::error::{Error, Result};

/// Told about an event of a connection: closed, disconnected, reconnected, connected, discovered servers,
/// lame duck.
pub(crate) type ConnectionHandler = Arc<dyn Fn(&Arc<Connection>) + Send + Sync>;

/// Told about an error nobody waits for; the subscription is there when the error is about one. The error's
/// [own text](Error::own_text) is what the handler's thread finds as its last error.
pub(crate) type ErrorHandler =
    Arc<dyn Fn(&Arc<Connection>, Option<&Arc<Subscription>>, &Error) + Send + Sync>;

/// Told right before the disconnected handler, with the reason.
pub(crate) type DisconnectHandler = Arc<dyn Fn(&Arc<Connection>, &Disconnect) + Send + Sync>;

/// Told about keep-alive PINGs: what happened, how many are unanswered now, and a PONG's round trip.
pub(crate) type PingHandler = Arc<dyn Fn(&Arc<Connection>, PingEvent, i32, Option<Duration>) + Send + Sync>;

/// What happened to a keep-alive PING.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PingEvent {
    Sent,
    Answered,
    /// The next PING is due, or the PONG timeout is over, and it is still unanswered.
    Missed,
}

/// Gives the wait in milliseconds before the next round over the servers; the number counts rounds from 1.
/// `None` when it has ended the thread instead of answering.
pub(crate) type ReconnectDelayHandler = Arc<dyn Fn(&Arc<Connection>, i32) -> Option<i64> + Send + Sync>;

/// Makes the event loop adapter of one connection.
pub(crate) type EventLoopFactory = Arc<dyn Fn() -> Arc<dyn EventLoop> + Send + Sync>;

/// An event loop of the program that polls one connection's socket.
pub trait EventLoop: Send + Sync {
    /// Starts polling `fd` for reading; called again with a new socket after each reconnect. The first
    /// success gives the loop a reference to the connection, which it drops after `detach`.
    fn attach(&self, conn: &Arc<Connection>, fd: RawFd) -> Result<()>;
    /// Starts or stops polling for reading.
    fn read(&self, add: bool) -> Result<()>;
    /// Starts or stops polling for writing.
    fn write(&self, add: bool) -> Result<()>;
    /// The last call: the connection is closed.
    fn detach(&self) -> Result<()>;
}

#[derive(Clone, Default)]
pub struct Handlers {
    /// `None` is the library's own handler, which prints to stderr.
    pub error: Option<ErrorHandler>,
    pub closed: Option<ConnectionHandler>,
    pub disconnected: Option<ConnectionHandler>,
    pub disconnect: Option<DisconnectHandler>,
    pub reconnected: Option<ConnectionHandler>,
    /// Only when a failed connect is tried again; makes the attempts asynchronous.
    pub connected: Option<ConnectionHandler>,
    pub discovered: Option<ConnectionHandler>,
    pub lame_duck: Option<ConnectionHandler>,
    pub ping: Option<PingHandler>,
    pub reconnect_delay: Option<ReconnectDelayHandler>,
    pub event_loop: Option<EventLoopFactory>,
}
