use std::io::Read;
use std::os::fd::IntoRawFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};

use super::*;
use crate::client::pause::Hold;
use crate::error::Result;
use crate::io::clock;
use crate::io::socket::{Socket, TcpOptions};
use crate::proto::encoder;

const FRAME: &str = "PUB foo 3\r\nabc\r\n";

fn message(payload: &[u8]) -> Outgoing<'_> {
    Outgoing { subject: b"foo", reply: None, headers: None, payload }
}

fn outbound(capacity: usize, reconnect_capacity: usize) -> Arc<Outbound> {
    let settings = Settings {
        capacity,
        reconnect_capacity,
        send_asap: false,
        flusher_wait: Duration::ZERO,
        write_deadline_ms: 0,
    };
    Arc::new(Outbound::new(settings, Arc::default()))
}

/// A link, and its other end, which reads whenever it is told to.
fn link() -> (Arc<Link>, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let socket = Socket::from_fd(ours.into_raw_fd(), &TcpOptions::default()).unwrap();
    (Link::new(socket, None, Arc::default()), theirs)
}

fn live(outbound: &Outbound) -> (Arc<Link>, UnixStream) {
    let (link, peer) = link();
    let then = outbound.go_live(&link, Buffer::default(), false);
    assert!(then == Then::Nothing || outbound.has_bytes());
    (link, peer)
}

fn lose(outbound: &Outbound, link: &Link) {
    outbound.go_down();
    link.take_down();
    outbound.settle();
}

/// What the next link gets, read while it is written.
fn all_of(outbound: &Outbound) -> String {
    let (link, mut peer) = link();
    let reader = thread::spawn(move || {
        let mut text = String::new();
        peer.read_to_string(&mut text).unwrap();
        text
    });
    let _ = outbound.go_live(&link, Buffer::default(), false);
    let _ = outbound.push(Flush::Now, |_| Ok(())).unwrap();
    link.take_down();
    outbound.close();
    reader.join().unwrap()
}

#[test]
fn whoever_writes_looks_after_what_came_meanwhile() {
    let outbound = outbound(1000, 1000);
    let (_link, _peer) = live(&outbound);
    let mut queue = outbound.lock();
    let turn = queue.take_turn();
    drop(queue);
    // Somebody writes: nobody else has to be asked.
    assert!(outbound.publish(message(b"abc"), Flush::Soon, Wait::Yes).unwrap() == Then::Nothing);
    assert!(outbound.push_only(|b| b.extend_from_slice(encoder::PING)).unwrap() == Then::Nothing);
    let (later, then) = outbound.flush_due(true);
    assert!(later.is_none() && then == Then::Nothing);
    let mut queue = outbound.end_turn(turn, false).0;
    assert!(queue.look_after_rest() == Then::RequestFlush);
    assert!(queue.look_after_rest() == Then::Nothing, "it has been asked for");
    drop(queue);
    let (later, then) = outbound.flush_due(true);
    assert!(later.is_none() && then == Then::Nothing && !outbound.has_bytes());
}

#[test]
fn a_full_buffer_is_written_after_the_write_of_another() {
    let outbound = outbound(10, 1000);
    let (_link, _peer) = live(&outbound);
    let turn = outbound.lock().take_turn();
    assert!(outbound.publish(message(b"abc"), Flush::Soon, Wait::Yes).unwrap() == Then::Nothing);
    assert!(outbound.end_turn(turn, false).0.look_after_rest() == Then::RequestFlush);
}

#[test]
fn nobody_is_asked_while_the_socket_is_watched_or_over() {
    let outbound = outbound(1 << 20, 1 << 20);
    let (link, mut peer) = live(&outbound);
    let big = vec![b'x'; 30_000];
    while !outbound.lock().schedule.is_watching() {
        let _ = outbound.publish(message(&big), Flush::Soon, Wait::Yes).unwrap();
        let _ = outbound.flush_due(true);
    }
    assert!(outbound.publish(message(b"abc"), Flush::Soon, Wait::Yes).unwrap() == Then::Nothing);
    let reader = thread::spawn(move || {
        let mut all = Vec::new();
        peer.read_to_end(&mut all).unwrap();
        all.len()
    });
    while outbound.has_bytes() {
        let (left, then) = outbound.writable();
        assert!(left == outbound.has_bytes() && then == Then::Nothing);
        thread::yield_now();
    }
    assert!(!outbound.lock().schedule.is_watching());
    link.take_down();
    reader.join().unwrap();
    let _ = outbound.publish(message(b"abc"), Flush::Soon, Wait::Yes).unwrap();
    let _ = outbound.flush_due(true);
    assert!(outbound.lock().schedule.is_attended(), "the link has gone");
    assert!(outbound.publish(message(b"abc"), Flush::Soon, Wait::Yes).unwrap() == Then::Nothing);
}

/// A poller that writes when it is asked to and, once it watches, when the socket takes bytes again; at no
/// other time.
fn poller(outbound: &Arc<Outbound>) -> Sender<()> {
    let (ask, asked) = channel::<()>();
    let (outbound, again) = (Arc::clone(outbound), ask.clone());
    thread::spawn(move || {
        while outbound.lock().admission.phase() != Phase::Closed {
            let request = asked.recv_timeout(Duration::from_millis(1));
            let mut then = if request.is_ok() { outbound.flush_due(true).1 } else { Then::Nothing };
            if then == Then::Nothing && outbound.lock().schedule.is_watching() {
                then = outbound.writable().1;
            }
            if then == Then::RequestFlush {
                again.send(()).unwrap();
            }
        }
    });
    ask
}

#[test]
fn publishers_of_all_kinds_leave_nothing_behind() {
    const ROUNDS: usize = 300;
    let outbound = outbound(5_000, 1 << 20);
    let (_link, mut peer) = live(&outbound);
    let ask = poller(&outbound);
    for round in 0..ROUNDS {
        let sizes = [[3, 40_000, 2_000, 6_000], [40_000; 4], [6_000, 3, 6_000, 3]][round % 3];
        thread::scope(|scope| {
            for size in sizes {
                let (outbound, ask) = (&outbound, &ask);
                scope.spawn(move || {
                    let payload = vec![b'x'; size];
                    let flush = if size == 2_000 { Flush::Now } else { Flush::Soon };
                    if outbound.publish(message(&payload), flush, Wait::Yes).unwrap() == Then::RequestFlush {
                        ask.send(()).unwrap();
                    }
                });
            }
            let expected: usize = sizes.iter().map(|n| format!("PUB foo {n}\r\n").len() + n + 2).sum();
            peer.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            let mut bytes = vec![0; expected];
            peer.read_exact(&mut bytes).unwrap_or_else(|e| panic!("round {round}: {e}"));
        });
    }
    let end = clock::now() + Duration::from_secs(10);
    while outbound.has_bytes() {
        assert!(clock::now() < end, "the writer does not come back");
        thread::yield_now();
    }
    outbound.close();
}

#[test]
fn what_one_link_did_not_take_goes_to_the_next_in_whole_frames() {
    let outbound = outbound(1 << 20, 100 << 20);
    let (first, _peer) = live(&outbound);
    let big = vec![b'x'; 1 << 20];
    let _ = outbound.publish(message(b"abc"), Flush::Now, Wait::Yes).unwrap();
    thread::scope(|scope| {
        // More than the socket takes: both stand in the middle of a frame, or wait behind the other.
        let publishers = [(); 2]
            .map(|()| scope.spawn(|| outbound.publish(message(&big), Flush::Now, Wait::Yes).map(drop)));
        while outbound.stuck_since.load(Ordering::Relaxed) == 0 {
            thread::yield_now();
        }
        lose(&outbound, &first);
        publishers.into_iter().for_each(|p| p.join().unwrap().unwrap());
    });
    let _ = outbound.publish(message(b"abc"), Flush::Soon, Wait::Yes).unwrap();
    let text = all_of(&outbound);
    let large = format!("PUB foo {}\r\n{}\r\n", 1 << 20, "x".repeat(1 << 20));
    assert!(text == format!("{large}{large}{FRAME}"), "{} bytes: {:?}", text.len(), &text[..20]);
}

#[test]
fn kept_messages_and_new_ones_share_the_limit() {
    const LIMIT: usize = 1 << 20;
    let outbound = outbound(64 << 10, LIMIT);
    let payload = vec![b'x'; 1000];
    let full = |outbound: &Outbound| loop {
        match outbound.publish(message(&payload), Flush::Soon, Wait::Yes) {
            Ok(then) => assert!(then == Then::Nothing),
            Err(e) => break assert_eq!(e.status(), Status::InsufficientBuffer),
        }
    };
    full(&outbound);
    let mut accepted = outbound.published().0;
    for _ in 0..20 {
        // This one reads nothing. Publishers do not wait for it here: no room is no reason to grow.
        let (link, _peer) = live(&outbound);
        assert!(outbound.lock().store.is_clogged());
        lose(&outbound, &link);
        full(&outbound);
    }
    assert_eq!(outbound.published().0, accepted, "no room was made");
    // One that takes a part makes as much room.
    let (link, _peer) = live(&outbound);
    assert!(outbound.flush_due(true).1 == Then::Nothing);
    lose(&outbound, &link);
    full(&outbound);
    assert!(outbound.published().0 > accepted);
    let queue = outbound.lock();
    assert!(queue.buffer.waiting() + queue.store.backlog() + queue.store.pending() <= LIMIT + 1100);
    drop(queue);
    accepted = outbound.published().0;
    let text = all_of(&outbound);
    let frames = text.matches("PUB foo 1000\r\n").count() as u64;
    assert!(frames * 1016 == text.len() as u64 && frames < accepted && frames * 1016 > LIMIT as u64 - 1100);
}

#[test]
fn a_message_whose_publisher_was_told_is_not_kept() {
    let outbound = outbound(1000, 1000);
    let (link, _peer) = live(&outbound);
    let mut queue = outbound.lock();
    for payload in [b"abc", b"def", b"ghi"] {
        let start = queue.buffer.enqueued();
        queue.append(|b| encoder::publish(b, b"foo", None, None, payload)).unwrap();
        if payload != b"abc" {
            queue.store.withdraw(Some(start));
            queue.schedule.note_over();
        }
    }
    drop(queue);
    lose(&outbound, &link);
    assert_eq!(all_of(&outbound), FRAME);
}

#[test]
fn what_belongs_to_a_link_is_not_kept() {
    let outbound = outbound(1000, 1000);
    let (link, _peer) = live(&outbound);
    let _ = outbound.push_only(|b| encoder::subscribe(b, b"foo", None, 1)).unwrap();
    let _ = outbound.publish(message(b"abc"), Flush::Soon, Wait::Yes).unwrap();
    let _ = outbound.keep_alive();
    outbound.lock().watch(true); // nothing is written
    lose(&outbound, &link);
    let _ = outbound.ping(Arc::default()).unwrap();
    let (link, _peer) = live(&outbound); // with the PING of a flush, which is over with this link
    lose(&outbound, &link);
    let _ = outbound.publish(message(b"abc"), Flush::Soon, Wait::Yes).unwrap();
    let _ = outbound.ping(Arc::default()).unwrap();
    assert_eq!(all_of(&outbound), format!("{FRAME}{FRAME}PING\r\n"));
}

#[test]
fn pongs_are_bounded() {
    let outbound = outbound(1 << 20, 1000);
    let (link, _peer) = live(&outbound);
    let (stranger, _other) = self::link();
    assert!(outbound.answer_ping(&stranger) == Then::Nothing && !outbound.has_bytes());
    assert!(outbound.answer_ping(&link) == Then::RequestFlush);
    for _ in 0..10_000 {
        let _ = outbound.answer_ping(&link);
    }
    assert!(outbound.buffered() <= 6 * 1024);
    assert!(outbound.flush_due(true).1 == Then::Nothing);
    assert!(outbound.answer_ping(&link) == Then::RequestFlush, "there is room again");
}

/// Whoever stands at a point of a write of its own, and the result of that.
fn writer_at(point: &'static str, outbound: &Arc<Outbound>) -> (Hold, JoinHandle<Result<Then>>) {
    let hold = Hold::at(point, &outbound.vitals);
    let writer = publisher(outbound, Flush::Now);
    hold.wait_for_one();
    (hold, writer)
}

fn publisher(outbound: &Arc<Outbound>, flush: Flush) -> JoinHandle<Result<Then>> {
    let outbound = Arc::clone(outbound);
    thread::spawn(move || outbound.publish(message(b"abc"), flush, Wait::Yes))
}

fn wait_for_waiters(outbound: &Outbound, count: u32) {
    let end = clock::now() + Duration::from_secs(20);
    while outbound.lock().schedule.waiting() < count {
        assert!(clock::now() < end, "nobody waits for the writer");
        thread::yield_now();
    }
}

/// The peer gets so many messages and no more, without a flush that nobody asks for.
fn expect(outbound: &Outbound, peer: &mut UnixStream, messages: usize, then: Then) {
    if then == Then::RequestFlush {
        assert!(outbound.flush_due(true).1 == Then::Nothing);
    }
    assert!(!outbound.has_bytes());
    let mut bytes = vec![0; messages * FRAME.len()];
    peer.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    peer.read_exact(&mut bytes).unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), FRAME.repeat(messages));
    peer.set_nonblocking(true).unwrap();
    assert!(peer.read(&mut [0]).is_err());
}

#[test]
fn what_fills_the_buffer_while_another_writes_is_asked_for_by_that_one() {
    for point in ["take_turn", "put_back"] {
        let outbound = outbound(10, 1000);
        let (_link, mut peer) = live(&outbound);
        let (hold, writer) = writer_at(point, &outbound);
        assert!(outbound.publish(message(b"abc"), Flush::Soon, Wait::Yes).unwrap() == Then::Nothing);
        assert!(outbound.flush_due(true).1 == Then::Nothing, "the poller leaves it to the writer");
        drop(hold);
        let then = writer.join().unwrap().unwrap();
        assert!(then == Then::RequestFlush, "at {point}");
        expect(&outbound, &mut peer, 2, then);
    }
}

#[test]
fn who_waits_for_the_writer_writes_what_came_meanwhile() {
    let outbound = outbound(1000, 1000);
    let (_link, mut peer) = live(&outbound);
    let (hold, writer) = writer_at("put_back", &outbound);
    let waiting = publisher(&outbound, Flush::Now);
    wait_for_waiters(&outbound, 1);
    assert!(outbound.publish(message(b"abc"), Flush::Soon, Wait::Yes).unwrap() == Then::Nothing);
    drop(hold);
    assert!(writer.join().unwrap().unwrap() == Then::Nothing, "the other one is at it");
    let then = waiting.join().unwrap().unwrap();
    expect(&outbound, &mut peer, 3, then);
}

#[test]
fn who_waits_for_room_leaves_nothing_behind() {
    let outbound = outbound(10, 1000);
    let (_link, mut peer) = live(&outbound);
    let (hold, writer) = writer_at("put_back", &outbound);
    assert!(outbound.publish(message(b"abc"), Flush::Soon, Wait::Yes).unwrap() == Then::Nothing);
    let waiting = [(); 3].map(|()| publisher(&outbound, Flush::Soon));
    wait_for_waiters(&outbound, 3);
    drop(hold);
    let mut asked = writer.join().unwrap().unwrap() == Then::RequestFlush;
    for waiting in waiting {
        asked |= waiting.join().unwrap().unwrap() == Then::RequestFlush;
    }
    expect(&outbound, &mut peer, 5, if asked { Then::RequestFlush } else { Then::Nothing });
}

/// A link is lost while somebody writes to it: what he has written is not sent again, what he has not is sent
/// once.
#[test]
fn a_loss_in_the_middle_of_a_write_repeats_nothing() {
    for (point, kept) in [("take_turn", 2), ("put_back", 1)] {
        let outbound = outbound(1000, 1000);
        let (link, _peer) = live(&outbound);
        let (hold, writer) = writer_at(point, &outbound);
        outbound.go_down();
        link.take_down();
        let _ = outbound.publish(message(b"abc"), Flush::Soon, Wait::Yes).unwrap();
        drop(hold);
        outbound.settle();
        assert!(writer.join().unwrap().unwrap() == Then::Nothing);
        assert_eq!(all_of(&outbound), FRAME.repeat(kept), "at {point}");
    }
}

/// Messages of one who never waits, until he is refused; how many were taken.
fn fill(outbound: &Outbound, refused: Status) -> usize {
    let result = |()| {
        outbound.publish(message(b"abc"), Flush::Soon, Wait::Never).map(|then| assert!(then == Then::Nothing))
    };
    let mut results = std::iter::repeat(()).map(result);
    let taken = results.by_ref().take_while(Result::is_ok).count();
    assert_eq!(results.next().unwrap().unwrap_err().status(), refused);
    taken
}

#[test]
fn who_never_waits_is_refused_once_the_buffer_and_a_reserve_are_full() {
    const CAPACITY: usize = 10 * FRAME.len();
    const RESERVED: usize = 64 << 10;
    let outbound = outbound(CAPACITY, 1000);
    let (link, mut peer) = live(&outbound);
    let (hold, writer) = writer_at("put_back", &outbound);
    let taken = fill(&outbound, Status::InsufficientBuffer);
    let len = outbound.lock().buffer.len();
    assert_eq!(len, taken * FRAME.len());
    assert!(len > CAPACITY && len <= CAPACITY + RESERVED);
    // Others wait, and what tells that the connection lives is sent all the same.
    let waiting = publisher(&outbound, Flush::Soon);
    wait_for_waiters(&outbound, 1);
    assert!(outbound.answer_ping(&link) == Then::Nothing && outbound.keep_alive() == Then::Nothing);
    assert_eq!(outbound.lock().buffer.len(), len + "PONG\r\nPING\r\n".len());
    drop(hold);
    let then = writer.join().unwrap().unwrap();
    assert!(then == Then::Nothing, "the one who waits is at it");
    if waiting.join().unwrap().unwrap() == Then::RequestFlush {
        assert!(outbound.flush_due(true).1 == Then::Nothing);
    }
    let mut bytes = vec![0; FRAME.len() * (1 + taken) + "PONG\r\nPING\r\n".len() + FRAME.len()];
    peer.read_exact(&mut bytes).unwrap();
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        format!("{}PONG\r\nPING\r\n{FRAME}", FRAME.repeat(1 + taken))
    );
    assert!(outbound.publish(message(b"abc"), Flush::Soon, Wait::Never).is_ok(), "there is room again");
}

#[test]
fn who_never_waits_leaves_writing_to_others() {
    let outbound = outbound(10, 1000);
    let (_link, mut peer) = live(&outbound);
    let large = vec![b'x'; 40_000];
    let then = outbound.publish(message(&large), Flush::Now, Wait::Never).unwrap();
    assert!(then == Then::RequestFlush && outbound.buffered() > large.len());
    let then = outbound.publish(message(b"abc"), Flush::Soon, Wait::Never).unwrap();
    assert!(then == Then::Nothing, "it has been asked for");
    assert!(outbound.flush_due(true).1 == Then::Nothing && !outbound.has_bytes());
    let mut bytes = vec![0; "PUB foo 40000\r\n\r\n".len() + large.len() + FRAME.len()];
    peer.read_exact(&mut bytes).unwrap();
    assert!(bytes.ends_with(FRAME.as_bytes()));
}

#[test]
fn who_never_waits_is_subject_to_all_that_others_are() {
    let outbound = outbound(1000, 10 * FRAME.len());
    let refused = |payload| {
        outbound.publish(message(payload), Flush::Soon, Wait::Never).map(drop).unwrap_err().status()
    };
    // Without a connection messages are kept up to the limit of the reconnect buffer.
    assert_eq!(fill(&outbound, Status::InsufficientBuffer), 10);
    assert!(outbound.keep_alive() == Then::Nothing, "a PING belongs to a connection");
    let (_link, mut peer) = live(&outbound);
    assert!(outbound.flush_due(true).1 == Then::Nothing);
    expect(&outbound, &mut peer, 10, Then::Nothing);
    outbound.set_limits(3, false);
    assert_eq!(refused(b"abcd"), Status::MaxPayload);
    outbound.refuse_publishes();
    assert_eq!(refused(b"abc"), Status::Draining);
    outbound.close();
    assert_eq!(refused(b"abc"), Status::ConnectionClosed);
}
