//! A byte buffer made for many small writes: room is made once per frame, pieces are copied without a call.

/// Bytes waiting to be sent.
#[derive(Default)]
pub struct Buffer {
    /// Initialised all over; what counts ends at `len`.
    bytes: Vec<u8>,
    len: usize,
}

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
        self.bytes.len()
    }

    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Appends; for frames the [`Cursor`] is faster.
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.room(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    /// Takes out the bytes of a range; what follows moves up.
    pub fn remove(&mut self, range: std::ops::Range<usize>) {
        let count = range.len();
        self.bytes.copy_within(range.end..self.len, range.start);
        self.len -= count;
    }

    /// Begins a frame of at most `size` bytes.
    #[inline]
    pub fn frame(&mut self, size: usize) -> Cursor<'_> {
        let start = self.len;
        self.room(size);
        Cursor { at: start, buffer: self }
    }

    /// The free space, at least `size` bytes.
    #[inline]
    fn room(&mut self, size: usize) -> &mut [u8] {
        if self.bytes.len() - self.len < size {
            self.grow(size);
        }
        &mut self.bytes[self.len..]
    }

    #[cold]
    fn grow(&mut self, size: usize) {
        let wanted = (self.len + size).max(self.bytes.len() * 2).max(4096);
        self.bytes.resize(wanted, 0);
    }
}

/// Writes one frame. The room was made when it began.
pub struct Cursor<'a> {
    buffer: &'a mut Buffer,
    at: usize,
}

impl Cursor<'_> {
    #[inline]
    pub fn byte(&mut self, byte: u8) {
        self.buffer.bytes[self.at] = byte;
        self.at += 1;
    }

    /// A piece of fixed length.
    #[inline]
    pub fn array<const N: usize>(&mut self, piece: &[u8; N]) {
        self.buffer.bytes[self.at..self.at + N].copy_from_slice(piece);
        self.at += N;
    }

    /// A piece of any length; short ones, the usual case, are copied in at most two overlapping moves.
    #[inline]
    pub fn piece(&mut self, piece: &[u8]) {
        let n = piece.len();
        let out = &mut self.buffer.bytes[self.at..self.at + n];
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
    #[inline]
    pub fn decimal(&mut self, mut value: u64) {
        if value < 10 {
            return self.byte(b'0' + value as u8);
        }
        if value < 100 {
            return self.array(&[b'0' + (value / 10) as u8, b'0' + (value % 10) as u8]);
        }
        let mut digits = [0u8; 20];
        let mut i = digits.len();
        while value > 0 {
            i -= 1;
            digits[i] = b'0' + (value % 10) as u8;
            value /= 10;
        }
        self.piece(&digits[i..]);
    }

    /// Ends the frame: from now on it counts.
    #[inline]
    pub fn finish(self) {
        self.buffer.len = self.at;
    }
}

/// Copies the first and the last `N` bytes; together they are all of a piece of `N` to `2 * N` bytes.
#[inline]
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
            let mut frame = buffer.frame(n + 1);
            frame.piece(&source[..n]);
            frame.byte(b'|');
            frame.finish();
            expected.extend_from_slice(&source[..n]);
            expected.push(b'|');
        }
        assert_eq!(buffer.as_slice(), expected);
        buffer.remove(1..3);
        expected.drain(1..3);
        assert_eq!(buffer.as_slice(), expected);
    }

    #[test]
    fn an_unfinished_frame_does_not_count() {
        let mut buffer = Buffer::default();
        buffer.extend_from_slice(b"ab");
        buffer.frame(10).piece(b"xyz");
        assert_eq!(buffer.as_slice(), b"ab");
    }

    #[test]
    fn numbers() {
        for value in [0, 9, 10, 99, 100, 12345, u64::MAX] {
            let mut buffer = Buffer::default();
            let mut frame = buffer.frame(20);
            frame.decimal(value);
            frame.finish();
            assert_eq!(buffer.as_slice(), value.to_string().as_bytes());
        }
    }
}
