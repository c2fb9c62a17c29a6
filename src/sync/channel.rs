//! Channels: what one thread hands to another and does not look at any more.
//!
//! They are crossbeam's, and race detectors are told of what goes through. What they do not do decides where
//! they fit:
//!
//! - Sending and receiving wait, by turning in a loop, for a thread that is just putting something into the
//!   channel. So no thread that serves all connections receives from one.
//! - They ask for memory in a way that cannot fail, some hundred bytes at a time. So what a server or the
//!   program decides the number of is bounded elsewhere.
//! - A child of `fork()` may find one half changed. So a channel belongs to what a child leaves alone.

use std::sync::Arc;

use crate::detector;

/// Where things are put in. Once all senders are gone, receivers find the end behind what is left.
pub struct Sender<T> {
    into: crossbeam_channel::Sender<T>,
    /// Its address is the channel's name for race detectors.
    name: Arc<u8>,
}

/// Where things are taken out. With the last one goes what is left.
pub struct Receiver<T> {
    from: crossbeam_channel::Receiver<T>,
    name: Arc<u8>,
}

/// A channel of any length.
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    let (into, from) = crossbeam_channel::unbounded();
    let name = Arc::default();
    (Sender { into, name: Arc::clone(&name) }, Receiver { from, name })
}

impl<T> Sender<T> {
    /// Puts something in. It comes back when nobody is going to take it out.
    pub fn send(&self, thing: T) -> Result<(), T> {
        detector::release(&*self.name);
        self.into.send(thing).map_err(|refused| refused.0)
    }
}

impl<T> Receiver<T> {
    /// Waits for something; `None` at the end.
    pub fn receive(&self) -> Option<T> {
        let thing = self.from.recv().ok();
        detector::acquire(&*self.name);
        thing
    }
}

impl<T> Drop for Receiver<T> {
    /// What is left is dropped by this thread.
    fn drop(&mut self) {
        detector::acquire(&*self.name);
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn things_come_out_in_order_and_then_the_end() {
        let (sender, receiver) = unbounded();
        let taken = thread::spawn(move || std::iter::from_fn(|| receiver.receive()).collect::<Vec<_>>());
        (0..1000).for_each(|n| assert_eq!(sender.send(n), Ok(())));
        drop(sender);
        assert!(taken.join().unwrap().into_iter().eq(0..1000));
    }

    #[test]
    fn without_a_receiver_things_come_back_and_what_was_left_is_dropped() {
        let (sender, receiver) = unbounded();
        let thing = Arc::new(());
        assert_eq!(sender.send(Arc::clone(&thing)), Ok(()));
        drop(receiver);
        assert_eq!(Arc::strong_count(&thing), 1);
        assert_eq!(sender.send(Arc::clone(&thing)), Err(Arc::clone(&thing)));
    }
}
