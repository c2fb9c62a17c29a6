//! Which servers there are to connect to, in which way.

use std::os::fd::RawFd;
use std::sync::Arc;

use crate::client::options::numbers::not_negative;
use crate::error::{Result, Status};
use crate::proto::blank::trim;
use crate::proto::memory::{self, Text};

/// Makes the connected socket for a host and a port, instead of the library. The socket is then the
/// library's.
pub(crate) type ProxyHandler = Arc<dyn Fn(&[u8], i32) -> Result<RawFd> + Send + Sync>;

#[derive(Clone)]
pub struct ServerOptions {
    /// Tried first. Trimmed, not parsed.
    pub url: Option<Text>,
    /// Trimmed, not parsed.
    pub list: Arc<Vec<Text>>,
    /// Keeps the order of servers and of resolved addresses.
    pub no_randomize: bool,
    pub ignore_discovered: bool,
    /// Bounds each connect attempt; 0 has expired from the start.
    pub timeout_ms: i64,
    /// 0 (any), 4, 6, 46 or 64.
    pub ip_resolution_order: i32,
    pub proxy_handler: Option<ProxyHandler>,
}

impl Default for ServerOptions {
    fn default() -> ServerOptions {
        ServerOptions {
            url: None,
            list: Arc::default(),
            no_randomize: false,
            ignore_discovered: false,
            timeout_ms: 2000,
            ip_resolution_order: 0,
            proxy_handler: None,
        }
    }
}

impl ServerOptions {
    pub fn set_timeout(&mut self, ms: i64) -> Result<()> {
        self.timeout_ms = not_negative(ms)?;
        Ok(())
    }

    /// 0 (any), 4, 6, 46 (IPv4 first) or 64 (IPv6 first).
    pub fn set_ip_resolution_order(&mut self, order: i32) -> Result<()> {
        if !matches!(order, 0 | 4 | 6 | 46 | 64) {
            return Err(Status::InvalidArg.into());
        }
        self.ip_resolution_order = order;
        Ok(())
    }
}

/// URLs as the options keep them.
pub(super) fn trimmed<'a>(urls: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Text>> {
    let mut copies = Vec::new();
    for url in urls {
        memory::push(&mut copies, Text::copy(trim(url))?)?;
    }
    Ok(copies)
}

/// Whether a URL asks for TLS.
pub(super) fn is_tls(url: &Text) -> bool {
    url.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"tls://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_values_are_refused_and_keep_the_old_one() {
        let mut o = ServerOptions::default();
        o.set_timeout(0).unwrap();
        assert_eq!(o.set_timeout(-1).unwrap_err().status(), Status::InvalidArg);
        assert_eq!(o.timeout_ms, 0);
        for order in [0, 4, 6, 46, 64] {
            o.set_ip_resolution_order(order).unwrap();
        }
        assert_eq!(o.set_ip_resolution_order(5).unwrap_err().status(), Status::InvalidArg);
        assert_eq!(o.ip_resolution_order, 64);
    }

    #[test]
    fn only_the_scheme_asks_for_tls() {
        let urls = [&b" TlS://x\n"[..], b"tls:/x", b"nats://tls://", b""];
        let urls = trimmed(urls).unwrap();
        assert_eq!(*urls[0], b"TlS://x"[..]);
        assert_eq!(urls.iter().map(is_tls).collect::<Vec<_>>(), [true, false, false, false]);
    }
}
