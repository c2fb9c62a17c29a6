//! The last error of each thread: status, text and the exported function it came out of.

use std::cell::RefCell;
use std::ffi::CStr;

use crate::error::{Error, Status, TextBuffer};

struct LastError {
    /// None: no error.
    status: Option<Status>,
    text: TextBuffer,
    /// None for what a callback finds.
    function: Option<&'static str>,
}

thread_local! {
    // Without a destructor, so it is there to the thread's end; and the text never moves, as programs keep
    // its address.
    static LAST: RefCell<LastError> =
        const { RefCell::new(LastError { status: None, text: TextBuffer::EMPTY, function: None }) };
}

/// Makes `error` the thread's last error, seen as raised by the exported function `function`.
pub(crate) fn record(function: &'static str, error: &Error) {
    if !error.is_recorded() {
        return;
    }
    let place = error.location();
    let file = place.file().strip_prefix("src/").unwrap_or(place.file());
    LAST.with_borrow_mut(|last| {
        last.status = Some(error.status());
        last.text.format(format_args!("({}:{}): {}", file, place.line(), error.text()));
        last.function = Some(function);
    });
}

/// What a callback finds: the status and the text alone, no place.
pub(crate) fn preset(status: Status, text: &str) {
    LAST.with_borrow_mut(|last| {
        last.status = Some(status);
        last.text.set(text.as_bytes());
        last.function = None;
    });
}

pub(crate) fn clear() {
    LAST.with_borrow_mut(|last| last.status = None);
}

/// Calls `read` with status, text and function name of the thread's last error, if any.
pub(crate) fn with<T>(read: impl FnOnce(Option<(Status, &CStr, Option<&'static str>)>) -> T) -> T {
    LAST.with_borrow(|last| read(last.status.map(|status| (status, last.text.as_c_str(), last.function))))
}
