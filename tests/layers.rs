//! The layers of src/ depend downwards only, and the two lowest do without the operating system.

use std::fs;
use std::path::{Path, PathBuf};

/// Each layer with those it may use besides itself.
const MAY_USE: [(&str, &[&str]); 7] = [
    ("doctor", &["client", "error"]),
    ("fuzzing", &["session", "proto", "error"]),
    ("proto", &["error"]),
    ("session", &["proto", "error"]),
    ("io", &["session", "proto", "error", "sync", "detector", "thread_end"]),
    ("client", &["io", "session", "proto", "error", "sync", "thread_end"]),
    ("ffi", &["client", "proto", "error", "sync", "thread_end"]),
];

/// What `proto` and `session` must not mention: time and data are arguments there.
const OUTSIDE: [&str; 5] = ["std::net", "std::thread", "Instant::now", "SystemTime::now", "libc::"];

#[test]
fn dependencies_point_downwards() {
    let mut wrong = Vec::new();
    for (layer, allowed) in MAY_USE {
        for (place, line) in code_of(layer) {
            let used = uses(&line);
            let upwards = used.iter().filter(|&name| name != layer && !allowed.contains(&name.as_str()));
            wrong.extend(upwards.map(|name| format!("{place}: {layer} uses {name}")));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn proto_and_session_do_no_io() {
    let mut wrong = Vec::new();
    for layer in ["proto", "session"] {
        for (place, line) in code_of(layer) {
            wrong.extend(
                OUTSIDE.iter().filter(|word| line.contains(*word)).map(|word| format!("{place}: {word}")),
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_doctor_uses_its_door_only() {
    let mut files = Vec::new();
    rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/nats-doctor/src"), &mut files);
    let texts = files.iter().map(|file| fs::read_to_string(file).expect("sources are readable"));
    let uses: Vec<String> = texts.flat_map(|text| names_after(&text, "nats::")).collect();
    assert!(!uses.is_empty() && uses.iter().all(|name| name == "doctor"), "{uses:?}");
}

#[test]
fn paths_are_recognised() {
    assert_eq!(uses("use crate::proto::parser::Parser;"), ["proto"]);
    assert_eq!(uses("let x = crate::io::now() + crate::error::y;"), ["io", "error"]);
    assert_eq!(uses("use crate::{client::{self, Options}, error::Result};"), ["client", "error"]);
    assert_eq!(uses("pub(crate) fn f() {}"), [""; 0]);
}

/// The modules directly below `crate::` that a line names.
fn uses(line: &str) -> Vec<String> {
    names_after(line, "crate::")
}

fn names_after(text: &str, start: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, path) in text.match_indices(start) {
        let rest = &text[at + path.len()..];
        match rest.strip_prefix('{') {
            Some(group) => found.extend(group_members(group)),
            None => found.push(first_name(rest)),
        }
    }
    found
}

/// The first names of the members of `{...}`, without those of nested braces.
fn group_members(group: &str) -> Vec<String> {
    let mut depth = 0;
    let mut members = vec![String::new()];
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => members.push(String::new()),
            _ if depth == 0 => members.last_mut().expect("never empty").push(c),
            _ => {}
        }
    }
    members.iter().map(|member| first_name(member)).filter(|name| !name.is_empty()).collect()
}

fn first_name(path: &str) -> String {
    path.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The statements of a layer, each on one line with its file, without comments.
fn code_of(layer: &str) -> Vec<(String, String)> {
    let mut code = Vec::new();
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = vec![src.join(layer).with_extension("rs")];
    rust_files(&src.join(layer), &mut files);
    for file in files.iter().filter(|file| file.exists()) {
        let text = fs::read_to_string(file).expect("sources are readable");
        let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default().trim());
        let text: String = lines.map(|line| line.to_owned() + " ").collect();
        code.extend(text.split(';').map(|statement| (file.display().to_string(), statement.to_owned())));
    }
    code
}

fn rust_files(dir: &Path, files: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(dir).into_iter().flatten();
    for path in entries.map(|entry| entry.expect("sources are readable").path()) {
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}
