//! Doing what the server says, once nothing is locked any more.

use std::sync::Arc;

use super::receiver::Event;
use crate::client::connection::link::Link;
use crate::client::connection::loss::{Loss, Reason};
use crate::client::connection::state::State;
use crate::client::connection::{self, Connection};
use crate::client::subscription::Subscription;
use crate::error::{Error, Status, shown};
use crate::proto::info::ServerInfo;
use crate::session::auth::{self, ServerErr};
use crate::session::pool::{Announced, AuthError};

impl Connection {
    pub(super) fn attend(self: &Arc<Self>, link: &Arc<Link>, events: &mut Vec<Event>) {
        for event in events.drain(..) {
            match event {
                Event::Slow(subscription) => self.slow_consumer(link, subscription),
                Event::Arrived(message) => message.attend(),
                Event::Ping => self.on_ping(link),
                Event::Pong => self.on_pong(link),
                Event::Info(json) => self.on_async_info(link, &json),
                Event::ServerError(text) => self.on_server_error(link, &text),
            }
        }
    }

    fn on_ping(self: &Arc<Self>, link: &Arc<Link>) {
        self.vitals.note_server_ping();
        self.carry_out(self.outbound.answer_ping(link));
    }

    pub(in crate::client::connection) fn slow_consumer(
        self: &Arc<Self>,
        link: &Arc<Link>,
        subscription: Arc<Subscription>,
    ) {
        let mut state = self.state.lock();
        if !state.is_current(link) {
            state.report(Some(subscription), Status::SlowConsumer.into());
            return;
        }
        state.last_error.note_slow_consumer();
        state.report(Some(subscription), Status::SlowConsumer.into());
    }

    /// INFO while connected. What cannot be parsed still wipes the record, as in the reference.
    pub(in crate::client::connection) fn on_async_info(self: &Arc<Self>, link: &Arc<Link>, json: &[u8]) {
        let read =
            ServerInfo::parse(json).and_then(|info| Announced::new(&info).map(|others| (info, others)));
        let (info, others) = match read {
            Err(error) if error.status() == Status::NoMemory => return self.receive_failed(link, error),
            read => read.unwrap_or_default(),
        };
        let mut state = self.state.lock();
        if !state.is_current(link) {
            return;
        }
        self.take_info(&mut state, info, others, true);
    }

    /// Makes `info` the record of the server; the pool learns of the others it announced.
    pub(in crate::client::connection) fn take_info(
        self: &Arc<Self>,
        state: &mut State,
        info: ServerInfo,
        others: Announced,
        tell_discovered: bool,
    ) {
        self.outbound.set_limits(info.max_payload, info.headers);
        if !self.options.servers.ignore_discovered {
            let randomize = !self.options.servers.no_randomize;
            let servers = &mut state.servers;
            let discovered = servers.pool.update(others, randomize, &mut servers.rng);
            if discovered && tell_discovered {
                state.post(connection::events::Event::Discovered);
            }
        }
        if info.lame_duck {
            state.post(connection::events::Event::LameDuck);
        }
        state.servers.info = info;
    }

    pub(in crate::client::connection) fn on_server_error(self: &Arc<Self>, link: &Arc<Link>, text: &[u8]) {
        let shown = shown(text).into_owned();
        match auth::classify_err(text) {
            ServerErr::Stale => self.connection_lost(link, Loss::stale(Reason::ServerStale)),
            ServerErr::Permissions => {
                self.on_permissions_error(link, Error::new(Status::NotPermitted, shown))
            }
            ServerErr::Auth(kind) => {
                self.on_auth_error(link, kind, Error::new(Status::ConnectionAuthFailed, shown));
            }
            ServerErr::Other => {
                let error =
                    if shown.is_empty() { Status::Err.into() } else { Error::new(Status::Err, shown) };
                self.on_other_error(link, error);
            }
        }
    }

    /// The connection goes on.
    fn on_permissions_error(self: &Arc<Self>, link: &Arc<Link>, error: Error) {
        let mut state = self.state.lock();
        if state.is_current(link) {
            state.last_error.note(&error);
            state.report(None, error);
        }
    }

    /// The server is about to close. The same error twice in a row from one server ends the connection.
    fn on_auth_error(self: &Arc<Self>, link: &Arc<Link>, kind: AuthError, error: Error) {
        link.note_reason(Reason::Auth);
        let mut state = self.state.lock();
        if !state.is_current(link) {
            return;
        }
        state.last_error.note(&error);
        let again =
            state.servers.pool.current_mut().is_some_and(|s| auth::note(&mut s.last_auth_error, kind));
        state.report(None, error.clone());
        drop(state);
        if again && !self.options.auth.ignore_error_abort {
            self.close_link(link, Loss::new(Reason::Auth, error));
        }
    }

    fn on_other_error(self: &Arc<Self>, link: &Arc<Link>, error: Error) {
        let loss = Loss::new(Reason::ServerErr, error);
        if self.options.reconnect.on_protocol_error {
            self.connection_lost(link, loss);
        } else {
            self.close_link(link, loss);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::connection::testing::{Server, connected_with};

    /// A connection, and what the given bytes make of it.
    fn told(bytes: &[u8], reconnect_on_protocol_error: bool) -> Arc<Connection> {
        let server = Server::start(false);
        let connection = connected_with(&server, |options| {
            options.reconnect.allow = false;
            options.reconnect.on_protocol_error = reconnect_on_protocol_error;
        });
        connection.begin_receiving(&connection.link_now(), bytes);
        connection
    }

    fn last(connection: &Connection) -> (Status, String) {
        let (status, text) = connection.last_error().expect("an error");
        (status, String::from_utf8(text).unwrap())
    }

    #[test]
    fn a_permissions_error_is_told_and_nothing_else() {
        let connection = told(b"-ERR 'Permissions Violation for Publish to \"x\"'\r\n", false);
        assert!(!connection.is_closed());
        assert_eq!(last(&connection).0, Status::NotPermitted);
        connection.abandon();
    }

    #[test]
    fn a_stale_connection_and_any_other_error_end_it() {
        for (text, status) in
            [("Stale Connection", Status::StaleConnection), ("Any Error", Status::Err), ("", Status::Err)]
        {
            let connection = told(format!("-ERR '{text}'\r\n").as_bytes(), false);
            assert!(connection.is_closed(), "{text}");
            assert_eq!(last(&connection).0, status, "{text}");
        }
    }

    #[test]
    fn the_second_authentication_error_in_a_row_ends_it() {
        let connection = told(b"-ERR 'Authorization Violation'\r\n", false);
        assert!(!connection.is_closed());
        assert_eq!(last(&connection).0, Status::ConnectionAuthFailed);
        connection.begin_receiving(&connection.link_now(), b"-ERR 'Authorization Violation'\r\n");
        assert!(connection.is_closed());
    }

    #[test]
    fn what_came_over_an_earlier_link_changes_nothing() {
        let connection = told(b"", false);
        let link = connection.link_now();
        connection.close();
        connection.attend(&link, &mut vec![Event::Ping, Event::Pong, Event::Info(b"{}".to_vec())]);
        connection.attend(&link, &mut vec![Event::ServerError(b"Stale Connection".to_vec())]);
        assert_eq!(connection.pulse().err().map(|e| e.status()), Some(Status::ConnectionClosed));
        assert!(connection.last_error().is_none(), "it was closed by the program");
    }

    #[test]
    fn a_ping_is_answered() {
        let server = Server::start(false);
        let connection = connected_with(&server, |_| {});
        connection.begin_receiving(&connection.link_now(), b"PING\r\n");
        server.lines_until("PONG");
        connection.abandon();
    }
}
