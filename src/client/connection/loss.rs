//! The loss of a link.

use std::sync::Arc;
use std::time::Duration;

use crate::client::connection::event_loop::{Attachment, Call};
use crate::client::connection::link::Link;
use crate::client::connection::reconnect::FIRST_TRY_FOR_THREAD;
use crate::client::connection::{ConnStatus, Connection, State};
use crate::client::pause;
use crate::error::{Error, Result, Status, shown};
use crate::io::clock;

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

impl Connection {
    /// The link is broken. Whoever notices first starts the reconnect, or the close where that is not allowed;
    /// later calls for the same link do nothing. Waits for nothing.
    pub(super) fn connection_lost(self: &Arc<Self>, link: &Arc<Link>, loss: Loss) {
        let mut state = self.state.lock();
        if !state.is_current(link) {
            return;
        }
        self.count_stale(loss.reason);
        if !self.options.allow_reconnect || state.status != ConnStatus::Connected {
            state.note_error(&loss.error);
            let told = !link.write_timed_out();
            if !told {
                state.note_error(&Status::ConnectionClosed.into());
            }
            self.shut(state, told, loss);
            return;
        }
        let disconnect = self.note_disconnect(&state, link, &loss);
        state.unlink();
        state.last_error = None;
        self.set_status(&mut state, ConnStatus::Reconnecting);
        let waiters = self.outbound.go_down();
        self.tell_event_loop(&mut state, link, Connection::come_back);
        self.post_disconnect(&mut state, disconnect);
        drop(state);
        pause::at("unlinked", self);
        self.stop_ticks();
        link.take_down();
        let lost = || Err(Error::from(Status::ConnectionDisconnected));
        waiters.iter().for_each(|w| w.complete(lost()));
        pause::at("lost", self);
        if self.options.fail_requests_on_disconnect {
            self.requests.fail_all(Status::ConnectionDisconnected);
        }
        match link.event_loop() {
            Some(event_loop) => self.make_calls(event_loop),
            None => self.come_back(Ok(())),
        }
    }

    /// Has an event loop let go of a link; the program hears of nothing before that, and then `then` is done.
    pub(super) fn tell_event_loop(
        self: &Arc<Self>,
        state: &mut State,
        link: &Arc<Link>,
        then: impl FnOnce(&Arc<Connection>, Result<()>) + Send + 'static,
    ) {
        let Some(event_loop) = link.event_loop() else { return };
        state.events.hold();
        let connection = Arc::clone(self);
        let then = move |let_go| {
            connection.state.lock().events.let_go();
            then(&connection, let_go);
        };
        event_loop.post(Call::Release(Arc::clone(link), Box::new(then)));
    }

    /// Makes the calls that wait for the event loop, on this thread if that may be.
    pub(super) fn make_calls(&self, event_loop: &Arc<Attachment>) {
        let event_loop = Arc::clone(event_loop);
        self.core.helpers.run(move || event_loop.make_calls());
    }

    /// Starts the reconnect, unless the event loop could not let go of the lost socket.
    pub(super) fn come_back(self: &Arc<Self>, let_go: Result<()>) {
        match let_go {
            Ok(()) => self.come_back_soon(FIRST_TRY_FOR_THREAD),
            Err(_) => self.close_now(Loss::new(Reason::IoError, Status::ConnectionClosed)),
        }
    }
    /// Takes down all that is known about a loss, while the link is still there.
    pub(super) fn note_disconnect(&self, state: &State, link: &Link, loss: &Loss) -> Arc<Disconnect> {
        let tcp = link.socket().tcp_state();
        let disconnect = Arc::new(Disconnect {
            reason: link.reason().unwrap_or(loss.reason),
            status: loss.error.status(),
            text: shown(loss.error.text().as_bytes()).into_owned(),
            at: clock::wall(),
            pings_outstanding: self.vitals.pulse().outstanding,
            since_in: self.vitals.since_in(),
            since_out: self.vitals.since_out(),
            bytes_unsent: self.outbound.buffered() as u64 + link.socket().unsent().unwrap_or(0),
            rtt_smoothed: self.vitals.rtt_smoothed(),
            // Without memory for it it is empty; that it is lost is told all the same.
            server_url: state.pool.current().and_then(|server| server.url.public().ok()).unwrap_or_default(),
            server_id: copy_of(&state.info.server_id),
            lame_duck: state.info.lame_duck,
            tcp_retransmits: tcp.map(|tcp| tcp.retransmits),
            tcp_unacked: tcp.map(|tcp| tcp.unacked),
        });
        *self.last_disconnect.lock() = Some(Arc::clone(&disconnect));
        disconnect
    }

    /// Breaks the connection off; the usual reconnect follows.
    pub fn reconnect(self: &Arc<Self>) -> Result<()> {
        self.open()?;
        let link = self.state.lock().link.clone();
        if let Some(link) = link {
            self.connection_lost(&link, Loss::new(Reason::Forced, Status::ConnectionClosed));
        }
        Ok(())
    }
}

/// Empty where there is no memory for it.
fn copy_of(text: &str) -> String {
    let mut copy = String::new();
    if copy.try_reserve_exact(text.len()).is_ok() {
        copy.push_str(text);
    }
    copy
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::client::connection::testing::{Server, connected};
    use crate::client::pause::Hold;

    #[test]
    fn nothing_more_is_read_from_a_link_once_it_is_not_the_connections() {
        let server = Server::start(false);
        let connection = connected(&server);
        let link = connection.link_now();
        let hold = Hold::at("unlinked", &connection);
        let loser = Arc::clone(&connection);
        let loser = thread::spawn(move || loser.reconnect());
        hold.wait_for_one();
        assert!(link.is_down());
        drop(hold);
        loser.join().unwrap().unwrap();
        connection.abandon();
    }
}
