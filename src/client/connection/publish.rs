//! Publishing.

use std::sync::Arc;

use crate::client::connection::Connection;
use crate::client::connection::outbound::Wait;
pub use crate::client::connection::outbound::{Flush, Outgoing};
use crate::error::{Error, Result, Status};
use crate::proto::subject;

impl Connection {
    /// Publishes a message. Subjects that would write protocol into the stream are refused.
    #[inline]
    pub fn publish(self: &Arc<Self>, out: Outgoing<'_>, flush: Flush) -> Result<()> {
        if out.subject.is_empty()
            || !subject::is_publishable(out.subject)
            || out.reply.is_some_and(|r| !subject::is_publishable(r))
        {
            return Err(Status::InvalidSubject.into());
        }
        match self.outbound.publish(out, flush, Wait::Yes) {
            Ok(then) => self.carry_out_quickly(then),
            Err(error) => Err(self.publish_failed(error)),
        }
    }

    #[cold]
    fn publish_failed(self: &Arc<Self>, error: Error) -> Error {
        self.carry_out(self.outbound.look_after_rest());
        error
    }
}
