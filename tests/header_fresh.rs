//! The C headers in include/ are those the sources give; `make headers` writes them anew.

use std::fs;

#[test]
fn the_headers_are_fresh() {
    let is_stale = |header: &nats_headers::Header| {
        fs::read_to_string(nats_headers::root().join(header.path)).ok().as_ref() != Some(&header.text)
    };
    let headers = nats_headers::generate();
    let stale: Vec<_> = headers.iter().filter(|header| is_stale(header)).map(|header| header.path).collect();
    assert!(stale.is_empty(), "{stale:?} differ from the sources: run `make headers` and commit them");
}

#[test]
fn every_exported_function_is_declared() {
    let text: String = nats_headers::generate().into_iter().map(|header| header.text).collect();
    let declared = |name: &str| [' ', '*'].iter().any(|before| text.contains(&format!("{before}{name}(")));
    let missing: Vec<String> =
        nats_headers::exported_functions().into_iter().filter(|name| !declared(name)).collect();
    assert!(missing.is_empty(), "not in the headers: {missing:?}");
}
