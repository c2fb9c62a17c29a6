//! Tests of links that cannot be used after all: an event loop refuses their sockets.

use std::os::fd::RawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use crate::client::connection::Connection;
use crate::client::connection::connect::{Outcome, connect};
use crate::client::connection::publish::{Flush, Outgoing};
use crate::client::connection::testing::{SOON, Server, telling};
use crate::client::library::defaults::Defaults;
use crate::client::options::Options;
use crate::client::options::handlers::EventLoop;
use crate::error::{Result, Status, fail};
use crate::thread_end;

type Attach = dyn Fn(u32, &Arc<Connection>) -> Result<()> + Send + Sync;

/// Polls nothing. `attach` is told how many times it was asked to.
struct Loop {
    attached: AtomicU32,
    /// The socket that it has to close.
    fd: AtomicI32,
    attach: Box<Attach>,
}

impl EventLoop for Loop {
    fn attach(&self, connection: &Arc<Connection>, fd: RawFd) -> Result<()> {
        (self.attach)(self.attached.fetch_add(1, Ordering::Relaxed) + 1, connection)?;
        self.fd.store(fd, Ordering::Relaxed);
        Ok(())
    }

    fn read(&self, _add: bool) -> Result<()> {
        // SAFETY: the library leaves the socket to a loop that it told to end reading.
        unsafe { libc::close(self.fd.load(Ordering::Relaxed)) };
        Ok(())
    }

    fn write(&self, _add: bool) -> Result<()> {
        Ok(())
    }

    fn detach(&self) -> Result<()> {
        Ok(())
    }
}

fn connected(
    server: &Server,
    attach: impl Fn(u32, &Arc<Connection>) -> Result<()> + Send + Sync + 'static,
) -> (Arc<Connection>, Receiver<&'static str>) {
    match try_to_connect(server, attach) {
        (Ok(Outcome::Connected(connection)), told) => (connection, told),
        _ => panic!("not connected"),
    }
}

fn try_to_connect(
    server: &Server,
    attach: impl Fn(u32, &Arc<Connection>) -> Result<()> + Send + Sync + 'static,
) -> (Result<Outcome>, Receiver<&'static str>) {
    let (tell, told) = channel();
    let event_loop =
        Arc::new(Loop { attached: AtomicU32::new(0), fd: AtomicI32::new(-1), attach: Box::new(attach) });
    let mut options = Options::new(&Defaults::default());
    options.set_url(Some(server.url.as_bytes())).unwrap();
    options.reconnect.allow = true;
    options.reconnect.wait_ms = 50;
    options.reconnect.max = 3;
    options.handlers.event_loop = Some(Arc::new(move || event_loop.clone()));
    options.handlers.disconnected = telling(&tell, "disconnected");
    options.handlers.reconnected = telling(&tell, "reconnected");
    options.handlers.closed = telling(&tell, "closed");
    (connect(options), told)
}

#[test]
fn a_link_refused_and_lost_at_the_same_time_is_replaced_once() {
    let server = Server::start(false);
    let (connection, told) = connected(&server, |nth, connection| {
        if nth != 2 {
            return Ok(());
        }
        connection.reconnect()?;
        fail(Status::Err, "refused")
    });
    connection.reconnect().unwrap();
    let message = Outgoing { subject: b"kept", reply: None, headers: None, payload: b"" };
    connection.publish(message, Flush::Now).unwrap();
    let mut streams: Vec<_> = (0..3).map(|_| server.accepted.recv_timeout(SOON).unwrap()).collect();
    let next = || told.recv_timeout(SOON);
    let expected = ["disconnected", "reconnected", "disconnected", "reconnected"];
    assert_eq!([next(), next(), next(), next()], expected.map(Ok));
    streams.extend(server.accepted.recv_timeout(Duration::from_millis(500)));
    assert_eq!(streams.len(), 3, "two threads came back");
    connection.process_write_event();
    server.lines_until("PUB kept");
    connection.close();
}

#[test]
fn a_server_whose_links_are_refused_is_given_up() {
    let server = Server::start(false);
    let (connection, told) =
        connected(&server, |nth, _| if nth == 1 { Ok(()) } else { fail(Status::Err, "refused") });
    connection.reconnect().unwrap();
    let next = || told.recv_timeout(SOON);
    assert_eq!([next(), next()], ["disconnected", "closed"].map(Ok));
    assert_eq!(server.accepted.try_iter().count(), 4, "the first one and three attempts");
    assert!(connection.is_closed());
}

#[test]
fn a_handle_given_back_while_the_connection_is_open_leaves_it_its_tls_settings() {
    let server = Server::start(false);
    let (connection, _) = connected(&server, |_, _| Ok(()));
    let Ok(settings) = connection.tls_settings() else { return }; // a build without TLS
    connection.add_user();
    connection.remove_user();
    assert!(Arc::ptr_eq(&settings, &connection.tls_settings().unwrap()));
    connection.close();
    assert_eq!(Arc::strong_count(&settings), 1);
    assert!(connection.tls_settings().is_err(), "others than those of the options would be made");

    let (connection, _) = connected(&server, |_, _| Ok(()));
    let settings = connection.tls_settings().unwrap();
    connection.add_user();
    connection.close();
    assert_eq!(Arc::strong_count(&settings), 2, "a handle is still there");
    connection.remove_user();
    assert_eq!(Arc::strong_count(&settings), 1);
}

#[cfg(target_arch = "x86_64")]
#[test]
fn a_program_that_gets_no_handle_hears_of_no_connection() {
    unsafe extern "C-unwind" {
        fn pthread_exit(value: *mut libc::c_void) -> !;
    }
    unsafe extern "C-unwind" fn exits() {
        // SAFETY: no frame between here and the call owns anything.
        unsafe { pthread_exit(std::ptr::null_mut()) };
    }
    let server = Server::start(false);
    let ends = thread::spawn(move || {
        let (result, told) = try_to_connect(&server, |_, _| {
            // SAFETY: takes nothing.
            let _ = unsafe { thread_end::call_handler(exits as *const libc::c_void, [0; 5]) };
            Ok(())
        });
        thread_end::stay();
        assert!(result.is_err());
        // All those that could tell have gone once the connection has.
        assert!(told.recv_timeout(Duration::from_secs(1)).is_err(), "of a connection that nobody has");
    });
    ends.join().unwrap();
}
