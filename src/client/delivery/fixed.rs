//! The workers of the fixed pool (the global-delivery option), which live as long as it does.

use crate::client::delivery::Home;
use crate::error::{Result, Status, fail};
use crate::sync::Mutex;

pub(super) struct Fixed {
    /// Not held while a thread is started. Before a worker's queue.
    state: Mutex<State>,
}

struct State {
    /// The pool calls them home itself: so none of them ends.
    workers: Vec<Home>,
    max: usize,
    next: usize,
}

impl Fixed {
    pub(super) fn new(max: i32) -> Fixed {
        Fixed { state: Mutex::new(State { workers: Vec::new(), max: max.max(0) as usize, next: 0 }) }
    }

    /// Lets the pool have up to `max` workers.
    pub(super) fn grow(&self, max: i32) {
        let mut state = self.state.lock();
        state.max = state.max.max(max.max(0) as usize);
    }

    /// A home for a new task: each worker in turn, once there are as many as may be. `start` makes a worker
    /// with its thread; no lock is held meanwhile.
    pub(super) fn home(&self, start: impl FnOnce() -> Result<Home>) -> Result<Home> {
        let mut state = self.state.lock();
        if state.max == 0 {
            return fail(Status::FailedToInitialize, "No message dispatchers available, the pool size is 0");
        }
        if state.workers.len() < state.max {
            drop(state);
            let worker = start()?;
            state = self.state.lock();
            if state.workers.len() < state.max {
                state.workers.push(worker.clone());
                return Ok(worker);
            }
            // Others were quicker. This one ends, for nobody calls it home.
        }
        state.next += 1;
        let index = (state.next - 1) % state.workers.len();
        Ok(state.workers[index].clone())
    }

    /// Lets all workers end that are no task's home.
    pub(super) fn close(&self) {
        let workers = std::mem::take(&mut self.state.lock().workers);
        drop(workers); // without the lock
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::delivery::Worker;

    /// A worker whose thread never begins.
    fn start() -> Result<Home> {
        Ok(Worker::new(false).enter())
    }

    #[test]
    fn the_pool_is_filled_and_then_goes_round() {
        let fixed = Fixed::new(2);
        let homes: Vec<_> = (0..5).map(|_| fixed.home(start).unwrap()).collect();
        let same = |a: usize, b: usize| homes[a].is_same(&homes[b]);
        assert!(!same(0, 1) && same(0, 2) && same(1, 3) && same(0, 4));
        fixed.grow(4);
        fixed.grow(-1); // never shrinks
        let more: Vec<_> = (0..3).map(|_| fixed.home(start).unwrap()).collect();
        assert_eq!(fixed.state.lock().workers.len(), 4);
        assert!(!more[0].is_same(&more[1]));
        assert!(homes.iter().chain(&more[..2]).any(|home| home.is_same(&more[2])));
    }

    #[test]
    fn who_starts_a_worker_too_late_takes_one_of_the_others() {
        let fixed = Fixed::new(1);
        let mut quicker = None;
        let home = fixed.home(|| {
            quicker = Some(fixed.home(start)?); // no lock is held
            start()
        });
        assert!(home.unwrap().is_same(&quicker.unwrap()));
    }

    #[test]
    fn a_pool_of_none_has_no_homes() {
        let fixed = Fixed::new(0);
        assert_eq!(fixed.home(start).err().map(|e| e.status()), Some(Status::FailedToInitialize));
        let failed = Fixed::new(1).home(|| fail(Status::SysError, "no thread"));
        assert_eq!(failed.err().map(|e| e.status()), Some(Status::SysError));
    }

    #[test]
    fn workers_end_after_the_pool_once_nobody_has_them() {
        let fixed = Fixed::new(1);
        let home = fixed.home(start).unwrap();
        let worker = std::sync::Arc::clone(home.worker());
        drop(home);
        assert!(!worker.end());
        fixed.close();
        assert!(worker.end());
    }
}
