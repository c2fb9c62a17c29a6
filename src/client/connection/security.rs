//! Whether a connection uses TLS, with which settings, for how long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};

use crate::client::connection::Connection;
use crate::error::Result;
use crate::io::tls;
use crate::sync::Mutex;

/// The TLS of one connection. Options and the connections made from them share the settings, which can be
/// changed again when nobody uses them any more: so a connection gives its share back when it is closed and
/// no handle of it is left, whichever of both comes last. The lock is held for a moment, also while settings
/// are made; never in a handshake.
pub(super) struct Security {
    /// By the options, or since a server asked for it.
    required: AtomicBool,
    /// Those of the options, or the defaults once a server asked for TLS.
    settings: Mutex<Option<Arc<tls::Settings>>>,
    /// Handles that the program holds, of the connection and of its subscriptions.
    users: AtomicUsize,
}

impl Security {
    pub(super) fn new(required: bool, settings: Option<Arc<tls::Settings>>) -> Security {
        Security {
            required: AtomicBool::new(required),
            settings: Mutex::new(settings),
            users: AtomicUsize::new(0),
        }
    }

    /// Whether TLS is required.
    pub(super) fn is_required(&self) -> bool {
        self.required.load(Ordering::Relaxed)
    }

    /// Whether TLS is required or was ever set up.
    pub(super) fn may_be_used(&self) -> bool {
        self.is_required() || self.settings.lock().is_some()
    }

    /// How TLS is done; it is required from now on. Fails with what `open` says: closed, a connection may
    /// have given the settings of its options back.
    fn settings(&self, open: impl FnOnce() -> Result<()>) -> Result<Arc<tls::Settings>> {
        let mut held = self.settings.lock();
        open()?;
        let settings = match &*held {
            Some(settings) => Arc::clone(settings),
            None => Arc::clone(held.insert(Arc::new(tls::Settings::new()?))),
        };
        drop(held);
        self.required.store(true, Ordering::Relaxed);
        Ok(settings)
    }

    fn add_user(&self) {
        self.users.fetch_add(1, Ordering::Relaxed);
    }

    fn remove_user(&self, is_closed: impl FnOnce() -> bool) {
        if self.users.fetch_sub(1, Ordering::AcqRel) == 1 {
            fence(Ordering::SeqCst);
            if is_closed() {
                self.release();
            }
        }
    }

    /// To be called once the connection is closed. Who gives the last handle back after that releases the
    /// settings.
    pub(super) fn release_if_unused(&self) {
        fence(Ordering::SeqCst); // between status and count; `remove_user` has one the other way round
        if self.users.load(Ordering::Acquire) == 0 {
            self.release();
        }
    }

    fn release(&self) {
        *self.settings.lock() = None;
    }
}

impl Connection {
    /// How TLS is done; it is required from now on.
    pub(super) fn tls_settings(&self) -> Result<Arc<tls::Settings>> {
        self.security.settings(|| self.open())
    }

    /// The program got a handle of the connection or of one of its subscriptions.
    pub fn add_user(&self) {
        self.security.add_user();
    }

    /// The program gave such a handle back. With the last one of a closed connection the TLS settings can be
    /// changed again, whoever of the library's threads still looks at the connection. An open one goes on
    /// needing them: an event loop that could not attach gives back the first handle there was.
    pub fn remove_user(&self) {
        self.security.remove_user(|| self.is_closed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Status;

    #[test]
    fn settings_are_given_back_by_whichever_comes_last() {
        let Ok(settings) = tls::Settings::new().map(Arc::new) else { return }; // a build without TLS
        for handle_first in [true, false] {
            let security = Security::new(false, Some(Arc::clone(&settings)));
            security.add_user();
            if handle_first {
                security.remove_user(|| false);
                assert_eq!(Arc::strong_count(&settings), 2, "still open");
                security.release_if_unused();
            } else {
                security.release_if_unused();
                assert_eq!(Arc::strong_count(&settings), 2, "a handle is still there");
                security.remove_user(|| true);
            }
            assert_eq!(Arc::strong_count(&settings), 1);
        }
    }

    #[test]
    fn who_asks_how_tls_is_done_requires_it() {
        let security = Security::new(false, None);
        let closed = security.settings(|| Err(Status::ConnectionClosed.into()));
        assert_eq!(closed.err().map(|e| e.status()), Some(Status::ConnectionClosed));
        assert!(!security.is_required() && !security.may_be_used());
        if security.settings(|| Ok(())).is_ok() {
            assert!(security.is_required());
        }
    }
}
