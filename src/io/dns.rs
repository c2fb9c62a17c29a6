//! Names to addresses, on the calling thread.

use std::net::{SocketAddr, ToSocketAddrs};

use crate::error::{Result, Status, fail, shown};

/// No resolver takes a longer name (`NI_MAXHOST`).
const MAX_NAME: usize = 1024;

/// Which address families to use, and in what order (`natsOptions_IPResolutionOrder`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Families {
    /// As the system returns them.
    Any,
    Only4,
    Only6,
    First4,
    First6,
}

impl Families {
    /// From the option's value: 0, 4, 6, 46 or 64.
    pub(crate) fn from_option(order: i32) -> Families {
        match order {
            4 => Families::Only4,
            6 => Families::Only6,
            46 => Families::First4,
            64 => Families::First6,
            _ => Families::Any,
        }
    }
}

/// The addresses of `host`; `shuffle` is applied to the whole list before the families are ordered.
pub(crate) fn resolve(
    host: &[u8],
    port: u32,
    families: Families,
    shuffle: impl FnOnce(&mut [SocketAddr]),
) -> Result<Vec<SocketAddr>> {
    let Ok(port) = u16::try_from(port) else {
        return fail(Status::NoServer, format!("port {port} is out of range"));
    };
    if host.len() > MAX_NAME {
        return fail(Status::NoServer, format!("cannot resolve '{}': the name is too long", shown(host)));
    }
    let Ok(host) = std::str::from_utf8(host) else {
        return fail(Status::NoServer, "the host name is not valid text");
    };
    let found = match (host, port).to_socket_addrs() {
        Ok(found) => found,
        Err(e) => return fail(Status::NoServer, format!("cannot resolve '{host}': {e}")),
    };
    let mut addresses: Vec<SocketAddr> = found
        .filter(|a| match families {
            Families::Only4 => a.is_ipv4(),
            Families::Only6 => a.is_ipv6(),
            _ => true,
        })
        .collect();
    shuffle(&mut addresses);
    match families {
        Families::First4 => addresses.sort_by_key(SocketAddr::is_ipv6),
        Families::First6 => addresses.sort_by_key(SocketAddr::is_ipv4),
        _ => {}
    }
    if addresses.is_empty() {
        return fail(Status::NoServer, format!("'{host}' has no address of the wanted kind"));
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_and_failures() {
        let v4 = resolve(b"127.0.0.1", 4222, Families::Any, |_| ()).unwrap();
        assert_eq!(v4, ["127.0.0.1:4222".parse().unwrap()]);
        assert_eq!(resolve(b"::1", 1, Families::First4, |_| ()).unwrap().len(), 1);
        let status =
            |host: &[u8], port, families| resolve(host, port, families, |_| ()).unwrap_err().status();
        assert_eq!(status(b"127.0.0.1", 4222, Families::Only6), Status::NoServer);
        assert_eq!(status(b"127.0.0.1", 65536, Families::Any), Status::NoServer);
        assert_eq!(status(b"no host here", 1, Families::Any), Status::NoServer);
        assert_eq!(status(b"\xff\xfe", 1, Families::Any), Status::NoServer);
    }
}
