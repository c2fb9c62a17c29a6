//! The keep-alive of a connection: its ticks, and what the program may change while it lives.

use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::client::connection::events::Event;
use crate::client::connection::link::Link;
use crate::client::connection::loss::{Loss, Reason};
use crate::client::connection::vitals::Pulse;
use crate::client::connection::waiter::Waiter;
use crate::client::connection::{ConnStatus, Connection};
use crate::client::options::handlers::PingEvent;
use crate::error::{Result, Status};
use crate::io::clock;
use crate::io::socket::TcpOptions;
use crate::io::timer::Timer;
use crate::session::grace::{self, Arrivals, Grace};
use crate::session::liveness::{Liveness, StaleCause, Tick};

impl Connection {
    /// (Re)starts the keep-alive of a connection that has just come up.
    pub(super) fn start_ticks(self: &Arc<Self>) {
        self.keep_alive.with(|live| live.start(clock::now()));
        self.schedule_tick();
    }

    pub(super) fn stop_ticks(&self) {
        self.keep_alive.stop(&self.core().timer);
    }

    fn schedule_tick(self: &Arc<Self>) {
        let connection: Weak<Connection> = Arc::downgrade(self);
        self.keep_alive.schedule(&self.core().timer, move || {
            if let Some(connection) = connection.upgrade() {
                connection.on_tick();
            }
        });
    }

    /// On the timer thread: waits for nothing.
    fn on_tick(self: &Arc<Self>) {
        // While it is held, the program is told of no loss, and an event loop does not close the descriptor.
        let mut state = self.state.lock();
        if state.status() != ConnStatus::Connected {
            return;
        }
        let Some(link) = state.link().cloned() else { return };
        let arrivals = link.arrivals();
        let (due, missed, cause) = self.keep_alive.with(|live| {
            let missed = live.outstanding();
            (live.tick(clock::now(), arrivals), missed, live.stale_cause())
        });
        if due != Tick::NotDue && missed > 0 {
            state.post(Event::Ping(PingEvent::Missed, missed, None));
        }
        if due == Tick::SendPing {
            state.post(Event::Ping(PingEvent::Sent, missed + 1, None)); // first: the PONG may be fast
        }
        drop(state);
        match due {
            Tick::Stale => return self.connection_lost(&link, Loss::stale(reason(cause))),
            Tick::SendPing => self.send_keep_alive(),
            Tick::NotDue => {}
        }
        self.schedule_tick();
    }

    /// The poller is called in any case: when it comes tells whether the PING is late. An event loop of the
    /// program counts as prompt.
    fn send_keep_alive(self: &Arc<Self>) {
        let then = self.outbound.keep_alive();
        self.keep_alive.note_ping_waits();
        match self.event_loop() {
            None => self.poller().request_flush(self.clone()),
            Some(_) => {
                self.note_ping_tried();
                self.carry_out(then);
            }
        }
    }

    /// How far reading has come, unless the link is lost.
    fn arrivals(&self, link: &Arc<Link>) -> Option<Arrivals> {
        let state = self.state.lock(); // while it is held, an event loop does not close the descriptor
        state.is_current(link).then(|| link.arrivals())
    }

    pub(super) fn note_ping_tried(&self) {
        self.keep_alive.note_ping_tried();
    }

    /// A PONG arrived. A late one of an earlier link answers no PING of this one.
    pub(super) fn on_pong(self: &Arc<Self>, link: &Arc<Link>) {
        let mut state = self.state.lock();
        if !state.is_current(link) {
            return;
        }
        self.keep_alive.with(Liveness::on_pong);
        let answer = self.outbound.pong();
        self.vitals.note_pong(answer.round_trip);
        if answer.keep_alive {
            state.post(Event::Ping(PingEvent::Answered, 0, answer.round_trip));
        }
        drop(state);
        if let Some(waiter) = answer.waiter {
            waiter.complete(Ok(()));
        }
    }

    pub(super) fn count_stale(&self, reason: Reason) {
        if matches!(reason, Reason::MaxPings | Reason::PongTimeout | Reason::ServerStale) {
            self.vitals.note_stale(reason == Reason::ServerStale);
        }
    }

    // ---- settings ----

    /// Changes the ping interval (milliseconds, 0 or less: no pings), at once when connected.
    pub fn set_ping_interval(self: &Arc<Self>, ms: i64) -> Result<()> {
        self.change_liveness(|live| live.set_interval(clock::now(), ms))
    }

    /// The ping interval in force in milliseconds, 0 or less for no pings.
    pub fn ping_interval(&self) -> Result<i64> {
        self.open()?;
        Ok(self.keep_alive.with(|live| live.interval_ms()))
    }

    /// Changes how many PINGs may be unanswered; the next tick decides by it.
    pub fn set_max_pings_out(self: &Arc<Self>, max: i32) -> Result<()> {
        self.change_liveness(|live| live.set_max_out(max))
    }

    /// How many PINGs may be unanswered.
    pub fn max_pings_out(&self) -> Result<i32> {
        self.open()?;
        Ok(self.keep_alive.with(|live| live.max_out()))
    }

    /// How long a keep-alive PING may be unanswered, in milliseconds; 0 or less: as long as its count allows.
    pub fn set_pong_timeout(self: &Arc<Self>, ms: i64) -> Result<()> {
        self.change_liveness(|live| live.set_pong_timeout(ms))
    }

    /// Bounds the time in which a dead peer is found, in milliseconds; 0 or less: only the other settings
    /// count.
    pub fn set_max_detection(self: &Arc<Self>, ms: i64) -> Result<()> {
        self.change_liveness(|live| live.set_max_detection(ms))?;
        let user_timeout_ms = self.tcp_options().user_timeout_ms;
        let state = self.state.lock(); // while it is held, an event loop does not close the descriptor
        if let Some(link) = state.link() {
            link.socket().set_user_timeout(user_timeout_ms);
        }
        Ok(())
    }

    fn change_liveness(self: &Arc<Self>, change: impl FnOnce(&mut Liveness)) -> Result<()> {
        self.open()?;
        self.keep_alive.with(change);
        if self.status() == ConnStatus::Connected {
            self.schedule_tick();
        }
        Ok(())
    }

    /// What sockets are made with: what the program set, and what the bound on the detection time makes of
    /// it.
    pub(super) fn tcp_options(&self) -> TcpOptions {
        let mut tcp = self.options.liveness.tcp;
        let bound = self.keep_alive.with(|live| live.max_detection_ms());
        if bound > 0 && (tcp.user_timeout_ms <= 0 || tcp.user_timeout_ms > bound) {
            tcp.user_timeout_ms = bound;
        }
        tcp
    }

    // ---- questions ----

    /// The pulse at this moment. Waits for no lock: of what others are just working on, an older value is
    /// given.
    pub fn pulse(&self) -> Result<Pulse> {
        self.open()?;
        if let Some(bytes) = self.outbound.try_buffered() {
            self.vitals.note_queued(bytes);
        }
        let state = self.state.try_lock();
        let in_socket = state.and_then(|state| state.link().and_then(|link| link.socket().unsent()));
        Ok(Pulse { in_socket, ..self.vitals.pulse() })
    }

    /// Whether it is up and bytes came in within `max_age`.
    pub fn is_alive(&self, max_age: Duration) -> bool {
        let up = matches!(
            self.status(),
            ConnStatus::Connected | ConnStatus::DrainingSubs | ConnStatus::DrainingPubs
        );
        up && self.vitals.since_in().is_some_and(|age| age <= max_age)
    }

    /// Sends a PING now. Without its PONG within `timeout` the connection is stale. Does not wait for that.
    pub fn check_liveness(self: &Arc<Self>, timeout: Duration) -> Result<()> {
        self.open()?;
        let link = self.state.lock().link().cloned().ok_or(Status::ConnectionDisconnected)?;
        let waiter = Arc::new(Waiter::default());
        let then = self.outbound.ping(Arc::clone(&waiter))?;
        self.carry_out(then);
        let (connection, link) = (Arc::downgrade(self), Arc::downgrade(&link));
        let check = Check { connection, link, waiter, timeout, grace: None };
        check.look_at(clock::now().saturating_add(timeout), &self.core().timer);
        Ok(())
    }
}

/// A PING whose PONG has to come in time.
struct Check {
    connection: Weak<Connection>,
    link: Weak<Link>,
    waiter: Arc<Waiter<()>>,
    timeout: Duration,
    grace: Option<Grace>,
}

impl Check {
    fn look_at(self, at: Duration, timer: &Timer) {
        timer.schedule(at, move || self.look());
    }

    /// On the timer thread.
    fn look(mut self) {
        let (Some(connection), Some(link)) = (self.connection.upgrade(), self.link.upgrade()) else { return };
        let Some(arrivals) = connection.arrivals(&link).filter(|_| !self.waiter.is_done()) else { return };
        let (now, length) = (clock::now(), grace::at_most_for(self.timeout));
        let grace = self.grace.get_or_insert_with(|| Grace::new(now, length, arrivals));
        if grace.goes_on(now, arrivals, Duration::ZERO) {
            let at = grace.look();
            return self.look_at(at, &connection.core().timer);
        }
        connection.outbound.forget(&self.waiter);
        connection.connection_lost(&link, Loss::stale(Reason::PongTimeout));
    }
}

fn reason(cause: Option<StaleCause>) -> Reason {
    match cause {
        Some(StaleCause::PongTimeout) => Reason::PongTimeout,
        _ => Reason::MaxPings,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use super::*;
    use crate::client::connection::testing::{Server, connected_with};
    use crate::io::poller::Driven;

    /// Keeps the poller busy.
    struct Busy(Duration);

    impl Driven for Busy {
        fn readable(self: Arc<Self>, _buffer: &mut [u8], _maybe_ended: bool) -> bool {
            false
        }

        fn writable(self: Arc<Self>) {}

        fn flush_due(self: Arc<Self>, _first_look: bool) -> Option<Duration> {
            thread::sleep(self.0);
            None
        }
    }

    /// A connection of which PINGs are due each second and one may be unanswered; whether it was lost.
    fn pinging(server: &Server) -> (Arc<Connection>, Arc<AtomicBool>) {
        let lost = Arc::new(AtomicBool::new(false));
        let note = Arc::clone(&lost);
        let connection = connected_with(server, |options| {
            options.liveness.ping_interval_ms = 1000;
            options.liveness.max_pings_out = 1;
            options.handlers.disconnected = Some(Arc::new(move |_| note.store(true, Ordering::Release)));
        });
        (connection, lost)
    }

    #[test]
    fn what_the_handshake_read_is_not_unread() {
        let server = Server::start(false);
        let (connection, _) = pinging(&server);
        let link = connection.link_now();
        let Arrivals { arrived, attended } = connection.arrivals(&link).unwrap();
        assert!(arrived > 0);
        assert_eq!(arrived, attended);
        connection.abandon();
    }

    #[test]
    fn a_poller_that_was_busy_costs_no_healthy_connection() {
        let server = Server::start(false);
        let (connection, lost) = pinging(&server);
        thread::sleep(Duration::from_millis(900));
        // The PING of the first second is written after that of the next one was due.
        connection.poller().request_flush(Arc::new(Busy(Duration::from_millis(1300))));
        thread::sleep(Duration::from_millis(1700));
        assert!(!lost.load(Ordering::Acquire));
        assert!(connection.pulse().unwrap().pongs_received >= 1);
        connection.abandon();
    }
}
