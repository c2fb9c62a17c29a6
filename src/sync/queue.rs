//! A queue of things that one thread hands to another.

use std::collections::LinkedList;

use super::{Condvar, Mutex};

/// Of any length. A lock with a list rather than the channel of a crate: race detectors see what goes
/// through, and nothing is left on the threads that put something in (ARCHITECTURE.md, Locks).
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    /// A list, which takes memory for one at a time.
    things: LinkedList<T>,
    closed: bool,
}

impl<T> Default for Queue<T> {
    fn default() -> Queue<T> {
        let state = State { things: LinkedList::new(), closed: false };
        Queue { state: Mutex::new(state), changed: Condvar::new() }
    }
}

impl<T> Queue<T> {
    /// Appends something; it is dropped instead once the queue is closed.
    pub(crate) fn put(&self, thing: T) {
        let mut state = self.state.lock();
        if state.closed {
            drop(state);
            return;
        }
        state.things.push_back(thing);
        drop(state);
        self.changed.notify_one();
    }

    /// Takes nothing in any more.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.changed.notify_all();
    }

    /// Waits for the first thing; `None` once the queue is closed and nothing is left in it.
    pub(crate) fn take(&self) -> Option<T> {
        let mut state = self.state.lock();
        loop {
            if let Some(thing) = state.things.pop_front() {
                return Some(thing);
            }
            if state.closed {
                return None;
            }
            self.changed.wait(&mut state);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    #[test]
    fn things_come_out_in_order_and_then_the_end() {
        let queue = Arc::new(Queue::default());
        let from = Arc::clone(&queue);
        let taken = thread::spawn(move || std::iter::from_fn(|| from.take()).collect::<Vec<_>>());
        (0..1000).for_each(|n| queue.put(n));
        queue.close();
        assert!(taken.join().unwrap().into_iter().eq(0..1000));
        assert_eq!(queue.take(), None);
    }

    #[test]
    fn a_closed_queue_takes_nothing_in_but_keeps_what_it_has() {
        let queue = Queue::default();
        let thing = Arc::new(());
        queue.put(Arc::clone(&thing));
        queue.close();
        queue.put(Arc::clone(&thing));
        assert_eq!(Arc::strong_count(&thing), 2);
        assert!(queue.take().is_some() && queue.take().is_none());
        assert_eq!(Arc::strong_count(&thing), 1);
    }

    #[test]
    fn the_close_wakes_all_who_wait() {
        let queue = Arc::new(Queue::<()>::default());
        let waiting = [(); 3].map(|()| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.take())
        });
        queue.close();
        waiting.into_iter().for_each(|thread| assert_eq!(thread.join().unwrap(), None));
    }
}
