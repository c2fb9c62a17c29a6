//! Publishing.

use std::sync::Arc;

use crate::client::connection::Connection;
use crate::client::connection::outbound::Wait;
pub(crate) use crate::client::connection::outbound::{Flush, Outgoing};
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
            return Err(self.publish_failed(Status::InvalidSubject.into()));
        }
        match self.outbound.publish(out, flush, Wait::Yes) {
            Ok(then) => self.carry_out_quickly(then),
            Err(error) => Err(self.publish_failed(error)),
        }
    }

    /// What was there before is not left alone: a request may have appended its subscription to replies.
    #[cold]
    pub(super) fn publish_failed(self: &Arc<Self>, error: Error) -> Error {
        self.carry_out(self.outbound.look_after_rest());
        error
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::client::connection::testing::connect_to;
    use crate::io::clock;

    #[test]
    fn what_a_refused_request_has_appended_goes_out() {
        let connection = connect_to(|mut client| assert!(!client.wait_for("never")), |_| {});
        let refused = connection.request(b"not one subject", None, b"", 1000);
        assert_eq!(refused.err().map(|e| e.status()), Some(Status::InvalidSubject));
        let end = clock::now() + Duration::from_secs(10);
        while connection.buffered() != Some(0) {
            assert!(clock::now() < end, "the subscription to replies waits for somebody who writes it");
            thread::yield_now();
        }
        connection.abandon();
    }
}
