//! One thread that runs jobs in the order they were posted. The library's event callbacks run on one of these.

use std::collections::LinkedList;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::sync::{Condvar, Mutex};

use crate::error::Result;
use crate::io::threads::Threads;

pub type Job = Box<dyn FnOnce() + Send>;

pub struct Executor {
    threads: Arc<Threads>,
    name: String,
    queue: Mutex<Queue>,
    posted: Condvar,
}

#[derive(Default)]
struct Queue {
    /// A list, which takes memory for one at a time.
    jobs: LinkedList<Job>,
    closed: bool,
}

impl Executor {
    pub fn start(threads: &Arc<Threads>, name: &str) -> Result<Arc<Executor>> {
        let (threads, name) = (Arc::clone(threads), name.to_owned());
        let executor = Arc::new(Executor { threads, name, queue: Mutex::default(), posted: Condvar::new() });
        let worker = Arc::clone(&executor);
        executor.threads.spawn(&executor.name, move || worker.run())?;
        Ok(executor)
    }

    /// Queues a job; dropped once the executor is closed.
    pub fn post(&self, job: Job) {
        let mut queue = self.queue.lock();
        if queue.closed {
            drop(queue);
            return;
        }
        queue.jobs.push_back(job);
        drop(queue);
        self.posted.notify_one();
    }

    /// Takes no more jobs; the thread ends after those already queued.
    pub fn close(&self) {
        self.queue.lock().closed = true;
        self.posted.notify_one();
    }

    fn run(self: &Arc<Self>) {
        while let Some(job) = self.next() {
            let _ = catch_unwind(AssertUnwindSafe(job));
            let next = Arc::clone(self);
            if self.threads.pass_on_if_ending(&self.name, move || next.run()) {
                return;
            }
        }
    }

    fn next(&self) -> Option<Job> {
        let mut queue = self.queue.lock();
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                return Some(job);
            }
            if queue.closed {
                return None;
            }
            self.posted.wait(&mut queue);
        }
    }
}
