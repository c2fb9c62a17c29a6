//! A thread that waits for a reply reads the socket itself, once, so that the poller need not wake up first.

use std::sync::Arc;

use super::{READS_PER_TURN, Reader};
use crate::client::connection::Connection;
use crate::client::connection::link::Link;
use crate::client::pause;
use crate::io::clock::Deadline;
use crate::io::socket::Interest;

/// Room for what a caller reads that waits for a reply.
const CALLER_READ: usize = 4096;

/// While this lives the calling thread reads the link's socket, and the poller does not.
struct CallerTurn<'a> {
    connection: &'a Connection,
    link: &'a Link,
}

impl<'a> CallerTurn<'a> {
    /// `None` when somebody else reads right now or is about to, or nobody watches who would take over again.
    fn take(connection: &'a Arc<Connection>, link: &'a Link) -> Option<CallerTurn<'a>> {
        if link.event_loop().is_some() {
            return None; // the loop is told once of what arrives, and has to find it
        }
        let inbound = connection.inbound.try_lock()?;
        if link.is_read_by_caller() || link.may_have_more() || inbound.attending > 0 {
            return None; // to what was read until now this caller's reply may belong
        }
        link.set_read_by_caller(true);
        drop(inbound);
        pause::at("caller reads", connection);
        let turn = CallerTurn { connection, link };
        link.watch_readable(false).then_some(turn)
    }
}

impl Drop for CallerTurn<'_> {
    fn drop(&mut self) {
        let inbound = self.connection.inbound.lock();
        self.link.set_read_by_caller(false);
        drop(inbound);
        // Tells the poller of what has arrived meanwhile.
        self.link.watch_readable(true);
    }
}

impl Connection {
    /// Lets the calling thread, which waits for a reply, be the one that reads the next arrival: the poller
    /// does not have to wake up first, and what arrived is this caller's reply most of the time. One read
    /// only: who then still waits is better served by the poller. Does nothing where another thread reads, or
    /// a program's event loop.
    pub(in crate::client::connection) fn read_as_caller(
        self: &Arc<Self>,
        deadline: Deadline,
        answered: impl FnOnce() -> bool,
    ) {
        let Some(link) = self.state.lock().link().cloned() else { return };
        pause::at("caller's turn", self);
        let Some(_turn) = CallerTurn::take(self, &link) else { return };
        // What the poller has read until now it has handed over, and it reads no more.
        if answered() {
            return;
        }
        let socket = link.socket();
        let ready = self.requests.eagerness.spin(|at_most| socket.spin_for_data(at_most))
            || socket.wait_or_end(Interest::Read, deadline).is_ok_and(|ready| ready);
        if !ready {
            return;
        }
        let mut buffer = [0; CALLER_READ];
        self.receive(&link, Reader::Caller, &mut buffer, 1, false);
        while link.may_have_more() && !link.is_down() {
            self.receive(&link, Reader::Caller, &mut buffer, READS_PER_TURN, false);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use crate::client::connection::testing::connect_to;
    use crate::client::pause::Hold;
    use crate::io::clock;

    #[test]
    fn a_caller_whose_reply_is_about_to_be_handed_out_reads_nothing_itself() {
        let connection = connect_to(
            |mut client| {
                let reply = client.reply_subject();
                client.say(&format!("MSG {reply} 1 2\r\nok\r\n"));
                client.wait_for("never");
            },
            |_| {},
        );
        let (poller, caller) = (Hold::at("attend", &connection), Hold::at("caller's turn", &connection));
        let start = clock::now();
        thread::scope(|scope| {
            let asking = scope.spawn(|| connection.request(b"foo", None, b"", 15_000));
            poller.wait_for_one(); // it has the reply
            drop(caller);
            thread::sleep(Duration::from_millis(50)); // the caller goes as far as it gets
            drop(poller);
            assert_eq!(asking.join().unwrap().unwrap().data(), b"ok");
        });
        assert!(clock::now() - start < Duration::from_secs(10), "it waited for something else to arrive");
        connection.abandon();
    }
}
