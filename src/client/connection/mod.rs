//! A connection to a NATS server: its state, its loss and its end. Connecting is in `connect`, coming back in
//! `reconnect`, what arrives in `inbound`, what leaves in `outbound`.
//!
//! Locks are taken in this order: state, liveness, subscriptions, requests, outbound, a link's watch, a subscription's own.
//! Under the state's lock also those of the queues are taken in which something is only put: events and calls of an event
//! loop's adapter.
//! None is held while a callback of the program runs, while the socket is used, or while waiting for anything else.

pub mod connect;
mod credentials;
mod dialogue;
mod drain;
mod end;
mod event_loop;
mod events;
mod flush;
mod inbound;
mod keep_alive;
mod link;
mod liveness;
pub mod loss;
mod one_at_a_time;
mod outbound;
pub mod publish;
mod questions;
mod reconnect;
#[cfg(test)]
mod refused;
mod requests;
mod security;
pub mod stats;
mod subscriptions;
#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod told;
pub mod vitals;
mod waiter;

use std::ffi::CString;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use crate::sync::{Condvar, Mutex};
use rand::SeedableRng;
use rand::rngs::SmallRng;

use crate::client::connection::event_loop::Attachment;
use crate::client::connection::events::Events;
pub use crate::client::connection::flush::FLUSH_TIMEOUT_MS;
use crate::client::connection::inbound::Inbound;
use crate::client::connection::keep_alive::KeepAlive;
use crate::client::connection::link::Link;
use crate::client::connection::loss::Disconnect;
use crate::client::connection::outbound::{Outbound, Settings};
use crate::client::connection::requests::Requests;
use crate::client::connection::security::Security;
use crate::client::connection::stats::Counters;
use crate::client::connection::subscriptions::Subscriptions;
use crate::client::connection::vitals::Vitals;
use crate::client::library::Core;
use crate::client::options::Options;
use crate::error::{Error, Result, Status, TextBuffer, fail, shown};
use crate::io::fork::Process;
use crate::io::poller::Poller;
use crate::io::threads::ThreadId;
use crate::proto::info::ServerInfo;
use crate::proto::memory;
use crate::session::pool::ServerPool;

/// The write buffer holds this many times the I/O buffer size: fewer, larger writes.
const WRITE_BUFFERS: usize = 8;

/// The states of `natsConnStatus`, same values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum ConnStatus {
    Disconnected = 0,
    Connecting = 1,
    Connected = 2,
    Closed = 3,
    Reconnecting = 4,
    DrainingSubs = 5,
    DrainingPubs = 6,
}

/// A connection: shared by the user, its subscriptions and running callbacks.
pub struct Connection {
    core: Arc<Core>,
    process: Process,
    options: Options,
    name: Option<CString>,
    security: Security,
    poller: Arc<Poller>,
    event_loop: Option<Arc<Attachment>>,
    /// `State::status`, readable without the lock.
    status: AtomicI32,
    state: Mutex<State>,
    /// Wakes the reconnect thread's wait when the connection is closed.
    woken: Condvar,
    pub(super) subscriptions: Subscriptions,
    requests: Requests,
    outbound: Outbound,
    inbound: Mutex<Inbound>,
    keep_alive: KeepAlive,
    vitals: Arc<Vitals>,
    last_disconnect: Mutex<Option<Arc<Disconnect>>>,
    /// What programs were given as text of the last error; it stays where it is.
    shown_error: Mutex<Option<Box<TextBuffer>>>,
    counters: Counters,
}

struct State {
    pub status: ConnStatus,
    pub events: Events,
    pub link: Option<Arc<Link>>,
    pub pool: ServerPool,
    pub info: ServerInfo,
    pub last_error: Option<(Status, Vec<u8>)>,
    pub rng: SmallRng,
    /// Not connected once yet (retry on failed connect).
    pub initial: bool,
    /// The thread that tries a server during a reconnect.
    pub trying: Option<ThreadId>,
    closed_while_reconnecting: bool,
}

/// What was so before a link became the connection's.
struct Before {
    pub status: ConnStatus,
    pub initial: bool,
    /// At the current server.
    pub attempts: i32,
}

impl Connection {
    /// A connection that has not tried to connect yet.
    fn new(core: Arc<Core>, mut options: Options) -> Result<Arc<Connection>> {
        let mut rng = SmallRng::from_os_rng();
        let pool =
            ServerPool::new(options.url.as_deref(), &options.servers, !options.no_randomize, &mut rng)?;
        let settings = Settings {
            capacity: options.io_buf_size * WRITE_BUFFERS,
            reconnect_capacity: options.reconnect_buf_size,
            send_asap: options.send_asap,
            flusher_wait: Duration::from_micros(options.flusher_wait_us.max(0) as u64),
            write_deadline_ms: options.write_deadline_ms,
        };
        let vitals = Arc::new(Vitals::default());
        Ok(Arc::new(Connection {
            poller: core.poller(),
            event_loop: options.event_loop.as_ref().map(|make| Arc::new(Attachment::new(make()))),
            process: core.process(),
            status: AtomicI32::new(ConnStatus::Connecting as i32),
            state: Mutex::new(State {
                status: ConnStatus::Connecting,
                events: Events::new(Arc::clone(&core.callbacks)),
                link: None,
                pool,
                info: ServerInfo::default(),
                last_error: None,
                rng,
                initial: true,
                trying: None,
                closed_while_reconnecting: false,
            }),
            core,
            woken: Condvar::new(),
            subscriptions: Subscriptions::default(),
            requests: Requests::new(options.custom_inbox_prefix.clone()),
            outbound: Outbound::new(settings, Arc::clone(&vitals)),
            inbound: Mutex::default(),
            keep_alive: KeepAlive::new(&options, &vitals),
            vitals,
            last_disconnect: Mutex::new(None),
            shown_error: Mutex::new(None),
            counters: Counters::default(),
            security: Security::new(options.secure, options.tls.take()),
            name: options.name.as_deref().map(memory::c_text).transpose()?,
            options,
        }))
    }

    pub(super) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    fn poller(&self) -> Arc<Poller> {
        Arc::clone(&self.poller)
    }

    fn event_loop(&self) -> Option<&Arc<Attachment>> {
        self.event_loop.as_ref()
    }

    /// Refuses calls in a process forked from the one that connected: its threads and sockets are not ours.
    #[inline]
    pub fn check_process(&self) -> Result<()> {
        if self.process != Process::current() {
            return fail(Status::IllegalState, "the connection belongs to the parent process");
        }
        Ok(())
    }

    // ---- status ----

    pub fn status(&self) -> ConnStatus {
        match self.status.load(Ordering::Acquire) {
            0 => ConnStatus::Disconnected,
            1 => ConnStatus::Connecting,
            2 => ConnStatus::Connected,
            3 => ConnStatus::Closed,
            4 => ConnStatus::Reconnecting,
            5 => ConnStatus::DrainingSubs,
            _ => ConnStatus::DrainingPubs,
        }
    }

    /// The status as the program sees it: handlers called while a server is tried during a reconnect find the
    /// connection connecting, on their thread.
    pub fn visible_status(&self) -> ConnStatus {
        match self.status() {
            ConnStatus::Reconnecting => self.state.lock().visible_status(),
            status => status,
        }
    }

    pub fn is_closed(&self) -> bool {
        self.status() == ConnStatus::Closed
    }

    /// Stays true after a close that happened during a reconnect.
    pub fn is_reconnecting(&self) -> bool {
        let state = self.state.lock();
        state.visible_status() == ConnStatus::Reconnecting || state.closed_while_reconnecting
    }

    pub fn is_draining(&self) -> bool {
        matches!(self.status(), ConnStatus::DrainingSubs | ConnStatus::DrainingPubs)
    }

    fn set_status(&self, state: &mut State, status: ConnStatus) {
        state.status = status;
        self.status.store(status as i32, Ordering::Release);
    }

    /// Fails when the connection is closed.
    fn open(&self) -> Result<()> {
        if self.is_closed() { Err(Status::ConnectionClosed.into()) } else { Ok(()) }
    }
}

impl State {
    /// The connection has no link any more; from now on nothing that comes over it counts.
    fn unlink(&mut self) -> Option<Arc<Link>> {
        let link = self.link.take();
        if let Some(link) = &link {
            link.mark_down();
        }
        link
    }

    fn visible_status(&self) -> ConnStatus {
        match self.status {
            ConnStatus::Reconnecting if self.trying == Some(ThreadId::current()) => ConnStatus::Connecting,
            status => status,
        }
    }

    pub fn is_current(&self, link: &Arc<Link>) -> bool {
        self.link.as_ref().is_some_and(|current| Arc::ptr_eq(current, link))
    }

    /// The reconnect has ended without a server; an error that says more stays.
    fn note_no_server(&mut self) {
        match &mut self.last_error {
            None => self.note_error(&Status::NoServer.into()),
            Some((status @ Status::Ok, _)) => *status = Status::NoServer,
            Some(_) => {}
        }
    }

    pub fn note_error(&mut self, error: &Error) {
        self.last_error = Some((error.status(), shown(error.text().as_bytes()).as_bytes().to_vec()));
    }
}
