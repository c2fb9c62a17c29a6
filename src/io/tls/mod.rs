//! TLS by OpenSSL, over memory: the bytes are moved to and from the socket by the caller's thread, and no
//! lock is held meanwhile. Without the feature `tls` the same types exist, but no value of them.

#[cfg(not(feature = "tls"))]
mod absent;
#[cfg(feature = "tls")]
mod errors;
#[cfg(feature = "tls")]
mod pem;
#[cfg(feature = "tls")]
mod session;
#[cfg(feature = "tls")]
mod settings;

use std::ffi::{c_int, c_void};

#[cfg(not(feature = "tls"))]
pub use absent::{Session, Settings, handshake, release_thread_memory};
#[cfg(feature = "tls")]
pub(crate) use session::{Session, handshake, release_thread_memory};
#[cfg(feature = "tls")]
pub use settings::Settings;

/// The program's own verdict on a certificate: gets OpenSSL's verdict and its `X509_STORE_CTX *`, returns 1
/// to accept and 0 to refuse.
pub(crate) type VerifyCallback = unsafe extern "C" fn(preverify_ok: c_int, context: *mut c_void) -> c_int;

/// Whom a handshake is with.
#[derive(Clone, Copy)]
pub(crate) struct Peer<'a> {
    /// The host of the URL, without the brackets of an IPv6 address: sent as server name.
    pub host: &'a [u8],
    /// The name or address that the certificate has to have, unless the settings say another.
    pub name: &'a [u8],
}
