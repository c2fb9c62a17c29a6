//! Link settings of the shared library; the version comes from Cargo.toml.

fn main() {
    let major = std::env::var("CARGO_PKG_VERSION_MAJOR").unwrap();
    let minor = std::env::var("CARGO_PKG_VERSION_MINOR").unwrap();
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libnats.so.{major}.{minor}");
    // Threads and thread-local destructors outlive a dlclose: the library stays mapped.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo:rerun-if-changed=build.rs");
}
