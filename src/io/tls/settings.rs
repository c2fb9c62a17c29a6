//! What the program wants of TLS: an OpenSSL context that the setters change, and what is applied per connection.

use std::ffi::{CStr, OsStr, c_char, c_int, c_long, c_void};
use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::sync::{Mutex, ReentrantMutex};
use foreign_types::{ForeignType, ForeignTypeRef};
use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{
    Ssl, SslContext, SslContextBuilder, SslFiletype, SslMethod, SslMode, SslOptions, SslRef, SslVerifyMode,
    SslVersion,
};
use openssl::x509::store::X509Lookup;
use openssl::x509::verify::{X509CheckFlags, X509VerifyFlags};
use openssl::x509::{X509, X509Crl, X509NameRef, X509StoreContext, X509StoreContextRef};
use openssl_sys as ffi;

use crate::error::{Error, Result, Status, fail};
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
    context: SslContext,
    /// Files read at each handshake: certificate chain and key.
    dynamic: Option<(Vec<u8>, Vec<u8>)>,
    expected_host: Option<Vec<u8>>,
    skip_verification: bool,
    callback: Option<VerifyCallback>,
    concurrent: bool,
    /// The program's callback runs for one handshake at a time. A callback may connect with the same options.
    turn: ReentrantMutex<()>,
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
            context: made().map_err(|e| ssl_error("Error creating the TLS context", &e))?,
            dynamic: None,
            expected_host: None,
            skip_verification: false,
            callback: None,
            concurrent: false,
            turn: ReentrantMutex::new(()),
        })
    }

    /// Trusts the certificates in a file, too.
    pub fn add_trusted_file(&mut self, file: &[u8]) -> Result<()> {
        let what = || format!("Error loading trusted certificates '{}'", shown(file));
        self.change(|builder| builder.set_ca_file(path(file))).map_err(|e| ssl_error(&what(), &e))
    }

    /// Trusts the certificates in a directory (named by hash), too; looked into when needed.
    pub fn add_trusted_directory(&mut self, directory: &[u8]) -> Result<()> {
        let what = || format!("Error loading trusted certificates from '{}'", shown(directory));
        let Ok(directory) = std::str::from_utf8(directory) else {
            return fail(Status::SslError, what());
        };
        self.change(|builder| {
            let lookup = builder.cert_store_mut().add_lookup(X509Lookup::hash_dir())?;
            lookup.add_dir(directory, SslFiletype::PEM)
        })
        .map_err(|e| ssl_error(&what(), &e))
    }

    /// Trusts certificates given as PEM, too. Revocation lists among them are heeded from then on.
    pub fn add_trusted(&mut self, pem: &[u8]) -> Result<()> {
        const WHAT: &str = "unable to get CA certificates";
        let mut found = false;
        for block in pem_blocks(pem) {
            let added = match block.label {
                b"CERTIFICATE" | b"X509 CERTIFICATE" | b"TRUSTED CERTIFICATE" => {
                    X509::from_pem(block.text).and_then(|cert| self.add_certificate(cert))
                }
                b"X509 CRL" => X509Crl::from_pem(block.text).and_then(|crl| self.add_revocations(&crl)),
                _ => Ok(()), // other objects do no harm
            };
            added.map_err(|e| ssl_error(WHAT, &e))?;
            found = true;
        }
        if found { Ok(()) } else { fail(Status::SslError, format!("{WHAT}: no certificate or crl found")) }
    }

    fn add_certificate(&mut self, cert: X509) -> std::result::Result<(), ErrorStack> {
        self.change(|builder| builder.cert_store_mut().add_cert(cert))
    }

    fn add_revocations(&mut self, crl: &X509Crl) -> std::result::Result<(), ErrorStack> {
        self.change(|builder| {
            let store = builder.cert_store_mut();
            // SAFETY: both objects are alive; the store takes a reference of its own.
            if unsafe { X509_STORE_add_crl(store.as_ptr(), crl.as_ptr()) } != 1 {
                return Err(ErrorStack::get());
            }
            store.set_flags(X509VerifyFlags::CRL_CHECK)
        })
    }

    /// The client's certificate chain and key, from files that are read now.
    pub fn load_certificate(&mut self, certificate: &[u8], key: &[u8]) -> Result<()> {
        self.change(|b| b.set_certificate_chain_file(path(certificate)))
            .map_err(|e| chain_error(certificate, &e))?;
        self.change(|b| b.set_private_key_file(path(key), SslFiletype::PEM)).map_err(|e| key_error(key, &e))
    }

    /// The same, but the files are read at each handshake.
    pub fn set_dynamic_certificate(&mut self, certificate: &[u8], key: &[u8]) {
        self.dynamic = Some((certificate.to_vec(), key.to_vec()));
    }

    /// The client's certificate and key as PEM; only the first certificate of the text is used.
    pub fn set_certificate(&mut self, certificate: &[u8], key: &[u8]) -> Result<()> {
        let cert = X509::from_pem(certificate).map_err(|e| ssl_error("Error creating certificate", &e))?;
        let key = private_key(key).map_err(|e| ssl_error("Error creating key", &e))?;
        self.change(|b| b.set_certificate(&cert)).map_err(|e| ssl_error("Error using certificate", &e))?;
        self.change(|b| b.set_private_key(&key)).map_err(|e| ssl_error("Error using private key", &e))
    }

    /// For TLS 1.2, in OpenSSL's language.
    pub fn set_ciphers(&mut self, ciphers: &[u8]) -> Result<()> {
        let what = || format!("Error setting ciphers '{}'", shown(ciphers));
        let Ok(text) = std::str::from_utf8(ciphers) else { return fail(Status::SslError, what()) };
        self.change(|builder| builder.set_cipher_list(text)).map_err(|e| ssl_error(&what(), &e))
    }

    /// For TLS 1.3.
    pub fn set_cipher_suites(&mut self, suites: &[u8]) -> Result<()> {
        let what = || format!("Error setting ciphers '{}'", shown(suites));
        let Ok(text) = std::str::from_utf8(suites) else { return fail(Status::SslError, what()) };
        self.change(|builder| builder.set_ciphersuites(text)).map_err(|e| ssl_error(&what(), &e))
    }

    /// The name that the server's certificate must have; `None` or an empty one: the host of the URL.
    pub fn set_expected_host(&mut self, host: Option<&[u8]>) {
        self.expected_host = host.filter(|host| !host.is_empty()).map(<[u8]>::to_vec);
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

    /// Runs a step of a handshake, which may call the program's callback.
    pub(super) fn in_turn<T>(&self, step: impl FnOnce() -> T) -> T {
        let _turn = (self.callback.is_some() && !self.concurrent).then(|| self.turn.lock());
        step()
    }

    /// An OpenSSL connection to `peer` that has not said anything yet, and where a refusal is noted.
    pub(super) fn prepare(&self, peer: Peer<'_>) -> Result<(Ssl, Refusal)> {
        let failed = |e: ErrorStack| ssl_error("Error preparing TLS", &e);
        let mut ssl = Ssl::new(&self.context).map_err(failed)?;
        if let Ok(host) = std::str::from_utf8(peer.host)
            && !host.is_empty()
        {
            ssl.set_hostname(host).map_err(failed)?;
        }
        let refusal = Refusal::default();
        if self.skip_verification {
            ssl.set_verify(SslVerifyMode::NONE);
        } else {
            let expected = self.expected_host.as_deref().unwrap_or(peer.name);
            expect(&mut ssl, expected).map_err(failed)?;
            self.verify(&mut ssl, expected, &refusal);
        }
        if let Some((certificate, key)) = &self.dynamic {
            use_files(&mut ssl, certificate, key)?;
        }
        Ok((ssl, refusal))
    }

    fn verify(&self, ssl: &mut SslRef, expected: &[u8], refusal: &Refusal) {
        let Some(callback) = self.callback else {
            let (expected, refusal) = (shown(expected), Arc::clone(refusal));
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
    ) -> std::result::Result<T, ErrorStack> {
        let context = self.context.clone();
        let pointer = context.as_ptr();
        std::mem::forget(context);
        // SAFETY: the builder takes over the reference made above.
        let mut builder = unsafe { SslContextBuilder::from_ptr(pointer) };
        change(&mut builder)
    }
}

/// Where an OpenSSL connection has the program's callback.
fn callback_index() -> Index<Ssl, VerifyCallback> {
    static INDEX: OnceLock<Index<Ssl, VerifyCallback>> = OnceLock::new();
    *INDEX.get_or_init(|| Ssl::new_ex_index().expect("a place for a pointer"))
}

/// What OpenSSL calls. A callback that ends its thread refuses: OpenSSL's frames must not be left by unwinding.
extern "C" fn call_back(ok: c_int, context: *mut ffi::X509_STORE_CTX) -> c_int {
    // SAFETY: OpenSSL calls it with the context of a verification.
    let verification = unsafe { X509StoreContextRef::from_ptr(context) };
    let ssl = X509StoreContext::ssl_idx().ok().and_then(|index| verification.ex_data(index));
    let Some(callback) = ssl.and_then(|ssl| ssl.ex_data(callback_index())) else { return 0 };
    let arguments = [ok as usize, context.expose_provenance(), 0, 0, 0];
    // SAFETY: a function of the program called as it was registered.
    unsafe { thread_end::call_handler(*callback as *const c_void, arguments) }.map_or(0, |ok| ok as c_int)
}

/// The certificate must be for `expected`.
fn expect(ssl: &mut SslRef, expected: &[u8]) -> std::result::Result<(), ErrorStack> {
    let Ok(expected) = std::str::from_utf8(expected) else { return Ok(()) };
    let parameters = ssl.param_mut();
    parameters.set_hostflags(X509CheckFlags::NO_PARTIAL_WILDCARDS);
    match expected.parse::<IpAddr>() {
        Ok(address) => parameters.set_ip(address),
        Err(_) => parameters.set_host(expected),
    }
}

fn use_files(ssl: &mut SslRef, certificate: &[u8], key: &[u8]) -> Result<()> {
    ssl.set_certificate_chain_file(path(certificate)).map_err(|e| chain_error(certificate, &e))?;
    ssl.set_private_key_file(path(key), SslFiletype::PEM).map_err(|e| key_error(key, &e))
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

/// One object of a PEM text.
struct PemBlock<'a> {
    label: &'a [u8],
    text: &'a [u8],
}

/// The objects of a PEM text, in order; what stands between them does not matter.
fn pem_blocks(text: &[u8]) -> impl Iterator<Item = PemBlock<'_>> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    const DASHES: &[u8] = b"-----";
    let mut rest = text;
    std::iter::from_fn(move || {
        let begin = memchr::memmem::find(rest, BEGIN)?;
        let labelled = &rest[begin + BEGIN.len()..];
        let label = &labelled[..memchr::memmem::find(labelled, DASHES)?];
        let end_line = [b"-----END ".as_slice(), label, DASHES].concat();
        let end = memchr::memmem::find(&rest[begin..], &end_line)? + begin + end_line.len();
        let block = PemBlock { label, text: &rest[begin..end] };
        rest = &rest[end..];
        Some(block)
    })
}

fn path(name: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(name))
}

fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

#[track_caller]
fn chain_error(file: &[u8], cause: &ErrorStack) -> Error {
    ssl_error(&format!("Error loading certificate chain '{}'", shown(file)), cause)
}

#[track_caller]
fn key_error(file: &[u8], cause: &ErrorStack) -> Error {
    ssl_error(&format!("Error loading private key '{}'", shown(file)), cause)
}

#[track_caller]
fn ssl_error(what: &str, cause: &ErrorStack) -> Error {
    Error::new(Status::SslError, format!("{what}: {}", reason(cause)))
}

/// What OpenSSL says went wrong.
pub(super) fn reason(cause: &ErrorStack) -> String {
    let system = cause.errors().iter().find_map(|e| {
        let code = c_long::from(e.library_code());
        (code == c_long::from(ERR_LIB_SYS))
            .then(|| std::io::Error::from_raw_os_error(e.reason_code()).to_string())
    });
    let last = || cause.errors().iter().rev().find_map(|e| e.reason().map(str::to_owned));
    system.or_else(last).unwrap_or_else(|| "unknown error".to_owned())
}

/// Errors of the operating system.
const ERR_LIB_SYS: c_int = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_texts_are_taken_apart() {
        let text =
            b"junk\n-----BEGIN A B-----\nxx\n-----END A B-----\nmore\n-----BEGIN C-----\n-----END C-----";
        let blocks: Vec<_> = pem_blocks(text).collect();
        assert_eq!(blocks.len(), 2);
        assert_eq!((blocks[0].label, blocks[1].label), (&b"A B"[..], &b"C"[..]));
        assert!(
            blocks[0].text.starts_with(b"-----BEGIN A B") && blocks[0].text.ends_with(b"-----END A B-----")
        );
        for broken in ["", "-----BEGIN A", "-----BEGIN A-----\n", "-----BEGIN A-----\n-----END B-----"] {
            assert_eq!(pem_blocks(broken.as_bytes()).count(), 0, "{broken}");
        }
    }

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
        text(settings.set_certificate(b"x", b"y"));
        text(settings.load_certificate(b"/no/cert", b"/no/key"));
        settings.add_trusted_directory(b"/no/such/directory").unwrap();
        settings.set_cipher_suites(b"").unwrap();
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
