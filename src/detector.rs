//! What race detectors are told. ThreadSanitizer and helgrind know the locks of libpthread; of ours they see
//! nothing, and would report every object that goes from a thread of the program through the library to
//! another thread. So each lock tells them when it is taken and given back, and the socket when bytes leave
//! and come: what this process sent may be the cause of what it receives.
//!
//! Without a detector in the process that is one look at a byte.

use std::sync::atomic::Ordering;

const NONE: u8 = 0;
const UNKNOWN: u8 = 1;
const SANITIZER: u8 = 2;
const HELGRIND: u8 = 3;

/// Everything on the network, in both directions.
static NETWORK: u8 = 0;

/// Whether there is one, or nobody has looked yet.
#[inline(always)]
pub(crate) fn may_be_here() -> bool {
    flag::is_set()
}

/// What was done before [`release`] on the same object happened before what follows.
#[inline(always)]
pub(crate) fn acquire<T: ?Sized>(object: &T) {
    if flag::is_set() {
        told(Event::Acquire, std::ptr::from_ref(object).cast::<u8>().addr());
    }
}

/// What was done until now happens before what follows [`acquire`] on the same object.
#[inline(always)]
pub(crate) fn release<T: ?Sized>(object: &T) {
    if flag::is_set() {
        told(Event::Release, std::ptr::from_ref(object).cast::<u8>().addr());
    }
}

/// Bytes have come from the network.
#[inline(always)]
pub(crate) fn received() {
    acquire(&NETWORK);
}

/// Bytes are about to go to the network.
#[inline(always)]
pub(crate) fn sending() {
    release(&NETWORK);
}

#[derive(Clone, Copy)]
enum Event {
    Acquire,
    Release,
}

#[cold]
#[inline(never)]
fn told(event: Event, object: usize) {
    match flag::byte().load(Ordering::Relaxed) {
        UNKNOWN => {
            flag::byte().store(find(), Ordering::Relaxed);
            told(event, object);
        }
        SANITIZER => sanitizer::tell(event, object),
        HELGRIND => helgrind::tell(event, object),
        _ => {}
    }
}

fn find() -> u8 {
    if sanitizer::is_here() {
        SANITIZER
    } else if helgrind::is_here() {
        HELGRIND
    } else {
        NONE
    }
}

/// Which detector there is. Each lock looks here, so the byte is where one instruction can compare it: the
/// compiler's own static would be reached by way of a table, as if another library might replace it.
#[cfg(target_arch = "x86_64")]
mod flag {
    use std::sync::atomic::AtomicU8;

    std::arch::global_asm!(
        ".pushsection .data.nats_detector, \"aw\", @progbits",
        ".globl nats_detector",
        ".hidden nats_detector",
        "nats_detector:",
        ".byte {unknown}",
        ".popsection",
        unknown = const super::UNKNOWN,
    );

    #[inline(always)]
    pub(super) fn is_set() -> bool {
        // SAFETY: reads the byte above.
        unsafe {
            std::arch::asm!(
                "cmp byte ptr [rip + nats_detector], {none}",
                "jne {set}",
                none = const super::NONE,
                set = label { return true },
                options(nostack, readonly),
            );
        }
        false
    }

    pub(super) fn byte() -> &'static AtomicU8 {
        unsafe extern "C" {
            #[link_name = "nats_detector"]
            static BYTE: AtomicU8;
        }
        // SAFETY: the byte above, which is accessed in this way and by the instruction above only.
        unsafe { &BYTE }
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod flag {
    use std::sync::atomic::{AtomicU8, Ordering};

    static BYTE: AtomicU8 = AtomicU8::new(super::UNKNOWN);

    #[inline(always)]
    pub(super) fn is_set() -> bool {
        BYTE.load(Ordering::Relaxed) != super::NONE
    }

    pub(super) fn byte() -> &'static AtomicU8 {
        &BYTE
    }
}

/// ThreadSanitizer is a part of the program, if it is there at all: its functions are found by the dynamic
/// loader, or are NULL.
#[cfg(target_pointer_width = "64")]
mod sanitizer {
    use super::Event;

    std::arch::global_asm!(
        ".pushsection .data.rel.ro.nats_sanitizer, \"aw\", @progbits",
        ".balign 8",
        ".weak __tsan_acquire",
        ".weak __tsan_release",
        ".globl nats_sanitizer_functions",
        ".hidden nats_sanitizer_functions",
        "nats_sanitizer_functions:",
        ".8byte __tsan_acquire",
        ".8byte __tsan_release",
        ".popsection",
    );

    type Function = unsafe extern "C" fn(*mut std::ffi::c_void);

    unsafe extern "C" {
        #[link_name = "nats_sanitizer_functions"]
        static FUNCTIONS: [Option<Function>; 2];
    }

    pub(super) fn is_here() -> bool {
        // SAFETY: filled in by the dynamic loader before any code of the library runs.
        unsafe { FUNCTIONS[0].is_some() && FUNCTIONS[1].is_some() }
    }

    pub(super) fn tell(event: Event, object: usize) {
        // SAFETY: as above; any address names an object.
        unsafe {
            if let Some(function) = FUNCTIONS[event as usize] {
                function(object as *mut std::ffi::c_void);
            }
        }
    }
}

#[cfg(not(target_pointer_width = "64"))]
mod sanitizer {
    pub(super) fn is_here() -> bool {
        false
    }

    pub(super) fn tell(_: super::Event, _: usize) {}
}

/// valgrind understands an instruction sequence that does nothing elsewhere.
#[cfg(target_arch = "x86_64")]
mod helgrind {
    use super::Event;

    /// Its requests have its letters in the upper half; other tools of valgrind do not answer them.
    const REQUESTS: usize = (b'H' as usize) << 24 | (b'G' as usize) << 16;
    const HAPPENS_BEFORE: usize = REQUESTS + 289;
    const HAPPENS_AFTER: usize = REQUESTS + 290;
    /// How many bytes of a range may be accessed.
    const ACCESSIBLE: usize = REQUESTS + 302;

    pub(super) fn is_here() -> bool {
        let byte = 0_u8;
        request(ACCESSIBLE, [std::ptr::from_ref(&byte).addr(), 0, 1]) == 1
    }

    pub(super) fn tell(event: Event, object: usize) {
        let code = match event {
            Event::Acquire => HAPPENS_AFTER,
            Event::Release => HAPPENS_BEFORE,
        };
        request(code, [object, 0, 0]);
    }

    /// The answer, 0 when there is none.
    fn request(code: usize, [a, b, c]: [usize; 3]) -> usize {
        let words = [code, a, b, c, 0, 0];
        let mut result = 0_usize;
        // SAFETY: the rotations add up to whole turns and the exchange is of a register with itself;
        // valgrind, which knows the sequence, reads the words and puts the answer where 0 is.
        unsafe {
            std::arch::asm!(
                "rol rdi, 3",
                "rol rdi, 13",
                "rol rdi, 61",
                "rol rdi, 51",
                "xchg rbx, rbx",
                in("rax") words.as_ptr(),
                inout("rdx") result,
                options(nostack),
            );
        }
        result
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod helgrind {
    pub(super) fn is_here() -> bool {
        false
    }

    pub(super) fn tell(_: super::Event, _: usize) {}
}
