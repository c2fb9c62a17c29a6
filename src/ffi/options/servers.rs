//! Which servers a connection goes to, how it gets there.

use std::ffi::{c_char, c_int, c_void};

use crate::error::{Status, fail};
use crate::ffi::options::callbacks;
use crate::ffi::support::*;
use crate::ffi::types::*;

/// Sets the URL of the server to connect to: `[scheme://][user[:password]@|token@]host[:port]`, port 4222 by
/// default. With natsOptions_SetServers() too, this one is tried first.
///
/// The URL is not parsed here: a bad one fails when connecting. `tls://` turns TLS on, as
/// natsOptions_SetSecure() does, unless that was called before. A later URL does not turn it off.
///
/// @param opts the options.
/// @param url copied, white space at both ends removed. NULL removes the URL.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL; #NATS_ILLEGAL_STATE for `tls://` in a build without
/// TLS.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetURL(opts: *mut natsOptions, url: *const c_char) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsOptions_SetURL", opts, |opts| opts.set_url(bytes(url))) }
}

/// Sets the URLs of several servers; see natsOptions_SetURL() for their form and the meaning of `tls://`,
/// which concerns all servers. They are tried in random order unless natsOptions_SetNoRandomize() is on.
///
/// @param opts the options.
/// @param servers URLs, copied. NULL, with a count of 0, removes the list.
/// @param serversCount the number of URLs.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL, or if there is an array without a count above 0, a
/// count without an array, or a URL that is NULL; in the last case the list is empty afterwards.
/// #NATS_ILLEGAL_STATE for `tls://` in a build without TLS.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetServers(
    opts: *mut natsOptions,
    servers: *mut *const c_char,
    serversCount: c_int,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetServers", opts, |opts| {
            if servers.is_null() != (serversCount == 0) || serversCount < 0 {
                return Err(Status::InvalidArg.into());
            }
            let urls = match serversCount as usize {
                0 => &[],
                count => std::slice::from_raw_parts(servers.cast_const(), count),
            };
            if urls.iter().any(|url| url.is_null()) {
                opts.set_servers([])?;
                return fail(Status::InvalidArg, "a server URL is NULL");
            }
            opts.set_servers(urls.iter().filter_map(|url| bytes(*url)))
        })
    }
}

/// Keeps servers in the order given, and the addresses of a host in the order resolved. Default: false, both
/// are shuffled.
///
/// @param opts the options.
/// @param noRandomize true to keep the order.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetNoRandomize(opts: *mut natsOptions, noRandomize: bool) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsOptions_SetNoRandomize", opts, |opts| opts.servers.no_randomize = noRandomize) }
}

/// Bounds the time for connecting to one server, from resolving its name to its first answer. Default: 2000.
///
/// @param opts the options.
/// @param timeout in milliseconds. 0 has expired at once: connecting fails with #NATS_TIMEOUT.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `timeout` negative.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetTimeout(opts: *mut natsOptions, timeout: i64) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsOptions_SetTimeout", opts, |opts| opts.servers.set_timeout(timeout)) }
}

/// Sets which addresses of a host are tried, and in which order. Default: 0.
///
/// @param opts the options.
/// @param order 4 for IPv4 only, 6 for IPv6 only, 46 for IPv4 first, 64 for IPv6 first, 0 for no preference.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `order` another number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_IPResolutionOrder(opts: *mut natsOptions, order: c_int) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsOptions_IPResolutionOrder", opts, |opts| opts.servers.set_ip_resolution_order(order)) }
}

/// Uses the given servers only, not those the server tells about. Default: false.
///
/// @param opts the options.
/// @param ignore true to ignore them.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetIgnoreDiscoveredServers(
    opts: *mut natsOptions,
    ignore: bool,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetIgnoreDiscoveredServers", opts, |opts| opts.servers.ignore_discovered = ignore)
    }
}

/// Sets a function that makes the TCP connection to a server, through a proxy for example, instead of the
/// library.
///
/// It gets the host without brackets, and the port; it stores the connected socket and returns #NATS_OK. The
/// socket is then the library's, also the one stored before returning something else. Any other status counts
/// as a server that cannot be reached.
///
/// @param opts the options.
/// @param proxyConnHandler the handler. NULL removes it.
/// @param closure passed to the handler.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetProxyConnHandler(
    opts: *mut natsOptions,
    proxyConnHandler: natsProxyConnHandler,
    closure: *mut c_void,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetProxyConnHandler", opts, |opts| {
            opts.servers.proxy_handler = callbacks::proxy(proxyConnHandler, closure)
        })
    }
}
