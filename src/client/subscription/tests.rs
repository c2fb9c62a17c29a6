use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, channel};

use super::*;
use crate::client::connection::testing::{self, SOON, Server, connected_with};
use std::io::Write;

pub(super) fn ignored() -> Option<MsgHandler> {
    Some(Box::new(|_: &_, _: &_, _: Option<_>| Ok(())))
}

/// A connection without a server: its subscriptions get what a test gives them.
pub(super) fn unconnected() -> Arc<Connection> {
    testing::unconnected(|_| {})
}

pub(super) fn subscribed(connection: &Arc<Connection>, handler: Option<MsgHandler>) -> Arc<Subscription> {
    connection.subscribe(Request { subject: b"foo", queue: None, handler, timeout_ms: None }).unwrap()
}

/// A handler that tells what it was given: `-` for nothing.
pub(super) fn telling() -> (Option<MsgHandler>, Receiver<String>) {
    let (tell, told) = channel();
    let handler: MsgHandler = Box::new(move |_: &_, _: &_, msg: Option<Msg>| {
        let _ = tell.send(msg.map_or("-".to_owned(), |msg| String::from_utf8_lossy(msg.data()).into_owned()));
        Ok(())
    });
    (Some(handler), told)
}

/// What a read of the socket would bring for it; true when the program is to be told of dropped messages.
pub(super) fn arrive(sub: &Arc<Subscription>, texts: &[&str]) -> bool {
    let mut batch: Vec<Msg> =
        texts.iter().map(|text| Msg::new(b"foo", None, text.as_bytes()).unwrap()).collect();
    let bytes = batch.iter().map(|msg| msg.size() as u64).sum();
    let mut handover = sub.connection.core().delivery.handover();
    let tell = sub.enqueue(&mut batch, bytes, &mut handover);
    handover.finish(|_| {});
    assert!(batch.is_empty());
    tell
}

#[test]
fn a_subscription_that_has_ended_gets_no_messages_back() {
    let connection = unconnected();
    let sub = subscribed(&connection, ignored());
    let mut batch = VecDeque::from([Msg::new(b"foo", None, b"x").unwrap()]);
    connection.unsubscribe(&sub, 0).unwrap();
    assert!(sub.put_back(&mut batch));
    assert!(batch.is_empty() && sub.state.lock().queue.is_empty());
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
