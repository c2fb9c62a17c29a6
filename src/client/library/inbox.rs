//! Unique subjects: one generator for each process.

use rand::TryRngCore;
use rand::rngs::OsRng;

use crate::error::Result;
use crate::io::fork::PerProcess;
use crate::proto::memory;
use crate::proto::nuid::{self, Nuid};
use crate::sync::Mutex;

/// What reply subjects start with unless a connection has a prefix of its own.
pub const DEFAULT_PREFIX: &[u8] = b"_INBOX.";

/// A child has a prefix of its own, or it would make the identifiers of its parent and of the parent's other
/// children.
static GENERATOR: PerProcess<Mutex<Option<Nuid>>> = PerProcess::new(Mutex::new(None), || Mutex::new(None));

/// An identifier no other call in this process returns, nor (in all likelihood) one in any other process.
pub fn next_nuid() -> [u8; nuid::LEN] {
    GENERATOR.get().lock().get_or_insert_with(|| Nuid::new(&mut OsRng.unwrap_err())).next()
}

/// A unique subject: `prefix`, which brings its final dot, and an identifier.
pub fn new_inbox(prefix: &[u8]) -> Result<Vec<u8>> {
    memory::concat(&[prefix, &next_nuid()])
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn an_inbox_is_prefix_and_identifier() {
        let inbox = new_inbox(DEFAULT_PREFIX).unwrap();
        assert_eq!(inbox.len(), 29);
        assert!(inbox.starts_with(b"_INBOX."));
    }

    #[test]
    fn unique_across_threads() {
        let threads: Vec<_> = (0..4)
            .map(|_| std::thread::spawn(|| (0..1000).map(|_| next_nuid()).collect::<Vec<_>>()))
            .collect();
        let ids: HashSet<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(ids.len(), 4000);
    }
}
