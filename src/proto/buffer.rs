//! A byte buffer made for many small writes: room is made once per frame, pieces are copied without a call.

use std::ops::Range;

/// The first allocation.
const SMALLEST: usize = 4096;

/// Bytes waiting to be sent. Room for them is asked for in a way that may fail: how much a program publishes
/// must not be what ends it.
#[derive(Default)]
pub struct Buffer {
    /// Initialised all over; what counts ends at `len`.
    bytes: Vec<u8>,
    len: usize,
}

/// There is no memory for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMemory;

impl Buffer {
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Appends; for frames the [`Cursor`] is faster.
    pub fn extend_from_slice(&mut self, bytes: &[u8]) -> Result<(), NoMemory> {
        let mut whole = self.frame(bytes.len())?;
        whole.piece(bytes);
        whole.finish();
        Ok(())
    }

    /// Makes sure that so many bytes more can be appended.
    pub fn reserve(&mut self, size: usize) -> Result<(), NoMemory> {
        let missing = (self.len + size).saturating_sub(self.bytes.len());
        self.bytes.try_reserve_exact(missing).map_err(|_| NoMemory)
    }

    /// Moves bytes down to `to`; the length stays.
    pub fn move_down(&mut self, range: Range<usize>, to: usize) {
        if range.start != to {
            self.bytes.copy_within(range, to);
        }
    }

    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Begins a frame of at most `size` bytes.
    #[inline(always)]
    pub fn frame(&mut self, size: usize) -> Result<Cursor<'_>, NoMemory> {
        if self.bytes.len() - self.len < size {
            self.grow(size)?;
        }
        Ok(Cursor { room: &mut self.bytes[self.len..], at: 0, len: &mut self.len })
    }

    #[cold]
    fn grow(&mut self, size: usize) -> Result<(), NoMemory> {
        let needed = self.len + size;
        let wanted = needed.max(self.bytes.len() * 2).max(SMALLEST);
        let room = if self.reserve(wanted - self.len).is_ok() { wanted } else { needed };
        self.reserve(room - self.len)?;
        self.bytes.resize(room, 0);
        Ok(())
    }
}

/// Writes one frame. The room was made when it began.
pub struct Cursor<'a> {
    room: &'a mut [u8],
    at: usize,
    /// Length of the buffer, to be changed when the frame is whole.
    len: &'a mut usize,
}

impl Cursor<'_> {
    #[inline(always)]
    pub fn byte(&mut self, byte: u8) {
        self.room[self.at] = byte;
        self.at += 1;
    }

    /// A piece of fixed length.
    #[inline(always)]
    pub fn array<const N: usize>(&mut self, piece: &[u8; N]) {
        self.room[self.at..self.at + N].copy_from_slice(piece);
        self.at += N;
    }

    /// A piece of any length; short ones, the usual case, are copied in at most two overlapping moves.
    #[inline(always)]
    pub fn piece(&mut self, piece: &[u8]) {
        let n = piece.len();
        let out = &mut self.room[self.at..self.at + n];
        match n {
            17..=32 => ends::<16>(out, piece),
            8..=16 => ends::<8>(out, piece),
            4..=7 => ends::<4>(out, piece),
            2..=3 => ends::<2>(out, piece),
            1 => out[0] = piece[0],
            _ => out.copy_from_slice(piece),
        }
        self.at += n;
    }

    /// The decimal digits of a number.
    #[inline(always)]
    pub fn decimal(&mut self, value: u64) {
        match value {
            0..10 => self.byte(digit(value)),
            10..100 => self.array(&[digit(value / 10), digit(value)]),
            100..1000 => self.array(&[digit(value / 100), digit(value / 10), digit(value)]),
            _ => {
                let (digits, start) = digits(value);
                self.piece(&digits[start..]);
            }
        }
    }

    /// Ends the frame: from now on it counts.
    #[inline(always)]
    pub fn finish(self) {
        *self.len += self.at;
    }
}

/// The last decimal digit of a number.
#[inline(always)]
fn digit(value: u64) -> u8 {
    b'0' + (value % 10) as u8
}

/// The decimal digits of a number, and where they start. Apart from the cursor, which so stays in registers.
#[inline(never)]
fn digits(mut value: u64) -> ([u8; 20], usize) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    while value > 0 {
        start -= 1;
        digits[start] = digit(value);
        value /= 10;
    }
    (digits, start)
}

/// Copies the first and the last `N` bytes; together they are all of a piece of `N` to `2 * N` bytes.
#[inline(always)]
fn ends<const N: usize>(out: &mut [u8], piece: &[u8]) {
    if let (Some(first), Some(last)) = (piece.first_chunk::<N>(), piece.last_chunk::<N>())
        && let Some(place) = out.first_chunk_mut::<N>()
    {
        *place = *first;
        if let Some(place) = out.last_chunk_mut::<N>() {
            *place = *last;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_every_length_arrive_whole() {
        let source: Vec<u8> = (0..100).collect();
        let mut buffer = Buffer::default();
        let mut expected = Vec::new();
        for n in 0..source.len() {
            let mut frame = buffer.frame(n + 1).unwrap();
            frame.piece(&source[..n]);
            frame.byte(b'|');
            frame.finish();
            expected.extend_from_slice(&source[..n]);
            expected.push(b'|');
        }
        assert_eq!(buffer.as_slice(), expected);
        let len = buffer.len();
        buffer.move_down(3..len, 1);
        buffer.truncate(len - 2);
        expected.drain(1..3);
        assert_eq!(buffer.as_slice(), expected);
    }

    #[test]
    fn an_unfinished_frame_does_not_count() {
        let mut buffer = Buffer::default();
        buffer.extend_from_slice(b"ab").unwrap();
        buffer.frame(10).unwrap().piece(b"xyz");
        assert_eq!(buffer.as_slice(), b"ab");
    }

    #[test]
    fn numbers() {
        for value in [0, 9, 10, 99, 100, 109, 999, 1000, 12345, u64::MAX] {
            let mut buffer = Buffer::default();
            let mut frame = buffer.frame(20).unwrap();
            frame.decimal(value);
            frame.finish();
            assert_eq!(buffer.as_slice(), value.to_string().as_bytes());
        }
    }

    #[test]
    fn what_cannot_be_had_changes_nothing() {
        let mut buffer = Buffer::default();
        buffer.extend_from_slice(b"ab").unwrap();
        assert_eq!(buffer.reserve(isize::MAX as usize), Err(NoMemory));
        assert!(buffer.frame(isize::MAX as usize).is_err());
        assert_eq!((buffer.as_slice(), buffer.capacity()), (&b"ab"[..], SMALLEST));
        buffer.reserve(10_000).unwrap();
        let room = buffer.capacity();
        buffer.extend_from_slice(&[b'x'; 10_000]).unwrap();
        assert_eq!(buffer.capacity(), room, "what was reserved is there");
    }
}
