//! The documentation of exported functions, which is the header's, follows one template:
//!
//! - a brief sentence, then what else there is to know: units, ranges, defaults, ownership, the calling
//!   thread where it is not any;
//! - `@param` for each parameter and `@return` with each status, unless the text says "As natsX_Y() in
//!   everything else", where that function's are meant.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const WIDTH: usize = 110;

/// An exported function as its source has it.
struct Function {
    name: String,
    doc: Vec<String>,
    parameters: Vec<String>,
    returns: Option<String>,
}

#[test]
fn every_function_is_documented_by_the_template() {
    let functions = functions();
    let by_name: BTreeMap<&str, &Function> = functions.iter().map(|f| (f.name.as_str(), f)).collect();
    let wrong: Vec<String> = functions
        .iter()
        .flat_map(|function| {
            faults(function, &by_name).into_iter().map(|fault| format!("{}: {fault}", function.name))
        })
        .collect();
    assert!(functions.len() > 200 && wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_header_is_not_wider_than_a_page() {
    let headers = nats_headers::generate();
    let wide = headers.iter().flat_map(|header| header.text.lines()).filter(|line| line.len() > WIDTH);
    assert_eq!(wide.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn faults_are_found() {
    let good = "/// Sets a name.\n///\n/// @param opts the options.\n/// @param name a text.\n\
                /// @return #NATS_OK.\n";
    let of = |doc: &str| {
        let text = format!(
            "{doc}#[unsafe(no_mangle)]\npub unsafe extern \"C\" fn f(\n    opts: *mut natsOptions,\n    \
             name: *const c_char,\n) -> natsStatus {{\n}}\n"
        );
        let function = &functions_of(&text)[0];
        faults(function, &BTreeMap::from([("f", function)])).join("; ")
    };
    assert_eq!(of(good), "");
    assert!(of(&good.replace("name a text", "nom a text")).contains("no @param name"));
    assert!(of(&good.replace("@return #NATS_OK.", "")).contains("no @return"));
    assert!(of(&good.replace("#NATS_OK", "#NATS_ERR")).contains("success"));
    assert!(of(&good.replace("Sets a name.", "Sets a name")).contains("brief"));
    assert!(of("/// Sets.\n///\n/// As g() in everything else.\n").contains("no function g"));
}

fn faults(function: &Function, all: &BTreeMap<&str, &Function>) -> Vec<String> {
    let mut faults = Vec::new();
    let text = function.doc.join("\n");
    let brief = text.split("\n\n").next().unwrap_or_default();
    if brief.starts_with('@') || !brief.trim_end_matches('\n').ends_with(['.', ':']) {
        faults.push("no brief sentence".into());
    }
    let twin = as_in_everything_else(&text);
    if let Some(twin) = twin.filter(|twin| !all.contains_key(twin)) {
        faults.push(format!("no function {twin}"));
    }
    let documented = |name: &str| text.contains(&format!("@param {name} "));
    let undocumented = function.parameters.iter().filter(|name| twin.is_none() && !documented(name));
    faults.extend(undocumented.map(|name| format!("no @param {name}")));
    let outcome = text.split("@return ").nth(1);
    match (&function.returns, outcome) {
        (None, _) => {}
        (Some(_), None) => faults.extend(twin.is_none().then(|| "no @return".into())),
        (Some(kind), Some(outcome)) => {
            let tells =
                ["#NATS_OK", "as nats", "status of the last"].iter().any(|word| outcome.contains(word));
            faults.extend((kind == "natsStatus" && !tells).then(|| "@return without success".into()));
        }
    }
    faults
}

/// The function named in "As natsX_Y() in everything else".
fn as_in_everything_else(text: &str) -> Option<&str> {
    let (before, _) = text.split_once("() in everything else")?;
    before.rsplit(' ').next().map(|name| name.trim())
}

fn functions() -> Vec<Function> {
    let mut files = Vec::new();
    rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ffi"), &mut files);
    let texts = files.iter().map(|file| fs::read_to_string(file).expect("sources are readable"));
    texts.flat_map(|text| functions_of(&text)).collect()
}

fn functions_of(text: &str) -> Vec<Function> {
    let lines: Vec<&str> = text.lines().collect();
    let starts = (0..lines.len()).filter(|&at| lines[at].starts_with("pub unsafe extern \"C"));
    starts.map(|at| function(&lines, at)).collect()
}

fn function(lines: &[&str], at: usize) -> Function {
    let above = lines[..at].iter().rev().skip_while(|line| line.starts_with("#["));
    let mut doc: Vec<String> =
        above.map_while(|line| line.strip_prefix("///")).map(|line| line.trim_start().to_owned()).collect();
    doc.reverse();
    let end = (at..lines.len()).find(|&line| lines[line] == "}").unwrap_or(at);
    let code = lines[at..=end].join(" ");
    let (signature, _) = code.split_once('{').expect("a function has a body");
    let (name, rest) = signature.split_once(" fn ").expect("fn").1.split_once('(').expect("parameters");
    let (parameters, returns) = rest.rsplit_once(')').expect("parameters end");
    Function {
        name: name.to_owned(),
        doc,
        parameters: parameters
            .split(',')
            .filter_map(|one| one.split_once(':'))
            .map(|one| one.0.trim().to_owned())
            .collect(),
        returns: returns.trim().strip_prefix("->").map(|kind| kind.trim().to_owned()),
    }
}

fn rust_files(dir: &Path, files: &mut Vec<PathBuf>) {
    for path in fs::read_dir(dir).expect("src/ffi").map(|entry| entry.expect("readable").path()) {
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
}
