//! What a connection asks of its server, how it delivers messages or makes requests.

use crate::error::{Result, Status, fail, shown};
use crate::proto::memory::{self, Text};
use crate::proto::subject;

#[derive(Clone, Default)]
pub struct BehaviourOptions {
    pub name: Option<Text>,
    pub verbose: bool,
    pub pedantic: bool,
    pub no_echo: bool,
    pub disable_no_responders: bool,
    pub global_delivery: bool,
    pub use_old_request_style: bool,
    pub fail_requests_on_disconnect: bool,
    /// With the trailing dot; `None` is the default prefix.
    pub custom_inbox_prefix: Option<Text>,
}

impl BehaviourOptions {
    /// Sets the prefix of reply subjects, without the dot after it. `None`, an empty one, and a refused one
    /// too, leave the default.
    pub fn set_custom_inbox_prefix(&mut self, prefix: Option<&[u8]>) -> Result<()> {
        self.custom_inbox_prefix = None;
        let Some(prefix) = prefix.filter(|prefix| !prefix.is_empty()) else { return Ok(()) };
        if !subject::is_valid_prefix(prefix) {
            return fail(Status::InvalidArg, format!("Invalid inbox prefix '{}'", shown(prefix)));
        }
        self.custom_inbox_prefix = Some(memory::concat(&[prefix, b"."])?.into());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_inbox_prefix_leaves_the_default() {
        let mut o = BehaviourOptions::default();
        o.set_custom_inbox_prefix(Some(b"a*b")).unwrap();
        assert_eq!(o.custom_inbox_prefix.as_deref(), Some(&b"a*b."[..]));
        let refused = o.set_custom_inbox_prefix(Some(b"a.*")).unwrap_err();
        assert_eq!((refused.status(), refused.text()), (Status::InvalidArg, "Invalid inbox prefix 'a.*'"));
        assert_eq!(o.custom_inbox_prefix, None);
        let mut status = |prefix: &[u8]| {
            o.set_custom_inbox_prefix(Some(prefix)).map_or_else(|error| error.status(), |()| Status::Ok)
        };
        assert_eq!((status(b"a."), status(b"")), (Status::InvalidArg, Status::Ok));
    }
}
