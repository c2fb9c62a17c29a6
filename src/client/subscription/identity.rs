//! By what the server knows a subscription.

use std::ffi::{CStr, CString};

use super::Subscription;
use crate::error::Result;
use crate::proto::memory;

/// What one SUB said. It never changes: a subscription that is to be known by something else gets another
/// identity, under the lock of its connection's table, where the server is told.
pub struct Identity {
    sid: u64,
    subject: CString,
}

impl Identity {
    pub(super) fn new(sid: u64, subject: &[u8]) -> Result<Identity> {
        Ok(Identity { sid, subject: memory::c_text(subject)? })
    }

    pub fn sid(&self) -> u64 {
        self.sid
    }

    pub fn subject(&self) -> &CStr {
        &self.subject
    }
}

impl Subscription {
    /// The present identity: the only way to it. A program may hold a pointer to its subject
    /// (docs/pointers.md), so an identity lives as long as the subscription, even if it is not the present
    /// one any more. Two calls may find two identities; who needs number and subject of the same one asks
    /// once.
    #[inline]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The present number on the connection.
    pub fn sid(&self) -> u64 {
        self.identity().sid()
    }

    /// The present subject.
    pub fn subject(&self) -> &CStr {
        self.identity().subject()
    }
}

#[cfg(test)]
mod tests {
    use crate::client::subscription::Request;
    use crate::client::subscription::tests::unconnected;

    #[test]
    fn pointers_to_the_subject_are_good_as_long_as_the_subscription() {
        let connection = unconnected();
        let request = Request { subject: b"foo.bar", queue: None, handler: None, timeout_ms: None };
        let sub = connection.subscribe(request).unwrap();
        let pointer = sub.subject().as_ptr();
        connection.close();
        assert_eq!((sub.sid(), sub.subject()), (1, c"foo.bar"));
        assert_eq!(sub.identity().subject().as_ptr(), pointer);
    }
}
