//! Memory of messages. They are made on one thread and freed on another, millions of times per second, which is
//! the slowest thing one can ask of `malloc`: so freed blocks go back in batches to where they are made.
//!
//! Every block is a `malloc` block of its own: one that a program keeps holds nothing else alive. Sizes are
//! rounded up by less than 256 bytes; large blocks do not take part.

use std::alloc::Layout;
use std::cell::RefCell;
use std::ptr::NonNull;

use parking_lot::Mutex;

/// Small sizes are rounded up to this.
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

struct Local([Batch; CLASSES]);

thread_local! {
    static LOCAL: RefCell<Local> = const { RefCell::new(Local([const { Vec::new() }; CLASSES])) };
}

impl Drop for Local {
    fn drop(&mut self) {
        for (class, batch) in self.0.iter_mut().enumerate() {
            give_back(class, std::mem::take(batch));
        }
    }
}

/// Memory for `layout`, `None` when there is none.
#[inline]
pub fn allocate(layout: Layout) -> Option<NonNull<u8>> {
    let Some(class) = class_of(layout) else {
        // SAFETY: a message is never of size 0.
        return NonNull::new(unsafe { std::alloc::alloc(layout) });
    };
    let recycled = LOCAL.try_with(|local| {
        let batch = &mut local.borrow_mut().0[class];
        batch.pop().or_else(|| refill(class, batch))
    });
    match recycled {
        Ok(Some(Block(memory))) => Some(memory),
        // SAFETY: a class is never of size 0.
        _ => NonNull::new(unsafe { std::alloc::alloc(layout_of(class)) }),
    }
}

/// Frees memory.
///
/// # Safety
/// `memory` came from [`allocate`] with this layout and is not used afterwards.
#[inline]
pub unsafe fn free(memory: NonNull<u8>, layout: Layout) {
    let Some(class) = class_of(layout) else {
        // SAFETY: as promised by the caller.
        return unsafe { std::alloc::dealloc(memory.as_ptr(), layout) };
    };
    let kept = LOCAL.try_with(|local| {
        let batch = &mut local.borrow_mut().0[class];
        batch.push(Block(memory));
        if batch.len() >= 2 * BATCH {
            hand_over(class, batch);
        }
    });
    if kept.is_err() {
        release(class, Block(memory)); // the thread is ending
    }
}

/// Frees what lies around unused, but for what running threads hold.
pub fn purge() {
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
    unsafe { std::alloc::dealloc(block.0.as_ptr(), layout_of(class)) };
}

#[inline]
fn class_of(layout: Layout) -> Option<usize> {
    debug_assert!(layout.align() <= ALIGN);
    match layout.size() {
        size @ 1..=SMALL_MAX => Some((size - 1) / SMALL_STEP),
        size @ 1..=LARGE_MAX => Some(SMALL_MAX / SMALL_STEP + (size - SMALL_MAX - 1) / LARGE_STEP),
        _ => None,
    }
}

fn size_of_class(class: usize) -> usize {
    match class.checked_sub(SMALL_MAX / SMALL_STEP) {
        None => (class + 1) * SMALL_STEP,
        Some(large) => SMALL_MAX + (large + 1) * LARGE_STEP,
    }
}

fn layout_of(class: usize) -> Layout {
    Layout::from_size_align(size_of_class(class), ALIGN).expect("a valid layout for every class")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_cover_their_sizes() {
        for size in 1..=LARGE_MAX {
            let class = class_of(Layout::from_size_align(size, 8).unwrap()).unwrap();
            let room = size_of_class(class);
            assert!(room >= size && room - size < LARGE_STEP, "{size} in {room}");
        }
        assert!(class_of(Layout::from_size_align(LARGE_MAX + 1, 8).unwrap()).is_none());
    }

    #[test]
    fn blocks_come_back_from_another_thread() {
        let layout = Layout::from_size_align(777, 8).unwrap();
        let blocks: Vec<Block> = (0..1000).map(|_| Block(allocate(layout).unwrap())).collect();
        let freed = std::thread::spawn(move || {
            let addresses: Vec<usize> = blocks.iter().map(|b| b.0.as_ptr() as usize).collect();
            // SAFETY: allocated above with this layout, used by nobody.
            blocks.into_iter().for_each(|b| unsafe { free(b.0, layout) });
            addresses
        })
        .join()
        .unwrap();
        let again = allocate(layout).unwrap();
        assert!(freed.contains(&(again.as_ptr() as usize)));
        // SAFETY: allocated above with this layout.
        unsafe { free(again, layout) };
    }
}
