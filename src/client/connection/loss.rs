//! The loss of a link.

use std::sync::Arc;
use std::time::Duration;

use crate::client::connection::event_loop::{Attachment, Call};
use crate::client::connection::link::Link;
use crate::client::connection::reconnect::FIRST_TRY_FOR_THREAD;
use crate::client::connection::state::State;
use crate::client::connection::{ConnStatus, Connection};
use crate::client::pause;
use crate::error::{Error, Result, Status, shown};
use crate::io::clock;
use crate::sync::MutexGuard;

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
    pub(super) fn new(reason: Reason, error: impl Into<Error>) -> Loss {
        Loss { reason, error: error.into() }
    }

    pub(super) fn stale(reason: Reason) -> Loss {
        Loss::new(reason, Status::StaleConnection)
    }

    pub(super) fn closed_by_user() -> Loss {
        Loss::new(Reason::ClosedByUser, Status::ConnectionClosed)
    }
}

impl Connection {
    /// The link is broken. Whoever notices first starts the reconnect, or the close where that is not
    /// allowed; later calls for the same link do nothing. Waits for nothing.
    pub(super) fn connection_lost(self: &Arc<Self>, link: &Arc<Link>, loss: Loss) {
        let mut state = self.state.lock();
        if !state.is_current(link) {
            return;
        }
        self.count_stale(loss.reason);
        if !self.options.reconnect.allow || state.status() != ConnStatus::Connected {
            return self.close_lost(state, link, loss);
        }
        let disconnect = self.describe(&state, link, &loss);
        let severed = state.lose(disconnect, self.outbound.go_down());
        self.release_from_loop(link, Connection::come_back);
        drop(state);
        pause::at("unlinked", self);
        self.stop_ticks();
        severed.end();
        pause::at("lost", self);
        match link.event_loop() {
            Some(event_loop) => {
                self.state.observers.tell();
                self.make_calls(event_loop);
            }
            None => self.come_back(Ok(())),
        }
    }

    /// A loss that is the end.
    fn close_lost(self: &Arc<Self>, mut state: MutexGuard<'_, State>, link: &Arc<Link>, loss: Loss) {
        state.last_error.note(&loss.error);
        let told = !link.write_timed_out();
        if !told {
            state.last_error.note(&Status::ConnectionClosed.into());
        }
        self.shut(state, told, loss);
    }

    /// Has an event loop let go of a link; then the program hears of what was posted, and `then` is done. To
    /// be called under the state's lock, with the change that ended the link.
    pub(super) fn release_from_loop(
        self: &Arc<Self>,
        link: &Arc<Link>,
        then: impl FnOnce(&Arc<Connection>, Result<()>) + Send + 'static,
    ) {
        let Some(event_loop) = link.event_loop() else { return };
        let connection = Arc::clone(self);
        let then = move |let_go| {
            connection.state.lock().let_events_go();
            then(&connection, let_go);
        };
        event_loop.post(Call::Release(Arc::clone(link), Box::new(then)));
    }

    /// Makes the calls that wait for the event loop, on this thread if that may be.
    pub(super) fn make_calls(&self, event_loop: &Arc<Attachment>) {
        let event_loop = Arc::clone(event_loop);
        self.core().helpers.run(move || event_loop.make_calls());
    }

    /// Starts the reconnect, unless the event loop could not let go of the lost socket. It begins once all
    /// have heard of the loss.
    fn come_back(self: &Arc<Self>, let_go: Result<()>) {
        let connection = Arc::clone(self);
        self.state.observers.follow(move || match let_go {
            Ok(()) => connection.come_back_soon(FIRST_TRY_FOR_THREAD),
            Err(_) => connection.close_now(Loss::new(Reason::IoError, Status::ConnectionClosed)),
        });
    }

    /// Takes down all that is known about a loss, while the link is still there.
    pub(super) fn describe(&self, state: &State, link: &Link, loss: &Loss) -> Arc<Disconnect> {
        let (tcp, servers) = (link.socket().tcp_state(), &state.servers);
        Arc::new(Disconnect {
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
            server_url: servers
                .pool
                .current()
                .and_then(|server| server.url.public().ok())
                .unwrap_or_default(),
            server_id: copy_of(&servers.info.server_id),
            lame_duck: servers.info.lame_duck,
            tcp_retransmits: tcp.map(|tcp| tcp.retransmits),
            tcp_unacked: tcp.map(|tcp| tcp.unacked),
        })
    }

    /// Breaks the connection off; the usual reconnect follows.
    pub fn reconnect(self: &Arc<Self>) -> Result<()> {
        self.open()?;
        let link = self.state.lock().link().cloned();
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
impl Disconnect {
    /// A loss of which no more is known.
    pub fn of(reason: Reason) -> Disconnect {
        Disconnect {
            reason,
            status: Status::ConnectionClosed,
            text: String::new(),
            at: Duration::ZERO,
            pings_outstanding: 0,
            since_in: None,
            since_out: None,
            bytes_unsent: 0,
            rtt_smoothed: None,
            server_url: Vec::new(),
            server_id: String::new(),
            lame_duck: false,
            tcp_retransmits: None,
            tcp_unacked: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};
    use std::thread;

    use super::*;
    use crate::client::connection::testing::{SOON, Server, connected, connected_with, telling};
    use crate::client::options::Options;
    use crate::client::pause::Hold;

    /// A connection to a server that answers the PING of a handshake only, and what the program is told of
    /// it.
    fn told_of(server: &Server, set: impl FnOnce(&mut Options)) -> (Arc<Connection>, Receiver<&'static str>) {
        let (tell, told) = channel();
        let connection = connected_with(server, |options| {
            options.handlers.disconnected = telling(&tell, "disconnected");
            options.handlers.reconnected = telling(&tell, "reconnected");
            options.handlers.closed = telling(&tell, "closed");
            set(options);
        });
        server.lines_until("PING");
        (connection, told)
    }

    fn next<const N: usize>(told: &Receiver<&'static str>) -> [&'static str; N] {
        std::array::from_fn(|_| told.recv_timeout(SOON).unwrap())
    }

    /// Loses the link on a thread of its own.
    fn lose(connection: &Arc<Connection>) -> thread::JoinHandle<Result<()>> {
        let loser = Arc::clone(connection);
        thread::spawn(move || loser.reconnect())
    }

    #[test]
    fn nothing_more_is_read_from_a_link_once_it_is_not_the_connections() {
        let server = Server::start(false);
        let connection = connected(&server);
        let link = connection.link_now();
        let hold = Hold::at("unlinked", &connection);
        let loser = lose(&connection);
        hold.wait_for_one();
        assert!(link.is_down());
        drop(hold);
        loser.join().unwrap().unwrap();
        connection.abandon();
    }

    #[test]
    fn a_close_right_after_a_loss_is_told_after_it() {
        let server = Server::start(true);
        let (connection, told) = told_of(&server, |_| {});
        // The thread that reports the loss stops right after the flush was given its result.
        let hold = Hold::at("lost", &connection);
        let flusher = Arc::clone(&connection);
        let flusher = thread::spawn(move || flusher.flush(10_000));
        server.lines_until("PING");
        server.end_one();
        assert_eq!(flusher.join().unwrap().unwrap_err().status(), Status::ConnectionDisconnected);
        hold.wait_for_one();
        connection.close();
        drop(hold);
        assert_eq!(next(&told), ["disconnected", "closed"]);
    }

    #[test]
    fn a_request_ends_by_what_came_first_whoever_tells_of_it() {
        let server = Server::start(true);
        let (connection, _told) =
            told_of(&server, |options| options.behaviour.fail_requests_on_disconnect = true);
        let asker = Arc::clone(&connection);
        let asker = thread::spawn(move || asker.request(b"foo", None, b"", 20_000));
        server.lines_until("PUB foo");
        while connection.outbound.has_bytes() {
            thread::yield_now(); // the one who writes has not noticed yet that all is written
        }
        let hold = Hold::at("lost", &connection);
        let loser = lose(&connection);
        hold.wait_for_one();
        connection.close(); // overtakes the thread that noticed the loss
        let failure = asker.join().unwrap().err().unwrap();
        assert_eq!(failure.status(), Status::ConnectionDisconnected);
        drop(hold);
        loser.join().unwrap().unwrap();
    }

    #[test]
    fn a_link_lost_before_it_is_watched_is_replaced() {
        let server = Server::start(false);
        let (connection, told) = told_of(&server, |_| {});
        let hold = Hold::at("unwatched", &connection);
        lose(&connection).join().unwrap().unwrap();
        hold.wait_for_one();
        lose(&connection).join().unwrap().unwrap();
        drop(hold);
        let expected = ["disconnected", "reconnected", "disconnected", "reconnected"];
        assert_eq!(next(&told), expected);
        connection.flush(10_000).unwrap();
        connection.close();
    }

    #[test]
    fn a_close_while_a_link_comes_up_is_told_after_it() {
        let server = Server::start(false);
        let (connection, told) = told_of(&server, |_| {});
        let hold = Hold::at("unwatched", &connection);
        lose(&connection).join().unwrap().unwrap();
        hold.wait_for_one();
        connection.abandon();
        assert_eq!(next(&told), ["disconnected"]);
        assert!(told.try_recv().is_err(), "that it came up is kept back, and so is what follows");
        drop(hold);
        assert_eq!(next(&told), ["reconnected", "disconnected", "closed"]);
    }

    #[test]
    fn a_link_is_lost_or_the_connection_closed_but_not_both() {
        let server = Server::start(false);
        let (connection, told) = told_of(&server, |_| {});
        let link = connection.link_now();
        let hold = Hold::at("shut", &connection);
        let closer = Arc::clone(&connection);
        let closer = thread::spawn(move || closer.abandon());
        hold.wait_for_one();
        connection.connection_lost(&link, Loss::stale(Reason::MaxPings));
        connection.abandon();
        assert_eq!(connection.last_disconnect().unwrap().reason, Reason::Forced);
        assert!(told.try_recv().is_err(), "what ends along is not done yet");
        drop(hold);
        closer.join().unwrap();
        assert_eq!(next(&told), ["disconnected", "closed"]);
        assert_eq!(connection.statistics().reconnects, 0);
    }
}
