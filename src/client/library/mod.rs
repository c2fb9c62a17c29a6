//! The library's life: opened once (often implicitly), closed when the program says so and nothing is left.

pub mod defaults;
pub mod inbox;

use std::ptr;
use std::sync::Arc;
use std::sync::Weak;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use crate::sync::Mutex;

use crate::client::delivery::Delivery;
use crate::client::library::defaults::Defaults;
use crate::client::message::recycle;
use crate::error::{Result, Status, fail};
use crate::io::clock::{self, Deadline};
use crate::io::environment;
use crate::io::executor::Executor;
use crate::io::fork::{PerProcess, Process};
use crate::io::helpers::Helpers;
use crate::io::poller::Poller;
use crate::io::threads::{StartedHandler, Threads, is_library_thread};
use crate::io::timer::Timer;
use crate::io::tls;

/// How long a failed open waits for what it had started already.
const LEAVING_MS: i64 = 1000;

/// How to open the library.
#[derive(Clone, Default)]
pub struct Config {
    /// Default write deadline in milliseconds, 0 for none.
    pub write_deadline_ms: i64,
    /// Whether asynchronous subscriptions share the fixed pool unless the connection's options say otherwise.
    pub global_delivery: bool,
    /// Workers of the fixed pool.
    pub pool_size: i32,
    /// Runs first on every thread of the library.
    pub thread_started: Option<StartedHandler>,
}

impl Config {
    /// What the environment says; read each time the library opens without a configuration.
    fn from_environment() -> Config {
        let number = |name| {
            let text = String::from_utf8(environment::variable(name)?).ok()?;
            let digits: String = text.trim_start().chars().take_while(char::is_ascii_digit).collect();
            digits.parse::<i64>().ok().filter(|n| *n > 0)
        };
        Config {
            write_deadline_ms: number("NATS_DEFAULT_LIB_WRITE_DEADLINE").unwrap_or(0),
            global_delivery: environment::variable("NATS_DEFAULT_TO_LIB_MSG_DELIVERY").is_some(),
            pool_size: number("NATS_DEFAULT_LIB_MSG_DELIVERY_POOL_SIZE")
                .map_or(1, |n| n.min(i64::from(i32::MAX)) as i32),
            thread_started: None,
        }
    }
}

/// The threads of one opening of the library. Connections keep it alive; the last reference ends the threads.
pub struct Core {
    pub threads: Arc<Threads>,
    pub timer: Arc<Timer>,
    /// Runs the program's connection and error callbacks, one after the other for the whole library.
    pub callbacks: Arc<Executor>,
    pub helpers: Arc<Helpers>,
    pub delivery: Arc<Delivery>,
    pollers: Vec<Arc<Poller>>,
    next_poller: AtomicUsize,
    defaults: Defaults,
    process: Process,
}

impl Core {
    fn start(threads: Arc<Threads>, config: &Config) -> Result<Arc<Core>> {
        let timer = Undo(Timer::start(&threads)?, Timer::close);
        let callbacks = Undo(Executor::start(&threads, "nats-callbacks")?, Executor::close);
        let poller = |_| Ok(Undo(Poller::start(&threads)?, Poller::close));
        let pollers = (0..poller_count()).map(poller).collect::<Result<Vec<_>>>()?;
        // Nothing can fail from here on.
        let (timer, callbacks) = (timer.keep(), callbacks.keep());
        let pollers = pollers.into_iter().map(Undo::keep).collect();
        let helpers = Helpers::new(&threads, &timer);
        let delivery = Delivery::new(&threads, &timer, config.pool_size);
        let defaults = Defaults {
            write_deadline_ms: config.write_deadline_ms,
            global_delivery: config.global_delivery,
            liveness: defaults::liveness_from_environment(),
        };
        let next_poller = AtomicUsize::new(0);
        let process = Process::current();
        Ok(Arc::new(Core {
            threads,
            timer,
            callbacks,
            helpers,
            delivery,
            pollers,
            next_poller,
            defaults,
            process,
        }))
    }

    /// The process that opened the library.
    pub fn process(&self) -> Process {
        self.process
    }

    /// The poller for a new connection: each in turn.
    pub fn poller(&self) -> Arc<Poller> {
        let n = self.next_poller.fetch_add(1, Ordering::Relaxed);
        Arc::clone(&self.pollers[n % self.pollers.len()])
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        self.callbacks.close();
        self.helpers.close();
        self.timer.close();
        self.pollers.iter().for_each(|p| p.close());
        self.delivery.close();
        recycle::purge();
    }
}

/// Ends a part that was started, unless it is kept.
struct Undo<T>(Arc<T>, fn(&T));

impl<T> Undo<T> {
    fn keep(mut self) -> Arc<T> {
        self.1 = |_| ();
        Arc::clone(&self.0)
    }
}

impl<T> Drop for Undo<T> {
    fn drop(&mut self) {
        (self.1)(&self.0);
    }
}

enum Life {
    Closed,
    Open(Arc<Core>),
    /// A close has begun; it is over when all threads have ended.
    Closing(Arc<Threads>),
}

/// A child begins with a closed library. That of its parent is left as it is: its threads are not here.
static LIFE: PerProcess<Mutex<Life>> = PerProcess::new(Mutex::new(Life::Closed), || Mutex::new(Life::Closed));

/// The configuration that the program gave; NULL when it gave none. A child opens the library with it, too.
/// Changed under the lock of LIFE, but a child reads its parent's without that.
static CONFIGURED: AtomicPtr<Config> = AtomicPtr::new(ptr::null_mut());

/// Opens the library with what the environment says; nothing happens when it is open.
pub fn open_default() -> Result<()> {
    core().map(drop)
}

/// Opens the library; an open one is left as it is.
pub fn open(config: Config) -> Result<()> {
    open_core(Some(config)).map(drop)
}

/// The running library, opened if need be.
pub fn core() -> Result<Arc<Core>> {
    open_core(None)
}

/// Defaults for new options.
pub fn defaults() -> Defaults {
    match &*LIFE.get().lock() {
        Life::Open(core) => core.defaults,
        _ => Defaults::default(),
    }
}

fn open_core(config: Option<Config>) -> Result<Arc<Core>> {
    let mut life = LIFE.get().lock();
    match &*life {
        Life::Open(core) => return Ok(Arc::clone(core)),
        Life::Closing(threads) if !threads.wait_for_all(Deadline::in_ms(0)) => {
            return fail(Status::FailedToInitialize, "the library is being closed");
        }
        _ => {}
    }
    ignore_sigpipe();
    let given = config.or_else(configured);
    let config = given.clone().unwrap_or_else(Config::from_environment);
    let threads = Threads::new(config.thread_started.clone());
    let started = Core::start(Arc::clone(&threads), &config);
    if let Ok(core) = &started {
        configure(given);
        *life = Life::Open(Arc::clone(core));
    }
    drop(life);
    if started.is_err() {
        threads.wait_for_all(Deadline::in_ms(LEAVING_MS)); // those that were started leave again
    }
    started
}

fn configured() -> Option<Config> {
    // SAFETY: NULL or made by `configure`, which is not called meanwhile.
    unsafe { CONFIGURED.load(Ordering::Acquire).as_ref() }.cloned()
}

fn configure(config: Option<Config>) {
    let new = config.map_or(ptr::null_mut(), |config| Box::into_raw(Box::new(config)));
    let old = CONFIGURED.swap(new, Ordering::AcqRel);
    if !old.is_null() {
        // SAFETY: made above at an earlier call, and nobody else can find it any more.
        drop(unsafe { Box::from_raw(old) });
    }
}

/// Begins closing: queued callbacks still run, new ones are dropped. Threads end once no connection or
/// subscription is left; if that is now, they are waited for.
pub fn close() {
    if let Some((core, threads)) = begin_close()
        && core.upgrade().is_none()
        && threads.wait_for_all(Deadline::NEVER)
    {
        ended(&threads);
    }
}

/// Closes and waits for everything to be gone; no limit for `timeout_ms` of 0 or less.
pub fn close_and_wait(timeout_ms: i64) -> Result<()> {
    if is_library_thread() {
        return fail(Status::IllegalState, "the library's own threads cannot wait for its end");
    }
    let Some((_, threads)) = begin_close() else {
        return match *LIFE.get().lock() {
            Life::Closed => Err(Status::NotInitialized.into()),
            _ => fail(Status::IllegalState, "the library is being closed already"),
        };
    };
    let deadline = if timeout_ms <= 0 { Deadline::NEVER } else { Deadline::in_ms(timeout_ms) };
    if !threads.wait_for_all(deadline) {
        return Err(Status::Timeout.into());
    }
    ended(&threads);
    Ok(())
}

/// The last thread has ended: nothing is kept for the next opening of the library.
fn ended(threads: &Arc<Threads>) {
    let mut life = LIFE.get().lock();
    if matches!(&*life, Life::Closing(closing) if Arc::ptr_eq(closing, threads)) {
        *life = Life::Closed;
    }
    drop(life);
    release_thread_memory();
    recycle::purge(); // what the threads gave back when they ended
}

/// Frees what the calling thread keeps for messages to come.
pub fn release_thread_memory() {
    recycle::release_mine();
    tls::release_thread_memory();
}

/// Sets how many workers the fixed pool may have; never shrinks it.
pub fn set_delivery_pool_size(size: i32) -> Result<()> {
    if size <= 0 {
        return fail(Status::Err, "Pool size cannot be negative or zero");
    }
    core()?.delivery.grow_fixed_pool(size);
    Ok(())
}

/// Lets the calling thread sleep.
pub fn sleep(ms: i64) {
    clock::sleep_or_end(Deadline::in_ms(ms));
}

fn begin_close() -> Option<(Weak<Core>, Arc<Threads>)> {
    let mut life = LIFE.get().lock();
    let Life::Open(core) = &*life else {
        if let Life::Closing(threads) = &*life
            && threads.wait_for_all(Deadline::in_ms(0))
        {
            *life = Life::Closed;
        }
        return None;
    };
    let (weak, threads) = (Arc::downgrade(core), Arc::clone(&core.threads));
    core.callbacks.close();
    configure(None);
    let open = std::mem::replace(&mut *life, Life::Closing(Arc::clone(&threads)));
    drop(life);
    drop(open); // outside the lock: this may be the last reference
    Some((weak, threads))
}

/// A write to a dead peer must not end the program.
fn ignore_sigpipe() {
    // SAFETY: setting a disposition to "ignore" runs no code.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
}

/// One poller serves thousands of connections; more can be asked for with `NATS_POLLER_THREADS`.
fn poller_count() -> usize {
    let asked =
        environment::variable("NATS_POLLER_THREADS").and_then(|n| String::from_utf8(n).ok()?.parse().ok());
    asked.unwrap_or(1).clamp(1, 64)
}
