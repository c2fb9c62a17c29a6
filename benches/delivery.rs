//! From the socket to the program: a far end sends a batch of small messages, the time ends when the last of
//! them has been delivered to a callback or read with `next_msg`.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use nats::measured::{Connection, MsgHandler, Options, Outcome, Request, Subscription, connect, library};

const BATCH: u64 = 10_000;

/// The far end of one connection: writes what it is asked to, and answers PINGs.
struct FarEnd {
    url: String,
    socket: mpsc::Receiver<TcpStream>,
}

impl FarEnd {
    fn start() -> FarEnd {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("nats://{}", listener.local_addr().unwrap());
        let (sender, socket) = mpsc::channel();
        thread::spawn(move || {
            let mut client = listener.accept().unwrap().0;
            client.write_all(b"INFO {\"server_id\":\"BENCH\",\"max_payload\":1048576}\r\n").unwrap();
            sender.send(client.try_clone().unwrap()).unwrap();
            for line in BufReader::new(client.try_clone().unwrap()).lines().map_while(Result::ok) {
                if line.starts_with("PING") {
                    client.write_all(b"PONG\r\n").unwrap();
                }
            }
        });
        FarEnd { url, socket }
    }
}

fn connected(far: &FarEnd) -> Arc<Connection> {
    library::open_default().unwrap();
    let mut options = Options::new(&library::defaults());
    options.set_url(Some(far.url.as_bytes())).expect("a plain URL");
    match connect(options).unwrap() {
        Outcome::Connected(connection) | Outcome::Retrying(connection) => connection,
    }
}

fn subscribe(connection: &Arc<Connection>, handler: Option<MsgHandler>) -> Arc<Subscription> {
    let request = Request { subject: b"bench", queue: None, handler, timeout_ms: None };
    let sub = connection.subscribe(request).unwrap();
    sub.start();
    sub.set_pending_limits(-1, -1).unwrap();
    sub
}

/// A batch that goes to these subscriptions in turn.
fn batch(subs: &[Arc<Subscription>]) -> Vec<u8> {
    let frame = |sub: &Arc<Subscription>| format!("MSG bench {} 16\r\n0123456789abcdef\r\n", sub.sid());
    let round: String = subs.iter().map(frame).collect();
    round.repeat(BATCH as usize / subs.len()).into_bytes()
}

fn callbacks(c: &mut Criterion, count: usize) {
    let far = FarEnd::start();
    let connection = connected(&far);
    let delivered = Arc::new(AtomicU64::new(0));
    let (done, all) = mpsc::channel();
    let subs: Vec<_> = (0..count)
        .map(|_| {
            let (delivered, done) = (Arc::clone(&delivered), done.clone());
            let handler: MsgHandler = Box::new(move |_, _, msg| {
                drop(msg);
                if (delivered.fetch_add(1, Ordering::Relaxed) + 1) % BATCH == 0 {
                    done.send(()).unwrap();
                }
                Ok(())
            });
            subscribe(&connection, Some(handler))
        })
        .collect();
    connection.flush(5000).unwrap();
    let mut socket = far.socket.recv().unwrap();
    let batch = batch(&subs);
    let mut group = c.benchmark_group("delivery");
    group.throughput(Throughput::Elements(BATCH));
    group.bench_function(format!("callbacks of {count} subscriptions"), |b| {
        b.iter(|| {
            socket.write_all(&batch).unwrap();
            all.recv().unwrap();
        });
    });
    group.finish();
    connection.close();
}

fn next_msg(c: &mut Criterion) {
    let far = FarEnd::start();
    let connection = connected(&far);
    let sub = subscribe(&connection, None);
    connection.flush(5000).unwrap();
    let mut socket = far.socket.recv().unwrap();
    let batch = batch(std::slice::from_ref(&sub));
    let mut group = c.benchmark_group("delivery");
    group.throughput(Throughput::Elements(BATCH));
    group.bench_function("next_msg", |b| {
        b.iter(|| {
            socket.write_all(&batch).unwrap();
            for _ in 0..BATCH {
                drop(sub.next_msg(5000).unwrap());
            }
        });
    });
    group.finish();
    connection.close();
}

fn delivery(c: &mut Criterion) {
    callbacks(c, 1);
    callbacks(c, 100);
    next_msg(c);
}

criterion_group!(benches, delivery);
criterion_main!(benches);
