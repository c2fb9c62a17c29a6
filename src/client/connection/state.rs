//! What a connection is at one moment, with the changes it goes through.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use rand::rngs::SmallRng;

use crate::client::connection::ConnStatus;
use crate::client::connection::events::{Event, Events};
use crate::client::connection::last_error::LastError;
use crate::client::connection::link::Link;
use crate::client::connection::loss::Disconnect;
use crate::client::connection::observers::{Change, Observers};
use crate::client::connection::waiter::Waiter;
use crate::client::subscription::Subscription;
use crate::error::{Error, Result, Status};
use crate::io::clock::{Deadline, wait_until};
use crate::io::threads::ThreadId;
use crate::proto::info::ServerInfo;
use crate::session::pool::ServerPool;
use crate::sync::{Condvar, Mutex, MutexGuard};

/// The state behind its lock, the first one of a connection.
pub(super) struct Shared {
    state: Mutex<State>,
    status: Arc<StatusCell>,
    /// Wakes who waits for the connection to be closed.
    closed: Condvar,
    /// Told without the lock.
    pub observers: Arc<Observers>,
}

/// `State::status`, readable without the lock.
struct StatusCell(AtomicI32);

/// The state of a connection. Each change of its life is one method here, called with the lock held: it
/// changes what belongs together, posts what the program is told of it, notes what the library's own parts
/// hear of it, and gives back what is left to be done without the lock. So all of them see the changes in the
/// order in which they were made, whichever threads made them. Changes that end a link ask for those who wait
/// for its PONGs, so that the outgoing side has let go of it before anybody is told.
pub(super) struct State {
    status: ConnStatus,
    /// What the others see.
    shown: Arc<StatusCell>,
    events: Events,
    observers: Arc<Observers>,
    link: Option<Arc<Link>>,
    last_disconnect: Option<Arc<Disconnect>>,
    /// Not connected once yet (retry on failed connect).
    initial: bool,
    /// The thread that tries a server during a reconnect.
    trying: Option<ThreadId>,
    closed_while_reconnecting: bool,
    /// Threads on which a handler of the program is asked something; CLOSED waits for them once there is one.
    asking: Vec<ThreadId>,
    closed_waits: bool,
    pub last_error: LastError,
    pub servers: Servers,
}

/// The servers of a connection, and what the latest one said of itself.
pub(super) struct Servers {
    pub pool: ServerPool,
    pub info: ServerInfo,
    pub rng: SmallRng,
}

/// What was so before a link became the connection's.
pub(super) struct Before {
    status: ConnStatus,
    initial: bool,
    /// At the current server.
    attempts: i32,
}

impl Before {
    /// The program holds the connection already: it came up in the background.
    pub(super) fn in_background(&self) -> bool {
        self.status != ConnStatus::Connecting
    }
}

/// What is left to be done about a link that is not the connection's any more, once the state is unlocked.
#[must_use]
pub(super) struct Severed {
    link: Option<Arc<Link>>,
    /// Those who wait for a PONG of it, and what they are told.
    waiters: Vec<Arc<Waiter<()>>>,
    status: Status,
}

impl Severed {
    /// Ends the link, then the waits.
    pub(super) fn end(self) {
        if let Some(link) = &self.link {
            link.take_down();
        }
        self.end_waits();
    }

    /// The same for a link whose socket no event loop has.
    pub(super) fn discard(self) {
        if let Some(link) = &self.link {
            link.discard();
        }
        self.end_waits();
    }

    fn end_waits(self) {
        self.waiters.iter().for_each(|waiter| waiter.complete(Err(Error::from(self.status))));
    }
}

impl Shared {
    /// Of a connection that has not tried to connect yet.
    pub(super) fn new(servers: Servers, events: Events) -> Shared {
        let status = Arc::new(StatusCell(AtomicI32::new(ConnStatus::Connecting as i32)));
        let observers: Arc<Observers> = Arc::default();
        let state = State {
            status: ConnStatus::Connecting,
            shown: Arc::clone(&status),
            events,
            observers: Arc::clone(&observers),
            link: None,
            last_disconnect: None,
            initial: true,
            trying: None,
            closed_while_reconnecting: false,
            asking: Vec::new(),
            closed_waits: false,
            last_error: LastError::default(),
            servers,
        };
        Shared { state: Mutex::new(state), status, closed: Condvar::new(), observers }
    }

    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    pub(super) fn try_lock(&self) -> Option<MutexGuard<'_, State>> {
        self.state.try_lock()
    }

    /// Waits for nothing.
    pub(super) fn status(&self) -> ConnStatus {
        match self.status.0.load(Ordering::Acquire) {
            0 => ConnStatus::Disconnected,
            1 => ConnStatus::Connecting,
            2 => ConnStatus::Connected,
            3 => ConnStatus::Closed,
            4 => ConnStatus::Reconnecting,
            5 => ConnStatus::DrainingSubs,
            _ => ConnStatus::DrainingPubs,
        }
    }

    /// While this lives a handler of the program may be asked something: CLOSED is told after that, for then
    /// the program may free what its handlers need, unless the handler itself closes: it may wait for CLOSED.
    /// Fails once the connection is closed.
    pub(super) fn ask(&self) -> Result<Asking<'_>> {
        self.lock().begin_asking()?;
        Ok(Asking(self))
    }

    /// Waits for the close; false at the deadline.
    pub(super) fn wait_for_close(&self, deadline: Deadline) -> bool {
        let closed = |state: &mut State| (state.status == ConnStatus::Closed).then_some(());
        wait_until(&self.closed, &mut self.lock(), deadline, closed).is_some()
    }

    /// Wakes those who wait for the close.
    pub(super) fn wake(&self) {
        self.closed.notify_all();
    }
}

/// See [`Shared::ask`].
#[must_use]
pub(super) struct Asking<'a>(&'a Shared);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.lock().end_asking();
    }
}

impl State {
    // ---- questions ----

    pub(super) fn status(&self) -> ConnStatus {
        self.status
    }

    /// The status as the program sees it: see [`crate::client::connection::Connection::visible_status`].
    pub(super) fn visible_status(&self) -> ConnStatus {
        match self.status {
            ConnStatus::Reconnecting if self.trying == Some(ThreadId::current()) => ConnStatus::Connecting,
            status => status,
        }
    }

    /// Stays true after a close that happened during a reconnect.
    pub(super) fn is_reconnecting(&self) -> bool {
        self.visible_status() == ConnStatus::Reconnecting || self.closed_while_reconnecting
    }

    /// It has not been connected once yet.
    pub(super) fn is_initial(&self) -> bool {
        self.initial
    }

    pub(super) fn link(&self) -> Option<&Arc<Link>> {
        self.link.as_ref()
    }

    pub(super) fn is_current(&self, link: &Arc<Link>) -> bool {
        self.link.as_ref().is_some_and(|current| Arc::ptr_eq(current, link))
    }

    pub(super) fn last_disconnect(&self) -> Option<&Arc<Disconnect>> {
        self.last_disconnect.as_ref()
    }

    // ---- events that are no changes of its life ----

    pub(super) fn post(&mut self, event: Event) {
        self.events.post(event);
    }

    /// Posts an error that nobody waits for.
    pub(super) fn report(&mut self, subscription: Option<Arc<Subscription>>, error: Error) {
        self.post(Event::Failed(subscription, error));
    }

    /// Tells the program of nothing any more: it has no handle to hear of.
    pub(super) fn end_events(&mut self) {
        self.events.end();
    }

    /// Hands on what [`State::come_up`], [`State::lose`] and [`State::close`] have kept back.
    pub(super) fn let_events_go(&mut self) {
        self.events.let_go();
    }

    // ---- changes ----

    fn enter(&mut self, status: ConnStatus) {
        debug_assert!(self.status != ConnStatus::Closed, "a closed connection stays so");
        self.status = status;
        self.shown.0.store(status as i32, Ordering::Release);
    }

    /// The first connect goes on in the background, unless a handler has closed the connection.
    pub(super) fn begin_retrying(&mut self) -> Result<()> {
        if self.status == ConnStatus::Closed {
            return Err(Status::ConnectionClosed.into());
        }
        self.enter(ConnStatus::Reconnecting);
        Ok(())
    }

    /// It does not, for there is no thread; the program gets no handle.
    pub(super) fn give_up_retrying(&mut self) {
        if self.status == ConnStatus::Reconnecting {
            self.enter(ConnStatus::Connecting);
        }
    }

    /// The calling thread tries the current server.
    pub(super) fn begin_attempt(&mut self) {
        self.trying = Some(ThreadId::current());
        if let Some(server) = self.servers.pool.current_mut() {
            server.attempts += 1;
        }
    }

    /// Once the connection is up, another thread may be trying again.
    pub(super) fn end_attempt(&mut self) {
        if self.trying == Some(ThreadId::current()) {
            self.trying = None;
        }
    }

    /// The server behind this link is ready. It counts as up once its socket is watched: what is posted until
    /// [`State::let_events_go`] is kept back.
    pub(super) fn come_up(&mut self, link: &Arc<Link>) -> Before {
        let before = Before {
            status: self.status,
            initial: std::mem::replace(&mut self.initial, false),
            attempts: self.servers.pool.reset_attempts_of_current(),
        };
        self.last_error.clear();
        self.link = Some(Arc::clone(link));
        self.enter(ConnStatus::Connected);
        self.events.hold();
        if before.in_background() {
            let event = if before.initial { Event::Connected } else { Event::Reconnected };
            self.events.post_up(link, event);
        }
        before
    }

    /// The link that came up cannot be used; the program never hears of it.
    pub(super) fn back_out(&mut self, before: &Before, waiters: Vec<Arc<Waiter<()>>>) -> Severed {
        let link = self.unlink();
        if let Some(link) = &link {
            self.events.retract_up(link);
        }
        self.initial = before.initial;
        self.enter(before.status);
        if let Some(server) = self.servers.pool.current_mut() {
            server.attempts = before.attempts; // a server is not reached for good before its link can be used
        }
        Severed { link, waiters, status: Status::ConnectionDisconnected }
    }

    /// The link is lost, and the connection is about to come back. What is posted is kept back until the
    /// event loop that polls the link has let go of it, if one does: [`State::let_events_go`].
    pub(super) fn lose(&mut self, disconnect: Arc<Disconnect>, waiters: Vec<Arc<Waiter<()>>>) -> Severed {
        let link = self.unlink();
        self.last_error.clear();
        self.enter(ConnStatus::Reconnecting);
        self.hold_for_loop(link.as_ref());
        self.post_disconnect(&disconnect);
        self.last_disconnect = Some(disconnect);
        self.observers.note(Change::Disconnected);
        Severed { link, waiters, status: Status::ConnectionDisconnected }
    }

    /// The end. What is posted, the last there is, is kept back until what ends along is done:
    /// [`State::let_events_go`]; and once more until the event loop that polls the link has let go of it, if
    /// one does. `told`: the program hears of the loss of the link too.
    pub(super) fn close(
        &mut self,
        disconnect: Option<Arc<Disconnect>>,
        told: bool,
        waiters: Vec<Arc<Waiter<()>>>,
    ) -> Severed {
        self.closed_while_reconnecting = self.status == ConnStatus::Reconnecting;
        let never_connected = self.status == ConnStatus::Connecting;
        if self.closed_while_reconnecting {
            self.last_error.note_no_server();
        }
        self.enter(ConnStatus::Closed);
        let link = self.unlink();
        self.events.hold();
        self.hold_for_loop(link.as_ref());
        self.asking.retain(|thread| *thread != ThreadId::current());
        if !self.asking.is_empty() {
            self.closed_waits = true;
            self.events.hold();
        }
        if let Some(disconnect) = disconnect {
            if told {
                self.post_disconnect(&disconnect);
            }
            self.last_disconnect = Some(disconnect);
        }
        if !never_connected {
            self.events.post(Event::Closed);
        }
        self.events.end();
        self.observers.note(Change::Closed);
        Severed { link, waiters, status: Status::ConnectionClosed }
    }

    /// A handler of the program is about to be asked something. It is not once the connection is closed.
    fn begin_asking(&mut self) -> Result<()> {
        if self.status == ConnStatus::Closed {
            return Err(Status::ConnectionClosed.into());
        }
        self.asking.push(ThreadId::current());
        Ok(())
    }

    fn end_asking(&mut self) {
        self.asking.retain(|thread| *thread != ThreadId::current());
        if self.asking.is_empty() && std::mem::take(&mut self.closed_waits) {
            self.events.let_go();
        }
    }

    /// Messages come no more.
    pub(super) fn drain_subscriptions(&mut self) {
        self.enter(ConnStatus::DrainingSubs);
    }

    /// Nor are they published. False when the connection was closed meanwhile.
    pub(super) fn drain_publishes(&mut self) -> bool {
        let drains = self.status == ConnStatus::DrainingSubs;
        if drains {
            self.enter(ConnStatus::DrainingPubs);
        }
        drains
    }

    /// The connection has no link any more; from now on nothing that comes over it counts.
    fn unlink(&mut self) -> Option<Arc<Link>> {
        let link = self.link.take();
        if let Some(link) = &link {
            link.mark_down();
        }
        link
    }

    fn hold_for_loop(&mut self, link: Option<&Arc<Link>>) {
        if link.is_some_and(|link| link.event_loop().is_some()) {
            self.events.hold();
        }
    }

    fn post_disconnect(&mut self, disconnect: &Arc<Disconnect>) {
        self.events.post(Event::Lost(Arc::clone(disconnect)));
        self.events.post(Event::Disconnected);
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use rand::SeedableRng;

    use super::*;
    use crate::client::connection::events::tests::{Audience, audience};
    use crate::client::connection::loss::Reason;
    use crate::client::connection::testing::loose_link;

    fn shared() -> (Shared, Audience) {
        let (events, audience) = audience();
        let mut rng = SmallRng::seed_from_u64(1);
        let pool = ServerPool::new(Some(b"nats://a:1"), &[b"nats://b:1"], false, &mut rng).unwrap();
        (Shared::new(Servers { pool, info: ServerInfo::default(), rng }, events), audience)
    }

    /// A connection whose first link, which it gives, is up.
    fn connected() -> (Shared, Arc<Link>, Audience) {
        let (shared, audience) = shared();
        let link = come_up(&shared);
        (shared, link, audience)
    }

    fn come_up(shared: &Shared) -> Arc<Link> {
        let link = loose_link();
        let mut state = shared.lock();
        let _ = state.come_up(&link);
        state.let_events_go();
        link
    }

    fn disconnect(reason: Reason) -> Arc<Disconnect> {
        Arc::new(Disconnect::of(reason))
    }

    fn one_waiter() -> (Vec<Arc<Waiter<()>>>, Arc<Waiter<()>>) {
        let waiter = Arc::new(Waiter::default());
        (vec![Arc::clone(&waiter)], waiter)
    }

    fn told_to(waiter: &Waiter<()>) -> Status {
        waiter.wait(Deadline::in_ms(0)).unwrap_err().status()
    }

    #[test]
    fn a_first_connect_is_no_event() {
        let (shared, link, audience) = connected();
        assert!(shared.lock().is_current(&link) && shared.status() == ConnStatus::Connected);
        assert!(audience.rest().is_empty());
    }

    #[test]
    fn a_loss_and_what_follows_are_told_in_order() {
        let (shared, link, audience) = connected();
        let (waiters, waiter) = one_waiter();
        let severed = shared.lock().lose(disconnect(Reason::ServerClosed), waiters);
        assert!(link.is_down() && !shared.lock().is_current(&link));
        assert_eq!(shared.status(), ConnStatus::Reconnecting);
        assert!(!waiter.is_done(), "that is left for later");
        severed.end();
        assert_eq!(told_to(&waiter), Status::ConnectionDisconnected);
        come_up(&shared);
        let severed = shared.lock().close(Some(disconnect(Reason::ClosedByUser)), true, Vec::new());
        severed.end();
        shared.lock().let_events_go();
        let expected = [
            "lost by ServerClosed",
            "disconnected",
            "reconnected",
            "lost by ClosedByUser",
            "disconnected",
            "closed",
        ];
        assert_eq!(audience.rest(), expected);
        assert_eq!(shared.lock().last_disconnect().unwrap().reason, Reason::ClosedByUser);
    }

    #[test]
    fn the_end_is_told_once_what_ends_along_is_done() {
        let (shared, _, audience) = connected();
        let (waiters, waiter) = one_waiter();
        let severed = shared.lock().close(Some(disconnect(Reason::WriteDeadline)), false, waiters);
        shared.lock().report(None, Status::SlowConsumer.into()); // too late
        severed.end();
        assert_eq!(told_to(&waiter), Status::ConnectionClosed);
        assert!(shared.wait_for_close(Deadline::NEVER));
        shared.lock().let_events_go();
        assert_eq!(audience.rest(), ["closed"]);
    }

    #[test]
    fn who_never_held_the_connection_hears_of_no_end() {
        let (shared, audience) = shared();
        shared.lock().close(None, true, Vec::new()).end();
        shared.lock().let_events_go();
        assert!(!shared.lock().is_reconnecting());
        assert!(audience.rest().is_empty());
    }

    #[test]
    fn a_link_that_is_taken_back_leaves_all_as_it_was() {
        let (shared, audience) = shared();
        shared.lock().begin_retrying().unwrap();
        shared.lock().begin_attempt();
        let link = loose_link();
        let mut state = shared.lock();
        let before = state.come_up(&link);
        assert!(before.in_background() && !state.is_initial());
        state.back_out(&before, Vec::new()).discard();
        state.let_events_go();
        assert!(state.is_initial() && state.status() == ConnStatus::Reconnecting && link.is_down());
        assert_eq!(state.servers.pool.current().unwrap().attempts, 1);
        drop(state);
        come_up(&shared);
        assert_eq!(audience.rest(), ["connected"]);
    }

    #[test]
    fn a_close_during_a_reconnect_stays_one_without_a_server() {
        let (shared, _, _audience) = connected();
        shared.lock().lose(disconnect(Reason::IoError), Vec::new()).end();
        shared.lock().last_error.note(&Status::ConnectionClosed.into());
        shared.lock().last_error.note_unreachable();
        assert!(shared.lock().last_error.get().is_none());
        shared.lock().close(None, true, Vec::new()).end();
        assert!(shared.lock().is_reconnecting() && shared.status() == ConnStatus::Closed);
        assert_eq!(shared.lock().last_error.get().unwrap().0, Status::NoServer);
    }

    #[test]
    fn publishes_are_drained_after_subscriptions_or_not_at_all() {
        let (shared, _, _audience) = connected();
        shared.lock().drain_subscriptions();
        assert!(shared.lock().drain_publishes() && !shared.lock().drain_publishes());
        assert_eq!(shared.status(), ConnStatus::DrainingPubs);
        shared.lock().close(None, true, Vec::new()).end();
        assert!(!shared.lock().drain_publishes());
    }

    #[test]
    fn only_the_thread_that_tries_sees_and_ends_its_attempt() {
        let (shared, _, _audience) = connected();
        shared.lock().lose(disconnect(Reason::IoError), Vec::new()).end();
        shared.lock().begin_attempt();
        thread::scope(|scope| {
            let other = scope.spawn(|| {
                shared.lock().end_attempt();
                shared.lock().visible_status()
            });
            assert_eq!(other.join().unwrap(), ConnStatus::Reconnecting);
        });
        assert_eq!(shared.lock().visible_status(), ConnStatus::Connecting);
        shared.lock().end_attempt();
        assert!(shared.lock().is_reconnecting());
    }
}
