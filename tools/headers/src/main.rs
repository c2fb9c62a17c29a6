//! Writes include/ anew.

use std::fs;

fn main() {
    for header in nats_headers::generate() {
        let path = nats_headers::root().join(header.path);
        if fs::read_to_string(&path).is_ok_and(|text| text == header.text) {
            continue;
        }
        fs::write(&path, header.text).expect("include/ is writable");
        println!("{}", path.display());
    }
}
