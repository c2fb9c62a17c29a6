//! Who may append what to which buffer.

use super::Outgoing;
use crate::error::{Error, Result, Status};

/// Where frames go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// No connection yet, or none at present: publishes wait in the reconnect buffer.
    #[default]
    Down,
    Live,
    Closed,
}

/// So many bytes messages of those who never wait may add to a write buffer that is full.
const RESERVE: usize = 64 << 10;
/// PINGs and PONGs get that much more: messages never keep them out.
const ROOM_FOR_BEATS: usize = 16 << 10;

/// What a call does that finds no room in the write buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// It waits for room until the write deadline, and may write itself: a thread of the program.
    Yes,
    /// It is refused with `NATS_INSUFFICIENT_BUFFER` once a reserve is used up, and leaves writing to others:
    /// the thread that reads, the timer's, whoever holds a lock.
    Never,
}

/// A frame that wants to be appended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// At most.
    size: usize,
    wait: Wait,
    /// So much of the reserve may be used with it.
    reserve: usize,
}

impl Frame {
    pub(super) fn message(size: usize, wait: Wait) -> Frame {
        Frame { size, wait, reserve: RESERVE }
    }

    /// A PING or a PONG, by which both ends know that the other one lives.
    pub(super) fn beat(bytes: &[u8]) -> Frame {
        Frame { size: bytes.len(), wait: Wait::Never, reserve: RESERVE + ROOM_FOR_BEATS }
    }
}

/// Where a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Into the write buffer.
    Buffer,
    /// Into the reconnect buffer.
    Store,
    /// Nowhere before there is room.
    Later,
}

/// How full the buffers are.
#[derive(Clone, Copy)]
pub(super) struct Fill {
    /// The write buffer is.
    pub buffer: bool,
    /// What is left of the time without a connection has to go first.
    pub clogged: bool,
    /// The reconnect buffer is.
    pub store: bool,
}

/// What a connection takes at this moment: its phase, the server's limits, and whether it is being drained.
#[derive(Default)]
pub(super) struct Admission {
    phase: Phase,
    draining: bool,
    /// The server has told its limits.
    checked: bool,
    max_payload: i64,
    headers: bool,
    /// Something goes out before the write buffer.
    backlog: bool,
    /// Bytes in the write buffer that were appended although it was full.
    reserved: usize,
    /// How large a message may be without any other check, but for those of its headers and of room: -1 where
    /// each message has to be checked. Follows from the other fields.
    plain_limit: i64,
}

impl Admission {
    pub(super) fn new() -> Admission {
        Admission { plain_limit: -1, ..Admission::default() }
    }

    #[inline]
    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    pub(super) fn is_live(&self) -> bool {
        self.phase == Phase::Live
    }

    /// Fails when the connection was closed.
    pub(super) fn open(&self) -> Result<()> {
        if self.phase == Phase::Closed { Err(Status::ConnectionClosed.into()) } else { Ok(()) }
    }

    // ---- changes ----

    pub(super) fn set_phase(&mut self, phase: Phase) {
        self.phase = phase;
        self.reserved = 0;
        self.refresh();
    }

    /// A writer has taken out what was in the write buffer.
    pub(super) fn buffer_taken(&mut self) {
        self.reserved = 0;
    }

    /// What the server's latest INFO allows.
    pub(super) fn set_limits(&mut self, max_payload: i64, headers: bool) {
        self.checked = true;
        self.max_payload = max_payload;
        self.headers = headers;
        self.refresh();
    }

    /// Refuses messages from now on.
    pub(super) fn drain(&mut self) {
        self.draining = true;
        self.refresh();
    }

    /// Whether something goes out before the write buffer.
    pub(super) fn set_backlog(&mut self, backlog: bool) {
        if self.backlog != backlog {
            self.backlog = backlog;
            self.refresh();
        }
    }

    fn refresh(&mut self) {
        self.plain_limit = match self.phase {
            Phase::Live if self.draining || self.backlog => -1,
            Phase::Live if self.checked => self.max_payload,
            Phase::Live => i64::MAX,
            _ => -1,
        };
    }

    // ---- questions ----

    /// Whether nothing but the room in the write buffer has to be looked at for this message.
    #[inline(always)]
    pub(super) fn is_plain(&self, out: &Outgoing<'_>) -> bool {
        (out.headers.is_none() || self.headers) && out.size() as i64 <= self.plain_limit
    }

    /// Whether a message may be published at all.
    pub(super) fn check(&self, out: &Outgoing<'_>) -> Result<()> {
        self.open()?;
        if self.draining {
            return Err(Status::Draining.into());
        }
        if self.checked { self.check_limits(out) } else { Ok(()) }
    }

    fn check_limits(&self, out: &Outgoing<'_>) -> Result<()> {
        if out.headers.is_some() && !self.headers {
            return Err(Status::NoServerSupport.into());
        }
        let size = out.size();
        if size as i64 > self.max_payload {
            return Err(payload_too_large(size, self.max_payload));
        }
        Ok(())
    }

    /// Where a frame goes. The publishers of an event loop wait for nothing: where others wait because the
    /// buffer is full, theirs grows.
    pub(super) fn place(&mut self, frame: Frame, full: Fill, event_driven: bool) -> Result<Place> {
        let grows = event_driven && frame.wait == Wait::Yes;
        match self.phase {
            Phase::Closed => Err(Status::ConnectionClosed.into()),
            Phase::Down if full.store => Err(Status::InsufficientBuffer.into()),
            Phase::Down => Ok(Place::Store),
            Phase::Live if !full.clogged && (!full.buffer || grows) => Ok(Place::Buffer),
            Phase::Live if frame.wait == Wait::Never => self.use_reserve(frame),
            Phase::Live if event_driven => Err(Status::InsufficientBuffer.into()),
            Phase::Live => Ok(Place::Later),
        }
    }

    fn use_reserve(&mut self, frame: Frame) -> Result<Place> {
        if frame.size > frame.reserve.saturating_sub(self.reserved) {
            return Err(Status::InsufficientBuffer.into());
        }
        self.reserved += frame.size;
        Ok(Place::Buffer)
    }
}

#[cold]
fn payload_too_large(size: usize, max: i64) -> Error {
    Error::new(Status::MaxPayload, format!("Payload {size} greater than maximum allowed: {max}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::encoder;

    const ROOM: Fill = Fill { buffer: false, clogged: false, store: false };
    const FULL: Fill = Fill { buffer: true, ..ROOM };
    const CLOGGED: Fill = Fill { clogged: true, ..ROOM };
    const STORE_FULL: Fill = Fill { store: true, ..ROOM };

    fn in_phase(phase: Phase) -> Admission {
        let mut admission = Admission::new();
        admission.set_phase(phase);
        admission
    }

    fn message(payload: &[u8]) -> Outgoing<'_> {
        Outgoing { subject: b"foo", reply: None, headers: None, payload }
    }

    fn place(
        admission: &mut Admission,
        wait: Wait,
        full: Fill,
        event_driven: bool,
    ) -> std::result::Result<Place, Status> {
        admission.place(Frame::message(100, wait), full, event_driven).map_err(|e| e.status())
    }

    #[test]
    fn where_messages_go() {
        use Place::{Buffer, Later, Store};
        use Wait::{Never, Yes};
        let (no_room, closed) = (Err(Status::InsufficientBuffer), Err(Status::ConnectionClosed));
        for (phase, wait, full, event_driven, expected) in [
            (Phase::Live, Yes, ROOM, false, Ok(Buffer)),
            (Phase::Live, Yes, FULL, false, Ok(Later)),
            (Phase::Live, Yes, CLOGGED, false, Ok(Later)),
            (Phase::Live, Yes, FULL, true, Ok(Buffer)),
            (Phase::Live, Yes, CLOGGED, true, no_room),
            (Phase::Live, Yes, STORE_FULL, false, Ok(Buffer)),
            (Phase::Live, Never, ROOM, false, Ok(Buffer)),
            (Phase::Live, Never, FULL, false, Ok(Buffer)),
            (Phase::Live, Never, CLOGGED, true, Ok(Buffer)),
            (Phase::Down, Yes, FULL, false, Ok(Store)),
            (Phase::Down, Never, ROOM, true, Ok(Store)),
            (Phase::Down, Yes, STORE_FULL, false, no_room),
            (Phase::Down, Never, STORE_FULL, false, no_room),
            (Phase::Closed, Yes, ROOM, false, closed),
            (Phase::Closed, Never, ROOM, true, closed),
        ] {
            let place = place(&mut in_phase(phase), wait, full, event_driven);
            assert_eq!(place, expected, "{phase:?}, {wait:?}, event loop: {event_driven}");
        }
    }

    #[test]
    fn who_never_waits_has_a_reserve_until_a_writer_comes() {
        for event_driven in [false, true] {
            let mut admission = in_phase(Phase::Live);
            let mut fill = |full| {
                (0..).take_while(|_| place(&mut admission, Wait::Never, full, event_driven).is_ok()).count()
            };
            assert_eq!(fill(FULL), RESERVE / 100);
            assert_eq!(fill(CLOGGED), 0);
            // PINGs and PONGs go all the same.
            let beats =
                (0..).take_while(|_| admission.place(Frame::beat(encoder::PONG), FULL, event_driven).is_ok());
            assert!(beats.count() >= ROOM_FOR_BEATS / encoder::PONG.len());
            assert_eq!(
                place(&mut admission, Wait::Never, ROOM, event_driven),
                Ok(Place::Buffer),
                "it needs no reserve"
            );
            admission.buffer_taken();
            assert_eq!(place(&mut admission, Wait::Never, FULL, event_driven), Ok(Place::Buffer));
            let too_large = admission.place(Frame::message(RESERVE, Wait::Never), FULL, event_driven);
            assert_eq!(too_large.unwrap_err().status(), Status::InsufficientBuffer);
        }
    }

    #[test]
    fn the_server_limits_messages_once_it_has_told_so() {
        let mut admission = in_phase(Phase::Live);
        let headers = Outgoing { headers: Some(b"NATS/1.0\r\n\r\n"), ..message(b"") };
        assert!(admission.check(&headers).is_ok() && admission.check(&message(&[0; 100])).is_ok());
        admission.set_limits(3, false);
        assert!(admission.check(&message(b"abc")).is_ok());
        assert_eq!(admission.check(&message(b"abcd")).unwrap_err().status(), Status::MaxPayload);
        assert_eq!(admission.check(&headers).unwrap_err().status(), Status::NoServerSupport);
        admission.set_limits(12, true);
        assert!(admission.check(&headers).is_ok());
        admission.set_limits(11, true);
        assert_eq!(admission.check(&headers).unwrap_err().status(), Status::MaxPayload);
    }

    #[test]
    fn a_drain_refuses_messages_until_the_close_says_more() {
        let mut admission = in_phase(Phase::Live);
        admission.drain();
        assert_eq!(admission.check(&message(b"")).unwrap_err().status(), Status::Draining);
        admission.set_phase(Phase::Closed);
        assert_eq!(admission.check(&message(b"")).unwrap_err().status(), Status::ConnectionClosed);
        assert_eq!(admission.open().unwrap_err().status(), Status::ConnectionClosed);
    }

    /// Whatever changes in whatever order, what passes the one comparison would pass all checks.
    #[test]
    fn a_plain_message_needs_no_other_check() {
        type Change = fn(&mut Admission);
        const CHANGES: [Change; 8] = [
            |a| a.set_phase(Phase::Down),
            |a| a.set_phase(Phase::Live),
            |a| a.set_phase(Phase::Closed),
            |a| a.set_limits(3, true),
            |a| a.set_limits(3, false),
            |a| a.set_backlog(true),
            |a| a.set_backlog(false),
            Admission::drain,
        ];
        let headers = Outgoing { headers: Some(b"abc"), ..message(b"") };
        for order in 0..8_usize.pow(4) {
            let mut admission = Admission::new();
            for step in 0..4 {
                CHANGES[order / 8_usize.pow(step) % 8](&mut admission);
                for out in [message(b"abc"), message(b"abcd"), headers] {
                    let sure = admission.check(&out).is_ok() && admission.is_live() && !admission.backlog;
                    assert!(!admission.is_plain(&out) || sure);
                    let usual = sure && (out.headers.is_none() || admission.headers);
                    assert_eq!(admission.is_plain(&out), usual, "the usual message goes the fast way");
                }
            }
        }
    }
}
