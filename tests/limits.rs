//! What anybody may send takes time in proportion to its length.

use std::time::Instant;

use nats::measured::HeaderMap;

/// Half a megabyte of each takes milliseconds, or some tenths of a second without optimisation; in quadratic
/// time minutes.
#[test]
fn the_time_is_linear() {
    let tail = |line: &str, end: &str| format!("NATS/1.0\r\n{}{end}", line.repeat((1 << 19) / line.len()));
    let blocks = [
        tail("a:\r\n", "\r\n"),
        tail("a:\r\n b\r\n", "\r\n"),
        tail("a: \r \r \r", "\r\n\r\n"),
        tail("a\r\n", "\r\n"),
        tail("a\r\n", "\0"),
        tail("a\r\n", ":"),
        tail("\r\n", "x"),
        tail(" \r\n", "x"),
        tail("a\0\r\n", "\r\n"),
        tail("a:\0\r\n", "\r\n"),
        tail("a", ":"),
        tail("a:", "\r\n\r\n"),
        tail("\r", ""),
        format!("NATS/1.0\r\n{}:{}", "a\r\n".repeat(1 << 17), "b".repeat(1 << 18)),
        format!("NATS/1.0\r\na:{}\r\n", "\r\n ".repeat(1 << 17)),
        (0..1 << 16).fold(String::from("NATS/1.0\r\n"), |block, i| block + &format!("{i}:\r\n")) + "\r\n",
    ];
    for block in blocks {
        let began = Instant::now();
        let _ = HeaderMap::parse(block.as_bytes());
        assert!(began.elapsed().as_secs() < 8, "{:?}", &block[..30]);
    }
}
