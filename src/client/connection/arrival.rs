//! What may look at a route's messages on the thread that reads, before anybody else has them.

use std::sync::Arc;

use crate::client::message::Msg;

/// Looks at each message of a route first: for messages that are not the program's, or that ask for an
/// answer.
pub(super) trait Arrival: Send + Sync {
    /// Says what becomes of a message that has just arrived. Called under the routing table's lock, in order
    /// of arrival: it looks and counts, and takes no lock but one of its own that nobody holds for long.
    fn arrived(&self, msg: Msg) -> Verdict;

    /// Attends to a message that was put aside. Called with no lock held, by the thread that reads, which
    /// must not wait. What arrived before the message has been queued by then, and so has what the same read
    /// brought behind it.
    fn attend(&self, msg: Msg);
}

/// What becomes of a message.
pub(super) enum Verdict {
    /// It goes where its route leads.
    Deliver(Msg),
    /// Nobody gets it.
    Swallow,
    /// It is put aside for [`Arrival::attend`].
    Attend(Msg),
}

/// A message that was put aside, with who is to attend to it.
pub(super) struct Aside {
    pub hook: Arc<dyn Arrival>,
    pub msg: Msg,
}

impl Aside {
    pub(super) fn attend(self) {
        self.hook.attend(self.msg);
    }
}
