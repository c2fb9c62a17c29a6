//! Who writes the bytes that wait.

use std::time::Duration;

use super::Then;

/// Who looks after the bytes that wait. Of them **always holds, whenever the lock is free: somebody is about
/// to write them without being asked** (a writer, a publisher that waits to become one, a poller that watches
/// the socket, whoever is about to notice that the link is over), **or a flush is asked for**. What may end
/// the first is [`end_turn`], the end of a wait and of watching; who does one of these writes on, or calls
/// [`look_after`] before he lets the lock go. (One exception is the call that fails in between: its caller
/// comes back at once, [`leave_to_caller`].)
///
/// [`end_turn`]: Schedule::end_turn
/// [`look_after`]: Schedule::look_after
/// [`leave_to_caller`]: Schedule::leave_to_caller
#[derive(Default)]
pub(super) struct Schedule {
    /// An event loop writes: it is asked once, and goes on telling as long as something is left.
    event_driven: bool,
    writing: bool,
    /// A flush was asked for and has not begun.
    requested: bool,
    /// Nobody was asked, for somebody is about to write anyway: it is asked for again when he leaves
    /// something.
    deferred: bool,
    /// The poller tells when the socket takes bytes again.
    watching: bool,
    /// Publishers that wait for their turn to write.
    waiting: u32,
    /// The link takes nothing any more; who reads it is about to notice.
    over: bool,
    /// Somebody has left bytes that he comes back to.
    left_to_caller: bool,
    /// Publishes since the flush was requested.
    since_request: u32,
    /// The last write, and the last one that was more than a lone message's: a burst that begins with one
    /// does not wait.
    last_write: Duration,
    last_flush: Duration,
}

impl Schedule {
    /// Nothing holds any more of what was true of the link before.
    pub(super) fn reset(&mut self, event_driven: bool) {
        self.event_driven = event_driven;
        self.requested = false;
        self.deferred = false;
        self.watching = false;
        self.over = false;
        self.left_to_caller = false;
    }

    pub(super) fn is_event_driven(&self) -> bool {
        self.event_driven
    }

    pub(super) fn is_writing(&self) -> bool {
        self.writing
    }

    #[cfg(test)]
    pub(super) fn is_watching(&self) -> bool {
        self.watching
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> u32 {
        self.waiting
    }

    /// Whether somebody writes what is there without being asked.
    pub(super) fn is_attended(&self) -> bool {
        self.writing || self.watching || self.waiting > 0 || self.over
    }

    /// Whether what the type's description says holds; `left` says whether bytes wait.
    pub(super) fn is_looked_after(&self, left: bool) -> bool {
        !left || self.is_attended() || (self.requested && !self.deferred) || self.left_to_caller
    }

    // ---- asking ----

    /// Asks for what is there to be written, unless that was done or somebody writes it without being asked.
    pub(super) fn request(&mut self) -> Then {
        self.left_to_caller = false;
        if std::mem::replace(&mut self.requested, true) {
            return Then::Nothing;
        }
        self.deferred = self.is_attended();
        if self.deferred { Then::Nothing } else { Then::RequestFlush }
    }

    /// A message was appended that has not to go out at once; whether a flush was asked for before.
    #[inline(always)]
    pub(super) fn note_publish(&mut self) -> bool {
        self.since_request = self.since_request.wrapping_add(1);
        self.requested
    }

    /// To be called before the lock is let go by who ended his turn, his wait or the watching.
    pub(super) fn look_after(&mut self, left: bool) -> Then {
        if self.is_attended() {
            return Then::Nothing;
        }
        self.take_back_deferred();
        if left {
            return self.request();
        }
        if self.event_driven {
            self.requested = false;
        }
        Then::Nothing
    }

    /// Where nobody is about to write any more, nobody has been asked to: for one who appends next, and asks.
    pub(super) fn take_back_deferred(&mut self) {
        if self.deferred && !self.is_attended() {
            self.deferred = false;
            self.requested = false;
        }
    }

    /// A call leaves bytes to its caller, who appends the next frame or looks after them at once.
    pub(super) fn leave_to_caller(&mut self) {
        self.left_to_caller = true;
    }

    /// A call that has asked fails, so nobody hears of that.
    pub(super) fn take_back_request(&mut self) {
        self.requested = false;
        self.leave_to_caller();
    }

    /// What was asked for begins.
    pub(super) fn begin_flush(&mut self) {
        self.since_request = 0;
        self.left_to_caller = false;
        if !self.event_driven {
            self.requested = false;
            self.deferred = false;
        }
    }

    // ---- turns ----

    /// The caller is the writer. There is one at a time.
    pub(super) fn begin_turn(&mut self) {
        debug_assert!(!self.writing, "one writer at a time");
        self.writing = true;
    }

    /// The writer has written; `over` when the link takes nothing any more.
    pub(super) fn end_turn(&mut self, over: bool) {
        self.writing = false;
        self.over |= over;
    }

    /// Who was asked for a flush finds somebody writing.
    pub(super) fn leave_to_writer(&mut self) {
        self.deferred = self.requested;
    }

    pub(super) fn begin_wait(&mut self) {
        self.waiting += 1;
    }

    pub(super) fn end_wait(&mut self) {
        self.waiting -= 1;
    }

    /// The socket has not taken anything for too long.
    pub(super) fn note_over(&mut self) {
        self.over = true;
    }

    /// The poller is to tell when the socket takes bytes again, or not any more; whether that is new. Event
    /// loops are asked by their adapter.
    pub(super) fn watch(&mut self, on: bool) -> bool {
        let changes = self.watching != on && !self.event_driven;
        self.watching ^= changes;
        changes
    }

    // ---- time ----

    /// When a flush is due, if it is too early for it: more publishes came, and the last write was less than
    /// `wait` ago.
    pub(super) fn too_early(&self, now: Duration, wait: Duration) -> Option<Duration> {
        let due = self.last_flush + wait;
        (self.since_request > 1 && !wait.is_zero() && due > now).then_some(due)
    }

    /// How long ago the last write was.
    pub(super) fn since_write(&self, now: Duration) -> Duration {
        now.saturating_sub(self.last_write)
    }

    pub(super) fn note_write(&mut self, now: Duration) {
        self.last_write = now;
    }

    pub(super) fn note_flush(&mut self, now: Duration) {
        self.last_flush = now;
    }

    pub(super) fn note_publisher_wrote(&mut self, now: Duration) {
        self.last_write = now;
        self.last_flush = now;
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::SmallRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    fn live() -> Schedule {
        Schedule::default()
    }

    #[test]
    fn a_flush_is_asked_for_once_until_it_begins() {
        let mut schedule = live();
        assert!(schedule.request() == Then::RequestFlush && schedule.request() == Then::Nothing);
        assert!(schedule.note_publish());
        schedule.begin_flush();
        assert!(!schedule.note_publish() && schedule.request() == Then::RequestFlush);
    }

    #[test]
    fn what_was_not_asked_for_because_of_a_writer_is_asked_for_when_he_leaves_something() {
        for left in [true, false] {
            let mut schedule = live();
            schedule.begin_turn();
            assert!(schedule.request() == Then::Nothing && schedule.is_looked_after(true));
            schedule.end_turn(false);
            assert!(!schedule.is_looked_after(true));
            assert!(schedule.look_after(left) == if left { Then::RequestFlush } else { Then::Nothing });
            assert!(schedule.is_looked_after(left));
            assert_eq!(schedule.note_publish(), left);
        }
    }

    #[test]
    fn a_poller_that_comes_while_somebody_writes_is_asked_again() {
        let mut schedule = live();
        assert!(schedule.request() == Then::RequestFlush);
        schedule.begin_turn();
        schedule.leave_to_writer();
        schedule.end_turn(false);
        assert!(schedule.look_after(true) == Then::RequestFlush);
    }

    #[test]
    fn who_waits_for_his_turn_looks_after_what_is_there() {
        let mut schedule = live();
        schedule.begin_turn();
        schedule.begin_wait();
        schedule.end_turn(false);
        assert!(schedule.look_after(true) == Then::Nothing && schedule.is_looked_after(true));
        assert!(schedule.request() == Then::Nothing);
        schedule.end_wait();
        assert!(!schedule.is_looked_after(true) && schedule.look_after(true) == Then::RequestFlush);
    }

    #[test]
    fn nobody_is_asked_while_the_socket_is_watched_or_the_link_over() {
        let mut schedule = live();
        assert!(schedule.watch(true) && !schedule.watch(true));
        assert!(schedule.request() == Then::Nothing && schedule.look_after(true) == Then::Nothing);
        assert!(schedule.watch(false) && schedule.look_after(true) == Then::RequestFlush);
        schedule.begin_turn();
        schedule.end_turn(true);
        assert!(schedule.look_after(true) == Then::Nothing && schedule.is_looked_after(true));
        schedule.reset(false);
        assert!(schedule.look_after(true) == Then::RequestFlush);
    }

    #[test]
    fn a_failed_call_leaves_its_bytes_to_its_caller() {
        let mut schedule = live();
        assert!(schedule.look_after(true) == Then::RequestFlush);
        schedule.take_back_request();
        assert!(schedule.is_looked_after(true));
        assert!(schedule.look_after(true) == Then::RequestFlush);
    }

    #[test]
    fn an_event_loop_is_asked_once_until_nothing_is_left() {
        let mut schedule = live();
        schedule.reset(true);
        assert!(!schedule.watch(true));
        assert!(schedule.request() == Then::RequestFlush);
        schedule.begin_flush();
        assert!(schedule.look_after(true) == Then::Nothing, "it tells again on its own");
        assert!(schedule.look_after(false) == Then::Nothing);
        assert!(schedule.request() == Then::RequestFlush);
    }

    #[test]
    fn a_burst_waits_for_the_time_of_the_next_flush() {
        let ms = Duration::from_millis;
        let mut schedule = live();
        schedule.note_flush(ms(100));
        schedule.note_publish();
        assert_eq!(schedule.too_early(ms(101), ms(5)), None, "a lone message");
        schedule.note_publish();
        assert_eq!(schedule.too_early(ms(101), ms(5)), Some(ms(105)));
        assert_eq!(schedule.too_early(ms(105), ms(5)), None);
        assert_eq!(schedule.too_early(ms(101), ms(0)), None);
        schedule.note_write(ms(101));
        assert_eq!(schedule.since_write(ms(104)), ms(3));
        schedule.note_publisher_wrote(ms(104));
        assert_eq!(schedule.too_early(ms(105), ms(5)), Some(ms(109)));
        schedule.begin_flush();
        assert_eq!(schedule.too_early(ms(105), ms(5)), None);
    }

    /// Publishers, writers and pollers in any order: nothing waits that nobody looks after, and a flush that
    /// was asked for is never asked for again before it begins.
    #[test]
    fn whatever_happens_bytes_are_looked_after() {
        for seed in 0..500 {
            let mut rng = SmallRng::seed_from_u64(seed);
            let mut schedule = live();
            let (mut left, mut asked, mut waiting) = (false, 0_u32, 0_u32);
            for step in 0..200 {
                let then = match rng.random_range(0..8) {
                    0 | 1 => {
                        left = true;
                        schedule.request()
                    }
                    2 if !schedule.is_writing() => {
                        schedule.begin_turn();
                        Then::Nothing
                    }
                    3 | 4 if schedule.is_writing() => {
                        left = rng.random();
                        schedule.end_turn(false);
                        schedule.look_after(left)
                    }
                    5 if schedule.is_writing() => {
                        schedule.begin_wait();
                        waiting += 1;
                        Then::Nothing
                    }
                    6 if waiting > 0 => {
                        waiting -= 1;
                        schedule.end_wait();
                        schedule.look_after(left)
                    }
                    7 if asked > 0 => {
                        asked -= 1;
                        if schedule.is_writing() {
                            schedule.leave_to_writer();
                            Then::Nothing
                        } else {
                            schedule.begin_flush();
                            left = rng.random();
                            schedule.watch(left);
                            schedule.look_after(left)
                        }
                    }
                    _ if schedule.watching && !schedule.is_writing() => {
                        schedule.watch(false);
                        schedule.look_after(left)
                    }
                    _ => Then::Nothing,
                };
                asked += u32::from(then == Then::RequestFlush);
                assert!(schedule.is_looked_after(left), "seed {seed}, step {step}");
                // What counts as asked for is really asked for.
                assert!(!left || schedule.is_attended() || asked > 0, "seed {seed}, step {step}");
            }
        }
    }
}
