//! Link settings of the shared library, whose version comes from Cargo.toml; and which OpenSSL there is.

fn main() {
    let major = std::env::var("CARGO_PKG_VERSION_MAJOR").unwrap();
    let minor = std::env::var("CARGO_PKG_VERSION_MINOR").unwrap();
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libnats.so.{major}.{minor}");
    // Threads and thread-local destructors outlive a dlclose: the library stays mapped.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(openssl3)");
    if openssl_version().is_some_and(|version| version >= 0x3000_0000) {
        println!("cargo:rustc-cfg=openssl3");
    }
}

/// As the bindings found it; nothing in a build without TLS.
fn openssl_version() -> Option<u64> {
    u64::from_str_radix(&std::env::var("DEP_OPENSSL_VERSION_NUMBER").ok()?, 16).ok()
}
