//! What the program is told of a connection: its events, in the order in which its state changed.

use std::collections::LinkedList;
use std::sync::Arc;
use std::time::Duration;

use crate::client::connection::link::Link;
use crate::client::connection::loss::Disconnect;
use crate::client::connection::{Connection, State};
use crate::client::options::handlers::{ConnectionHandler, PingEvent};
use crate::client::subscription::Subscription;
use crate::error::Error;
use crate::io::executor::{Executor, Job};
use crate::io::stderr;

/// The way of one connection's events to the thread that runs the handlers of all connections. It is part of the
/// connection's state: who posts holds its lock, so handlers run in the order of the changes they tell of, whichever
/// threads made those.
pub(super) struct Events {
    callbacks: Arc<Executor>,
    /// How many are at work on what the program must find done when it hears of it.
    holds: usize,
    held: LinkedList<Kept>,
    /// The connection is closed and the program told: nothing comes after that.
    ended: bool,
    /// Each event that the program has not been told of yet has one of these.
    untold: Arc<()>,
}

/// What a server can bring about as often as it likes is left out while so many events wait for the program.
const MAX_UNTOLD: usize = 10_000;

/// An event that is kept back.
struct Kept {
    job: Job,
    /// The address of the link that it says has come up.
    up: Option<usize>,
}

fn address(link: &Arc<Link>) -> usize {
    Arc::as_ptr(link).addr()
}

impl Events {
    pub fn new(callbacks: Arc<Executor>) -> Events {
        Events { callbacks, holds: 0, held: LinkedList::new(), ended: false, untold: Arc::default() }
    }

    fn post(&mut self, job: Job) {
        self.put(job, None);
    }

    /// For all but changes of the connection's state: a flood of them is not kept.
    fn post_notice(&mut self, job: Job) {
        if Arc::strong_count(&self.untold) <= MAX_UNTOLD {
            self.post(job);
        }
    }

    fn put(&mut self, job: Job, up: Option<usize>) {
        if self.ended {
            return;
        }
        let untold = Arc::clone(&self.untold);
        let job = Box::new(move || {
            drop(untold);
            job();
        });
        if self.holds == 0 {
            self.callbacks.post(job);
        } else {
            self.held.push_back(Kept { job, up });
        }
    }

    /// Keeps events back until as many calls of [`Events::let_go`] have come.
    pub fn hold(&mut self) {
        self.holds += 1;
    }

    pub fn let_go(&mut self) {
        self.holds -= 1;
        if self.holds == 0 {
            std::mem::take(&mut self.held).into_iter().for_each(|kept| self.callbacks.post(kept.job));
        }
    }

    /// Forgets that this link came up, which is still kept back.
    pub fn retract_up(&mut self, link: &Arc<Link>) {
        let up = self.held.iter_mut().filter(|kept| kept.up == Some(address(link)));
        up.for_each(|kept| kept.job = Box::new(|| {}));
    }

    /// Takes no more events; those kept back still go their way.
    pub fn end(&mut self) {
        self.ended = true;
    }
}

impl Connection {
    /// Queues a call of one of the program's handlers.
    pub(super) fn post(self: &Arc<Self>, state: &mut State, handler: &Option<ConnectionHandler>) {
        if let Some(handler) = handler.clone() {
            let connection = Arc::clone(self);
            state.events.post(Box::new(move || handler(&connection)));
        }
    }

    /// The same for what a server may tell as often as it likes.
    pub(super) fn post_notice(self: &Arc<Self>, state: &mut State, handler: &Option<ConnectionHandler>) {
        if let Some(handler) = handler.clone() {
            let connection = Arc::clone(self);
            state.events.post_notice(Box::new(move || handler(&connection)));
        }
    }

    /// The same to say that this link has come up.
    pub(super) fn post_up(
        self: &Arc<Self>,
        state: &mut State,
        link: &Arc<Link>,
        handler: &Option<ConnectionHandler>,
    ) {
        if let Some(handler) = handler.clone() {
            let connection = Arc::clone(self);
            state.events.put(Box::new(move || handler(&connection)), Some(address(link)));
        }
    }

    /// Queues a call of the error handler.
    pub(super) fn report(
        self: &Arc<Self>,
        state: &mut State,
        subscription: Option<Arc<Subscription>>,
        error: Error,
    ) {
        let connection = Arc::clone(self);
        let handler = self.options.handlers.error.clone();
        state.events.post_notice(Box::new(move || match handler {
            Some(handler) => handler(&connection, subscription.as_ref(), &error),
            None => print_error(&connection, subscription.as_ref(), &error),
        }));
    }

    pub(super) fn post_disconnect(self: &Arc<Self>, state: &mut State, disconnect: Arc<Disconnect>) {
        if let Some(handler) = self.options.handlers.disconnect.clone() {
            let connection = Arc::clone(self);
            state.events.post(Box::new(move || handler(&connection, &disconnect)));
        }
        self.post(state, &self.options.handlers.disconnected);
    }

    pub(super) fn post_ping(
        self: &Arc<Self>,
        state: &mut State,
        event: PingEvent,
        outstanding: i32,
        rtt: Option<Duration>,
    ) {
        if let Some(handler) = self.options.handlers.ping.clone() {
            let connection = Arc::clone(self);
            state.events.post_notice(Box::new(move || handler(&connection, event, outstanding, rtt)));
        }
    }
}

/// What happens to errors when the program has no handler for them.
fn print_error(connection: &Arc<Connection>, subscription: Option<&Arc<Subscription>>, error: &Error) {
    let text = match connection.last_error() {
        Some((_, text)) if !text.is_empty() => String::from_utf8_lossy(&text).into_owned(),
        _ => error.status().text().to_owned(),
    };
    let id = connection.state.lock().info.client_id;
    let about =
        subscription.map(|s| format!(" on \"{}\"", s.subject().to_string_lossy())).unwrap_or_default();
    stderr::print(&format!("Error {} - {text} on connection [{id}]{about}\n", error.status().code()));
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::client::connection::mock::{Client, connect_to};
    use crate::client::pause::Hold;
    use crate::error::Status;

    #[test]
    fn a_close_right_after_a_loss_is_told_after_it() {
        let (tx, rx) = mpsc::channel();
        let tell = |what: &'static str| -> Option<ConnectionHandler> {
            let tx = tx.clone();
            Some(Arc::new(move |_: &Arc<Connection>| tx.send(what).unwrap()))
        };
        // Ends the connection when asked for a PONG.
        let serve = |mut client: Client| {
            client.wait_for("PING");
        };
        let connection = connect_to(serve, |options| {
            options.handlers.disconnected = tell("disconnected");
            options.handlers.closed = tell("closed");
        });

        // The thread that reports the loss stops right after the flush below was given its result.
        let hold = Hold::at("lost", &connection);
        assert_eq!(connection.flush(10_000).unwrap_err().status(), Status::ConnectionDisconnected);
        hold.wait_for_one();
        connection.close();
        drop(hold);
        let next = || rx.recv_timeout(Duration::from_secs(10));
        assert_eq!([next(), next()], [Ok("disconnected"), Ok("closed")]);
    }

    #[test]
    fn that_a_link_came_up_is_taken_back_and_nothing_else() {
        let connection = connect_to(|mut client| assert!(!client.wait_for("never")), |_| {});
        let link = connection.state.lock().link.clone().unwrap();
        let threads = crate::io::threads::Threads::new(None);
        let callbacks = Executor::start(&threads, "test").unwrap();
        let mut events = Events::new(Arc::clone(&callbacks));
        let (tx, rx) = mpsc::channel();
        let job = |n: u32| -> Job {
            let tx = tx.clone();
            Box::new(move || tx.send(n).unwrap())
        };
        events.hold();
        events.post(job(1));
        events.put(job(2), Some(address(&link)));
        events.put(job(3), Some(1)); // that of an earlier one
        events.post(job(4));
        events.retract_up(&link);
        events.let_go();
        drop((events, tx));
        callbacks.close();
        assert_eq!(rx.iter().collect::<Vec<_>>(), [1, 3, 4]);
        connection.abandon();
    }

    #[test]
    fn a_flood_of_notices_is_not_kept() {
        let threads = crate::io::threads::Threads::new(None);
        let callbacks = Executor::start(&threads, "test").unwrap();
        let mut events = Events::new(Arc::clone(&callbacks));
        let (tx, rx) = mpsc::channel();
        let job = |n: usize| -> Job {
            let tx = tx.clone();
            Box::new(move || tx.send(n).unwrap())
        };
        events.hold();
        (0..MAX_UNTOLD + 5).for_each(|n| events.post_notice(job(n)));
        events.post(job(MAX_UNTOLD + 5));
        events.let_go();
        let told: Vec<_> =
            (0..=MAX_UNTOLD).map(|_| rx.recv_timeout(Duration::from_secs(10)).unwrap()).collect();
        assert!(told[..MAX_UNTOLD].iter().copied().eq(0..MAX_UNTOLD));
        assert_eq!(told[MAX_UNTOLD], MAX_UNTOLD + 5);
        events.post_notice(job(7)); // there is room again
        assert_eq!(rx.recv_timeout(Duration::from_secs(10)), Ok(7));
        drop(events);
        callbacks.close();
    }

    #[test]
    fn events_kept_back_keep_their_order_and_nothing_follows_the_end() {
        let threads = crate::io::threads::Threads::new(None);
        let callbacks = Executor::start(&threads, "test").unwrap();
        let mut events = Events::new(Arc::clone(&callbacks));
        let (tx, rx) = mpsc::channel();
        let job = |n: u32| -> Job {
            let tx = tx.clone();
            Box::new(move || tx.send(n).unwrap())
        };
        events.post(job(1));
        events.hold();
        events.post(job(2));
        events.hold();
        events.post(job(3));
        events.let_go();
        events.post(job(4));
        assert_eq!(rx.recv(), Ok(1));
        assert!(rx.try_recv().is_err());
        events.end();
        events.post(job(5));
        events.let_go();
        events.post(job(6));
        drop((events, tx));
        callbacks.close();
        assert_eq!(rx.iter().collect::<Vec<_>>(), [2, 3, 4]);
    }
}
