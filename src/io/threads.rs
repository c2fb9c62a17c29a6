//! The library's threads. Each is made as a C program would make it, runs the program's thread-started
//! handler first, and is joined without a wait once it has ended.

use std::cell::Cell;
use std::ffi::{c_char, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::sync::{Condvar, Mutex, Queue};

use crate::error::{Result, Status, fail};
use crate::io::clock::{Deadline, wait_until};
use crate::io::fork::Process;
use crate::thread_end;

/// Longest name of a thread, with its NUL; the system's limit.
const NAME_SIZE: usize = 16;
/// The final wait looks this often for a thread that has only its last instructions left, then less and less
/// often.
const FIRST_LOOK: Duration = Duration::from_micros(20);
const LONGEST_LOOK: Duration = Duration::from_millis(5);

/// Runs first on every thread of the library.
pub(crate) type StartedHandler = Arc<dyn Fn() + Send + Sync>;

thread_local! {
    static OURS: Cell<Option<Process>> = const { Cell::new(None) };
}

/// Whether the calling thread is one of the library's. That it was one when it forked does not count.
pub(crate) fn is_library_thread() -> bool {
    OURS.try_with(Cell::get).ok().flatten() == Some(Process::current())
}

/// Processors that this process may use.
pub(crate) fn processors() -> usize {
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

/// Names a thread of this process as long as it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ThreadId(libc::pthread_t);

impl ThreadId {
    pub(crate) fn current() -> ThreadId {
        // SAFETY: always succeeds, no arguments.
        ThreadId(unsafe { libc::pthread_self() })
    }
}

/// The system's number of the calling thread.
pub(crate) fn system_id() -> i32 {
    // SAFETY: always succeeds, no arguments.
    unsafe { libc::gettid() }
}

/// Whether a thread of this process sleeps or waits, rather than runs or waits for a processor. What cannot
/// be told counts as blocked.
pub(crate) fn is_blocked(id: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/self/task/{id}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().and_then(|rest| rest.trim_start().chars().next());
    state != Some('R')
}

/// All threads of one opening of the library.
pub struct Threads {
    started: Option<StartedHandler>,
    process: Process,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Asked for, but they have not told their name yet.
    starting: usize,
    running: Vec<ThreadId>,
    /// Their work is done. Thread-local destructors of the program may still run on them, for as long as they
    /// like.
    ended: Vec<ThreadId>,
}

/// What a new thread is given.
struct Start {
    threads: Arc<Threads>,
    name: [u8; NAME_SIZE],
    /// Whether the program's handler is to run first.
    tells: bool,
    body: Work,
}

type Work = Box<dyn FnOnce() + Send>;

impl Threads {
    pub fn new(started: Option<StartedHandler>) -> Arc<Threads> {
        Arc::new(Threads {
            started,
            process: Process::current(),
            state: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    /// Starts a thread, with the attributes every thread of the process has by default but always joinable:
    /// callbacks of the program run on it and find the stack they are used to. Joins nothing that has not
    /// ended. Callers hold no lock.
    pub fn spawn(self: &Arc<Self>, name: &str, body: impl FnOnce() + Send + 'static) -> Result<()> {
        self.start(c_name(name), true, Box::new(body))
            .or_else(|(error, _)| fail(Status::SysError, format!("cannot start a thread: {error}")))
    }

    /// Gives the work back if there is no thread for it.
    fn start(
        self: &Arc<Self>,
        name: [u8; NAME_SIZE],
        tells: bool,
        body: Work,
    ) -> std::result::Result<(), (io::Error, Work)> {
        let start = Box::new(Start { threads: Arc::clone(self), name, tells, body });
        let mut state = self.state.lock();
        state.reap();
        state.starting += 1;
        drop(state);
        start.create().inspect_err(|_| {
            self.state.lock().starting -= 1;
            self.changed.notify_all();
        })
    }

    /// The work of a new thread. If the program's handler has ended that one, another one does it and does
    /// not ask the handler; if none can be had, the calling one stays.
    fn begin_work(self: &Arc<Self>, name: [u8; NAME_SIZE], tells: bool, body: Work) {
        if let Some(started) = self.started.as_ref().filter(|_| tells) {
            started();
        }
        if !thread_end::is_ending() {
            return body();
        }
        thread_end::stay();
        if let Err((_, body)) = self.start(name, false, body) {
            body();
        }
    }

    /// Starts a thread for work that must not begin unless there is a thread to finish it.
    pub fn prepare(self: &Arc<Self>, name: &str) -> Result<Prepared> {
        let order = Arc::new(Queue::<Work>::default());
        let awaited = Arc::clone(&order);
        self.spawn(name, move || {
            if let Some(work) = awaited.take() {
                work();
            }
        })?;
        Ok(Prepared(order))
    }

    /// When a handler of the program has ended the calling thread, a new one goes on with `body`: then true,
    /// and the caller returns. If none can be had, the calling one stays.
    pub fn pass_on_if_ending(self: &Arc<Self>, name: &str, body: impl FnOnce() + Send + 'static) -> bool {
        if !thread_end::is_ending() {
            return false;
        }
        thread_end::stay();
        self.spawn(name, body).is_ok()
    }

    /// Waits until every thread has ended, the calling one excepted: then none of them runs any code any
    /// more. False at the deadline. Callers hold no lock, unless the deadline has passed already.
    pub fn wait_for_all(&self, deadline: Deadline) -> bool {
        let mut state = self.state.lock();
        let mut look = FIRST_LOOK;
        loop {
            let idle = |s: &mut State| s.is_idle().then_some(());
            if wait_until(&self.changed, &mut state, deadline, idle).is_none() {
                return false;
            }
            state.reap();
            if state.is_joined() {
                return true;
            }
            if deadline.has_passed() {
                return false;
            }
            let left = deadline.remaining().unwrap_or(look);
            self.changed.wait_for(&mut state, look.min(left));
            look = LONGEST_LOOK.min(look * 2);
        }
    }

    fn begin(&self) {
        let mut state = self.state.lock();
        state.starting -= 1;
        state.running.push(ThreadId::current());
    }

    fn end(&self) {
        let me = ThreadId::current();
        let mut state = self.state.lock();
        state.reap();
        state.running.retain(|thread| *thread != me);
        state.ended.push(me);
        drop(state);
        self.changed.notify_all();
    }
}

/// A thread that waits to be told what to do. Dropped instead, it ends.
pub struct Prepared(Arc<Queue<Work>>);

impl Prepared {
    pub fn run(self, work: impl FnOnce() + Send + 'static) {
        self.0.put(Box::new(work));
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Drop for Threads {
    /// Nobody waits any more. What is left has ended, or is the calling thread at its end.
    fn drop(&mut self) {
        if self.process != Process::current() {
            return; // the parent's threads
        }
        for thread in self.state.get_mut().ended.drain(..) {
            // SAFETY: a joinable thread that nobody has joined.
            unsafe { libc::pthread_detach(thread.0) };
        }
    }
}

impl State {
    /// Joins the threads that have ended altogether; waits for none.
    fn reap(&mut self) {
        let me = ThreadId::current();
        self.ended.retain(|thread| {
            // SAFETY: a joinable thread that nobody has joined; its result is not asked for.
            *thread == me || unsafe { libc::pthread_tryjoin_np(thread.0, ptr::null_mut()) } != 0
        });
    }

    /// Whether no thread works but the calling one.
    fn is_idle(&self) -> bool {
        self.starting == 0 && self.running.len() <= usize::from(self.running.contains(&ThreadId::current()))
    }

    /// Whether no thread is left to join but the calling one.
    fn is_joined(&self) -> bool {
        let me = ThreadId::current();
        self.ended.iter().all(|thread| *thread == me)
    }
}

impl Start {
    fn create(self: Box<Self>) -> std::result::Result<(), (io::Error, Work)> {
        let argument = Box::into_raw(self);
        let mut thread = 0;
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: the attributes are filled in before they are used. `run_thread` takes over the argument;
        // without a thread it is taken back below.
        let error = unsafe {
            let mut error = pthread_getattr_default_np(attributes.as_mut_ptr());
            if error == 0 {
                libc::pthread_attr_setdetachstate(attributes.as_mut_ptr(), libc::PTHREAD_CREATE_JOINABLE);
                error = libc::pthread_create(&mut thread, attributes.as_ptr(), run_thread, argument.cast());
                libc::pthread_attr_destroy(attributes.as_mut_ptr());
            }
            error
        };
        if error == 0 {
            return Ok(());
        }
        // SAFETY: no thread was made, so nobody else has it.
        let start = unsafe { Box::from_raw(argument) };
        Err((io::Error::from_raw_os_error(error), start.body))
    }
}

unsafe extern "C" {
    /// What `pthread_create` uses when it is given no attributes.
    fn pthread_getattr_default_np(attributes: *mut libc::pthread_attr_t) -> i32;
}

/// The first function of every thread.
extern "C" fn run_thread(argument: *mut c_void) -> *mut c_void {
    // SAFETY: made by `Start::create` for this thread alone.
    let start = unsafe { Box::from_raw(argument.cast::<Start>()) };
    let Start { threads, name, tells, body } = *start;
    // SAFETY: the calling thread lives, and the name ends in NUL.
    unsafe { libc::pthread_setname_np(libc::pthread_self(), name.as_ptr().cast::<c_char>()) };
    OURS.set(Some(Process::current()));
    thread_end::never_cancel();
    threads.begin();
    let _ = catch_unwind(AssertUnwindSafe(|| threads.begin_work(name, tells, body)));
    threads.end();
    ptr::null_mut()
}

fn c_name(name: &str) -> [u8; NAME_SIZE] {
    let mut bytes = [0; NAME_SIZE];
    let len = name.len().min(NAME_SIZE - 1);
    bytes[..len].copy_from_slice(&name.as_bytes()[..len]);
    bytes
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// As a thread-local destructor of the program that takes its time.
    struct Slow(Receiver<()>, Sender<()>);

    impl Drop for Slow {
        fn drop(&mut self) {
            let _ = self.1.send(());
            let _ = self.0.recv();
        }
    }

    thread_local! {
        static SLOW: Cell<Option<Slow>> = const { Cell::new(None) };
    }

    #[test]
    fn a_thread_in_its_destructors_is_waited_for_by_the_final_wait_alone() {
        let threads = Threads::new(None);
        let (release, released) = channel();
        let (tell, told) = channel();
        threads.spawn("slow-to-end", move || SLOW.set(Some(Slow(released, tell)))).unwrap();
        told.recv().unwrap();
        for n in 0..3 {
            let (tell, told) = channel();
            threads.spawn("another", move || tell.send(n).unwrap()).unwrap(); // would hang if it joined
            assert_eq!(told.recv().unwrap(), n);
        }
        assert!(!threads.wait_for_all(Deadline::in_ms(0)));
        assert!(!threads.wait_for_all(Deadline::in_ms(30)));
        release.send(()).unwrap();
        assert!(threads.wait_for_all(Deadline::NEVER));
        assert!(threads.state.lock().ended.is_empty());
    }

    #[test]
    fn threads_that_have_ended_do_not_pile_up() {
        let threads = Threads::new(None);
        for _ in 0..200 {
            let (tell, told) = channel();
            threads.spawn("brief", move || tell.send(()).unwrap()).unwrap();
            told.recv().unwrap();
        }
        assert!(threads.state.lock().ended.len() < 20);
        assert!(threads.wait_for_all(Deadline::NEVER));
    }

    #[test]
    fn a_thread_may_wait_for_the_others() {
        let threads = Threads::new(None);
        let (tell, told) = channel();
        let all = Arc::clone(&threads);
        threads
            .spawn("waits", move || {
                all.spawn("other", || thread::sleep(Duration::from_millis(5))).unwrap();
                tell.send(all.wait_for_all(Deadline::NEVER)).unwrap();
            })
            .unwrap();
        assert!(told.recv().unwrap());
        assert!(threads.wait_for_all(Deadline::NEVER));
    }

    #[test]
    fn a_thread_is_made_as_the_process_makes_them_by_default() {
        let threads = Threads::new(Some(Arc::new(|| assert!(is_library_thread()))));
        let (tell, told) = channel();
        threads.spawn("a-name-that-is-too-long", move || tell.send((name(), stack_size())).unwrap()).unwrap();
        let (name, stack) = told.recv().unwrap();
        assert_eq!(name, "a-name-that-is-");
        assert_eq!(stack, default_stack_size());
        assert!(threads.wait_for_all(Deadline::NEVER));

        // Even where threads are detached by default.
        let detached = |how| {
            let mut attr = MaybeUninit::uninit();
            // SAFETY: the attributes are filled in before they are used.
            unsafe {
                assert_eq!(pthread_getattr_default_np(attr.as_mut_ptr()), 0);
                libc::pthread_attr_setdetachstate(attr.as_mut_ptr(), how);
                assert_eq!(pthread_setattr_default_np(attr.as_ptr()), 0);
            }
        };
        detached(libc::PTHREAD_CREATE_DETACHED);
        threads.spawn("detached", || ()).unwrap();
        detached(libc::PTHREAD_CREATE_JOINABLE);
        assert!(threads.wait_for_all(Deadline::in_ms(10_000)));

        unsafe extern "C" {
            fn pthread_setattr_default_np(attributes: *const libc::pthread_attr_t) -> i32;
        }

        fn name() -> String {
            std::fs::read_to_string("/proc/thread-self/comm").unwrap().trim_end().to_owned()
        }

        fn stack_size() -> usize {
            size_in(|attr| {
                // SAFETY: the attributes of the calling thread are stored.
                unsafe { libc::pthread_getattr_np(libc::pthread_self(), attr) }
            })
        }

        fn default_stack_size() -> usize {
            size_in(|attr| {
                // SAFETY: makes fresh attributes.
                unsafe { libc::pthread_attr_init(attr) }
            })
        }

        fn size_in(fill: impl Fn(*mut libc::pthread_attr_t) -> i32) -> usize {
            let mut attr = MaybeUninit::uninit();
            let mut size = 0;
            assert_eq!(fill(attr.as_mut_ptr()), 0);
            // SAFETY: the attributes were filled in just now.
            unsafe {
                libc::pthread_attr_getstacksize(attr.as_ptr(), &mut size);
                libc::pthread_attr_destroy(attr.as_mut_ptr());
            }
            size
        }
    }
}
