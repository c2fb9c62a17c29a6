use std::sync::mpsc::channel;

use super::*;
use crate::client::connection::told::{SOON, Server, connected, connected_with};
use std::io::Write;

pub(super) fn ignored() -> Option<MsgHandler> {
    Some(Box::new(|_: &_, _: &_, _: Option<_>| Ok(())))
}

/// What a read of the socket would bring for it.
pub(super) fn arrive(sub: &Arc<Subscription>, texts: &[&str]) {
    let mut batch: Vec<Msg> =
        texts.iter().map(|text| Msg::new(b"foo", None, text.as_bytes()).unwrap()).collect();
    let bytes = batch.iter().map(|msg| msg.size() as u64).sum();
    let mut handover = sub.connection.core().delivery.handover();
    sub.enqueue(&mut batch, bytes, &mut handover);
    handover.finish(|_| {});
}

#[test]
fn a_subscription_that_has_ended_gets_no_messages_back() {
    let connection = connected(&Server::start(false));
    let request = Request { subject: b"foo", queue: None, handler: ignored(), timeout_ms: None };
    let sub = connection.subscribe(request).unwrap();
    let mut batch = std::collections::VecDeque::from([Msg::new(b"foo", None, b"x").unwrap()]);
    connection.unsubscribe(&sub, 0).unwrap();
    assert!(sub.put_back(&mut batch));
    assert!(batch.is_empty() && sub.state.lock().queue.is_empty());
    connection.close();
}

#[test]
fn what_the_fixed_pool_gets_before_the_start_is_delivered_in_order_after_it() {
    let server = Server::start(false);
    let connection = connected_with(&server, |options| options.global_delivery = true);
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
