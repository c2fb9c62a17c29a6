//! Memory of messages. They are made on one thread and freed on another, millions of times per second, which is
//! the slowest thing one can ask of `malloc`: so freed blocks go back in batches to where they are made.
//!
//! Every block is a `malloc` block of its own: one that a program keeps holds nothing else alive. Sizes are
//! rounded up by less than 256 bytes; large blocks do not take part.

use std::alloc::Layout;
use std::cell::Cell;
use std::ptr::NonNull;

use crate::sync::Mutex;

/// What `malloc` adds to a block: with it, small blocks fill whole cache lines.
const OVERHEAD: usize = 8;
/// Small sizes, overhead included, are rounded up to this.
const SMALL_STEP: usize = 64;
const SMALL_MAX: usize = 1024;
/// Others to this.
const LARGE_STEP: usize = 256;
const LARGE_MAX: usize = 8192;
const CLASSES: usize = SMALL_MAX / SMALL_STEP + (LARGE_MAX - SMALL_MAX) / LARGE_STEP;
/// Blocks that change hands at once.
const BATCH: usize = 64;
/// What may lie around unused, for each size.
const MAX_IDLE_BYTES: usize = 4 << 20;
const ALIGN: usize = 16;

struct Block(NonNull<u8>);

// SAFETY: a free block belongs to whoever holds this.
unsafe impl Send for Block {}

type Batch = Vec<Block>;

/// Full batches on their way from the threads that free to those that make.
static DEPOT: [Mutex<Vec<Batch>>; CLASSES] = [const { Mutex::new(Vec::new()) }; CLASSES];

/// The free blocks of one thread.
struct Stock([Batch; CLASSES]);

thread_local! {
    static STOCK: Cell<Option<Box<Stock>>> = const { Cell::new(None) };
}

/// The calling thread's free blocks, taken out for as long as this lives: the quick way to make many messages.
pub struct Maker(Option<Box<Stock>>);

impl Maker {
    pub fn new() -> Maker {
        Maker(STOCK.try_with(|stock| stock.take().unwrap_or_default()).ok())
    }

    /// `size` bytes, aligned for anything; `None` when there is no memory. 0 is not a size.
    #[inline(always)]
    pub fn allocate(&mut self, size: usize) -> Option<NonNull<u8>> {
        let (Some(class), Some(stock)) = (class_of(size), &mut self.0) else {
            return fresh(size);
        };
        let batch = &mut stock.0[class];
        match batch.pop().or_else(|| refill(class, batch)) {
            Some(Block(memory)) => {
                if let Some(Block(soon)) = batch.iter().nth_back(AHEAD) {
                    fetch(soon.as_ptr());
                }
                Some(memory)
            }
            None => fresh(size),
        }
    }
}

impl Drop for Maker {
    fn drop(&mut self) {
        let mine = self.0.take();
        // What was freed meanwhile is handed on.
        let _ = STOCK.try_with(|stock| drop(stock.replace(mine)));
    }
}

/// Blocks that are fetched into the cache ahead of their use.
pub const AHEAD: usize = 3;

/// Tells the processor that memory is needed soon.
#[inline]
pub fn fetch<T>(memory: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, which may be about any address.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(memory.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = memory;
}

/// Frees memory.
///
/// # Safety
/// `memory` came from [`Maker::allocate`] with this size and is not used afterwards.
#[inline]
pub unsafe fn free(memory: NonNull<u8>, size: usize) {
    let Some(class) = class_of(size) else {
        // SAFETY: as promised by the caller.
        return unsafe { std::alloc::dealloc(memory.as_ptr(), layout_of(size)) };
    };
    let kept = STOCK.try_with(|slot| {
        let mut stock = slot.take().unwrap_or_default();
        let batch = &mut stock.0[class];
        batch.push(Block(memory));
        if batch.len() >= 2 * BATCH {
            hand_over(class, batch);
        }
        slot.set(Some(stock));
    });
    if kept.is_err() {
        release(class, Block(memory)); // the thread is ending
    }
}

impl Default for Stock {
    fn default() -> Stock {
        Stock([const { Vec::new() }; CLASSES])
    }
}

impl Drop for Stock {
    fn drop(&mut self) {
        for (class, batch) in self.0.iter_mut().enumerate() {
            give_back(class, std::mem::take(batch));
        }
    }
}

/// Memory that nobody has used before.
#[cold]
fn fresh(size: usize) -> Option<NonNull<u8>> {
    let size = class_of(size).map_or(size, size_of_class);
    // SAFETY: neither a message nor a class is of size 0.
    NonNull::new(unsafe { std::alloc::alloc(layout_of(size)) })
}

/// Frees what lies around unused, but for what other running threads hold.
pub fn purge() {
    let _ = STOCK.try_with(Cell::take);
    for (class, depot) in DEPOT.iter().enumerate() {
        let batches = std::mem::take(&mut *depot.lock());
        batches.into_iter().flatten().for_each(|block| release(class, block));
    }
}

#[cold]
fn refill(class: usize, batch: &mut Batch) -> Option<Block> {
    *batch = DEPOT[class].lock().pop()?;
    batch.pop()
}

#[cold]
fn hand_over(class: usize, batch: &mut Batch) {
    let rest = batch.split_off(BATCH);
    give_back(class, rest);
}

fn give_back(class: usize, batch: Batch) {
    if batch.is_empty() {
        return;
    }
    let mut depot = DEPOT[class].lock();
    if depot.len() * BATCH * size_of_class(class) < MAX_IDLE_BYTES {
        depot.push(batch);
        return;
    }
    drop(depot);
    batch.into_iter().for_each(|block| release(class, block));
}

fn release(class: usize, block: Block) {
    // SAFETY: allocated with the layout of its class, and given up by its holder.
    unsafe { std::alloc::dealloc(block.0.as_ptr(), layout_of(size_of_class(class))) };
}

#[inline(always)]
fn class_of(size: usize) -> Option<usize> {
    match size + OVERHEAD {
        size @ 1..=SMALL_MAX => Some((size - 1) / SMALL_STEP),
        size @ 1..=LARGE_MAX => Some(SMALL_MAX / SMALL_STEP + (size - SMALL_MAX - 1) / LARGE_STEP),
        _ => None,
    }
}

fn size_of_class(class: usize) -> usize {
    let with_overhead = match class.checked_sub(SMALL_MAX / SMALL_STEP) {
        None => (class + 1) * SMALL_STEP,
        Some(large) => SMALL_MAX + (large + 1) * LARGE_STEP,
    };
    with_overhead - OVERHEAD
}

fn layout_of(size: usize) -> Layout {
    Layout::from_size_align(size, ALIGN).expect("no size is near the end of the address space")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_cover_their_sizes() {
        for size in 1..=LARGE_MAX - OVERHEAD {
            let class = class_of(size).unwrap();
            let room = size_of_class(class);
            assert!(room >= size && room - size < LARGE_STEP, "{size} in {room}");
        }
        assert!(class_of(LARGE_MAX + 1).is_none());
    }

    #[test]
    fn blocks_come_back_from_another_thread() {
        let size = 777;
        let allocate = |size| Maker::new().allocate(size).unwrap();
        let blocks: Vec<Block> = (0..1000).map(|_| Block(allocate(size))).collect();
        let freed = std::thread::spawn(move || {
            let addresses: Vec<usize> = blocks.iter().map(|b| b.0.as_ptr() as usize).collect();
            // SAFETY: allocated above with this size, used by nobody.
            blocks.into_iter().for_each(|b| unsafe { free(b.0, size) });
            addresses
        })
        .join()
        .unwrap();
        let again = allocate(size);
        assert!(freed.contains(&(again.as_ptr() as usize)));
        // SAFETY: allocated above with this size.
        unsafe { free(again, size) };
    }
}
