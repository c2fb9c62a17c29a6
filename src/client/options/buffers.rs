//! How much is buffered on the way out or in, how long what goes out may wait.

use crate::client::options::numbers::{byte_count, not_negative, positive};
use crate::error::Result;

const DEFAULT_IO_SIZE: usize = 32 * 1024;

#[derive(Clone, Copy, Debug)]
pub struct BufferOptions {
    /// Bytes, at least 1.
    pub io_size: usize,
    /// 0 is none.
    pub write_deadline_ms: i64,
    pub send_asap: bool,
    pub flusher_wait_us: i64,
    /// Limit of a new subscription, at least 1.
    pub max_pending_msgs: i32,
    /// `None` follows `max_pending_msgs`, see [`BufferOptions::pending_bytes_limit`].
    pub max_pending_bytes: Option<i64>,
    /// Zero bytes after the payload of received messages.
    pub message_padding: usize,
}

impl BufferOptions {
    pub(super) fn new(write_deadline_ms: i64) -> BufferOptions {
        BufferOptions {
            io_size: DEFAULT_IO_SIZE,
            write_deadline_ms,
            send_asap: false,
            flusher_wait_us: 1000,
            max_pending_msgs: 65536,
            max_pending_bytes: None,
            message_padding: 0,
        }
    }

    /// Bytes; 0 is the default size.
    pub fn set_io_size(&mut self, size: i32) -> Result<()> {
        self.io_size = match byte_count(size)? {
            0 => DEFAULT_IO_SIZE,
            size => size,
        };
        Ok(())
    }

    pub fn set_write_deadline(&mut self, ms: i64) -> Result<()> {
        self.write_deadline_ms = not_negative(ms)?;
        Ok(())
    }

    pub fn set_flusher_wait(&mut self, us: i64) -> Result<()> {
        self.flusher_wait_us = not_negative(us)?;
        Ok(())
    }

    pub fn set_max_pending_msgs(&mut self, limit: i32) -> Result<()> {
        self.max_pending_msgs = positive(limit)?;
        Ok(())
    }

    pub fn set_max_pending_bytes(&mut self, limit: i64) -> Result<()> {
        self.max_pending_bytes = Some(positive(limit)?);
        Ok(())
    }

    /// The byte limit of a new subscription.
    pub fn pending_bytes_limit(&self) -> i64 {
        self.max_pending_bytes.unwrap_or(i64::from(self.max_pending_msgs) * 1024)
    }

    pub fn set_message_padding(&mut self, size: i32) -> Result<()> {
        self.message_padding = byte_count(size)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_value_changes_nothing() {
        let mut o = BufferOptions::new(7);
        let refused = [
            o.set_io_size(-1),
            o.set_write_deadline(-1),
            o.set_flusher_wait(-1),
            o.set_max_pending_msgs(0),
            o.set_max_pending_bytes(0),
            o.set_message_padding(-1),
        ];
        assert!(refused.iter().all(|result| result.is_err()));
        assert_eq!((o.io_size, o.write_deadline_ms, o.flusher_wait_us), (32768, 7, 1000));
        assert_eq!((o.max_pending_msgs, o.max_pending_bytes, o.message_padding), (65536, None, 0));
    }

    #[test]
    fn no_size_is_the_default_size() {
        let mut o = BufferOptions::new(0);
        o.set_io_size(1).unwrap();
        assert_eq!(o.io_size, 1);
        o.set_io_size(0).unwrap();
        assert_eq!(o.io_size, 32768);
    }

    #[test]
    fn pending_bytes_follow_the_messages_until_set() {
        let mut o = BufferOptions::new(0);
        assert_eq!(o.pending_bytes_limit(), 65536 * 1024);
        o.set_max_pending_msgs(i32::MAX).unwrap();
        assert_eq!(o.pending_bytes_limit(), i64::from(i32::MAX) * 1024);
        o.set_max_pending_bytes(5).unwrap();
        assert_eq!(o.pending_bytes_limit(), 5);
    }
}
