//! Whether to come back after a loss, when, with what.

use crate::client::options::numbers::{byte_count, not_negative};
use crate::error::Result;

#[derive(Clone, Copy, Debug)]
pub struct ReconnectOptions {
    pub allow: bool,
    /// Attempts per server; negative: no limit.
    pub max: i32,
    pub wait_ms: i64,
    pub jitter_ms: i64,
    pub jitter_tls_ms: i64,
    /// Bytes; 0 buffers nothing.
    pub buf_size: usize,
    pub on_protocol_error: bool,
    /// The first connect is tried again as well.
    pub on_failed_connect: bool,
}

impl Default for ReconnectOptions {
    fn default() -> ReconnectOptions {
        ReconnectOptions {
            allow: true,
            max: 60,
            wait_ms: 2000,
            jitter_ms: 100,
            jitter_tls_ms: 1000,
            buf_size: 8 * 1024 * 1024,
            on_protocol_error: false,
            on_failed_connect: false,
        }
    }
}

impl ReconnectOptions {
    pub fn set_wait(&mut self, ms: i64) -> Result<()> {
        self.wait_ms = not_negative(ms)?;
        Ok(())
    }

    pub fn set_jitter(&mut self, ms: i64, tls_ms: i64) -> Result<()> {
        let both = (not_negative(ms)?, not_negative(tls_ms)?);
        (self.jitter_ms, self.jitter_tls_ms) = both;
        Ok(())
    }

    pub fn set_buf_size(&mut self, size: i32) -> Result<()> {
        self.buf_size = byte_count(size)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_value_changes_nothing() {
        let mut o = ReconnectOptions::default();
        let refused = [o.set_wait(-1), o.set_jitter(1, -1), o.set_jitter(-1, 1), o.set_buf_size(-1)];
        assert!(refused.iter().all(|result| result.is_err()));
        assert_eq!((o.wait_ms, o.jitter_ms, o.jitter_tls_ms, o.buf_size), (2000, 100, 1000, 8 << 20));
        o.set_wait(0).unwrap();
        o.set_jitter(0, 5).unwrap();
        o.set_buf_size(0).unwrap();
        assert_eq!((o.wait_ms, o.jitter_ms, o.jitter_tls_ms, o.buf_size), (0, 0, 5, 0));
    }
}
