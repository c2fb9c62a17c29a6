//! Makes the C headers from the Rust sources: the types and functions through cbindgen, file by file so that the
//! families stay together, the rest from the templates in src/ffi/header.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The families of types in the order of the header. They build on each other.
const TYPES: [&str; 6] = ["core", "liveness", "js", "kv", "object", "micro"];

/// The families of functions in the order of the header, with their titles. A `*` stands for the rest of a file's
/// name. Files that are not listed come last.
const FAMILIES: [(&str, &str); 20] = [
    ("library", "Library"),
    ("options*", "Options"),
    ("inbox", "Inboxes"),
    ("header", "Headers"),
    ("msg", "Messages"),
    ("message", "Messages"),
    ("stats", "Statistics"),
    ("connection", "Connections"),
    ("publish", "Publishing"),
    ("request", "Requests"),
    ("subscribe", "Subscribing"),
    ("subscription", "Subscriptions"),
    ("liveness", "Liveness"),
    ("js*", "JetStream"),
    ("kv*", "Key-value store"),
    ("object*", "Object store"),
    ("micro*", "Microservices"),
    ("variadic*", "Microservices: formatted errors"),
    ("event_loop", "Event loops"),
    ("*", "More"),
];

/// Columns of the headers, as `line_length` in cbindgen.toml.
const MAX_WIDTH: usize = 110;

/// A generated header: its path in the package and its text.
pub struct Header {
    pub path: &'static str,
    pub text: String,
}

/// All headers that are generated.
pub fn generate() -> Vec<Header> {
    let status_functions = family(&ffi().join("status.rs")).unwrap_or_default();
    vec![
        Header { path: "include/nats/version.h", text: version() },
        Header {
            path: "include/nats/status.h",
            text: fill("status.h.in", &types("status"), &status_functions),
        },
        Header {
            path: "include/nats/nats.h",
            text: fill("nats.h.in", &TYPES.map(types).concat(), &functions()),
        },
    ]
}

/// The names of the functions that src/ffi exports.
pub fn exported_functions() -> BTreeSet<String> {
    sources().iter().flat_map(|file| exports_of(&read(file))).collect()
}

/// The package's directory.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn ffi() -> PathBuf {
    root().join("src/ffi")
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

/// The prototypes of all families except the statuses, each family under its title.
fn functions() -> String {
    let mut files: Vec<(usize, PathBuf)> = sources().into_iter().map(|file| (rank(&file), file)).collect();
    files.sort();
    let mut text = String::new();
    let mut open = None;
    for (rank, file) in files {
        let Some(prototypes) = family(&file).filter(|_| stem(&file) != "status") else { continue };
        if open != Some(rank) {
            text += if open.is_some() { "/** @} */\n\n" } else { "" };
            let (name, title) = FAMILIES[rank];
            let name = if name == "*" { "more" } else { name.trim_end_matches('*') };
            text += &format!("/** \\defgroup {name}Group {title}\n *  @{{\n */\n\n");
            open = Some(rank);
        }
        text += &prototypes;
    }
    text + if open.is_some() { "/** @} */\n\n" } else { "" }
}

fn rank(file: &Path) -> usize {
    let stem = stem(file);
    let fits = |pattern: &str| match pattern.strip_suffix('*') {
        Some(start) => stem.starts_with(start),
        None => stem == pattern,
    };
    FAMILIES.iter().position(|(pattern, _)| fits(pattern)).expect("the last pattern fits all")
}

/// The prototypes of one file's functions; `None` when it exports none.
fn family(file: &Path) -> Option<String> {
    if !file.exists() || exports_of(&read(file)).is_empty() {
        return None;
    }
    Some(bindings(file, Vec::new()) + "\n").filter(|text| !text.trim().is_empty())
}

/// The types of one file.
fn types(name: &str) -> String {
    let file = ffi().join("types").join(name).with_extension("rs");
    let names = read(&file).lines().filter_map(type_name).collect();
    with_tags(&bindings(&file, names)) + "\n"
}

fn type_name(line: &str) -> Option<String> {
    let rest = ["pub struct ", "pub enum ", "pub type "].iter().find_map(|start| line.strip_prefix(start))?;
    Some(rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()?.to_owned())
}

fn bindings(file: &Path, include: Vec<String>) -> String {
    let mut config =
        cbindgen::Config::from_file(root().join("cbindgen.toml")).expect("cbindgen.toml is valid");
    config.export.include = include;
    let bindings = cbindgen::Builder::new().with_config(config).with_src(file).generate();
    let bindings = bindings.unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let mut text = Vec::new();
    bindings.write(&mut text);
    with_short_comments(String::from_utf8(text).expect("the sources are UTF-8").trim())
}

/// Gives structs the tags that programs know from their forward declarations.
fn with_tags(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut opening = None;
    for line in text.lines() {
        if line.starts_with("typedef ") {
            opening = (line == "typedef struct {").then_some(lines.len());
        }
        let closed = line.strip_prefix("} ").and_then(|rest| rest.strip_suffix(';'));
        if let (Some(name), Some(opening)) = (closed, opening) {
            lines[opening] = lines[opening].replace('{', &format!("{} {{", tag(name, false)));
        }
        lines.push(match line.strip_prefix("typedef struct ").and_then(|rest| rest.split_once(' ')) {
            Some((name, rest)) if rest.ends_with(';') => format!("typedef struct {} {rest}", tag(name, true)),
            _ => line.to_owned(),
        });
    }
    lines.join("\n") + "\n"
}

fn tag(name: &str, opaque: bool) -> String {
    match name {
        "microClientConfig" => "__for_forward_compatibility_only".to_owned(),
        "natsClientConfig" => format!("__{name}"),
        _ if name.starts_with("micro") => snake_case(name) + "_s",
        _ if opaque => format!("__{name}"),
        _ => name.to_owned(),
    }
}

fn snake_case(name: &str) -> String {
    let split = |c: char| if c.is_uppercase() { format!("_{}", c.to_lowercase()) } else { c.to_string() };
    name.chars().map(split).collect()
}

fn fill(name: &str, types: &str, functions: &str) -> String {
    let text = conditional(&template(name)).replace("@TYPES@\n", types).replace("@FUNCTIONS@\n", functions);
    text.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// Puts comments of one line on one line.
fn with_short_comments(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut kept = String::new();
    let mut at = 0;
    while at < lines.len() {
        let comment = match lines[at..] {
            [open, text, close, ..]
                if open.trim() == "/**" && close.trim() == "*/" && text.len() + 5 <= MAX_WIDTH =>
            {
                Some((open, text))
            }
            _ => None,
        };
        match comment {
            Some((open, text)) => {
                kept += &format!("{open}{} */\n", text.trim_start().trim_start_matches('*'))
            }
            None => kept += &format!("{}\n", wrapped(lines[at])),
        }
        at += if comment.is_some() { 3 } else { 1 };
    }
    kept
}

/// Breaks a long prototype or callback type between its parameters.
fn wrapped(line: &str) -> String {
    let is_declaration = line.starts_with("NATS_EXTERN") || line.starts_with("typedef ");
    let parameters = line.find(")(").map(|at| at + 1).or_else(|| line.find('('));
    let Some(open) = parameters.filter(|_| is_declaration && line.len() > MAX_WIDTH) else {
        return line.to_owned();
    };
    let indent = " ".repeat(open + 1);
    let mut lines = vec![line[..=open].to_owned()];
    for parameter in line[open + 1..].split_inclusive(", ") {
        let last = lines.last_mut().expect("never empty");
        if last.len() + parameter.trim_end().len() > MAX_WIDTH {
            lines.push(format!("{indent}{parameter}"));
        } else {
            *last += parameter;
        }
    }
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

/// Leaves out the parts between `@if NAME` and `@endif` whose function or variable does not exist yet.
fn conditional(text: &str) -> String {
    let code: String = sources().iter().map(|file| read(file)).collect();
    let exists = |name: &str| {
        ["fn NAME(", "static NAME:", "static mut NAME:"]
            .iter()
            .any(|item| code.contains(&item.replace("NAME", name)))
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

/// The names of the functions a source file exports.
fn exports_of(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    for part in code.split("(no_mangle)").skip(1) {
        let Some((before, rest)) = part.split_once("fn ") else { continue };
        if !before.contains(';') {
            names.extend(rest.split('(').next().map(|name| name.trim().to_owned()));
        }
    }
    names
}

/// The source files directly in src/ffi, without the list of modules.
fn sources() -> Vec<PathBuf> {
    let entries = fs::read_dir(ffi()).expect("src/ffi is there").map(|entry| entry.expect("readable").path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|e| e == "rs") && stem(path) != "mod").collect();
    files.sort();
    files
}

fn template(name: &str) -> String {
    read(&ffi().join("header").join(name))
}

fn stem(path: &Path) -> &str {
    path.file_stem().and_then(|stem| stem.to_str()).expect("file names are UTF-8")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
