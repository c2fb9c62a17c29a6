//! How long to wait before each attempt to reconnect.

use std::time::Duration;

use rand::Rng;

/// What the options say about waiting, in milliseconds; none is negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReconnectTiming {
    /// Wait at the end of a round over the pool.
    pub wait_ms: i64,
    /// Up to this much (exclusive) is added to the wait.
    pub jitter_ms: i64,
    /// The same for connections over TLS.
    pub jitter_tls_ms: i64,
    /// The connection uses TLS.
    pub tls: bool,
    /// The program computes the wait itself.
    pub custom: bool,
}

/// How to pause before the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delay {
    /// In the middle of a round: no more than [`Delay::PAUSE`].
    None,
    /// End of a round: this long; a close must cut it short.
    Wait(Duration),
    /// End of a round: the program's callback decides; `attempts` is the number of the round in this outage,
    /// from 1.
    Ask { attempts: i32 },
}

impl Delay {
    /// The pause between servers of one round.
    pub(crate) const PAUSE: Duration = Duration::from_millis(1);
}

/// Places the waits of one outage: the last attempt of each round over the pool is the one that waits, so
/// with a single server every attempt does, the first too, and with several the others are tried at once.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReconnectPlan {
    tried_in_round: usize,
    rounds: i32,
}

impl ReconnectPlan {
    /// A plan for one outage; make a new one for the next.
    pub(crate) fn new() -> ReconnectPlan {
        ReconnectPlan::default()
    }

    /// Call before each attempt, after the next server was chosen; `pool_len` is the number of servers left.
    pub(crate) fn next_delay(
        &mut self,
        pool_len: usize,
        opts: &ReconnectTiming,
        rng: &mut impl Rng,
    ) -> Delay {
        if self.tried_in_round + 1 < pool_len {
            self.tried_in_round += 1;
            return Delay::None;
        }
        self.tried_in_round = 0;
        self.rounds = self.rounds.saturating_add(1);
        if opts.custom {
            return Delay::Ask { attempts: self.rounds };
        }
        Delay::Wait(wait_with_jitter(opts, rng))
    }
}

/// The wait that the options ask for, where the program does not compute it.
pub(crate) fn wait_with_jitter(opts: &ReconnectTiming, rng: &mut impl Rng) -> Duration {
    let range = if opts.tls { opts.jitter_tls_ms } else { opts.jitter_ms };
    let jitter = if range > 0 { rng.random_range(0..range) } else { 0 };
    let ms = opts.wait_ms.saturating_add(jitter);
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::SmallRng};

    const PLAIN: ReconnectTiming =
        ReconnectTiming { wait_ms: 2000, jitter_ms: 0, jitter_tls_ms: 0, tls: false, custom: false };
    const WAIT: Delay = Delay::Wait(Duration::from_millis(2000));

    fn delays(pool_lens: &[usize], opts: &ReconnectTiming) -> Vec<Delay> {
        let mut rng = SmallRng::seed_from_u64(1);
        let mut plan = ReconnectPlan::new();
        pool_lens.iter().map(|len| plan.next_delay(*len, opts, &mut rng)).collect()
    }

    #[test]
    fn one_server_waits_before_every_attempt() {
        assert_eq!(delays(&[1, 1, 1], &PLAIN), [WAIT; 3]);
    }

    #[test]
    fn several_servers_wait_only_before_the_one_just_lost() {
        let none = Delay::None;
        assert_eq!(delays(&[3; 6], &PLAIN), [none, none, WAIT, none, none, WAIT]);
    }

    /// The times a mock of three servers with at most two attempts each saw: 0, 0, w, w, 2w, 3w.
    #[test]
    fn the_round_gets_shorter_with_the_pool() {
        let none = Delay::None;
        assert_eq!(delays(&[3, 3, 3, 3, 2, 1], &PLAIN), [none, none, WAIT, none, WAIT, WAIT]);
    }

    #[test]
    fn a_pool_of_two_that_lost_one_waits_at_once() {
        assert_eq!(delays(&[1], &PLAIN), [WAIT]);
        assert_eq!(delays(&[0], &PLAIN), [WAIT]);
    }

    #[test]
    fn the_callback_is_asked_once_per_round() {
        let custom = ReconnectTiming { custom: true, ..PLAIN };
        let none = Delay::None;
        let ask = |attempts| Delay::Ask { attempts };
        assert_eq!(delays(&[2, 2, 2, 2, 1], &custom), [none, ask(1), none, ask(2), ask(3)]);
        assert_eq!(delays(&[1], &custom), [ask(1)], "a new outage counts from 1");
    }

    #[test]
    fn jitter_is_added_below_its_bound() {
        let spread = |opts: &ReconnectTiming| {
            let all = delays(&[1; 300], opts).into_iter().map(|delay| match delay {
                Delay::Wait(wait) => wait.as_millis(),
                other => panic!("{other:?}"),
            });
            let all: Vec<u128> = all.collect();
            (*all.iter().min().unwrap(), *all.iter().max().unwrap())
        };
        let opts = ReconnectTiming { wait_ms: 100, jitter_ms: 10, jitter_tls_ms: 1000, ..PLAIN };
        assert_eq!(spread(&opts), (100, 109));
        let (low, high) = spread(&ReconnectTiming { tls: true, ..opts });
        assert!(low < 150 && high > 1000 && high < 1100, "{low} {high}");
    }

    #[test]
    fn extreme_values_do_not_overflow() {
        let opts = ReconnectTiming { wait_ms: i64::MAX, jitter_ms: i64::MAX, ..PLAIN };
        assert_eq!(delays(&[1], &opts), [Delay::Wait(Duration::from_millis(i64::MAX as u64))]);
        assert_eq!(delays(&[1], &ReconnectTiming { wait_ms: 0, ..PLAIN }), [Delay::Wait(Duration::ZERO)]);
    }
}
