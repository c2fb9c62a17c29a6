//! What a child of `fork()` could wait for has no place in the library: see "Fork" in ARCHITECTURE.md.

use std::fs;
use std::path::{Path, PathBuf};

/// Each with what to use instead.
const FORBIDDEN: [(&str, &str); 8] = [
    ("std::env::", "io::environment::variable"),
    ("eprint", "io::stderr::print"),
    ("println!", "io::stderr::print"),
    ("std::sync::Mutex", "crate::sync"),
    ("std::sync::RwLock", "crate::sync"),
    ("std::sync::Once;", "io::fork::PerProcess"),
    ("LazyLock", "io::fork::PerProcess"),
    ("thread_rng", "a generator of its own, seeded by the kernel"),
];

/// What a static must not be made of, unless each process has its own.
const LOCKS: [&str; 5] = ["Mutex<", "RwLock<", "OnceLock<", "Once", "Condvar"];

#[test]
fn nothing_waits_for_a_thread_of_the_parent() {
    let mut wrong = Vec::new();
    for file in sources(Path::new("src")) {
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
        for (number, line) in code.lines().enumerate() {
            let line = line.split("//").next().unwrap();
            let place = format!("{}:{}", file.display(), number + 1);
            let forbidden = FORBIDDEN.iter().filter(|(word, _)| line.contains(word));
            wrong.extend(forbidden.map(|(word, instead)| format!("{place}: {word} (use {instead})")));
            if declares_static(line)
                && LOCKS.iter().any(|lock| line.contains(lock))
                && !line.contains("PerProcess<")
            {
                wrong.push(format!("{place}: a lock of the whole process"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// With any visibility, and also one that may be changed.
fn declares_static(line: &str) -> bool {
    let line = line.trim_start();
    let line = match line.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(')').map_or("", |(_, rest)| rest),
        Some(rest) => rest,
        None => line,
    };
    line.trim_start().starts_with("static ")
}

#[test]
fn statics_are_found_whoever_sees_them() {
    for found in
        ["static A: B = C;", "    pub static A", "pub(crate) static A", "pub(in crate::io) static mut A"]
    {
        assert!(declares_static(found), "{found}");
    }
    for other in ["fn f(a: &'static str)", "let a = b;", "pub(crate) fn f()", "pub fn f() -> &'static str"] {
        assert!(!declares_static(other), "{other}");
    }
}

/// The library's files: programs are not meant.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("bin") {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found
}
