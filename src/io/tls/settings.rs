//! What the program wants of TLS: an OpenSSL context that the setters change, and what is applied per
//! connection.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::net::IpAddr;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use crate::proto::memory;
use crate::sync::{Mutex, ReentrantMutex};
use foreign_types::{ForeignType, ForeignTypeRef};
use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{
    Ssl, SslContext, SslContextBuilder, SslMethod, SslMode, SslOptions, SslRef, SslVerifyMode, SslVersion,
};
use openssl::x509::store::X509Lookup;
use openssl::x509::verify::{X509CheckFlags, X509VerifyFlags};
use openssl::x509::{X509, X509NameRef, X509StoreContext, X509StoreContextRef};
use openssl_sys as ffi;

use crate::error::{Error, Result, Status, shown};
use crate::io::fork::{self, EndsUndisturbed, PerProcess};
use crate::io::tls::errors::{checked, tried};
use crate::io::tls::pem::PemObjects;
use crate::io::tls::{Peer, VerifyCallback};
use crate::thread_end;

/// X509_V_ERR_HOSTNAME_MISMATCH
const HOSTNAME_MISMATCH: c_int = 62;

// Parts of libcrypto that the bindings leave out.
unsafe extern "C" {
    fn X509_STORE_add_crl(store: *mut ffi::X509_STORE, crl: *mut ffi::X509_CRL) -> c_int;
    fn X509_NAME_oneline(name: *const ffi::X509_NAME, buf: *mut c_char, size: c_int) -> *mut c_char;
}

/// Changed only while nobody else uses them: see `Options::change_tls`.
pub struct Settings {
    context: EndsUndisturbed<SslContext>,
    /// Files read at each handshake: certificate chain and key.
    dynamic: Option<(Vec<u8>, Vec<u8>)>,
    expected_host: Option<Vec<u8>>,
    skip_verification: bool,
    callback: Option<VerifyCallback>,
    concurrent: bool,
    /// The program's callback runs for one handshake at a time. A callback may connect with the same options.
    /// A child does not wait for handshakes of its parent.
    turn: PerProcess<ReentrantMutex<()>>,
}

/// Why a certificate was refused.
pub(super) type Refusal = Arc<Mutex<Option<String>>>;

impl Settings {
    /// Fails in a build without TLS.
    pub fn available() -> Result<()> {
        Ok(())
    }

    /// Trusts what the system trusts; TLS 1.2 or newer.
    pub fn new() -> Result<Settings> {
        let made = || -> std::result::Result<SslContext, ErrorStack> {
            let mut builder = SslContext::builder(SslMethod::tls_client())?;
            builder.set_min_proto_version(Some(SslVersion::TLS1_2))?;
            builder.set_options(SslOptions::NO_RENEGOTIATION);
            builder.set_mode(SslMode::RELEASE_BUFFERS);
            builder.set_default_verify_paths()?;
            Ok(builder.build())
        };
        Ok(Settings {
            // The first one makes OpenSSL ready; a child would wait for the end of that.
            context: fork::undisturbed(|| tried(made))
                .map(EndsUndisturbed::new)
                .map_err(|e| ssl_error("Error creating the TLS context", &e))?,
            dynamic: None,
            expected_host: None,
            skip_verification: false,
            callback: None,
            concurrent: false,
            turn: PerProcess::made_by(|| ReentrantMutex::new(())),
        })
    }

    /// Trusts the certificates in a file, too.
    pub fn add_trusted_file(&mut self, file: &[u8]) -> Result<()> {
        let context = self.context.as_ptr();
        // SAFETY: the context is alive and used by no connection, the name is a C string.
        with_name(file, |file| unsafe { ffi::SSL_CTX_load_verify_locations(context, file, ptr::null()) })
            .map_err(|e| ssl_error(&format!("Error loading trusted certificates '{}'", shown(file)), &e))
    }

    /// Trusts the certificates in a directory (named by hash), too; looked into when needed.
    pub fn add_trusted_directory(&mut self, directory: &[u8]) -> Result<()> {
        let lookup = self
            .change(|builder| Ok(builder.cert_store_mut().add_lookup(X509Lookup::hash_dir())?.as_ptr()))
            .map_err(|e| directory_error(directory, &e))?;
        // SAFETY: the lookup belongs to the context, which is alive; the name is a C string.
        with_name(directory, |name| unsafe { ffi::X509_LOOKUP_add_dir(lookup, name, ffi::X509_FILETYPE_PEM) })
            .map_err(|e| directory_error(directory, &e))
    }

    /// Trusts certificates given as PEM, too. Revocation lists among them are heeded from then on.
    pub fn add_trusted(&mut self, pem: &[u8]) -> Result<()> {
        self.add_objects(pem).map_err(|e| ssl_error("unable to get CA certificates", &e))
    }

    /// A text that is damaged somewhere is refused: what is missing may be a revocation list.
    fn add_objects(&mut self, pem: &[u8]) -> std::result::Result<(), String> {
        let objects = PemObjects::parse(pem)?;
        let store = self.change(|builder| Ok(builder.cert_store_mut().as_ptr()))?;
        for (certificate, list) in objects.iter() {
            if !certificate.is_null() {
                // SAFETY: the certificate and the context's store are alive; the store takes a reference of
                // its own.
                checked(|| unsafe { ffi::X509_STORE_add_cert(store, certificate) })?;
            }
            if !list.is_null() {
                // SAFETY: as above.
                checked(|| unsafe { X509_STORE_add_crl(store, list) })?;
                self.change(|builder| builder.cert_store_mut().set_flags(X509VerifyFlags::CRL_CHECK))?;
            }
        }
        Ok(())
    }

    /// The client's certificate chain and key, from files that are read now.
    pub fn load_certificate(&mut self, certificate: &[u8], key: &[u8]) -> Result<()> {
        let context = self.context.as_ptr();
        // SAFETY: the context is alive and used by no connection, the name is a C string.
        with_name(certificate, |file| unsafe { ffi::SSL_CTX_use_certificate_chain_file(context, file) })
            .map_err(|e| chain_error(certificate, &e))?;
        // SAFETY: as above.
        with_name(key, |file| unsafe {
            ffi::SSL_CTX_use_PrivateKey_file(context, file, ffi::SSL_FILETYPE_PEM)
        })
        .map_err(|e| key_error(key, &e))
    }

    /// The same, but the files are read at each handshake.
    pub fn set_dynamic_certificate(&mut self, certificate: &[u8], key: &[u8]) -> Result<()> {
        self.dynamic = Some((memory::copy(certificate)?, memory::copy(key)?));
        Ok(())
    }

    /// The client's certificate and key as PEM; only the first certificate of the text is used.
    pub fn set_certificate(&mut self, certificate: &[u8], key: &[u8]) -> Result<()> {
        let cert =
            tried(|| X509::from_pem(certificate)).map_err(|e| ssl_error("Error creating certificate", &e))?;
        let key = tried(|| private_key(key)).map_err(|e| ssl_error("Error creating key", &e))?;
        self.change(|b| b.set_certificate(&cert)).map_err(|e| ssl_error("Error using certificate", &e))?;
        self.change(|b| b.set_private_key(&key)).map_err(|e| ssl_error("Error using private key", &e))
    }

    /// For TLS 1.2, in OpenSSL's language.
    pub fn set_ciphers(&mut self, ciphers: &[u8]) -> Result<()> {
        let context = self.context.as_ptr();
        // SAFETY: the context is alive and used by no connection, the list is a C string.
        with_name(ciphers, |list| unsafe { ffi::SSL_CTX_set_cipher_list(context, list) })
            .map_err(|e| ciphers_error(ciphers, &e))
    }

    /// For TLS 1.3.
    pub fn set_cipher_suites(&mut self, suites: &[u8]) -> Result<()> {
        let context = self.context.as_ptr();
        // SAFETY: as above.
        with_name(suites, |list| unsafe { ffi::SSL_CTX_set_ciphersuites(context, list) })
            .map_err(|e| ciphers_error(suites, &e))
    }

    /// The name that the server's certificate must have; `None` or an empty one: the host of the URL.
    pub fn set_expected_host(&mut self, host: Option<&[u8]>) -> Result<()> {
        self.expected_host = host.filter(|host| !host.is_empty()).map(memory::copy).transpose()?;
        Ok(())
    }

    /// Takes any certificate; drops the callback.
    pub fn set_skip_verification(&mut self, skip: bool) {
        self.skip_verification = skip;
        if skip {
            self.callback = None;
        }
    }

    /// A callback turns verification on again.
    pub fn set_verify_callback(&mut self, callback: Option<VerifyCallback>) {
        self.callback = callback;
        if callback.is_some() {
            self.skip_verification = false;
        }
    }

    /// Lets the callback run for several handshakes at the same time.
    pub fn allow_concurrent_handshakes(&mut self) {
        self.concurrent = true;
    }

    /// Runs a step of a handshake, which may call the program's callback. If it does not, a fork waits for
    /// its end: OpenSSL has locks that all connections share.
    pub(super) fn in_turn<T>(&self, step: impl FnOnce() -> T) -> T {
        if self.callback.is_none() {
            return fork::undisturbed(step);
        }
        let _turn = (!self.concurrent).then(|| self.turn.get().lock());
        step()
    }

    /// An OpenSSL connection to `peer` that has not said anything yet, and where a refusal is noted. No check
    /// that was asked for is left out: what cannot be set up fails.
    pub(super) fn prepare(&self, peer: Peer<'_>) -> Result<(Ssl, Refusal)> {
        fork::undisturbed(|| self.prepare_whole(peer))
    }

    fn prepare_whole(&self, peer: Peer<'_>) -> Result<(Ssl, Refusal)> {
        let failed = |e: String| ssl_error("Error preparing TLS", &e);
        let mut ssl = tried(|| Ssl::new(&self.context)).map_err(failed)?;
        announce(&ssl, peer.host).map_err(failed)?;
        let refusal = Refusal::default();
        if self.skip_verification {
            ssl.set_verify(SslVerifyMode::NONE);
        } else {
            let expected = self.expected_host.as_deref().unwrap_or(peer.name);
            expect(&mut ssl, expected).map_err(failed)?;
            self.verify(&mut ssl, expected, &refusal);
        }
        if let Some((certificate, key)) = &self.dynamic {
            use_files(&ssl, certificate, key)?;
        }
        Ok((ssl, refusal))
    }

    fn verify(&self, ssl: &mut SslRef, expected: &[u8], refusal: &Refusal) {
        let Some(callback) = self.callback else {
            let (expected, refusal) = (shown(expected).into_owned(), Arc::clone(refusal));
            ssl.set_verify_callback(SslVerifyMode::PEER, move |ok, context| {
                if !ok {
                    *refusal.lock() = Some(describe(context, &expected));
                }
                ok
            });
            return;
        };
        ssl.set_ex_data(callback_index(), callback);
        // SAFETY: `ssl` is alive.
        unsafe { ffi::SSL_set_verify(ssl.as_ptr(), SslVerifyMode::PEER.bits(), Some(call_back)) };
    }

    /// Changes the context, which no connection uses.
    fn change<T>(
        &mut self,
        change: impl FnOnce(&mut SslContextBuilder) -> std::result::Result<T, ErrorStack>,
    ) -> std::result::Result<T, String> {
        let context = (*self.context).clone();
        let pointer = context.as_ptr();
        std::mem::forget(context);
        // SAFETY: the builder takes over the reference made above.
        let mut builder = unsafe { SslContextBuilder::from_ptr(pointer) };
        tried(|| change(&mut builder))
    }
}

/// Where an OpenSSL connection has the program's callback.
fn callback_index() -> Index<Ssl, VerifyCallback> {
    static INDEX: AtomicI32 = AtomicI32::new(-1);
    let mut index = INDEX.load(Ordering::Acquire);
    if index < 0 {
        let new = Ssl::new_ex_index::<VerifyCallback>().expect("a place for a pointer").as_raw();
        // Of two threads that make one at the same time both use the first.
        index = match INDEX.compare_exchange(-1, new, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => new,
            Err(first) => first,
        };
    }
    // SAFETY: made above, for this type.
    unsafe { Index::from_raw(index) }
}

/// What OpenSSL calls. A callback that ends its thread refuses: OpenSSL's frames must not be left by
/// unwinding.
extern "C" fn call_back(ok: c_int, context: *mut ffi::X509_STORE_CTX) -> c_int {
    // SAFETY: OpenSSL calls it with the context of a verification.
    let verification = unsafe { X509StoreContextRef::from_ptr(context) };
    let ssl = X509StoreContext::ssl_idx().ok().and_then(|index| verification.ex_data(index));
    let Some(callback) = ssl.and_then(|ssl| ssl.ex_data(callback_index())) else { return 0 };
    let arguments = [ok as usize, context.expose_provenance(), 0, 0, 0];
    // SAFETY: a function of the program called as it was registered.
    unsafe { thread_end::call_handler(*callback as *const c_void, arguments) }.map_or(0, |ok| ok as c_int)
}

/// Tells the server which host is wanted.
fn announce(ssl: &SslRef, host: &[u8]) -> std::result::Result<(), String> {
    // SAFETY: `ssl` is alive and copies the name, a C string.
    with_name(host, |host| unsafe { ffi::SSL_set_tlsext_host_name(ssl.as_ptr(), host.cast_mut()) as c_int })
}

/// The certificate must be for `expected`, whatever bytes that is.
fn expect(ssl: &mut SslRef, expected: &[u8]) -> std::result::Result<(), String> {
    if expected.is_empty() {
        return Err("no name to verify".to_owned()); // to OpenSSL this would mean that any name will do
    }
    let parameters = ssl.param_mut();
    parameters.set_hostflags(X509CheckFlags::NO_PARTIAL_WILDCARDS);
    let address = std::str::from_utf8(expected).ok().and_then(|text| text.parse::<IpAddr>().ok());
    match address {
        Some(address) => tried(|| parameters.set_ip(address)),
        // SAFETY: the parameters are alive and copy the name, which has that length.
        None => checked(|| unsafe {
            ffi::X509_VERIFY_PARAM_set1_host(parameters.as_ptr(), expected.as_ptr().cast(), expected.len())
        }),
    }
}

fn use_files(ssl: &SslRef, certificate: &[u8], key: &[u8]) -> Result<()> {
    // SAFETY: `ssl` is alive, the name is a C string.
    with_name(certificate, |file| unsafe { ffi::SSL_use_certificate_chain_file(ssl.as_ptr(), file) })
        .map_err(|e| chain_error(certificate, &e))?;
    // SAFETY: as above.
    with_name(key, |file| unsafe { ffi::SSL_use_PrivateKey_file(ssl.as_ptr(), file, ffi::SSL_FILETYPE_PEM) })
        .map_err(|e| key_error(key, &e))
}

/// Calls a function of OpenSSL that takes a C string.
fn with_name(name: &[u8], call: impl FnOnce(*const c_char) -> c_int) -> std::result::Result<(), String> {
    let name = memory::c_text(name).map_err(|error| match error.status() {
        Status::NoMemory => "out of memory".to_owned(),
        _ => "NUL in the text".to_owned(),
    })?;
    checked(|| call(name.as_ptr()))
}

/// A key as PEM. No pass phrase is asked for.
fn private_key(pem: &[u8]) -> std::result::Result<PKey<Private>, ErrorStack> {
    PKey::private_key_from_pem_callback(pem, |_| Ok(0))
}

/// The text for a certificate that was refused: number and name of the reason, and whose certificate it was.
fn describe(context: &X509StoreContextRef, expected: &str) -> String {
    let reason = context.error();
    let head = format!("{}:{}", reason.as_raw(), reason.error_string());
    let (cert, issuer) = match context.current_cert() {
        Some(cert) => (one_line(cert.subject_name()), one_line(cert.issuer_name())),
        None => Default::default(),
    };
    if reason.as_raw() == HOSTNAME_MISMATCH {
        return format!("{head}:expected={expected}:cert={cert}");
    }
    format!("{head}:depth={}:cert={cert}:issuer={issuer}", context.error_depth())
}

/// A name as `/O=.../CN=...`.
fn one_line(name: &X509NameRef) -> String {
    let mut buf = [0 as c_char; 256];
    // SAFETY: the name is alive and the buffer as long as is said.
    unsafe { X509_NAME_oneline(name.as_ptr(), buf.as_mut_ptr(), buf.len() as c_int) };
    // SAFETY: filled with a C string above, or all zeros.
    unsafe { CStr::from_ptr(buf.as_ptr()) }.to_string_lossy().into_owned()
}

#[track_caller]
fn directory_error(directory: &[u8], cause: &str) -> Error {
    ssl_error(&format!("Error loading trusted certificates from '{}'", shown(directory)), cause)
}

#[track_caller]
fn chain_error(file: &[u8], cause: &str) -> Error {
    ssl_error(&format!("Error loading certificate chain '{}'", shown(file)), cause)
}

#[track_caller]
fn key_error(file: &[u8], cause: &str) -> Error {
    ssl_error(&format!("Error loading private key '{}'", shown(file)), cause)
}

#[track_caller]
fn ciphers_error(ciphers: &[u8], cause: &str) -> Error {
    ssl_error(&format!("Error setting ciphers '{}'", shown(ciphers)), cause)
}

#[track_caller]
fn ssl_error(what: &str, cause: &str) -> Error {
    Error::new(Status::SslError, format!("{what}: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::tls::errors::test;

    #[test]
    fn bad_values_are_refused_with_a_reason() {
        let mut settings = Settings::new().unwrap();
        let text = |result: Result<()>| {
            let error = result.unwrap_err();
            assert_eq!(error.status(), Status::SslError);
            error.text().to_owned()
        };
        let missing = text(settings.add_trusted_file(b"/no/such"));
        assert!(missing.starts_with("Error loading trusted certificates '/no/such': "), "{missing}");
        assert!(missing.contains("No such file"), "{missing}");
        assert!(text(settings.add_trusted(b"x")).contains("no certificate or crl found"));
        assert_eq!(text(settings.set_ciphers(b"NOPE")), "Error setting ciphers 'NOPE': no cipher match");
        text(settings.set_ciphers(b"\xff"));
        text(settings.set_cipher_suites(b"NOPE"));
        text(settings.set_cipher_suites(b"\xff"));
        let odd = text(settings.add_trusted_file(b"/no/such/\xff"));
        assert!(odd.contains("No such file"), "{odd}");
        text(settings.load_certificate(b"/no/\xff", b"/no/\xff"));
        settings.add_trusted_directory(b"/no/such/\xff").unwrap();
        text(settings.set_certificate(b"x", b"y"));
        text(settings.load_certificate(b"/no/cert", b"/no/key"));
        settings.add_trusted_directory(b"/no/such/directory").unwrap();
        settings.set_cipher_suites(b"").unwrap();
    }

    #[test]
    fn a_check_that_cannot_be_made_refuses() {
        let settings = Settings::new().unwrap();
        let prepare = |host: &[u8], name: &[u8]| {
            settings.prepare(Peer { host, name }).map(|_| ()).map_err(|e| e.status())
        };
        assert_eq!(prepare(b"localhost", b"localhost"), Ok(()));
        assert_eq!(prepare(b"\xff", b"M\xfcller.example"), Ok(())); // compared as it is
        assert_eq!(prepare(b"127.0.0.1", b"::1"), Ok(()));
        assert_eq!(prepare(b"localhost", b""), Err(Status::SslError));
        assert_eq!(prepare(b"localhost", b"a\0b"), Err(Status::SslError));
        assert_eq!(prepare(b"a\0b", b"localhost"), Err(Status::SslError));
    }

    #[test]
    fn what_the_program_left_in_the_error_queue_changes_nothing() {
        fn texts() -> Vec<String> {
            let mut settings = Settings::new().unwrap();
            let mut dynamic = Settings::new().unwrap();
            dynamic.set_dynamic_certificate(b"/no/cert", b"/no/key").unwrap();
            let peer = Peer { host: b"h", name: b"h" };
            let results = [
                settings.add_trusted_file(b"/no/such/\xff"),
                settings.add_trusted(b"x"),
                settings.add_trusted(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
                settings.set_ciphers(b"NOPE"),
                settings.set_cipher_suites(b"NOPE"),
                settings.set_certificate(b"x", b"y"),
                settings.load_certificate(b"/no/cert", b"/no/key"),
                dynamic.prepare(peer).map(|_| ()),
            ];
            results.into_iter().map(|result| result.unwrap_err().text().to_owned()).collect()
        }
        let clean = texts();
        assert_eq!(test::queue(), [""; 0]);
        test::leave(b"of the program, \xff");
        let before = test::queue();
        test::leave(b"of the program, \xff");
        assert_eq!(texts(), clean);
        assert_eq!(test::queue(), before);
    }

    #[test]
    fn skipping_and_the_callback_exclude_each_other() {
        unsafe extern "C" fn accept(_: c_int, _: *mut std::ffi::c_void) -> c_int {
            1
        }
        let mut settings = Settings::new().unwrap();
        settings.set_skip_verification(true);
        settings.set_verify_callback(Some(accept));
        assert!(!settings.skip_verification);
        settings.set_skip_verification(true);
        assert!(settings.callback.is_none());
        settings.set_verify_callback(None);
        assert!(settings.skip_verification);
    }
}
