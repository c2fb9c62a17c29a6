//! The callers that wait for replies.

use std::sync::Arc;

use crate::sync::Mutex;

use crate::client::connection::requests::mux::Replies;
use crate::client::connection::routes::ByNumber;
use crate::client::connection::waiter::Waiter;
use crate::client::message::Msg;
use crate::error::{Error, Result, Status};

/// Who waits for the reply to which request. Whoever gives up waiting says so, so there are never more than
/// callers.
#[derive(Default)]
pub(super) struct Callers {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next_id: u64,
    waiting: ByNumber<Arc<Waiter<Msg>>>,
}

/// A request that counts on a reply.
pub(super) struct Expected {
    pub id: u64,
    /// No other request does.
    pub alone: bool,
}

impl Callers {
    /// Gives a request its number.
    pub(super) fn expect(&self, waiter: &Arc<Waiter<Msg>>) -> Result<Expected> {
        let mut state = self.state.lock();
        state.waiting.try_reserve(1)?;
        let id = state.next_id;
        state.next_id += 1;
        state.waiting.insert(id, Arc::clone(waiter));
        Ok(Expected { id, alone: state.waiting.len() == 1 })
    }

    /// Nobody waits for this reply any more.
    pub(super) fn forget(&self, id: u64) {
        self.state.lock().waiting.remove(&id);
    }

    /// Ends all waits with this status.
    pub(super) fn fail_all(&self, status: Status) {
        let waiting = std::mem::take(&mut self.state.lock().waiting);
        waiting.values().for_each(|waiter| waiter.complete(Err(Error::from(status))));
    }
}

impl Replies for Callers {
    /// A mapped subject names no request; it is clear which one it answers if there is one only.
    fn replied(&self, id: Option<u64>, msg: Msg) {
        let mut state = self.state.lock(); // who forgets a request looks at the waiter afterwards
        let waiter = match id {
            Some(id) => state.waiting.remove(&id),
            None if state.waiting.len() == 1 => state.waiting.drain().next().map(|(_, waiter)| waiter),
            None => None,
        };
        if let Some(waiter) = waiter {
            waiter.complete(Ok(msg));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::clock::Deadline;

    fn reply() -> Msg {
        Msg::new(b"r", None, b"x").unwrap()
    }

    fn expect(callers: &Callers) -> (Arc<Waiter<Msg>>, Expected) {
        let waiter = Arc::new(Waiter::default());
        let expected = callers.expect(&waiter).unwrap();
        (waiter, expected)
    }

    #[test]
    fn each_gets_its_own_reply_and_only_one() {
        let callers = Callers::default();
        let (first, one) = expect(&callers);
        let (second, two) = expect(&callers);
        assert!(one.alone && !two.alone && one.id != two.id);
        callers.replied(Some(two.id), reply());
        callers.replied(Some(two.id), reply());
        callers.replied(Some(99), reply());
        assert!(second.is_done() && !first.is_done());
        callers.replied(Some(one.id), reply());
        assert!(first.is_done() && callers.state.lock().waiting.is_empty());
    }

    #[test]
    fn a_mapped_reply_goes_to_the_only_one_there_is() {
        let callers = Callers::default();
        callers.replied(None, reply());
        let (first, _) = expect(&callers);
        let (second, two) = expect(&callers);
        callers.replied(None, reply());
        assert!(!first.is_done() && !second.is_done(), "nobody knows whose it is");
        callers.forget(two.id);
        callers.replied(None, reply());
        assert!(first.is_done() && !second.is_done());
    }

    #[test]
    fn who_has_given_up_or_failed_is_not_kept() {
        let callers = Callers::default();
        let (gone, request) = expect(&callers);
        callers.forget(request.id);
        callers.replied(Some(request.id), reply());
        assert!(!gone.is_done());
        let (failed, _) = expect(&callers);
        callers.fail_all(Status::ConnectionDisconnected);
        let failure = failed.wait(Deadline::in_ms(0)).err().unwrap();
        assert_eq!(failure.status(), Status::ConnectionDisconnected);
        assert!(callers.state.lock().waiting.is_empty());
        assert!(expect(&callers).1.id > request.id, "numbers are used once");
    }
}
