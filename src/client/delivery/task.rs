//! What delivery threads work on: tasks, queued on a worker as jobs.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::client::delivery::{Home, Worker};
use crate::client::message::Msg;

/// Something that calls functions of the program on a delivery thread, such as a subscription. It keeps its
/// [`Place`] and is given to the worker there when it has something to do: as [`Job::Run`], and not again
/// until that has run, or as one [`Job::One`] for each message where messages are to run in the order in
/// which they were given, whichever tasks they are for.
///
/// Whatever calls the program does so in a [`Worker::turn`] and holds no lock.
///
/// [`Place`]: crate::client::delivery::Place
pub trait Task: Send + Sync {
    /// Does what there is to do. `batch` is the worker's: empty before and after, it keeps its room from task
    /// to task. `Some` of itself when there is more and others wait for the worker, or its thread is ending:
    /// then it is queued again.
    fn run(self: Arc<Self>, worker: &Worker, batch: &mut VecDeque<Msg>) -> Option<Arc<dyn Task>>;

    /// Delivers one message.
    fn run_one(self: Arc<Self>, msg: Msg, worker: &Worker);

    /// Drops a message that found no room in the worker's queue. True when dropping begins, of which the
    /// program is to hear.
    fn refuse(&self, msg: Msg) -> bool;

    /// It is to be a guest of this worker, for as long as that one lives: its home is held up.
    fn visit(&self, host: &Home);
}

/// Something for a worker to do. Who gives it knows its kind of task, a worker does not.
pub enum Job<T: ?Sized = dyn Task> {
    /// Do what the task has to do.
    Run(Arc<T>),
    /// Deliver this message.
    One(Arc<T>, Msg),
}

impl<T: Task + 'static> From<Job<T>> for Job {
    fn from(job: Job<T>) -> Job {
        match job {
            Job::Run(task) => Job::Run(task),
            Job::One(task, msg) => Job::One(task, msg),
        }
    }
}
