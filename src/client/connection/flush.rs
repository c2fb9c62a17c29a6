//! Flushes: those that wait for a PONG, and having what waits written soon.

use std::sync::Arc;
use std::time::Duration;

use crate::client::connection::event_loop::Call;
use crate::client::connection::outbound::Then;
use crate::client::connection::waiter::Waiter;
use crate::client::connection::{ConnStatus, Connection};
use crate::error::{Result, Status};
use crate::io::clock::{self, Deadline};
use crate::thread_end;

/// The wait of a flush or a round-trip measurement without a time of its own.
pub(crate) const FLUSH_TIMEOUT_MS: i64 = 10_000;

impl Connection {
    /// Sends a PING and waits for its PONG: then the server has everything published before.
    pub fn flush(self: &Arc<Self>, timeout_ms: i64) -> Result<()> {
        if timeout_ms <= 0 {
            return Err(Status::InvalidTimeout.into());
        }
        self.round_trip(Deadline::in_ms(timeout_ms))
    }

    /// The time a PING and its PONG take.
    pub fn measure_rtt(self: &Arc<Self>) -> Result<Duration> {
        self.open()?;
        if self.status() == ConnStatus::Reconnecting {
            return Err(Status::ConnectionDisconnected.into());
        }
        let start = clock::monotonic();
        self.round_trip(Deadline::in_ms(FLUSH_TIMEOUT_MS))?;
        Ok(clock::monotonic() - start)
    }

    pub(super) fn round_trip(self: &Arc<Self>, deadline: Deadline) -> Result<()> {
        self.open()?;
        let waiter = Arc::new(Waiter::default());
        let then = self.outbound.ping(Arc::clone(&waiter))?;
        self.carry_out(then);
        let result = waiter.wait(deadline);
        if result.is_err() {
            self.outbound.forget(&waiter);
        }
        result
    }

    /// Does what the outbound side asked for.
    #[inline]
    pub(super) fn carry_out(self: &Arc<Self>, then: Then) {
        if then == Then::RequestFlush {
            self.request_flush();
        }
    }

    /// The same for a quick call, whose door has to be told when an adapter has ended the thread. Like a
    /// write, a call of an adapter is a cancellation point, once it is over.
    #[inline]
    pub(super) fn carry_out_quickly(self: &Arc<Self>, then: Then) -> Result<()> {
        if then == Then::RequestFlush {
            self.request_flush();
            self.check_after_adapter()?;
        }
        Ok(())
    }

    pub(super) fn check_after_adapter(&self) -> Result<()> {
        if self.event_loop().is_some() {
            thread_end::point()?;
        }
        Ok(())
    }

    #[cold]
    pub(super) fn request_flush(self: &Arc<Self>) {
        match self.event_loop() {
            None => self.poller().request_flush(self.clone()),
            Some(event_loop) => {
                event_loop.post(Call::Write(true));
                self.make_calls(event_loop);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::connection::testing::{Server, connected};
    use crate::client::pause::Hold;

    fn status<T>(result: Result<T>) -> Option<Status> {
        result.err().map(|error| error.status())
    }

    #[test]
    fn a_flush_ends_with_its_pong_or_at_its_time() {
        let server = Server::start(false);
        let connection = connected(&server);
        connection.flush(20_000).unwrap();
        assert!(connection.measure_rtt().unwrap() < Duration::from_secs(20));
        assert_eq!(status(connection.flush(0)), Some(Status::InvalidTimeout));
        connection.close();
        assert_eq!(status(connection.flush(1)), Some(Status::ConnectionClosed));
        let mute = Server::start(true);
        let connection = connected(&mute);
        assert_eq!(status(connection.flush(1)), Some(Status::Timeout));
        connection.abandon();
    }

    #[test]
    fn without_a_link_there_is_no_round_trip() {
        let server = Server::start(false);
        let connection = connected(&server);
        let hold = Hold::at("lost", &connection);
        let loser = Arc::clone(&connection);
        let loser = std::thread::spawn(move || loser.reconnect());
        hold.wait_for_one();
        assert_eq!(status(connection.measure_rtt()), Some(Status::ConnectionDisconnected));
        drop(hold);
        loser.join().unwrap().unwrap();
        connection.close();
    }
}
