//! Several objects in one PEM text, as OpenSSL reads them.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use openssl_sys as ffi;

use crate::io::tls::errors::checked;

// Parts of libcrypto that the bindings leave out.
unsafe extern "C" {
    fn PEM_X509_INFO_read_bio(
        bio: *mut ffi::BIO,
        into: *mut ffi::OPENSSL_STACK,
        pass_phrase: Option<extern "C" fn(*mut c_char, c_int, c_int, *mut c_void) -> c_int>,
        closure: *mut c_void,
    ) -> *mut ffi::OPENSSL_STACK;
    fn X509_INFO_free(info: *mut c_void);
}

/// What is in a PEM text: certificates, revocation lists, and keys, which do no harm.
pub(super) struct PemObjects(*mut ffi::OPENSSL_STACK);

/// The beginning of OpenSSL's X509_INFO: one of the two is there, or neither.
#[repr(C)]
struct X509Info {
    certificate: *mut ffi::X509,
    list: *mut ffi::X509_CRL,
}

impl PemObjects {
    pub(super) fn parse(pem: &[u8]) -> Result<PemObjects, String> {
        let len = c_int::try_from(pem.len()).map_err(|_| "too long".to_owned())?;
        let mut found = PemObjects(ptr::null_mut());
        // SAFETY: the BIO reads the text, which outlives it; what is returned belongs to the caller.
        checked(|| unsafe {
            let bio = ffi::BIO_new_mem_buf(pem.as_ptr().cast(), len);
            if !bio.is_null() {
                found.0 = PEM_X509_INFO_read_bio(bio, ptr::null_mut(), None, ptr::null_mut());
                ffi::BIO_free_all(bio);
            }
            c_int::from(!found.0.is_null())
        })?;
        if found.len() > 0 { Ok(found) } else { Err("no certificate or crl found".to_owned()) }
    }

    fn len(&self) -> c_int {
        // SAFETY: the stack is alive.
        unsafe { ffi::OPENSSL_sk_num(self.0) }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (*mut ffi::X509, *mut ffi::X509_CRL)> {
        (0..self.len()).map(|i| {
            // SAFETY: the stack has that many entries, all of this type.
            let info = unsafe { &*ffi::OPENSSL_sk_value(self.0, i).cast::<X509Info>() };
            (info.certificate, info.list)
        })
    }
}

impl Drop for PemObjects {
    fn drop(&mut self) {
        // SAFETY: the stack and its entries are ours; NULL is allowed.
        unsafe { ffi::OPENSSL_sk_pop_free(self.0, Some(X509_INFO_free)) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_text_is_refused() {
        let pem = |text: &str| PemObjects::parse(text.as_bytes()).map(|found| found.len());
        assert_eq!(pem(""), Err("no certificate or crl found".to_owned()));
        assert_eq!(pem("x"), Err("no certificate or crl found".to_owned()));
        assert_eq!(
            pem("-----BEGIN A-----\nAAAA\n-----END A-----\n"),
            Err("no certificate or crl found".to_owned())
        );
        let damaged = [
            "-----BEGIN X509 CRL-----",
            "-----BEGIN X509 CRL-----\nAAAA\n",
            "-----BEGIN A-----\nAAAA\n-----END B-----\n",
        ];
        for text in damaged {
            assert_eq!(pem(text), Err("bad end line".to_owned()), "{text}");
        }
    }
}
