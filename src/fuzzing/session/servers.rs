//! The server pool and the plan of reconnects beside what a slow model says.

use std::collections::HashSet;
use std::time::Duration;

use rand::{SeedableRng, rngs::SmallRng};

use crate::fuzzing::input::Input;
use crate::proto::info::ServerInfo;
use crate::session::auth::{ServerErr, classify_err, normalize_err, note};
use crate::session::pool::{Announced, ServerPool};
use crate::session::reconnect::{Delay, ReconnectPlan, ReconnectTiming};

pub(super) struct Servers {
    pool: ServerPool,
    rng: SmallRng,
    max_reconnect: i32,
    randomize: bool,
    timing: ReconnectTiming,
    plan: ReconnectPlan,
    /// Attempts of this round that did not wait.
    at_once: usize,
    /// A connection was up before: the program's servers are tried in turn from now on.
    up: bool,
    /// Servers the program named and that are still tried.
    explicit: usize,
}

impl Servers {
    pub(super) fn new(input: &mut Input<'_>) -> Servers {
        let mut rng = SmallRng::seed_from_u64(input.byte().into());
        let named: Vec<Vec<u8>> =
            (0..input.byte() % 5).map(|n| format!("nats://h{n}:1").into_bytes()).collect();
        let randomize = input.byte() % 2 == 1;
        let max_reconnect = input.count();
        let timing = ReconnectTiming {
            wait_ms: input.milliseconds().max(0),
            jitter_ms: input.milliseconds().max(0),
            ..ReconnectTiming::default()
        };
        let pool = ServerPool::new(None, &named, randomize, &mut rng).expect("good URLs");
        assert_eq!(pool.len(), named.len().max(1));
        let explicit = pool.len();
        let plan = ReconnectPlan::new();
        Servers { pool, rng, max_reconnect, randomize, timing, plan, at_once: 0, up: false, explicit }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pool.is_empty()
    }

    /// What always holds.
    pub(super) fn check(&self) {
        let explicit = self.pool.iter().filter(|server| !server.implicit).count();
        assert_eq!(explicit, self.explicit, "the program's servers leave by their attempts only");
        assert!(self.max_reconnect >= 0 || !self.pool.is_empty(), "without a limit no server leaves");
        assert_eq!(self.pool.current().is_none(), self.pool.is_empty());
        assert!(self.pool.iter().all(|server| server.attempts >= 0));
    }

    /// An INFO came.
    pub(super) fn announced(&mut self, info: &ServerInfo) {
        let current = self.current();
        let before = self.hosts();
        let announced = || Announced::new(info).expect("there is memory");
        let news = self.pool.update(announced(), self.randomize, &mut self.rng);
        assert_eq!(self.current(), current, "the current server stays");
        let after = self.hosts();
        assert!(!news || after.iter().any(|host| !before.contains(host)), "news are in the pool");
        let discovered: Vec<Vec<u8>> = self.pool.public_urls(true).expect("there is memory");
        let distinct: HashSet<&Vec<u8>> = discovered.iter().collect();
        assert_eq!(distinct.len(), discovered.len(), "none is there twice");
        if info.connect_urls.is_empty() {
            assert_eq!(after, before, "an empty list changes nothing");
        } else if after != before {
            assert!(
                after.len() <= self.explicit + info.connect_urls.len() + 1,
                "what is not announced leaves"
            );
        }
        assert!(
            !self.pool.update(announced(), self.randomize, &mut self.rng),
            "the same once more is no news"
        );
        assert_eq!(self.hosts(), after);
    }

    /// An `-ERR` came; whether it ends the connection.
    pub(super) fn refused(&mut self, text: &[u8]) -> bool {
        let text = normalize_err(text);
        assert_eq!(super::is_auth(&text), matches!(classify_err(&text), ServerErr::Auth(_)));
        match classify_err(&text) {
            ServerErr::Auth(error) => {
                let server = self.pool.current_mut().expect("there is one in use");
                let again = server.last_auth_error == Some(error);
                assert_eq!(note(&mut server.last_auth_error, error), again);
                again
            }
            ServerErr::Permissions => false,
            ServerErr::Stale | ServerErr::Other => true,
        }
    }

    /// The next server's turn. False when there is none left.
    pub(super) fn attempt(&mut self) -> bool {
        if self.up && !self.next() {
            return false;
        }
        self.up = true;
        let server = self.pool.current_mut().expect("chosen");
        server.attempts = server.attempts.saturating_add(1);
        true
    }

    pub(super) fn connected(&mut self) {
        self.pool.reset_attempts_of_current();
        let server = self.pool.current().expect("the one connected to");
        assert!(server.attempts == 0 && server.last_auth_error.is_none() && server.did_connect);
    }

    pub(super) fn failed(&mut self) {
        assert!(self.pool.current().is_some_and(|server| server.attempts > 0));
    }

    /// An outage begins.
    pub(super) fn lost(&mut self) {
        self.plan = ReconnectPlan::new();
        self.at_once = 0;
    }

    fn next(&mut self) -> bool {
        let lost = self.pool.current().expect("checked before each step").clone();
        let (before, last) = (self.pool.len(), lost.url.host_port().expect("there is memory"));
        let leaves = self.max_reconnect >= 0 && lost.attempts >= self.max_reconnect;
        let next =
            self.pool.next(self.max_reconnect).map(|server| server.url.host_port().expect("there is memory"));
        assert_eq!(self.pool.len(), before - usize::from(leaves));
        self.explicit -= usize::from(leaves && !lost.implicit);
        assert_eq!(next.is_none(), self.pool.is_empty());
        if !leaves {
            assert_eq!(self.hosts().last(), Some(&last), "it goes to the end");
        }
        self.wait();
        next.is_some()
    }

    /// One attempt of each round waits, the last.
    fn wait(&mut self) {
        let len = self.pool.len();
        match self.plan.next_delay(len, &self.timing, &mut self.rng) {
            Delay::None => {
                self.at_once += 1;
                assert!(self.at_once < len, "a round without a wait");
            }
            Delay::Wait(time) => {
                assert!(self.at_once + 1 >= len, "a wait in the middle of a round");
                self.at_once = 0;
                let least = Duration::from_millis(self.timing.wait_ms as u64);
                let most = self.timing.wait_ms.saturating_add(self.timing.jitter_ms);
                assert!(time >= least && time <= Duration::from_millis(most as u64));
            }
            Delay::Ask { .. } => panic!("nobody asked to be asked"),
        }
    }

    fn current(&self) -> Option<Vec<u8>> {
        self.pool.current().map(|server| server.url.host_port().expect("there is memory"))
    }

    fn hosts(&self) -> Vec<Vec<u8>> {
        self.pool.iter().map(|server| server.url.host_port().expect("there is memory")).collect()
    }
}
