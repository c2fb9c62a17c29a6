//! Options of a connection: plain data that every connect copies; texts and TLS settings are shared by the
//! copies.

pub(crate) mod auth;
pub(crate) mod behaviour;
pub(crate) mod buffers;
pub(crate) mod handlers;
pub(crate) mod liveness;
mod numbers;
pub(crate) mod reconnect;
pub(crate) mod servers;
pub(crate) mod tls;

use std::sync::Arc;

use crate::client::library::defaults::Defaults;
use crate::client::options::auth::AuthOptions;
use crate::client::options::behaviour::BehaviourOptions;
use crate::client::options::buffers::BufferOptions;
use crate::client::options::handlers::{ConnectionHandler, Handlers};
use crate::client::options::liveness::LivenessOptions;
pub(crate) use crate::client::options::numbers::not_negative;
use crate::client::options::reconnect::ReconnectOptions;
use crate::client::options::servers::{ServerOptions, is_tls, trimmed};
use crate::client::options::tls::TlsOptions;
use crate::error::Result;
use crate::io::fork;
use crate::sync::Mutex;

/// Everything a connection can be told before it connects, in the parts that the C functions are sorted by.
/// Times are what the program set.
#[derive(Clone)]
pub struct Options {
    pub servers: ServerOptions,
    pub auth: AuthOptions,
    pub tls: TlsOptions,
    pub liveness: LivenessOptions,
    pub reconnect: ReconnectOptions,
    pub buffers: BufferOptions,
    pub behaviour: BehaviourOptions,
    pub handlers: Handlers,
}

impl Options {
    pub fn new(defaults: &Defaults) -> Options {
        Options {
            servers: ServerOptions::default(),
            auth: AuthOptions::default(),
            tls: TlsOptions::default(),
            liveness: LivenessOptions::new(&defaults.liveness),
            reconnect: ReconnectOptions::default(),
            buffers: BufferOptions::new(defaults.write_deadline_ms),
            behaviour: BehaviourOptions {
                global_delivery: defaults.global_delivery,
                ..BehaviourOptions::default()
            },
            handlers: Handlers::default(),
        }
    }

    /// Sets the URL tried first; a `tls://` URL asks for TLS.
    pub fn set_url(&mut self, url: Option<&[u8]>) -> Result<()> {
        let url = trimmed(url)?.pop();
        if url.as_ref().is_some_and(is_tls) {
            self.tls.want()?;
        }
        self.servers.url = url;
        Ok(())
    }

    /// Replaces the list of servers; one `tls://` URL asks for TLS to all of them. The list is empty on
    /// failure.
    pub fn set_servers<'a>(&mut self, servers: impl IntoIterator<Item = &'a [u8]>) -> Result<()> {
        self.servers.list = Arc::default();
        let urls = trimmed(servers)?;
        if urls.iter().any(is_tls) {
            self.tls.want()?;
        }
        self.servers.list = Arc::new(urls);
        Ok(())
    }

    /// Without another try there is no connected handler either.
    pub fn set_retry_on_failed_connect(&mut self, retry: bool, connected: Option<ConnectionHandler>) {
        self.reconnect.on_failed_connect = retry;
        self.handlers.connected = connected.filter(|_| retry);
    }
}

/// Options that several threads may set.
pub(crate) struct SharedOptions(Mutex<Options>);

impl SharedOptions {
    pub(crate) fn new(options: Options) -> SharedOptions {
        SharedOptions(Mutex::new(options))
    }

    /// Works with the options. A child gets them whole and unlocked, whatever other threads of its parent did
    /// with them.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Options) -> T) -> T {
        fork::undisturbed(|| work(&mut self.0.lock()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Options {
        Options::new(&Defaults::default())
    }

    #[test]
    fn library_defaults_are_taken() {
        let defaults = Defaults { write_deadline_ms: 7, global_delivery: true, ..Defaults::default() };
        let of = |o: Options| (o.buffers.write_deadline_ms, o.behaviour.global_delivery);
        assert_eq!(of(Options::new(&defaults)), (7, true));
        assert_eq!(of(options()), (0, false));
    }

    #[cfg(feature = "tls")]
    #[test]
    fn urls_are_trimmed_and_may_ask_for_tls() {
        let mut o = options();
        o.set_url(Some(b" \x0b host:1\t\n")).unwrap();
        assert_eq!(o.servers.url.as_deref(), Some(&b"host:1"[..]));
        assert!(!o.tls.required);
        o.set_url(Some(b"  TlS://x")).unwrap();
        assert!(o.tls.required);
        o.set_url(Some(b"nats://x")).unwrap();
        assert!(o.tls.required, "a plain URL does not take TLS back");
        o.set_url(None).unwrap();
        assert_eq!(o.servers.url, None);
        o.set_url(Some(b" \t ")).unwrap();
        assert_eq!(o.servers.url.as_deref(), Some(&b""[..]));
    }

    #[cfg(feature = "tls")]
    #[test]
    fn one_tls_server_is_enough_unless_tls_was_decided() {
        let mut o = options();
        o.set_servers([&b"a"[..], b" tls://b "]).unwrap();
        assert_eq!(o.servers.list.iter().map(|url| &**url).collect::<Vec<_>>(), [&b"a"[..], b"tls://b"]);
        assert!(o.tls.required);

        let mut o = options();
        o.tls.explicit = true;
        o.set_servers([&b"tls://b"[..]]).unwrap();
        o.set_url(Some(b"tls://c")).unwrap();
        assert!(!o.tls.required);
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn without_tls_a_url_cannot_ask_for_it() {
        let mut o = options();
        o.set_url(Some(b" TLS://x")).unwrap_err();
        o.set_servers([&b"a"[..], b"tls://x"]).unwrap_err();
        assert!(!o.tls.required && o.servers.url.is_none() && o.servers.list.is_empty());
        o.set_url(Some(b"nats://x")).unwrap();
    }

    #[test]
    fn the_connected_handler_needs_retry() {
        let mut o = options();
        let handler = || -> Option<ConnectionHandler> { Some(Arc::new(|_| ())) };
        o.set_retry_on_failed_connect(true, handler());
        assert!(o.reconnect.on_failed_connect && o.handlers.connected.is_some());
        o.set_retry_on_failed_connect(false, handler());
        assert!(!o.reconnect.on_failed_connect && o.handlers.connected.is_none());
    }
}
