//! The end of a connection, and taking back a link that cannot be used after all.

use std::sync::Arc;
use std::time::Duration;

use crate::client::connection::event_loop::Call;
use crate::client::connection::link::Link;
use crate::client::connection::loss::{Loss, Reason};
use crate::client::connection::waiter::Waiter;
use crate::client::connection::{Before, ConnStatus, Connection, State};
use crate::client::subscription::End;
use crate::error::{Error, Status};
use crate::io::clock::Deadline;
use crate::sync::MutexGuard;
use crate::thread_end::{Held, Uncut};

/// How long a close waits for the server to confirm what was published.
const CLOSE_FLUSH_MS: i64 = 500;
/// A socket that a publisher has been waiting on for this long is not worth that wait.
const STUCK: Duration = Duration::from_millis(50);

impl Connection {
    /// Closes: what was published goes out first if the server takes it, within half a second. A cancelled thread ends
    /// when that is done.
    pub fn close(self: &Arc<Self>) {
        let uncut = Uncut::new();
        if self.status() == ConnStatus::Connected && self.outbound.publisher_blocked_for() < STUCK {
            let _ = self.round_trip(Deadline::in_ms(CLOSE_FLUSH_MS));
        }
        self.close_now(Loss::closed_by_user());
        drop(uncut);
        let _ = Held::new().check(); // the door sees to the rest
    }

    /// Closes a connection whose code has failed in the middle of something.
    pub fn abandon(self: &Arc<Self>) {
        self.close_now(Loss::new(Reason::Forced, Status::ConnectionClosed));
    }

    /// Closes without waiting for the server.
    pub(super) fn close_now(self: &Arc<Self>, loss: Loss) {
        self.shut(self.state.lock(), true, loss);
    }

    /// Closes because of what came over a link, unless that is not the connection's any more.
    pub(super) fn close_link(self: &Arc<Self>, link: &Arc<Link>, loss: Loss) {
        let mut state = self.state.lock();
        if state.is_current(link) {
            state.note_error(&loss.error);
            self.shut(state, true, loss);
        }
    }

    pub(super) fn shut(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State>,
        tell_disconnected: bool,
        loss: Loss,
    ) {
        if state.status == ConnStatus::Closed {
            return;
        }
        state.closed_while_reconnecting = state.status == ConnStatus::Reconnecting;
        let never_connected = state.status == ConnStatus::Connecting;
        if state.closed_while_reconnecting {
            state.note_no_server();
        }
        self.set_status(&mut state, ConnStatus::Closed);
        let link = state.unlink();
        let disconnect = link.as_ref().map(|link| self.note_disconnect(&state, link, &loss));
        let waiters = self.outbound.close();
        state.events.hold();
        if let Some(link) = &link {
            self.tell_event_loop(&mut state, link, |_, _| {});
        }
        if let Some(disconnect) = disconnect.filter(|_| tell_disconnected) {
            self.post_disconnect(&mut state, disconnect);
        }
        if !never_connected {
            self.post(&mut state, &self.options.closed_handler);
        }
        state.events.end();
        let detached = Arc::new(Waiter::default());
        if let Some(event_loop) = &self.event_loop {
            event_loop.post(Call::Detach(Arc::clone(&detached)));
        }
        drop(state);
        self.woken.notify_all();
        self.security.release_if_unused();
        self.stop_ticks();
        if let Some(link) = &link {
            link.take_down();
        }
        let closed = || Err(Error::from(Status::ConnectionClosed));
        waiters.iter().for_each(|w| w.complete(closed()));
        self.requests.fail_all(Status::ConnectionClosed);
        for subscription in self.subscriptions.take_all() {
            subscription.close(End::ConnectionClosed);
        }
        self.state.lock().events.let_go();
        if let Some(event_loop) = self.event_loop.clone() {
            self.core.helpers.run(move || {
                event_loop.make_calls();
                event_loop.wait_for(&detached);
            });
        }
    }

    /// Takes back what made a link the connection's, which then turns out not to be usable. False when there is nothing
    /// to take back: it was lost meanwhile, and who noticed that comes back or has closed.
    pub(super) fn back_out(&self, link: &Arc<Link>, before: Before) -> bool {
        let mut state = self.state.lock();
        if !state.is_current(link) {
            return false;
        }
        state.unlink();
        state.initial = before.initial;
        self.set_status(&mut state, before.status);
        if let Some(server) = state.pool.current_mut() {
            server.attempts = before.attempts; // a server is not reached for good before its link can be used
        }
        state.events.retract_up(link);
        if before.status == ConnStatus::Reconnecting {
            self.counters.take_reconnect_back();
        }
        let waiters = self.outbound.go_down();
        drop(state);
        self.stop_ticks();
        link.discard();
        let lost = || Err(Error::from(Status::ConnectionDisconnected));
        waiters.iter().for_each(|w| w.complete(lost()));
        self.outbound.settle(); // the rest of a frame must not go to the next link
        true
    }
}
