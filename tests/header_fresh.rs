//! The C headers in include/ are those the sources give. `UPDATE_HEADERS=1 cargo test --test header_fresh` writes
//! them anew.

#[path = "support/headers.rs"]
mod headers;

use std::fs;

#[test]
fn the_headers_are_fresh() {
    let update = std::env::var_os("UPDATE_HEADERS").is_some();
    let mut stale = Vec::new();
    for header in headers::generate() {
        let path = headers::root().join(header.path);
        if fs::read_to_string(&path).is_ok_and(|text| text == header.text) {
            continue;
        }
        if update {
            fs::write(&path, header.text).expect("include/ is writable");
        } else {
            stale.push(header.path);
        }
    }
    assert!(stale.is_empty(), "{stale:?} differ from the sources: run with UPDATE_HEADERS=1 and commit them");
}

#[test]
fn every_exported_function_is_declared() {
    let text: String = headers::generate().into_iter().map(|header| header.text).collect();
    let declared = |name: &str| [' ', '*'].iter().any(|before| text.contains(&format!("{before}{name}(")));
    let missing: Vec<String> =
        headers::exported_functions().into_iter().filter(|name| !declared(name)).collect();
    assert!(missing.is_empty(), "not in the headers: {missing:?}");
}
