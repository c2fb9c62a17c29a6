//! Makes what cbindgen writes look as people write it.

/// Columns of the headers, as `line_length` in cbindgen.toml.
const MAX_WIDTH: usize = 110;

/// Gives structs the tags that programs know from their forward declarations.
pub(crate) fn with_tags(text: &str) -> String {
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

/// Adds the old names of the connection states, without their prefix, for programs that ask for them.
pub(crate) fn with_old_names(text: &str) -> String {
    const PREFIX: &str = "NATS_CONN_STATUS_";
    let mut old = format!("#ifdef {PREFIX}NO_PREFIX\n    /* The names of old programs. */\n");
    for line in text.lines() {
        if let Some((name, _)) = line.trim().strip_prefix(PREFIX).and_then(|rest| rest.split_once(" = ")) {
            old += &format!("    {name} = {PREFIX}{name},\n");
        }
    }
    let end = "} natsConnStatus;";
    text.replace(end, &format!("{old}#endif\n{end}"))
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

/// Puts comments of one line on one line.
pub(crate) fn with_short_comments(text: &str) -> String {
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
