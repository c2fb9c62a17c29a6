//! What stands in the headers, in which order. A source file that exports something and is not named here is
//! an error, and so is a name without a file: nothing gets into a header, or out of it, unnoticed.

use std::collections::BTreeMap;

use crate::source::{exports_of, has_c_types};

/// The families of types of nats.h. They build on each other. Paths here are relative to src/ffi.
pub(crate) const TYPES: &[&str] = &[
    "core/types/handles.rs",
    "core/types/liveness.rs",
    "jetstream/types/errors.rs",
    "jetstream/types/config.rs",
    "jetstream/types/info.rs",
    "jetstream/types/handles.rs",
    "jetstream/types/options.rs",
    "kv/types.rs",
    "object/types.rs",
    "micro/types.rs",
];

/// What stands in status.h.
pub(crate) const STATUS_TYPES: &str = "core/types/status.rs";
pub(crate) const STATUS_FUNCTIONS: &str = "core/status.rs";

/// Files whose functions are exported and stand in no header, because the released library's do not either.
pub(crate) const UNDECLARED: &[&str] = &["core/undeclared.rs"];

/// A part of nats.h: functions under one title.
pub(crate) struct Group {
    pub name: &'static str,
    pub title: &'static str,
    pub files: &'static [&'static str],
}

/// The functions of nats.h.
pub(crate) const GROUPS: &[Group] = &[
    group("library", "Library", &["core/library.rs"]),
    group(
        "options",
        "Options",
        &[
            "options/create.rs",
            "options/servers.rs",
            "options/auth.rs",
            "options/reconnect.rs",
            "options/buffers.rs",
            "options/behaviour.rs",
            "options/handlers.rs",
            "options/liveness.rs",
            "options/event_loop.rs",
            "options/tls.rs",
        ],
    ),
    group("inbox", "Inboxes", &["core/inbox.rs"]),
    group("header", "Headers", &["core/header.rs"]),
    group("msg", "Messages", &["core/msg.rs"]),
    group("stats", "Statistics", &["core/stats.rs"]),
    group("connection", "Connections", &["core/connection.rs"]),
    group("publish", "Publishing", &["core/publish.rs"]),
    group("subscribe", "Subscribing", &["core/subscribe.rs"]),
    group("subscription", "Subscriptions", &["core/subscription.rs"]),
    group("liveness", "Liveness", &["core/liveness.rs"]),
    group("event_loop", "Event loops", &["core/event_loop.rs"]),
];

const fn group(name: &'static str, title: &'static str, files: &'static [&'static str]) -> Group {
    Group { name, title, files }
}

/// Compares the lists with the sources, path and code of each.
///
/// Fails with a sentence for each file that is missing here, or there.
pub(crate) fn check(sources: &BTreeMap<String, String>) -> Result<(), String> {
    let listed = GROUPS.iter().flat_map(|group| group.files).chain(UNDECLARED).chain([&STATUS_FUNCTIONS]);
    let functions: Vec<&str> = listed.copied().collect();
    let types: Vec<&str> = TYPES.iter().copied().chain([STATUS_TYPES]).collect();
    let mut wrong = Vec::new();
    for (path, code) in sources {
        if !exports_of(code).is_empty() && !functions.contains(&path.as_str()) {
            wrong.push(format!("src/ffi/{path} exports functions, but has no place in the header"));
        }
        if has_c_types(code) && !types.contains(&path.as_str()) {
            wrong.push(format!("src/ffi/{path} has types of C, but no place in the header"));
        }
    }
    for path in &functions {
        if sources.get(*path).is_none_or(|code| exports_of(code).is_empty()) {
            wrong.push(format!("src/ffi/{path} has a place in the header, but exports no functions"));
        }
    }
    for path in types.iter().filter(|path| !sources.contains_key(**path)) {
        wrong.push(format!("src/ffi/{path} has a place in the header, but is not there"));
    }
    for path in functions.iter().filter(|path| functions.iter().filter(|other| other == path).count() > 1) {
        wrong.push(format!("src/ffi/{path} has two places in the header"));
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("\n") + "\nThe places are in tools/headers/src/order.rs.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FUNCTION: &str = "#[unsafe(no_mangle)]\npub unsafe extern \"C\" fn nats_New() {}\n";
    const TYPE: &str = "#[repr(C)]\npub struct natsNew {\n";

    fn sources() -> BTreeMap<String, String> {
        crate::source::sources()
    }

    fn complaint(path: &str, code: &str) -> String {
        let mut sources = sources();
        sources.insert(path.into(), code.into());
        check(&sources).unwrap_err()
    }

    #[test]
    fn all_sources_have_their_place() {
        assert_eq!(check(&sources()), Ok(()));
    }

    #[test]
    fn a_new_file_cannot_vanish_in_a_folder() {
        assert!(
            complaint("jetstream/new.rs", FUNCTION).contains("src/ffi/jetstream/new.rs exports functions")
        );
        assert!(complaint("a/b/c.rs", FUNCTION).contains("src/ffi/a/b/c.rs exports functions"));
        assert!(complaint("core/types.rs", TYPE).contains("src/ffi/core/types.rs has types"));
    }

    #[test]
    fn a_place_without_a_file_is_an_error() {
        let mut moved = sources();
        let code = moved.remove("core/msg.rs").unwrap();
        moved.insert("messages/msg.rs".into(), code);
        let text = check(&moved).unwrap_err();
        assert!(
            text.contains("src/ffi/core/msg.rs has a place")
                && text.contains("src/ffi/messages/msg.rs exports"),
            "{text}"
        );
        let mut without = sources();
        without.remove("kv/types.rs");
        assert!(check(&without).unwrap_err().contains("src/ffi/kv/types.rs has a place"));
        assert!(
            complaint("core/inbox.rs", "")
                .contains("src/ffi/core/inbox.rs has a place in the header, but exports no")
        );
    }
}
