//! What the program is told of a connection: its events, as calls of handlers that wait for their turn.

use std::sync::Arc;
use std::time::Duration;

use crate::client::connection::Connection;
use crate::client::loss::Disconnect;
use crate::client::options::{ConnectionHandler, PingEvent};
use crate::client::subscription::Subscription;
use crate::error::Error;

impl Connection {
    /// Queues a call of one of the program's handlers.
    pub(super) fn post(self: &Arc<Self>, handler: &Option<ConnectionHandler>) {
        if let Some(handler) = handler.clone() {
            let connection = Arc::clone(self);
            self.core().callbacks.post(move || handler(&connection));
        }
    }

    /// Queues a call of the error handler.
    pub(super) fn report(self: &Arc<Self>, subscription: Option<Arc<Subscription>>, error: Error) {
        let connection = Arc::clone(self);
        let handler = self.options.error_handler.clone();
        self.core().callbacks.post(move || match handler {
            Some(handler) => handler(&connection, subscription.as_ref(), &error),
            None => print_error(&connection, subscription.as_ref(), &error),
        });
    }

    pub(super) fn post_disconnect(self: &Arc<Self>, disconnect: Arc<Disconnect>) {
        if let Some(handler) = self.options.liveness.disconnect_handler.clone() {
            let connection = Arc::clone(self);
            self.core().callbacks.post(move || handler(&connection, &disconnect));
        }
        self.post(&self.options.disconnected_handler);
    }

    pub(super) fn post_ping(self: &Arc<Self>, event: PingEvent, outstanding: i32, rtt: Option<Duration>) {
        if let Some(handler) = self.options.liveness.ping_handler.clone() {
            let connection = Arc::clone(self);
            self.core().callbacks.post(move || handler(&connection, event, outstanding, rtt));
        }
    }
}

/// What happens to errors when the program has no handler for them.
fn print_error(connection: &Arc<Connection>, subscription: Option<&Arc<Subscription>>, error: &Error) {
    let text = match connection.last_error() {
        Some((_, text)) if !text.is_empty() => String::from_utf8_lossy(&text).into_owned(),
        _ => error.status().text().to_owned(),
    };
    let id = connection.state.lock().info.client_id;
    let about =
        subscription.map(|s| format!(" on \"{}\"", s.subject().to_string_lossy())).unwrap_or_default();
    eprintln!("Error {} - {text} on connection [{id}]{about}", error.status().code());
}
