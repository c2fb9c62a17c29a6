//! Coming back after a loss: a thread that lives as long as the outage.

use std::sync::Arc;
use std::time::Duration;

use crate::client::connection::loss::{Loss, Reason};
use crate::client::connection::{ConnStatus, Connection};
use crate::error::{Error, Result, Status};
use crate::io::clock::{self, Deadline};
use crate::session::auth::{self, ServerErr};
use crate::session::pool::Server;
use crate::session::reconnect::{Delay, ReconnectPlan, ReconnectTiming, wait_with_jitter};

/// When no thread can be had, it is tried again after this,
pub(super) const FIRST_TRY_FOR_THREAD: Duration = Duration::from_millis(20);
/// and later on this often.
const LAST_TRY_FOR_THREAD: Duration = Duration::from_secs(1);

/// The attempt that comes next.
#[derive(Clone)]
struct Next {
    server: Server,
    wait: Duration,
}

impl Connection {
    /// Comes back after a loss. When no thread can be had now, the timer tries again soon: every wait
    /// doubles.
    pub(super) fn come_back_soon(self: &Arc<Self>, next_try: Duration) {
        if self.start_reconnecting(false).is_ok() {
            return;
        }
        let connection = Arc::downgrade(self);
        self.core().timer.schedule(clock::now() + next_try, move || {
            if let Some(connection) = connection.upgrade()
                && connection.status() == ConnStatus::Reconnecting
            {
                connection.come_back_soon(LAST_TRY_FOR_THREAD.min(next_try * 2));
            }
        });
    }

    /// Starts the thread. `initial`: the connection was never up yet.
    pub(super) fn start_reconnecting(self: &Arc<Self>, initial: bool) -> Result<()> {
        let connection = Arc::clone(self);
        self.core().threads.spawn("nats-reconnect", move || connection.begin_reconnecting(initial))
    }

    fn begin_reconnecting(self: &Arc<Self>, initial: bool) {
        self.outbound.settle();
        self.reconnect_loop(initial, ReconnectPlan::new(), None);
    }

    /// Goes on in another thread if a handler of the program ends this one: for the attempt, that is a
    /// failure.
    fn reconnect_loop(self: &Arc<Self>, initial: bool, mut plan: ReconnectPlan, mut next: Option<Next>) {
        loop {
            let (connection, its_plan, its_next) = (Arc::clone(self), plan.clone(), next.clone());
            let go_on = move || connection.reconnect_loop(initial, its_plan, its_next);
            if self.core().threads.pass_on_if_ending("nats-reconnect", go_on) {
                return;
            }
            let Some(Next { server, wait }) = next.take() else {
                let Some((server, pool_len)) = self.next_server() else {
                    self.close_now(Loss::new(Reason::IoError, Status::NoServer)); // no server is left to try
                    return;
                };
                next = Some(Next { server, wait: self.next_wait(&mut plan, pool_len) });
                continue; // that may have ended the thread
            };
            if !self.pause(wait) || self.try_server(&server, initial) {
                return;
            }
        }
    }

    /// True when there is nothing more to try: it is up, or given up.
    fn try_server(self: &Arc<Self>, server: &Server, initial: bool) -> bool {
        self.state.lock().begin_attempt();
        let result = self.attempt(server);
        self.state.lock().end_attempt();
        let Err(failure) = result else { return true };
        if failure.reached {
            self.counters.note_reconnect();
        }
        let given_up = self.abort_after(&failure.error, failure.reached, initial);
        if given_up {
            self.close_now(Loss::new(Reason::Auth, failure.error));
        }
        given_up
    }

    fn next_server(&self) -> Option<(Server, usize)> {
        let mut state = self.state.lock();
        let pool = &mut state.servers.pool;
        let server = pool.next(self.options.reconnect.max)?.clone();
        Some((server, pool.len()))
    }

    /// How long to wait before an attempt.
    fn next_wait(self: &Arc<Self>, plan: &mut ReconnectPlan, pool_len: usize) -> Duration {
        let options = &self.options;
        let timing = ReconnectTiming {
            wait_ms: options.reconnect.wait_ms,
            jitter_ms: options.reconnect.jitter_ms,
            jitter_tls_ms: options.reconnect.jitter_tls_ms,
            tls: self.security.may_be_used(),
            custom: options.handlers.reconnect_delay.is_some(),
        };
        let delay = plan.next_delay(pool_len, &timing, &mut self.state.lock().servers.rng);
        match (delay, &options.handlers.reconnect_delay) {
            (Delay::Wait(wait), _) => wait,
            (Delay::Ask { attempts }, Some(ask)) => match self.state.ask().map(|_asking| ask(self, attempts))
            {
                Ok(Some(ms)) => Duration::from_millis(ms.max(0) as u64),
                Ok(None) => wait_with_jitter(&timing, &mut self.state.lock().servers.rng),
                Err(_) => Duration::ZERO, // closed
            },
            _ => Delay::PAUSE,
        }
    }

    /// Waits before an attempt; false when the connection was closed meanwhile.
    fn pause(&self, wait: Duration) -> bool {
        let ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        !self.state.wait_for_close(Deadline::in_ms(ms))
    }

    /// Takes note of a failed attempt; true when the connection is to be given up.
    fn abort_after(self: &Arc<Self>, error: &Error, reached: bool, initial: bool) -> bool {
        let mut state = self.state.lock();
        if state.status() == ConnStatus::Closed {
            return true;
        }
        if !reached {
            state.last_error.note_unreachable();
            return false;
        }
        state.last_error.note(error);
        if error.status() != Status::ConnectionAuthFailed {
            return false;
        }
        let ServerErr::Auth(kind) = auth::classify_err(error.text().as_bytes()) else { return false };
        let again =
            state.servers.pool.current_mut().is_some_and(|s| auth::note(&mut s.last_auth_error, kind));
        if !initial {
            state.report(None, error.clone());
        }
        again && !self.options.auth.ignore_error_abort
    }

    /// During the first pass: remembers an authentication error, so that the first retry can count it.
    pub(super) fn note_auth_failure(&self, error: &Error) {
        let mut state = self.state.lock();
        if state.status() != ConnStatus::Connecting || error.status() != Status::ConnectionAuthFailed {
            return;
        }
        if let ServerErr::Auth(kind) = auth::classify_err(error.text().as_bytes())
            && let Some(server) = state.servers.pool.current_mut()
        {
            auth::note(&mut server.last_auth_error, kind);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::client::connection::testing::{SOON, Server, connected_with, telling};
    use crate::client::pause::Hold;

    /// Waits until the thread that comes back has let go of the connection.
    fn gone(connection: &Arc<Connection>) {
        let until = clock::now() + SOON;
        while Arc::strong_count(connection) > 1 {
            assert!(clock::now() < until, "the thread that comes back still has it");
            std::thread::yield_now();
        }
    }

    #[test]
    fn without_attempts_the_loss_is_the_end() {
        let server = Server::start(false);
        let (tell, told) = channel();
        let connection = connected_with(&server, |options| {
            options.reconnect.max = 0;
            options.handlers.disconnected = telling(&tell, "disconnected");
            options.handlers.closed = telling(&tell, "closed");
        });
        server.end_one();
        let next = || told.recv_timeout(SOON);
        assert_eq!([next(), next()], [Ok("disconnected"), Ok("closed")]);
        assert_eq!(connection.last_error().unwrap().0, Status::NoServer);
    }

    #[test]
    fn the_program_is_not_asked_how_long_to_wait_once_the_connection_is_closed() {
        let server = Server::start(false);
        let (tell, told) = channel();
        let connection = connected_with(&server, |options| {
            options.handlers.reconnect_delay = Some(Arc::new(move |_, _| {
                let _ = tell.send(());
                Some(0)
            }));
        });
        let hold = Hold::at("lost", &connection);
        let loser = Arc::clone(&connection);
        let loser = std::thread::spawn(move || loser.reconnect());
        hold.wait_for_one();
        connection.abandon();
        drop(hold);
        loser.join().unwrap().unwrap();
        gone(&connection);
        assert_eq!(told.try_iter().count(), 0);
    }

    #[test]
    fn that_it_is_closed_is_told_once_no_handler_is_asked_any_more() {
        let server = Server::start(false);
        let ((tell, told), (answer, answers)) = (channel(), channel());
        answer.send(()).unwrap(); // for the first connect
        let (asked, answers) = (tell.clone(), std::sync::Mutex::new(answers));
        let connection = connected_with(&server, |options| {
            options.handlers.closed = telling(&tell, "closed");
            options.auth.token_handler = Some(Arc::new(move || {
                asked.send("asked").unwrap();
                answers.lock().unwrap().recv_timeout(SOON).unwrap();
                asked.send("answered").unwrap();
                Ok(None)
            }));
        });
        let next = || told.recv_timeout(SOON).unwrap();
        assert_eq!([next(), next()], ["asked", "answered"]);
        connection.reconnect().unwrap();
        assert_eq!(next(), "asked");
        connection.abandon();
        assert!(told.recv_timeout(Duration::from_millis(100)).is_err(), "the handler is still at it");
        answer.send(()).unwrap();
        assert_eq!([next(), next()], ["answered", "closed"]);
    }

    #[test]
    fn a_handler_that_closes_may_wait_until_that_is_told() {
        let server = Server::start(false);
        let (tell, told) = channel();
        let told = std::sync::Mutex::new(told);
        let (done, outcome) = channel();
        let connection = connected_with(&server, |options| {
            options.handlers.closed = telling(&tell, "closed");
            options.reconnect.wait_ms = 0;
            options.handlers.reconnect_delay = Some(Arc::new(move |connection: &Arc<Connection>, _| {
                connection.close();
                done.send(told.lock().unwrap().recv_timeout(SOON)).unwrap();
                Some(0)
            }));
        });
        connection.reconnect().unwrap();
        assert_eq!(outcome.recv_timeout(SOON).unwrap(), Ok("closed"));
    }

    #[test]
    fn a_close_ends_the_wait_before_an_attempt() {
        let server = Server::start(false);
        let connection = connected_with(&server, |options| options.reconnect.wait_ms = 3_600_000);
        server.accepted.recv_timeout(SOON).unwrap();
        connection.reconnect().unwrap();
        connection.close();
        gone(&connection);
        assert_eq!(server.accepted.try_iter().count(), 0);
    }
}
