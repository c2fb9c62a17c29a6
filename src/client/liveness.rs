//! The keep-alive of a connection: its ticks, and what the program may change while it lives.

use std::sync::{Arc, Weak};

use crate::client::connection::{ConnStatus, Connection};
use crate::error::{Error, Result, Status};
use crate::io::clock;
use crate::session::liveness::{Liveness, Tick};

impl Connection {
    /// (Re)starts the keep-alive of a connection that has just come up.
    pub(super) fn start_ticks(self: &Arc<Self>) {
        self.liveness.lock().start(clock::now());
        self.schedule_tick();
    }

    pub(super) fn stop_ticks(&self) {
        self.liveness.lock().stop();
        if let Some(key) = self.tick.lock().take() {
            self.core().timer.cancel(key);
        }
    }

    fn schedule_tick(self: &Arc<Self>) {
        let mut tick = self.tick.lock();
        if let Some(old) = tick.take() {
            self.core().timer.cancel(old);
        }
        if let Some(at) = self.liveness.lock().next_tick() {
            let connection: Weak<Connection> = Arc::downgrade(self);
            *tick = Some(self.core().timer.schedule(at, move || {
                if let Some(connection) = connection.upgrade() {
                    connection.on_tick();
                }
            }));
        }
    }

    /// On the timer thread: waits for nothing.
    fn on_tick(self: &Arc<Self>) {
        if self.status() != ConnStatus::Connected {
            return;
        }
        let due = self.liveness.lock().tick(clock::now());
        match due {
            Tick::Stale => {
                let link = self.state.lock().link.clone();
                if let Some(link) = link {
                    self.connection_lost(&link, Error::from(Status::StaleConnection));
                }
                return;
            }
            Tick::SendPing => self.carry_out(self.outbound.keep_alive()),
            Tick::NotDue => {}
        }
        self.schedule_tick();
    }

    /// A PONG arrived.
    pub(super) fn on_pong(&self) {
        self.liveness.lock().on_pong();
        if let Some(waiter) = self.outbound.pong() {
            waiter.complete(Ok(()));
        }
    }

    /// Changes the ping interval (milliseconds, 0 or less: no pings), at once when connected.
    pub fn set_ping_interval(self: &Arc<Self>, ms: i64) -> Result<()> {
        self.change_liveness(|live| live.set_interval(clock::now(), ms))
    }

    /// The ping interval in force in milliseconds, 0 or less for no pings.
    pub fn ping_interval(&self) -> Result<i64> {
        self.open()?;
        Ok(self.liveness.lock().interval_ms())
    }

    /// Changes how many PINGs may be unanswered; the next tick decides by it.
    pub fn set_max_pings_out(self: &Arc<Self>, max: i32) -> Result<()> {
        self.change_liveness(|live| live.set_max_out(max))
    }

    /// How many PINGs may be unanswered.
    pub fn max_pings_out(&self) -> Result<i32> {
        self.open()?;
        Ok(self.liveness.lock().max_out())
    }

    fn change_liveness(self: &Arc<Self>, change: impl FnOnce(&mut Liveness)) -> Result<()> {
        self.open()?;
        change(&mut self.liveness.lock());
        if self.status() == ConnStatus::Connected {
            self.schedule_tick();
        }
        Ok(())
    }
}
