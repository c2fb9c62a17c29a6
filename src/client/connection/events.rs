//! What the program is told of a connection: its events, in the order in which its state changed.

use std::collections::LinkedList;
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::client::connection::Connection;
use crate::client::connection::link::Link;
use crate::client::connection::loss::Disconnect;
use crate::client::options::handlers::{ConnectionHandler, PingEvent};
use crate::client::subscription::Subscription;
use crate::error::Error;
use crate::io::executor::Executor;
use crate::io::stderr;

/// Something that a program is told of.
pub(super) enum Event {
    /// The connection came up for the first time, in the background.
    Connected,
    Reconnected,
    /// A link was lost: how, and then that it was.
    Lost(Arc<Disconnect>),
    Disconnected,
    Closed,
    /// A server announced others that were not known.
    Discovered,
    LameDuck,
    /// An error that nobody waits for; the subscription is there when the error is about one.
    Failed(Option<Arc<Subscription>>, Error),
    /// What happened to a keep-alive PING, how many are unanswered, and a PONG's round trip.
    Ping(PingEvent, i32, Option<Duration>),
}

impl Event {
    /// Tells of no change of the connection's life: a server can bring it about as often as it likes.
    fn is_notice(&self) -> bool {
        matches!(self, Event::Discovered | Event::LameDuck | Event::Failed(..) | Event::Ping(..))
    }
}

/// Who hears of the events.
pub(super) trait Listener: Send + Sync {
    /// Whether it wants to hear of such an event.
    fn listens_to(&self, event: &Event) -> bool;

    /// On the thread that runs the handlers of all connections.
    fn hear(self: Arc<Self>, event: Event);
}

/// The way of one connection's events to the thread that runs the handlers of all connections. It is part of
/// the connection's state: who posts holds its lock, so handlers run in the order of the changes they tell
/// of, whichever threads made those.
pub(super) struct Events {
    callbacks: Arc<Executor>,
    listener: Weak<dyn Listener>,
    /// How many are at work on what the program must find done when it hears of it.
    holds: usize,
    held: LinkedList<Untold>,
    /// The connection is closed and the program told: nothing comes after that.
    ended: bool,
    /// Each event that the program has not been told of yet has one of these.
    count: Arc<()>,
}

/// What a server can bring about as often as it likes is left out while so many events wait for the program.
const MAX_UNTOLD: usize = 10_000;

/// An event on its way.
struct Untold {
    event: Event,
    listener: Arc<dyn Listener>,
    count: Arc<()>,
    /// The address of the link that it says has come up.
    up: Option<usize>,
}

impl Untold {
    fn tell(self) {
        drop(self.count);
        self.listener.hear(self.event);
    }
}

fn address(link: &Arc<Link>) -> usize {
    Arc::as_ptr(link).addr()
}

impl Events {
    pub(super) fn new(callbacks: Arc<Executor>, listener: Weak<dyn Listener>) -> Events {
        let (held, count) = (LinkedList::new(), Arc::default());
        Events { callbacks, listener, holds: 0, held, ended: false, count }
    }

    pub(super) fn post(&mut self, event: Event) {
        self.put(event, None);
    }

    /// The same to say that this link has come up.
    pub(super) fn post_up(&mut self, link: &Arc<Link>, event: Event) {
        self.put(event, Some(address(link)));
    }

    fn put(&mut self, event: Event, up: Option<usize>) {
        let flooded = event.is_notice() && Arc::strong_count(&self.count) > MAX_UNTOLD;
        if self.ended || flooded {
            return;
        }
        let Some(listener) = self.listener.upgrade().filter(|listener| listener.listens_to(&event)) else {
            return;
        };
        let untold = Untold { event, listener, count: Arc::clone(&self.count), up };
        if self.holds == 0 {
            self.hand_on(untold);
        } else {
            self.held.push_back(untold);
        }
    }

    fn hand_on(&self, untold: Untold) {
        self.callbacks.post(Box::new(move || untold.tell()));
    }

    /// Keeps events back until as many calls of [`Events::let_go`] have come.
    pub(super) fn hold(&mut self) {
        self.holds += 1;
    }

    pub(super) fn let_go(&mut self) {
        self.holds -= 1;
        if self.holds == 0 {
            std::mem::take(&mut self.held).into_iter().for_each(|untold| self.hand_on(untold));
        }
    }

    /// Forgets that this link came up, which is still kept back.
    pub(super) fn retract_up(&mut self, link: &Arc<Link>) {
        for _ in 0..self.held.len() {
            let first = self.held.pop_front();
            self.held.extend(first.filter(|untold| untold.up != Some(address(link))));
        }
    }

    /// Takes no more events; those kept back still go their way.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }
}

impl Listener for Connection {
    fn listens_to(&self, event: &Event) -> bool {
        match event {
            Event::Lost(_) => self.options.handlers.disconnect.is_some(),
            Event::Ping(..) => self.options.handlers.ping.is_some(),
            Event::Failed(..) => true, // without a handler it is printed
            event => self.handler_of(event).is_some(),
        }
    }

    fn hear(self: Arc<Self>, event: Event) {
        if let Some(handler) = self.handler_of(&event) {
            return handler(&self);
        }
        match event {
            Event::Lost(disconnect) => {
                if let Some(handler) = &self.options.handlers.disconnect {
                    handler(&self, &disconnect);
                }
            }
            Event::Ping(event, outstanding, rtt) => {
                if let Some(handler) = &self.options.handlers.ping {
                    handler(&self, event, outstanding, rtt);
                }
            }
            Event::Failed(subscription, error) => match &self.options.handlers.error {
                Some(handler) => handler(&self, subscription.as_ref(), &error),
                None => print_error(&self, subscription.as_ref(), &error),
            },
            _ => {}
        }
    }
}

impl Connection {
    /// The handler of an event that only needs to be named.
    fn handler_of(&self, event: &Event) -> Option<&ConnectionHandler> {
        let options = &self.options;
        let handler = match event {
            Event::Connected => &options.handlers.connected,
            Event::Reconnected => &options.handlers.reconnected,
            Event::Disconnected => &options.handlers.disconnected,
            Event::Closed => &options.handlers.closed,
            Event::Discovered => &options.handlers.discovered,
            Event::LameDuck => &options.handlers.lame_duck,
            Event::Lost(_) | Event::Failed(..) | Event::Ping(..) => return None,
        };
        handler.as_ref()
    }
}

/// What happens to errors when the program has no handler for them.
fn print_error(connection: &Arc<Connection>, subscription: Option<&Arc<Subscription>>, error: &Error) {
    let text = match connection.last_error() {
        Some((_, text)) if !text.is_empty() => String::from_utf8_lossy(&text).into_owned(),
        _ => error.status().text().to_owned(),
    };
    let id = connection.state.lock().servers.info.client_id;
    let about =
        subscription.map(|s| format!(" on \"{}\"", s.subject().to_string_lossy())).unwrap_or_default();
    stderr::print(&format!("Error {} - {text} on connection [{id}]{about}\n", error.status().code()));
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;
    use crate::client::connection::testing::{SOON, loose_link};
    use crate::io::threads::Threads;
    use crate::sync::Mutex;

    /// Passes on what it hears, in short, and hears of all but new servers.
    struct Recorder(Mutex<Sender<String>>);

    impl Listener for Recorder {
        fn listens_to(&self, event: &Event) -> bool {
            !matches!(event, Event::Discovered)
        }

        fn hear(self: Arc<Self>, event: Event) {
            let name = match event {
                Event::Connected => "connected".to_owned(),
                Event::Reconnected => "reconnected".to_owned(),
                Event::Lost(disconnect) => format!("lost by {:?}", disconnect.reason),
                Event::Disconnected => "disconnected".to_owned(),
                Event::Closed => "closed".to_owned(),
                Event::Discovered => "discovered".to_owned(),
                Event::LameDuck => "lame duck".to_owned(),
                Event::Failed(_, error) => error.status().text().to_owned(),
                Event::Ping(_, outstanding, _) => outstanding.to_string(),
            };
            let _ = self.0.lock().send(name);
        }
    }

    /// Who hears of events in tests, without a connection.
    pub(in crate::client::connection) struct Audience {
        recorder: Option<Arc<Recorder>>,
        callbacks: Arc<Executor>,
        told: Receiver<String>,
    }

    pub(in crate::client::connection) fn audience() -> (Events, Audience) {
        let callbacks = Executor::start(&Threads::new(None), "test").unwrap();
        let (tell, told) = channel();
        let recorder = Arc::new(Recorder(Mutex::new(tell)));
        let listener = Arc::downgrade(&recorder) as Weak<dyn Listener>;
        let events = Events::new(Arc::clone(&callbacks), listener);
        (events, Audience { recorder: Some(recorder), callbacks, told })
    }

    impl Audience {
        pub(crate) fn next(&self) -> String {
            self.told.recv_timeout(SOON).unwrap()
        }

        /// All that comes still, once nobody posts any more.
        pub(crate) fn rest(mut self) -> Vec<String> {
            self.callbacks.close();
            self.recorder = None;
            self.told.iter().collect()
        }
    }

    impl Drop for Audience {
        fn drop(&mut self) {
            self.callbacks.close();
        }
    }

    fn ping(number: usize) -> Event {
        Event::Ping(PingEvent::Sent, number as i32, None)
    }

    #[test]
    fn that_a_link_came_up_is_taken_back_and_nothing_else() {
        let (mut events, audience) = audience();
        let (link, earlier) = (loose_link(), loose_link());
        events.hold();
        events.post(Event::LameDuck);
        events.post_up(&link, Event::Connected);
        events.post_up(&earlier, Event::Reconnected);
        events.post(Event::Closed);
        events.retract_up(&link);
        events.let_go();
        assert_eq!(audience.rest(), ["lame duck", "reconnected", "closed"]);
    }

    #[test]
    fn a_flood_of_notices_is_not_kept() {
        let (mut events, audience) = audience();
        events.hold();
        (0..MAX_UNTOLD + 5).for_each(|n| events.post(ping(n)));
        events.post(Event::Closed);
        events.let_go();
        assert!((0..MAX_UNTOLD).all(|n| audience.next() == n.to_string()));
        assert_eq!(audience.next(), "closed");
        events.post(ping(7)); // there is room again
        assert_eq!(audience.rest(), ["7"]);
    }

    #[test]
    fn events_kept_back_keep_their_order_and_nothing_follows_the_end() {
        let (mut events, audience) = audience();
        events.post(ping(1));
        events.hold();
        events.post(ping(2));
        events.hold();
        events.post(ping(3));
        events.let_go();
        events.post(ping(4));
        assert_eq!(audience.next(), "1");
        assert!(audience.told.try_recv().is_err());
        events.end();
        events.post(ping(5));
        events.let_go();
        events.post(ping(6));
        assert_eq!(audience.rest(), ["2", "3", "4"]);
    }

    #[test]
    fn what_nobody_listens_to_is_not_posted() {
        let (mut events, mut audience) = audience();
        events.hold();
        events.post(Event::Discovered);
        audience.recorder = None;
        events.post(Event::Closed); // to nobody
        assert!(events.held.is_empty());
    }
}
