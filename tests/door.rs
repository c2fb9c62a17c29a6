//! Every exported function of the C interface passes the one door, under its own name: that is what the
//! program reads in the last error's stack.

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_exported_function_passes_the_door_under_its_name() {
    let mut files = Vec::new();
    rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ffi"), &mut files);
    let text: String =
        files.iter().map(|file| fs::read_to_string(file).expect("sources are readable")).collect();
    let functions = functions_of(&text);
    let wrong: Vec<String> =
        functions.iter().filter_map(|(name, body)| Some(format!("{name}: {}", fault(name, body)?))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(functions.len(), text.matches("(no_mangle)").count(), "not all exported functions were found");
    assert!(functions.len() > 200);
}

#[test]
fn faults_are_found() {
    let of = |body: &str| {
        let text = format!(
            "#[unsafe(no_mangle)]\npub unsafe extern \"C\" fn f(a: bool) -> natsStatus {{\n{body}\n}}\n"
        );
        let functions = functions_of(&text);
        assert!(functions.len() == 1 && functions[0].0 == "f");
        fault("f", &functions[0].1)
    };
    assert_eq!(of("    unsafe { on(\"f\", (), |()| ()) }"), None);
    assert_eq!(of("    unsafe {\n        support::on(\"f\", nc, |nc| {\n})\n    }"), None);
    assert!(of("    unsafe { on(\"g\", (), |()| ()) }").is_some_and(|fault| fault.contains("\"g\"")));
    assert!(of("    NATS_OK").is_some());
    assert!(of("    unsafe { on(NAME, (), |()| ()) }").is_some());
    assert!(of("    unsafe { on(\"f\", (), |()| on(\"f\", (), |()| ())) }").is_some());
}

fn fault(name: &str, body: &str) -> Option<String> {
    let doors: Vec<&str> = ["    on(", "{ on(", ":on(", "| on("]
        .iter()
        .flat_map(|call| body.split(call).skip(1))
        .map(|arguments| arguments.split(',').next().unwrap_or_default())
        .collect();
    match doors[..] {
        [passed] if passed == format!("\"{name}\"") => None,
        [passed] => Some(format!("passes as {passed}")),
        _ => Some(format!("passes {} doors", doors.len())),
    }
}

/// The exported functions of a file: names and bodies.
fn functions_of(text: &str) -> Vec<(String, String)> {
    let parts = text.split("#[unsafe(no_mangle)]\npub unsafe extern \"C").skip(1);
    parts
        .map(|part| {
            let function = part.split_once("\n}\n").expect("a function ends").0;
            let (signature, body) = function.split_once(" {\n").expect("a function has a body");
            let name = signature.split_once(" fn ").and_then(|(_, rest)| rest.split_once('('));
            (name.expect("a function has a name").0.to_owned(), body.to_owned())
        })
        .collect()
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
