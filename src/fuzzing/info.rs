//! INFO records: in the handshake as on a live connection, and the server pool they feed.

use rand::{SeedableRng, rngs::SmallRng};

use crate::error::Result;
use crate::proto::info::ServerInfo;
use crate::proto::parser::{MsgLine, Parser, PartialBody, Sink};
use crate::session::handshake::Handshake;
use crate::session::pool::{Announced, ServerPool};

pub fn run(data: &[u8]) {
    let line = [b"INFO ", data].concat();
    let Ok(info) = ServerInfo::parse(data) else {
        assert!(Handshake::on_info_line(&line).is_err());
        return;
    };
    no_text_has_a_nul(&info);
    if let Ok(shaken) = Handshake::on_info_line(&line) {
        assert_eq!(format!("{shaken:?}"), format!("{info:?}"));
    }
    live_line_gives_the_same(&line, &info);
    decisions_are_consistent(&info);
    pool_takes_it_once(&info);
}

fn no_text_has_a_nul(info: &ServerInfo) {
    let texts = [&info.server_id, &info.server_name, &info.version, &info.host];
    let optional = info.nonce.iter().chain(&info.client_ip).chain(&info.connect_urls);
    assert!(texts.into_iter().chain(optional).all(|text| !text.contains('\0')));
}

/// The same JSON on a line of a live connection, which cannot hold a line end.
fn live_line_gives_the_same(line: &[u8], info: &ServerInfo) {
    if line.contains(&b'\n') {
        return;
    }
    let mut taken = Taken(None);
    Parser::default().parse(&[line, b"\r\n"].concat(), &mut taken).expect("a line");
    let json = taken.0.expect("an INFO line");
    let live = ServerInfo::parse(&json).expect("the same JSON");
    assert_eq!(format!("{live:?}"), format!("{info:?}"));
}

fn decisions_are_consistent(info: &ServerInfo) {
    assert_eq!(Handshake::tls_step(info, false).ok(), Some(info.tls_required));
    assert_eq!(Handshake::tls_step(info, true).is_ok(), info.tls_required || info.tls_available);
    assert!(Handshake::check_echo(info, false).is_ok());
    assert_eq!(Handshake::check_echo(info, true).is_ok(), info.proto >= 1);
}

fn pool_takes_it_once(info: &ServerInfo) {
    let mut rng = SmallRng::seed_from_u64(1);
    let mut pool = ServerPool::new(Some(b"nats://here:1"), &[""; 0], false, &mut rng).expect("a URL");
    let announced = || Announced::new(info).expect("there is memory");
    let news = pool.update(announced(), true, &mut rng);
    let urls = pool.public_urls(false).expect("there is memory");
    assert!(!urls.is_empty() && urls.len() <= info.connect_urls.len() + 1);
    assert!(!news || urls.len() > 1);
    assert!(!pool.update(announced(), true, &mut rng), "the same once more is no news");
    assert_eq!(pool.public_urls(false).expect("there is memory"), urls);
    assert_eq!(pool.current().map(|server| server.url.host.as_slice()), Some(&b"here"[..]));
}

/// Keeps the JSON of an INFO line.
struct Taken(Option<Vec<u8>>);

struct NoBody;

impl PartialBody for NoBody {
    fn missing(&self) -> usize {
        unreachable!("an INFO has no body")
    }

    fn room(&mut self) -> Result<&mut [u8]> {
        unreachable!("an INFO has no body")
    }

    fn fill(&mut self, _: usize) {}
}

impl Sink for Taken {
    type Partial = NoBody;

    fn message(&mut self, _: MsgLine<'_>, _: &[u8]) {}

    fn begin(&mut self, _: MsgLine<'_>) -> Result<NoBody> {
        Ok(NoBody)
    }

    fn complete(&mut self, _: NoBody) {}

    fn ping(&mut self) {}

    fn pong(&mut self) {}

    fn info(&mut self, json: &[u8]) {
        self.0 = Some(json.to_vec());
    }

    fn server_error(&mut self, _: &[u8]) {}

    fn stopped(&self) -> bool {
        false
    }
}
