//! What the library's own parts are told of a connection.

use std::collections::LinkedList;
use std::sync::{Arc, Weak};

use crate::client::connection::Connection;
use crate::client::connection::one_at_a_time::OneAtATime;
use crate::error::Result;
use crate::proto::memory;
use crate::sync::Mutex;

/// A change of a connection that concerns other parts of the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::client) enum Change {
    /// The link is lost; the connection is about to come back.
    Disconnected,
    /// The connection is over. Comes once.
    Closed,
}

/// A part of the library that does something about such a change. It runs none of the program's code and
/// waits for nothing, for any thread may be the one that tells it: the timer's, a poller's.
pub(in crate::client) trait Observer: Send + Sync {
    fn on_change(&self, change: Change);
}

/// Those who hear of the changes of one connection.
///
/// Changes wait in a queue. Who makes one holds the state's lock and puts it there, so they keep their order.
/// One thread at a time tells of them, with no lock held. Who finds another one at it goes its way and leaves
/// the rest to that one; what must come after the telling is queued behind it ([`Observers::follow`]). The
/// queue is short: a connection can be lost again only after it came back, which follows the telling.
#[derive(Default)]
pub(super) struct Observers {
    observers: Mutex<Vec<Weak<dyn Observer>>>,
    queue: Mutex<LinkedList<Step>>,
    telling: OneAtATime,
}

enum Step {
    Tell(Change),
    Then(Box<dyn FnOnce() + Send>),
}

impl Observers {
    /// From now on it hears of all changes, until it is gone.
    fn add(&self, observer: Weak<dyn Observer>) -> Result<()> {
        let mut observers = self.observers.lock();
        observers.retain(|known| known.strong_count() > 0);
        memory::push(&mut observers, observer)
    }

    /// Queues a change. The locks of the connection may be held.
    pub(super) fn note(&self, change: Change) {
        self.put(Step::Tell(change));
    }

    /// Tells of the changes queued, and then does this, which must not wait either. To be called without any
    /// lock.
    pub(super) fn follow(&self, then: impl FnOnce() + Send + 'static) {
        self.put(Step::Then(Box::new(then)));
        self.tell();
    }

    /// Tells of the changes queued. To be called without any lock.
    pub(super) fn tell(&self) {
        self.telling.run(|_| {
            while let Some(step) = self.next() {
                match step {
                    Step::Tell(change) => self.all().iter().for_each(|observer| observer.on_change(change)),
                    Step::Then(then) => then(),
                }
            }
        });
    }

    fn put(&self, step: Step) {
        self.queue.lock().push_back(step);
    }

    fn next(&self) -> Option<Step> {
        self.queue.lock().pop_front()
    }

    fn all(&self) -> Vec<Arc<dyn Observer>> {
        self.observers.lock().iter().filter_map(Weak::upgrade).collect()
    }
}

impl Connection {
    /// Has a part of the library hear of the connection's changes for as long as it lives. Of a connection
    /// that is closed already it hears nothing.
    pub(in crate::client) fn observe(&self, observer: Weak<dyn Observer>) -> Result<()> {
        self.state.observers.add(observer)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread;

    use super::*;

    /// Passes on what it hears, and waits at a disconnect for `go`.
    struct Recorder {
        tell: Mutex<Sender<Change>>,
        go: Mutex<Option<Receiver<()>>>,
    }

    impl Observer for Recorder {
        fn on_change(&self, change: Change) {
            self.tell.lock().send(change).unwrap();
            let go = self.go.lock().take();
            if let Some(go) = go {
                let _ = go.recv();
            }
        }
    }

    fn recorder(observers: &Observers, go: Option<Receiver<()>>) -> (Arc<Recorder>, Receiver<Change>) {
        let (tell, told) = channel();
        let recorder = Arc::new(Recorder { tell: Mutex::new(tell), go: Mutex::new(go) });
        observers.add(Arc::downgrade(&recorder) as Weak<dyn Observer>).unwrap();
        (recorder, told)
    }

    #[test]
    fn changes_are_told_to_all_in_their_order_and_then_comes_what_follows() {
        let observers = Observers::default();
        let (_one, told) = recorder(&observers, None);
        let (_two, told_too) = recorder(&observers, None);
        let (tell, followed) = channel();
        observers.note(Change::Disconnected);
        observers.note(Change::Closed);
        assert!(told.try_recv().is_err(), "whoever puts it there holds locks");
        observers.follow(move || tell.send(told.try_iter().collect::<Vec<_>>()).unwrap());
        assert_eq!(followed.recv().unwrap(), [Change::Disconnected, Change::Closed]);
        assert_eq!(told_too.try_iter().count(), 2);
    }

    #[test]
    fn nobody_waits_for_who_is_telling_and_nothing_overtakes_it() {
        let observers = Observers::default();
        let (go, wait) = channel();
        let (_recorder, told) = recorder(&observers, Some(wait));
        let (tell, followed) = channel();
        thread::scope(|scope| {
            observers.note(Change::Disconnected);
            let slow = scope.spawn(|| observers.tell());
            assert_eq!(told.recv().unwrap(), Change::Disconnected);
            observers.note(Change::Closed);
            observers.follow(move || tell.send(thread::current().id()).unwrap());
            assert!(told.try_recv().is_err() && followed.try_recv().is_err());
            let teller = slow.thread().id();
            drop(go);
            assert_eq!((told.recv().unwrap(), followed.recv().unwrap()), (Change::Closed, teller));
        });
    }

    #[test]
    fn what_follows_may_bring_about_the_next_change() {
        let observers = Arc::new(Observers::default());
        let (_recorder, told) = recorder(&observers, None);
        let inner = Arc::clone(&observers);
        observers.note(Change::Disconnected);
        observers.follow(move || {
            inner.note(Change::Closed);
            inner.tell(); // further out somebody is at it
        });
        assert_eq!(told.try_iter().collect::<Vec<_>>(), [Change::Disconnected, Change::Closed]);
    }

    #[test]
    fn who_is_gone_is_forgotten() {
        let observers = Observers::default();
        let (gone, told) = recorder(&observers, None);
        drop(gone);
        observers.note(Change::Closed);
        observers.tell();
        assert!(told.recv().is_err());
        let (_here, _) = recorder(&observers, None);
        assert_eq!(observers.observers.lock().len(), 1);
    }
}
