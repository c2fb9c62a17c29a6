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
pub const FLUSH_TIMEOUT_MS: i64 = 10_000;

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

    /// The same for a quick call, whose door has to be told when an adapter has ended the thread. Like a write, a call of an
    /// adapter is a cancellation point, once it is over.
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
