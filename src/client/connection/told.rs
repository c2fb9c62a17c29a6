//! Tests of what a server is told by a connection, and of what a connection takes from whom: with a scripted server.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::IntoRawFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use crate::client::connection::Connection;
use crate::client::connection::connect::{Outcome, connect};
use crate::client::connection::link::Link;
use crate::client::connection::waiter::Waiter;
use crate::client::library::defaults::Defaults;
use crate::client::options::Options;
use crate::client::pause::Hold;
use crate::client::subscription::Request;
use crate::error::Status;
use crate::io::clock::Deadline;
use crate::io::socket::{Socket, TcpOptions};

pub const SOON: Duration = Duration::from_secs(20);

/// Serves connections; PINGs are answered.
pub struct Server {
    pub url: String,
    pub accepted: Receiver<TcpStream>,
    /// Lines of all connections, without those of the handshake's CONNECT.
    lines: Receiver<String>,
}

impl Server {
    /// `mute`: only the PING of a handshake is answered.
    pub fn start(mute: bool) -> Server {
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
    fn end_one(&self) {
        self.accepted.recv_timeout(SOON).unwrap().shutdown(Shutdown::Both).unwrap();
    }

    /// The lines up to one that begins like this.
    pub fn lines_until(&self, start: &str) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        while !lines.last().is_some_and(|line| line.starts_with(start)) {
            lines.push(self.lines.recv_timeout(SOON).unwrap_or_else(|_| panic!("no {start} in {lines:?}")));
        }
        lines
    }
}

pub fn connected(server: &Server) -> Arc<Connection> {
    connected_with(server, |_| {})
}

pub fn connected_with(server: &Server, set: impl FnOnce(&mut Options)) -> Arc<Connection> {
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

/// Does `work` on a thread of its own while a reconnect stands between having gathered what the server is to be told and
/// saying it. What `work` waits for, if it does, comes after that.
fn while_coming_up(server: &Server, connection: &Arc<Connection>, work: impl FnOnce() + Send) {
    thread::scope(|scope| {
        let hold = Hold::at("go_live", connection);
        server.end_one();
        hold.wait_for_one();
        let worker = scope.spawn(work);
        thread::sleep(Duration::from_millis(100)); // as far as it gets
        drop(hold);
        worker.join().unwrap();
    });
    connection.flush(10_000).unwrap();
}

#[test]
fn the_first_request_while_a_connection_comes_up_subscribes_to_replies() {
    let server = Server::start(false);
    let connection = connected(&server);
    while_coming_up(&server, &connection, || {
        let failure = connection.request(b"foo", None, b"", 200).err().unwrap();
        assert_eq!(failure.status(), Status::Timeout);
    });
    let lines = server.lines_until("PUB foo");
    assert!(lines.iter().any(|line| line.starts_with("SUB _INBOX")), "{lines:?}");
    connection.close();
}

#[test]
fn what_is_subscribed_and_unsubscribed_while_a_connection_comes_up_is_told_once() {
    let request = |subject| Request { subject, queue: None, handler: None, timeout_ms: None };
    let server = Server::start(false);
    let connection = connected(&server);
    let limited = connection.subscribe(request(b"limited")).unwrap();
    let ended = connection.subscribe(request(b"ended")).unwrap();
    let drained = connection.subscribe(request(b"drained")).unwrap();
    let dropped = connection.subscribe(request(b"dropped")).unwrap();
    connection.flush(10_000).unwrap();
    server.lines_until("SUB dropped");
    while_coming_up(&server, &connection, || {
        connection.unsubscribe(&limited, 7).unwrap();
        connection.unsubscribe(&ended, 0).unwrap();
        connection.drain_subscription(&drained, 5000).unwrap();
        connection.destroy_subscription(&dropped);
        connection.subscribe(request(b"new")).unwrap();
    });
    connection.publish(end_mark(), crate::client::connection::publish::Flush::Now).unwrap();
    let mut lines = server.lines_until("PUB end");
    lines.retain(|line| line.contains("SUB"));
    lines.sort();
    let expected = [
        "SUB drained  3",
        "SUB dropped  4",
        "SUB ended  2",
        "SUB limited  1",
        "SUB new  5",
        "UNSUB 1 7",
        "UNSUB 2 ",
        "UNSUB 3 ",
        "UNSUB 4 ",
    ];
    assert_eq!(lines, expected);
    connection.close();
}

fn end_mark() -> crate::client::connection::publish::Outgoing<'static> {
    crate::client::connection::publish::Outgoing { subject: b"end", reply: None, headers: None, payload: b"" }
}

#[test]
fn a_limit_set_while_its_last_message_is_delivered_ends_the_subscription() {
    let server = Server::start(false);
    let connection = connected(&server);
    let mut stream = server.accepted.recv_timeout(SOON).unwrap();
    let ((delivered, deliveries), (ended, end)) = (channel(), channel());
    let handler = Box::new(move |_: &_, _: &_, _: Option<_>| {
        delivered.send(()).unwrap();
        Ok(())
    });
    let sub = connection
        .subscribe(Request { subject: b"foo", queue: None, handler: Some(handler), timeout_ms: None })
        .unwrap();
    sub.set_on_complete(Some(Box::new(move || ended.send(()).unwrap()))).unwrap();
    sub.start();
    stream.write_all(b"MSG foo 1 1\r\nx\r\n").unwrap();
    deliveries.recv_timeout(SOON).unwrap();
    let hold = Hold::at("deliver", &sub);
    stream.write_all(b"MSG foo 1 1\r\nx\r\n").unwrap();
    hold.wait_for_one();
    connection.unsubscribe(&sub, 2).unwrap();
    drop(hold);
    end.recv_timeout(SOON).expect("the subscription never ends");
    assert_eq!((sub.delivered(), deliveries.try_iter().count()), (2, 1));
    connection.close();
}

#[test]
fn what_comes_late_over_an_earlier_link_changes_nothing() {
    let server = Server::start(true);
    let connection = connected(&server);
    let stream = TcpStream::connect(server.url.trim_start_matches("nats://")).unwrap();
    let socket = Socket::from_fd(stream.into_raw_fd(), &TcpOptions::default()).unwrap();
    let earlier = Link::new(socket, None, Arc::clone(&connection.vitals));
    let waiter = Arc::new(Waiter::default());
    let _ = connection.outbound.ping(Arc::clone(&waiter)).unwrap();
    connection.on_pong(&earlier);
    assert!(!waiter.is_done(), "the PONG of another link");
    connection.on_async_info(&earlier, b"{\"max_payload\":5}");
    assert_eq!(connection.max_payload(), 1000);
    for _ in 0..3 {
        connection.on_server_error(&earlier, b"authorization violation");
        connection.on_server_error(&earlier, b"some other error");
    }
    let request = Request { subject: b"foo", queue: None, handler: None, timeout_ms: None };
    let sub = connection.subscribe(request).unwrap();
    connection.on_server_error(&earlier, b"permissions violation for foo");
    connection.slow_consumer(&earlier, Arc::clone(&sub));
    assert!(connection.last_error().is_none() && !connection.is_closed());
    let own = connection.state.lock().link.clone().unwrap();
    connection.on_async_info(&own, b"{\"max_payload\":5}");
    assert_eq!(connection.max_payload(), 5);
    connection.on_pong(&own);
    assert!(waiter.wait(Deadline::in_ms(0)).is_ok());
    connection.slow_consumer(&own, Arc::clone(&sub));
    assert_eq!(connection.last_error().unwrap().0, Status::SlowConsumer);
    connection.on_server_error(&own, b"permissions violation for foo");
    assert_eq!(connection.last_error().unwrap().0, Status::NotPermitted);
    connection.close();
    connection.slow_consumer(&own, sub);
    assert_eq!(connection.last_error().unwrap().0, Status::NotPermitted);
}
