//! One thread that runs jobs in the order they were posted. The library's event callbacks run on one of
//! these.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::error::Result;
use crate::io::threads::Threads;
use crate::sync::channel::{self, Receiver, Sender};

pub type Job = Box<dyn FnOnce() + Send>;

pub struct Executor {
    /// `None` is the last that the thread takes.
    jobs: Sender<Option<Job>>,
}

/// What its thread works with, and another one when a handler has ended that. It goes with the last of them,
/// and with it what was posted too late.
struct Runner {
    threads: Arc<Threads>,
    name: String,
    posted: Receiver<Option<Job>>,
}

impl Executor {
    pub fn start(threads: &Arc<Threads>, name: &str) -> Result<Arc<Executor>> {
        let (jobs, posted) = channel::unbounded();
        let runner = Arc::new(Runner { threads: Arc::clone(threads), name: name.to_owned(), posted });
        threads.spawn(name, move || runner.run())?;
        Ok(Arc::new(Executor { jobs }))
    }

    /// Queues a job; it is dropped instead once the executor is closed.
    pub fn post(&self, job: Job) {
        let _ = self.jobs.send(Some(job));
    }

    /// Takes no more jobs; the thread ends after those already queued.
    pub fn close(&self) {
        let _ = self.jobs.send(None);
    }
}

impl Runner {
    fn run(self: Arc<Self>) {
        while let Some(Some(job)) = self.posted.receive() {
            let _ = catch_unwind(AssertUnwindSafe(job));
            let next = Arc::clone(&self);
            if self.threads.pass_on_if_ending(&self.name, move || next.run()) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::io::clock::Deadline;

    #[test]
    fn jobs_run_in_order_on_one_thread_whatever_becomes_of_one() {
        let threads = Threads::new(None);
        let executor = Executor::start(&threads, "test").unwrap();
        let (tell, told) = channel();
        for n in 0..100 {
            let tell = tell.clone();
            executor.post(Box::new(move || {
                tell.send((n, std::thread::current().id())).unwrap();
                if n % 3 == 0 {
                    std::panic::resume_unwind(Box::new(()));
                }
            }));
        }
        executor.close();
        drop(tell);
        let ran: Vec<_> = told.iter().collect();
        assert!(ran.iter().map(|(n, _)| *n).eq(0..100));
        assert!(ran.iter().all(|(_, thread)| *thread == ran[0].1));
        assert!(threads.wait_for_all(Deadline::in_ms(10_000)));
    }

    #[test]
    fn what_is_posted_after_the_close_is_dropped_whether_the_thread_has_ended_or_not() {
        let threads = Threads::new(None);
        let executor = Executor::start(&threads, "test").unwrap();
        let (tell, told) = channel();
        let job = |n: u32| {
            let tell = tell.clone();
            Box::new(move || tell.send(n).unwrap())
        };
        let (go, wait) = channel::<()>();
        executor.post(Box::new(move || wait.recv().unwrap()));
        executor.post(job(1));
        executor.close();
        executor.post(job(2));
        executor.close();
        go.send(()).unwrap();
        assert!(threads.wait_for_all(Deadline::in_ms(10_000)));
        executor.post(job(3));
        drop(tell);
        assert!(told.iter().eq([1]), "dropped jobs hold nothing");
    }

    #[test]
    fn jobs_may_post_and_close() {
        let threads = Threads::new(None);
        let executor = Executor::start(&threads, "test").unwrap();
        let (tell, told) = channel();
        let this = Arc::clone(&executor);
        executor.post(Box::new(move || {
            let (closes, tell) = (Arc::clone(&this), tell.clone());
            this.post(Box::new(move || {
                closes.close();
                tell.send(()).unwrap();
            }));
        }));
        assert!(told.iter().eq([()]));
        assert!(threads.wait_for_all(Deadline::in_ms(10_000)));
    }
}
