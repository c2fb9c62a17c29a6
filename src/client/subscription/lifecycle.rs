//! The end of a subscription: why it ended, and who is told.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Subscription;
use crate::error::{Result, Status};

/// The program's: called once after the last message callback.
pub(crate) type CompleteHandler = Box<dyn FnOnce() + Send>;

/// The library's: told once why the subscription ended, when its last callback has returned and before the
/// program is told. It is called without a lock, on the thread that delivered or, for a synchronous
/// subscription, on the one that ended it; it does not wait for anything.
pub(super) type EndObserver = Box<dyn FnOnce(End) + Send>;

/// Why a subscription ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Unsubscribed or destroyed.
    Unsubscribed,
    ConnectionClosed,
    /// The auto-unsubscribe limit was reached.
    MaxReached,
    Drained,
    DrainTimeout,
}

impl End {
    /// What a reader of the ended subscription is told.
    pub(super) fn for_reader(self) -> Status {
        match self {
            End::ConnectionClosed => Status::ConnectionClosed,
            End::MaxReached => Status::MaxDeliveredMsgs,
            End::Unsubscribed | End::Drained | End::DrainTimeout => Status::InvalidSubscription,
        }
    }
}

/// Open, then ended: nothing more is delivered; then finished: the last callback has returned. Under the
/// subscription's lock.
#[derive(Default)]
pub(super) struct Life {
    end: Option<End>,
    finished: bool,
    observers: Vec<EndObserver>,
    on_complete: Option<CompleteHandler>,
}

/// Who is to hear of an end that was carried out.
#[must_use]
pub(super) struct Told {
    end: End,
    observers: Vec<EndObserver>,
    on_complete: Option<CompleteHandler>,
}

impl Told {
    /// In the order in which they asked to be told, the program last. Holds no lock.
    pub(super) fn tell(self) {
        self.observers.into_iter().for_each(|observer| observer(self.end));
        if let Some(on_complete) = self.on_complete {
            on_complete();
        }
    }
}

impl Life {
    /// Why it ended, if it did.
    #[inline]
    pub(super) fn end(&self) -> Option<End> {
        self.end
    }

    /// The first end counts: false for others.
    fn end_with(&mut self, end: End) -> bool {
        if self.end.is_some() {
            return false;
        }
        self.end = Some(end);
        true
    }

    /// The end that was decided but not yet carried out by the one who delivers.
    #[inline]
    pub(super) fn unfinished_end(&self) -> Option<End> {
        if self.finished { None } else { self.end }
    }

    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    /// Keeps an observer until the end is carried out; gives it back when that has happened, with the end to
    /// tell it of.
    fn observe(&mut self, observer: EndObserver) -> Option<(EndObserver, End)> {
        if self.finished {
            return self.end.map(|end| (observer, end));
        }
        self.observers.push(observer);
        None
    }

    /// The end is carried out. Who is to be told is the caller's to tell, without the lock.
    pub(super) fn finish(&mut self, end: End) -> Told {
        self.finished = true;
        let observers = std::mem::take(&mut self.observers);
        Told { end, observers, on_complete: self.on_complete.take() }
    }
}

impl Subscription {
    /// Called once after the last callback; `None` clears it.
    pub fn set_on_complete(&self, handler: Option<CompleteHandler>) -> Result<()> {
        let mut state = self.open_state()?;
        if !self.is_async() {
            return Err(Status::InvalidSubscription.into());
        }
        let old = std::mem::replace(&mut state.life.on_complete, handler);
        drop(state);
        drop(old);
        Ok(())
    }

    /// Has `observer` told of the end; at once, on this thread, when it has come.
    pub(in crate::client) fn observe_end(&self, observer: EndObserver) {
        let over = self.state.lock().life.observe(observer);
        if let Some((observer, end)) = over {
            observer(end);
        }
    }

    /// Ends a subscription that its worker found drained or at its limit: out of the connection's table, then
    /// closed.
    #[cold]
    pub(super) fn end(self: &Arc<Self>, end: End) {
        self.connection.remove_subscription(self, end);
    }

    /// Closes: nothing more is delivered, readers and waiters are woken. A running callback is not waited
    /// for.
    pub(in crate::client) fn close(self: &Arc<Self>, end: End) {
        let mut state = self.state.lock();
        if !state.life.end_with(end) {
            return;
        }
        self.closed.store(true, Ordering::Release);
        let msgs = state.queue.take_all();
        if let Some(timer) = state.idle.stop() {
            self.connection.core().timer.cancel(timer);
        }
        state.schedule.start();
        let told = (!self.is_async()).then(|| {
            state.drain.settle(end, false);
            state.life.finish(end)
        });
        self.schedule_if_needed(state);
        drop(msgs);
        self.changed.notify_all();
        if let Some(told) = told {
            told.tell();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;
    use crate::client::subscription::tests::{ignored, subscribed, unconnected};

    type Log = Arc<Mutex<Vec<String>>>;

    fn observer(log: &Log, name: &'static str) -> EndObserver {
        let log = Arc::clone(log);
        Box::new(move |end| log.lock().unwrap().push(format!("{name} {end:?}")))
    }

    #[test]
    fn observers_are_told_in_order_and_the_program_last() {
        let (mut life, log) = (Life::default(), Log::default());
        let on_complete = Arc::clone(&log);
        life.on_complete = Some(Box::new(move || on_complete.lock().unwrap().push("program".to_owned())));
        assert!(life.observe(observer(&log, "first")).is_none());
        assert!(life.observe(observer(&log, "second")).is_none());
        assert!(life.end_with(End::Drained) && !life.end_with(End::Unsubscribed));
        assert_eq!(
            (life.end(), life.unfinished_end(), life.is_finished()),
            (Some(End::Drained), life.end(), false)
        );
        assert!(life.observe(observer(&log, "third")).is_none(), "the last callback may still run");
        life.finish(End::Drained).tell();
        assert_eq!(*log.lock().unwrap(), ["first Drained", "second Drained", "third Drained", "program"]);
        assert!(life.is_finished() && life.unfinished_end().is_none());
        life.finish(End::Drained).tell();
        let (late, end) = life.observe(observer(&log, "late")).unwrap();
        late(end);
        assert_eq!(log.lock().unwrap().last().unwrap(), "late Drained");
        assert_eq!(log.lock().unwrap().len(), 5, "each is told once");
    }

    #[test]
    fn who_reads_an_ended_subscription_learns_why() {
        let told = [End::ConnectionClosed, End::MaxReached, End::Unsubscribed].map(End::for_reader);
        assert_eq!(told, [Status::ConnectionClosed, Status::MaxDeliveredMsgs, Status::InvalidSubscription]);
    }

    #[test]
    fn the_end_is_told_after_the_last_callback_or_at_once_without_callbacks() {
        let connection = unconnected();
        for handler in [None, ignored()] {
            let sub = subscribed(&connection, handler);
            sub.start();
            let (tell, told) = std::sync::mpsc::channel();
            let again = tell.clone();
            sub.observe_end(Box::new(move |end| tell.send(end).unwrap()));
            connection.unsubscribe(&sub, 0).unwrap();
            assert_eq!(told.recv_timeout(Duration::from_secs(20)), Ok(End::Unsubscribed));
            sub.observe_end(Box::new(move |end| again.send(end).unwrap()));
            assert_eq!(told.try_recv(), Ok(End::Unsubscribed));
        }
        connection.close();
    }
}
