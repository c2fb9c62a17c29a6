//! Threads for what the timer and the pollers must not do themselves: work that may wait, and code of the
//! program.

use std::collections::LinkedList;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::sync::{Condvar, Mutex};

use crate::io::clock;
use crate::io::duty::may_wait;
use crate::io::threads::Threads;
use crate::io::timer::Timer;

/// A helper without work ends after this.
const IDLE: Duration = Duration::from_secs(2);
/// When no thread can be made, it is tried again after this.
const TRY_AGAIN: Duration = Duration::from_millis(100);

type Job = Box<dyn FnOnce() + Send>;

/// As many threads as there are jobs at the same time: one that waits delays no other.
pub struct Helpers {
    threads: Arc<Threads>,
    timer: Arc<Timer>,
    state: Mutex<State>,
    posted: Condvar,
}

#[derive(Default)]
struct State {
    /// A list, which takes memory for one at a time.
    jobs: LinkedList<Job>,
    /// Threads that wait for a job, those included that were woken and have not taken theirs yet.
    idle: usize,
    closed: bool,
}

impl Helpers {
    pub fn new(threads: &Arc<Threads>, timer: &Arc<Timer>) -> Arc<Helpers> {
        let (threads, timer) = (Arc::clone(threads), Arc::clone(timer));
        Arc::new(Helpers { threads, timer, state: Mutex::default(), posted: Condvar::new() })
    }

    /// Does `job` now, or on a helper's thread where the calling one must not wait.
    pub fn run(self: &Arc<Self>, job: impl FnOnce() + Send + 'static) {
        if may_wait() {
            return job();
        }
        self.state.lock().jobs.push_back(Box::new(job));
        self.provide();
    }

    /// The threads end when they have no work left.
    pub fn close(&self) {
        self.state.lock().closed = true;
        self.posted.notify_all();
    }

    /// Sees to it that somebody takes the last job.
    fn provide(self: &Arc<Self>) {
        let state = self.state.lock();
        if state.idle >= state.jobs.len() {
            drop(state);
            self.posted.notify_one();
            return;
        }
        drop(state);
        let helper = Arc::clone(self);
        if self.threads.spawn("nats-helper", move || helper.work()).is_err() {
            let helpers = Arc::clone(self);
            self.timer.schedule(clock::now() + TRY_AGAIN, move || helpers.provide());
        }
    }

    fn work(self: &Arc<Self>) {
        while let Some(job) = self.next() {
            let _ = catch_unwind(AssertUnwindSafe(job));
            let next = Arc::clone(self);
            if self.threads.pass_on_if_ending("nats-helper", move || next.work()) {
                return;
            }
        }
    }

    fn next(&self) -> Option<Job> {
        let mut state = self.state.lock();
        state.idle += 1;
        while state.jobs.is_empty() && !state.closed {
            if self.posted.wait_for(&mut state, IDLE).timed_out() {
                break;
            }
        }
        state.idle -= 1;
        state.jobs.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;
    use crate::io::clock::Deadline;
    use crate::io::duty::this_thread_serves_all;

    #[test]
    fn a_thread_that_may_wait_does_it_itself_and_others_have_it_done() {
        let threads = Threads::new(None);
        let timer = Timer::start(&threads).unwrap();
        let helpers = Helpers::new(&threads, &timer);
        let (tx, rx) = mpsc::channel();
        let tell = |tx: &mpsc::Sender<_>| {
            let tx = tx.clone();
            move || tx.send(thread::current().id()).unwrap()
        };
        helpers.run(tell(&tx));
        assert_eq!(rx.try_recv(), Ok(thread::current().id()));

        let (release, held) = mpsc::channel::<()>();
        let (this, first, second) = (Arc::clone(&helpers), tell(&tx), tell(&tx));
        let driver = thread::spawn(move || {
            this_thread_serves_all();
            this.run(move || {
                first();
                let _ = held.recv();
            });
            this.run(second);
            thread::current().id()
        });
        // Both run although the first one does not end.
        let ran = [rx.recv().unwrap(), rx.recv().unwrap()];
        assert_ne!(ran[0], ran[1]);
        assert!(!ran.contains(&driver.join().unwrap()));
        drop(release);
        helpers.close();
        timer.close();
        assert!(threads.wait_for_all(Deadline::in_ms(10_000)));
    }
}
