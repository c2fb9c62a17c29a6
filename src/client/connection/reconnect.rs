//! Coming back after a loss: a thread that lives as long as the outage.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::client::connection::loss::{Loss, Reason};
use crate::client::connection::{ConnStatus, Connection};
use crate::error::{Error, Result, Status};
use crate::io::clock::{self, Deadline, wait_until};
use crate::io::threads::ThreadId;
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
    /// Comes back after a loss. When no thread can be had now, the timer tries again soon: every wait doubles.
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

    /// Goes on in another thread if a handler of the program ends this one: for the attempt, that is a failure.
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
            if !self.pause(wait) {
                return;
            }
            self.begin_attempt();
            let result = self.attempt(&server);
            self.end_attempt();
            match result {
                Ok(()) => return,
                Err(failure) => {
                    if failure.reached {
                        self.reconnects.fetch_add(1, Ordering::Relaxed);
                    }
                    if self.abort_after(&failure.error, failure.reached, initial) {
                        self.close_now(Loss::new(Reason::Auth, failure.error));
                        return;
                    }
                }
            }
        }
    }

    fn next_server(&self) -> Option<(Server, usize)> {
        let mut state = self.state.lock();
        let server = state.pool.next(self.options.reconnect.max)?.clone();
        Some((server, state.pool.len()))
    }

    fn begin_attempt(&self) {
        let mut state = self.state.lock();
        state.trying = Some(ThreadId::current());
        if let Some(server) = state.pool.current_mut() {
            server.attempts += 1;
        }
    }

    pub(super) fn end_attempt(&self) {
        let mut state = self.state.lock();
        if state.trying == Some(ThreadId::current()) {
            state.trying = None; // once the connection is up, another thread may be trying again
        }
    }

    /// How long to wait before an attempt.
    fn next_wait(self: &Arc<Self>, plan: &mut ReconnectPlan, pool_len: usize) -> Duration {
        let options = &self.options;
        let timing = ReconnectTiming {
            wait_ms: options.reconnect.wait_ms,
            jitter_ms: options.reconnect.jitter_ms,
            jitter_tls_ms: options.reconnect.jitter_tls_ms,
            tls: self.may_use_tls(),
            custom: options.handlers.reconnect_delay.is_some(),
        };
        let delay = plan.next_delay(pool_len, &timing, &mut self.state.lock().rng);
        match (delay, &options.handlers.reconnect_delay) {
            (Delay::Wait(wait), _) => wait,
            (Delay::Ask { attempts }, Some(ask)) => match ask(self, attempts) {
                Some(ms) => Duration::from_millis(ms.max(0) as u64),
                None => wait_with_jitter(&timing, &mut self.state.lock().rng),
            },
            _ => Delay::PAUSE,
        }
    }

    /// Waits before an attempt; false when the connection was closed meanwhile.
    fn pause(&self, wait: Duration) -> bool {
        let ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        let mut state = self.state.lock();
        let closed = |s: &mut super::State| (s.status == ConnStatus::Closed).then_some(());
        wait_until(&self.woken, &mut state, Deadline::in_ms(ms), closed).is_none()
    }

    /// Takes note of a failed attempt; true when the connection is to be given up.
    fn abort_after(self: &Arc<Self>, error: &Error, reached: bool, initial: bool) -> bool {
        let mut state = self.state.lock();
        if state.status == ConnStatus::Closed {
            return true;
        }
        if !reached {
            // The text stays, and is what is left should the servers run out: so it is in the reference.
            if let Some((status, _)) = &mut state.last_error {
                *status = Status::Ok;
            }
            return false;
        }
        state.note_error(error);
        if error.status() != Status::ConnectionAuthFailed {
            return false;
        }
        let ServerErr::Auth(kind) = auth::classify_err(error.text().as_bytes()) else { return false };
        let again = state.pool.current_mut().is_some_and(|s| auth::note(&mut s.last_auth_error, kind));
        if !initial {
            self.report(&mut state, None, error.clone());
        }
        again && !self.options.auth.ignore_error_abort
    }

    /// During the first pass: remembers an authentication error, so that the first retry can count it.
    pub(super) fn note_auth_failure(&self, error: &Error) {
        let mut state = self.state.lock();
        if state.status != ConnStatus::Connecting || error.status() != Status::ConnectionAuthFailed {
            return;
        }
        if let ServerErr::Auth(kind) = auth::classify_err(error.text().as_bytes())
            && let Some(server) = state.pool.current_mut()
        {
            auth::note(&mut server.last_auth_error, kind);
        }
    }
}
