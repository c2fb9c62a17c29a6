//! The memory of a message: a fixed part, then `subject NUL [reply NUL] headers payload padding`.

use std::ffi::CStr;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use super::Extra;
use crate::client::message::recycle::{self, Maker};
use crate::error::{Error, Result, Status};

/// What a block is made of. There is at least one byte of padding: the NUL behind the payload.
pub(super) struct Parts<'a> {
    pub(super) subject: &'a [u8],
    pub(super) reply: Option<&'a [u8]>,
    /// Headers and payload.
    pub(super) body: &'a [u8],
    pub(super) header_len: usize,
    pub(super) padding: usize,
}

/// Where the parts are in the block; the subject follows the fixed part.
pub(super) struct Fixed {
    pub(super) extra: Option<Box<Extra>>,
    /// 0 without a reply.
    reply_at: u32,
    body_at: u32,
    payload_at: u32,
    padding_at: u32,
    /// Of the whole block.
    size: u32,
}

const SUBJECT_AT: usize = size_of::<Fixed>();
/// Room for a body that is still arriving, to begin with: that much is asked of the system at once, and no
/// pages are used before their bytes come.
const FIRST_ROOM: usize = 1 << 20;
/// Most bytes of a body that are made ready for the next read.
const AT_ONCE: usize = 256 << 10;

const _: () = assert!(SUBJECT_AT <= 32, "a small message is to fit into one cache line");

impl Fixed {
    /// `NO_MEMORY` if the parts are long beyond all reason.
    #[inline(always)]
    fn new(parts: &Parts<'_>, body_len: usize) -> Result<Fixed> {
        let reply_at = SUBJECT_AT + parts.subject.len() + 1;
        let body_at = reply_at + parts.reply.map_or(0, |reply| reply.len() + 1);
        let padding_at = body_at + body_len;
        // Nothing is beyond the block's end.
        let size = u32::try_from(padding_at + parts.padding.max(1)).map_err(|_| no_memory())?;
        Ok(Fixed {
            extra: None,
            reply_at: if parts.reply.is_some() { reply_at as u32 } else { 0 },
            body_at: body_at as u32,
            payload_at: (body_at + parts.header_len) as u32,
            padding_at: padding_at as u32,
            size,
        })
    }
}

#[cold]
fn no_memory() -> Error {
    Status::NoMemory.into()
}

/// Owner of the memory. All pointers into it are made from this one, whose provenance is the whole block.
pub(super) struct Block(NonNull<Fixed>);

// SAFETY: a block is plain memory with one owner; `Extra` is Send and Sync (checked below). Behind a shared
// reference nothing is written.
unsafe impl Send for Block {}
// SAFETY: as above.
unsafe impl Sync for Block {}

const _: () = {
    const fn shareable<T: Send + Sync>() {}
    shareable::<Extra>();
};

impl Block {
    /// A block with these parts; `NO_MEMORY` if there is none.
    #[inline(always)]
    pub(super) fn new(parts: &Parts<'_>, maker: &mut Maker) -> Result<Block> {
        let fixed = Fixed::new(parts, parts.body.len())?;
        let base = maker.allocate(fixed.size as usize).ok_or_else(no_memory)?.as_ptr();
        // SAFETY: the block has room for all parts, which are written one behind the other; no part can
        // overlap a new block.
        unsafe {
            write_strings(base, &fixed, parts);
            copy(parts.body, base.add(fixed.body_at as usize));
            write_padding(base, &fixed, parts.padding);
            base.cast::<Fixed>().write(fixed);
            Ok(Block(NonNull::new_unchecked(base.cast())))
        }
    }

    pub(super) fn fixed(&self) -> &Fixed {
        // SAFETY: initialised in `new`, alive as long as self.
        unsafe { self.0.as_ref() }
    }

    pub(super) fn fixed_mut(&mut self) -> &mut Fixed {
        // SAFETY: as above, and self is the only owner.
        unsafe { self.0.as_mut() }
    }

    pub(super) fn subject(&self) -> &CStr {
        // SAFETY: the subject in the block ends in a NUL.
        unsafe { CStr::from_ptr(self.at(SUBJECT_AT as u32).cast()) }
    }

    pub(super) fn reply(&self) -> Option<&CStr> {
        let at = self.fixed().reply_at;
        // SAFETY: a reply in the block ends in a NUL.
        (at != 0).then(|| unsafe { CStr::from_ptr(self.at(at).cast()) })
    }

    /// The header block as received, empty if there was none.
    pub(super) fn raw_headers(&self) -> &[u8] {
        let fixed = self.fixed();
        let len = (fixed.payload_at - fixed.body_at) as usize;
        // SAFETY: these bytes are part of the block and initialised.
        unsafe { std::slice::from_raw_parts(self.at(fixed.body_at), len) }
    }

    /// Where the payload starts and how long it is; C programs also read the padding behind it.
    #[inline]
    pub(super) fn payload(&self) -> (*const u8, usize) {
        let fixed = self.fixed();
        match fixed.extra.as_ref().and_then(|extra| extra.payload) {
            Some(external) => (external.data, external.len as usize),
            None => (self.at(fixed.payload_at), (fixed.padding_at - fixed.payload_at) as usize),
        }
    }

    pub(super) fn data(&self) -> &[u8] {
        let (data, len) = self.payload();
        if len == 0 {
            return &[];
        }
        // SAFETY: the payload in the block, or bytes that `set_external_data`'s caller promised to keep.
        unsafe { std::slice::from_raw_parts(data, len) }
    }

    /// Length of headers and payload in the block.
    pub(super) fn body_len(&self) -> usize {
        (self.fixed().padding_at - self.fixed().body_at) as usize
    }

    pub(super) fn as_ptr(&self) -> *mut () {
        self.0.as_ptr().cast()
    }

    /// # Safety
    /// `raw` came from [`Block::as_ptr`] of a live block; only one of all such owners is dropped.
    pub(super) unsafe fn from_ptr(raw: *mut ()) -> Block {
        // SAFETY: a block's pointer is never NULL.
        Block(unsafe { NonNull::new_unchecked(raw.cast()) })
    }

    fn at(&self, offset: u32) -> *mut u8 {
        // SAFETY: only called with offsets inside the block.
        unsafe { self.0.as_ptr().cast::<u8>().add(offset as usize) }
    }
}

impl Drop for Block {
    #[inline]
    fn drop(&mut self) {
        let size = self.fixed().size as usize;
        // SAFETY: self is the only owner; the size never changes, so it is that of the allocation.
        unsafe {
            self.0.drop_in_place();
            recycle::free(self.0.cast(), size);
        }
    }
}

/// A block whose body is still arriving. Who announces a long one need not send it: the memory grows with
/// what came.
pub(super) struct Growing {
    memory: NonNull<u8>,
    /// Bytes at `memory`: those of the whole block, or too few for its body.
    room: usize,
    fixed: Fixed,
    padding: usize,
    /// How far the body has arrived, counted from the start of the block like the two below.
    filled: usize,
    /// How far the body's memory is initialised.
    initialised: usize,
}

// SAFETY: as for `Block`.
unsafe impl Send for Growing {}

impl Growing {
    /// A block of these parts, but for the body, with one of `body_len` bytes to come.
    pub(super) fn new(parts: &Parts<'_>, body_len: usize, maker: &mut Maker) -> Result<Growing> {
        let fixed = Fixed::new(parts, body_len)?;
        let (start, whole) = (fixed.body_at as usize, fixed.size as usize);
        let first = start + FIRST_ROOM;
        let room = if first < fixed.padding_at as usize { first } else { whole };
        let memory = maker.allocate(room).ok_or_else(no_memory)?;
        // SAFETY: the strings lie before the body, where there is room.
        unsafe { write_strings(memory.as_ptr(), &fixed, parts) };
        Ok(Growing { memory, room, fixed, padding: parts.padding, filled: start, initialised: start })
    }

    pub(super) fn missing(&self) -> usize {
        self.fixed.padding_at as usize - self.filled
    }

    /// Room for some of what is missing.
    pub(super) fn room(&mut self) -> Result<&mut [u8]> {
        if self.filled == self.room {
            self.grow()?;
        }
        let end = (self.filled + AT_ONCE).min(self.fixed.padding_at as usize).min(self.room);
        // SAFETY: all between `filled` and `end` is part of the memory, of which self is the only owner, and
        // what was not initialised yet is now.
        unsafe {
            let base = self.memory.as_ptr();
            if end > self.initialised {
                base.add(self.initialised).write_bytes(0, end - self.initialised);
                self.initialised = end;
            }
            Ok(std::slice::from_raw_parts_mut(base.add(self.filled), end - self.filled))
        }
    }

    pub(super) fn fill(&mut self, n: usize) {
        assert!(self.filled + n <= self.initialised, "not more than there was room for");
        self.filled += n;
    }

    /// The block, once nothing is missing.
    pub(super) fn finish(self) -> Block {
        assert!(self.missing() == 0 && self.room == self.fixed.size as usize, "the body is whole");
        let this = ManuallyDrop::new(self);
        let base = this.memory.as_ptr();
        // SAFETY: the memory is that of the whole block and initialised up to the padding. `this` is never
        // dropped, and its fixed part, which owns nothing yet, is moved to where it belongs.
        unsafe {
            write_padding(base, &this.fixed, this.padding);
            base.cast::<Fixed>().write(std::ptr::read(&this.fixed));
            Block(this.memory.cast())
        }
    }

    /// Makes room for twice as much, or for all.
    fn grow(&mut self) -> Result<()> {
        let double = self.room * 2;
        let room = if double < self.fixed.padding_at as usize { double } else { self.fixed.size as usize };
        // SAFETY: the memory is as large as `room` says, and used through self only.
        self.memory = unsafe { recycle::grow(self.memory, self.room, room) }.ok_or_else(no_memory)?;
        self.room = room;
        Ok(())
    }
}

impl Drop for Growing {
    fn drop(&mut self) {
        // SAFETY: self is the only owner, and `room` is the size of the allocation.
        unsafe { recycle::free(self.memory, self.room) };
    }
}

/// # Safety
/// `base` has room for all before the body.
#[inline(always)]
unsafe fn write_strings(base: *mut u8, fixed: &Fixed, parts: &Parts<'_>) {
    // SAFETY: as promised by the caller.
    unsafe {
        write_string(base.add(SUBJECT_AT), parts.subject);
        if let Some(reply) = parts.reply {
            write_string(base.add(fixed.reply_at as usize), reply);
        }
    }
}

/// # Safety
/// `base` has room for the whole block; `padding` is what its size was computed with.
#[inline(always)]
unsafe fn write_padding(base: *mut u8, fixed: &Fixed, padding: usize) {
    // SAFETY: as promised by the caller.
    unsafe {
        let place = base.add(fixed.padding_at as usize);
        place.write(0);
        if padding > 1 {
            place.write_bytes(0, padding);
        }
    }
}

/// # Safety
/// There is room for `text` and a NUL at `place`.
#[inline(always)]
unsafe fn write_string(place: *mut u8, text: &[u8]) {
    // SAFETY: as promised by the caller.
    unsafe {
        copy(text, place);
        place.add(text.len()).write(0);
    }
}

/// Copies; what is short, as most parts are, without a call.
///
/// # Safety
/// There is room for `from` at `to`, and they do not overlap.
#[inline(always)]
unsafe fn copy(from: &[u8], to: *mut u8) {
    // SAFETY: as promised by the caller; the two moves of `ends` lie within the piece.
    unsafe {
        match from.len() {
            0 => {}
            1 => to.write(from[0]),
            2..=3 => ends::<u16>(from, to),
            4..=7 => ends::<u32>(from, to),
            8..=16 => ends::<u64>(from, to),
            17..=32 => ends::<u128>(from, to),
            n => to.copy_from_nonoverlapping(from.as_ptr(), n),
        }
    }
}

/// Copies the first and the last `size_of::<T>()` bytes.
///
/// # Safety
/// As for `copy`, and `from` has at least one `T` and at most two.
#[inline(always)]
unsafe fn ends<T>(from: &[u8], to: *mut u8) {
    let (first, last) = (from.as_ptr(), from.len() - size_of::<T>());
    // SAFETY: as promised by the caller; unaligned moves.
    unsafe {
        to.cast::<T>().write_unaligned(first.cast::<T>().read_unaligned());
        to.add(last).cast::<T>().write_unaligned(first.add(last).cast::<T>().read_unaligned());
    }
}
