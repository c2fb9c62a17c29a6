//! The timer thread: runs short jobs at given times. Jobs never wait for anything, so no timer delays
//! another.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, FromRawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::sync::Mutex;

use crate::error::{Result, Status, fail};
use crate::io::clock;
use crate::io::duty;
use crate::io::threads::Threads;

type Job = Box<dyn FnOnce() + Send>;

/// Names a scheduled job: when it is due, and its number.
pub(crate) type Key = (Duration, u64);

pub struct Timer {
    /// Ends first: whoever then closes the descriptor has seen what the thread did with it.
    state: Mutex<State>,
    /// Fires on the boot-time clock, so a job that became due while the machine slept runs on wake-up.
    fd: File,
}

#[derive(Default)]
struct State {
    jobs: BTreeMap<Key, Job>,
    scheduled: u64,
    closed: bool,
}

impl Timer {
    pub fn start(threads: &Arc<Threads>) -> Result<Arc<Timer>> {
        // SAFETY: no pointers involved; the result is checked.
        let fd = unsafe { libc::timerfd_create(libc::CLOCK_BOOTTIME, libc::TFD_CLOEXEC) };
        if fd < 0 {
            return fail(
                Status::SysError,
                format!("cannot create a timer: {}", std::io::Error::last_os_error()),
            );
        }
        // SAFETY: a fresh descriptor that nobody else owns.
        let fd = unsafe { File::from_raw_fd(fd) };
        let timer = Arc::new(Timer { fd, state: Mutex::default() });
        let runner = Arc::clone(&timer);
        threads.spawn("nats-timer", move || runner.run())?;
        Ok(timer)
    }

    /// Runs `job` on the timer thread once `at` (see [`clock::now`]) has come; never once the timer is
    /// closed.
    pub fn schedule(&self, at: Duration, job: impl FnOnce() + Send + 'static) -> Key {
        let mut state = self.state.lock();
        state.scheduled += 1;
        let key = (at, state.scheduled);
        if state.closed {
            return key;
        }
        state.jobs.insert(key, Box::new(job));
        if state.jobs.first_key_value().is_some_and(|(first, _)| *first == key) {
            self.arm(at);
        }
        key
    }

    /// Forgets a job. Does not wait for one that is just running.
    pub fn cancel(&self, key: Key) {
        let job = self.state.lock().jobs.remove(&key);
        drop(job); // after the lock is released: what the job holds may end with it
    }

    /// Ends the thread; what is still scheduled never runs.
    pub fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        let jobs = std::mem::take(&mut state.jobs);
        self.arm(Duration::ZERO);
        drop(state);
        drop(jobs);
    }

    fn run(&self) {
        duty::this_thread_serves_all();
        loop {
            let mut expirations = [0u8; 8];
            let _ = (&self.fd).read(&mut expirations); // an interrupted wait is only an early look
            loop {
                let job = {
                    let mut state = self.state.lock();
                    if state.closed {
                        return;
                    }
                    let Some(first) = state.jobs.first_entry() else { break };
                    let due = first.key().0;
                    if due > clock::now() {
                        self.arm(due);
                        break;
                    }
                    first.remove()
                };
                let _ = catch_unwind(AssertUnwindSafe(job));
            }
        }
    }

    /// Lets the descriptor fire at `at`; a time that has passed fires at once.
    fn arm(&self, at: Duration) {
        let at = clock::untested(at).max(Duration::from_nanos(1)); // zero would switch it off
        let value =
            libc::timespec { tv_sec: at.as_secs() as libc::time_t, tv_nsec: at.subsec_nanos().into() };
        let never = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        let setting = libc::itimerspec { it_interval: never, it_value: value };
        // SAFETY: the descriptor is open and `setting` is valid.
        unsafe {
            libc::timerfd_settime(
                self.fd.as_raw_fd(),
                libc::TFD_TIMER_ABSTIME,
                &setting,
                std::ptr::null_mut(),
            )
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn jobs_run_in_time_order_and_can_be_cancelled() {
        let threads = Threads::new(None);
        let timer = Timer::start(&threads).unwrap();
        let (tx, rx) = mpsc::channel();
        let send = |n: u32| {
            let tx = tx.clone();
            move || tx.send((n, clock::now())).unwrap()
        };
        let start = clock::now();
        timer.schedule(start + Duration::from_millis(60), send(3));
        timer.schedule(start + Duration::from_millis(20), send(1));
        let cancelled = timer.schedule(start + Duration::from_millis(30), send(9));
        timer.schedule(start + Duration::from_millis(40), send(2));
        timer.schedule(start, send(0));
        timer.cancel(cancelled);
        for (expected, ms) in [(0, 0), (1, 20), (2, 40), (3, 60)] {
            let (n, at) = rx.recv_timeout(Duration::from_secs(10)).unwrap();
            assert_eq!(n, expected);
            assert!(at >= start + Duration::from_millis(ms));
        }
        timer.close();
        assert!(threads.wait_for_all(crate::io::clock::Deadline::in_ms(10_000)));
    }
}
