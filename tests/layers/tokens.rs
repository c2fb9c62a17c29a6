//! What of a source file counts for its dependencies: its tokens without comments or texts.

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Name(String),
    /// `::`
    Colons,
    Other(char),
}

/// The code of a file.
pub(crate) struct Code {
    pub tokens: Vec<Token>,
}

impl Code {
    pub(crate) fn read(text: &str) -> Code {
        Code { tokens: tokens(text) }
    }

    /// The code without what is compiled for tests only.
    pub(crate) fn without_tests(self) -> Code {
        let mut rest = &self.tokens[..];
        let mut tokens = Vec::new();
        while let Some(token) = rest.first() {
            let len = test_item(rest);
            if len == 0 {
                tokens.push(token.clone());
            }
            rest = &rest[len.max(1)..];
        }
        Code { tokens }
    }

    /// The modules in files of their own that the file declares.
    pub(crate) fn modules(&self) -> Vec<&str> {
        let declared = self.tokens.windows(3).filter_map(|three| match three {
            [Token::Name(word), Token::Name(module), Token::Other(';')] if word == "mod" => Some(&**module),
            _ => None,
        });
        declared.collect()
    }
}

/// How many tokens an item takes that begins here and is for tests only.
fn test_item(code: &[Token]) -> usize {
    use Token::{Name, Other};
    let [Other('#'), Other('['), Name(cfg), Other('('), Name(test), Other(')'), Other(']'), item @ ..] = code
    else {
        return 0;
    };
    if (cfg.as_str(), test.as_str()) != ("cfg", "test") {
        return 0;
    }
    let mut depth = 0;
    let ends = |token: &Token| {
        depth += match token {
            Other('{') => 1,
            Other('}') => -1,
            _ => 0,
        };
        depth == 0 && matches!(token, Other(';' | '}'))
    };
    item.iter().position(ends).map_or(0, |last| code.len() - item.len() + last + 1)
}

fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let len = skipped(rest);
        if len > 0 {
            rest = &rest[len..];
            continue;
        }
        let name = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
        let (token, len) = match first {
            _ if name > 0 => (Token::Name(rest[..name].to_owned()), name),
            ':' if rest.starts_with("::") => (Token::Colons, 2),
            _ => (Token::Other(first), first.len_utf8()),
        };
        found.push(token);
        rest = &rest[len..];
    }
    found
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of a comment, a text, a character or white space at the beginning.
fn skipped(text: &str) -> usize {
    let up_to =
        |end: &str, from: usize| text[from..].find(end).map_or(text.len(), |at| from + at + end.len());
    let raw = text.strip_prefix('b').unwrap_or(text).strip_prefix('r').filter(|r| r.starts_with(['"', '#']));
    if let Some(raw) = raw {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            let start = text.len() - raw.len() + hashes + 1;
            return up_to(&format!("\"{}", "#".repeat(hashes)), start);
        }
    }
    match text.as_bytes() {
        [b'/', b'/', ..] => up_to("\n", 2),
        [b'/', b'*', ..] => up_to("*/", 2),
        [b'"', ..] => quoted(text, '"'),
        [b'b' | b'c', b'"', ..] => 1 + quoted(&text[1..], '"'),
        [b'b', b'\'', ..] => 1 + quoted(&text[1..], '\''),
        [b'\'', b'\\', ..] => quoted(text, '\''),
        [b'\'', ..] => {
            let mut chars = text.char_indices().skip(1);
            let after = chars.nth(1); // 'x' is a character, 'x a lifetime
            after.filter(|(_, c)| *c == '\'').map_or(1, |(at, _)| at + 1)
        }
        _ => text.len() - text.trim_start().len(),
    }
}

/// The length of a text in quotes.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[test]
fn comments_texts_and_tests_are_left_out() {
    let name = |name: &str| Token::Name(name.to_owned());
    let text = "a /* b */ 'c' b\"d\" r#\"e\"f\"# \"\\\"g\" // h\n&'i j::k '\\'' b'\"'";
    assert_eq!(tokens(text), [name("a"), Token::Other('&'), name("i"), name("j"), Token::Colons, name("k")]);
    let code =
        Code::read("mod a; #[cfg(test)] mod b; pub mod c; #[cfg(test)] mod tests { fn f() {} } mod d;")
            .without_tests();
    assert_eq!(code.modules(), ["a", "c", "d"]);
    assert_eq!(code.tokens.len(), 10);
}
