//! The smallest server there is, for unit tests.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use crate::client::connection::Connection;
use crate::client::connection::connect::{Outcome, connect};
use crate::client::library;
use crate::client::options::Options;
use crate::client::subscription::{Request, Subscription};

const INFO: &[u8] =
    b"INFO {\"server_id\":\"x\",\"version\":\"2.10.0\",\"proto\":1,\"headers\":true,\"max_payload\":1048576}\r\n";

/// A client that is connected.
pub struct Client(BufReader<TcpStream>);

impl Client {
    /// Reads up to this line; false when the client has gone.
    pub fn wait_for(&mut self, line: &str) -> bool {
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
    pub fn reply_subject(&mut self) -> String {
        let mut line = String::new();
        while !line.starts_with("PUB") {
            line.clear();
            assert!(self.0.read_line(&mut line).is_ok_and(|n| n > 0), "no request");
        }
        line.split(' ').nth(2).expect("it wants a reply").to_owned()
    }

    pub fn say(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
    }
}

/// Connects to a server that shakes hands and then does this with its one client.
pub fn connect_to(
    serve: impl FnOnce(Client) + Send + 'static,
    set: impl FnOnce(&mut Options),
) -> Arc<Connection> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("nats://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut client = Client(BufReader::new(listener.accept().unwrap().0));
        client.0.get_mut().write_all(INFO).unwrap();
        assert!(client.wait_for("PING"));
        client.say("PONG\r\n");
        serve(client);
    });
    let mut options = Options::new(&library::defaults());
    options.set_url(Some(url.as_bytes())).unwrap();
    set(&mut options);
    match connect(options) {
        Ok(Outcome::Connected(connection)) => connection,
        _ => panic!("not connected"),
    }
}

/// A connection that has not tried to connect.
pub fn unconnected() -> Arc<Connection> {
    Connection::new(library::core().unwrap(), Options::new(&library::defaults())).unwrap()
}

/// A subscription that somebody has to read.
pub fn subscribed(connection: &Arc<Connection>, subject: &[u8]) -> Arc<Subscription> {
    connection.subscribe(Request { subject, queue: None, handler: None, timeout_ms: None }).unwrap()
}
