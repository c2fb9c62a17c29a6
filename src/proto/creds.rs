//! Credentials as people keep them: text with a user JWT and a seed between lines of dashes.
//!
//! ```text
//! -----BEGIN NATS USER JWT-----
//! <jwt>
//! ------END NATS USER JWT------
//! -----BEGIN USER NKEY SEED-----
//! <seed>
//! ------END USER NKEY SEED------
//! ```

use crate::error::{Error, Result, Status, shown};
use crate::proto::blank::{is_blank, trim_start};

const JWT: usize = 0;
const SEED: usize = 1;
const DASHES: &[u8] = b"---";

/// The user JWT: the first section of `text`.
pub(crate) fn user_jwt(text: &[u8]) -> Option<&[u8]> {
    sections(text).nth(JWT)
}

/// The seed: the second section of `text`.
pub(crate) fn user_seed(text: &[u8]) -> Option<&[u8]> {
    sections(text).nth(SEED)
}

/// The JWT in a credentials file: its first section, or all of a file without sections.
pub(crate) fn file_jwt(content: &[u8]) -> &[u8] {
    user_jwt(content).unwrap_or(content)
}

/// The seed in a credentials file that also has the JWT: its second section, or its first line starting
/// with `SU`. `file` is named in the error, which is `ERR`.
pub(crate) fn file_seed<'a>(content: &'a [u8], file: &[u8]) -> Result<&'a [u8]> {
    user_seed(content).or_else(|| seed_line(content)).ok_or_else(|| no_seed(file))
}

/// The seed in a file of its own: its first section, or its first line starting with `SU`. `file` is named
/// in the error, which is `ERR`.
pub(crate) fn seed_file_seed<'a>(content: &'a [u8], file: &[u8]) -> Result<&'a [u8]> {
    sections(content).next().or_else(|| seed_line(content)).ok_or_else(|| no_seed(file))
}

/// The contents of the sections in `text`: a line of dashes, one line of content, a line of dashes. Empty
/// lines do not count.
fn sections(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut lines = text.split(|byte| matches!(byte, b'\r' | b'\n')).filter(|line| !line.is_empty());
    std::iter::from_fn(move || {
        loop {
            lines.find(|line| is_border(line))?;
            let content = lines.next()?;
            if is_border(lines.next()?) {
                return Some(content);
            }
        }
    })
}

/// Whether `line` has three dashes at its end and three more somewhere before.
fn is_border(line: &[u8]) -> bool {
    line.strip_suffix(DASHES).is_some_and(|rest| memchr::memmem::find(rest, DASHES).is_some())
}

/// The first line that starts with `SU`, without the blanks before that.
fn seed_line(text: &[u8]) -> Option<&[u8]> {
    let mut lines = text.split(|byte| *byte == b'\n').map(|line| trim_start(line, is_blank));
    lines.find(|line| line.starts_with(b"SU"))
}

fn no_seed(file: &[u8]) -> Error {
    Error::new(Status::Err, format!("no nkey user seed found in '{}'", shown(file)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAINED: &[u8] = b"-----BEGIN NATS USER JWT-----\nJWT\n------END NATS USER JWT------\n\ntext\n\n\
        -----BEGIN USER NKEY SEED-----\nSUSEED\n------END USER NKEY SEED------\n";

    fn jwt(text: &str) -> Option<&str> {
        user_jwt(text.as_bytes()).map(|jwt| std::str::from_utf8(jwt).unwrap())
    }

    #[test]
    fn both_sections() {
        assert_eq!(user_jwt(CHAINED), Some(b"JWT".as_slice()));
        assert_eq!(user_seed(CHAINED), Some(b"SUSEED".as_slice()));
        let windows = String::from_utf8(CHAINED.to_vec()).unwrap().replace('\n', "\r\n");
        assert_eq!(user_jwt(windows.as_bytes()), Some(b"JWT".as_slice()));
        assert_eq!(user_seed(windows.as_bytes()), Some(b"SUSEED".as_slice()));
        assert_eq!(user_seed(&CHAINED[..70]), None);
    }

    #[test]
    fn shapes_of_sections() {
        for (text, expected) in [
            ("---a---\n\nJ\n\n---b---\n", Some("J")),
            ("---a---\r\r\nJ\r\n\r\n---b---", Some("J")),
            ("---a---\nJ\n\n\n---b---", Some("J")),
            ("------\nJ\n------\n", Some("J")),
            ("x---a---\nJ\n---b---", Some("J")),
            ("\t---a---\n\tJ \n ---b---", Some("\tJ ")),
            ("---a---\n---b---\n---c---\nX\n---d---", Some("---b---")),
            ("---a\nJ\n---b---\nK\n---c---\n", Some("K")),
            ("---a---\nJ\nK\n---b---\nL\n---c---\n", Some("L")),
            ("---a---\nJ\n---b---x\n---c---\nK\n---d---", Some("K")),
            ("---a---\n---b---\nJ\n---c---", None),
            ("---a---\n  \nJ\n---b---\n", None),
            ("---a---\nJ\n   \n---b---", None),
            ("---a--- \nJ\n---b---", None),
            ("---a---\nJ", None),
            ("-----\nJ\n-----", None),
            ("---x--\nJ\n---x--", None),
            ("--a---\nJ\n---b---", None),
            ("---a---b\nJ\n---c---", None),
            ("", None),
        ] {
            assert_eq!(jwt(text), expected, "{text:?}");
        }
    }

    #[test]
    fn files_without_sections() {
        assert_eq!(file_jwt(b" J \n"), b" J \n");
        assert_eq!(file_jwt(CHAINED), b"JWT");
        for (text, seed) in [
            ("SUA", "SUA"),
            ("foo\n\t SUfirst \nSUB\n", "SUfirst "),
            ("SUx\r\nSUy", "SUx\r"),
            ("su\nSU", "SU"),
        ] {
            assert_eq!(file_seed(text.as_bytes(), b"f").unwrap(), seed.as_bytes(), "{text:?}");
            assert_eq!(seed_file_seed(text.as_bytes(), b"f").unwrap(), seed.as_bytes(), "{text:?}");
        }
        for text in ["", "foo SU", "\rSUA", "S\nU", "\x0bSU", "--SU"] {
            let error = file_seed(text.as_bytes(), b"the.creds").unwrap_err();
            assert_eq!(error.status(), Status::Err);
            assert_eq!(error.text(), "no nkey user seed found in 'the.creds'");
            assert!(seed_file_seed(text.as_bytes(), b"f").is_err(), "{text:?}");
        }
    }

    #[test]
    fn which_section_is_the_seed() {
        assert_eq!(file_seed(CHAINED, b"f").unwrap(), b"SUSEED");
        assert_eq!(seed_file_seed(CHAINED, b"f").unwrap(), b"JWT");
        let alone = b"-----BEGIN USER NKEY SEED-----\nSUX\n------END USER NKEY SEED------\n";
        assert_eq!(file_seed(alone, b"f").unwrap(), b"SUX");
        assert_eq!(seed_file_seed(alone, b"f").unwrap(), b"SUX");
    }
}
