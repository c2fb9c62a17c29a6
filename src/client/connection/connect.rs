//! Connecting: the first pass over the servers, and the conversation with one server until it is ready.
//! Runs on the program's thread, or on a thread of its own when reconnecting.

use std::net::SocketAddr;
use std::sync::Arc;

use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;

use crate::client::connection::Connection;
use crate::client::connection::dialogue::Dialogue;
use crate::client::connection::link::Link;
use crate::client::connection::loss::Loss;
use crate::client::library;
use crate::client::options::Options;
use crate::error::{Error, Result, Status, fail};
use crate::io::clock::{self, Deadline};
use crate::io::dns::{self, Families};
use crate::io::socket::Socket;
use crate::session::pool::Server;
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
        let over = || thread_end::is_ending() || self.is_closed(); // a handler may have closed it
        if over() {
            return Err(failure);
        }
        if options.reconnect.on_failed_connect && options.handlers.connected.is_some() {
            self.retry_in_background()?;
            return Ok(Outcome::Retrying(Arc::clone(self)));
        }
        if options.reconnect.on_failed_connect {
            let mut passes = 1;
            while (options.reconnect.max <= 0 || passes <= options.reconnect.max) && !over() {
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
        self.state.lock().begin_retrying()?;
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
            let Some(server) = self.select_server(index) else { break };
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

    /// Makes a server the current one; `None` when there are less by now.
    fn select_server(&self, index: usize) -> Option<Server> {
        let pool = &mut self.state.lock().servers.pool;
        if index >= pool.len() {
            return None;
        }
        pool.select(index);
        pool.current().cloned()
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
            let _asking = self.state.ask()?;
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
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;
    use std::sync::mpsc::{RecvTimeoutError, channel};
    use std::thread;

    use super::*;
    use crate::client::connection::testing::{SOON, Server, telling, unconnected};
    use crate::client::library::defaults::Defaults;

    /// A server that does not speak the protocol.
    fn stranger() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("nats://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            for mut stream in listener.incoming().map_while(std::result::Result::ok) {
                let _ = stream.write_all(b"HELLO\r\n");
            }
        });
        url
    }

    /// Where nobody listens.
    fn nowhere() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("nats://{}", listener.local_addr().unwrap())
    }

    fn passed(servers: &[&str]) -> (Arc<Connection>, Option<Status>) {
        let connection = unconnected(|options| {
            options.servers.no_randomize = true;
            options.set_servers(servers.iter().map(|url| url.as_bytes())).unwrap();
        });
        let failure = connection.pass().err().map(|error| error.status());
        (connection, failure)
    }

    #[test]
    fn the_first_server_that_is_ready_is_taken() {
        let server = Server::start(false);
        let (connection, failure) = passed(&[&nowhere(), &stranger(), &server.url, &stranger()]);
        assert_eq!(failure, None);
        assert_eq!(connection.connected_url().unwrap(), server.url.as_bytes());
        connection.close();
    }

    #[test]
    fn a_server_that_was_reached_says_why_there_is_no_connection() {
        for (servers, expected) in [
            (vec![nowhere(), stranger()], Status::ProtocolError),
            (vec![nowhere(), nowhere()], Status::NoServer),
        ] {
            let urls: Vec<&str> = servers.iter().map(String::as_str).collect();
            let (connection, failure) = passed(&urls);
            assert_eq!(failure, Some(expected));
            connection.abandon();
        }
    }

    #[test]
    fn what_a_handler_has_closed_is_not_tried_again() {
        for in_background in [true, false] {
            let connection = unconnected(|options| {
                options.set_url(Some(nowhere().as_bytes())).unwrap();
                options.reconnect.on_failed_connect = true;
                options.reconnect.max = -1;
                options.handlers.connected = telling(&channel().0, ()).filter(|_| in_background);
            });
            connection.abandon();
            assert!(connection.first_connect().is_err() && connection.is_closed());
            assert!(connection.retry_in_background().is_err() && connection.is_closed());
        }
    }

    #[test]
    fn a_connect_that_fails_leaves_nothing_behind() {
        let (tell, told) = channel();
        let mut options = Options::new(&Defaults::default());
        options.set_url(Some(nowhere().as_bytes())).unwrap();
        options.handlers.closed = telling(&tell, "closed");
        drop(tell);
        assert!(connect(options).is_err());
        let ended = told.recv_timeout(SOON); // once all that could tell has gone
        assert_eq!(ended, Err(RecvTimeoutError::Disconnected), "nobody has a connection");
    }
}
