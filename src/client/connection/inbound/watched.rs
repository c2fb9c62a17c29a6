//! Who watches the socket all the time, the poller or a program's event loop, tells of what it found.

use std::sync::Arc;
use std::time::Duration;

use super::{READS_PER_TURN, Reader};
use crate::client::connection::Connection;
use crate::client::connection::event_loop::Call;
use crate::io::poller::Driven;
use crate::proto::memory;

impl Connection {
    /// The program's loop found the socket readable. Does nothing without a socket.
    pub fn process_read_event(self: &Arc<Self>) {
        let link = self.state.lock().link().cloned();
        let Some(link) = link.filter(|l| l.event_loop().is_some()) else { return };
        let mut buffer = match memory::zeros(self.options.buffers.io_size) {
            Ok(buffer) => buffer,
            Err(error) => return self.receive_failed(&link, error),
        };
        link.read_events.run(|again| {
            // A loop that tells of arrivals only once has told of several by then.
            let reads = if again { READS_PER_TURN } else { 1 };
            self.receive(&link, Reader::Watcher, &mut buffer, reads, false);
            link.with_held_data(|| {
                while link.may_have_more() && link.is_received() {
                    self.receive(&link, Reader::Watcher, &mut buffer, READS_PER_TURN, false);
                }
            });
        });
    }

    /// The program's loop found the socket writable. Does nothing without a socket.
    pub fn process_write_event(self: &Arc<Self>) {
        let link = self.state.lock().link().cloned();
        let Some(link) = link else { return };
        let Some(event_loop) = link.event_loop() else { return };
        link.write_events.run(|_| {
            let (left, then) = self.outbound.writable();
            self.carry_out(then);
            if left {
                return;
            }
            event_loop.post(Call::Write(false));
            if self.outbound.has_bytes() {
                event_loop.post(Call::Write(true)); // appended since the look above
            }
            self.make_calls(event_loop);
        });
    }
}

impl Driven for Connection {
    fn readable(self: Arc<Self>, buffer: &mut [u8], maybe_ended: bool) -> bool {
        let link = self.state.lock().link().cloned();
        link.is_some_and(|link| self.receive(&link, Reader::Watcher, buffer, READS_PER_TURN, maybe_ended))
    }

    fn writable(self: Arc<Self>) {
        let (_, then) = self.outbound.writable();
        self.carry_out(then);
    }

    fn flush_due(self: Arc<Self>, first_look: bool) -> Option<Duration> {
        self.note_ping_tried();
        let (later, then) = self.outbound.flush_due(first_look);
        self.carry_out(then);
        later
    }
}
