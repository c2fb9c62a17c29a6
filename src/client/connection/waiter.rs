//! One thread waits, another completes: a request's reply, a flush's PONG.

use crate::sync::{Condvar, Mutex};

use crate::error::{Error, Result, Status};
use crate::io::clock::{Deadline, wait_until};

pub(super) struct Waiter<T> {
    result: Mutex<Option<Result<T>>>,
    done: Condvar,
}

impl<T> Default for Waiter<T> {
    fn default() -> Self {
        Waiter { result: Mutex::new(None), done: Condvar::new() }
    }
}

impl<T> Waiter<T> {
    /// Gives the result; the first one counts.
    pub(super) fn complete(&self, result: Result<T>) {
        let mut slot = self.result.lock();
        if slot.is_none() {
            *slot = Some(result);
            drop(slot);
            self.done.notify_all();
        }
    }

    /// Whether there is a result that nobody has taken.
    pub(super) fn is_done(&self) -> bool {
        self.result.lock().is_some()
    }

    /// Waits for the result. At the deadline: `NATS_TIMEOUT`.
    pub(super) fn wait(&self, deadline: Deadline) -> Result<T> {
        let mut slot = self.result.lock();
        wait_until(&self.done, &mut slot, deadline, Option::take)
            .unwrap_or_else(|| Err(Error::from(Status::Timeout)))
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn the_first_result_counts_and_is_taken_once() {
        let waiter = Waiter::default();
        assert!(!waiter.is_done());
        waiter.complete(Ok(1));
        waiter.complete(Ok(2));
        assert!(waiter.is_done());
        assert_eq!(waiter.wait(Deadline::NEVER).unwrap(), 1);
        assert!(!waiter.is_done());
    }

    #[test]
    fn a_wait_ends_with_the_result_of_another_thread_or_at_its_deadline() {
        let waiter = Waiter::default();
        thread::scope(|scope| {
            scope.spawn(|| waiter.complete(Err::<(), _>(Status::ConnectionClosed.into())));
            assert_eq!(waiter.wait(Deadline::NEVER).unwrap_err().status(), Status::ConnectionClosed);
        });
        assert_eq!(waiter.wait(Deadline::in_ms(1)).unwrap_err().status(), Status::Timeout);
    }
}
