//! How a dead peer is found.

use crate::client::library::defaults::LivenessDefaults;
use crate::client::options::numbers::not_negative;
use crate::error::{Error, Result, Status};
use crate::io::socket::{KeepAlive, TcpOptions};

#[derive(Clone, Copy, Debug)]
pub struct LivenessOptions {
    /// Milliseconds; 0 or less: no pings.
    pub ping_interval_ms: i64,
    /// Unanswered pings tolerated; 0 or less: stale at the first tick.
    pub max_pings_out: i32,
    /// Milliseconds; 0 is none.
    pub pong_timeout_ms: i64,
    /// Milliseconds; 0 is none.
    pub max_detection_ms: i64,
    pub tcp: TcpOptions,
}

impl LivenessOptions {
    pub(super) fn new(defaults: &LivenessDefaults) -> LivenessOptions {
        LivenessOptions {
            ping_interval_ms: defaults.ping_interval_ms.unwrap_or(2 * 60 * 1000),
            max_pings_out: defaults.max_pings_out.unwrap_or(2),
            pong_timeout_ms: defaults.pong_timeout_ms.unwrap_or(0),
            max_detection_ms: defaults.max_detection_ms.unwrap_or(0),
            tcp: TcpOptions { keep_alive: None, user_timeout_ms: defaults.tcp_user_timeout_ms.unwrap_or(0) },
        }
    }

    /// 0 is none.
    pub fn set_pong_timeout(&mut self, ms: i64) -> Result<()> {
        self.pong_timeout_ms = not_negative(ms)?;
        Ok(())
    }

    /// 0 is none.
    pub fn set_max_detection(&mut self, ms: i64) -> Result<()> {
        self.max_detection_ms = not_negative(ms)?;
        Ok(())
    }

    /// 0 is the system's time.
    pub fn set_tcp_user_timeout(&mut self, ms: i64) -> Result<()> {
        self.tcp.user_timeout_ms = not_negative(ms)?;
        Ok(())
    }

    /// `None` turns the probes off; 0 stands for the system's value.
    pub fn set_tcp_keep_alive(&mut self, probes: Option<[i32; 3]>) -> Result<()> {
        let number = |n: i32| u32::try_from(n).map_err(|_| Error::from(Status::InvalidArg));
        self.tcp.keep_alive = match probes {
            None => None,
            Some([idle, interval, count]) => Some(KeepAlive {
                idle_s: number(idle)?,
                interval_s: number(interval)?,
                count: number(count)?,
            }),
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> LivenessOptions {
        LivenessOptions::new(&LivenessDefaults::default())
    }

    #[test]
    fn the_environment_gives_the_defaults() {
        let o = options();
        assert_eq!((o.ping_interval_ms, o.max_pings_out), (120_000, 2));
        assert_eq!((o.pong_timeout_ms, o.max_detection_ms, o.tcp.user_timeout_ms), (0, 0, 0));
        let o = LivenessOptions::new(&LivenessDefaults {
            ping_interval_ms: Some(1),
            max_pings_out: Some(0),
            pong_timeout_ms: Some(3),
            max_detection_ms: Some(4),
            tcp_user_timeout_ms: Some(5),
        });
        assert_eq!((o.ping_interval_ms, o.max_pings_out), (1, 0));
        assert_eq!((o.pong_timeout_ms, o.max_detection_ms, o.tcp.user_timeout_ms), (3, 4, 5));
    }

    #[test]
    fn a_refused_value_changes_nothing() {
        let mut o = options();
        o.set_tcp_keep_alive(Some([1, 0, 3])).unwrap();
        for [idle, interval, count] in [[-1, 0, 0], [0, -1, 0], [0, 0, -1]] {
            o.set_tcp_keep_alive(Some([idle, interval, count])).unwrap_err();
        }
        assert_eq!(o.tcp.keep_alive, Some(KeepAlive { idle_s: 1, interval_s: 0, count: 3 }));
        o.set_pong_timeout(7).unwrap();
        o.set_max_detection(8).unwrap();
        o.set_tcp_user_timeout(9).unwrap();
        let refused = [o.set_pong_timeout(-1), o.set_max_detection(-1), o.set_tcp_user_timeout(-1)];
        assert!(refused.iter().all(|result| result.is_err()));
        assert_eq!((o.pong_timeout_ms, o.max_detection_ms, o.tcp.user_timeout_ms), (7, 8, 9));
    }
}
