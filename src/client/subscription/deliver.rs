//! What a delivery thread does with a subscription: runs its callbacks, then what is due after the last one.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use crate::sync::MutexGuard;

use super::{End, State, Subscription};
use crate::client::delivery::Worker;
use crate::client::message::Msg;
use crate::client::message::recycle::AHEAD;
use crate::client::pause;
use crate::thread_end::Ending;

/// How many callbacks a subscription may run in a row while others wait for the same worker.
const TURNS_IN_A_ROW: usize = 128;

#[inline]
fn others_turn(worker: &Worker, in_a_row: usize) -> bool {
    in_a_row >= TURNS_IN_A_ROW && worker.others_wait()
}

impl Subscription {
    /// Runs the callbacks of what is queued. True when there is more and another subscription waits.
    pub(super) fn deliver_queued(self: &Arc<Self>, worker: &Worker, batch: &mut VecDeque<Msg>) -> bool {
        let mut in_a_row = 0;
        loop {
            let mut state = self.state.lock();
            if state.queue.is_empty() || !self.is_valid() {
                match self.nothing_queued(state, worker) {
                    Some(again) => return again,
                    None => continue,
                }
            }
            state.queue.swap_out(batch);
            self.note_room(&mut state); // that of another subscription, perhaps
            drop(state);
            if !self.deliver_batch(worker, batch, &mut in_a_row) {
                return self.put_back(batch);
            }
            if self.is_timed {
                self.restart_timeout(&mut self.state.lock());
            }
            if others_turn(worker, in_a_row) {
                return true;
            }
        }
    }

    /// Calls the handler of a subscription that was idle for its time, or ends what is to be ended. Something
    /// when the worker lets go of the subscription: true when it is to get it again.
    fn nothing_queued(self: &Arc<Self>, mut state: MutexGuard<'_, State>, worker: &Worker) -> Option<bool> {
        let idle = state.idle.take_due() && self.is_valid() && !state.drain.is_emptying();
        if !idle {
            return self.finish_if_due(state, worker).then_some(false);
        }
        drop(state);
        let called = worker.turn(|| self.call(None));
        self.restart_timeout(&mut self.state.lock());
        (called == Err(Ending)).then_some(true)
    }

    /// False when the rest of the batch has to wait: others have their turn, or the thread is ending.
    #[inline]
    fn deliver_batch(
        self: &Arc<Self>,
        worker: &Worker,
        batch: &mut VecDeque<Msg>,
        in_a_row: &mut usize,
    ) -> bool {
        while let Some(msg) = batch.pop_front() {
            if !self.is_valid() {
                batch.clear();
                break;
            }
            if let Some(soon) = batch.get(AHEAD) {
                soon.fetch();
            }
            if worker.turn(|| self.deliver(msg)) == Err(Ending) {
                return false;
            }
            *in_a_row += 1;
            if others_turn(worker, *in_a_row) && !batch.is_empty() {
                return false;
            }
        }
        true
    }

    /// Puts what was not delivered in front of what has come since. True: the subscription is to be delivered
    /// again.
    pub(super) fn put_back(self: &Arc<Self>, batch: &mut VecDeque<Msg>) -> bool {
        pause::at("put_back", self);
        let mut state = self.state.lock();
        if state.life.end().is_some() {
            drop(state);
            batch.clear(); // nobody is going to take them out again
            return true;
        }
        state.queue.put_back(batch);
        true
    }

    /// Runs the callback of one message of the fixed pool.
    pub(super) fn deliver_one(self: &Arc<Self>, msg: Msg, worker: &Worker) {
        if self.is_valid() {
            let _ = worker.turn(|| self.deliver(msg)); // the worker itself looks whether its thread is ending
        }
        fence(Ordering::SeqCst); // see `Tally::limit`
        let limited = self.tally.max() > 0;
        if !self.is_timed && self.is_valid() && !limited && !self.emptying.load(Ordering::Acquire) {
            return; // nothing that another thread would leave to this one
        }
        let mut state = self.state.lock();
        self.restart_timeout(&mut state);
        if state.life.end().is_none() && self.tally.is_at_max() {
            drop(state);
            self.end(End::MaxReached);
        } else if state.life.unfinished_end().is_some() {
            self.schedule_if_needed(state);
        } else if state.drain.is_emptying() && state.queue.pending(&self.tally) == 0 {
            drop(state);
            self.end(End::Drained);
        }
    }

    #[inline(always)] // one of its two callers calls it for each message
    fn deliver(self: &Arc<Self>, msg: Msg) -> std::result::Result<(), Ending> {
        let number = self.tally.next();
        let max = self.tally.max();
        pause::at("deliver", self);
        if max > 0 && number > max {
            self.end(End::MaxReached);
            return Ok(());
        }
        self.tally.count(number, msg.size() as u64);
        let called = self.call(Some(msg));
        let max = self.tally.max(); // which may be new
        if max > 0 && number >= max {
            self.end(End::MaxReached);
        }
        called
    }

    #[inline]
    fn call(self: &Arc<Self>, msg: Option<Msg>) -> std::result::Result<(), Ending> {
        match &self.handler {
            Some(handler) => handler(&self.connection, self, msg),
            None => Ok(()),
        }
    }

    /// Nothing is queued: ends what is to be ended. True when the worker is done with the subscription for
    /// now.
    fn finish_if_due(self: &Arc<Self>, mut state: MutexGuard<'_, State>, worker: &Worker) -> bool {
        if state.life.end().is_none() && self.tally.is_at_max() {
            drop(state);
            self.end(End::MaxReached);
            return false;
        }
        // In the fixed pool there may be messages behind this.
        let drained = state.drain.is_emptying() && state.queue.pending(&self.tally) == 0;
        if drained && state.life.end().is_none() {
            drop(state);
            self.end(End::Drained);
            return false;
        }
        let Some(end) = state.life.unfinished_end() else {
            state.schedule.release();
            return true;
        };
        state.drain.settle(end, self.is_async());
        let left = state.schedule.leave();
        let told = state.life.finish(end);
        drop(state);
        self.changed.notify_all();
        drop(left);
        worker.turn(|| told.tell());
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;
    use crate::client::connection::{Connection, testing};
    use crate::client::pause::Hold;
    use crate::client::subscription::Request;
    use crate::client::subscription::tests::{arrive, ignored, subscribed, telling, unconnected};
    use crate::sync::Mutex;

    const SOON: Duration = Duration::from_secs(20);

    #[test]
    fn callbacks_come_in_order_up_to_the_limit_then_the_end() {
        let connection = unconnected();
        let (handler, told) = telling();
        let sub = subscribed(&connection, handler);
        let (tell, end) = channel();
        sub.observe_end(Box::new(move |end| tell.send(end).unwrap()));
        connection.unsubscribe(&sub, 3).unwrap();
        arrive(&sub, &["a", "b"]);
        sub.start();
        arrive(&sub, &["c", "d"]);
        assert_eq!(end.recv_timeout(SOON), Ok(End::MaxReached));
        assert_eq!(told.try_iter().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!((sub.delivered(), sub.is_valid()), (3, false));
        connection.close();
    }

    #[test]
    fn nothing_more_is_delivered_once_a_callback_has_ended_the_subscription() {
        let connection = unconnected();
        let (tell, told) = channel();
        let handler = Box::new(move |nc: &Arc<Connection>, sub: &Arc<Subscription>, _: Option<Msg>| {
            nc.unsubscribe(sub, 0).unwrap();
            tell.send(()).unwrap();
            Ok(())
        });
        let sub = subscribed(&connection, Some(handler));
        let (ended, end) = channel();
        sub.observe_end(Box::new(move |end| ended.send(end).unwrap()));
        arrive(&sub, &["a", "b", "c"]);
        sub.start();
        assert_eq!(end.recv_timeout(SOON), Ok(End::Unsubscribed));
        assert_eq!(told.try_iter().count(), 1);
        connection.close();
    }

    #[test]
    fn a_subscription_that_ends_before_its_worker_puts_messages_back_is_finished_without_them() {
        let connection = unconnected();
        let (tell, told) = channel();
        let handler = Box::new(move |_: &_, _: &_, _: Option<Msg>| {
            tell.send(()).unwrap();
            Err(Ending)
        });
        let sub = subscribed(&connection, Some(handler));
        let (ended, end) = channel();
        sub.observe_end(Box::new(move |end| ended.send(end).unwrap()));
        arrive(&sub, &["a", "b", "c"]);
        let hold = Hold::at("put_back", &sub);
        sub.start();
        hold.wait_for_one();
        connection.unsubscribe(&sub, 0).unwrap();
        assert!(end.try_recv().is_err(), "the worker still has it");
        drop(hold);
        assert_eq!(end.recv_timeout(SOON), Ok(End::Unsubscribed));
        assert!(told.try_iter().count() == 1 && sub.state.lock().queue.is_empty());
        connection.close();
    }

    #[test]
    fn a_drain_waits_for_the_message_that_a_worker_is_about_to_deliver() {
        let connection = unconnected();
        let (handler, told) = telling();
        let sub = subscribed(&connection, handler);
        let (ended, end) = channel();
        sub.observe_end(Box::new(move |end| ended.send(end).unwrap()));
        arrive(&sub, &["a"]);
        let hold = Hold::at("deliver", &sub);
        sub.start();
        hold.wait_for_one();
        assert!(sub.begin_drain(0, true));
        sub.drain_queue(None);
        assert!(sub.is_valid() && sub.drain_status().is_err());
        drop(hold);
        assert_eq!(end.recv_timeout(SOON), Ok(End::Drained));
        assert_eq!(told.try_iter().collect::<Vec<_>>(), ["a"]);
        connection.close();
    }

    #[test]
    fn a_drained_subscription_delivers_what_is_queued() {
        let connection = unconnected();
        let (handler, told) = telling();
        let sub = subscribed(&connection, handler);
        let (tell, end) = channel();
        sub.observe_end(Box::new(move |end| tell.send(end).unwrap()));
        arrive(&sub, &["a", "b"]);
        assert!(sub.begin_drain(0, true));
        sub.drain_queue(None);
        sub.start();
        assert_eq!(end.recv_timeout(SOON), Ok(End::Drained));
        assert_eq!(told.try_iter().collect::<Vec<_>>(), ["a", "b"]);
        assert!(sub.wait_for_drain(1).is_ok() && sub.drain_status().is_ok());
        connection.close();
    }

    #[test]
    fn a_drain_waits_for_what_the_fixed_pool_has_when_an_idle_callback_ends() {
        let connection = testing::unconnected(|options| options.behaviour.global_delivery = true);
        let ((tell, told), (go, wait)) = (channel(), channel::<()>());
        let wait = Mutex::new(wait);
        let handler = Box::new(move |_: &_, _: &_, msg: Option<Msg>| {
            tell.send(msg.as_ref().map_or(b'-', |msg| msg.data()[0])).unwrap();
            if msg.is_none() {
                wait.lock().recv_timeout(SOON).unwrap();
            }
            Ok(())
        });
        let request = Request { subject: b"foo", queue: None, handler: Some(handler), timeout_ms: Some(20) };
        let sub = connection.subscribe(request).unwrap();
        let (ended, end) = channel();
        sub.observe_end(Box::new(move |end| ended.send(end).unwrap()));
        sub.start();
        assert_eq!(told.recv_timeout(SOON), Ok(b'-'));
        let mut handover = connection.core().delivery.handover();
        for byte in [b"a", b"b"] {
            sub.admit(Msg::new(b"foo", None, byte).unwrap(), &mut handover);
        }
        handover.finish(|_| {});
        assert!(sub.begin_drain(0, true));
        sub.drain_queue(None);
        go.send(()).unwrap();
        assert_eq!(end.recv_timeout(SOON), Ok(End::Drained));
        assert_eq!(told.try_iter().collect::<Vec<_>>(), b"ab");
        connection.close();
    }

    #[test]
    fn a_completion_that_blocks_holds_up_no_other_subscription() {
        let connection = unconnected();
        let (handler, told) = telling();
        let (first, second) = (subscribed(&connection, ignored()), subscribed(&connection, handler));
        let mut host = None;
        first.state.lock().schedule.with_home(|home| host = Some(home.clone()));
        second.state.lock().schedule.visit(&host.unwrap());
        let ((begin, begun), (go, wait)) = (channel(), channel::<()>());
        let complete = move || {
            begin.send(()).unwrap();
            let _ = wait.recv_timeout(SOON);
        };
        first.set_on_complete(Some(Box::new(complete))).unwrap();
        first.start();
        second.start();
        connection.unsubscribe(&first, 0).unwrap();
        begun.recv_timeout(SOON).unwrap();
        arrive(&second, &["a"]);
        assert_eq!(told.recv_timeout(SOON / 2).as_deref(), Ok("a"));
        go.send(()).unwrap();
        connection.close();
    }

    #[test]
    fn an_idle_subscription_is_called_without_a_message() {
        let connection = unconnected();
        let (handler, told) = telling();
        let request = Request { subject: b"foo", queue: None, handler, timeout_ms: Some(20) };
        let sub = connection.subscribe(request).unwrap();
        sub.start();
        assert_eq!(told.recv_timeout(SOON).unwrap(), "-");
        arrive(&sub, &["a"]);
        while told.recv_timeout(SOON).unwrap() == "-" {}
        assert_eq!(told.recv_timeout(SOON).unwrap(), "-", "again after the message");
        assert_eq!(sub.delivered(), 1);
        connection.close();
    }
}
