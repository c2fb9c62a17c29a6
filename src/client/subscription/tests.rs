use std::sync::mpsc::channel;

use super::*;
use crate::client::connection::told::{SOON, Server, connected, connected_with};
use std::io::Write;

fn ignored() -> Option<MsgHandler> {
    Some(Box::new(|_: &_, _: &_, _: Option<_>| Ok(())))
}

#[test]
fn a_timer_that_fired_before_it_was_set_anew_does_nothing() {
    let connection = connected(&Server::start(false));
    let request = Request { subject: b"foo", queue: None, handler: ignored(), timeout_ms: Some(60_000) };
    let sub = connection.subscribe(request).unwrap();
    sub.start();
    let fired = sub.state.lock().timer_set;
    sub.restart_timeout(&mut sub.state.lock());
    sub.timed_out(fired);
    let state = sub.state.lock();
    assert!(state.timer.is_some() && !state.timeout_due);
    assert_eq!(state.timer_set, fired + 1, "the handler was called");
    drop(state);
    connection.close();
}

#[test]
fn a_subscription_that_has_ended_gets_no_messages_back() {
    let connection = connected(&Server::start(false));
    let request = Request { subject: b"foo", queue: None, handler: ignored(), timeout_ms: None };
    let sub = connection.subscribe(request).unwrap();
    let mut batch = VecDeque::from([Msg::new(b"foo", None, b"x").unwrap()]);
    connection.unsubscribe(&sub, 0).unwrap();
    assert!(sub.put_back(&mut batch));
    assert!(batch.is_empty() && sub.state.lock().msgs.is_empty());
    connection.close();
}

#[test]
fn what_the_fixed_pool_gets_before_the_start_is_delivered_in_order_after_it() {
    let server = Server::start(false);
    let connection = connected_with(&server, |options| options.behaviour.global_delivery = true);
    let mut stream = server.accepted.recv_timeout(SOON).unwrap();
    let (tell, told) = channel();
    let handler: MsgHandler = Box::new(move |_: &_, _: &_, msg: Option<Msg>| {
        tell.send(msg.unwrap().data()[0]).unwrap();
        Ok(())
    });
    let request = Request { subject: b"foo", queue: None, handler: Some(handler), timeout_ms: None };
    let sub = connection.subscribe(request).unwrap();
    let mut arrive = |byte: u8| write!(stream, "MSG foo 1 1\r\n{}\r\n", char::from(byte)).unwrap();
    let come = |connection: &Arc<Connection>| connection.flush(10_000).unwrap();
    (b'a'..=b'y').for_each(&mut arrive);
    come(&connection);
    assert!(told.recv_timeout(Duration::from_millis(100)).is_err(), "nobody holds the subscription yet");
    assert_eq!(sub.counters().unwrap().pending_msgs, 25);
    sub.start();
    arrive(b'z');
    (b'a'..=b'z').for_each(|byte| assert_eq!(told.recv_timeout(SOON), Ok(byte)));
    come(&connection);
    connection.close();
}
