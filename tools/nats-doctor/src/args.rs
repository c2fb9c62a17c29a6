//! The command line, and the options of a connection it stands for.

use std::sync::Arc;

use clap::Parser;
use nats::doctor::{self, Credentials, Options, Result, TlsSettings};

/// Examines the connection to a NATS server: round trips, settings of both sides, the path in between.
///
/// Exit status: 0 nothing to worry about, 1 warnings, 2 wrong command line, 3 no connection, 4 the connection
/// was lost while watching.
#[derive(Parser)]
#[command(name = "nats-doctor", version)]
pub(crate) struct Args {
    /// The server, such as nats://user:password@host:4222
    #[arg(default_value = "nats://localhost:4222")]
    pub url: String,

    /// Credentials file with JWT and seed
    #[arg(long, value_name = "FILE")]
    pub creds: Option<String>,

    /// User name
    #[arg(long, requires = "password")]
    pub user: Option<String>,

    /// Password
    #[arg(long, requires = "user")]
    pub password: Option<String>,

    /// Authorization token
    #[arg(long, conflicts_with = "user")]
    pub token: Option<String>,

    /// Use TLS also where the server does not ask for it
    #[arg(long)]
    pub tls: bool,

    /// File with the certificates to trust, instead of the system's
    #[arg(long, value_name = "FILE")]
    pub tls_ca: Option<String>,

    /// File with this side's certificate chain
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<String>,

    /// File with the key of that certificate
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<String>,

    /// Accept any certificate of the server
    #[arg(long)]
    pub tls_insecure: bool,

    /// The server's monitoring address, such as http://host:8222
    #[arg(long, value_name = "URL")]
    pub monitor: Option<String>,

    /// Follow one connection and explain each loss, until interrupted
    #[arg(long)]
    pub watch: bool,

    /// With --watch: end after that many seconds
    #[arg(long = "for", value_name = "SECONDS", requires = "watch")]
    pub seconds: Option<u64>,

    /// Print JSON: one object, or one per line with --watch
    #[arg(long)]
    pub json: bool,

    /// How many round trips to measure
    #[arg(long, value_name = "N", default_value_t = 20)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub pings: u32,

    /// Find out after how long the path forgets an idle connection, looking as far as that many seconds;
    /// takes as long
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub probe_idle: Option<u64>,

    /// How soon a dead server has to be found, in milliseconds: anything later is a warning
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(i64).range(1..))]
    pub required_detection: Option<i64>,

    /// The program's ping interval in milliseconds (its default: 120000, or the environment's)
    #[arg(long, value_name = "MS")]
    pub ping_interval: Option<i64>,

    /// How many pings of the program may be unanswered (its default: 2, or the environment's)
    #[arg(long, value_name = "N")]
    pub max_pings_out: Option<i32>,

    /// The program's PONG timeout in milliseconds
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(i64).range(0..))]
    pub pong_timeout: Option<i64>,

    /// The program's maximum detection time in milliseconds
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(i64).range(0..))]
    pub max_detection: Option<i64>,

    /// Connect timeout in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 5000)]
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    pub timeout: i64,
}

impl Args {
    /// Options with the settings to examine: those given, else what a program would get by default here.
    pub(crate) fn options(&self) -> Result<Options> {
        doctor::open_default()?;
        let mut options = Options::new(&doctor::defaults());
        options.set_url(Some(self.url.as_bytes()))?;
        options.behaviour.name = Some(b"nats-doctor".to_vec().into());
        options.servers.set_timeout(self.timeout)?;
        self.set_tls(&mut options)?;
        options.auth.set_user_info(
            self.user.as_deref().map(str::as_bytes),
            self.password.as_deref().map(str::as_bytes),
        )?;
        options.auth.set_token(self.token.as_deref().map(str::as_bytes))?;
        if let Some(file) = &self.creds {
            options.auth.credentials =
                Credentials::Files { chain: file.clone().into_bytes().into(), seed: None };
        }
        options.liveness.ping_interval_ms = self.ping_interval.unwrap_or(options.liveness.ping_interval_ms);
        options.liveness.max_pings_out = self.max_pings_out.unwrap_or(options.liveness.max_pings_out);
        options.liveness.pong_timeout_ms = self.pong_timeout.unwrap_or(options.liveness.pong_timeout_ms);
        options.liveness.max_detection_ms = self.max_detection.unwrap_or(options.liveness.max_detection_ms);
        Ok(options)
    }

    fn set_tls(&self, options: &mut Options) -> Result<()> {
        let certificate = self.tls_cert.as_ref().zip(self.tls_key.as_ref());
        let given = self.tls_ca.is_some() || certificate.is_some() || self.tls_insecure;
        options.tls.required |= self.tls || given;
        if !given {
            return Ok(());
        }
        let mut settings = TlsSettings::new()?;
        if let Some(file) = &self.tls_ca {
            settings.add_trusted_file(file.as_bytes())?;
        }
        if let Some((certificate, key)) = certificate {
            settings.load_certificate(certificate.as_bytes(), key.as_bytes())?;
        }
        settings.set_skip_verification(self.tls_insecure);
        options.tls.settings = Some(Arc::new(settings));
        Ok(())
    }
}
