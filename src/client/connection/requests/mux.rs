//! One subscription for all replies of a connection.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::sync::Mutex;

use crate::client::connection::arrival::{Arrival, Verdict};
use crate::client::connection::routes::{Route, Target};
use crate::client::message::Msg;
use crate::error::Result;
use crate::proto::memory;
use crate::proto::reply::{Named, ReplyPrefix};

/// The context of ordinary requests.
pub(super) const REQUESTS: u64 = 0;

/// Gets the replies of one context.
pub(super) trait Replies: Send + Sync {
    /// A reply arrived. Called with no lock held, by the thread that reads, which must not wait. `id` is what
    /// the reply's subject names; the context of the requests also gets those whose subject the server
    /// mapped, which name nothing.
    fn replied(&self, id: Option<u64>, msg: Msg);
}

/// The hook of a route for `<inbox prefix><12 characters>.*`. The last part of a reply's subject names a
/// context and a number of that context's own; so a context with thousands of open questions needs but one
/// entry here.
pub(super) struct Mux {
    sid: u64,
    prefix: ReplyPrefix,
    /// Locked for a look only.
    contexts: Mutex<Contexts>,
}

#[derive(Default)]
struct Contexts {
    next: u64,
    sinks: BTreeMap<u64, Arc<dyn Replies>>,
}

impl Mux {
    /// The first context is that of the requests.
    pub(super) fn new(sid: u64, prefix: ReplyPrefix, requests: Arc<dyn Replies>) -> Mux {
        let mux = Mux { sid, prefix, contexts: Mutex::default() };
        let context = mux.join(requests);
        debug_assert_eq!(context, REQUESTS);
        mux
    }

    /// Gives a context its number, which no other one ever gets.
    pub(super) fn join(&self, sink: Arc<dyn Replies>) -> u64 {
        let mut contexts = self.contexts.lock();
        let context = contexts.next;
        contexts.next += 1;
        contexts.sinks.insert(context, sink);
        context
    }

    pub(super) fn sid(&self) -> u64 {
        self.sid
    }

    /// Appends the subject whose replies go to this context.
    pub(super) fn reply_subject(&self, context: u64, id: u64, out: &mut Vec<u8>) -> Result<()> {
        self.prefix.reply(context, id, out)
    }

    pub(super) fn route(self: &Arc<Self>) -> Result<Route> {
        let subject = memory::copy(self.prefix.wildcard())?;
        Ok(Route { hook: Some(Arc::clone(self) as Arc<dyn Arrival>), target: Target::Nobody { subject } })
    }

    fn sink(&self, context: u64) -> Option<Arc<dyn Replies>> {
        self.contexts.lock().sinks.get(&context).cloned()
    }
}

impl Arrival for Mux {
    fn arrived(&self, msg: Msg) -> Verdict {
        if self.prefix.may_answer(msg.subject().to_bytes()) { Verdict::Attend(msg) } else { Verdict::Swallow }
    }

    fn attend(&self, msg: Msg) {
        let (context, id) = match self.prefix.parse(msg.subject().to_bytes()) {
            Named::Reply { context, id } => (context, Some(id)),
            Named::Foreign => (REQUESTS, None),
            Named::Nothing => return,
        };
        if let Some(sink) = self.sink(context) {
            sink.replied(id, msg);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes down what it gets.
    #[derive(Default)]
    struct Noted(Mutex<Vec<(Option<u64>, Vec<u8>)>>);

    impl Replies for Noted {
        fn replied(&self, id: Option<u64>, msg: Msg) {
            self.0.lock().push((id, msg.data().to_vec()));
        }
    }

    impl Noted {
        fn take(&self) -> Vec<(Option<u64>, Vec<u8>)> {
            std::mem::take(&mut self.0.lock())
        }
    }

    fn mux(requests: &Arc<Noted>) -> Arc<Mux> {
        let prefix = ReplyPrefix::new(b"_INBOX.", b"0123456789PV326I42MJPA").unwrap();
        Arc::new(Mux::new(7, prefix, Arc::clone(requests) as Arc<dyn Replies>))
    }

    /// True when the message was put aside and attended to.
    fn arrive(mux: &Mux, subject: &[u8]) -> bool {
        match mux.arrived(Msg::new(subject, None, b"x").unwrap()) {
            Verdict::Attend(msg) => mux.attend(msg),
            _ => return false,
        }
        true
    }

    fn subject(mux: &Mux, context: u64, id: u64) -> Vec<u8> {
        let mut out = Vec::new();
        mux.reply_subject(context, id, &mut out).unwrap();
        out
    }

    #[test]
    fn each_context_gets_its_own_replies() {
        let (requests, other) = (Arc::new(Noted::default()), Arc::new(Noted::default()));
        let mux = mux(&requests);
        assert_eq!(mux.join(Arc::clone(&other) as Arc<dyn Replies>), 1);
        assert_eq!(mux.join(Arc::new(Noted::default())), 2);
        for (context, id) in [(0, 3), (1, 3), (1, 4), (9, 3)] {
            assert!(arrive(&mux, &subject(&mux, context, id)));
        }
        assert_eq!(requests.take(), [(Some(3), b"x".to_vec())]);
        assert_eq!(other.take(), [(Some(3), b"x".to_vec()), (Some(4), b"x".to_vec())]);
    }

    #[test]
    fn what_the_server_mapped_is_for_the_requests_and_what_names_nothing_for_nobody() {
        let (requests, other) = (Arc::new(Noted::default()), Arc::new(Noted::default()));
        let mux = mux(&requests);
        mux.join(Arc::clone(&other) as Arc<dyn Replies>);
        assert!(arrive(&mux, b"mapped.1_00000000000"));
        assert_eq!(requests.take(), [(None, b"x".to_vec())]);
        assert!(!arrive(&mux, b"_INBOX.PV326I42MJPA.x"), "swallowed at once");
        arrive(&mux, b"_INBOX.PV326I42MJPA.0_0000000000-");
        assert!(requests.take().is_empty() && other.take().is_empty());
    }
}
