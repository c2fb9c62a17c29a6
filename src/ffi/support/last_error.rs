//! The last error of each thread: status, text and the functions it came through.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char};

use crate::error::{Error, Status};

const MAX_TEXT: usize = 255;
const MAX_FRAMES: usize = 50;

struct LastError {
    status: Status,
    text: CString,
    stack: Vec<&'static str>,
}

thread_local! {
    static LAST: RefCell<Option<LastError>> = const { RefCell::new(None) };
}

/// Makes `error` the thread's last error, seen as raised by the exported function `function`.
pub(crate) fn record(function: &'static str, error: &Error) {
    if !error.is_recorded() {
        return;
    }
    let place = error.location();
    let file = place.file().strip_prefix("src/").unwrap_or(place.file());
    let text = format!("({}:{}): {}", file, place.line(), error.text());
    set(Some(LastError { status: error.status(), text: shortened(&text), stack: vec![function] }));
}

/// What a callback finds: the status and the text alone, no place.
pub(crate) fn preset(status: Status, text: &str) {
    set(Some(LastError { status, text: shortened(text), stack: Vec::new() }));
}

pub(crate) fn clear() {
    set(None);
}

/// Calls `read` with status, text and function names (innermost first) of the thread's last error, if any.
pub(crate) fn with<T>(read: impl FnOnce(Option<(Status, &CStr, &[&'static str])>) -> T) -> T {
    let mut read = Some(read);
    // During thread exit the storage is gone: then there is no last error.
    LAST.try_with(|last| {
        let last = last.borrow();
        let view = last.as_ref().map(|e| (e.status, e.text.as_c_str(), e.stack.as_slice()));
        (read.take().expect("called once"))(view)
    })
    .unwrap_or_else(|_| (read.take().expect("called once"))(None))
}

thread_local! {
    static KEPT: RefCell<CString> = RefCell::new(CString::default());
}

/// A C string that lives until the thread asks for the next one.
pub(crate) fn keep_text(text: &[u8]) -> *const c_char {
    let text = CString::new(text).unwrap_or_default();
    KEPT.try_with(|kept| {
        *kept.borrow_mut() = text;
        kept.borrow().as_ptr()
    })
    .unwrap_or(c"".as_ptr())
}

/// How many names are kept; the contract's limit for a stack.
pub(crate) fn max_frames() -> usize {
    MAX_FRAMES
}

fn set(value: Option<LastError>) {
    let _ = LAST.try_with(|last| *last.borrow_mut() = value);
}

/// Cuts a text to what the contract keeps; a cut text ends in `...`.
fn shortened(text: &str) -> CString {
    let mut bytes: Vec<u8> = text.bytes().filter(|b| *b != 0).collect();
    if bytes.len() > MAX_TEXT {
        bytes.truncate(MAX_TEXT - 3);
        bytes.extend_from_slice(b"...");
    }
    CString::new(bytes).unwrap_or_default()
}
