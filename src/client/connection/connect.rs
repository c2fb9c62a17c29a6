//! Connecting: the first pass over the servers, and the conversation with one server until it is ready.
//! Runs on the program's thread, or on a thread of its own when reconnecting.

use std::net::SocketAddr;
use std::sync::Arc;

use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;

use crate::client::connection::dialogue::Dialogue;
use crate::client::connection::event_loop::Call;
use crate::client::connection::link::Link;
use crate::client::connection::loss::Loss;
use crate::client::connection::waiter::Waiter;
use crate::client::connection::{ConnStatus, Connection};
use crate::client::library;
use crate::client::options::Options;
use crate::client::pause;
use crate::error::{Error, Result, Status, fail};
use crate::io::clock::{self, Deadline};
use crate::io::dns::{self, Families};
use crate::io::socket::Socket;
use crate::proto::buffer::Buffer;
use crate::proto::info::ServerInfo;
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
        connection.state.lock().end_events(); // the program has no handle to hear of
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
        if options.retry_on_failed_connect && options.connected_handler.is_some() {
            self.retry_in_background()?;
            return Ok(Outcome::Retrying(Arc::clone(self)));
        }
        if options.retry_on_failed_connect {
            let mut passes = 1;
            while (options.max_reconnect <= 0 || passes <= options.max_reconnect) && !thread_end::is_ending()
            {
                clock::sleep_or_end(Deadline::in_ms(options.reconnect_wait_ms));
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
        self.state.lock().begin_retrying();
        self.start_reconnecting(true).inspect_err(|_| {
            // The program gets no handle, so it hears of no close either.
            self.state.lock().give_up_retrying();
        })
    }

    /// Tries every server once, in order.
    fn pass(self: &Arc<Self>) -> Result<()> {
        let servers = self.state.lock().servers.pool.len();
        let (mut reached, mut last) = (false, None);
        for index in 0..servers {
            let server = {
                let mut state = self.state.lock();
                let pool = &mut state.servers.pool;
                if index >= pool.len() {
                    break;
                }
                pool.select(index);
                pool.current().cloned()
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
        let deadline = Deadline::in_ms(self.options.timeout_ms);
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
        if let Some(proxy) = &self.options.proxy_handler {
            let fd = proxy(server.url.resolvable_host(), server.url.port as i32)?;
            return Socket::from_fd(fd, &tcp);
        }
        let addresses = self.resolve(server)?;
        let share = self.options.timeout_ms / addresses.len() as i64;
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
        let families = Families::from_option(self.options.ip_resolution_order);
        dns::resolve(server.url.resolvable_host(), server.url.port, families, |addresses| {
            if !self.options.no_randomize {
                addresses.shuffle(&mut SmallRng::from_os_rng());
            }
        })
    }

    /// The server is ready: everything that waited goes out, reading begins.
    fn go_live(self: &Arc<Self>, link: Arc<Link>, info: ServerInfo, leftover: &[u8]) -> Result<()> {
        let others = Announced::new(&info)?;
        let mut state = self.state.lock();
        if state.status() == ConnStatus::Closed {
            drop(state);
            link.discard();
            return Err(Status::ConnectionClosed.into());
        }
        if state.link().is_some() {
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
        let came_up_before = !state.is_initial();
        self.take_info(&mut state, info, others, came_up_before);
        let before = state.come_up(&link);
        if before.in_background() {
            self.counters.note_reconnect();
        }
        pause::at("go_live", self);
        let flush = self.outbound.go_live(&link, first, before.in_background());
        drop(table);
        drop(state);
        pause::at("unwatched", self);
        self.start_ticks();
        self.begin_receiving(&link, leftover);
        let watched = self.start_watching(&link);
        let over = watched.is_err() && (self.back_out(&link, before) || self.is_closed());
        self.state.lock().let_events_go();
        if over {
            return watched;
        }
        self.carry_out(flush); // for nothing, if the link was lost meanwhile: who noticed that comes back
        Ok(())
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
