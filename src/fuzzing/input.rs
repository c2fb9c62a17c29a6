//! Takes decisions from the bytes of an input; an input that has ended gives zeros.

use std::time::Duration;

pub(super) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn new(data: &'a [u8]) -> Input<'a> {
        Input(data)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or(0)
    }

    fn word(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    /// Up to `n` bytes as they are.
    pub(super) fn bytes(&mut self, n: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(n.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Up to 65 seconds, by milliseconds.
    pub(super) fn time(&mut self) -> Duration {
        Duration::from_millis(self.word().into())
    }

    /// A setting in milliseconds: mostly ordinary, sometimes off, negative or as large as can be.
    pub(super) fn milliseconds(&mut self) -> i64 {
        match self.word() {
            0xffff => i64::MAX,
            0xfffe => i64::MIN,
            0xfffd => -1,
            ms => ms.into(),
        }
    }

    /// A small count, rarely negative or as large as can be.
    pub(super) fn count(&mut self) -> i32 {
        match self.byte() {
            0xff => i32::MAX,
            0xfe => i32::MIN,
            0xfd => -1,
            n => i32::from(n) % 8,
        }
    }
}
