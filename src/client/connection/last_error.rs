//! The last error of a connection.

use crate::error::{Error, Status, shown};

/// A status and a text, which may outlive it.
#[derive(Default)]
pub(super) struct LastError(Option<(Status, Vec<u8>)>);

impl LastError {
    pub(super) fn get(&self) -> Option<&(Status, Vec<u8>)> {
        self.0.as_ref().filter(|(status, _)| *status != Status::Ok)
    }

    pub(super) fn clear(&mut self) {
        self.0 = None;
    }

    pub(super) fn note(&mut self, error: &Error) {
        self.0 = Some((error.status(), shown(error.text().as_bytes()).as_bytes().to_vec()));
    }

    /// An older text stays: that is how the reference does it.
    pub(super) fn note_slow_consumer(&mut self) {
        let text = self.0.take().map(|(_, text)| text).filter(|text| !text.is_empty());
        let text = text.unwrap_or_else(|| Status::SlowConsumer.text().as_bytes().to_vec());
        self.0 = Some((Status::SlowConsumer, text));
    }

    /// A server was not reached. The text of an error stays, and is what is left should the servers run out:
    /// so it is in the reference.
    pub(super) fn note_unreachable(&mut self) {
        if let Some((status, _)) = &mut self.0 {
            *status = Status::Ok;
        }
    }

    /// The reconnect has ended without a server; an error that says more stays.
    pub(super) fn note_no_server(&mut self) {
        match &mut self.0 {
            None => self.note(&Status::NoServer.into()),
            Some((status @ Status::Ok, _)) => *status = Status::NoServer,
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &'static str) -> Error {
        Error::new(Status::Err, text)
    }

    #[test]
    fn an_older_text_stays_with_a_slow_consumer() {
        let mut last = LastError::default();
        last.note_slow_consumer();
        assert_eq!(last.get().unwrap().1, Status::SlowConsumer.text().as_bytes());
        last.note(&error("first"));
        last.note_slow_consumer();
        assert_eq!(last.get(), Some(&(Status::SlowConsumer, b"first".to_vec())));
        last.clear();
        assert_eq!(last.get(), None);
    }

    #[test]
    fn without_a_server_in_the_end_an_error_that_says_more_stays() {
        let mut last = LastError::default();
        last.note_no_server();
        assert_eq!(last.get().unwrap().0, Status::NoServer);
        last.note(&error("auth"));
        last.note_no_server();
        assert_eq!(last.get().unwrap().0, Status::Err);
        last.note_unreachable();
        assert_eq!(last.get(), None, "only its text is left");
        last.note_no_server();
        assert_eq!(last.get(), Some(&(Status::NoServer, b"auth".to_vec())));
    }
}
