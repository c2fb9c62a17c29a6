//! The bodies of the fuzz targets over their corpora, as ordinary tests. No input of a megabyte takes long.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nats::fuzzing::BODIES;

const MEGABYTE: usize = 1 << 20;
/// Processor time for a megabyte, many times what it takes. What looks at the rest of the input for every
/// line of it needs many times this.
const PATIENCE: Duration = Duration::from_secs(15);

#[test]
fn every_corpus_passes() {
    for (name, body) in BODIES {
        let files = files_of(&fuzz().join("corpus").join(name));
        assert!(files.len() > 3, "fuzz/corpus/{name} has too few files");
        for file in files {
            println!("{}", file.display()); // what a panic came from
            body(&fs::read(&file).unwrap());
        }
    }
}

#[test]
fn every_body_has_its_target() {
    let mut targets: Vec<String> = files_of(&fuzz().join("targets")).iter().map(|file| stem(file)).collect();
    targets.sort();
    assert_eq!(targets, BODIES.map(|(name, _)| name));
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    for (name, _) in BODIES {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is not in fuzz/Cargo.toml");
    }
}

#[test]
fn a_megabyte_takes_linear_time() {
    for (name, shape) in shapes() {
        let (_, body) = BODIES.into_iter().find(|(body, _)| *body == name).unwrap();
        // In steps, so that a failure does not take hours.
        for size in [MEGABYTE / 16, MEGABYTE / 4, MEGABYTE] {
            let input = shape(size);
            let before = processor_time();
            body(&input);
            let taken = processor_time() - before;
            let shown = String::from_utf8_lossy(&input[..input.len().min(40)]).into_owned();
            println!("{name}, {size} bytes of {shown:?}: {taken:?}");
            assert!(taken < PATIENCE, "{name}: {size} bytes of {shown:?}... took {taken:?}");
        }
    }
}

type Shape = Box<dyn Fn(usize) -> Vec<u8>>;

/// Inputs of any size that could tempt a body into looking at everything again and again.
fn shapes() -> Vec<(&'static str, Shape)> {
    vec![
        ("headers", repeated("NATS/1.0\r\n", "a:\r\n", "\r\n")),
        ("headers", repeated("NATS/1.0\r\n", "a: b\r\n ", "\r\n\r\n")),
        ("headers", repeated("NATS/1.0\r\n", "a\r\n", ":\r\n\r\n")),
        ("headers", repeated("NATS/1.0\r\n", "\r", "\r\n\r\n")),
        ("headers", numbered("NATS/1.0\r\n", "k#######: v\r\n", "\r\n")),
        ("info", numbered("{\"connect_urls\":[", "\"h#######:1\",", "\"b:2\"]}")),
        ("info", repeated("{\"connect_urls\":[", "\"a:1\",", "\"b:2\"]}")),
        ("info", repeated("", "[", "")),
        ("info", repeated("{\"a\":\"", "\\u0000", "\"}")),
        ("url", repeated("", "h:1\n", "h:1")),
        ("url", numbered("", "h#######:1\n", "h:1")),
        ("url", repeated("", "://", "")),
        ("url", repeated("", "a%41:@", "h:1")),
        ("parser", repeated("", "PING\r\n", "")),
        ("parser", repeated("", "MSG a 1 0\r\n\r\n", "")),
        ("parser", repeated("INFO ", "x", "\r\n")),
        ("parser", repeated("MSG a 1 1000000\r\n", "x", "\r\n")),
        ("parser", repeated("MSG ", "a ", "\r\n")),
        ("server_error", repeated("", " '", "")),
        ("server_error", repeated("", "permissions violatio", "")),
        ("credentials", repeated("", "------\n", "")),
        ("credentials", repeated("---", "-x", "---")),
        ("nkeys", repeated("SU", "A", "")),
    ]
}

fn repeated(start: &'static str, part: &'static str, end: &'static str) -> Shape {
    Box::new(move |size| [start, &part.repeat(size / part.len()), end].concat().into_bytes())
}

/// The same with a number in each part in place of `#######`.
fn numbered(start: &'static str, part: &'static str, end: &'static str) -> Shape {
    let nth = move |n: usize| part.replace("#######", &format!("{n:07}"));
    Box::new(move |size| {
        let parts: String = (0..size / part.len()).map(nth).collect();
        [start, &parts, end].concat().into_bytes()
    })
}

/// Of this thread, so that a busy machine does not count.
fn processor_time() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

fn files_of(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn stem(file: &Path) -> String {
    file.file_stem().unwrap().to_str().unwrap().to_owned()
}
