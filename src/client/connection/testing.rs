//! A scripted server, and connections to it, for unit tests.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::IntoRawFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::client::connection::Connection;
use crate::client::connection::connect::{Outcome, connect};
use crate::client::connection::link::Link;
use crate::client::library;
use crate::client::library::defaults::Defaults;
use crate::client::options::Options;
use crate::client::options::handlers::ConnectionHandler;
use crate::client::subscription::{Request, Subscription};
use crate::io::socket::{Socket, TcpOptions};

pub(crate) const SOON: Duration = Duration::from_secs(20);

/// Serves connections; PINGs are answered.
pub(crate) struct Server {
    pub url: String,
    pub accepted: Receiver<TcpStream>,
    /// Lines of all connections, without those of the handshake's CONNECT.
    lines: Receiver<String>,
}

impl Server {
    /// `mute`: only the PING of a handshake is answered.
    pub(crate) fn start(mute: bool) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("nats://{}", listener.local_addr().unwrap());
        let ((accept, accepted), (tell, lines)) = (channel(), channel());
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let tell = tell.clone();
                let mut writer = stream.try_clone().unwrap();
                writer.write_all(b"INFO {\"max_payload\":1000,\"headers\":true}\r\n").unwrap();
                if accept.send(stream.try_clone().unwrap()).is_err() {
                    return;
                }
                thread::spawn(move || {
                    for (at, line) in BufReader::new(stream).lines().map_while(Result::ok).enumerate() {
                        let answered = !mute || at < 2;
                        if answered && line == "PING" && writer.write_all(b"PONG\r\n").is_err() {
                            break;
                        }
                        if !line.starts_with("CONNECT") {
                            let _ = tell.send(line);
                        }
                    }
                });
            }
        });
        Server { url, accepted, lines }
    }

    /// Ends the connection that was accepted longest ago.
    pub(crate) fn end_one(&self) {
        self.accepted.recv_timeout(SOON).unwrap().shutdown(Shutdown::Both).unwrap();
    }

    /// The lines up to one that begins like this.
    pub(crate) fn lines_until(&self, start: &str) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        while !lines.last().is_some_and(|line| line.starts_with(start)) {
            lines.push(self.lines.recv_timeout(SOON).unwrap_or_else(|_| panic!("no {start} in {lines:?}")));
        }
        lines
    }
}

pub(crate) fn connected(server: &Server) -> Arc<Connection> {
    connected_with(server, |_| {})
}

pub(crate) fn connected_with(server: &Server, set: impl FnOnce(&mut Options)) -> Arc<Connection> {
    let mut options = Options::new(&Defaults::default());
    options.set_url(Some(server.url.as_bytes())).unwrap();
    options.reconnect.allow = true;
    options.reconnect.wait_ms = 1;
    set(&mut options);
    match connect(options) {
        Ok(Outcome::Connected(connection)) => connection,
        _ => panic!("not connected"),
    }
}

/// A handler that sends this name.
pub(crate) fn telling<T: Copy + Send + Sync + 'static>(
    tell: &Sender<T>,
    what: T,
) -> Option<ConnectionHandler> {
    let tell = tell.clone();
    Some(Arc::new(move |_: &Arc<Connection>| {
        let _ = tell.send(what);
    }))
}

impl Connection {
    /// The link it has now.
    pub(super) fn link_now(&self) -> Arc<Link> {
        self.state.lock().link().cloned().expect("a connection that is up")
    }
}

/// A link of no connection, and its other end.
pub(super) fn link_with_peer() -> (Arc<Link>, UnixStream) {
    let (ours, peer) = UnixStream::pair().unwrap();
    let socket = Socket::from_fd(ours.into_raw_fd(), &TcpOptions::default()).unwrap();
    (Link::new(socket, None, Arc::default()), peer)
}

/// A link of no connection whose other end has gone.
pub(super) fn loose_link() -> Arc<Link> {
    link_with_peer().0
}

/// A connection that has not tried to connect.
pub(crate) fn unconnected(set: impl FnOnce(&mut Options)) -> Arc<Connection> {
    let mut options = Options::new(&Defaults::default());
    set(&mut options);
    Connection::new(library::core().unwrap(), options).unwrap()
}

/// A subscription that somebody has to read.
pub(crate) fn subscribed(connection: &Arc<Connection>, subject: &[u8]) -> Arc<Subscription> {
    connection.subscribe(Request { subject, queue: None, handler: None, timeout_ms: None }).unwrap()
}

/// A client that is connected.
pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    /// Reads up to this line; false when the client has gone.
    pub(crate) fn wait_for(&mut self, line: &str) -> bool {
        let mut read = String::new();
        while self.0.read_line(&mut read).is_ok_and(|n| n > 0) {
            if read.trim_end() == line {
                return true;
            }
            read.clear();
        }
        false
    }

    /// Reads up to a request, and says where its reply goes.
    pub(crate) fn reply_subject(&mut self) -> String {
        let mut line = String::new();
        while !line.starts_with("PUB") {
            line.clear();
            assert!(self.0.read_line(&mut line).is_ok_and(|n| n > 0), "no request");
        }
        line.split(' ').nth(2).expect("it wants a reply").to_owned()
    }

    pub(crate) fn say(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
    }
}

/// Connects to a server that shakes hands and then does this with its one client.
pub(crate) fn connect_to(
    serve: impl FnOnce(Client) + Send + 'static,
    set: impl FnOnce(&mut Options),
) -> Arc<Connection> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("nats://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut client = Client(BufReader::new(listener.accept().unwrap().0));
        client.0.get_mut().write_all(b"INFO {\"max_payload\":1048576,\"headers\":true}\r\n").unwrap();
        assert!(client.wait_for("PING"));
        client.say("PONG\r\n");
        serve(client);
    });
    let mut options = Options::new(&Defaults::default());
    options.set_url(Some(url.as_bytes())).unwrap();
    set(&mut options);
    match connect(options) {
        Ok(Outcome::Connected(connection)) => connection,
        _ => panic!("not connected"),
    }
}
