//! Connecting: the first pass over the servers, and the conversation with one server until it is ready.
//! Runs on the program's thread, or on a thread of its own when reconnecting.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;

use crate::client::connection::event_loop::Call;
use crate::client::connection::link::{Link, Wrote};
use crate::client::connection::loss::Loss;
use crate::client::connection::waiter::Waiter;
use crate::client::connection::{Before, ConnStatus, Connection, State};
use crate::client::library;
use crate::client::options::Options;
use crate::client::pause;
use crate::error::{Error, Result, Status, fail};
use crate::io::clock::{self, Deadline};
use crate::io::dns::{self, Families};
use crate::io::socket::{Interest, Socket};
use crate::io::tls::{self, Peer};
use crate::proto::buffer::Buffer;
use crate::proto::connect::ConnectFields;
use crate::proto::encoder;
use crate::proto::info::{self, ServerInfo};
use crate::proto::memory;
use crate::session::handshake::{self, Handshake, Reply};
use crate::session::pool::{Announced, Server};
use crate::thread_end::{self, Ending};

/// Each address of a name gets at least this much of the connect timeout.
const MIN_PER_ADDRESS_MS: i64 = 10;

/// How a connect ended.
pub enum Outcome {
    Connected(Arc<Connection>),
    /// Not yet: the connection goes on trying in the background.
    Retrying(Arc<Connection>),
}

/// A failed attempt; a server that was reached makes another final status than one that was not.
pub(super) struct Attempt {
    pub reached: bool,
    pub error: Error,
}

/// Connects to one of the servers of the options.
pub fn connect(options: Options) -> Result<Outcome> {
    let connection = Connection::new(library::core()?, options)?;
    let mut result = connection.first_connect();
    if thread_end::is_ending() {
        result = Err(Ending.into()); // nobody is left to take the connection
    }
    if result.is_err() {
        connection.state.lock().events.end(); // the program has no handle to hear of
        connection.close_now(Loss::closed_by_user());
    }
    result
}

impl Connection {
    fn first_connect(self: &Arc<Self>) -> Result<Outcome> {
        let options = &self.options;
        let mut failure = match self.pass() {
            Ok(()) => return Ok(Outcome::Connected(Arc::clone(self))),
            Err(e) => e,
        };
        if thread_end::is_ending() {
            return Err(failure);
        }
        if options.reconnect.on_failed_connect && options.handlers.connected.is_some() {
            self.retry_in_background()?;
            return Ok(Outcome::Retrying(Arc::clone(self)));
        }
        if options.reconnect.on_failed_connect {
            let mut passes = 1;
            while (options.reconnect.max <= 0 || passes <= options.reconnect.max) && !thread_end::is_ending()
            {
                clock::sleep_or_end(Deadline::in_ms(options.reconnect.wait_ms));
                match self.pass() {
                    Ok(()) => return Ok(Outcome::Connected(Arc::clone(self))),
                    Err(e) => failure = e,
                }
                passes += 1;
            }
        }
        Err(failure)
    }

    fn retry_in_background(self: &Arc<Self>) -> Result<()> {
        self.set_status(&mut self.state.lock(), ConnStatus::Reconnecting);
        self.start_reconnecting(true).inspect_err(|_| {
            // The program gets no handle, so it hears of no close either.
            self.set_status(&mut self.state.lock(), ConnStatus::Connecting);
        })
    }

    /// Tries every server once, in order.
    fn pass(self: &Arc<Self>) -> Result<()> {
        let servers = self.state.lock().pool.len();
        let (mut reached, mut last) = (false, None);
        for index in 0..servers {
            let server = {
                let mut state = self.state.lock();
                if index >= state.pool.len() {
                    break;
                }
                state.pool.select(index);
                state.pool.current().cloned()
            };
            let Some(server) = server else { break };
            match self.attempt(&server) {
                Ok(()) => return Ok(()),
                // No other server helps against that.
                Err(Attempt { error, .. }) if error.status() == Status::NoMemory => return Err(error),
                Err(attempt) => {
                    reached |= attempt.reached;
                    last = Some(attempt.error);
                }
            }
            self.open()?;
        }
        match last {
            Some(error) if reached => Err(error),
            Some(error) => fail(Status::NoServer, error.text().to_owned()),
            None => Err(Status::NoServer.into()),
        }
    }

    /// Connects to one server, up to the state of being connected.
    pub(super) fn attempt(self: &Arc<Self>, server: &Server) -> std::result::Result<(), Attempt> {
        let deadline = Deadline::in_ms(self.options.servers.timeout_ms);
        if deadline.has_passed() {
            return Err(Attempt { reached: true, error: Status::Timeout.into() });
        }
        let socket = self.dial(server, deadline).map_err(|error| Attempt { reached: false, error })?;
        let after = |error| Attempt { reached: true, error };
        let link = Link::new(socket, self.event_loop().cloned(), Arc::clone(&self.vitals));
        let ready = Dialogue { link: &link, deadline, received: Vec::new() }.run(self, server);
        let (info, leftover) = ready.map_err(|error| {
            self.note_auth_failure(&error);
            after(error)
        })?;
        self.go_live(link, info, &leftover).map_err(after)
    }

    fn dial(&self, server: &Server, deadline: Deadline) -> Result<Socket> {
        let tcp = self.tcp_options();
        if let Some(proxy) = &self.options.servers.proxy_handler {
            let fd = proxy(server.url.resolvable_host(), server.url.port as i32)?;
            return Socket::from_fd(fd, &tcp);
        }
        let addresses = self.resolve(server)?;
        let share = self.options.servers.timeout_ms / addresses.len() as i64;
        let mut last = Error::from(Status::NoServer);
        for address in addresses {
            match Socket::connect(address, deadline.at_most_ms(share.max(MIN_PER_ADDRESS_MS)), &tcp) {
                Ok(socket) => return Ok(socket),
                Err(e) => last = e,
            }
        }
        Err(last)
    }

    fn resolve(&self, server: &Server) -> Result<Vec<SocketAddr>> {
        let families = Families::from_option(self.options.servers.ip_resolution_order);
        dns::resolve(server.url.resolvable_host(), server.url.port, families, |addresses| {
            if !self.options.servers.no_randomize {
                addresses.shuffle(&mut SmallRng::from_os_rng());
            }
        })
    }

    /// The server is ready: everything that waited goes out, reading begins.
    fn go_live(self: &Arc<Self>, link: Arc<Link>, info: ServerInfo, leftover: &[u8]) -> Result<()> {
        let others = Announced::new(&info)?;
        let mut state = self.state.lock();
        if state.status == ConnStatus::Closed {
            drop(state);
            link.discard();
            return Err(Status::ConnectionClosed.into());
        }
        if state.link.is_some() {
            drop(state);
            link.discard(); // another thread was quicker
            return Ok(());
        }
        // Under the table's lock: what is subscribed at this moment is sent here or by itself, never twice and never not.
        let table = self.subscriptions.lock();
        let mut first = Buffer::default();
        let told = table.resubscribe(&mut first).and_then(|()| self.requests.resubscribe(&mut first));
        if let Err(e) = told {
            drop((table, state));
            link.discard();
            return Err(e.into());
        }
        let connecting = state.status == ConnStatus::Connecting;
        let first_ever = std::mem::replace(&mut state.initial, false);
        let before = Before { status: state.status, initial: first_ever, attempts: 0 };
        self.take_info(&mut state, info, others, !first_ever);
        let before = Before { attempts: state.pool.reset_attempts_of_current(), ..before };
        state.last_error = None;
        state.link = Some(Arc::clone(&link));
        self.set_status(&mut state, ConnStatus::Connected);
        state.events.hold(); // it counts as up once its socket is watched
        if !connecting {
            self.tell_up(&mut state, &link, first_ever);
        }
        pause::at("go_live", self);
        let flush = self.outbound.go_live(&link, first, !connecting);
        drop(table);
        drop(state);
        self.start_ticks();
        self.begin_receiving(&link, leftover);
        let watched = self.start_watching(&link);
        let over = watched.is_err() && (self.back_out(&link, before) || self.is_closed());
        self.state.lock().events.let_go();
        if over {
            return watched;
        }
        self.carry_out(flush); // for nothing, if the link was lost meanwhile: who noticed that comes back
        Ok(())
    }

    /// Counts a connection that came up in the background, and posts its callback.
    fn tell_up(self: &Arc<Self>, state: &mut State, link: &Arc<Link>, first_ever: bool) {
        self.reconnects.fetch_add(1, Ordering::Relaxed);
        let options = &self.options;
        let handler = if first_ever { &options.handlers.connected } else { &options.handlers.reconnected };
        self.post_up(state, link, handler);
    }

    fn start_watching(self: &Arc<Self>, link: &Arc<Link>) -> Result<()> {
        match link.event_loop() {
            Some(event_loop) => {
                let made = Arc::new(Waiter::default());
                event_loop.post(Call::Attach(Arc::clone(self), Arc::clone(link), Arc::clone(&made)));
                event_loop.make_calls();
                made.wait(Deadline::NEVER)
            }
            None => link.watch(self.poller(), self.clone()),
        }
    }
}

/// The conversation from the first byte to the PONG, with one deadline for all of it.
struct Dialogue<'a> {
    link: &'a Link,
    deadline: Deadline,
    /// Read but not used yet.
    received: Vec<u8>,
}

impl Dialogue<'_> {
    /// Returns the server's INFO and what was read beyond the PONG.
    fn run(mut self, connection: &Arc<Connection>, server: &Server) -> Result<(ServerInfo, Vec<u8>)> {
        let options = &connection.options;
        if options.tls.first {
            self.secure(connection, server)?;
        }
        let line = self.line(b"\r\n", info::MAX_LINE)?;
        let info = Handshake::on_info_line(&line)?;
        self.received.clear(); // what came along with INFO, before any request of ours, is not used
        if Handshake::tls_step(&info, connection.is_secure())? && !options.tls.first {
            self.secure(connection, server)?;
        }
        Handshake::check_echo(&info, options.behaviour.no_echo)?;
        self.send_connect(connection, server, &info)?;
        let mut handshake = Handshake::new(options.behaviour.verbose);
        loop {
            let line = self.line(b"\n", handshake::MAX_REPLY)?;
            if handshake.on_reply_line(&line)? == Reply::Done {
                self.link.take_decrypted(&mut self.received)?;
                return Ok((info, self.received));
            }
        }
    }

    /// The TLS handshake; everything after it is encrypted.
    fn secure(&self, connection: &Connection, server: &Server) -> Result<()> {
        let host = server.url.resolvable_host();
        let peer = Peer { host, name: server.tls_name.as_deref().unwrap_or(host) };
        let session = tls::handshake(&*connection.tls_settings()?, peer, self.link.socket(), self.deadline)?;
        self.link.secure(session);
        Ok(())
    }

    fn send_connect(&self, connection: &Connection, server: &Server, info: &ServerInfo) -> Result<()> {
        let options = &connection.options;
        let login = connection.login(server, info)?;
        let fields = ConnectFields {
            verbose: options.behaviour.verbose,
            pedantic: options.behaviour.pedantic,
            nkey: login.nkey.as_deref(),
            jwt: login.jwt.as_deref(),
            sig: login.signature.as_deref(),
            user: login.user.as_deref(),
            pass: login.password.as_deref(),
            auth_token: login.token.as_deref(),
            tls_required: connection.is_secure(),
            name: options.behaviour.name.as_deref().unwrap_or_default(),
            echo: !options.behaviour.no_echo,
            headers: info.headers,
            no_responders: info.headers && !options.behaviour.disable_no_responders,
        };
        let mut bytes = zeroize::Zeroizing::new(fields.encode()?);
        bytes.extend_from_slice(encoder::PING);
        connection.open()?; // a credentials handler may have closed it
        thread_end::check()?; // or have ended the thread
        self.send(&bytes)
    }

    fn send(&self, bytes: &[u8]) -> Result<()> {
        let mut sent = 0;
        // A server that has gone is found out by the read that follows.
        while self.link.write_now(bytes, &mut sent)? == Wrote::Part {
            self.link.wait_writable(self.deadline)?;
        }
        Ok(())
    }

    /// The next line, without its end; of `limit` bytes at most, with its end.
    fn line(&mut self, end: &[u8], limit: usize) -> Result<Vec<u8>> {
        let mut searched = 0;
        loop {
            let found = memchr::memmem::find(&self.received[searched..], end).map(|at| searched + at);
            if found.unwrap_or(self.received.len()) + end.len() > limit {
                return Err(Status::LineTooLong.into());
            }
            if let Some(at) = found {
                let rest = memory::copy(&self.received[at + end.len()..])?;
                let mut line = std::mem::replace(&mut self.received, rest);
                line.truncate(at);
                return Ok(line);
            }
            searched = self.received.len().saturating_sub(end.len() - 1);
            self.read_more()?;
        }
    }

    fn read_more(&mut self) -> Result<()> {
        let mut chunk = [0; 4096];
        loop {
            if let Some(n) = self.link.read(&mut chunk)? {
                return memory::extend(&mut self.received, &chunk[..n]);
            }
            if !self.link.socket().wait_or_end(Interest::Read, self.deadline)? {
                return fail(Status::Timeout, "the server did not answer in time");
            }
        }
    }
}
