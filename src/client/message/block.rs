//! The memory of a message: a fixed part, then `subject NUL [reply NUL] headers payload padding`.

use std::alloc::{Layout, handle_alloc_error};
use std::ffi::CStr;
use std::ptr::NonNull;

use super::Extra;
use crate::client::recycle::{self, Maker};
use crate::error::{Error, Result, Status};

/// What a block is made of. There is at least one byte of padding: the NUL behind the payload.
pub(super) struct Parts<'a> {
    pub(super) subject: &'a [u8],
    pub(super) reply: Option<&'a [u8]>,
    pub(super) body: Body<'a>,
    pub(super) header_len: usize,
    pub(super) padding: usize,
}

/// Headers and payload.
pub(super) enum Body<'a> {
    Copy(&'a [u8]),
    /// So many zeros.
    Zero(usize),
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

const _: () = assert!(SUBJECT_AT <= 32, "a small message is to fit into one cache line");

impl Fixed {
    /// `NO_MEMORY` if the parts are long beyond all reason.
    #[inline(always)]
    fn new(parts: &Parts<'_>) -> Result<Fixed> {
        let body_len = match parts.body {
            Body::Copy(body) => body.len(),
            Body::Zero(len) => len,
        };
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
// reference nothing is written but an atomic.
unsafe impl Send for Block {}
// SAFETY: as above.
unsafe impl Sync for Block {}

const _: () = {
    const fn shareable<T: Send + Sync>() {}
    shareable::<Extra>();
};

impl Block {
    /// A block with these parts; a lack of memory ends the process, as everywhere in Rust.
    #[inline(always)]
    pub(super) fn or_abort(parts: &Parts<'_>, maker: &mut Maker) -> Block {
        Block::new(parts, maker).unwrap_or_else(|_| handle_alloc_error(Layout::new::<Fixed>()))
    }

    #[inline(always)]
    pub(super) fn new(parts: &Parts<'_>, maker: &mut Maker) -> Result<Block> {
        let fixed = Fixed::new(parts)?;
        let base = maker.allocate(fixed.size as usize).ok_or_else(no_memory)?.as_ptr();
        // SAFETY: the block has room for all parts, which are written one behind the other; no part can overlap
        // a new block.
        unsafe {
            write_string(base.add(SUBJECT_AT), parts.subject);
            if let Some(reply) = parts.reply {
                write_string(base.add(fixed.reply_at as usize), reply);
            }
            let body = base.add(fixed.body_at as usize);
            match parts.body {
                Body::Copy(bytes) => copy(bytes, body),
                Body::Zero(len) => body.write_bytes(0, len),
            }
            let padding = base.add(fixed.padding_at as usize);
            padding.write(0);
            if parts.padding > 1 {
                padding.write_bytes(0, parts.padding);
            }
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

    pub(super) fn body_mut(&mut self) -> &mut [u8] {
        // SAFETY: these bytes are part of the block and initialised; self is the only owner.
        unsafe { std::slice::from_raw_parts_mut(self.at(self.fixed().body_at), self.body_len()) }
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
