//! A connection to a NATS server: its state, its loss and its end. Connecting is in `connect`, coming back in
//! `reconnect`, what arrives in `inbound`, what leaves in `outbound`.
//!
//! Locks are taken in this order: state, liveness, subscriptions, requests, outbound, a link's watch, a subscription's own.
//! Under the state's lock also those of the queues are taken in which something is only put: events and calls of an event
//! loop's adapter.
//! None is held while a callback of the program runs, while the socket is used, or while waiting for anything else.

pub mod connect;
mod credentials;
mod drain;
mod event_loop;
mod events;
mod inbound;
mod link;
mod liveness;
pub mod loss;
#[cfg(test)]
mod mock;
mod outbound;
pub mod publish;
mod reconnect;
#[cfg(test)]
mod refused;
mod requests;
pub mod stats;
mod subscriptions;
#[cfg(test)]
pub mod told;
pub mod vitals;
mod waiter;

use std::ffi::{CStr, CString, c_char};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, AtomicUsize, Ordering, fence};
use std::time::Duration;

use crate::sync::{Condvar, Mutex, MutexGuard};
use rand::SeedableRng;
use rand::rngs::SmallRng;

use crate::client::connection::event_loop::{Attachment, Call};
use crate::client::connection::events::Events;
use crate::client::connection::inbound::Inbound;
use crate::client::connection::link::Link;
use crate::client::connection::loss::{Disconnect, Loss, Reason};
use crate::client::connection::outbound::{Outbound, Settings, Then};
use crate::client::connection::reconnect::FIRST_TRY_FOR_THREAD;
use crate::client::connection::requests::Requests;
use crate::client::connection::stats::Statistics;
use crate::client::connection::subscriptions::Subscriptions;
use crate::client::connection::vitals::Vitals;
use crate::client::connection::waiter::Waiter;
use crate::client::library::Core;
use crate::client::options::Options;
use crate::client::pause;
use crate::client::subscription::End;
use crate::error::{Error, Result, Status, TextBuffer, fail, shown};
use crate::io::clock::{self, Deadline};
use crate::io::fork::Process;
use crate::io::poller::Poller;
use crate::io::threads::ThreadId;
use crate::io::timer;
use crate::io::tls;
use crate::proto::info::ServerInfo;
use crate::proto::memory;
use crate::session::liveness::Liveness;
use crate::session::pool::ServerPool;
use crate::thread_end;
use crate::thread_end::{Held, Uncut};

/// The write buffer holds this many times the I/O buffer size: fewer, larger writes.
const WRITE_BUFFERS: usize = 8;
/// How long a close waits for the server to confirm what was published.
const CLOSE_FLUSH_MS: i64 = 500;
/// A socket that a publisher has been waiting on for this long is not worth that wait.
const STUCK: Duration = Duration::from_millis(50);
/// The wait of a flush or a round-trip measurement without a time of its own.
pub const FLUSH_TIMEOUT_MS: i64 = 10_000;

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
    /// TLS is required: by the options, or since a server asked for it.
    secure: AtomicBool,
    /// The TLS settings in use: those of the options, or the defaults once a server asked for TLS.
    tls: Mutex<Option<Arc<tls::Settings>>>,
    /// Handles that the program holds, of the connection and of its subscriptions.
    users: AtomicUsize,
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
    liveness: Mutex<Liveness>,
    tick: Mutex<Option<timer::Key>>,
    /// A keep-alive PING waits for the poller to come and write it.
    ping_waits: AtomicBool,
    vitals: Arc<Vitals>,
    last_disconnect: Mutex<Option<Arc<Disconnect>>>,
    /// What programs were given as text of the last error; it stays where it is.
    shown_error: Mutex<Option<Box<TextBuffer>>>,
    received: AtomicU64,
    received_bytes: AtomicU64,
    reconnects: AtomicU64,
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
        let pool = ServerPool::new(
            options.servers.url.as_deref(),
            &options.servers.list,
            !options.servers.no_randomize,
            &mut rng,
        )?;
        let settings = Settings {
            capacity: options.buffers.io_size * WRITE_BUFFERS,
            reconnect_capacity: options.reconnect.buf_size,
            send_asap: options.buffers.send_asap,
            flusher_wait: Duration::from_micros(options.buffers.flusher_wait_us.max(0) as u64),
            write_deadline_ms: options.buffers.write_deadline_ms,
        };
        let vitals = Arc::new(Vitals::default());
        let mut liveness = Liveness::new(options.liveness.ping_interval_ms, options.liveness.max_pings_out);
        liveness.set_pong_timeout(options.liveness.pong_timeout_ms);
        liveness.set_max_detection(options.liveness.max_detection_ms);
        vitals.mirror(&liveness);
        Ok(Arc::new(Connection {
            poller: core.poller(),
            event_loop: options.handlers.event_loop.as_ref().map(|make| Arc::new(Attachment::new(make()))),
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
            requests: Requests::new(options.behaviour.custom_inbox_prefix.clone()),
            outbound: Outbound::new(settings, Arc::clone(&vitals)),
            inbound: Mutex::default(),
            liveness: Mutex::new(liveness),
            tick: Mutex::new(None),
            ping_waits: AtomicBool::new(false),
            vitals,
            last_disconnect: Mutex::new(None),
            shown_error: Mutex::new(None),
            received: AtomicU64::new(0),
            received_bytes: AtomicU64::new(0),
            reconnects: AtomicU64::new(0),
            secure: AtomicBool::new(options.tls.required),
            tls: Mutex::new(options.tls.settings.take()),
            users: AtomicUsize::new(0),
            name: options.behaviour.name.as_deref().map(memory::c_text).transpose()?,
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

    /// Whether TLS is required.
    fn is_secure(&self) -> bool {
        self.secure.load(Ordering::Relaxed)
    }

    /// Whether TLS is required or was ever set up.
    fn may_use_tls(&self) -> bool {
        self.is_secure() || self.tls.lock().is_some()
    }

    /// How TLS is done; it is required from now on.
    fn tls_settings(&self) -> Result<Arc<tls::Settings>> {
        let mut held = self.tls.lock();
        self.open()?; // closed, it may have released those of its options
        let settings = match &*held {
            Some(settings) => Arc::clone(settings),
            None => Arc::clone(held.insert(Arc::new(tls::Settings::new()?))),
        };
        drop(held);
        self.secure.store(true, Ordering::Relaxed);
        Ok(settings)
    }

    /// The program got a handle of the connection or of one of its subscriptions.
    pub fn add_user(&self) {
        self.users.fetch_add(1, Ordering::Relaxed);
    }

    /// The program gave such a handle back. With the last one of a closed connection the TLS settings can be changed
    /// again, whoever of the library's threads still looks at the connection. An open one goes on needing them: an event
    /// loop that could not attach gives back the first handle there was.
    pub fn remove_user(&self) {
        if self.users.fetch_sub(1, Ordering::AcqRel) == 1 {
            fence(Ordering::SeqCst);
            if self.is_closed() {
                self.release_tls();
            }
        }
    }

    /// Nobody has a handle any more: the close releases the TLS settings, or who gave the last one back after it.
    fn release_tls_if_unused(&self) {
        fence(Ordering::SeqCst); // between the status and the count, as `remove_user` has one the other way round
        if self.users.load(Ordering::Acquire) == 0 {
            self.release_tls();
        }
    }

    /// The connection is over: its options' TLS settings are not in use any more.
    fn release_tls(&self) {
        *self.tls.lock() = None;
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

    // ---- getters ----

    pub fn name(&self) -> Option<&CStr> {
        self.name.as_deref()
    }

    pub fn max_payload(&self) -> i64 {
        self.state.lock().info.max_payload
    }

    pub fn has_header_support(&self) -> bool {
        self.state.lock().info.headers
    }

    /// Unsent bytes of the write buffer; `None` before the first connect ended and after the close.
    pub fn buffered(&self) -> Option<usize> {
        let state = self.state.lock();
        let usable = !matches!(state.status, ConnStatus::Closed | ConnStatus::Connecting);
        drop(state);
        usable.then(|| self.outbound.buffered())
    }

    pub fn statistics(&self) -> Statistics {
        let (out_msgs, out_bytes) = self.outbound.published();
        Statistics {
            in_msgs: self.received.load(Ordering::Relaxed),
            in_bytes: self.received_bytes.load(Ordering::Relaxed),
            out_msgs,
            out_bytes,
            reconnects: self.reconnects.load(Ordering::Relaxed),
        }
    }

    /// What `read` finds out about the server connected to; nothing unless connected or connecting.
    pub fn of_server<T: Default>(&self, read: impl FnOnce(&ServerPool, &ServerInfo) -> T) -> T {
        let state = self.state.lock();
        match state.visible_status() {
            ConnStatus::Connected | ConnStatus::Connecting => read(&state.pool, &state.info),
            _ => T::default(),
        }
    }

    /// The URL connected to, with what it says of credentials.
    pub fn connected_url(&self) -> Result<Vec<u8>> {
        let url = self.of_server(|pool, _| pool.current().map(|server| Arc::clone(&server.url)));
        url.map_or(Ok(Vec::new()), |url| memory::copy(&url.full))
    }

    pub fn connected_server_id(&self) -> Result<Vec<u8>> {
        self.of_server(|_, info| Some(memory::copy(info.server_id.as_bytes()))).unwrap_or(Ok(Vec::new()))
    }

    pub fn connected_server_name(&self) -> Result<Vec<u8>> {
        self.of_server(|_, info| Some(memory::copy(info.server_name.as_bytes()))).unwrap_or(Ok(Vec::new()))
    }

    /// The servers of the pool, or those of them that were announced by a server.
    pub fn servers(&self, only_discovered: bool) -> Result<Vec<Vec<u8>>> {
        self.state.lock().pool.public_urls(only_discovered)
    }

    /// The server's number for this connection, 0 when it gives none.
    pub fn client_id(&self) -> Result<u64> {
        self.open()?;
        Ok(self.state.lock().info.client_id)
    }

    /// The address the server sees this connection come from.
    pub fn client_ip(&self) -> Result<Vec<u8>> {
        self.open()?;
        match &self.state.lock().info.client_ip {
            Some(ip) if !ip.is_empty() => memory::copy(ip.as_bytes()),
            _ => Err(Status::NoServerSupport.into()),
        }
    }

    /// Address and port of this end.
    pub fn local_address(&self) -> Result<std::net::SocketAddr> {
        self.open()?;
        let state = self.state.lock(); // while it is held, an event loop does not close the descriptor
        let link = state.link.as_ref().ok_or(Status::ConnectionDisconnected)?;
        link.socket().local_address().map_err(|e| Error::new(Status::SysError, e.to_string()))
    }

    /// The connection's last error: status and text.
    pub fn last_error(&self) -> Option<(Status, Vec<u8>)> {
        self.state.lock().last_error.clone().filter(|(status, _)| *status != Status::Ok)
    }

    /// The same with the text as a C string, which is there as long as the connection and changes with the next call.
    pub fn last_error_for_good(&self) -> (Status, *const c_char) {
        let (status, text) = self.last_error().unwrap_or((Status::Ok, Vec::new()));
        let mut shown = self.shown_error.lock();
        let shown = shown.get_or_insert_with(|| Box::new(TextBuffer::EMPTY));
        shown.set(&text);
        (status, shown.as_c_str().as_ptr())
    }

    // ---- flush and round trip ----

    /// Sends a PING and waits for its PONG: then the server has everything published before.
    pub fn flush(self: &Arc<Self>, timeout_ms: i64) -> Result<()> {
        if timeout_ms <= 0 {
            return Err(Status::InvalidTimeout.into());
        }
        self.round_trip(Deadline::in_ms(timeout_ms))
    }

    /// The time a PING and its PONG take.
    pub fn measure_rtt(self: &Arc<Self>) -> Result<Duration> {
        self.open()?;
        if self.status() == ConnStatus::Reconnecting {
            return Err(Status::ConnectionDisconnected.into());
        }
        let start = clock::monotonic();
        self.round_trip(Deadline::in_ms(FLUSH_TIMEOUT_MS))?;
        Ok(clock::monotonic() - start)
    }

    fn round_trip(self: &Arc<Self>, deadline: Deadline) -> Result<()> {
        self.open()?;
        let waiter = Arc::new(Waiter::default());
        let then = self.outbound.ping(Arc::clone(&waiter))?;
        self.carry_out(then);
        let result = waiter.wait(deadline);
        if result.is_err() {
            self.outbound.forget(&waiter);
        }
        result
    }

    /// Does what the outbound side asked for.
    #[inline]
    fn carry_out(self: &Arc<Self>, then: Then) {
        if then == Then::RequestFlush {
            self.request_flush();
        }
    }

    /// The same for a quick call, whose door has to be told when an adapter has ended the thread. Like a write, a call of an
    /// adapter is a cancellation point, once it is over.
    #[inline]
    fn carry_out_quickly(self: &Arc<Self>, then: Then) -> Result<()> {
        if then == Then::RequestFlush {
            self.request_flush();
            self.check_after_adapter()?;
        }
        Ok(())
    }

    fn check_after_adapter(&self) -> Result<()> {
        if self.event_loop.is_some() {
            thread_end::point()?;
        }
        Ok(())
    }

    #[cold]
    fn request_flush(self: &Arc<Self>) {
        match &self.event_loop {
            None => self.poller.request_flush(self.clone()),
            Some(event_loop) => {
                event_loop.post(Call::Write(true));
                self.make_calls(event_loop);
            }
        }
    }

    // ---- loss ----

    /// The link is broken. Whoever notices first starts the reconnect, or the close where that is not allowed;
    /// later calls for the same link do nothing. Waits for nothing.
    fn connection_lost(self: &Arc<Self>, link: &Arc<Link>, loss: Loss) {
        let mut state = self.state.lock();
        if !state.is_current(link) {
            return;
        }
        self.count_stale(loss.reason);
        if !self.options.reconnect.allow || state.status != ConnStatus::Connected {
            state.note_error(&loss.error);
            let told = !link.write_timed_out();
            if !told {
                state.note_error(&Status::ConnectionClosed.into());
            }
            self.shut(state, told, loss);
            return;
        }
        let disconnect = self.note_disconnect(&state, link, &loss);
        state.unlink();
        state.last_error = None;
        self.set_status(&mut state, ConnStatus::Reconnecting);
        let waiters = self.outbound.go_down();
        self.tell_event_loop(&mut state, link, Connection::come_back);
        self.post_disconnect(&mut state, disconnect);
        drop(state);
        pause::at("unlinked", self);
        self.stop_ticks();
        link.take_down();
        let lost = || Err(Error::from(Status::ConnectionDisconnected));
        waiters.iter().for_each(|w| w.complete(lost()));
        pause::at("lost", self);
        if self.options.behaviour.fail_requests_on_disconnect {
            self.requests.fail_all(Status::ConnectionDisconnected);
        }
        match link.event_loop() {
            Some(event_loop) => self.make_calls(event_loop),
            None => self.come_back(Ok(())),
        }
    }

    /// Has an event loop let go of a link; the program hears of nothing before that, and then `then` is done.
    fn tell_event_loop(
        self: &Arc<Self>,
        state: &mut State,
        link: &Arc<Link>,
        then: impl FnOnce(&Arc<Connection>, Result<()>) + Send + 'static,
    ) {
        let Some(event_loop) = link.event_loop() else { return };
        state.events.hold();
        let connection = Arc::clone(self);
        let then = move |let_go| {
            connection.state.lock().events.let_go();
            then(&connection, let_go);
        };
        event_loop.post(Call::Release(Arc::clone(link), Box::new(then)));
    }

    /// Makes the calls that wait for the event loop, on this thread if that may be.
    fn make_calls(&self, event_loop: &Arc<Attachment>) {
        let event_loop = Arc::clone(event_loop);
        self.core.helpers.run(move || event_loop.make_calls());
    }

    /// Starts the reconnect, unless the event loop could not let go of the lost socket.
    fn come_back(self: &Arc<Self>, let_go: Result<()>) {
        match let_go {
            Ok(()) => self.come_back_soon(FIRST_TRY_FOR_THREAD),
            Err(_) => self.close_now(Loss::new(Reason::IoError, Status::ConnectionClosed)),
        }
    }

    /// Takes down all that is known about a loss, while the link is still there.
    fn note_disconnect(&self, state: &State, link: &Link, loss: &Loss) -> Arc<Disconnect> {
        let tcp = link.socket().tcp_state();
        let disconnect = Arc::new(Disconnect {
            reason: link.reason().unwrap_or(loss.reason),
            status: loss.error.status(),
            text: shown(loss.error.text().as_bytes()).into_owned(),
            at: clock::wall(),
            pings_outstanding: self.vitals.pulse().outstanding,
            since_in: self.vitals.since_in(),
            since_out: self.vitals.since_out(),
            bytes_unsent: self.outbound.buffered() as u64 + link.socket().unsent().unwrap_or(0),
            rtt_smoothed: self.vitals.rtt_smoothed(),
            // Without memory for it it is empty; that it is lost is told all the same.
            server_url: state.pool.current().and_then(|server| server.url.public().ok()).unwrap_or_default(),
            server_id: copy_of(&state.info.server_id),
            lame_duck: state.info.lame_duck,
            tcp_retransmits: tcp.map(|tcp| tcp.retransmits),
            tcp_unacked: tcp.map(|tcp| tcp.unacked),
        });
        *self.last_disconnect.lock() = Some(Arc::clone(&disconnect));
        disconnect
    }

    /// The last loss of a connection to a server, its end by a close included; `None` while there was none.
    pub fn last_disconnect(&self) -> Option<Arc<Disconnect>> {
        self.last_disconnect.lock().clone()
    }

    /// Breaks the connection off; the usual reconnect follows.
    pub fn reconnect(self: &Arc<Self>) -> Result<()> {
        self.open()?;
        let link = self.state.lock().link.clone();
        if let Some(link) = link {
            self.connection_lost(&link, Loss::new(Reason::Forced, Status::ConnectionClosed));
        }
        Ok(())
    }

    // ---- end ----

    /// Closes: what was published goes out first if the server takes it, within half a second. A cancelled thread ends
    /// when that is done.
    pub fn close(self: &Arc<Self>) {
        let uncut = Uncut::new();
        if self.status() == ConnStatus::Connected && self.outbound.publisher_blocked_for() < STUCK {
            let _ = self.round_trip(Deadline::in_ms(CLOSE_FLUSH_MS));
        }
        self.close_now(Loss::closed_by_user());
        drop(uncut);
        let _ = Held::new().check(); // the door sees to the rest
    }

    /// Closes a connection whose code has failed in the middle of something.
    pub fn abandon(self: &Arc<Self>) {
        self.close_now(Loss::new(Reason::Forced, Status::ConnectionClosed));
    }

    /// Closes without waiting for the server.
    fn close_now(self: &Arc<Self>, loss: Loss) {
        self.shut(self.state.lock(), true, loss);
    }

    /// Closes because of what came over a link, unless that is not the connection's any more.
    fn close_link(self: &Arc<Self>, link: &Arc<Link>, loss: Loss) {
        let mut state = self.state.lock();
        if state.is_current(link) {
            state.note_error(&loss.error);
            self.shut(state, true, loss);
        }
    }

    fn shut(self: &Arc<Self>, mut state: MutexGuard<'_, State>, tell_disconnected: bool, loss: Loss) {
        if state.status == ConnStatus::Closed {
            return;
        }
        state.closed_while_reconnecting = state.status == ConnStatus::Reconnecting;
        let never_connected = state.status == ConnStatus::Connecting;
        if state.closed_while_reconnecting {
            state.note_no_server();
        }
        self.set_status(&mut state, ConnStatus::Closed);
        let link = state.unlink();
        let disconnect = link.as_ref().map(|link| self.note_disconnect(&state, link, &loss));
        let waiters = self.outbound.close();
        state.events.hold();
        if let Some(link) = &link {
            self.tell_event_loop(&mut state, link, |_, _| {});
        }
        if let Some(disconnect) = disconnect.filter(|_| tell_disconnected) {
            self.post_disconnect(&mut state, disconnect);
        }
        if !never_connected {
            self.post(&mut state, &self.options.handlers.closed);
        }
        state.events.end();
        let detached = Arc::new(Waiter::default());
        if let Some(event_loop) = &self.event_loop {
            event_loop.post(Call::Detach(Arc::clone(&detached)));
        }
        drop(state);
        self.woken.notify_all();
        self.release_tls_if_unused();
        self.stop_ticks();
        if let Some(link) = &link {
            link.take_down();
        }
        let closed = || Err(Error::from(Status::ConnectionClosed));
        waiters.iter().for_each(|w| w.complete(closed()));
        self.requests.fail_all(Status::ConnectionClosed);
        for subscription in self.subscriptions.take_all() {
            subscription.close(End::ConnectionClosed);
        }
        self.state.lock().events.let_go();
        if let Some(event_loop) = self.event_loop.clone() {
            self.core.helpers.run(move || {
                event_loop.make_calls();
                event_loop.wait_for(&detached);
            });
        }
    }

    /// Takes back what made a link the connection's, which then turns out not to be usable. False when there is nothing
    /// to take back: it was lost meanwhile, and who noticed that comes back or has closed.
    fn back_out(&self, link: &Arc<Link>, before: Before) -> bool {
        let mut state = self.state.lock();
        if !state.is_current(link) {
            return false;
        }
        state.unlink();
        state.initial = before.initial;
        self.set_status(&mut state, before.status);
        if let Some(server) = state.pool.current_mut() {
            server.attempts = before.attempts; // a server is not reached for good before its link can be used
        }
        state.events.retract_up(link);
        if before.status == ConnStatus::Reconnecting {
            self.reconnects.fetch_sub(1, Ordering::Relaxed);
        }
        let waiters = self.outbound.go_down();
        drop(state);
        self.stop_ticks();
        link.discard();
        let lost = || Err(Error::from(Status::ConnectionDisconnected));
        waiters.iter().for_each(|w| w.complete(lost()));
        self.outbound.settle(); // the rest of a frame must not go to the next link
        true
    }
}

/// Empty where there is no memory for it.
fn copy_of(text: &str) -> String {
    let mut copy = String::new();
    if copy.try_reserve_exact(text.len()).is_ok() {
        copy.push_str(text);
    }
    copy
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

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::client::connection::mock::connect_to;
    use crate::client::pause::Hold;

    #[test]
    fn nothing_more_is_read_from_a_link_once_it_is_not_the_connections() {
        let connection = connect_to(
            |mut client| assert!(!client.wait_for("never")),
            |options| options.reconnect.allow = true,
        );
        let link = connection.state.lock().link.clone().unwrap();
        let hold = Hold::at("unlinked", &connection);
        let loser = Arc::clone(&connection);
        let loser = thread::spawn(move || loser.reconnect());
        hold.wait_for_one();
        assert!(link.is_down());
        drop(hold);
        loser.join().unwrap().unwrap();
        connection.abandon();
    }
}
