//! Which files of src/ depend on which others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::tokens::{Code, Token};

/// A module by the names on the way to it from the crate's root, such as `io/tls`.
pub(crate) type Module = String;

/// Whether what is compiled for tests only counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    WithTests,
    WithoutTests,
}

/// Each module that is a file with the other modules it uses.
pub(crate) struct Imports(BTreeMap<Module, BTreeSet<Module>>);

impl Imports {
    pub(crate) fn read(src: &Path, look: Look) -> Imports {
        let mut files = BTreeMap::new();
        collect(src, "", look, &mut files);
        let names: BTreeSet<Module> = files.keys().cloned().collect();
        let uses = |(module, code): (&Module, &Code)| (module.clone(), used(module, code, &names));
        Imports(files.iter().map(uses).collect())
    }

    /// Who uses whom; the root, which is nobody's to use, left out.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.0.iter().flat_map(|(from, uses)| uses.iter().map(|to| (&**from, &**to)));
        all.filter(|(from, to)| !from.is_empty() && !to.is_empty())
    }
}

/// Reads the files of a folder and below.
fn collect(dir: &Path, module: &str, look: Look, files: &mut BTreeMap<Module, Code>) {
    let read = |path| {
        let text = fs::read_to_string(path).expect("a module is a file or a folder with mod.rs");
        if look == Look::WithTests { Code::read(&text) } else { Code::read(&text).without_tests() }
    };
    let code = read(dir.join(if module.is_empty() { "lib.rs" } else { "mod.rs" }));
    for name in code.modules() {
        let child = below(module, name);
        if dir.join(name).is_dir() {
            collect(&dir.join(name), &child, look, files);
        } else {
            files.insert(child, read(dir.join(name).with_extension("rs")));
        }
    }
    files.insert(module.to_owned(), code);
}

fn below(module: &str, name: &str) -> Module {
    if module.is_empty() { name.to_owned() } else { format!("{module}/{name}") }
}

fn above(module: &str) -> &str {
    module.rsplit_once('/').map_or("", |(above, _)| above)
}

/// The modules that the code of `module` names.
fn used(module: &str, code: &Code, all: &BTreeSet<Module>) -> BTreeSet<Module> {
    let mut paths = Paths { module, all, known: BTreeMap::new(), found: BTreeSet::new() };
    for child in code.modules() {
        paths.known.insert(child.to_owned(), below(module, child));
    }
    for round in [Names::Collected, Names::Followed] {
        let mut at = 0;
        while at < code.tokens.len() {
            at = paths.read(&code.tokens, at, round).max(at + 1);
        }
    }
    paths.found.remove(module);
    paths.found
}

/// A first look finds which modules have a name in the file, a second one what paths with them lead to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    Collected,
    Followed,
}

struct Paths<'a> {
    module: &'a str,
    all: &'a BTreeSet<Module>,
    /// Modules that a name stands for.
    known: BTreeMap<String, Module>,
    found: BTreeSet<Module>,
}

impl Paths<'_> {
    /// Reads the path that begins at `at`, if one does. Returns where it ends.
    fn read(&mut self, tokens: &[Token], at: usize, names: Names) -> usize {
        let within = match tokens[..at] {
            [.., Token::Colons | Token::Other('.')] => true, // the middle of a path, or a method
            [.., Token::Other('('), Token::Name(ref word)] => word == "in", // how far something is visible
            _ => false,
        };
        let (Token::Name(first), Some(Token::Colons), false) = (&tokens[at], tokens.get(at + 1), within)
        else {
            return at;
        };
        let (start, mut at) = match &**first {
            "crate" => (String::new(), at + 2),
            "self" => (self.module.to_owned(), at + 2),
            "super" => (above(self.module).to_owned(), at + 2),
            name => match self.known.get(name) {
                Some(module) if names == Names::Followed => (module.clone(), at + 2),
                _ => return at,
            },
        };
        let mut module = start;
        while tokens.get(at) == Some(&Token::Name("super".to_owned())) {
            module = above(&module).to_owned();
            at += 2;
        }
        self.tree(tokens, at, module)
    }

    /// Reads what follows `module::`, which may be a group in braces.
    fn tree(&mut self, tokens: &[Token], mut at: usize, module: Module) -> usize {
        match tokens.get(at) {
            Some(Token::Other('{')) => {
                at += 1;
                while at < tokens.len() && tokens[at] != Token::Other('}') {
                    at = match tokens[at] {
                        Token::Other(',') => at + 1,
                        _ => self.tree(tokens, at, module.clone()).max(at + 1),
                    };
                }
                at + 1
            }
            Some(Token::Name(name)) => {
                let child = below(&module, name);
                let is_module = self.all.contains(&child);
                match tokens.get(at + 1) {
                    Some(Token::Colons) if is_module => self.tree(tokens, at + 2, child),
                    after => {
                        let other = renamed(after, tokens.get(at + 2));
                        if is_module {
                            self.known.insert(other.unwrap_or(name).to_owned(), child.clone());
                        }
                        self.found.insert(if is_module { child } else { module });
                        at + if other.is_some() { 3 } else { 1 }
                    }
                }
            }
            _ => {
                self.found.insert(module); // `*`, or the end of a path
                at
            }
        }
    }
}

/// The name after `as`.
fn renamed<'a>(after: Option<&Token>, name: Option<&'a Token>) -> Option<&'a str> {
    match (after, name) {
        (Some(Token::Name(word)), Some(Token::Name(name))) if word == "as" => Some(name),
        _ => None,
    }
}

/// Groups of modules that use each other, directly or not.
pub(crate) fn circles<'a>(uses: &'a BTreeMap<Module, BTreeSet<Module>>) -> Vec<BTreeSet<&'a str>> {
    let reached = |from: &'a str| {
        let mut reached = BTreeSet::new();
        let mut waiting = vec![from];
        while let Some(module) = waiting.pop() {
            let next = uses.get(module).into_iter().flatten().map(|used| &**used);
            waiting.extend(next.filter(|used| reached.insert(*used)));
        }
        reached
    };
    let reached: BTreeMap<&str, BTreeSet<&str>> = uses.keys().map(|m| (&**m, reached(m))).collect();
    let reaches = |from: &str, to: &str| reached.get(from).is_some_and(|reached| reached.contains(to));
    let circle = |of: &str| reached[of].iter().filter(|m| reaches(m, of)).copied().collect();
    let all: BTreeSet<BTreeSet<&str>> = uses.keys().map(|m| circle(m)).collect();
    all.into_iter().filter(|circle| !circle.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uses(module: &str, text: &str) -> Vec<Module> {
        let all =
            ["", "io", "io/clock", "io/tls", "client", "client/options", "client/options/auth", "error"];
        let all = all.into_iter().map(str::to_owned).collect();
        used(module, &Code::read(text), &all).into_iter().collect()
    }

    #[test]
    fn paths_lead_to_modules() {
        assert_eq!(uses("error", "use crate::io::clock::Deadline;"), ["io/clock"]);
        assert_eq!(uses("error", "let x = crate::io::now() + crate::io::clock::y;"), ["io", "io/clock"]);
        assert_eq!(
            uses("error", "use crate::{io::{self, clock::{A, B}}, client::Options};"),
            ["client", "io", "io/clock"]
        );
        assert_eq!(uses("error", "pub use crate::client::options::*;"), ["client/options"]);
        assert_eq!(uses("error", "pub(crate) fn f() {}"), [""; 0]);
    }

    #[test]
    fn paths_may_start_anywhere() {
        assert_eq!(
            uses("client/options/auth", "use super::X; use super::super::Y;"),
            ["client", "client/options"]
        );
        assert_eq!(uses("client/options/auth", "use self::X;"), [""; 0]);
        assert_eq!(uses("client/options", "mod auth; use auth::Token;"), ["client/options/auth"]);
        assert_eq!(
            uses("error", "f(clock::now()); use crate::io::{tls as t, clock}; t::X"),
            ["io/clock", "io/tls"]
        );
        assert_eq!(uses("error", "clock::now(); std::io::clock::X"), [""; 0]);
    }

    #[test]
    fn circles_are_found() {
        let uses =
            [("a", vec!["b"]), ("b", vec!["c", "d"]), ("c", vec!["a"]), ("d", vec!["e"]), ("e", vec![])];
        let uses = uses.map(|(m, used)| (m.to_owned(), used.into_iter().map(str::to_owned).collect()));
        assert_eq!(circles(&BTreeMap::from(uses)), [BTreeSet::from(["a", "b", "c"])]);
    }
}
