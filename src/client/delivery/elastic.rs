//! The workers of the elastic pool: about one for each processor, and more while callbacks hold some of them
//! up.

use std::sync::Arc;

use crate::client::delivery::{Home, Worker};
use crate::error::Result;
use crate::sync::Mutex;

pub(super) struct Elastic {
    /// Workers that run at the same time without being asked to by held-up tasks.
    base: usize,
    /// Not held while a thread is started. Before a worker's queue.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Those that have not ended.
    workers: Vec<Arc<Worker>>,
    next_home: usize,
    closed: bool,
}

impl Elastic {
    pub(super) fn new(base: usize) -> Elastic {
        Elastic { base, state: Mutex::default() }
    }

    /// A home for a new task. `start` makes a worker with its thread; no lock is held meanwhile.
    pub(super) fn home(&self, start: impl FnOnce() -> Result<Home>) -> Result<Home> {
        let mut state = self.state.lock();
        if state.workers.len() < self.base {
            drop(state);
            let started = start();
            state = self.state.lock();
            match started {
                Ok(worker) if state.workers.len() < self.base => {
                    state.add(&worker);
                    return Ok(worker);
                }
                Ok(surplus) => surplus.worker().do_not_linger(), // others were quicker
                Err(e) if state.workers.is_empty() => return Err(e),
                Err(_) => {} // those there are must do
            }
        }
        state.next_home += 1;
        let index = state.next_home % state.workers.len().min(self.base);
        Ok(state.workers[index].enter())
    }

    /// Takes in a worker that is wanted beyond the base.
    pub(super) fn add(&self, home: &Home) {
        self.state.lock().add(home);
    }

    pub(super) fn all(&self) -> Vec<Arc<Worker>> {
        self.state.lock().workers.clone()
    }

    /// Whether so many workers are no more than run without being asked to.
    pub(super) fn is_base(&self, count: usize) -> bool {
        count <= self.base
    }

    /// Up to `wanted` workers with nothing to do.
    pub(super) fn idle(&self, wanted: usize) -> Vec<Home> {
        let state = self.state.lock();
        let idle = state.workers.iter().filter(|worker| worker.is_idle());
        idle.take(wanted).map(Worker::enter).collect()
    }

    /// Lets go of a worker that wants to end. False when it is needed after all.
    pub(super) fn retire(&self, worker: &Arc<Worker>) -> bool {
        let mut state = self.state.lock(); // nobody makes it a home meanwhile
        if !worker.end() {
            return false;
        }
        state.workers.retain(|other| !Arc::ptr_eq(other, worker));
        true
    }

    /// Lets all workers end once they have nothing to do.
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        let workers = std::mem::take(&mut state.workers);
        drop(state);
        workers.iter().for_each(|worker| worker.do_not_linger());
    }
}

impl State {
    fn add(&mut self, home: &Home) {
        if self.closed {
            home.worker().do_not_linger();
        } else {
            self.workers.push(Arc::clone(home.worker()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Status, fail};

    /// A worker whose thread never begins.
    fn start() -> Result<Home> {
        Ok(Worker::new(true).enter())
    }

    fn fails() -> Result<Home> {
        fail(Status::SysError, "no thread")
    }

    #[test]
    fn homes_are_made_up_to_the_base_and_then_shared() {
        let elastic = Elastic::new(2);
        let homes: Vec<_> = (0..4).map(|_| elastic.home(start).unwrap()).collect();
        assert_eq!(elastic.all().len(), 2);
        assert!(!homes[0].is_same(&homes[1]));
        assert!(!homes[2].is_same(&homes[3]), "each in turn");
        assert!(elastic.is_base(2) && !elastic.is_base(3));
    }

    #[test]
    fn without_a_thread_those_there_are_must_do() {
        let elastic = Elastic::new(2);
        assert_eq!(elastic.home(fails).err().map(|e| e.status()), Some(Status::SysError));
        let first = elastic.home(start).unwrap();
        assert!(elastic.home(fails).unwrap().is_same(&first));
    }

    #[test]
    fn who_starts_a_worker_too_late_takes_one_of_the_others() {
        let elastic = Elastic::new(1);
        let mut quicker = None;
        let home = elastic.home(|| {
            quicker = Some(elastic.home(start)?); // no lock is held
            start()
        });
        assert!(home.unwrap().is_same(&quicker.unwrap()));
        assert_eq!(elastic.all().len(), 1);
    }

    #[test]
    fn a_worker_retires_once_nobody_has_it() {
        let elastic = Elastic::new(1);
        let home = elastic.home(start).unwrap();
        let worker = Arc::clone(home.worker());
        assert!(!elastic.retire(&worker));
        drop(home);
        assert!(elastic.retire(&worker));
        assert!(elastic.all().is_empty() && worker.try_enter().is_none());
        assert!(!elastic.home(start).unwrap().is_same(&worker.enter()));
    }

    #[test]
    fn only_those_who_wait_for_work_are_idle() {
        let elastic = Elastic::new(2);
        let homes: Vec<_> = (0..2).map(|_| elastic.home(start).unwrap()).collect();
        assert!(elastic.idle(2).is_empty(), "their threads have not begun");
        homes.iter().for_each(|home| home.worker().park());
        assert_eq!(elastic.idle(5).len(), 2);
        assert_eq!(elastic.idle(1).len(), 1);
    }

    #[test]
    fn a_closed_pool_takes_nobody_in() {
        let elastic = Elastic::new(1);
        elastic.home(start).unwrap();
        elastic.close();
        let late = start().unwrap();
        elastic.add(&late);
        assert!(elastic.all().is_empty() && elastic.home(start).is_ok());
    }
}
