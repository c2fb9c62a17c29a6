//! One connection's place in the program's event loop: the calls into the loop's adapter.
//!
//! An adapter is code of the program. Calls into it wait in a queue, in the order in which the connection's
//! state changed, and one thread at a time makes them, with no lock held. Who finds another one at it leaves
//! its calls to that one. The timer and the pollers only queue theirs: a helper's thread makes them.

use crate::sync::Mutex;
use std::collections::LinkedList;
use std::sync::Arc;

use crate::client::connection::Connection;
use crate::client::connection::link::Link;
use crate::client::connection::waiter::Waiter;
use crate::client::options::handlers::EventLoop;
use crate::error::Result;
use crate::io::clock::Deadline;
use crate::io::threads::ThreadId;

/// How long a close waits for an adapter that another thread is calling at that moment.
const DETACH_WAIT_MS: i64 = 10_000;

/// A call into the adapter, or a few that belong together. Those that are out of place by the time their turn
/// comes are left out: nothing is said before the first attachment, nor after the last call.
pub(super) enum Call {
    /// Gives the loop the socket of a link, unless it was lost meanwhile.
    Attach(Arc<Connection>, Arc<Link>, Arc<Waiter<()>>),
    /// Starts or ends polling for writing.
    Write(bool),
    /// Ends the polling of a socket, which the adapter then closes; then comes what is to follow.
    Release(Arc<Link>, Box<dyn FnOnce(Result<()>) + Send>),
    /// The last call.
    Detach(Arc<Waiter<()>>),
}

pub(super) struct Attachment {
    event_loop: Arc<dyn EventLoop>,
    turn: Mutex<Turn>,
}

struct Turn {
    calls: LinkedList<Call>,
    phase: Phase,
    /// Polling for writing was asked for before the loop had the socket.
    write_wanted: bool,
    /// The thread that makes the calls, if one does.
    caller: Option<ThreadId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Never attached, or detached for good: the adapter has nothing of ours.
    Unknown,
    Polling,
    /// Attached, but the socket is gone.
    Idle,
}

impl Attachment {
    pub(super) fn new(event_loop: Arc<dyn EventLoop>) -> Attachment {
        let turn =
            Turn { calls: LinkedList::new(), phase: Phase::Unknown, write_wanted: false, caller: None };
        Attachment { event_loop, turn: Mutex::new(turn) }
    }

    /// Queues a call. The locks of the connection may be held.
    pub(super) fn post(&self, call: Call) {
        let mut turn = self.turn.lock();
        match (turn.calls.back_mut(), &call) {
            (Some(Call::Write(add)), Call::Write(newer)) => *add = *newer,
            _ => turn.calls.push_back(call),
        }
    }

    /// Makes the calls queued, unless some thread is at it: then that one makes them. An adapter that uses
    /// the connection comes here again; what that asks of it follows the call it is in.
    pub(super) fn make_calls(&self) {
        let Some(making) = Making::begin(self) else { return };
        while let Some(call) = making.next() {
            self.make(call);
        }
    }

    /// Waits until a call was made that another thread has begun with, unless that is the calling one.
    pub(super) fn wait_for(&self, made: &Waiter<()>) {
        if self.turn.lock().caller.is_some_and(|caller| caller != ThreadId::current()) {
            let _ = made.wait(Deadline::in_ms(DETACH_WAIT_MS));
        }
    }

    fn make(&self, call: Call) {
        match call {
            Call::Attach(connection, link, made) => made.complete(self.attach(&connection, &link)),
            Call::Write(add) => self.write(add),
            Call::Release(link, then) => then(self.release(&link)),
            Call::Detach(made) => {
                if self.enter(Phase::Unknown) != Phase::Unknown {
                    let _ = self.event_loop.detach();
                }
                made.complete(Ok(()));
            }
        }
    }

    fn write(&self, add: bool) {
        let mut turn = self.turn.lock();
        if turn.phase == Phase::Polling {
            drop(turn);
            let _ = self.event_loop.write(add);
        } else {
            turn.write_wanted = add;
        }
    }

    fn attach(&self, connection: &Arc<Connection>, link: &Arc<Link>) -> Result<()> {
        if !connection.state.lock().is_current(link) {
            return Ok(());
        }
        let result = self.event_loop.attach(connection, link.socket().fd());
        if result.is_ok() {
            link.socket().disown();
            self.enter(Phase::Polling);
            if std::mem::take(&mut self.turn.lock().write_wanted) {
                self.write(true);
            }
        }
        result
    }

    fn release(&self, link: &Link) -> Result<()> {
        self.turn.lock().write_wanted = false;
        if self.phase() != Phase::Polling {
            link.discard(); // the loop never had it
            return Ok(());
        }
        self.enter(Phase::Idle);
        let (write, read) = (self.event_loop.write(false), self.event_loop.read(false));
        write.and(read)
    }

    fn phase(&self) -> Phase {
        self.turn.lock().phase
    }

    fn enter(&self, phase: Phase) -> Phase {
        std::mem::replace(&mut self.turn.lock().phase, phase)
    }
}

/// While this lives its thread makes the calls.
struct Making<'a>(&'a Attachment);

impl<'a> Making<'a> {
    /// `None` when some thread makes calls already, be it this one further out.
    fn begin(attachment: &'a Attachment) -> Option<Making<'a>> {
        let mut turn = attachment.turn.lock();
        if turn.caller.is_some() {
            return None;
        }
        turn.caller = Some(ThreadId::current());
        Some(Making(attachment))
    }

    /// The next call. None ends the turn: what is queued from then on is made by who queues it.
    fn next(&self) -> Option<Call> {
        let mut turn = self.0.turn.lock();
        let call = turn.calls.pop_front();
        if call.is_none() {
            turn.caller = None;
        }
        call
    }
}

impl Drop for Making<'_> {
    /// Ends a turn that was broken off.
    fn drop(&mut self) {
        let mut turn = self.0.turn.lock();
        if turn.caller == Some(ThreadId::current()) {
            turn.caller = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::{IntoRawFd, RawFd};
    use std::os::unix::net::UnixStream;
    use std::sync::mpsc::{self, Receiver, Sender};
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::client::connection::testing::{Server, connected_with};
    use crate::client::connection::vitals::Vitals;
    use crate::client::pause::Hold;
    use crate::io::socket::{Socket, TcpOptions};

    type Hook = Box<dyn Fn(&'static str) + Send>;

    /// Notes what it is told; the hook runs inside of each call.
    #[derive(Default)]
    struct Recorder {
        told: Mutex<Vec<&'static str>>,
        hook: Mutex<Option<Hook>>,
    }

    impl Recorder {
        fn note(&self, what: &'static str) -> Result<()> {
            self.told.lock().push(what);
            let hook = self.hook.lock().take();
            if let Some(hook) = hook {
                hook(what);
            }
            self.told.lock().push("done");
            Ok(())
        }

        fn told(&self) -> Vec<&'static str> {
            self.told.lock().iter().copied().filter(|what| *what != "done").collect()
        }
    }

    impl EventLoop for Recorder {
        fn attach(&self, _conn: &Arc<Connection>, _fd: RawFd) -> Result<()> {
            self.note("attach")
        }

        fn read(&self, add: bool) -> Result<()> {
            self.note(if add { "read" } else { "no read" })
        }

        fn write(&self, add: bool) -> Result<()> {
            self.note(if add { "write" } else { "no write" })
        }

        fn detach(&self) -> Result<()> {
            self.note("detach")
        }
    }

    struct Fixture {
        recorder: Arc<Recorder>,
        attachment: Arc<Attachment>,
        link: Arc<Link>,
        peer: UnixStream,
    }

    fn fixture(phase: Phase) -> Fixture {
        let recorder = Arc::new(Recorder::default());
        let attachment = Arc::new(Attachment::new(recorder.clone()));
        attachment.enter(phase);
        let (ours, peer) = UnixStream::pair().unwrap();
        let socket = Socket::from_fd(ours.into_raw_fd(), &TcpOptions::default()).unwrap();
        let link = Link::new(socket, Some(Arc::clone(&attachment)), Arc::new(Vitals::default()));
        Fixture { recorder, attachment, link, peer }
    }

    impl Fixture {
        fn release(&self) -> Receiver<Result<()>> {
            let (tx, rx) = mpsc::channel();
            let then = move |result| drop(tx.send(result));
            self.attachment.post(Call::Release(Arc::clone(&self.link), Box::new(then)));
            rx
        }

        fn detach(&self) -> Arc<Waiter<()>> {
            let made = Arc::new(Waiter::default());
            self.attachment.post(Call::Detach(Arc::clone(&made)));
            made
        }

        fn write(&self) {
            self.attachment.post(Call::Write(true));
        }
    }

    fn ended(peer: &UnixStream) -> bool {
        peer.set_nonblocking(true).unwrap();
        matches!(std::io::Read::read(&mut &*peer, &mut [0]), Ok(0))
    }

    #[test]
    fn nothing_is_said_outside_of_an_attachment() {
        let f = fixture(Phase::Unknown);
        f.write();
        let released = f.release();
        f.detach();
        f.attachment.make_calls();
        assert!(f.recorder.told().is_empty());
        assert!(released.try_recv().unwrap().is_ok());
        assert!(ended(&f.peer), "a socket that no loop has is ended at once");

        let f = fixture(Phase::Polling);
        f.write();
        f.release();
        f.write();
        f.release();
        f.detach();
        f.write();
        f.detach();
        f.attachment.make_calls();
        assert_eq!(f.recorder.told(), ["write", "no write", "no read", "detach"]);
    }

    #[test]
    fn what_follows_comes_after_the_loop_was_told_and_its_socket_is_left_alone() {
        let f = fixture(Phase::Polling);
        let (recorder, seen) = (Arc::clone(&f.recorder), Arc::new(Mutex::new(Vec::new())));
        let into = Arc::clone(&seen);
        let then = Box::new(move |_| *into.lock() = recorder.told());
        f.attachment.post(Call::Release(Arc::clone(&f.link), then));
        f.attachment.make_calls();
        assert_eq!(*seen.lock(), ["no write", "no read"]);
        f.link.take_down();
        assert!(!ended(&f.peer));
    }

    #[test]
    fn requests_to_write_do_not_pile_up() {
        let f = fixture(Phase::Polling);
        (0..1000).for_each(|_| f.write());
        assert_eq!(f.attachment.turn.lock().calls.len(), 1);
    }

    /// Runs `first` while a call is being made on another thread, then lets that thread go on.
    fn while_called(f: &Fixture, first: impl FnOnce()) {
        let (begun, wait_begun): (Sender<()>, _) = mpsc::channel();
        let (go, wait_go): (_, Receiver<()>) = mpsc::channel();
        *f.recorder.hook.lock() = Some(Box::new(move |_| {
            begun.send(()).unwrap();
            let _ = wait_go.recv();
        }));
        f.write();
        let attachment = Arc::clone(&f.attachment);
        let caller = thread::spawn(move || attachment.make_calls());
        wait_begun.recv().unwrap();
        first();
        drop(go);
        caller.join().unwrap();
    }

    #[test]
    fn calls_do_not_overlap_and_nobody_waits_for_a_slow_one() {
        let f = fixture(Phase::Polling);
        while_called(&f, || {
            f.release();
            f.detach();
            f.attachment.make_calls(); // the other thread's turn
            assert_eq!(f.recorder.told(), ["write"]);
        });
        assert_eq!(f.recorder.told(), ["write", "no write", "no read", "detach"]);
        let told = f.recorder.told.lock().clone();
        assert!(told.chunks(2).all(|pair| pair[1] == "done"), "{told:?}");
    }

    #[test]
    fn a_close_waits_until_its_detach_was_made() {
        let f = fixture(Phase::Polling);
        let (waiting, wait_waiting) = mpsc::channel();
        let mut closer = None;
        while_called(&f, || {
            let (made, attachment) = (f.detach(), Arc::clone(&f.attachment));
            let recorder = Arc::clone(&f.recorder);
            closer = Some(thread::spawn(move || {
                attachment.make_calls();
                waiting.send(()).unwrap();
                attachment.wait_for(&made);
                recorder.told()
            }));
            wait_waiting.recv().unwrap();
        });
        assert_eq!(closer.unwrap().join().unwrap(), ["write", "detach"]);
    }

    #[test]
    fn an_adapter_may_use_the_connection() {
        let f = fixture(Phase::Polling);
        let attachment = Arc::clone(&f.attachment);
        *f.recorder.hook.lock() = Some(Box::new(move |_| {
            let made = Arc::new(Waiter::default());
            attachment.post(Call::Detach(Arc::clone(&made)));
            attachment.make_calls();
            attachment.wait_for(&made); // not for itself
        }));
        f.write();
        f.attachment.make_calls();
        assert_eq!(f.recorder.told(), ["write", "detach"]);
        assert_eq!(*f.recorder.told.lock(), ["write", "done", "detach", "done"]);
    }

    /// A connection that the recorder's loop polls.
    fn looped(recorder: &Arc<Recorder>) -> Arc<Connection> {
        let recorder = Arc::clone(recorder);
        let server = Server::start(false);
        connected_with(&server, |options| {
            options.reconnect.allow = false;
            options.handlers.event_loop = Some(Arc::new(move || recorder.clone()));
        })
    }

    #[test]
    fn a_request_to_write_that_comes_before_the_socket_is_kept() {
        let connection = looped(&Arc::default());
        let f = fixture(Phase::Unknown);
        f.write();
        f.attachment.make_calls();
        let link = connection.link_now();
        let attached = Arc::new(Waiter::default());
        f.attachment.post(Call::Attach(Arc::clone(&connection), link, Arc::clone(&attached)));
        f.attachment.make_calls();
        attached.wait(Deadline::NEVER).unwrap();
        assert_eq!(f.recorder.told(), ["attach", "write"]);
        connection.abandon();
    }

    #[test]
    fn a_caller_that_waits_for_a_reply_leaves_the_socket_to_the_loop() {
        let recorder = Arc::default();
        let connection = looped(&recorder);
        let _hold = Hold::at("caller reads", &connection);
        let (tx, rx) = mpsc::channel();
        let caller = Arc::clone(&connection);
        thread::spawn(move || {
            caller.read_as_caller(Deadline::in_ms(1), || true);
            tx.send(()).unwrap();
        });
        rx.recv_timeout(Duration::from_secs(10)).expect("an event of the loop would find nothing now");
        connection.abandon();
        assert_eq!(recorder.told(), ["attach", "no write", "no read", "detach"]);
    }
}
