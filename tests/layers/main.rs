//! What of src/ may use what: layers depend downwards only, so do the rooms of a layer. ARCHITECTURE.md says
//! the same.

mod imports;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::imports::{Imports, Look, Module, circles};

/// Each layer with those it may use besides itself.
const LAYERS: [(&str, &[&str]); 12] = [
    ("ffi", &["client", "proto", "sync", "thread_end", "error"]),
    ("client", &["io", "session", "proto", "sync", "thread_end", "error"]),
    ("io", &["session", "proto", "sync", "thread_end", "detector", "error"]),
    ("session", &["proto", "error"]),
    ("proto", &["error"]),
    ("sync", &["thread_end", "detector"]),
    ("thread_end", &["error"]),
    ("detector", &[]),
    ("error", &[]),
    ("doctor", &["client", "proto", "error"]),
    ("measured", &["client", "io", "proto", "error"]),
    ("fuzzing", &["session", "proto", "error"]),
];

/// The rooms of two layers, with those of the same layer that they may use besides themselves. The rules for
/// rooms that are still to be built wait for them.
const ROOMS: [(&str, &[&str]); 20] = [
    ("client/pause", &[]),
    ("client/message", &[]),
    ("client/delivery", &["message"]),
    ("client/library", &["delivery", "message"]),
    ("client/options", &["library", "options/handlers"]),
    ("client/options/handlers", &["connection", "subscription"]),
    ("client/subscription", &["connection", "delivery", "message", "pause"]),
    (
        "client/connection",
        &["subscription", "options", "options/handlers", "library", "delivery", "message", "pause"],
    ),
    ("client/jetstream", &["connection", "subscription", "options", "library", "delivery", "message"]),
    ("client/kv", &["jetstream", "connection", "subscription", "options", "library", "message"]),
    ("client/object", &["jetstream", "connection", "subscription", "options", "library", "message"]),
    ("client/micro", &["connection", "subscription", "options", "library", "message"]),
    ("ffi/types", &[]),
    ("ffi/support", &["types"]),
    ("ffi/core", &["support", "types"]),
    ("ffi/options", &["core", "support", "types"]),
    ("ffi/jetstream", &["core", "support", "types"]),
    ("ffi/kv", &["jetstream", "core", "support", "types"]),
    ("ffi/object", &["jetstream", "core", "support", "types"]),
    ("ffi/micro", &["core", "support", "types"]),
];

/// The one circle. A connection has subscriptions, which hold it; its options have handlers, which get it or
/// one of those.
const INHERENT: [&str; 4] =
    ["client/connection", "client/options", "client/options/handlers", "client/subscription"];
/// Folders each file of which stands for itself; any other is one room, its inside its own business.
const APART: [&str; 12] = [
    "client",
    "client/library",
    "client/options",
    "ffi",
    "ffi/core",
    "ffi/jetstream",
    "ffi/options",
    "ffi/support",
    "fuzzing",
    "io",
    "proto",
    "session",
];

/// What `proto` and `session` must not mention: time and data are arguments there.
const OUTSIDE: [&str; 5] = ["std::net", "std::thread", "Instant::now", "SystemTime::now", "libc::"];

#[test]
fn layers_use_those_below() {
    let imports = Imports::read(&root().join("src"), Look::WithTests);
    let wrong = imports.iter().filter(|(from, to)| !layer_may_use(layer(from), layer(to)));
    assert_none(wrong.map(|(from, to)| format!("{from} uses {to}")));
}

#[test]
fn rooms_use_those_below() {
    let imports = Imports::read(&root().join("src"), Look::WithoutTests);
    let within = imports.iter().filter(|(from, to)| layer(from) == layer(to));
    let rooms = within.map(|(from, to)| (room(from), room(to)));
    let wrong: BTreeSet<_> = rooms.filter(|(from, to)| !room_may_use(from, to)).collect();
    assert_eq!(wrong, BTreeSet::new());
}

#[test]
fn there_is_one_circle() {
    let imports = Imports::read(&root().join("src"), Look::WithoutTests);
    let mut uses: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
    for (from, to) in imports.iter().map(|(from, to)| (part(from), part(to))).filter(|(from, to)| from != to)
    {
        uses.entry(from.to_owned()).or_default().insert(to.to_owned());
    }
    assert_eq!(circles(&uses), [BTreeSet::from(INHERENT)]);
}

#[test]
fn architecture_says_the_same() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("it is there");
    let said = |(name, uses): &(&str, &[&str])| {
        let uses: Vec<String> = uses.iter().map(|used| format!("`{used}`")).collect();
        let uses = if uses.is_empty() { "nothing".to_owned() } else { uses.join(", ") };
        let row = |line: &&str| {
            line.starts_with(&format!("| `src/{name}` |")) && line.ends_with(&format!("| {uses} |"))
        };
        (text.lines().filter(row).count() != 1).then(|| format!("| `src/{name}` | ... | {uses} |"))
    };
    assert_none(LAYERS.iter().chain(&ROOMS).filter_map(said));
}

#[test]
fn proto_and_session_do_no_io() {
    let mut files = Vec::new();
    rust_files(&root().join("src/proto"), &mut files);
    rust_files(&root().join("src/session"), &mut files);
    let mentions = |file: PathBuf| {
        let text = fs::read_to_string(&file).expect("sources are readable");
        let code: String = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
        let words: Vec<&str> = OUTSIDE.into_iter().filter(|word| code.contains(word)).collect();
        (!words.is_empty()).then(|| format!("{}: {words:?}", file.display()))
    };
    assert_none(files.into_iter().filter_map(mentions));
}

#[test]
fn the_doctor_uses_its_door_only() {
    let mut files = Vec::new();
    rust_files(&root().join("tools/nats-doctor/src"), &mut files);
    let texts = files.iter().map(|file| fs::read_to_string(file).expect("sources are readable"));
    let text: String = texts.collect();
    let uses: Vec<&str> = text.match_indices("nats::").map(|(at, path)| &text[at + path.len()..]).collect();
    assert!(!uses.is_empty() && uses.iter().all(|rest| rest.starts_with("doctor")));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn layer(module: &str) -> &str {
    module.split('/').next().unwrap_or_default()
}

fn layer_may_use(from: &str, to: &str) -> bool {
    from == to || LAYERS.iter().any(|(name, allowed)| *name == from && allowed.contains(&to))
}

fn room_may_use(from: &str, to: &str) -> bool {
    let within = to.split_once('/').map_or(to, |(_, within)| within);
    from == to || ROOMS.iter().any(|(name, allowed)| *name == from && allowed.contains(&within))
}

/// The room of a module, by the longest name that fits; its layer, if that has no rooms.
fn room(module: &str) -> &str {
    let types = module == "ffi/support/cenum" || module.split('/').any(|name| name == "types");
    if layer(module) == "ffi" && types {
        return "ffi/types"; // each family has its own beside its functions
    }
    let fits =
        |room: &&str| module.strip_prefix(room).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    ROOMS.iter().map(|(name, _)| *name).filter(fits).max_by_key(|name| name.len()).unwrap_or(layer(module))
}

/// What a module counts as where circles are looked for: itself, or the room it is in.
fn part(module: &str) -> &str {
    if room(module) == "ffi/types" {
        return "ffi/types";
    }
    let mut folders = module.match_indices('/').map(|(at, _)| &module[..at]);
    folders.find(|folder| !APART.contains(folder)).unwrap_or(module)
}

fn assert_none(wrong: impl Iterator<Item = String>) {
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn rust_files(dir: &Path, files: &mut Vec<PathBuf>) {
    for path in
        fs::read_dir(dir).expect("it is there").map(|entry| entry.expect("sources are readable").path())
    {
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn rules_apply_to_what_is_inside() {
    assert_eq!(
        ["client/connection/link", "client/options/auth", "client/options/handlers", "client"].map(room),
        ["client/connection", "client/options", "client/options/handlers", "client"]
    );
    assert_eq!(
        ["ffi/core/types/status", "ffi/types", "io/tls/session"].map(room),
        ["ffi/types", "ffi/types", "io"]
    );
    assert!(room_may_use("client/kv", "client/jetstream"));
    assert!(!room_may_use("client/connection", "client/jetstream"));
    assert!(!room_may_use("client/jetstream", "client/kv"));
    assert_eq!(part("sync/mutex"), "sync");
    assert_eq!(
        ["io/tls/session", "client/options/auth", "client/options", "io"].map(part),
        ["io/tls", "client/options/auth", "client/options", "io"]
    );
}
