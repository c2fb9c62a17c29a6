//! Functions that the released library exports although its header does not declare them: bindings of other
//! languages load them by name. The header generator leaves this file out.

use std::ffi::{c_char, c_int, c_uchar};

use crate::client::library::inbox;
use crate::error::{Status, fail};
use crate::ffi::support::*;
use crate::ffi::types::natsStatus;
use crate::proto::{nkeys, nuid};

/// Makes natsNUID_Next() ready; here it always is.
///
/// @return #NATS_OK.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsNUID_init() -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsNUID_init", Quick(()), |()| ()) }
}

/// Writes a unique identifier: 22 characters out of `0-9A-Z` and a NUL.
///
/// @param buffer the place for it.
/// @param bufferLen its size in bytes, 23 at least.
/// @return #NATS_OK; #NATS_INSUFFICIENT_BUFFER; #NATS_INVALID_ARG if `buffer` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsNUID_Next(buffer: *mut c_char, bufferLen: c_int) -> natsStatus {
    const SIZE: usize = nuid::LEN + 1;
    // SAFETY: the C contract.
    unsafe {
        on("natsNUID_Next", (), |()| {
            let size = usize::try_from(bufferLen).unwrap_or(0);
            if buffer.is_null() {
                return Err(Status::InvalidArg.into());
            }
            if size < SIZE {
                let text = format!("Buffer should be at least {SIZE} bytes, it is only {bufferLen} bytes");
                return fail(Status::InsufficientBuffer, text);
            }
            copy_whole(&inbox::next_nuid(), buffer, size)
        })
    }
}

/// Undoes natsNUID_init(): nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsNUID_free() {
    // SAFETY: the C contract.
    unsafe { on("natsNUID_free", Quick(()), |()| ()) }
}

/// CRC-16/XMODEM, the checksum of NKeys.
///
/// @param data the bytes.
/// @param len how many; 0 or less, or `data` NULL, stands for none.
/// @return the checksum; 0 for no bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nats_CRC16_Compute(data: *mut c_uchar, len: c_int) -> u16 {
    // SAFETY: the C contract.
    unsafe { on("nats_CRC16_Compute", Quick(()), |()| nkeys::crc16(payload(data.cast_const().cast(), len))) }
}
