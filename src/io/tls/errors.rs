//! OpenSSL's error queue. Each thread has one, and on a thread of the program it is the program's:
//! `SSL_get_error` takes what lies in it for a failure of the call, and what we leave in it the program takes
//! for its own. So OpenSSL is called through the functions here.

use std::ffi::{CStr, CString, c_char, c_int, c_long, c_ulong};
use std::ptr;

use openssl::error::ErrorStack;
use openssl_sys as ffi;

/// Errors of the operating system.
const ERR_LIB_SYS: c_long = 2;

/// Runs calls of OpenSSL with an empty error queue; afterwards the queue is as it was.
pub(super) fn apart<T>(call: impl FnOnce() -> T) -> T {
    let kept = Kept::take();
    let result = call();
    while next_code().is_some() {}
    kept.put_back();
    result
}

/// The same for calls of the bindings that can fail; the error tells why.
pub(super) fn tried<T>(call: impl FnOnce() -> Result<T, ErrorStack>) -> Result<T, String> {
    apart(|| call().map_err(|e| reason(&e)))
}

/// The same for functions of OpenSSL that return 1 when they succeed. Those that take names are called so:
/// the bindings take only names that are UTF-8.
pub(super) fn checked(call: impl FnOnce() -> c_int) -> Result<(), String> {
    apart(|| if call() == 1 { Ok(()) } else { Err(reason_of(std::iter::from_fn(next_code))) })
}

/// What OpenSSL says went wrong.
pub(super) fn reason(cause: &ErrorStack) -> String {
    reason_of(cause.errors().iter().map(openssl::error::Error::code))
}

/// What the system says, or else the first of OpenSSL's reasons, which is the one nearest to the cause.
fn reason_of(codes: impl Iterator<Item = c_ulong>) -> String {
    let codes: Vec<_> = codes.collect();
    let system = |code: &c_ulong| {
        (c_long::from(ffi::ERR_GET_LIB(*code)) == ERR_LIB_SYS)
            .then(|| std::io::Error::from_raw_os_error(ffi::ERR_GET_REASON(*code)).to_string())
    };
    let reason = || codes.iter().find_map(|code| name_of(*code));
    codes.iter().find_map(system).or_else(reason).unwrap_or_else(|| "unknown error".to_owned())
}

fn name_of(code: c_ulong) -> Option<String> {
    // SAFETY: takes any code; the text is static.
    let text = unsafe { ffi::ERR_reason_error_string(code) };
    // SAFETY: a C string, unless it is NULL.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
}

/// Takes the oldest entry out of the queue.
fn next_code() -> Option<c_ulong> {
    // SAFETY: no preconditions.
    Some(unsafe { ffi::ERR_get_error() }).filter(|code| *code != 0)
}

/// Entries taken out of the queue, oldest first.
#[cfg(openssl3)]
struct Kept(Vec<Entry>);

#[cfg(openssl3)]
struct Entry {
    code: c_ulong,
    file: CString,
    line: c_int,
    function: CString,
    data: Option<CString>,
}

#[cfg(openssl3)]
impl Kept {
    fn take() -> Kept {
        Kept(std::iter::from_fn(Entry::next).collect())
    }

    fn put_back(self) {
        self.0.into_iter().for_each(Entry::put_back);
    }
}

#[cfg(openssl3)]
impl Entry {
    fn next() -> Option<Entry> {
        let (mut file, mut function, mut data) = (ptr::null(), ptr::null(), ptr::null());
        let (mut line, mut flags) = (0, 0);
        // SAFETY: all are places for a result.
        let code =
            unsafe { ffi::ERR_get_error_all(&mut file, &mut line, &mut function, &mut data, &mut flags) };
        if code == 0 {
            return None;
        }
        // SAFETY: each is NULL or a C string, valid until the queue is used again; data is one if its flag
        // says so.
        let copy =
            |text: *const c_char| unsafe { (!text.is_null()).then(|| CStr::from_ptr(text).to_owned()) };
        let data = if flags & ffi::ERR_TXT_STRING != 0 { copy(data) } else { None };
        Some(Entry {
            code,
            file: copy(file).unwrap_or_default(),
            line,
            function: copy(function).unwrap_or_default(),
            data,
        })
    }

    fn put_back(self) {
        let (library, reason) = (ffi::ERR_GET_LIB(self.code), ffi::ERR_GET_REASON(self.code));
        // SAFETY: OpenSSL copies the texts; the format takes one.
        unsafe {
            ffi::ERR_new();
            ffi::ERR_set_debug(self.file.as_ptr(), self.line, self.function.as_ptr());
            match &self.data {
                Some(data) => ffi::ERR_set_error(library, reason, c"%s".as_ptr(), data.as_ptr()),
                None => ffi::ERR_set_error(library, reason, ptr::null()),
            }
        }
    }
}

/// OpenSSL before 3.0 has no way to put an entry back as it was: there they are dropped.
#[cfg(not(openssl3))]
struct Kept;

#[cfg(not(openssl3))]
impl Kept {
    fn take() -> Kept {
        while next_code().is_some() {}
        Kept
    }

    fn put_back(self) {}
}

#[cfg(test)]
pub(super) mod test {
    use super::*;

    /// Puts an entry into the queue, as the program would.
    pub(crate) fn leave(data: &[u8]) {
        let data = CString::new(data).unwrap();
        Entry {
            code: 0x0A00_0112,
            file: c"program.c".into(),
            line: 7,
            function: c"f".into(),
            data: Some(data),
        }
        .put_back();
    }

    /// Takes out what is in the queue, as text.
    pub(crate) fn queue() -> Vec<String> {
        let entry = |e: Entry| format!("{:x} {:?}:{} {:?} {:?}", e.code, e.file, e.line, e.function, e.data);
        Kept::take().0.into_iter().map(entry).collect()
    }

    #[test]
    fn the_queue_stays_as_the_program_left_it() {
        leave(b"first \xff");
        leave(b"second");
        let before = queue();
        assert_eq!(before.len(), 2);
        leave(b"first \xff");
        leave(b"second");
        let inside = apart(|| {
            let found = queue().len();
            leave(b"ours");
            found
        });
        assert_eq!(inside, 0, "our calls find it empty");
        assert_eq!(queue(), before);
        apart(|| leave(b"ours"));
        assert_eq!(queue(), [""; 0]);
    }
}
