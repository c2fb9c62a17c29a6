//! What a program may ask a connection about itself.

use std::ffi::{CStr, c_char};
use std::sync::Arc;

use crate::client::connection::loss::Disconnect;
use crate::client::connection::stats::Statistics;
use crate::client::connection::{ConnStatus, Connection};
use crate::error::{Error, Result, Status, TextBuffer};
use crate::proto::info::ServerInfo;
use crate::proto::memory;
use crate::session::pool::ServerPool;

impl Connection {
    pub fn name(&self) -> Option<&CStr> {
        self.name.as_deref()
    }

    pub fn max_payload(&self) -> i64 {
        self.state.lock().servers.info.max_payload
    }

    pub fn has_header_support(&self) -> bool {
        self.state.lock().servers.info.headers
    }

    /// Unsent bytes of the write buffer; `None` before the first connect ended and after the close.
    pub fn buffered(&self) -> Option<usize> {
        let state = self.state.lock();
        let usable = !matches!(state.status(), ConnStatus::Closed | ConnStatus::Connecting);
        drop(state);
        usable.then(|| self.outbound.buffered())
    }

    pub fn statistics(&self) -> Statistics {
        self.counters.all(self.outbound.published())
    }

    /// What `read` finds out about the server connected to; nothing unless connected or connecting.
    pub fn of_server<T: Default>(&self, read: impl FnOnce(&ServerPool, &ServerInfo) -> T) -> T {
        let state = self.state.lock();
        match state.visible_status() {
            ConnStatus::Connected | ConnStatus::Connecting => read(&state.servers.pool, &state.servers.info),
            _ => T::default(),
        }
    }

    /// The URL connected to, with what it says of credentials.
    pub fn connected_url(&self) -> Result<Vec<u8>> {
        let url = self.of_server(|pool, _| pool.current().map(|server| Arc::clone(&server.url)));
        url.map_or(Ok(Vec::new()), |url| memory::copy(&url.full))
    }

    pub fn connected_server_id(&self) -> Result<Vec<u8>> {
        self.of_server(|_, info| Some(memory::copy(info.server_id.as_bytes()))).unwrap_or(Ok(Vec::new()))
    }

    pub fn connected_server_name(&self) -> Result<Vec<u8>> {
        self.of_server(|_, info| Some(memory::copy(info.server_name.as_bytes()))).unwrap_or(Ok(Vec::new()))
    }

    /// The servers of the pool, or those of them that were announced by a server.
    pub fn servers(&self, only_discovered: bool) -> Result<Vec<Vec<u8>>> {
        self.state.lock().servers.pool.public_urls(only_discovered)
    }

    /// The server's number for this connection, 0 when it gives none.
    pub fn client_id(&self) -> Result<u64> {
        self.open()?;
        Ok(self.state.lock().servers.info.client_id)
    }

    /// The address the server sees this connection come from.
    pub fn client_ip(&self) -> Result<Vec<u8>> {
        self.open()?;
        match &self.state.lock().servers.info.client_ip {
            Some(ip) if !ip.is_empty() => memory::copy(ip.as_bytes()),
            _ => Err(Status::NoServerSupport.into()),
        }
    }

    /// Address and port of this end.
    pub fn local_address(&self) -> Result<std::net::SocketAddr> {
        self.open()?;
        let state = self.state.lock(); // while it is held, an event loop does not close the descriptor
        let link = state.link().ok_or(Status::ConnectionDisconnected)?;
        link.socket().local_address().map_err(|e| Error::new(Status::SysError, e.to_string()))
    }

    /// The connection's last error: status and text.
    pub fn last_error(&self) -> Option<(Status, Vec<u8>)> {
        self.state.lock().last_error.get().cloned()
    }

    /// The same with the text as a C string, which is there as long as the connection and changes with the
    /// next call.
    pub fn last_error_for_good(&self) -> (Status, *const c_char) {
        let (status, text) = self.last_error().unwrap_or((Status::Ok, Vec::new()));
        let mut shown = self.shown_error.lock();
        let shown = shown.get_or_insert_with(|| Box::new(TextBuffer::EMPTY));
        shown.set(&text);
        (status, shown.as_c_str().as_ptr())
    }

    /// The last loss of a connection to a server, its end by a close included; `None` while there was none.
    pub fn last_disconnect(&self) -> Option<Arc<Disconnect>> {
        self.state.lock().last_disconnect().cloned()
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;
    use crate::client::connection::testing::{Server, connected, unconnected};

    #[test]
    fn what_is_known_of_a_server_is_there_while_connected() {
        let server = Server::start(false);
        let connection = connected(&server);
        assert_eq!(connection.connected_url().unwrap(), server.url.as_bytes());
        assert_eq!((connection.max_payload(), connection.has_header_support()), (1000, true));
        assert_eq!(connection.servers(false).unwrap(), [server.url.as_bytes()]);
        assert_eq!(connection.client_ip().unwrap_err().status(), Status::NoServerSupport);
        assert!(connection.local_address().unwrap().ip().is_loopback());
        assert_eq!(connection.buffered(), Some(0));
        connection.close();
        assert!(connection.connected_url().unwrap().is_empty());
        assert_eq!(connection.local_address().unwrap_err().status(), Status::ConnectionClosed);
        assert_eq!(connection.buffered(), None);
    }

    #[test]
    fn the_last_errors_text_stays_where_it_is() {
        let connection = unconnected(|_| {});
        let (status, text) = connection.last_error_for_good();
        assert_eq!(status, Status::Ok);
        connection.state.lock().last_error.note(&Error::new(Status::Err, "what went wrong"));
        assert_eq!(connection.last_error_for_good(), (Status::Err, text));
        // SAFETY: the text is there as long as the connection.
        assert_eq!(unsafe { CStr::from_ptr(text) }, c"what went wrong");
    }
}
