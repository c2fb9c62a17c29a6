//! Opening and closing the library, versions, clocks, the last error, signing.

use std::ffi::{CStr, CString, c_char, c_int, c_uchar};
use std::ptr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::client::library::{self, Config};
use crate::error::{Error, Status, fail};
use crate::ffi::support::*;
use crate::ffi::types::*;
use crate::proto::nkeys::KeyPair;

const VERSION: &CStr = c"3.14.0";
const VERSION_NUMBER: u32 = 0x03_0E_00;
/// The oldest header a program may have been compiled with.
const REQUIRED_VERSION_NUMBER: u32 = 0x03_0E_00;

/// Opens the library with a configuration: nats_Open() with settings of your own.
///
/// Has no effect other than returning #NATS_OK when the library is open already, also when another function
/// opened it on the way; call it first. The environment variables that nats_Open() reads are not looked at,
/// but for its extensions.
///
/// @param config copied; its fields without a meaning in this library are ignored. NULL is the same as
/// `nats_Open(-1)`.
/// @return #NATS_OK, or #NATS_FAILED_TO_INITIALIZE while the library is being closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nats_OpenWithConfig(config: *mut natsClientConfig) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("nats_OpenWithConfig", (), |()| match config.as_ref() {
            Some(config) => library::open(open_config(config)),
            None => library::open_default(),
        })
    }
}

fn open_config(config: &natsClientConfig) -> Config {
    Config {
        write_deadline_ms: config.DefaultWriteDeadline,
        global_delivery: config.DefaultToThreadPool,
        pool_size: config.ThreadPoolMax,
        thread_started: thread_started(config),
    }
}

fn thread_started(config: &natsClientConfig) -> Option<Arc<dyn Fn() + Send + Sync>> {
    let callback = Callback::new(config.ThreadStartedHandler, config.ThreadStartedHandlerClosure)?;
    Some(Arc::new(move || {
        // SAFETY: the closure alone.
        let _ = unsafe { callback.call((callback.closure(),)) };
    }))
}

/// Opens the library. Rarely needed: creating options or connecting opens it too.
///
/// Opening an open library has no effect; one nats_Close() closes it, however often it was opened. From then
/// on the signal SIGPIPE is ignored in the process. Read from the environment:
/// - `NATS_DEFAULT_LIB_WRITE_DEADLINE`: default of natsOptions_SetWriteDeadline(), in milliseconds.
/// - `NATS_DEFAULT_TO_LIB_MSG_DELIVERY`: when present, natsOptions_UseGlobalMessageDelivery() is on by
///   default.
/// - `NATS_DEFAULT_LIB_MSG_DELIVERY_POOL_SIZE`: see nats_SetMessageDeliveryPoolSize().
///
/// Extension: read by nats_OpenWithConfig() too, in milliseconds, for connections whose program does not set
/// the option itself. A value that is no whole number from 0 up is ignored, with a line on stderr.
/// - `NATS_DEFAULT_LIB_PING_INTERVAL`: default of natsOptions_SetPingInterval().
/// - `NATS_DEFAULT_LIB_MAX_PINGS_OUT`: default of natsOptions_SetMaxPingsOut() (a count).
/// - `NATS_DEFAULT_LIB_PONG_TIMEOUT`: default of natsOptions_SetPongTimeout().
/// - `NATS_DEFAULT_LIB_MAX_DETECTION_TIME`: default of natsOptions_SetMaxDetectionTime().
/// - `NATS_DEFAULT_LIB_TCP_USER_TIMEOUT`: default of natsOptions_SetTCPUserTimeout().
///
/// @param lockSpinCount accepted for compatibility; this library has no use for it.
/// @return #NATS_OK, or #NATS_FAILED_TO_INITIALIZE while the library is being closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nats_Open(lockSpinCount: i64) -> natsStatus {
    let _ = lockSpinCount;
    // SAFETY: the C contract.
    unsafe { on("nats_Open", (), |()| library::open_default()) }
}

/// Returns the version of the library, such as "3.14.0".
///
/// @return a static string; do not free it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nats_GetVersion() -> *const c_char {
    // SAFETY: the C contract.
    unsafe { on("nats_GetVersion", Quick(()), |()| VERSION.as_ptr()) }
}

/// Returns the version of the library as a number: 0x030E00 is 3.14.0.
///
/// @return the number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nats_GetVersionNumber() -> u32 {
    // SAFETY: the C contract.
    unsafe { on("nats_GetVersionNumber", Quick(()), |()| VERSION_NUMBER) }
}

/// Checks that header and library fit together. Call the macro nats_CheckCompatibility(), which passes the
/// header's values. If they do not fit, prints both versions to the standard output and exits the process
/// with code 1.
///
/// @param reqVerNumber the oldest library that works with the header.
/// @param verNumber the version of the header.
/// @param verString the version of the header, as text.
/// @return true.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nats_CheckCompatibilityImpl(
    reqVerNumber: u32,
    verNumber: u32,
    verString: *const c_char,
) -> bool {
    // SAFETY: the C contract.
    unsafe {
        on("nats_CheckCompatibilityImpl", (), |()| {
            if compatible(reqVerNumber, verNumber) {
                return true;
            }
            let header = bytes(verString).unwrap_or_default();
            // C's own stdout keeps the order with what the program printed; nothing may be left at the exit.
            libc::puts(mismatch_report(reqVerNumber, header).as_ptr());
            libc::exit(1)
        })
    }
}

fn compatible(required_by_header: u32, header: u32) -> bool {
    header >= REQUIRED_VERSION_NUMBER && required_by_header <= VERSION_NUMBER
}

fn mismatch_report(required_by_header: u32, header: &[u8]) -> CString {
    let dotted = |n: u32| format!("{}.{}.{}", n >> 16, n >> 8 & 0xFF, n & 0xFF);
    c_text(format!(
        "Incompatible versions:\nHeader : {} (requires {})\nLibrary: {} (requires {})",
        String::from_utf8_lossy(header),
        dotted(required_by_header),
        dotted(VERSION_NUMBER),
        dotted(REQUIRED_VERSION_NUMBER),
    ))
}

/// Returns the time of the system's clock in milliseconds.
///
/// @return milliseconds since 1970-01-01 UTC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nats_Now() -> i64 {
    // SAFETY: the C contract.
    unsafe { on("nats_Now", Quick(()), |()| (wall_clock_ns() / 1_000_000) as i64) }
}

/// Returns the time of the system's clock in nanoseconds.
///
/// @return nanoseconds since 1970-01-01 UTC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nats_NowInNanoSeconds() -> i64 {
    // SAFETY: the C contract.
    unsafe { on("nats_NowInNanoSeconds", Quick(()), |()| wall_clock_ns() as i64) }
}

fn wall_clock_ns() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos())
}

fn monotonic_ns() -> i64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is writable.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

/// Returns the time of a clock that is never set back: for differences.
///
/// @return nanoseconds; the origin is arbitrary.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nats_NowMonotonicInNanoSeconds() -> i64 {
    // SAFETY: the C contract.
    unsafe { on("nats_NowMonotonicInNanoSeconds", Quick(()), |()| monotonic_ns()) }
}

/// Puts the calling thread to sleep.
///
/// @param sleepTime in milliseconds; 0 or less returns at once.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn nats_Sleep(sleepTime: i64) {
    // SAFETY: the C contract.
    unsafe { on("nats_Sleep", Waiting(()), |()| library::sleep(sleepTime)) }
}

/// Returns the last error of the calling thread. Each thread has its own; a successful call does not clear
/// it.
///
/// @param status where to put the status of that error, #NATS_OK if there is none; may be NULL.
/// @return the text, NULL if there is no error. It belongs to the library; the address is the same for all
/// errors of a thread and is valid until the thread ends, the text there is replaced by the thread's next
/// error.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn nats_GetLastError(status: *mut natsStatus) -> *const c_char {
    // SAFETY: the C contract.
    unsafe {
        on("nats_GetLastError", (), |()| {
            open_for_errors();
            last_error::with(|last| {
                let (code, text) =
                    last.map_or((Status::Ok, ptr::null()), |(code, text, _)| (code, text.as_ptr()));
                Wanted::of(status).set(code.into());
                text
            })
        })
    }
}

/// Writes the name of the function that the calling thread's last error came out of.
///
/// @param buffer gets the name and a terminating NUL; empty if there is no error.
/// @param bufLen the size of `buffer` in bytes.
/// @return #NATS_OK; #NATS_INVALID_ARG if `buffer` is NULL or `bufLen` 0; #NATS_INSUFFICIENT_BUFFER if the
/// name did not fit, `buffer` then has the beginning; #NATS_FAILED_TO_INITIALIZE while the library is being
/// closed. None of these becomes the last error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nats_GetLastErrorStack(buffer: *mut c_char, bufLen: usize) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("nats_GetLastErrorStack", (), |()| {
            let buffer = Buffer::of(buffer, bufLen).ok_or_else(|| Error::unrecorded(Status::InvalidArg));
            let mut buffer = buffer?;
            library::open_default().map_err(|error| Error::unrecorded(error.status()))?;
            let stack = last_error::with(|last| last.and_then(|(_, _, name)| name)).unwrap_or_default();
            buffer.set(stack.as_bytes());
            let fits = stack.len() <= buffer.room();
            if fits { Ok(()) } else { Err(Error::unrecorded(Status::InsufficientBuffer)) }
        })
    }
}

/// Prints the calling thread's last error and the function it came out of; nothing if there is no error.
///
/// @param file an open `FILE *`, flushed afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn nats_PrintLastErrorStack(file: *mut libc::FILE) {
    // SAFETY: the C contract.
    unsafe {
        on("nats_PrintLastErrorStack", (), |()| {
            open_for_errors();
            let report = last_error::with(|last| last.map(|(status, text, name)| report(status, text, name)));
            if let Some(report) = report.filter(|_| !file.is_null()) {
                libc::fputs(report.as_ptr(), file);
                libc::fflush(file);
            }
        })
    }
}

fn report(status: Status, text: &CStr, function: Option<&str>) -> CString {
    let mut report = format!("Error: {} - {}", status.code(), status.text());
    if !text.is_empty() {
        report += &format!(" - {}", text.to_string_lossy());
    }
    report += &format!("\nStack: (library version: {})\n", VERSION.to_string_lossy());
    if let Some(function) = function {
        report += &format!("  01 - {function}\n");
    }
    c_text(report)
}

fn c_text(text: String) -> CString {
    CString::new(text.replace('\0', "")).unwrap_or_default()
}

/// Asking for the last error opens the library, as programs know it. The answer does not depend on it.
fn open_for_errors() {
    let _ = library::open_default();
}

/// Makes room for more threads that deliver messages when natsOptions_UseGlobalMessageDelivery() is on. The
/// pool starts with 1 unless configured otherwise, and never shrinks.
///
/// @param max the number of threads; fewer than there are changes nothing.
/// @return #NATS_OK; #NATS_ERR if `max` is 0 or less; #NATS_FAILED_TO_INITIALIZE while the library is being
/// closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nats_SetMessageDeliveryPoolSize(max: c_int) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("nats_SetMessageDeliveryPoolSize", (), |()| library::set_delivery_pool_size(max)) }
}

/// Frees what the library keeps for the calling thread: its last error, up to 256 KiB for messages to come,
/// and 64 KiB once the thread has read from a connection with TLS. Needed only in threads that are not the
/// library's, live on, and want the memory back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nats_ReleaseThreadMemory() {
    // SAFETY: the C contract.
    unsafe {
        on("nats_ReleaseThreadMemory", Quick(()), |()| {
            last_error::clear();
            library::release_thread_memory();
        })
    }
}

/// Signs a text with Ed25519.
///
/// @param encodedSeed an NKey seed: user, account, server or cluster ("SU...", "SA...", "SN...", "SC...").
/// @param input the text.
/// @param signature gets the raw signature, to be freed with `free()`.
/// @param signatureLength gets its length in bytes, 64.
/// @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL or a text empty; #NATS_ERR for a bad seed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nats_Sign(
    encodedSeed: *const c_char,
    input: *const c_char,
    signature: *mut *mut c_uchar,
    signatureLength: *mut c_int,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("nats_Sign", (), |()| {
            let (seed, input) = (non_empty(encodedSeed), non_empty(input));
            let Some(seed) = seed else { return fail(Status::InvalidArg, "seed cannot be empty") };
            let Some(input) = input else { return fail(Status::InvalidArg, "input cannot be empty") };
            let out = OutList::of(signature, signatureLength)?;
            let signed = KeyPair::from_seed(seed)?.sign(input);
            out.set(List::collect(signed.into_iter().map(Ok))?)
        })
    }
}

/// Closes the library. Callbacks posted before are still delivered. Connections and other objects that are
/// still there keep what they need of the library until they are destroyed. Has no effect when the library is
/// not open. May be called from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn nats_Close() {
    // SAFETY: the C contract.
    unsafe { on("nats_Close", (), |()| library::close()) }
}

/// Closes the library and waits until all connections, subscriptions and threads are gone.
///
/// @param timeout in milliseconds; 0 or less waits without bound.
/// @return #NATS_OK; #NATS_NOT_INITIALIZED if the library is not open; #NATS_ILLEGAL_STATE if it is being
/// closed already, or on a thread of the library, where nothing is closed then; #NATS_TIMEOUT if objects are
/// left, the library closes nevertheless when they go.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn nats_CloseAndWait(timeout: i64) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("nats_CloseAndWait", Waiting(()), |()| library::close_and_wait(timeout)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_package_version() {
        assert_eq!(VERSION.to_str(), Ok(env!("CARGO_PKG_VERSION")));
        let number =
            env!("CARGO_PKG_VERSION").split('.').fold(0, |n, part| n << 8 | part.parse::<u32>().unwrap());
        assert_eq!(VERSION_NUMBER, number);
    }

    #[test]
    fn compatibility_looks_at_both_sides() {
        assert!(compatible(0x03_0E_00, 0x03_0E_00));
        assert!(compatible(0, u32::MAX));
        assert!(!compatible(0x03_0E_01, 0x03_0E_01));
        assert!(!compatible(0, 0x03_0D_FF));
        let report = mismatch_report(0x04_01_05, b"4.1.2");
        let expected =
            c"Incompatible versions:\nHeader : 4.1.2 (requires 4.1.5)\nLibrary: 3.14.0 (requires 3.14.0)";
        assert_eq!(report.as_c_str(), expected);
    }

    #[test]
    fn the_report_names_everything() {
        let printed = report(Status::InvalidArg, c"(x.rs:1): bad", Some("f"));
        let expected =
            "Error: 16 - Invalid Argument - (x.rs:1): bad\nStack: (library version: 3.14.0)\n  01 - f\n";
        assert_eq!(printed.to_str(), Ok(expected));
        assert!(report(Status::Err, c"", None).to_str().unwrap().starts_with("Error: 1 - Error\nStack: "));
    }

    #[test]
    fn clocks_have_their_units() {
        // SAFETY: these functions have no preconditions.
        let (ms, ns) = unsafe { (nats_Now(), nats_NowInNanoSeconds()) };
        assert!((0..60_000).contains(&(ns / 1_000_000 - ms)));
        // SAFETY: as above.
        let (first, second) = unsafe { (nats_NowMonotonicInNanoSeconds(), nats_NowMonotonicInNanoSeconds()) };
        assert!(0 < first && first <= second);
    }
}
