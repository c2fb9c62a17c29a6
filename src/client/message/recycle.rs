//! Memory of messages. They are made on one thread and freed on another, millions of times per second, which
//! is the slowest thing one can ask of `malloc`: so freed blocks go back in batches to where they are made.
//!
//! It is done with magazines and a depot: a thread that frees keeps what it freed until it has a magazine too
//! many of a size, then hands one to the depot, where a thread that makes messages takes it. What lies around
//! unused is bounded, for each thread and in the depot.
//!
//! Every block is a `malloc` block of its own: one that a program keeps holds nothing else alive. Sizes are
//! rounded up by less than 256 bytes; large blocks do not take part.

use std::alloc::Layout;
use std::cell::Cell;
use std::ptr::NonNull;

use crate::io::fork::PerProcess;
use crate::sync::Mutex;

/// What `malloc` adds to a block: with it, small blocks fill whole cache lines.
const OVERHEAD: usize = 8;
/// Small sizes, overhead included, are rounded up to this.
const SMALL_STEP: usize = 64;
const SMALL_MAX: usize = 1024;
/// Others to this.
const LARGE_STEP: usize = 256;
const LARGE_MAX: usize = 2048;
const CLASSES: usize = SMALL_MAX / SMALL_STEP + (LARGE_MAX - SMALL_MAX) / LARGE_STEP;
/// Blocks of a magazine, which change hands at once, and what they may come to.
const ROUNDS: usize = 64;
const MAGAZINE_BYTES: usize = 8 << 10;
/// What a thread may hold.
const MAX_HELD: usize = 256 << 10;
/// What may lie in the depot.
const MAX_STORED: usize = 4 << 20;
const ALIGN: usize = 16;

struct Block(NonNull<u8>);

// SAFETY: a free block belongs to whoever holds this.
unsafe impl Send for Block {}

type Magazine = Vec<Block>;

/// Magazines on their way from the threads that free to those that make.
struct Depot {
    magazines: [Vec<Magazine>; CLASSES],
    bytes: usize,
}

static DEPOT: PerProcess<Mutex<Depot>> =
    PerProcess::new(Mutex::new(Depot::new()), || Mutex::new(Depot::new()));

/// The free blocks of one thread.
struct Cache {
    /// Free blocks of each size; none holds more than it has room for.
    loaded: [Magazine; CLASSES],
    /// Room there is for them, in bytes of blocks.
    reserved: usize,
}

thread_local! {
    static CACHE: Cell<Option<Box<Cache>>> = const { Cell::new(None) };
}

/// The calling thread's free blocks, taken out for as long as this lives: the quick way to make many
/// messages.
pub struct Maker(Option<Box<Cache>>);

impl Maker {
    pub fn new() -> Maker {
        Maker(CACHE.try_with(|cache| cache.take().unwrap_or_default()).ok())
    }

    /// `size` bytes, aligned for anything; `None` when there is no memory. 0 is not a size.
    #[inline(always)]
    pub fn allocate(&mut self, size: usize) -> Option<NonNull<u8>> {
        let (Some(class), Some(cache)) = (class_of(size), &mut self.0) else {
            return fresh(size);
        };
        match cache.loaded[class].pop().or_else(|| cache.refill(class)) {
            Some(Block(memory)) => {
                if let Some(Block(soon)) = cache.loaded[class].iter().nth_back(AHEAD) {
                    prefetch(soon.as_ptr());
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
        let _ = CACHE.try_with(|cache| drop(cache.replace(mine)));
    }
}

/// Blocks that are fetched into the cache ahead of their use.
pub(crate) const AHEAD: usize = 3;

/// Tells the processor that memory is needed soon.
#[inline]
pub(crate) fn prefetch<T>(memory: *const T) {
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
pub(crate) unsafe fn free(memory: NonNull<u8>, size: usize) {
    let Some(class) = class_of(size) else {
        // SAFETY: as promised by the caller.
        return unsafe { std::alloc::dealloc(memory.as_ptr(), layout_of(size)) };
    };
    let kept = CACHE.try_with(|slot| {
        let mut cache = slot.take().unwrap_or_default();
        if cache.loaded[class].len() == cache.loaded[class].capacity() {
            cache.make_room(class);
        }
        cache.loaded[class].push(Block(memory));
        slot.set(Some(cache));
    });
    if kept.is_err() {
        release(class, Block(memory)); // the thread is ending
    }
}

/// Frees what the calling thread holds.
pub(crate) fn release_mine() {
    let cache = CACHE.try_with(Cell::take).ok().flatten();
    let Some(mut cache) = cache else { return };
    for (class, blocks) in cache.loaded.iter_mut().enumerate() {
        blocks.drain(..).for_each(|block| release(class, block));
    }
}

/// Frees what lies in the depot.
pub(crate) fn purge() {
    let depot = std::mem::replace(&mut *DEPOT.get().lock(), Depot::new());
    for (class, magazines) in depot.magazines.into_iter().enumerate() {
        magazines.into_iter().flatten().for_each(|block| release(class, block));
    }
}

/// Makes a large block, which takes no part in recycling, larger; `None`, and all is as it was, when there is
/// no memory.
///
/// # Safety
/// `memory` came from [`Maker::allocate`] or from here with this size, which is above those recycled and
/// below `new_size`; it is only used through the result, if there is one.
pub(crate) unsafe fn grow(memory: NonNull<u8>, size: usize, new_size: usize) -> Option<NonNull<u8>> {
    debug_assert!(class_of(size).is_none() && new_size > size);
    // SAFETY: as promised by the caller.
    NonNull::new(unsafe { std::alloc::realloc(memory.as_ptr(), layout_of(size), new_size) })
}

impl Default for Cache {
    fn default() -> Cache {
        Cache { loaded: [const { Vec::new() }; CLASSES], reserved: 0 }
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        self.hand_over_all();
    }
}

impl Cache {
    /// There is no room for another block of a size: it gets more, or a magazine of them is handed over.
    #[cold]
    fn make_room(&mut self, class: usize) {
        let rounds = rounds_of(class);
        let room = self.loaded[class].capacity();
        if room >= 2 * rounds || (room > 0 && !self.may_reserve(class)) {
            store(class, self.loaded[class].split_off(room - rounds));
        } else {
            self.reserve(class);
        }
    }

    /// Takes a magazine from the depot, and a block from it.
    #[cold]
    fn refill(&mut self, class: usize) -> Option<Block> {
        let mut magazine = DEPOT.get().lock().take(class)?;
        if self.loaded[class].capacity() == 0 {
            self.reserve(class);
        }
        self.loaded[class].append(&mut magazine);
        self.loaded[class].pop()
    }

    fn may_reserve(&self, class: usize) -> bool {
        self.reserved + rounds_of(class) * space_of(class) <= MAX_HELD
    }

    /// Room for one more magazine. When the thread has too much already, it hands over all it has and starts
    /// anew.
    fn reserve(&mut self, class: usize) {
        if !self.may_reserve(class) {
            self.hand_over_all();
        }
        let blocks = &mut self.loaded[class];
        let before = blocks.capacity();
        blocks.reserve_exact(before + rounds_of(class) - blocks.len());
        self.reserved += (blocks.capacity() - before) * space_of(class);
    }

    fn hand_over_all(&mut self) {
        for (class, blocks) in self.loaded.iter_mut().enumerate() {
            while !blocks.is_empty() {
                let rest = blocks.len().saturating_sub(rounds_of(class));
                store(class, blocks.split_off(rest));
            }
            *blocks = Magazine::new();
        }
        self.reserved = 0;
    }
}

impl Depot {
    const fn new() -> Depot {
        Depot { magazines: [const { Vec::new() }; CLASSES], bytes: 0 }
    }

    fn take(&mut self, class: usize) -> Option<Magazine> {
        let magazine = self.magazines[class].pop()?;
        self.bytes -= magazine.len() * space_of(class);
        Some(magazine)
    }

    /// Takes a magazine in. When the depot is full, one of the size that fills it most goes: that may be this
    /// one. So does this one when there is no memory to keep it.
    fn put(&mut self, class: usize, magazine: Magazine) -> Option<(usize, Magazine)> {
        if self.magazines[class].try_reserve(1).is_err() {
            return Some((class, magazine));
        }
        self.bytes += magazine.len() * space_of(class);
        self.magazines[class].push(magazine);
        if self.bytes <= MAX_STORED {
            return None;
        }
        let filled = |class: &usize| self.magazines[*class].len() * rounds_of(*class) * space_of(*class);
        let fullest = (0..CLASSES).max_by_key(filled)?;
        self.take(fullest).map(|magazine| (fullest, magazine))
    }
}

fn store(class: usize, magazine: Magazine) {
    let too_many = DEPOT.get().lock().put(class, magazine);
    if let Some((class, magazine)) = too_many {
        magazine.into_iter().for_each(|block| release(class, block));
    }
}

/// Memory that nobody has used before.
#[cold]
fn fresh(size: usize) -> Option<NonNull<u8>> {
    let size = class_of(size).map_or(size, size_of_class);
    // SAFETY: neither a message nor a class is of size 0.
    NonNull::new(unsafe { std::alloc::alloc(layout_of(size)) })
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

/// What a block of a class takes, overhead included.
const fn space_of(class: usize) -> usize {
    match class.checked_sub(SMALL_MAX / SMALL_STEP) {
        None => (class + 1) * SMALL_STEP,
        Some(large) => SMALL_MAX + (large + 1) * LARGE_STEP,
    }
}

fn size_of_class(class: usize) -> usize {
    space_of(class) - OVERHEAD
}

/// How many blocks of a class change hands at once.
const fn rounds_of(class: usize) -> usize {
    let fitting = MAGAZINE_BYTES / space_of(class);
    if fitting < ROUNDS { fitting } else { ROUNDS }
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
            assert!(rounds_of(class) >= 4);
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
        // Other tests use the depot, too.
        let again: Vec<Block> = (0..3000).map(|_| Block(allocate(size))).collect();
        assert!(again.iter().any(|block| freed.contains(&(block.0.as_ptr() as usize))));
        free_all(again, size);
    }

    fn blocks(size: usize, count: usize) -> Vec<Block> {
        let mut maker = Maker::new();
        (0..count).map(|_| Block(maker.allocate(size).unwrap())).collect()
    }

    fn free_all(blocks: Vec<Block>, size: usize) {
        // SAFETY: made by `blocks` with this size, used by nobody.
        blocks.into_iter().for_each(|block| unsafe { free(block.0, size) });
    }

    fn held() -> usize {
        let cache = CACHE.take();
        let bytes = cache.as_ref().map_or(0, |cache| {
            let held = |(class, blocks): (usize, &Magazine)| blocks.len() * space_of(class);
            cache.loaded.iter().enumerate().map(held).sum()
        });
        CACHE.set(cache);
        bytes
    }

    /// Runs on a thread of its own, whose cache is empty.
    fn alone(test: impl FnOnce() + Send) {
        std::thread::scope(|scope| scope.spawn(test).join().unwrap());
    }

    #[test]
    fn a_thread_holds_no_more_than_it_may() {
        alone(|| {
            let mut most = 0;
            for round in 0..3 {
                for size in (1..3 * LARGE_MAX).step_by(37) {
                    free_all(blocks(size, 50 + 100 * round), size);
                    most = most.max(held());
                }
            }
            assert!((MAX_HELD / 4..=MAX_HELD).contains(&most), "{most}");
            release_mine();
            assert_eq!(held(), 0);
        });
    }

    #[test]
    fn one_size_is_kept_by_two_magazines() {
        alone(|| {
            free_all(blocks(100, 1000), 100);
            assert!((ROUNDS..=2 * ROUNDS).contains(&(held() / 128)), "{}", held());
        });
    }

    #[test]
    fn a_full_depot_makes_room_for_other_sizes() {
        let mut depot = Depot::new();
        let mut store = |class: usize, size: usize| {
            let magazine: Magazine = blocks(size, rounds_of(class));
            let gone = depot.put(class, magazine);
            let left = gone.is_some_and(|(other, magazine)| {
                free_all(magazine, size_of_class(other));
                other == class
            });
            (depot.bytes, left)
        };
        let (large, small) = (class_of(1500).unwrap(), class_of(50).unwrap());
        for _ in 0..2 * MAX_STORED / MAGAZINE_BYTES {
            assert!(store(large, 1500).0 <= MAX_STORED);
        }
        assert!(store(large, 1500).1, "no room for more of what fills it");
        for _ in 0..10 {
            let (bytes, left) = store(small, 50);
            assert!(bytes <= MAX_STORED && !left);
        }
        assert_eq!(depot.magazines[small].len(), 10);
        for (class, magazines) in depot.magazines.into_iter().enumerate() {
            magazines.into_iter().flatten().for_each(|block| release(class, block));
        }
    }
}
