//! The parser over a whole read of small messages, and the encoder of one.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use nats::measured::{Buffer, MsgLine, Parser, PartialBody, Result, Sink, encoder};

/// Counts, so that only the parser is measured.
#[derive(Default)]
struct Counter {
    msgs: u64,
    bytes: usize,
}

/// A body, and how much of it has arrived.
struct Partial(Vec<u8>, usize);

impl PartialBody for Partial {
    fn missing(&self) -> usize {
        self.0.len() - self.1
    }
    fn room(&mut self) -> Result<&mut [u8]> {
        Ok(&mut self.0[self.1..])
    }
    fn fill(&mut self, n: usize) {
        self.1 += n;
    }
}

impl Sink for Counter {
    type Partial = Partial;

    fn message(&mut self, line: MsgLine<'_>, body: &[u8]) {
        self.msgs += line.sid;
        self.bytes += body.len();
    }

    fn begin(&mut self, line: MsgLine<'_>) -> Result<Partial> {
        Ok(Partial(vec![0; line.size], 0))
    }

    fn complete(&mut self, message: Partial) {
        self.msgs += 1;
        self.bytes += message.0.len();
    }

    fn ping(&mut self) {}

    fn pong(&mut self) {}

    fn info(&mut self, _json: &[u8]) {}

    fn server_error(&mut self, _text: &[u8]) {}

    fn stopped(&self) -> bool {
        false
    }
}

fn frames(frame: &[u8]) -> (Vec<u8>, u64) {
    let count = 64 * 1024 / frame.len();
    (frame.repeat(count), count as u64)
}

fn parse(c: &mut Criterion, name: &str, read: &[u8], msgs: u64) {
    let mut group = c.benchmark_group("parser");
    group.throughput(Throughput::Elements(msgs));
    group.bench_function(name, |b| {
        let mut parser = Parser::default();
        let mut counter = Counter::default();
        b.iter(|| parser.parse(black_box(read), &mut counter).unwrap());
        assert!(counter.bytes > 0 && counter.msgs > 0);
    });
    group.finish();
}

fn parser(c: &mut Criterion) {
    let (small, n) = frames(b"MSG bench.subject 1 16\r\n0123456789abcdef\r\n");
    parse(c, "MSG 16 B", &small, n);
    let (headers, n) =
        frames(b"HMSG bench.subject 1 reply.to 22 38\r\nNATS/1.0\r\nKey: abc\r\n\r\n0123456789abcdef\r\n");
    parse(c, "HMSG 16 B", &headers, n);
    let large = [b"MSG bench.subject 1 4096\r\n", vec![b'x'; 4096].as_slice(), b"\r\n"].concat();
    let (large, n) = frames(&large);
    parse(c, "MSG 4 KiB", &large, n);
}

fn encoder(c: &mut Criterion) {
    let mut group = c.benchmark_group("encoder");
    group.throughput(Throughput::Elements(1));
    let mut out = Buffer::default();
    for (name, reply, headers, payload) in [
        ("PUB 16 B", None, None, &[b'x'; 16] as &[u8]),
        ("PUB 16 B with reply", Some(b"_INBOX.abc.1".as_slice()), None, &[b'x'; 16]),
        ("HPUB 16 B", None, Some(b"NATS/1.0\r\nKey: abc\r\n\r\n".as_slice()), &[b'x'; 16]),
        ("PUB 4 KiB", None, None, &[b'x'; 4096]),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| {
                out.clear();
                let _ = encoder::publish(
                    &mut out,
                    black_box(b"bench.subject"),
                    reply,
                    headers,
                    black_box(payload),
                );
                black_box(out.len())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, parser, encoder);
criterion_main!(benches);
