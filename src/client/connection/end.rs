//! The end of a connection.

use std::sync::Arc;
use std::time::Duration;

use crate::client::connection::event_loop::Call;
use crate::client::connection::link::Link;
use crate::client::connection::loss::{Loss, Reason};
use crate::client::connection::observers::{Change, Observer};
use crate::client::connection::state::State;
use crate::client::connection::waiter::Waiter;
use crate::client::connection::{ConnStatus, Connection};
use crate::client::pause;
use crate::client::subscription::End;
use crate::error::Status;
use crate::io::clock::Deadline;
use crate::sync::MutexGuard;
use crate::thread_end::{Held, Uncut};

/// How long a close waits for the server to confirm what was published.
const CLOSE_FLUSH_MS: i64 = 500;
/// A socket that a publisher has been waiting on for this long is not worth that wait.
const STUCK: Duration = Duration::from_millis(50);

impl Connection {
    /// Closes: what was published goes out first if the server takes it, within half a second. A cancelled
    /// thread ends when that is done.
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
            state.last_error.note(&loss.error);
            self.shut(state, true, loss);
        }
    }

    /// `told`: the program hears of the loss of the link too.
    pub(super) fn shut(self: &Arc<Self>, mut state: MutexGuard<'_, State>, told: bool, loss: Loss) {
        if state.status() == ConnStatus::Closed {
            return;
        }
        let link = state.link().cloned();
        let disconnect = link.as_ref().map(|link| self.describe(&state, link, &loss));
        let severed = state.close(disconnect, told, self.outbound.close());
        if let Some(link) = &link {
            self.release_from_loop(link, |_, _| {});
        }
        let detached = Arc::new(Waiter::default());
        if let Some(event_loop) = self.event_loop() {
            event_loop.post(Call::Detach(Arc::clone(&detached)));
        }
        drop(state);
        pause::at("shut", self);
        self.state.wake();
        self.security.release_if_unused();
        self.stop_ticks();
        severed.end();
        for subscription in self.routes.take_all() {
            subscription.close(End::ConnectionClosed);
        }
        let connection = Arc::clone(self);
        self.state.observers.follow(move || connection.state.lock().let_events_go());
        self.detach(detached);
    }

    /// Makes the last calls into the event loop, on a thread that may wait for them.
    fn detach(&self, detached: Arc<Waiter<()>>) {
        let Some(event_loop) = self.event_loop().cloned() else { return };
        self.core().helpers.run(move || {
            event_loop.make_calls();
            event_loop.wait_for(&detached);
        });
    }
}

/// What waits for replies ends along with the connection, or with the link if the program wants that.
impl Observer for Connection {
    fn on_change(&self, change: Change) {
        match change {
            Change::Disconnected if !self.options.behaviour.fail_requests_on_disconnect => {}
            Change::Disconnected => self.requests.fail_all(Status::ConnectionDisconnected),
            Change::Closed => self.requests.fail_all(Status::ConnectionClosed),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;
    use crate::client::connection::publish::{Flush, Outgoing};
    use crate::client::connection::testing::{SOON, Server, connected, connected_with};
    use crate::client::subscription::{Request, Subscription};

    #[test]
    fn what_was_published_goes_out_before_the_close() {
        let server = Server::start(false);
        let connection = connected(&server);
        for _ in 0..100 {
            let last = Outgoing { subject: b"last", reply: None, headers: None, payload: b"" };
            connection.publish(last, Flush::Soon).unwrap();
        }
        connection.close();
        (0..100).for_each(|_| drop(server.lines_until("PUB last")));
    }

    #[test]
    fn the_end_is_told_once_all_that_ends_along_has_ended() {
        let server = Server::start(true);
        let (tell, told) = channel();
        let kept: Arc<Mutex<Option<Arc<Subscription>>>> = Arc::default();
        let seen = Arc::clone(&kept);
        let connection = connected_with(&server, |options| {
            options.handlers.closed = Some(Arc::new(move |_| {
                let subscription = seen.lock().unwrap().take().unwrap();
                tell.send(subscription.is_valid()).unwrap();
            }));
        });
        let request = Request { subject: b"foo", queue: None, handler: None, timeout_ms: None };
        let subscription = connection.subscribe(request).unwrap();
        subscription.start();
        *kept.lock().unwrap() = Some(Arc::clone(&subscription));
        let reader = thread::spawn(move || subscription.next_msg(20_000).err().map(|e| e.status()));
        let flusher = Arc::clone(&connection);
        let flusher = thread::spawn(move || flusher.flush(20_000).err().map(|e| e.status()));
        (0..2).for_each(|_| drop(server.lines_until("PING"))); // that of the handshake and that of the flush
        connection.abandon();
        assert_eq!(told.recv_timeout(SOON), Ok(false), "it is still there");
        assert_eq!(reader.join().unwrap(), Some(Status::ConnectionClosed));
        assert_eq!(flusher.join().unwrap(), Some(Status::ConnectionClosed));
    }
}
