//! The report as text for people or as JSON for programs.

use anstream::println;
use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::examine::Facts;
use crate::findings::{Finding, Level};
use crate::idle::IdleProbe;
use crate::monitor::Monitor;

#[derive(Serialize)]
pub(crate) struct Report {
    /// `None` without a connection.
    pub facts: Option<Facts>,
    pub findings: Vec<Finding>,
}

const BOLD: Style = Style::new().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const ADVICE: Style = AnsiColor::Cyan.on_default().bold();
const GOOD: Style = AnsiColor::Green.on_default().bold();

impl Report {
    pub(crate) fn print(&self, json: bool) {
        if json {
            println!("{}", serde_json::to_string_pretty(self).unwrap_or_default());
            return;
        }
        if let Some(facts) = &self.facts {
            print_facts(facts);
        }
        self.findings.iter().for_each(print_finding);
        if self.findings.is_empty() {
            println!("{GOOD}nothing to worry about{GOOD:#}");
        }
    }
}

fn print_facts(facts: &Facts) {
    let (server, client, trips) = (&facts.server, &facts.client, &facts.round_trips);
    println!("{BOLD}{}{BOLD:#}", facts.url);
    println!("  server       {} {} (id {})", server.name, server.version, server.id);
    println!("  connection   no. {}, made in {:.1} ms", server.client_id, facts.connect_ms);
    println!(
        "  round trips  {}: {:.2} / {:.2} / {:.2} ms (shortest, median, longest)",
        trips.measured, trips.min_ms, trips.median_ms, trips.max_ms
    );
    match client.detection_bound_ms {
        Some(bound) => println!("  this side    finds a dead server within {} ms", bound),
        None => println!("  this side    never finds a dead server: pings are off"),
    }
    if let Some(monitor) = &facts.monitor {
        print_monitor(monitor);
    }
    if let Some(idle) = &facts.idle {
        print_idle(idle);
    }
}

fn print_monitor(monitor: &Monitor) {
    println!(
        "  server side  finds a dead client within {} ms (ping_interval {} ms, ping_max {}), write_deadline \
         {} ms",
        monitor.ping_interval_ms.saturating_mul(monitor.ping_max + 1),
        monitor.ping_interval_ms,
        monitor.ping_max,
        monitor.write_deadline_ms
    );
    println!(
        "  counters     {} connections, {} slow consumers, {} stale",
        monitor.connections, monitor.slow_consumers, monitor.stale_connections
    );
    if let Some(own) = &monitor.own {
        println!("  own entry    rtt {}, pending bytes {}, idle {}", own.rtt, own.pending_bytes, own.idle);
    }
}

fn print_idle(idle: &IdleProbe) {
    match idle.died_s {
        Some(died) => {
            println!("  idle         works after {} s, is dead after {died} s", idle.survived_s)
        }
        None => println!("  idle         works after {} s", idle.survived_s),
    }
}

pub(crate) fn print_finding(finding: &Finding) {
    let (style, level) = match finding.level {
        Level::Warning => (WARNING, "warning"),
        Level::Advice => (ADVICE, "advice"),
    };
    println!("{style}{level}{style:#}: {BOLD}{}{BOLD:#}", finding.symptom);
    println!("  cause     {}", finding.cause);
    println!("  evidence  {}", finding.evidence);
    println!("  change    {}", finding.change);
}
