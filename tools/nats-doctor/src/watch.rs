//! Follows one connection and explains each loss as it happens.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anstream::println;
use nats::doctor::{Disconnect, Options, PingEvent};
use serde_json::{Value, json};

use crate::args::Args;
use crate::connecting::connected;
use crate::examine::public;
use crate::exit;
use crate::findings::{of_disconnect, of_failed_connect};
use crate::report::{Report, print_finding};

enum Event {
    Lost(Box<Disconnect>),
    Reconnected,
    Closed,
    Answered(Option<Duration>),
    Missed(i32),
    LameDuck,
}

/// Returns the exit status.
pub(crate) fn watch(args: &Args) -> u8 {
    let (events, arriving) = channel();
    let connection = match args.options().map(|options| told(options, &events)).and_then(connected) {
        Ok(connection) => connection,
        Err(error) => {
            let findings = vec![of_failed_connect(&args.url, &error)];
            Report { facts: None, findings }.print(args.json);
            return exit::NO_CONNECTION;
        }
    };
    let watcher = Watcher { json: args.json, start: Instant::now() };
    watcher.say(
        "connected",
        &format!("connected to {}", public(&args.url)),
        json!({"url": public(&args.url)}),
    );
    let end = args.seconds.map(|seconds| watcher.start + Duration::from_secs(seconds));
    let losses = watcher.follow(&arriving, end);
    connection.close();
    if losses > 0 { exit::LOST } else { exit::HEALTHY }
}

fn told(mut options: Options, events: &Sender<Event>) -> Options {
    let sender = || events.clone();
    let (lost, reconnected, closed, pings, lame) = (sender(), sender(), sender(), sender(), sender());
    options.handlers.disconnect = Some(Arc::new(move |_, disconnect| {
        let _ = lost.send(Event::Lost(Box::new(disconnect.clone())));
    }));
    options.handlers.ping = Some(Arc::new(move |_, event, outstanding, round_trip| {
        let _ = pings.send(match event {
            PingEvent::Sent => return,
            PingEvent::Answered => Event::Answered(round_trip),
            PingEvent::Missed => Event::Missed(outstanding),
        });
    }));
    options.handlers.reconnected = Some(Arc::new(move |_| drop(reconnected.send(Event::Reconnected))));
    options.handlers.closed = Some(Arc::new(move |_| drop(closed.send(Event::Closed))));
    options.handlers.lame_duck = Some(Arc::new(move |_| drop(lame.send(Event::LameDuck))));
    options.handlers.error = Some(Arc::new(|_, _, _| {}));
    options
}

struct Watcher {
    json: bool,
    start: Instant,
}

impl Watcher {
    /// Until the time is over or the connection closed; returns the number of losses.
    fn follow(&self, events: &Receiver<Event>, end: Option<Instant>) -> u32 {
        let (mut losses, mut lost_at) = (0, None);
        loop {
            let left = end.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
            match events.recv_timeout(left) {
                Ok(Event::Lost(disconnect)) => {
                    losses += 1;
                    lost_at = Some(Instant::now());
                    self.explain(&disconnect);
                }
                Ok(Event::Reconnected) => {
                    let ms = lost_at.map_or(0, |at: Instant| at.elapsed().as_millis() as u64);
                    self.say("reconnected", &format!("reconnected after {ms} ms"), json!({"after_ms": ms}));
                }
                Ok(Event::Closed) => {
                    self.say("closed", "closed for good: no server was left to try", json!({}));
                    return losses;
                }
                Ok(Event::Answered(time)) => self.pong(time),
                Ok(Event::Missed(out)) => self.missed(out),
                Ok(Event::LameDuck) => self.say("lame_duck", "the server announces its shutdown", json!({})),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return losses,
            }
        }
    }

    fn pong(&self, time: Option<Duration>) {
        let ms = time.map(|time| time.as_secs_f64() * 1e3);
        let text = ms.map_or("PONG".to_owned(), |ms| format!("PONG after {ms:.2} ms"));
        self.say("pong", &text, json!({"rtt_ms": ms}));
    }

    fn missed(&self, out: i32) {
        self.say("missed", &format!("no PONG: {out} pings unanswered"), json!({"outstanding": out}));
    }

    fn explain(&self, disconnect: &Disconnect) {
        let finding = of_disconnect(disconnect);
        if self.json {
            self.line("lost", serde_json::to_value(&finding).unwrap_or_default());
        } else {
            println!("{:9.3} s", self.start.elapsed().as_secs_f64());
            print_finding(&finding);
        }
    }

    fn say(&self, event: &str, text: &str, details: Value) {
        if self.json {
            self.line(event, details);
        } else {
            println!("{:9.3} s  {text}", self.start.elapsed().as_secs_f64());
        }
    }

    fn line(&self, event: &str, mut details: Value) {
        details["event"] = event.into();
        details["at_s"] = self.start.elapsed().as_secs_f64().into();
        println!("{details}");
    }
}
