//! A link becomes the connection's.

use std::sync::Arc;

use crate::client::connection::event_loop::Call;
use crate::client::connection::link::Link;
use crate::client::connection::outbound::Then;
use crate::client::connection::state::Before;
use crate::client::connection::waiter::Waiter;
use crate::client::connection::{ConnStatus, Connection};
use crate::client::pause;
use crate::error::{Result, Status};
use crate::io::clock::Deadline;
use crate::proto::buffer::Buffer;
use crate::proto::info::ServerInfo;
use crate::session::pool::Announced;

impl Connection {
    /// The server is ready: everything that waited goes out, reading begins.
    pub(super) fn go_live(
        self: &Arc<Self>,
        link: Arc<Link>,
        info: ServerInfo,
        leftover: &[u8],
    ) -> Result<()> {
        let adopted = self.adopt(&link, info).inspect_err(|_| link.discard())?;
        let Some((before, flush)) = adopted else {
            link.discard(); // another thread was quicker
            return Ok(());
        };
        pause::at("unwatched", self);
        self.start_ticks();
        self.begin_receiving(&link, leftover);
        let watched = self.start_watching(&link);
        let over = watched.is_err() && (self.back_out(&link, before) || self.is_closed());
        self.state.lock().let_events_go();
        if over {
            return watched;
        }
        self.carry_out(flush); // for nothing, if the link was lost meanwhile: who noticed that comes back
        Ok(())
    }

    /// Makes the link the connection's; `None` when it has another one by now. The flush is for later.
    fn adopt(self: &Arc<Self>, link: &Arc<Link>, info: ServerInfo) -> Result<Option<(Before, Then)>> {
        let others = Announced::new(&info)?;
        let mut state = self.state.lock();
        if state.status() == ConnStatus::Closed {
            return Err(Status::ConnectionClosed.into());
        }
        if state.link().is_some() {
            return Ok(None);
        }
        // Under the table's lock: what is subscribed at this moment is sent here or by itself, never twice
        // and never not.
        let table = self.routes.lock();
        let mut first = Buffer::default();
        table.resubscribe(&mut first)?;
        let came_up_before = !state.is_initial();
        self.take_info(&mut state, info, others, came_up_before);
        let before = state.come_up(link);
        if before.in_background() {
            self.counters.note_reconnect();
        }
        pause::at("go_live", self);
        let flush = self.outbound.go_live(link, first, before.in_background());
        drop(table);
        Ok(Some((before, flush)))
    }

    fn start_watching(self: &Arc<Self>, link: &Arc<Link>) -> Result<()> {
        match link.event_loop() {
            Some(event_loop) => {
                let made = Arc::new(Waiter::default());
                event_loop.post(Call::Attach(Arc::clone(self), Arc::clone(link), Arc::clone(&made)));
                event_loop.make_calls();
                made.wait(Deadline::NEVER)
            }
            None => link.watch(self.poller(), self.clone()),
        }
    }

    /// Takes back what made a link the connection's, which then turns out not to be usable. False when there
    /// is nothing to take back: it was lost meanwhile, and who noticed that comes back or has closed.
    pub(super) fn back_out(&self, link: &Arc<Link>, before: Before) -> bool {
        let mut state = self.state.lock();
        if !state.is_current(link) {
            return false;
        }
        let severed = state.back_out(&before, self.outbound.go_down());
        if before.in_background() {
            self.counters.take_reconnect_back();
        }
        drop(state);
        self.stop_ticks();
        severed.discard();
        self.outbound.settle(); // the rest of a frame must not go to the next link
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::connection::testing::{Server, connected, link_with_peer};

    #[test]
    fn a_link_that_comes_too_late_is_ended_and_changes_nothing() {
        let server = Server::start(false);
        let connection = connected(&server);
        let (own, (late, _peer)) = (connection.link_now(), link_with_peer());
        connection.go_live(Arc::clone(&late), ServerInfo::default(), b"").unwrap();
        assert!(late.is_down() && connection.state.lock().is_current(&own));
        assert_eq!(connection.max_payload(), 1000, "as its own server said");
        connection.flush(20_000).unwrap();

        connection.close();
        let (late, _peer) = link_with_peer();
        let failure = connection.go_live(Arc::clone(&late), ServerInfo::default(), b"").unwrap_err();
        assert!(late.is_down() && connection.is_closed());
        assert_eq!(failure.status(), Status::ConnectionClosed);
    }
}
