//! The library's threads: each runs the program's thread-started handler first, and all can be waited for.

use std::cell::Cell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle, ThreadId};

use crate::sync::{Condvar, Mutex};

use crate::error::{Result, Status, fail};
use crate::io::clock::{Deadline, wait_until};
use crate::io::fork::Process;

/// Runs first on every thread of the library.
pub type StartedHandler = Arc<dyn Fn() + Send + Sync>;

thread_local! {
    static OURS: Cell<Option<Process>> = const { Cell::new(None) };
}

/// Whether the calling thread is one of the library's. That it was one when it forked does not count.
pub fn is_library_thread() -> bool {
    OURS.try_with(Cell::get).ok().flatten() == Some(Process::current())
}

/// Processors that this process may use.
pub fn processors() -> usize {
    static PROCESSORS: AtomicUsize = AtomicUsize::new(0);
    let known = PROCESSORS.load(Ordering::Relaxed);
    if known > 0 {
        return known;
    }
    // Two threads that find out at once find the same, and a child waits for neither.
    let found = thread::available_parallelism().map_or(1, usize::from);
    PROCESSORS.store(found, Ordering::Relaxed);
    found
}

/// The system's number of the calling thread.
pub fn current_id() -> i32 {
    // SAFETY: always succeeds, no arguments.
    unsafe { libc::gettid() }
}

/// Whether a thread of this process sleeps or waits, rather than runs or waits for a processor. What cannot be told
/// counts as blocked.
pub fn is_blocked(id: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/self/task/{id}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().and_then(|rest| rest.trim_start().chars().next());
    state != Some('R')
}

/// All threads of one opening of the library.
pub struct Threads {
    started: Option<StartedHandler>,
    state: Mutex<State>,
    finished: Condvar,
}

#[derive(Default)]
struct State {
    running: usize,
    handles: HashMap<ThreadId, JoinHandle<()>>,
}

impl Threads {
    pub fn new(started: Option<StartedHandler>) -> Arc<Threads> {
        Arc::new(Threads { started, state: Mutex::default(), finished: Condvar::new() })
    }

    /// Starts a thread.
    pub fn spawn(self: &Arc<Self>, name: &str, body: impl FnOnce() + Send + 'static) -> Result<()> {
        self.reap();
        let threads = Arc::clone(self);
        let mut state = self.state.lock();
        match thread::Builder::new().name(name.to_owned()).spawn(move || threads.run(body)) {
            Ok(handle) => {
                state.running += 1;
                state.handles.insert(handle.thread().id(), handle);
                Ok(())
            }
            Err(e) => fail(Status::SysError, format!("cannot start a thread: {e}")),
        }
    }

    /// Waits until every thread has ended, the calling one excepted, and joins them all. False at the deadline.
    pub fn wait_for_all(&self, deadline: Deadline) -> bool {
        let me = thread::current().id();
        let mut state = self.state.lock();
        let own = usize::from(state.handles.contains_key(&me));
        let done =
            wait_until(&self.finished, &mut state, deadline, |s| (s.running <= own).then_some(())).is_some();
        drop(state);
        if done {
            self.join(|_| true); // they are at their last instructions
        }
        done
    }

    fn run(&self, body: impl FnOnce()) {
        let _ = OURS.try_with(|ours| ours.set(Some(Process::current())));
        if let Some(started) = &self.started {
            started();
        }
        let _ = catch_unwind(AssertUnwindSafe(body));
        self.state.lock().running -= 1;
        self.finished.notify_all();
    }

    /// Joins the threads that have ended, without waiting for any.
    fn reap(&self) {
        self.join(JoinHandle::is_finished);
    }

    fn join(&self, which: impl Fn(&JoinHandle<()>) -> bool) {
        let me = thread::current().id();
        let chosen: Vec<_> =
            self.state.lock().handles.extract_if(|id, handle| *id != me && which(handle)).collect();
        for (_, handle) in chosen {
            let _ = handle.join();
        }
    }
}
