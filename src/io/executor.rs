//! One thread that runs jobs in the order they were posted. The library's event callbacks run on one of
//! these.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::error::Result;
use crate::io::threads::Threads;
use crate::sync::Queue;

pub(crate) type Job = Box<dyn FnOnce() + Send>;

pub struct Executor {
    threads: Arc<Threads>,
    name: String,
    jobs: Queue<Job>,
}

impl Executor {
    pub fn start(threads: &Arc<Threads>, name: &str) -> Result<Arc<Executor>> {
        let (threads, name) = (Arc::clone(threads), name.to_owned());
        let executor = Arc::new(Executor { threads, name, jobs: Queue::default() });
        let worker = Arc::clone(&executor);
        executor.threads.spawn(&executor.name, move || worker.run())?;
        Ok(executor)
    }

    /// Queues a job; it is dropped instead once the executor is closed.
    pub fn post(&self, job: Job) {
        self.jobs.put(job);
    }

    /// Takes no more jobs; the thread ends after those already queued.
    pub fn close(&self) {
        self.jobs.close();
    }

    fn run(self: &Arc<Self>) {
        while let Some(job) = self.jobs.take() {
            let _ = catch_unwind(AssertUnwindSafe(job));
            let next = Arc::clone(self);
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
    fn what_is_posted_after_the_close_is_dropped() {
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
