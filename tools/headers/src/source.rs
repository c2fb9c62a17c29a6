//! The Rust sources of the C interface, read as text.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The package of the library.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

pub(crate) fn ffi() -> PathBuf {
    root().join("src/ffi")
}

/// All Rust files below src/ffi: their paths relative to it, with their text.
pub(crate) fn sources() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    collect(&ffi(), &mut found);
    found
}

fn collect(folder: &Path, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let name = path.strip_prefix(ffi()).expect("below it").to_str().expect("file names are UTF-8");
            found.insert(name.to_owned(), read(&path));
        }
    }
}

/// The names of the functions a source file exports.
pub(crate) fn exports_of(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    for part in code.split("(no_mangle)").skip(1) {
        let Some((before, rest)) = part.split_once("fn ") else { continue };
        if !before.contains(';') {
            names.extend(rest.split('(').next().map(|name| name.trim().to_owned()));
        }
    }
    names
}

/// The names of the types a source file makes public.
pub(crate) fn types_of(code: &str) -> Vec<String> {
    code.lines().filter_map(type_name).collect()
}

fn type_name(line: &str) -> Option<String> {
    let rest = ["pub struct ", "pub enum ", "pub type "].iter().find_map(|start| line.strip_prefix(start))?;
    Some(rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()?.to_owned())
}

/// Whether a source file makes types public that are laid out as in C.
pub(crate) fn has_c_types(code: &str) -> bool {
    code.lines().any(|line| line.starts_with("#[repr(C")) && !types_of(code).is_empty()
}

pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
