//! Options about TLS.
//!
//! In a build without TLS all of them fail, whatever they are given. Otherwise arguments are checked before
//! the options are looked at; options in use by a connection come after that.

use std::ffi::c_char;

use crate::client::options::Options;
use crate::client::options::tls::TlsSettings;
use crate::error::{Result, Status, fail};
use crate::ffi::support::*;
use crate::ffi::types::*;

/// Turns TLS on or off for connections made with these options.
///
/// On: a server that offers no TLS is refused with #NATS_SECURE_CONNECTION_WANTED. Off: every TLS setting
/// made so far is dropped, certificates included; still, a connection to a server that insists on TLS uses
/// it. After either, `tls://` in a URL means nothing any more. Without a call, TLS is on when a URL says
/// `tls://`.
///
/// The server's certificate is verified: it must come from an authority that the system or these options
/// trust, and be for the host of the URL or the one set with natsOptions_SetExpectedHostname(). TLS 1.2 is
/// the oldest version used.
///
/// The TLS settings of options are shared with the connections made from them: while one of those exists,
/// functions that change them give #NATS_ILLEGAL_STATE. This one does not.
///
/// @param opts the options.
/// @param secure true for on. Default: off.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL; #NATS_ILLEGAL_STATE in a build without TLS, as with
/// all functions about TLS.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetSecure(opts: *mut natsOptions, secure: bool) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetSecure", Tls(opts), |opts| opts.options(|opts| opts.tls.set_required(secure)))
    }
}

/// Begins TLS with the first byte, before the server has said anything, and turns TLS on. For servers that
/// are configured to expect that; it cannot be taken back.
///
/// @param opts the options.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL; #NATS_ILLEGAL_STATE if a connection made from them
/// exists.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_TLSHandshakeFirst(opts: *mut natsOptions) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_TLSHandshakeFirst", Tls(opts), |opts| opts.options(|opts| opts.tls.set_first()))
    }
}

/// Lets a verification callback run for several connections at the same time. Without this call, the callback
/// of connections made from the same options runs for one after the other. Handshakes without a callback
/// never wait for each other.
///
/// @param opts the options.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL; #NATS_ILLEGAL_STATE if a connection made from them
/// exists.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_AllowConcurrentTLSHandshakes(opts: *mut natsOptions) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_AllowConcurrentTLSHandshakes", Tls(opts), |opts| {
            opts.set(|tls| tls.allow_concurrent_handshakes())
        })
    }
}

/// Trusts the authorities whose certificates (PEM) are in a file, in addition to those trusted already.
///
/// @param opts the options.
/// @param fileName the file; read now.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `fileName` NULL or empty; #NATS_SSL_ERROR if the
/// file cannot be used; #NATS_ILLEGAL_STATE if a connection made from the options exists.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_LoadCATrustedCertificates(
    opts: *mut natsOptions,
    fileName: *const c_char,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_LoadCATrustedCertificates", Tls(opts), |opts| {
            let file = given(fileName)?;
            opts.change(|tls| tls.add_trusted_file(file))
        })
    }
}

/// Trusts the authorities whose certificates (PEM) are in a directory, in addition to those trusted already.
/// The files have names as made by `openssl rehash`.
///
/// @param opts the options.
/// @param path the directory; looked into during handshakes, so that it need not exist yet.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `path` NULL or empty; #NATS_ILLEGAL_STATE if a
/// connection made from the options exists.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_LoadCATrustedCertificatesPath(
    opts: *mut natsOptions,
    path: *const c_char,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_LoadCATrustedCertificatesPath", Tls(opts), |opts| {
            let path = given(path)?;
            opts.change(|tls| tls.add_trusted_directory(path))
        })
    }
}

/// Trusts the authorities whose certificates are in a text, in addition to those trusted already. The text
/// may also have revocation lists; from then on a certificate is refused unless a list of its authority says
/// nothing about it.
///
/// @param opts the options.
/// @param certificates one or more objects in PEM format.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `certificates` NULL or empty; #NATS_SSL_ERROR if
/// there is nothing in PEM format in it, or a damaged certificate; #NATS_ILLEGAL_STATE if a connection made
/// from the options exists.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetCATrustedCertificates(
    opts: *mut natsOptions,
    certificates: *const c_char,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetCATrustedCertificates", Tls(opts), |opts| {
            let Some(certificates) = non_empty(certificates) else {
                return fail(Status::InvalidArg, "CA certificates can't be NULL nor empty");
            };
            opts.change(|tls| tls.add_trusted(certificates))
        })
    }
}

/// Sets the certificate chain and the private key (PEM) that identify this client to servers that ask for it.
///
/// @param opts the options.
/// @param certsFileName file with the client's certificate first, then those of the authorities between; read
/// now.
/// @param keyFileName file with the key of that certificate; read now.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or a name NULL or empty; #NATS_SSL_ERROR if a file
/// cannot be used or the key is another's; #NATS_ILLEGAL_STATE if a connection made from the options exists.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_LoadCertificatesChain(
    opts: *mut natsOptions,
    certsFileName: *const c_char,
    keyFileName: *const c_char,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_LoadCertificatesChain", Tls(opts), |opts| {
            let (certs, key) = both(certsFileName, keyFileName, NO_FILES)?;
            opts.change(|tls| tls.load_certificate(certs, key))
        })
    }
}

/// As natsOptions_LoadCertificatesChain(), but the files are read at each connect and reconnect, so that they
/// can be renewed while the program runs.
///
/// @param opts the options.
/// @param certsFileName file with the certificate chain; not looked at now.
/// @param keyFileName file with the key; not looked at now.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or a name NULL or empty; #NATS_ILLEGAL_STATE if a
/// connection made from the options exists. A file that cannot be used makes the connect fail with
/// #NATS_SSL_ERROR.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_LoadCertificatesChainDynamic(
    opts: *mut natsOptions,
    certsFileName: *const c_char,
    keyFileName: *const c_char,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_LoadCertificatesChainDynamic", Tls(opts), |opts| {
            let (certs, key) = both(certsFileName, keyFileName, NO_FILES)?;
            opts.change(|tls| tls.set_dynamic_certificate(certs, key))
        })
    }
}

/// As natsOptions_LoadCertificatesChain(), from texts in PEM format.
///
/// @param opts the options.
/// @param cert the client's certificate; only the first one of the text is used.
/// @param key its key.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or a text NULL or empty; #NATS_SSL_ERROR if a text
/// cannot be used or the key is another's; #NATS_ILLEGAL_STATE if a connection made from the options exists.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetCertificatesChain(
    opts: *mut natsOptions,
    cert: *const c_char,
    key: *const c_char,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetCertificatesChain", Tls(opts), |opts| {
            let (cert, key) = both(cert, key, "certificate and key can't be NULL nor empty")?;
            opts.change(|tls| tls.set_certificate(cert, key))
        })
    }
}

/// Sets the ciphers that may be used with TLS 1.2.
///
/// @param opts the options.
/// @param ciphers a list in OpenSSL's language, such as `ECDHE+AESGCM:!aNULL`.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `ciphers` NULL or empty; #NATS_SSL_ERROR if
/// nothing is left by the list; #NATS_ILLEGAL_STATE if a connection made from the options exists.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetCiphers(
    opts: *mut natsOptions,
    ciphers: *const c_char,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetCiphers", Tls(opts), |opts| {
            let ciphers = given(ciphers)?;
            opts.change(|tls| tls.set_ciphers(ciphers))
        })
    }
}

/// Sets the cipher suites that may be used with TLS 1.3.
///
/// @param opts the options.
/// @param ciphers names such as `TLS_AES_256_GCM_SHA384`, separated by colons; empty for none.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` or `ciphers` is NULL; #NATS_SSL_ERROR for an unknown name;
/// #NATS_ILLEGAL_STATE if a connection made from the options exists.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetCipherSuites(
    opts: *mut natsOptions,
    ciphers: *const c_char,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetCipherSuites", Tls(opts), |opts| {
            let suites = bytes(ciphers).ok_or(Status::InvalidArg)?;
            opts.change(|tls| tls.set_cipher_suites(suites))
        })
    }
}

/// Sets the name that the server's certificate must be for, in place of the host of the URL.
///
/// @param opts the options.
/// @param hostname a name, or an address; copied. NULL for the host of the URL.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL; #NATS_ILLEGAL_STATE if a connection made from them
/// exists.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetExpectedHostname(
    opts: *mut natsOptions,
    hostname: *const c_char,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetExpectedHostname", Tls(opts), |opts| {
            opts.change(|tls| tls.set_expected_host(bytes(hostname)))
        })
    }
}

/// Accepts any certificate of a server, without knowing who it is. Not for production.
///
/// @param opts the options.
/// @param skip true to verify nothing, which also removes a callback set with
/// natsOptions_SetSSLVerificationCallback(). Default: false.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL; #NATS_ILLEGAL_STATE if a connection made from them
/// exists.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SkipServerVerification(
    opts: *mut natsOptions,
    skip: bool,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SkipServerVerification", Tls(opts), |opts| {
            opts.set(|tls| tls.set_skip_verification(skip))
        })
    }
}

/// Lets the program decide on the server's certificates. OpenSSL calls it for each certificate of the chain,
/// and for each thing it finds wrong, on the thread that connects. See also
/// natsOptions_AllowConcurrentTLSHandshakes().
///
/// @param opts the options.
/// @param callback gets OpenSSL's verdict and its `X509_STORE_CTX *`, returns 1 to accept or 0 to refuse;
/// turns verification on again if it was skipped. NULL removes it.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL; #NATS_ILLEGAL_STATE if a connection made from them
/// exists.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetSSLVerificationCallback(
    opts: *mut natsOptions,
    callback: natsSSLVerifyCb,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetSSLVerificationCallback", Tls(opts), |opts| {
            opts.set(|tls| tls.set_verify_callback(callback))
        })
    }
}

/// Options whose TLS settings a function changes. In a build without TLS that fails. The options are looked
/// at once the function has looked at its arguments.
#[derive(Clone, Copy)]
struct Tls(*mut natsOptions);

impl Target for Tls {
    type Given<'a> = Tls;

    const MODE: Mode = Mode::Held;

    unsafe fn with<R>(self, body: impl FnOnce(Tls) -> R) -> Result<R> {
        TlsSettings::available()?;
        Ok(body(self))
    }
}

impl Tls {
    /// # Safety
    /// The C contract.
    unsafe fn options(self, change: impl FnOnce(&mut Options) -> Result<()>) -> Result<()> {
        // SAFETY: as promised by the caller.
        unsafe { natsOptions::borrow(self.0) }?.with(change)
    }

    /// # Safety
    /// The C contract.
    unsafe fn change(self, change: impl FnOnce(&mut TlsSettings) -> Result<()>) -> Result<()> {
        // SAFETY: as promised by the caller.
        unsafe { self.options(|opts| opts.tls.change(change)) }
    }

    /// Changes what cannot fail.
    ///
    /// # Safety
    /// The C contract.
    unsafe fn set(self, set: impl FnOnce(&mut TlsSettings)) -> Result<()> {
        let change = |tls: &mut TlsSettings| {
            set(tls);
            Ok(())
        };
        // SAFETY: as promised by the caller.
        unsafe { self.change(change) }
    }
}

const NO_FILES: &str = "certificate and key file names can't be NULL nor empty";

/// Two strings that must be there.
///
/// # Safety
/// Both are NULL or C strings that live for `'a`.
unsafe fn both<'a>(
    first: *const c_char,
    second: *const c_char,
    refusal: &'static str,
) -> Result<(&'a [u8], &'a [u8])> {
    // SAFETY: as promised by the caller.
    match unsafe { (non_empty(first), non_empty(second)) } {
        (Some(first), Some(second)) => Ok((first, second)),
        _ => fail(Status::InvalidArg, refusal),
    }
}
