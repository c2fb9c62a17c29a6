//! The frames that forced unwinding is stopped in.
//!
//! The arguments are where the function wants them. The landing pads are found by the personality function
//! for C, which runs cleanup code and knows nothing else. A forced unwinding has class 0; other exceptions
//! (of C++) go on.

use std::ffi::c_void;

use super::KNOWN;
use super::calls::Returned;

unsafe extern "C-unwind" {
    pub(super) fn nats_call(
        a: usize,
        b: usize,
        c: usize,
        d: usize,
        e: usize,
        function: *const c_void,
    ) -> Returned;
    pub(super) fn nats_call_void(a: usize, b: usize, c: usize, d: usize, function: *const c_void) -> bool;
}

extern "C" fn stopped(exception: *mut c_void) {
    KNOWN.with(|known| known.stopped.set(exception));
}

std::arch::global_asm!(
    ".pushsection .text.nats_call, \"ax\", @progbits",
    ".globl nats_call",
    ".hidden nats_call",
    ".type nats_call, @function",
    "nats_call:",
    ".cfi_startproc",
    ".cfi_personality 0x9b, .Lnats_personality",
    ".cfi_lsda 0x1b, .Lnats_call_table",
    "sub rsp, 8",
    ".cfi_adjust_cfa_offset 8",
    ".Lnats_call_begin:",
    "call r9",
    ".Lnats_call_end:",
    "xor edx, edx",
    ".Lnats_call_return:",
    "add rsp, 8",
    ".cfi_remember_state",
    ".cfi_adjust_cfa_offset -8",
    "ret",
    ".cfi_restore_state",
    ".Lnats_call_pad:",
    "mov rdi, rax",
    "cmp qword ptr [rdi], 0",
    "jne .Lnats_call_resume",
    "call {stopped}",
    "mov edx, 1",
    "jmp .Lnats_call_return",
    ".Lnats_call_resume:",
    "call {resume}",
    "ud2",
    ".cfi_endproc",
    ".size nats_call, . - nats_call",
    ".globl nats_call_void",
    ".hidden nats_call_void",
    ".type nats_call_void, @function",
    "nats_call_void:",
    ".cfi_startproc",
    ".cfi_personality 0x9b, .Lnats_personality",
    ".cfi_lsda 0x1b, .Lnats_call_void_table",
    "sub rsp, 8",
    ".cfi_adjust_cfa_offset 8",
    ".Lnats_call_void_begin:",
    "call r8",
    ".Lnats_call_void_end:",
    "xor eax, eax",
    ".Lnats_call_void_return:",
    "add rsp, 8",
    ".cfi_remember_state",
    ".cfi_adjust_cfa_offset -8",
    "ret",
    ".cfi_restore_state",
    ".Lnats_call_void_pad:",
    "mov rdi, rax",
    "cmp qword ptr [rdi], 0",
    "jne .Lnats_call_void_resume",
    "call {stopped}",
    "mov eax, 1",
    "jmp .Lnats_call_void_return",
    ".Lnats_call_void_resume:",
    "call {resume}",
    "ud2",
    ".cfi_endproc",
    ".size nats_call_void, . - nats_call_void",
    ".popsection",
    // Where the calls are and their landing pads; they count from the function's begin, without types, in
    // uleb128.
    ".pushsection .gcc_except_table.nats_call, \"a\", @progbits",
    ".balign 4",
    ".Lnats_call_table:",
    ".byte 0xff, 0xff, 0x01",
    ".uleb128 .Lnats_call_table_end - .Lnats_call_entry",
    ".Lnats_call_entry:",
    ".uleb128 .Lnats_call_begin - nats_call",
    ".uleb128 .Lnats_call_end - .Lnats_call_begin",
    ".uleb128 .Lnats_call_pad - nats_call",
    ".uleb128 0",
    ".Lnats_call_table_end:",
    ".balign 4",
    ".Lnats_call_void_table:",
    ".byte 0xff, 0xff, 0x01",
    ".uleb128 .Lnats_call_void_table_end - .Lnats_call_void_entry",
    ".Lnats_call_void_entry:",
    ".uleb128 .Lnats_call_void_begin - nats_call_void",
    ".uleb128 .Lnats_call_void_end - .Lnats_call_void_begin",
    ".uleb128 .Lnats_call_void_pad - nats_call_void",
    ".uleb128 0",
    ".Lnats_call_void_table_end:",
    ".popsection",
    // A name of its own: the compiler defines the usual one where it needs it.
    ".pushsection .data.rel.ro.nats_personality, \"aw\", @progbits",
    ".balign 8",
    ".Lnats_personality:",
    ".quad __gcc_personality_v0",
    ".popsection",
    resume = sym super::_Unwind_Resume,
    stopped = sym stopped,
);
