//! Whether it pays to look for a reply before falling asleep.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::io::threads;

/// Falling asleep and being woken costs more than looking for this long whether the reply is there.
const SPIN: Duration = Duration::from_micros(100);
/// So many replies in a row that took longer: the next ones are not looked for.
const SLOW_REPLIES: u32 = 3;
/// After so many more it is tried again.
const UNTRIED_REPLIES: u32 = 64;

/// Whether a wait for a reply begins with looking for it instead of sleeping: as long as replies come that
/// quickly, and there is another processor that can make one meanwhile.
#[derive(Default)]
pub(in crate::client::connection) struct Eagerness {
    /// Replies since one came quickly.
    slow: AtomicU32,
}

impl Eagerness {
    /// Has `look` look for at most the given time, if that is promising; true when it found something.
    pub(crate) fn spin(&self, look: impl FnOnce(Duration) -> bool) -> bool {
        let slow = self.slow.load(Ordering::Relaxed);
        let promising = !(SLOW_REPLIES..SLOW_REPLIES + UNTRIED_REPLIES).contains(&slow);
        let found = promising && threads::processors() > 1 && look(SPIN);
        let slow = match slow {
            _ if found => 0,
            slow if slow >= SLOW_REPLIES + UNTRIED_REPLIES => SLOW_REPLIES,
            slow => slow + 1,
        };
        self.slow.store(slow, Ordering::Relaxed);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_replies_are_not_looked_for_but_now_and_then() {
        let eagerness = Eagerness::default();
        let looks = |found: bool, replies: u32| {
            let mut looks = 0;
            for _ in 0..replies {
                eagerness.spin(|_| {
                    looks += 1;
                    found
                });
            }
            looks
        };
        if threads::processors() == 1 {
            assert_eq!(looks(true, 10), 0);
            return;
        }
        assert_eq!(looks(true, 10), 10);
        assert_eq!(looks(false, SLOW_REPLIES + UNTRIED_REPLIES), SLOW_REPLIES);
        assert_eq!(looks(false, 1), 1);
        assert_eq!(looks(false, UNTRIED_REPLIES), 0);
        assert_eq!(looks(true, 10), 10);
    }
}
