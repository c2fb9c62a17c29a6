//! After `fork()` the child has none of the library's threads: what was made before the fork must not be used
//! in it, and a lock that another thread held at that moment stays held for good. So what is one per process
//! is a [`PerProcess`], which starts anew in a child, and the few sections that a child has to find finished
//! are [`undisturbed`].

use std::cell::Cell;
use std::mem::ManuallyDrop;
#[cfg(feature = "tls")]
use std::ops::{Deref, DerefMut};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::sync::futex;

/// Tells the processes of a line of forks apart: later ones have higher numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process(u32);

/// A page of its own, which the kernel hands to a child as zeros, however it was forked.
#[repr(C, align(4096))]
struct Page {
    /// The number of this process.
    current: AtomicU32,
    gate: Apart,
}

/// In a cache line of its own: it is written while others read the number.
#[repr(align(128))]
struct Apart(AtomicU32);

static PAGE: Page = Page { current: AtomicU32::new(0), gate: Apart(AtomicU32::new(0)) };
static CURRENT: &AtomicU32 = &PAGE.current;
/// Sections under way in the low half, forks that wait for them or are under way in the high half.
static GATE: &AtomicU32 = &PAGE.gate.0;
/// The highest number that was given, by this process or those before it.
static LAST: AtomicU32 = AtomicU32::new(0);

impl Process {
    /// The number of a process none of whose ancestors used the library.
    const FIRST: Process = Process(1);

    #[inline]
    pub fn current() -> Process {
        match CURRENT.load(Ordering::Relaxed) {
            0 => Process::begin(),
            number => Process(number),
        }
    }

    /// The first question in this process. Nobody is waited for: the thread that was about to answer may be
    /// the parent's.
    #[cold]
    fn begin() -> Process {
        watch();
        let number = LAST.load(Ordering::Relaxed) + 1;
        LAST.fetch_max(number, Ordering::Relaxed);
        match CURRENT.compare_exchange(0, number, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => Process(number),
            Err(given) => Process(given),
        }
    }
}

/// Sees to it that a child finds no number. A child made by `vfork` or `posix_spawn` shares the memory and
/// keeps it.
fn watch() {
    // SAFETY: asks for a number.
    let page_size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    // Where pages are larger, it would be more than ours that is wiped.
    if usize::try_from(page_size).is_ok_and(|size| size <= size_of::<Page>()) {
        let page = ptr::from_ref(&PAGE).cast_mut().cast();
        // SAFETY: the page holds nothing else. An old kernel refuses; then the handlers below do it.
        unsafe { libc::madvise(page, size_of::<Page>(), libc::MADV_WIPEONFORK) };
    }
    listen();
}

/// As the library is loaded: the handlers before a fork run from the last one registered to the first, so
/// ours runs when those of the program have taken its locks, which a section may be called under.
#[used]
#[unsafe(link_section = ".init_array")]
static AT_LOAD: extern "C" fn() = listen;

/// Hears of forks. (Again by `watch`: a linker may leave out what nothing calls.)
extern "C" fn listen() {
    static LISTENING: AtomicBool = AtomicBool::new(false);
    if !LISTENING.swap(true, Ordering::Relaxed) {
        // An allocator that has handlers registers them at its first use, and has to run its own after ours.
        drop(std::hint::black_box(Box::new(0)));
        // SAFETY: the handlers stay mapped: the library is linked with nodelete.
        unsafe { libc::pthread_atfork(Some(before_fork), Some(in_parent), Some(in_child)) };
    }
}

// ---- what each process has one of ----

/// Something each process has one of. A child gets a new one; what its parent had is neither used nor dropped
/// there.
pub(crate) struct PerProcess<T> {
    /// The process that `first` is for.
    owner: Process,
    first: ManuallyDrop<T>,
    make: fn() -> T,
    /// That of a process which is not the owner.
    later: AtomicPtr<Later<T>>,
}

struct Later<T> {
    owner: Process,
    value: T,
}

impl<T: Send + Sync> PerProcess<T> {
    /// For a static. `first` is what `make` returns.
    pub(crate) const fn new(first: T, make: fn() -> T) -> PerProcess<T> {
        PerProcess::owned(Process::FIRST, first, make)
    }

    /// For a part of an object.
    #[cfg(any(test, feature = "tls"))]
    pub(crate) fn made_by(make: fn() -> T) -> PerProcess<T> {
        PerProcess::owned(Process::current(), make(), make)
    }

    const fn owned(owner: Process, first: T, make: fn() -> T) -> PerProcess<T> {
        let first = ManuallyDrop::new(first);
        PerProcess { owner, first, make, later: AtomicPtr::new(ptr::null_mut()) }
    }

    /// That of this process.
    pub(crate) fn get(&self) -> &T {
        let process = Process::current();
        if self.owner == process {
            return &self.first;
        }
        let later = self.later.load(Ordering::Acquire);
        // SAFETY: NULL or made by `start`, and freed with self at the earliest.
        match unsafe { later.as_ref() } {
            Some(later) if later.owner == process => &later.value,
            _ => self.start(process, later),
        }
    }

    /// The first use in a child. Of two threads that come at once one succeeds; what the parent left behind
    /// is left alone.
    #[cold]
    fn start(&self, owner: Process, old: *mut Later<T>) -> &T {
        let new = Box::into_raw(Box::new(Later { owner, value: (self.make)() }));
        match self.later.compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire) {
            // SAFETY: just made; now it belongs to self.
            Ok(_) => unsafe { &(*new).value },
            Err(theirs) => {
                // SAFETY: just made, and nobody else knows of it.
                drop(unsafe { Box::from_raw(new) });
                // SAFETY: as in `get`; it is of this process, because nothing else replaces an older one.
                unsafe { &(*theirs).value }
            }
        }
    }
}

impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        let process = Process::current();
        let later = *self.later.get_mut();
        // SAFETY: NULL or made by `start`; nobody else uses it while self is dropped.
        if unsafe { later.as_ref() }.is_some_and(|later| later.owner == process) {
            // SAFETY: as above.
            drop(unsafe { Box::from_raw(later) });
        }
        if self.owner == process {
            // SAFETY: self is not used afterwards.
            unsafe { ManuallyDrop::drop(&mut self.first) };
        }
    }
}

// ---- sections that no fork cuts ----

/// What a fork counts in the gate.
const FORK: u32 = 1 << 16;
/// A section that takes longer, because a file that it reads does not come, is not waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// A fork that takes longer waits, most likely, for a lock of the program that is held around a section: its
/// handler was registered before ours, because the library was loaded late.
const LONGEST_FORK: Duration = Duration::from_secs(1);

thread_local! {
    /// Sections that the thread is in.
    static INSIDE: Cell<u32> = const { Cell::new(0) };
}

/// Runs a section that a fork by another thread waits for: what it holds locked is unlocked in the child,
/// what it begins is finished. The section is short, waits for nobody and runs none of the program's code.
pub(crate) fn undisturbed<T>(section: impl FnOnce() -> T) -> T {
    let _leave = enter();
    section()
}

/// Something whose end is such a section.
#[cfg(feature = "tls")]
pub(crate) struct EndsUndisturbed<T>(ManuallyDrop<T>);

#[cfg(feature = "tls")]
impl<T> EndsUndisturbed<T> {
    pub(crate) fn new(thing: T) -> EndsUndisturbed<T> {
        EndsUndisturbed(ManuallyDrop::new(thing))
    }
}

#[cfg(feature = "tls")]
impl<T> Deref for EndsUndisturbed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

#[cfg(feature = "tls")]
impl<T> DerefMut for EndsUndisturbed<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

#[cfg(feature = "tls")]
impl<T> Drop for EndsUndisturbed<T> {
    fn drop(&mut self) {
        // SAFETY: self is not used afterwards.
        undisturbed(|| unsafe { ManuallyDrop::drop(&mut self.0) });
    }
}

/// Leaves a section when dropped. A child's gate does not count those that it was forked in.
struct Leave(Process);

fn enter() -> Leave {
    let process = Process::current(); // from now on forks are heard of
    let nested = inside() > 0;
    let mut start = None;
    loop {
        let gate = GATE.load(Ordering::Relaxed);
        if gate >= FORK && !nested {
            let left = LONGEST_FORK.saturating_sub(start.get_or_insert_with(Instant::now).elapsed());
            if !left.is_zero() {
                futex::wait(GATE, gate, Some(left));
                continue;
            }
        }
        if GATE.compare_exchange(gate, gate + 1, Ordering::Acquire, Ordering::Relaxed).is_ok() {
            let _ = INSIDE.try_with(|inside| inside.set(inside.get() + 1));
            return Leave(process);
        }
    }
}

impl Drop for Leave {
    fn drop(&mut self) {
        let _ = INSIDE.try_with(|inside| inside.set(inside.get() - 1));
        if self.0 == Process::current() && GATE.fetch_sub(1, Ordering::Release) >= FORK {
            futex::wake_all(GATE);
        }
    }
}

fn inside() -> u32 {
    INSIDE.try_with(Cell::get).unwrap_or(0)
}

extern "C" fn before_fork() {
    close_gate(PATIENCE);
}

/// Lets no other thread begin a section, and waits until none is in one.
fn close_gate(patience: Duration) {
    let start = Instant::now();
    let mut gate = GATE.fetch_add(FORK, Ordering::Acquire) + FORK;
    while gate % FORK > inside() {
        let left = patience.saturating_sub(start.elapsed());
        if left.is_zero() {
            return;
        }
        futex::wait(GATE, gate, Some(left));
        gate = GATE.load(Ordering::Acquire);
    }
}

extern "C" fn in_parent() {
    GATE.fetch_sub(FORK, Ordering::Release);
    futex::wake_all(GATE);
}

extern "C" fn in_child() {
    CURRENT.store(0, Ordering::Relaxed);
    GATE.store(0, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;
    use crate::sync::Mutex;

    /// Runs `check` in a child made by `fork`; whether it came to true within ten seconds.
    fn in_a_child(fork: impl FnOnce() -> libc::pid_t, check: impl FnOnce() -> bool) -> bool {
        let pid = fork();
        if pid == 0 {
            // SAFETY: ends a child that hangs.
            unsafe { libc::alarm(10) };
            let good = check();
            // SAFETY: ends the child without anything of the parent's.
            unsafe { libc::_exit(i32::from(!good)) };
        }
        let mut status = -1;
        // SAFETY: waits for our own child.
        unsafe { libc::waitpid(pid, &mut status, 0) };
        status == 0
    }

    fn fork() -> libc::pid_t {
        // SAFETY: the child only does what the tests below do, and ends.
        unsafe { libc::fork() }
    }

    /// Runs no handlers of pthread_atfork; `malloc` may be locked in the child.
    fn raw_fork() -> libc::pid_t {
        // SAFETY: as above.
        unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) as libc::pid_t }
    }

    #[test]
    fn each_process_has_its_number() {
        let parent = Process::current();
        for fork in [fork, raw_fork] {
            let grandchild = move |child| in_a_child(fork, || Process::current().0 > child);
            assert!(in_a_child(fork, move || {
                let child = Process::current().0;
                child > parent.0 && grandchild(child)
            }));
        }
        assert_eq!(parent, Process::current());
    }

    #[test]
    fn a_child_starts_anew_and_waits_for_nobody() {
        static NUMBER: PerProcess<Mutex<u32>> = PerProcess::new(Mutex::new(7), || Mutex::new(7));
        *NUMBER.get().lock() = 8;
        let (held, wait) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        let holder = thread::spawn(move || {
            let _guard = NUMBER.get().lock();
            held.send(()).unwrap();
            let _ = ended.recv();
        });
        wait.recv().unwrap();
        assert!(in_a_child(fork, || {
            let fresh = *NUMBER.get().lock() == 7;
            *NUMBER.get().lock() = 9;
            fresh && in_a_child(fork, || *NUMBER.get().lock() == 7) && *NUMBER.get().lock() == 9
        }));
        end.send(()).unwrap();
        holder.join().unwrap();
        assert_eq!(*NUMBER.get().lock(), 8);
    }

    #[test]
    fn the_parents_value_is_not_dropped_in_a_child() {
        static DROPS: AtomicU32 = AtomicU32::new(0);
        struct Counts;
        impl Drop for Counts {
            fn drop(&mut self) {
                DROPS.fetch_add(1, Ordering::Relaxed);
            }
        }
        let value = PerProcess::made_by(|| Counts);
        assert!(in_a_child(fork, || {
            // SAFETY: only one of the two is dropped in this process.
            let copy = unsafe { ptr::read(&value) };
            copy.get();
            drop(copy);
            DROPS.load(Ordering::Relaxed) == 1 // the child's own
        }));
        drop(value);
        assert_eq!(DROPS.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_fork_waits_for_a_section() {
        static LOCK: Mutex<()> = Mutex::new(());
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        undisturbed(|| {
                            let _guard = LOCK.lock();
                            undisturbed(|| (0..200).for_each(|_| std::hint::spin_loop())); // nested
                        });
                    }
                });
            }
            for _ in 0..200 {
                assert!(in_a_child(fork, || undisturbed(|| LOCK.try_lock().is_some())));
            }
            stop.store(true, Ordering::Relaxed);
        });
    }

    #[test]
    fn a_fork_within_a_section_and_one_beside_a_long_section() {
        assert!(undisturbed(|| in_a_child(fork, || undisturbed(|| true)) && inside() == 1));
        let (entered, wait) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        let long = thread::spawn(move || {
            undisturbed(|| {
                entered.send(()).unwrap();
                let _ = ended.recv();
            })
        });
        wait.recv().unwrap();
        let start = Instant::now();
        close_gate(Duration::from_millis(20));
        assert!(start.elapsed() >= Duration::from_millis(20));
        in_parent();
        // A child that no handler was told of waits for nobody either.
        assert!(in_a_child(raw_fork, || GATE.load(Ordering::Relaxed) == 0));
        end.send(()).unwrap();
        long.join().unwrap();
    }

    #[test]
    fn a_section_does_not_wait_for_good_for_a_fork_that_waits_for_it() {
        Process::current();
        close_gate(Duration::ZERO);
        let start = Instant::now();
        undisturbed(|| assert!(GATE.load(Ordering::Relaxed) >= FORK));
        in_parent();
        assert!(start.elapsed() >= LONGEST_FORK);
    }
}
