//! The one error type of the library: a status from the C interface plus a text for people; and where C
//! programs find such a text.

use std::borrow::Cow;
use std::collections::TryReserveError;
use std::ffi::CStr;
use std::fmt;
use std::panic::Location;

/// A text is not shown beyond this: who sent it decides its length, and there may be no memory for it.
const MAX_SHOWN: usize = 255;

/// The beginning of a text from outside, to be part of an error's text.
pub(crate) fn shown(text: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(&text[..text.len().min(MAX_SHOWN)])
}

/// Result of every fallible operation in the library.
pub type Result<T> = std::result::Result<T, Error>;

/// The statuses of the C interface (`natsStatus`), same order and values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Status {
    Ok = 0,
    Err = 1,
    ProtocolError = 2,
    IoError = 3,
    LineTooLong = 4,
    ConnectionClosed = 5,
    NoServer = 6,
    StaleConnection = 7,
    SecureConnectionWanted = 8,
    SecureConnectionRequired = 9,
    ConnectionDisconnected = 10,
    ConnectionAuthFailed = 11,
    NotPermitted = 12,
    NotFound = 13,
    AddressMissing = 14,
    InvalidSubject = 15,
    InvalidArg = 16,
    InvalidSubscription = 17,
    InvalidTimeout = 18,
    IllegalState = 19,
    SlowConsumer = 20,
    MaxPayload = 21,
    MaxDeliveredMsgs = 22,
    InsufficientBuffer = 23,
    NoMemory = 24,
    SysError = 25,
    Timeout = 26,
    FailedToInitialize = 27,
    NotInitialized = 28,
    SslError = 29,
    NoServerSupport = 30,
    NotYetConnected = 31,
    Draining = 32,
    InvalidQueueName = 33,
    NoResponders = 34,
    Mismatch = 35,
    MissedHeartbeat = 36,
    LimitReached = 37,
    PinIdMismatch = 38,
    InvalidConfig = 39,
}

/// Every status with its text, indexed by value. The texts are NUL-terminated for the C interface.
const TABLE: [(Status, &str); 40] = [
    (Status::Ok, "OK\0"),
    (Status::Err, "Error\0"),
    (Status::ProtocolError, "Protocol Error\0"),
    (Status::IoError, "IO Error\0"),
    (Status::LineTooLong, "Line too long\0"),
    (Status::ConnectionClosed, "Connection Closed\0"),
    (Status::NoServer, "No server available for connection\0"),
    (Status::StaleConnection, "Stale Connection\0"),
    (Status::SecureConnectionWanted, "Secure Connection not available\0"),
    (Status::SecureConnectionRequired, "Secure Connection Required\0"),
    (Status::ConnectionDisconnected, "Connection Disconnected\0"),
    (Status::ConnectionAuthFailed, "Authentication Violation\0"),
    (Status::NotPermitted, "Not Permitted\0"),
    (Status::NotFound, "Not Found\0"),
    (Status::AddressMissing, "TCP Address missing\0"),
    (Status::InvalidSubject, "Invalid Subject\0"),
    (Status::InvalidArg, "Invalid Argument\0"),
    (Status::InvalidSubscription, "Invalid Subscription\0"),
    (Status::InvalidTimeout, "Invalid Timeout\0"),
    (Status::IllegalState, "Illegal State\0"),
    (Status::SlowConsumer, "Slow Consumer, messages dropped\0"),
    (Status::MaxPayload, "Maximum Payload Exceeded\0"),
    (Status::MaxDeliveredMsgs, "Maximum Messages Delivered\0"),
    (Status::InsufficientBuffer, "Insufficient Buffer\0"),
    (Status::NoMemory, "No Memory\0"),
    (Status::SysError, "System Error\0"),
    (Status::Timeout, "Timeout\0"),
    (Status::FailedToInitialize, "Initialization Failed\0"),
    (Status::NotInitialized, "Not Initialized\0"),
    (Status::SslError, "SSL Error\0"),
    (Status::NoServerSupport, "Not Supported By Server\0"),
    (Status::NotYetConnected, "Not Yet Connected\0"),
    (Status::Draining, "Draining in progress\0"),
    (Status::InvalidQueueName, "Invalid queue name\0"),
    (Status::NoResponders, "No responders available for request\0"),
    (Status::Mismatch, "Mismatch\0"),
    (Status::MissedHeartbeat, "Missed Server Heartbeat\0"),
    (Status::LimitReached, "Limit reached\0"),
    (Status::PinIdMismatch, "Jetstream Consumer PinID Mismatch\0"),
    (Status::InvalidConfig, "Invalid Configuration\0"),
];

impl Status {
    /// The status with that C value, if there is one.
    pub fn from_code(code: i32) -> Option<Status> {
        usize::try_from(code).ok().and_then(|i| TABLE.get(i)).map(|entry| entry.0)
    }

    /// The value in the C interface.
    pub fn code(self) -> i32 {
        self as i32
    }

    /// The text the C interface gives for this status.
    pub fn text(self) -> &'static str {
        self.text_with_nul().trim_end_matches('\0')
    }

    /// The same, with a terminating NUL.
    pub fn text_with_nul(self) -> &'static str {
        TABLE[self as usize].1
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// A failure: what the C caller gets as status, and the text it finds in the last error.
///
/// One pointer wide, so that the results of fast paths travel in registers.
#[derive(Clone, Debug)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    status: Status,
    text: Option<Cow<'static, str>>,
    recorded: bool,
    location: &'static Location<'static>,
}

impl Error {
    /// An error with a text of its own.
    #[track_caller]
    pub fn new(status: Status, text: impl Into<Cow<'static, str>>) -> Error {
        Error(Box::new(Inner {
            status,
            text: Some(text.into()),
            recorded: true,
            location: Location::caller(),
        }))
    }

    /// An expected outcome that must not become the thread's last error (a lookup that found nothing).
    #[track_caller]
    pub fn unrecorded(status: Status) -> Error {
        Error(Box::new(Inner { status, text: None, recorded: false, location: Location::caller() }))
    }

    pub fn status(&self) -> Status {
        self.0.status
    }

    /// The text for people; the status text when none was given.
    pub fn text(&self) -> &str {
        self.0.text.as_deref().unwrap_or_else(|| self.0.status.text())
    }

    /// The text given on creation, if any.
    pub fn own_text(&self) -> Option<&str> {
        self.0.text.as_deref()
    }

    /// Whether this goes into the thread's last error.
    pub fn is_recorded(&self) -> bool {
        self.0.recorded
    }

    /// Where in the library the error was made.
    pub fn location(&self) -> &'static Location<'static> {
        self.0.location
    }
}

impl From<Status> for Error {
    #[track_caller]
    fn from(status: Status) -> Error {
        Error(Box::new(Inner { status, text: None, recorded: true, location: Location::caller() }))
    }
}

/// So that `?` behind `try_reserve` gives `NO_MEMORY`.
impl From<TryReserveError> for Error {
    #[track_caller]
    fn from(_: TryReserveError) -> Error {
        Status::NoMemory.into()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl std::error::Error for Error {}

/// Shorthand for `Err(Error::new(status, text))`.
#[track_caller]
pub(crate) fn fail<T>(status: Status, text: impl Into<Cow<'static, str>>) -> Result<T> {
    Err(Error::new(status, text))
}

/// A text for C programs at an address that never changes; one that is too long is cut and ends in `...`.
pub(crate) struct TextBuffer {
    bytes: [u8; TextBuffer::MAX + 1],
    len: usize,
}

impl TextBuffer {
    /// Bytes of the longest text.
    pub(crate) const MAX: usize = 255;

    pub(crate) const EMPTY: TextBuffer = TextBuffer { bytes: [0; TextBuffer::MAX + 1], len: 0 };

    /// Replaces the text. One that is there already is not touched: somebody may be reading it.
    pub(crate) fn set(&mut self, text: &[u8]) {
        if self.as_c_str().to_bytes() != text {
            self.clear();
            self.push(text);
        }
    }

    /// Replaces the text by a formatted one, without allocating.
    pub(crate) fn format(&mut self, text: fmt::Arguments<'_>) {
        self.clear();
        let _ = fmt::Write::write_fmt(self, text); // pushing does not fail
    }

    pub(crate) fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or_default()
    }

    fn clear(&mut self) {
        *self = TextBuffer::EMPTY;
    }

    fn push(&mut self, text: &[u8]) {
        for byte in text.iter().filter(|byte| **byte != 0) {
            if self.len == TextBuffer::MAX {
                self.bytes[TextBuffer::MAX - 3..TextBuffer::MAX].copy_from_slice(b"...");
                return;
            }
            self.bytes[self.len] = *byte;
            self.len += 1;
        }
    }
}

impl fmt::Write for TextBuffer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_in_place() {
        let mut buffer = TextBuffer::EMPTY;
        let start = buffer.as_c_str().as_ptr();
        assert_eq!(buffer.as_c_str(), c"");
        buffer.format(format_args!("{}\0{}", "x".repeat(200), "y".repeat(55)));
        assert_eq!(buffer.as_c_str().to_bytes().len(), TextBuffer::MAX);
        assert!(buffer.as_c_str().to_bytes().ends_with(b"yyy"));
        buffer.format(format_args!("{}{}", "x".repeat(200), "y".repeat(56)));
        assert_eq!(buffer.as_c_str().to_bytes().len(), TextBuffer::MAX);
        assert!(buffer.as_c_str().to_bytes().ends_with(b"yy..."));
        buffer.set(b"short");
        assert_eq!(buffer.as_c_str(), c"short");
        assert_eq!(buffer.as_c_str().as_ptr(), start);
    }

    #[test]
    fn the_table_is_in_value_order() {
        for (i, (status, text)) in TABLE.iter().enumerate() {
            assert_eq!(status.code() as usize, i);
            assert!(text.ends_with('\0'));
            assert_eq!(Status::from_code(i as i32), Some(*status));
        }
        assert_eq!(Status::from_code(40), None);
        assert_eq!(Status::from_code(-1), None);
    }
}
