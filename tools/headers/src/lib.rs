//! Makes the C headers from the Rust sources: the types and functions through cbindgen, file by file so that
//! the families stay together (`order` says which stands where), the rest from the templates in
//! src/ffi/templates.

mod order;
mod source;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use order::{GROUPS, Group, STATUS_FUNCTIONS, STATUS_TYPES, TYPES, UNDECLARED};
use source::{exports_of, ffi, read, sources, types_of};

pub use source::root;

/// A generated header: its path in the package and its text.
pub struct Header {
    pub path: &'static str,
    pub text: String,
}

/// All headers that are generated. Panics when a source file has no place in them.
pub fn generate() -> Vec<Header> {
    let sources = sources();
    order::check(&sources).unwrap_or_else(|wrong| panic!("{wrong}"));
    let types_text: String = TYPES.iter().map(|path| types(path)).collect();
    let functions: String = GROUPS.iter().map(titled).collect();
    vec![
        Header { path: "include/nats/version.h", text: version() },
        Header {
            path: "include/nats/status.h",
            text: fill(
                "status.h.in",
                &sources,
                &text::with_old_names(&types(STATUS_TYPES)),
                &prototypes(STATUS_FUNCTIONS),
            ),
        },
        Header { path: "include/nats/nats.h", text: fill("nats.h.in", &sources, &types_text, &functions) },
    ]
}

/// The names of the functions that src/ffi exports, without those that no header declares on purpose.
pub fn exported_functions() -> BTreeSet<String> {
    let declared = |(path, _): &(String, String)| !UNDECLARED.contains(&path.as_str());
    sources().into_iter().filter(declared).flat_map(|(_, code)| exports_of(&code)).collect()
}

fn version() -> String {
    let parts: Vec<u8> = env!("CARGO_PKG_VERSION").split('.').map(|p| p.parse().expect("x.y.z")).collect();
    let [major, minor, patch] = parts[..] else { panic!("the version has three parts") };
    template("version.h.in")
        .replace("@MAJOR@", &major.to_string())
        .replace("@MINOR@", &minor.to_string())
        .replace("@PATCH@", &patch.to_string())
        .replace("@HEX@", &format!("0x{major:02X}{minor:02X}{patch:02X}"))
}

/// The prototypes of a group under its title.
fn titled(group: &Group) -> String {
    let prototypes: String = group.files.iter().map(|path| prototypes(path)).collect();
    format!("/** \\defgroup {}Group {}\n *  @{{\n */\n\n{prototypes}/** @}} */\n\n", group.name, group.title)
}

/// The prototypes of one file's functions.
fn prototypes(path: &str) -> String {
    bindings(path, Vec::new()) + "\n"
}

/// The types of one file.
fn types(path: &str) -> String {
    text::with_tags(&bindings(path, types_of(&read(&ffi().join(path))))) + "\n"
}

fn bindings(path: &str, include: Vec<String>) -> String {
    let mut config =
        cbindgen::Config::from_file(root().join("cbindgen.toml")).expect("cbindgen.toml is valid");
    config.export.include = include;
    let bindings = cbindgen::Builder::new().with_config(config).with_src(ffi().join(path)).generate();
    let bindings = bindings.unwrap_or_else(|e| panic!("{path}: {e}"));
    let mut text = Vec::new();
    bindings.write(&mut text);
    text::with_short_comments(String::from_utf8(text).expect("the sources are UTF-8").trim())
}

fn fill(name: &str, sources: &BTreeMap<String, String>, types: &str, functions: &str) -> String {
    let text =
        conditional(&template(name), sources).replace("@TYPES@\n", types).replace("@FUNCTIONS@\n", functions);
    text.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// Leaves out the parts between `@if NAME` and `@endif` whose function or variable does not exist yet.
fn conditional(text: &str, sources: &BTreeMap<String, String>) -> String {
    let exists = |name: &str| {
        let items = ["fn NAME(", "static NAME:", "static mut NAME:"].map(|item| item.replace("NAME", name));
        sources.values().any(|code| items.iter().any(|item| code.contains(item)))
    };
    let mut kept = String::new();
    let mut keep = true;
    for line in text.lines() {
        match line.strip_prefix("@if ") {
            Some(name) => keep = exists(name),
            None if line == "@endif" => keep = true,
            None if keep => kept += &format!("{line}\n"),
            None => {}
        }
    }
    kept
}

fn template(name: &str) -> String {
    read(&ffi().join("templates").join(name))
}
