//! nats-doctor from the outside: what it prints and its exit statuses, against a scripted server.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};
use std::thread;

use serde_json::Value;

fn doctor(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nats-doctor"));
    std::env::vars().filter(|(name, _)| name.starts_with("NATS_DEFAULT")).for_each(|(name, _)| {
        command.env_remove(name);
    });
    command.args(arguments).output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Serves every connection in a thread of its own; returns the address.
fn serve(talk: impl Fn(TcpStream) + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let talk = talk.clone();
            thread::spawn(move || talk(stream));
        }
    });
    address
}

fn lines(stream: &TcpStream) -> impl Iterator<Item = String> + use<> {
    BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok)
}

/// Answers PINGs; closes the connection at the PING with the number `last`.
fn nats(mut stream: TcpStream, last: usize) {
    stream
        .write_all(b"INFO {\"server_id\":\"ME\",\"proto\":1,\"max_payload\":1000,\"client_id\":5}\r\n")
        .unwrap();
    for _ in lines(&stream).filter(|line| line == "PING").take(last) {
        if stream.write_all(b"PONG\r\n").is_err() {
            return;
        }
    }
}

fn well(stream: TcpStream) {
    nats(stream, usize::MAX);
}

/// The monitoring endpoint of a server with stale connections.
fn monitoring(mut stream: TcpStream) {
    let request = lines(&stream).next().unwrap_or_default();
    let body = match request.split(' ').nth(1) {
        Some("/varz") => {
            "{\"server_id\":\"ME\",\"ping_interval\":120000000000,\"ping_max\":2,\
             \"write_deadline\":10000000000,\"stale_connections\":7}"
        }
        Some("/connz?cid=5") => r#"{"connections":[{"rtt":"1ms","pending_bytes":0,"idle":"0s"}]}"#,
        _ => "{}",
    };
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
}

#[test]
fn a_healthy_connection() {
    let server = serve(well);
    let output = doctor(&[&server, "--json", "--pings", "3", "--max-detection", "5000"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let report = json(&output);
    assert_eq!(report["facts"]["server"]["id"], "ME");
    assert_eq!(report["facts"]["round_trips"]["measured"], 3);
    assert_eq!(report["facts"]["client"]["detection_bound_ms"], 4750);
    assert_eq!(report["findings"], Value::Array(Vec::new()));
}

#[test]
fn a_detection_later_than_required_is_a_warning() {
    let server = serve(well);
    let output = doctor(&[&server, "--pings", "1", "--required-detection", "5000"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("natsOptions_SetMaxDetectionTime(opts, 5000)"), "{text}");
}

#[test]
fn the_monitoring_endpoint_is_read() {
    let (server, monitor) = (serve(well), format!("http://{}/", serve(monitoring)));
    let output =
        doctor(&[&server, "--json", "--pings", "1", "--max-detection", "5000", "--monitor", &monitor]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report = json(&output);
    assert_eq!(report["facts"]["monitor"]["ping_interval_ms"], 120_000);
    assert_eq!(report["facts"]["monitor"]["own"]["rtt"], "1ms");
    let evidence = report["findings"][0]["evidence"].as_str().unwrap();
    assert!(evidence.contains("stale_connections 7"), "{evidence}");
}

#[test]
fn nobody_there() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    for mode in [&["--json"][..], &["--json", "--watch"]] {
        let output = doctor(&[&[gone.as_str()][..], mode].concat());
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        assert!(json(&output)["facts"].is_null());
    }
}

#[test]
fn a_wrong_command_line() {
    assert_eq!(doctor(&["--pings", "none"]).status.code(), Some(2));
    assert_eq!(doctor(&["--for", "3"]).status.code(), Some(2));
}

#[test]
fn watching_explains_a_loss() {
    let server = serve(|stream| nats(stream, 2)); // closes at the first PING after the handshake
    let output = doctor(&[&server, "--watch", "--json", "--for", "2", "--ping-interval", "200"]);
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events[0]["event"], "connected");
    let lost = events.iter().find(|event| event["event"] == "lost").unwrap();
    assert!(lost["cause"].as_str().unwrap().contains("the server ended the connection"), "{lost}");
}

#[test]
fn an_idle_connection_that_lives() {
    let server = serve(well);
    let output = doctor(&[&server, "--json", "--pings", "1", "--max-detection", "5000", "--probe-idle", "1"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(json(&output)["facts"]["idle"]["survived_s"], 1);
}
