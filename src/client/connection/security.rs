//! Whether a connection uses TLS, and with which settings.

use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use crate::client::connection::Connection;
use crate::error::Result;
use crate::io::tls;

impl Connection {
    /// Whether TLS is required.
    pub(super) fn is_secure(&self) -> bool {
        self.secure.load(Ordering::Relaxed)
    }

    /// Whether TLS is required or was ever set up.
    pub(super) fn may_use_tls(&self) -> bool {
        self.is_secure() || self.tls.lock().is_some()
    }

    /// How TLS is done; it is required from now on.
    pub(super) fn tls_settings(&self) -> Result<Arc<tls::Settings>> {
        let mut held = self.tls.lock();
        self.open()?; // closed, it may have released those of its options
        let settings = match &*held {
            Some(settings) => Arc::clone(settings),
            None => Arc::clone(held.insert(Arc::new(tls::Settings::new()?))),
        };
        drop(held);
        self.secure.store(true, Ordering::Relaxed);
        Ok(settings)
    }

    /// The program got a handle of the connection or of one of its subscriptions.
    pub fn add_user(&self) {
        self.users.fetch_add(1, Ordering::Relaxed);
    }

    /// The program gave such a handle back. With the last one of a closed connection the TLS settings can be changed
    /// again, whoever of the library's threads still looks at the connection. An open one goes on needing them: an event
    /// loop that could not attach gives back the first handle there was.
    pub fn remove_user(&self) {
        if self.users.fetch_sub(1, Ordering::AcqRel) == 1 {
            fence(Ordering::SeqCst);
            if self.is_closed() {
                self.release_tls();
            }
        }
    }

    /// Nobody has a handle any more: the close releases the TLS settings, or who gave the last one back after it.
    pub(super) fn release_tls_if_unused(&self) {
        fence(Ordering::SeqCst); // between the status and the count, as `remove_user` has one the other way round
        if self.users.load(Ordering::Acquire) == 0 {
            self.release_tls();
        }
    }

    /// The connection is over: its options' TLS settings are not in use any more.
    pub(super) fn release_tls(&self) {
        *self.tls.lock() = None;
    }
}
