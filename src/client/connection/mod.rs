//! A connection to a NATS server: what it consists of.
//!
//! The way through: `connect` tries the servers, `dialogue` talks to one until it is ready; `live` makes the
//! link the connection's; `state` is what the connection is at a moment and how that changes; `inbound` has
//! what arrives, `outbound` what leaves; `loss` ends a link and has `reconnect` make the next one; `end` ends
//! the connection. What the program hears of it goes through `events`, what the library's own parts hear
//! through `observers`.
//!
//! Locks are taken in this order: state, liveness, routes, requests, outbound, a link's watch, a
//! subscription's own. Under the state's lock also those of the queues are taken in which something is only
//! put: events, changes for observers, and calls of an event loop's adapter. None is held while a callback of
//! the program runs, while the socket is used, or while waiting for anything else.

mod arrival;
pub(crate) mod connect;
mod credentials;
mod dialogue;
mod drain;
mod end;
mod event_loop;
mod events;
mod flush;
mod inbound;
mod keep_alive;
mod last_error;
mod link;
mod live;
mod liveness;
pub(crate) mod loss;
pub(in crate::client) mod observers;
mod one_at_a_time;
mod outbound;
pub(crate) mod publish;
mod questions;
mod reconnect;
#[cfg(test)]
mod refused;
mod requests;
mod routes;
mod security;
mod state;
pub(crate) mod stats;
mod subscriptions;
#[cfg(test)]
pub(in crate::client) mod testing;
#[cfg(test)]
mod told;
pub(crate) mod vitals;
mod waiter;

use std::ffi::CString;
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::sync::Mutex;
use rand::SeedableRng;
use rand::rngs::SmallRng;

pub(crate) use crate::client::connection::drain::DRAIN_TIMEOUT_MS;
use crate::client::connection::event_loop::Attachment;
use crate::client::connection::events::Events;
pub(crate) use crate::client::connection::flush::FLUSH_TIMEOUT_MS;
use crate::client::connection::inbound::Inbound;
use crate::client::connection::keep_alive::KeepAlive;
use crate::client::connection::observers::Observer;
use crate::client::connection::outbound::{Outbound, Settings};
use crate::client::connection::requests::Requests;
use crate::client::connection::routes::Routes;
use crate::client::connection::security::Security;
use crate::client::connection::state::{Servers, Shared};
use crate::client::connection::stats::Counters;
use crate::client::connection::vitals::Vitals;
use crate::client::library::Core;
use crate::client::options::Options;
use crate::error::{Result, Status, TextBuffer, fail};
use crate::io::fork::Process;
use crate::io::poller::Poller;
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
    place: Place,
    options: Options,
    name: Option<CString>,
    security: Security,
    state: Shared,
    routes: Routes,
    requests: Requests,
    outbound: Outbound,
    inbound: Mutex<Inbound>,
    keep_alive: KeepAlive,
    vitals: Arc<Vitals>,
    /// What programs were given as text of the last error; it stays where it is.
    shown_error: Mutex<Option<Box<TextBuffer>>>,
    counters: Counters,
}

/// Where a connection lives.
struct Place {
    core: Arc<Core>,
    process: Process,
    poller: Arc<Poller>,
    /// That of the program, when it polls the socket instead of the poller.
    event_loop: Option<Arc<Attachment>>,
}

impl Connection {
    /// A connection that has not tried to connect yet.
    fn new(core: Arc<Core>, mut options: Options) -> Result<Arc<Connection>> {
        let mut rng = SmallRng::from_os_rng();
        let pool = ServerPool::new(
            options.servers.url.as_deref(),
            &options.servers.list,
            !options.servers.no_randomize,
            &mut rng,
        )?;
        let vitals = Arc::new(Vitals::default());
        let servers = Servers { pool, info: ServerInfo::default(), rng };
        let name = options.behaviour.name.as_deref().map(memory::c_text).transpose()?;
        let connection = Arc::new_cyclic(|connection: &Weak<Connection>| Connection {
            state: Shared::new(servers, Events::new(Arc::clone(&core.callbacks), connection.clone())),
            place: Place {
                poller: core.poller(),
                process: core.process(),
                event_loop: options
                    .handlers
                    .event_loop
                    .as_ref()
                    .map(|make| Arc::new(Attachment::new(make()))),
                core,
            },
            routes: Routes::default(),
            requests: Requests::new(options.behaviour.custom_inbox_prefix.clone()),
            outbound: Outbound::new(write_settings(&options), Arc::clone(&vitals)),
            inbound: Mutex::default(),
            keep_alive: KeepAlive::new(&options, &vitals),
            vitals,
            shown_error: Mutex::new(None),
            counters: Counters::default(),
            security: Security::new(options.tls.required, options.tls.settings.take()),
            name,
            options,
        });
        connection.observe(Arc::downgrade(&connection) as Weak<dyn Observer>)?;
        Ok(connection)
    }

    pub(super) fn core(&self) -> &Arc<Core> {
        &self.place.core
    }

    fn poller(&self) -> Arc<Poller> {
        Arc::clone(&self.place.poller)
    }

    fn event_loop(&self) -> Option<&Arc<Attachment>> {
        self.place.event_loop.as_ref()
    }

    /// Refuses calls in a process forked from the one that connected: its threads and sockets are not ours.
    #[inline]
    pub fn check_process(&self) -> Result<()> {
        if self.place.process != Process::current() {
            return fail(Status::IllegalState, "the connection belongs to the parent process");
        }
        Ok(())
    }

    // ---- status ----

    pub fn status(&self) -> ConnStatus {
        self.state.status()
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
        self.state.lock().is_reconnecting()
    }

    pub fn is_draining(&self) -> bool {
        matches!(self.status(), ConnStatus::DrainingSubs | ConnStatus::DrainingPubs)
    }

    /// Fails when the connection is closed.
    fn open(&self) -> Result<()> {
        if self.is_closed() { Err(Status::ConnectionClosed.into()) } else { Ok(()) }
    }
}

fn write_settings(options: &Options) -> Settings {
    Settings {
        capacity: options.buffers.io_size * WRITE_BUFFERS,
        reconnect_capacity: options.reconnect.buf_size,
        send_asap: options.buffers.send_asap,
        flusher_wait: Duration::from_micros(options.buffers.flusher_wait_us.max(0) as u64),
        write_deadline_ms: options.buffers.write_deadline_ms,
    }
}
