//! Messages: one allocation for the object, its subject, reply, raw headers and payload together.
//!
//! A message is made on the poller's thread and freed on the program's, millions of times per second, so
//! there is exactly one block per message and headers stay unparsed until somebody asks for one. Reading is
//! possible from several threads at once; everything that may parse or change headers takes `&mut self`.

mod block;
pub(in crate::client) mod recycle;

use std::borrow::Cow;
use std::ffi::{CStr, c_int};
use std::fmt;
use std::mem::ManuallyDrop;

use self::block::{Block, Growing, Parts};
use crate::client::message::recycle::Maker;
use crate::error::{Error, Result, Status};
use crate::proto::headers::{HeaderMap, inline_status};
use crate::proto::parser::PartialBody;

const STATUS: &[u8] = b"Status";
const NO_RESPONDERS: &[u8] = b"503";

/// A message, received or created by the program.
pub struct Msg(Block);

/// What only some messages have, so it is not part of each.
#[derive(Default)]
struct Extra {
    /// Set once parsed or changed; from then on the raw headers count no more.
    headers: Option<HeaderMap>,
    /// A payload of the program's own.
    payload: Option<External>,
    sequence: u64,
    time: i64,
}

/// Bytes that the program keeps readable and unchanged as long as a message refers to them.
#[derive(Clone, Copy)]
struct External {
    data: *const u8,
    len: u32,
}

// SAFETY: the bytes are only read, and the program promised not to change them.
unsafe impl Send for External {}
// SAFETY: as above.
unsafe impl Sync for External {}

impl Msg {
    /// A message from the server. The first `header_len` bytes of `body` are the raw header block, the rest
    /// is the payload; behind it come `padding` zero bytes, one at least.
    #[inline(always)]
    pub fn received(
        maker: &mut Maker,
        subject: &[u8],
        reply: Option<&[u8]>,
        header_len: usize,
        body: &[u8],
        padding: usize,
    ) -> Result<Msg> {
        Block::new(&Parts { subject, reply, body, header_len, padding }, maker).map(Msg)
    }

    /// The same with a body of `len` bytes still to come.
    pub fn arriving(
        subject: &[u8],
        reply: Option<&[u8]>,
        header_len: usize,
        len: usize,
        padding: usize,
    ) -> Result<Arriving> {
        let parts = Parts { subject, reply, body: &[], header_len, padding };
        Growing::new(&parts, len, &mut Maker::new()).map(Arriving)
    }

    /// A message of the program; all parts are copied. An empty subject or an empty (rather than missing)
    /// reply is `INVALID_ARG`, nothing else is checked.
    pub fn new(subject: &[u8], reply: Option<&[u8]>, data: &[u8]) -> Result<Msg> {
        if subject.is_empty() || reply.is_some_and(<[u8]>::is_empty) {
            return Err(Status::InvalidArg.into());
        }
        let parts = Parts { subject, reply, body: data, header_len: 0, padding: 1 };
        Block::new(&parts, &mut Maker::new()).map(Msg)
    }

    /// The subject up to its first NUL, which only a strange server sends.
    pub fn subject(&self) -> &CStr {
        self.0.subject()
    }

    pub fn reply(&self) -> Option<&CStr> {
        self.0.reply()
    }

    /// The payload.
    pub fn data(&self) -> &[u8] {
        self.0.data()
    }

    /// Where the payload starts; NULL when it is empty.
    pub fn data_ptr(&self) -> *const u8 {
        let (data, len) = self.0.payload();
        if len == 0 { std::ptr::null() } else { data }
    }

    /// Makes `len` bytes at `data` the payload, without copying them. NULL with a length other than 0, or a
    /// negative length, is `INVALID_ARG`.
    ///
    /// # Safety
    /// The bytes stay readable and unchanged until the message is dropped or gets other data.
    pub unsafe fn set_external_data(&mut self, data: *const u8, len: c_int) -> Result<()> {
        let len = u32::try_from(len).map_err(|_| Error::from(Status::InvalidArg))?;
        if data.is_null() && len > 0 {
            return Err(Status::InvalidArg.into());
        }
        self.extra_mut().payload = Some(External { data, len });
        Ok(())
    }

    /// Header and payload bytes as received or created; later changes do not count.
    pub fn size(&self) -> usize {
        self.0.body_len()
    }

    // ---- headers ----

    /// Length of the header block on the wire, 0 without headers.
    pub fn encoded_headers_len(&self) -> usize {
        self.parsed_headers().map_or(self.0.raw_headers().len(), HeaderMap::encoded_len)
    }

    /// The header block as it goes to the wire, `None` without headers; once set, headers stay, even if all
    /// are deleted. Received headers that were never parsed, or could not be, go out as they came.
    pub fn headers_to_send(&self) -> Result<Option<Cow<'_, [u8]>>> {
        match self.parsed_headers() {
            Some(map) => map.encode().map(|block| Some(Cow::Owned(block))),
            None => Ok(self.raw_headers().map(Cow::Borrowed)),
        }
    }

    /// The header block as received, unless it was parsed or there is none.
    pub fn raw_headers(&self) -> Option<&[u8]> {
        let raw = self.0.raw_headers();
        (self.parsed_headers().is_none() && !raw.is_empty()).then_some(raw)
    }

    /// The status the server put on the first line of the headers, without parsing them.
    pub fn inline_status(&self) -> Option<&[u8]> {
        self.raw_headers().and_then(inline_status)
    }

    /// Whether this is the server's word that nobody listens to a request: no payload and status 503, in
    /// headers without a malformed line. Parses the headers of a message without payload.
    #[inline]
    pub fn is_no_responders(&mut self) -> bool {
        self.data().is_empty() && self.has_no_responders_status()
    }

    fn has_no_responders_status(&mut self) -> bool {
        let Ok(Some(headers)) = self.headers() else { return false };
        let status = headers.get(STATUS).flatten().unwrap_or_default();
        status.to_bytes().starts_with(NO_RESPONDERS) && !headers.is_malformed()
    }

    /// All headers, parsed by now; `None` if the message has none. `PROTOCOL_ERROR` if they are malformed.
    pub fn headers(&mut self) -> Result<Option<&HeaderMap>> {
        self.parse()?;
        Ok(self.parsed_headers())
    }

    /// Replaces all values of `key` by `value`.
    pub fn header_set(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<()> {
        self.headers_mut()?.set(key, value)
    }

    /// Adds `value` behind the other values of `key`.
    pub fn header_add(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<()> {
        self.headers_mut()?.add(key, value)
    }

    /// The first value of `key`; `NOT_FOUND` without one.
    pub fn header_get(&mut self, key: &[u8]) -> Result<Option<&CStr>> {
        self.headers()?.and_then(|map| map.get(key)).ok_or_else(not_found)
    }

    /// All values of `key` in the order they were added; `NOT_FOUND` without any.
    pub fn header_values(&mut self, key: &[u8]) -> Result<impl ExactSizeIterator<Item = Option<&CStr>>> {
        let map = self.headers()?.ok_or_else(not_found)?;
        map.values(key).ok_or_else(not_found)
    }

    /// All keys; `NOT_FOUND` without any.
    pub fn header_keys(&mut self) -> Result<impl ExactSizeIterator<Item = &CStr>> {
        let map = self.headers()?.filter(|map| !map.is_empty()).ok_or_else(not_found)?;
        Ok(map.keys())
    }

    /// Removes all values of `key`; `NOT_FOUND` without any.
    pub fn header_delete(&mut self, key: &[u8]) -> Result<()> {
        self.parse()?;
        let map = self.0.fixed_mut().extra.as_mut().and_then(|extra| extra.headers.as_mut());
        let map = map.ok_or_else(not_found)?;
        if map.delete(key) { Ok(()) } else { Err(not_found()) }
    }

    fn parsed_headers(&self) -> Option<&HeaderMap> {
        self.extra().and_then(|extra| extra.headers.as_ref())
    }

    fn headers_mut(&mut self) -> Result<&mut HeaderMap> {
        self.parse()?;
        Ok(self.extra_mut().headers.get_or_insert_default())
    }

    /// Parses the received headers if that was not done yet.
    fn parse(&mut self) -> Result<()> {
        if let Some(raw) = self.raw_headers() {
            let map = HeaderMap::parse(raw)?;
            self.extra_mut().headers = Some(map);
        }
        Ok(())
    }

    // ---- what JetStream knows about a message ----

    /// The sequence in the stream, 0 for other messages.
    pub fn sequence(&self) -> u64 {
        self.extra().map_or(0, |extra| extra.sequence)
    }

    /// The time the stream stored the message, nanoseconds since 1970; 0 for other messages.
    pub fn time(&self) -> i64 {
        self.extra().map_or(0, |extra| extra.time)
    }

    pub fn set_stored(&mut self, sequence: u64, time: i64) {
        let extra = self.extra_mut();
        (extra.sequence, extra.time) = (sequence, time);
    }

    fn extra(&self) -> Option<&Extra> {
        self.0.fixed().extra.as_deref()
    }

    fn extra_mut(&mut self) -> &mut Extra {
        self.0.fixed_mut().extra.get_or_insert_default()
    }

    /// Gets the message into the processor's cache: it is to be handed out soon.
    #[inline]
    pub fn fetch(&self) {
        recycle::prefetch(self.0.as_ptr());
    }

    // ---- the C handle ----

    /// Turns the message into a pointer, to be taken back by [`Msg::from_raw`].
    pub fn into_raw(self) -> *mut () {
        ManuallyDrop::new(self).0.as_ptr()
    }

    /// The message behind a pointer.
    ///
    /// # Safety
    /// `raw` was made by [`Msg::into_raw`] and is not used afterwards.
    pub unsafe fn from_raw(raw: *mut ()) -> Msg {
        // SAFETY: as promised by the caller.
        Msg(unsafe { Block::from_ptr(raw) })
    }

    /// The message behind a pointer, still owned by whoever holds the pointer.
    ///
    /// # Safety
    /// `raw` was made by [`Msg::into_raw`] and lives as long as the result. While a `&mut` method runs,
    /// nobody else uses the message.
    pub unsafe fn borrow_raw(raw: *mut ()) -> ManuallyDrop<Msg> {
        // SAFETY: as promised by the caller; ManuallyDrop leaves the message alive.
        ManuallyDrop::new(Msg(unsafe { Block::from_ptr(raw) }))
    }
}

/// A message whose body, headers and payload as they follow each other on the wire, is still arriving.
pub struct Arriving(Growing);

impl Arriving {
    /// The message, once nothing is missing.
    pub fn finish(self) -> Msg {
        Msg(self.0.finish())
    }
}

impl PartialBody for Arriving {
    fn missing(&self) -> usize {
        self.0.missing()
    }

    fn room(&mut self) -> Result<&mut [u8]> {
        self.0.room()
    }

    fn fill(&mut self, n: usize) {
        self.0.fill(n);
    }
}

impl fmt::Debug for Msg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Msg")
            .field("subject", &self.subject())
            .field("reply", &self.reply())
            .field("header_bytes", &self.encoded_headers_len())
            .field("data_bytes", &self.data().len())
            .finish()
    }
}

/// Looking for a header that is not there is no error of the thread.
#[track_caller]
fn not_found() -> Error {
    Error::unrecorded(Status::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAW: &[u8] = b"NATS/1.0 503\r\nA: 1\r\nA: 2\r\n\r\n";
    const MALFORMED: &[u8] = b"NATS/1.0\r\nno colon\r\n";

    fn received(
        subject: &[u8],
        reply: Option<&[u8]>,
        headers: Option<&[u8]>,
        payload: &[u8],
        padding: usize,
    ) -> Msg {
        let headers = headers.unwrap_or_default();
        let body = [headers, payload].concat();
        Msg::received(&mut Maker::new(), subject, reply, headers.len(), &body, padding).unwrap()
    }

    fn with_headers(raw: &[u8]) -> Msg {
        received(b"foo", None, Some(raw), b"", 0)
    }

    fn sent(msg: &Msg) -> Vec<u8> {
        let out = msg.headers_to_send().unwrap().unwrap_or_default().into_owned();
        assert_eq!(out.len(), msg.encoded_headers_len());
        out
    }

    #[test]
    fn parts_come_back() {
        let msg = received(b"foo", Some(b"bar"), Some(RAW), b"pay\0load", 3);
        assert_eq!((msg.subject(), msg.reply()), (c"foo", Some(c"bar")));
        assert_eq!(msg.data(), b"pay\0load");
        assert_eq!(msg.raw_headers(), Some(RAW));
        assert_eq!(msg.size(), RAW.len() + 8);
        assert_eq!((msg.sequence(), msg.time()), (0, 0));
    }

    #[test]
    fn parts_of_every_length() {
        let text: Vec<u8> = (1..=200).collect();
        for n in 1..text.len() {
            let msg = received(&text[..n], Some(&text[1..n]), Some(&text[..n]), &text[..n], 1);
            assert_eq!(
                (msg.subject().to_bytes(), msg.reply().unwrap().to_bytes()),
                (&text[..n], &text[1..n])
            );
            assert_eq!((msg.raw_headers().unwrap(), msg.data()), (&text[..n], &text[..n]));
        }
    }

    #[test]
    fn padding_is_zero_and_one_byte_at_least() {
        for (padding, zeros) in [(0, 1), (1, 1), (8, 8)] {
            let msg = received(b"foo", None, None, b"abc", padding);
            // SAFETY: payload and padding are part of the message.
            let all = unsafe { std::slice::from_raw_parts(msg.data_ptr(), 3 + zeros) };
            assert_eq!(&all[..3], b"abc");
            assert!(all[3..].iter().all(|byte| *byte == 0));
        }
    }

    #[test]
    fn an_empty_payload_has_no_pointer() {
        assert!(received(b"foo", None, None, b"", 8).data_ptr().is_null());
        assert!(Msg::new(b"foo", None, b"").unwrap().data_ptr().is_null());
        assert!(!Msg::new(b"foo", None, b"a").unwrap().data_ptr().is_null());
    }

    /// Fills the body with `bytes`, so many at a time.
    fn arrived(mut message: Arriving, bytes: &[u8], piece: usize) -> Msg {
        let mut rest = bytes;
        while message.missing() > 0 {
            assert_eq!(message.missing(), rest.len());
            let room = message.room().unwrap();
            let n = room.len().min(piece);
            room[..n].copy_from_slice(&rest[..n]);
            message.fill(n);
            rest = &rest[n..];
        }
        message.finish()
    }

    #[test]
    fn the_body_may_arrive_in_pieces() {
        let body = [RAW, b"data"].concat();
        for piece in 1..=body.len() {
            let message = Msg::arriving(b"foo", Some(b"r"), RAW.len(), body.len(), 3).unwrap();
            let msg = arrived(message, &body, piece);
            assert_eq!((msg.subject(), msg.reply()), (c"foo", Some(c"r")));
            assert_eq!((msg.raw_headers(), msg.data(), msg.size()), (Some(RAW), &b"data"[..], body.len()));
            // SAFETY: payload and padding are part of the message.
            let all = unsafe { std::slice::from_raw_parts(msg.data_ptr(), 7) };
            assert_eq!(all, b"data\0\0\0");
        }
    }

    #[test]
    fn memory_grows_with_what_arrives() {
        // Around the sizes at which it grows: what is before the body doubles, too.
        let before = 32 + "foo".len() + 1;
        for size in [1 << 20, (2 << 20) + before, (4 << 20) + 3 * before] {
            for len in [size - 1, size, size + 1] {
                let body: Vec<u8> = (0..len).map(|i| i as u8).collect();
                let msg = arrived(Msg::arriving(b"foo", None, 0, len, 1).unwrap(), &body, usize::MAX);
                assert!(msg.data() == body);
            }
        }
        let mut announced = Msg::arriving(b"foo", None, 0, 1 << 30, 1).unwrap();
        assert!(announced.room().unwrap().len() < 1 << 20);
        announced.fill(1);
        drop(announced);
    }

    #[test]
    fn created_messages_check_their_arguments() {
        let status = |subject, reply| Msg::new(subject, reply, b"").unwrap_err().status();
        assert_eq!(status(b"", None), Status::InvalidArg);
        assert_eq!(status(b"foo", Some(b"")), Status::InvalidArg);
        assert!(Msg::new(b"a b..", Some(b" "), b"").is_ok());
    }

    #[test]
    fn external_data_is_not_copied() {
        let other = b"other".as_slice();
        let mut msg = Msg::new(b"foo", None, b"own").unwrap();
        // SAFETY: `other` outlives the message.
        let mut set =
            |data: *const u8, len| unsafe { msg.set_external_data(data, len) }.map_err(|e| e.status());
        assert_eq!(set(std::ptr::null(), 1), Err(Status::InvalidArg));
        assert_eq!(set(other.as_ptr(), -1), Err(Status::InvalidArg));
        assert_eq!(set(other.as_ptr(), 5), Ok(()));
        assert_eq!((msg.data_ptr(), msg.data()), (other.as_ptr(), other));
        // SAFETY: as above.
        unsafe { msg.set_external_data(std::ptr::null(), 0) }.unwrap();
        assert!(msg.data().is_empty());
        assert_eq!(msg.size(), 3);
    }

    #[test]
    fn untouched_headers_go_out_as_they_came() {
        let mut msg = with_headers(RAW);
        assert_eq!(msg.inline_status(), Some(&b"503"[..]));
        assert_eq!(sent(&msg), RAW);
        assert_eq!(msg.header_get(b"A").unwrap(), Some(c"1"));
        assert_eq!(msg.raw_headers(), None);
        let parsed = sent(&msg);
        assert!(parsed.starts_with(b"NATS/1.0\r\n"));
        assert!(parsed.windows(13).any(|line| line == b"Status: 503\r\n"));
        assert!(parsed.windows(12).any(|lines| lines == b"A: 1\r\nA: 2\r\n"));
    }

    #[test]
    fn malformed_headers_stay_as_they_are() {
        let mut msg = with_headers(MALFORMED);
        assert_eq!(msg.header_set(b"a", None).unwrap_err().status(), Status::ProtocolError);
        assert_eq!(msg.headers().unwrap_err().status(), Status::ProtocolError);
        assert!(!msg.is_no_responders());
        assert_eq!(sent(&msg), MALFORMED);
    }

    #[test]
    fn headers_once_set_stay_until_the_end() {
        let mut msg = Msg::new(b"foo", None, b"").unwrap();
        assert!(msg.headers_to_send().unwrap().is_none());
        assert_eq!(msg.header_delete(b"k").unwrap_err().status(), Status::NotFound);
        assert!(msg.headers_to_send().unwrap().is_none());
        msg.header_set(b"k", Some(b"v")).unwrap();
        msg.header_add(b"k", None).unwrap();
        assert_eq!(msg.header_values(b"k").unwrap().collect::<Vec<_>>(), [Some(c"v"), None]);
        assert_eq!(msg.header_keys().unwrap().collect::<Vec<_>>(), [c"k"]);
        assert_eq!(sent(&msg), b"NATS/1.0\r\nk: v\r\nk: \r\n\r\n");
        msg.header_delete(b"k").unwrap();
        assert_eq!(sent(&msg), b"NATS/1.0\r\n\r\n");
        let missing = msg.header_keys().err().unwrap();
        assert_eq!((missing.status(), missing.is_recorded()), (Status::NotFound, false));
    }

    #[test]
    fn no_responders_is_a_503_without_payload() {
        assert!(with_headers(RAW).is_no_responders());
        assert!(with_headers(b"NATS/1.0\r\nStatus: 5030\r\n\r\n").is_no_responders());
        assert!(!with_headers(b"NATS/1.0 404\r\n\r\n").is_no_responders());
        assert!(!with_headers(b"NATS/1.0 503\r\nno colon\r\n\r\n").is_no_responders());
        assert!(!received(b"foo", None, Some(RAW), b"x", 0).is_no_responders());
        assert!(!received(b"foo", None, None, b"", 0).is_no_responders());
    }

    #[test]
    fn the_extra_part_comes_when_needed() {
        let mut msg = received(b"foo", None, None, b"x", 0);
        assert!(msg.extra().is_none());
        msg.set_stored(7, -1);
        assert_eq!((msg.sequence(), msg.time()), (7, -1));
    }

    #[test]
    fn a_raw_pointer_keeps_the_message() {
        let raw = received(b"foo", None, Some(RAW), b"x", 0).into_raw();
        // SAFETY: made by into_raw above, used by nobody else.
        unsafe { Msg::borrow_raw(raw) }.header_set(b"new", Some(b"v")).unwrap();
        // SAFETY: as above, and not used afterwards.
        let mut msg = unsafe { Msg::from_raw(raw) };
        assert_eq!(msg.header_get(b"new").unwrap(), Some(c"v"));
        std::thread::spawn(move || drop(msg)).join().unwrap();
    }
}
