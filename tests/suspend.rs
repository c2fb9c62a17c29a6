//! A machine that was asleep: time goes on, ticks do not pile up, and a PING goes out at once. In a process
//! of its own: the clock is everybody's.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use nats::measured::{Options, Outcome, clock, connect, library};

const LONG: Duration = Duration::from_secs(10);

/// A server for one client; tells of every PING after the handshake's and answers them all.
fn server() -> (String, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("nats://{}", listener.local_addr().unwrap());
    let (pings, seen) = channel();
    thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        stream.write_all(b"INFO {\"server_id\":\"A\",\"proto\":1,\"max_payload\":1000}\r\n").unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
        for (n, _) in lines.filter(|line| line == "PING").enumerate() {
            stream.write_all(b"PONG\r\n").unwrap();
            if n > 0 {
                let _ = pings.send(());
            }
        }
    });
    (url, seen)
}

#[test]
fn after_a_suspend_one_ping_goes_out_at_once() {
    let (url, pings) = server();
    library::open_default().unwrap();
    let mut options = Options::new(&library::defaults());
    options.set_url(Some(url.as_bytes())).unwrap();
    options.liveness.ping_interval_ms = 120_000;
    let Ok(Outcome::Connected(connection)) = connect(options) else { panic!("no connection") };

    clock::advance_for_test(Duration::from_secs(3600)); // thirty intervals
    connection.set_max_pings_out(2).unwrap(); // has the timer look, as the system's does on a resume
    pings.recv_timeout(LONG).expect("a PING at once");
    connection.flush(10_000).unwrap();
    pings.recv_timeout(LONG).expect("the one of the flush");
    assert!(pings.try_recv().is_err(), "ticks of the time asleep are not made up for");
    assert!(connection.last_disconnect().is_none());

    clock::advance_for_test(Duration::from_secs(119));
    connection.set_max_pings_out(2).unwrap();
    connection.flush(10_000).unwrap();
    pings.recv_timeout(LONG).expect("the one of the flush");
    assert!(pings.try_recv().is_err(), "the next tick is a full interval after the last");
    connection.close();
}
