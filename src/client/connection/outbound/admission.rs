//! Who may append what to which buffer.

use super::Outgoing;
use crate::error::{Error, Result, Status};

/// Where frames go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// No connection yet, or none at present: publishes wait in the reconnect buffer.
    #[default]
    Down,
    Live,
    Closed,
}

/// Where a message goes that may be published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Into the write buffer.
    Buffer,
    /// Into the reconnect buffer.
    Store,
    /// Nowhere before there is room.
    Later,
}

/// How full the buffers are.
#[derive(Clone, Copy)]
pub struct Fill {
    /// The write buffer is.
    pub buffer: bool,
    /// What is left of the time without a connection has to go first.
    pub clogged: bool,
    /// The reconnect buffer is.
    pub store: bool,
}

/// What a connection takes at this moment: its phase, the server's limits, and whether it is being drained.
#[derive(Default)]
pub struct Admission {
    phase: Phase,
    draining: bool,
    /// The server has told its limits.
    checked: bool,
    max_payload: i64,
    headers: bool,
    /// Something goes out before the write buffer.
    backlog: bool,
    /// How large a message may be without any other check, but for those of its headers and of room: -1 where each
    /// message has to be checked. Follows from the other fields.
    plain_limit: i64,
}

impl Admission {
    pub fn new() -> Admission {
        Admission { plain_limit: -1, ..Admission::default() }
    }

    #[inline]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    pub fn is_live(&self) -> bool {
        self.phase == Phase::Live
    }

    /// Fails when the connection was closed.
    pub fn open(&self) -> Result<()> {
        if self.phase == Phase::Closed { Err(Status::ConnectionClosed.into()) } else { Ok(()) }
    }

    // ---- changes ----

    pub fn set_phase(&mut self, phase: Phase) {
        self.phase = phase;
        self.refresh();
    }

    /// What the server's latest INFO allows.
    pub fn set_limits(&mut self, max_payload: i64, headers: bool) {
        self.checked = true;
        self.max_payload = max_payload;
        self.headers = headers;
        self.refresh();
    }

    /// Refuses messages from now on.
    pub fn drain(&mut self) {
        self.draining = true;
        self.refresh();
    }

    /// Whether something goes out before the write buffer.
    pub fn set_backlog(&mut self, backlog: bool) {
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
    pub fn is_plain(&self, out: &Outgoing<'_>) -> bool {
        (out.headers.is_none() || self.headers) && out.size() as i64 <= self.plain_limit
    }

    /// Whether a message may be published at all.
    pub fn check(&self, out: &Outgoing<'_>) -> Result<()> {
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

    /// Where a message goes. The publishers of an event loop wait for nothing: where the others do because of the buffer,
    /// theirs grows.
    pub fn place(&self, full: Fill, event_driven: bool) -> Result<Place> {
        match self.phase {
            Phase::Closed => Err(Status::ConnectionClosed.into()),
            Phase::Down if full.store => Err(Status::InsufficientBuffer.into()),
            Phase::Down => Ok(Place::Store),
            Phase::Live if event_driven && full.clogged => Err(Status::InsufficientBuffer.into()),
            Phase::Live if !event_driven && (full.buffer || full.clogged) => Ok(Place::Later),
            Phase::Live => Ok(Place::Buffer),
        }
    }
}

#[cold]
fn payload_too_large(size: usize, max: i64) -> Error {
    Error::new(Status::MaxPayload, format!("Payload {size} greater than maximum allowed: {max}"))
}
