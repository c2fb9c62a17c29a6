//! nats-doctor: looks at a connection to a NATS server and says in plain words what may go wrong with it,
//! why, and what to change.

mod args;
mod connecting;
mod examine;
mod findings;
mod idle;
mod monitor;
mod report;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use args::Args;
use findings::Level;
use report::Report;

/// The exit statuses; 2 is a wrong command line.
mod exit {
    pub(crate) const HEALTHY: u8 = 0;
    pub(crate) const WARNINGS: u8 = 1;
    pub(crate) const NO_CONNECTION: u8 = 3;
    pub(crate) const LOST: u8 = 4;
}

fn main() -> ExitCode {
    let args = Args::parse();
    if args.watch {
        return ExitCode::from(watch::watch(&args));
    }
    let report = match examine::examine(&args) {
        Ok(facts) => Report { findings: findings::of_facts(&facts), facts: Some(facts) },
        Err(error) => Report { findings: vec![findings::of_failed_connect(&args.url, &error)], facts: None },
    };
    report.print(args.json);
    ExitCode::from(status(&report))
}

fn status(report: &Report) -> u8 {
    let worst = report.findings.iter().map(|finding| finding.level).max();
    match worst {
        _ if report.facts.is_none() => exit::NO_CONNECTION,
        Some(Level::Warning) => exit::WARNINGS,
        _ => exit::HEALTHY,
    }
}
