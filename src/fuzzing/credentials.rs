//! Credentials files: the sections found do not depend on the kind of line ends, and lie in the file.

use crate::proto::creds;
use crate::proto::nkeys::KeyPair;

pub fn run(data: &[u8]) {
    let unix: Vec<u8> = data.iter().map(|byte| if *byte == b'\r' { b'\n' } else { *byte }).collect();
    assert_eq!(creds::user_jwt(data), creds::user_jwt(&unix));
    assert_eq!(creds::user_seed(data), creds::user_seed(&unix));
    for part in [creds::user_jwt(data), creds::user_seed(data)].into_iter().flatten() {
        assert!(!part.is_empty() && !part.iter().any(|byte| matches!(byte, b'\r' | b'\n')));
        lies_within(part, data);
    }
    assert!(creds::user_seed(data).is_none() || creds::user_jwt(data).is_some(), "a second has a first");
    assert_eq!(creds::file_jwt(data), creds::user_jwt(data).unwrap_or(data));
    seeds(data);
}

fn seeds(data: &[u8]) {
    let (chained, alone) = (creds::file_seed(data, b"file"), creds::seed_file_seed(data, b"file"));
    for seed in [&chained, &alone].into_iter().flatten() {
        lies_within(seed, data);
        let _ = KeyPair::from_seed(seed);
    }
    if let Some(seed) = creds::user_seed(data) {
        assert_eq!(chained.ok(), Some(seed));
    }
    if let Some(first) = creds::user_jwt(data) {
        assert_eq!(alone.ok(), Some(first));
    }
}

fn lies_within(part: &[u8], whole: &[u8]) {
    assert!(
        whole.as_ptr_range().start <= part.as_ptr() && part.as_ptr_range().end <= whole.as_ptr_range().end
    );
}
