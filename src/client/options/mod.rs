//! Options of a connection: plain data, copied by every connect; the texts are shared by the copies. The TLS settings are shared, not copied, and locked
//! while shared.

use std::os::fd::RawFd;
use std::sync::Arc;
use std::time::Duration;

use crate::client::connection::Connection;
use crate::client::connection::loss::Disconnect;
use crate::client::library::defaults::Defaults;
use crate::client::subscription::Subscription;
use crate::error::{Error, Result, Status, fail, shown};
use crate::io::fork;
use crate::io::socket::{KeepAlive, TcpOptions};
use crate::io::tls;
pub use crate::io::tls::Settings as TlsSettings;
use crate::proto::memory::{self, Text};
use crate::proto::subject;
use crate::sync::Mutex;

/// Told about an event of a connection: closed, disconnected, reconnected, connected, discovered servers, lame duck.
pub type ConnectionHandler = Arc<dyn Fn(&Arc<Connection>) + Send + Sync>;

/// Told about an error nobody waits for; the subscription is there when the error is about one. The error's
/// [own text](Error::own_text) is what the handler's thread finds as its last error.
pub type ErrorHandler = Arc<dyn Fn(&Arc<Connection>, Option<&Arc<Subscription>>, &Error) + Send + Sync>;

/// Gives the token of a connect attempt; `None` sends none.
pub type TokenHandler = Arc<dyn Fn() -> Result<Option<Vec<u8>>> + Send + Sync>;

/// Gives the wait in milliseconds before the next round over the servers; the number counts rounds from 1.
/// `None` when it has ended the thread instead of answering.
pub type ReconnectDelayHandler = Arc<dyn Fn(&Arc<Connection>, i32) -> Option<i64> + Send + Sync>;

/// Makes the connected socket for a host and a port, instead of the library. The socket is then the library's.
pub type ProxyHandler = Arc<dyn Fn(&[u8], i32) -> Result<RawFd> + Send + Sync>;

/// Gives the user JWT; empty when there is none.
pub type UserJwtHandler = Arc<dyn Fn() -> Result<Vec<u8>> + Send + Sync>;

/// Signs the server's nonce (`None` when the server sent none) and gives the raw signature; empty sends none.
pub type SignatureHandler = Arc<dyn Fn(Option<&[u8]>) -> Result<Vec<u8>> + Send + Sync>;

/// Makes the event loop adapter of one connection.
pub type EventLoopFactory = Arc<dyn Fn() -> Arc<dyn EventLoop> + Send + Sync>;

/// An event loop of the program that polls one connection's socket.
pub trait EventLoop: Send + Sync {
    /// Starts polling `fd` for reading; called again with a new socket after each reconnect. The first success
    /// gives the loop a reference to the connection, which it drops after `detach`.
    fn attach(&self, conn: &Arc<Connection>, fd: RawFd) -> Result<()>;
    /// Starts or stops polling for reading.
    fn read(&self, add: bool) -> Result<()>;
    /// Starts or stops polling for writing.
    fn write(&self, add: bool) -> Result<()>;
    /// The last call: the connection is closed.
    fn detach(&self) -> Result<()>;
}

/// Where the user JWT and the key that signs the nonce come from.
#[derive(Clone, Default)]
pub enum Credentials {
    #[default]
    None,
    Callbacks {
        jwt: UserJwtHandler,
        signature: SignatureHandler,
    },
    /// File names; `chain` has the JWT, and the seed too unless `seed` names a file for it. Read at each attempt.
    Files {
        chain: Text,
        seed: Option<Text>,
    },
    /// JWT and seed, formatted like a credentials file.
    Memory(Text),
}

/// A plain NKey, without a JWT.
#[derive(Clone, Default)]
pub enum NKey {
    #[default]
    None,
    Callback {
        public_key: Text,
        signature: SignatureHandler,
    },
    /// The file with the seed is read at each attempt.
    SeedFile {
        public_key: Text,
        seed_file: Text,
    },
}

/// Told right before the disconnected handler, with the reason.
pub type DisconnectHandler = Arc<dyn Fn(&Arc<Connection>, &Disconnect) + Send + Sync>;

/// Told about keep-alive PINGs: what happened, how many are unanswered now, and a PONG's round trip.
pub type PingHandler = Arc<dyn Fn(&Arc<Connection>, PingEvent, i32, Option<Duration>) + Send + Sync>;

/// What happened to a keep-alive PING.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PingEvent {
    Sent,
    Answered,
    /// The next PING is due, or the PONG timeout is over, and it is still unanswered.
    Missed,
}

/// How a dead peer is found, beyond PINGs at an interval.
#[derive(Clone, Default)]
pub struct LivenessOptions {
    /// Milliseconds; 0 is none.
    pub pong_timeout_ms: i64,
    /// Milliseconds; 0 is none.
    pub max_detection_ms: i64,
    pub tcp: TcpOptions,
    pub disconnect_handler: Option<DisconnectHandler>,
    pub ping_handler: Option<PingHandler>,
}

/// Everything a connection can be told before it connects. Times are what the program set, in milliseconds
/// unless the name says otherwise.
#[derive(Clone)]
pub struct Options {
    /// Trimmed, not parsed.
    pub url: Option<Text>,
    /// Trimmed, not parsed.
    pub servers: Arc<Vec<Text>>,
    /// Keeps the order of servers and of resolved addresses.
    pub no_randomize: bool,
    /// Bounds each connect attempt; 0 has expired from the start.
    pub timeout_ms: i64,
    pub name: Option<Text>,

    pub user: Option<Text>,
    pub password: Option<Text>,
    pub token: Option<Text>,
    pub token_handler: Option<TokenHandler>,
    pub credentials: Credentials,
    pub nkey: NKey,

    /// TLS is required.
    pub secure: bool,
    /// The program said whether it wants TLS: `tls://` URLs no longer decide.
    pub secure_explicit: bool,
    /// TLS from the first byte, before the server's INFO.
    pub tls_first: bool,
    /// How TLS is done, should it be; `None`: the default way.
    pub tls: Option<Arc<tls::Settings>>,

    pub verbose: bool,
    pub pedantic: bool,
    pub no_echo: bool,
    pub disable_no_responders: bool,

    /// 0 or less: no pings.
    pub ping_interval_ms: i64,
    /// Unanswered pings tolerated; 0 or less: stale at the first tick.
    pub max_pings_out: i32,
    pub liveness: LivenessOptions,

    /// Bytes, at least 1.
    pub io_buf_size: usize,
    /// 0 is none.
    pub write_deadline_ms: i64,
    pub send_asap: bool,
    pub flusher_wait_us: i64,

    pub allow_reconnect: bool,
    /// Attempts per server; negative: no limit.
    pub max_reconnect: i32,
    pub reconnect_wait_ms: i64,
    pub reconnect_jitter_ms: i64,
    pub reconnect_jitter_tls_ms: i64,
    pub custom_reconnect_delay: Option<ReconnectDelayHandler>,
    /// Bytes; 0 buffers nothing.
    pub reconnect_buf_size: usize,
    pub reconnect_on_protocol_error: bool,
    pub ignore_auth_error_abort: bool,
    pub ignore_discovered_servers: bool,
    pub retry_on_failed_connect: bool,

    /// Limits of a new subscription, at least 1.
    pub max_pending_msgs: i32,
    /// `None` follows `max_pending_msgs`, see [`Options::pending_bytes_limit`].
    pub max_pending_bytes: Option<i64>,
    /// Zero bytes after the payload of received messages.
    pub message_buffer_padding: usize,
    pub global_delivery: bool,

    pub use_old_request_style: bool,
    pub fail_requests_on_disconnect: bool,
    /// With the trailing dot; `None` is the default prefix.
    pub custom_inbox_prefix: Option<Text>,

    /// 0 (any), 4, 6, 46 or 64.
    pub ip_resolution_order: i32,
    pub proxy_handler: Option<ProxyHandler>,
    pub event_loop: Option<EventLoopFactory>,

    /// `None` is the library's own handler, which prints to stderr.
    pub error_handler: Option<ErrorHandler>,
    pub closed_handler: Option<ConnectionHandler>,
    pub disconnected_handler: Option<ConnectionHandler>,
    pub reconnected_handler: Option<ConnectionHandler>,
    /// Only with `retry_on_failed_connect`; makes the retries asynchronous.
    pub connected_handler: Option<ConnectionHandler>,
    pub discovered_handler: Option<ConnectionHandler>,
    pub lame_duck_handler: Option<ConnectionHandler>,
}

const DEFAULT_IO_BUF_SIZE: usize = 32 * 1024;

impl Options {
    pub fn new(defaults: &Defaults) -> Options {
        Options {
            url: None,
            servers: Arc::default(),
            no_randomize: false,
            timeout_ms: 2000,
            name: None,
            user: None,
            password: None,
            token: None,
            token_handler: None,
            credentials: Credentials::None,
            nkey: NKey::None,
            secure: false,
            secure_explicit: false,
            tls_first: false,
            tls: None,
            verbose: false,
            pedantic: false,
            no_echo: false,
            disable_no_responders: false,
            ping_interval_ms: defaults.liveness.ping_interval_ms.unwrap_or(2 * 60 * 1000),
            max_pings_out: defaults.liveness.max_pings_out.unwrap_or(2),
            liveness: LivenessOptions {
                pong_timeout_ms: defaults.liveness.pong_timeout_ms.unwrap_or(0),
                max_detection_ms: defaults.liveness.max_detection_ms.unwrap_or(0),
                tcp: TcpOptions {
                    keep_alive: None,
                    user_timeout_ms: defaults.liveness.tcp_user_timeout_ms.unwrap_or(0),
                },
                disconnect_handler: None,
                ping_handler: None,
            },
            io_buf_size: DEFAULT_IO_BUF_SIZE,
            write_deadline_ms: defaults.write_deadline_ms,
            send_asap: false,
            flusher_wait_us: 1000,
            allow_reconnect: true,
            max_reconnect: 60,
            reconnect_wait_ms: 2000,
            reconnect_jitter_ms: 100,
            reconnect_jitter_tls_ms: 1000,
            custom_reconnect_delay: None,
            reconnect_buf_size: 8 * 1024 * 1024,
            reconnect_on_protocol_error: false,
            ignore_auth_error_abort: false,
            ignore_discovered_servers: false,
            retry_on_failed_connect: false,
            max_pending_msgs: 65536,
            max_pending_bytes: None,
            message_buffer_padding: 0,
            global_delivery: defaults.global_delivery,
            use_old_request_style: false,
            fail_requests_on_disconnect: false,
            custom_inbox_prefix: None,
            ip_resolution_order: 0,
            proxy_handler: None,
            event_loop: None,
            error_handler: None,
            closed_handler: None,
            disconnected_handler: None,
            reconnected_handler: None,
            connected_handler: None,
            discovered_handler: None,
            lame_duck_handler: None,
        }
    }

    /// 0 is none.
    pub fn set_pong_timeout(&mut self, ms: i64) -> Result<()> {
        self.liveness.pong_timeout_ms = not_negative(ms)?;
        Ok(())
    }

    /// 0 is none.
    pub fn set_max_detection(&mut self, ms: i64) -> Result<()> {
        self.liveness.max_detection_ms = not_negative(ms)?;
        Ok(())
    }

    /// 0 is the system's time.
    pub fn set_tcp_user_timeout(&mut self, ms: i64) -> Result<()> {
        self.liveness.tcp.user_timeout_ms = not_negative(ms)?;
        Ok(())
    }

    /// `None` turns the probes off; 0 stands for the system's value.
    pub fn set_tcp_keep_alive(&mut self, probes: Option<[i32; 3]>) -> Result<()> {
        let not_negative = |n: i32| u32::try_from(n).map_err(|_| Error::from(Status::InvalidArg));
        self.liveness.tcp.keep_alive = match probes {
            None => None,
            Some([idle, interval, count]) => Some(KeepAlive {
                idle_s: not_negative(idle)?,
                interval_s: not_negative(interval)?,
                count: not_negative(count)?,
            }),
        };
        Ok(())
    }

    /// Sets the URL tried first; a `tls://` URL asks for TLS.
    pub fn set_url(&mut self, url: Option<&[u8]>) -> Result<()> {
        let url = url.map(|url| Text::copy(trim(url))).transpose()?;
        self.want_tls_for(url.as_deref().is_some_and(is_tls))?;
        self.url = url;
        Ok(())
    }

    /// Replaces the list of servers; one `tls://` URL asks for TLS to all of them. The list is empty on failure.
    pub fn set_servers<'a>(&mut self, servers: impl IntoIterator<Item = &'a [u8]>) -> Result<()> {
        self.servers = Arc::default();
        let mut copies = Vec::new();
        for url in servers {
            memory::push(&mut copies, Text::copy(trim(url))?)?;
        }
        self.want_tls_for(copies.iter().any(|url| is_tls(url)))?;
        self.servers = Arc::new(copies);
        Ok(())
    }

    /// Asks for TLS, or not to ask for it; then all TLS settings are dropped.
    pub fn set_secure(&mut self, secure: bool) -> Result<()> {
        let settings = tls::Settings::new()?; // in a build without TLS this ends here
        self.secure_explicit = true;
        self.secure = secure;
        self.tls = match self.tls.take() {
            _ if !secure => None,
            Some(old) => Some(old),
            None => Some(Arc::new(settings)),
        };
        Ok(())
    }

    /// Asks for TLS from the first byte.
    pub fn set_tls_first(&mut self) -> Result<()> {
        self.change_tls(|_| Ok(()))?;
        self.secure = true;
        self.tls_first = true;
        Ok(())
    }

    /// Changes the TLS settings, which no connection may be using.
    pub fn change_tls(&mut self, change: impl FnOnce(&mut tls::Settings) -> Result<()>) -> Result<()> {
        let mut settings = match self.tls.take() {
            Some(settings) => settings,
            None => Arc::new(tls::Settings::new()?),
        };
        let result = match Arc::get_mut(&mut settings) {
            Some(settings) => change(settings),
            None => fail(
                Status::IllegalState,
                "options with TLS settings can't be modified while a connection made from them exists",
            ),
        };
        self.tls = Some(settings);
        result
    }

    /// Sets user and password. A password alone means nothing to a server and is dropped.
    pub fn set_user_info(&mut self, user: Option<&[u8]>, password: Option<&[u8]>) -> Result<()> {
        let password = user.and(password).map(Text::copy).transpose()?;
        self.user = user.map(Text::copy).transpose()?;
        self.password = password;
        Ok(())
    }

    /// Sets the token; not while there is a token handler.
    pub fn set_token(&mut self, token: Option<&[u8]>) -> Result<()> {
        if token.is_some() && self.token_handler.is_some() {
            return fail(Status::IllegalState, "Cannot set a token if a token handler has already been set");
        }
        self.token = token.map(Text::copy).transpose()?;
        Ok(())
    }

    /// Sets the token handler; not while there is a token.
    pub fn set_token_handler(&mut self, handler: Option<TokenHandler>) -> Result<()> {
        if handler.is_some() && self.token.is_some() {
            return fail(Status::IllegalState, "Cannot set a token handler if a token has already been set");
        }
        self.token_handler = handler;
        Ok(())
    }

    pub fn set_timeout(&mut self, ms: i64) -> Result<()> {
        self.timeout_ms = not_negative(ms)?;
        Ok(())
    }

    /// Bytes; 0 is the default size.
    pub fn set_io_buf_size(&mut self, size: i32) -> Result<()> {
        self.io_buf_size = match byte_count(size)? {
            0 => DEFAULT_IO_BUF_SIZE,
            size => size,
        };
        Ok(())
    }

    pub fn set_reconnect_wait(&mut self, ms: i64) -> Result<()> {
        self.reconnect_wait_ms = not_negative(ms)?;
        Ok(())
    }

    pub fn set_reconnect_jitter(&mut self, ms: i64, tls_ms: i64) -> Result<()> {
        let both = (not_negative(ms)?, not_negative(tls_ms)?);
        (self.reconnect_jitter_ms, self.reconnect_jitter_tls_ms) = both;
        Ok(())
    }

    pub fn set_reconnect_buf_size(&mut self, size: i32) -> Result<()> {
        self.reconnect_buf_size = byte_count(size)?;
        Ok(())
    }

    pub fn set_max_pending_msgs(&mut self, limit: i32) -> Result<()> {
        if limit <= 0 {
            return Err(Status::InvalidArg.into());
        }
        self.max_pending_msgs = limit;
        Ok(())
    }

    pub fn set_max_pending_bytes(&mut self, limit: i64) -> Result<()> {
        if limit <= 0 {
            return Err(Status::InvalidArg.into());
        }
        self.max_pending_bytes = Some(limit);
        Ok(())
    }

    /// The byte limit of a new subscription.
    pub fn pending_bytes_limit(&self) -> i64 {
        self.max_pending_bytes.unwrap_or(i64::from(self.max_pending_msgs) * 1024)
    }

    /// 0 (any), 4, 6, 46 (IPv4 first) or 64 (IPv6 first).
    pub fn set_ip_resolution_order(&mut self, order: i32) -> Result<()> {
        if !matches!(order, 0 | 4 | 6 | 46 | 64) {
            return Err(Status::InvalidArg.into());
        }
        self.ip_resolution_order = order;
        Ok(())
    }

    pub fn set_flusher_wait(&mut self, us: i64) -> Result<()> {
        self.flusher_wait_us = not_negative(us)?;
        Ok(())
    }

    pub fn set_write_deadline(&mut self, ms: i64) -> Result<()> {
        self.write_deadline_ms = not_negative(ms)?;
        Ok(())
    }

    pub fn set_message_buffer_padding(&mut self, size: i32) -> Result<()> {
        self.message_buffer_padding = byte_count(size)?;
        Ok(())
    }

    /// Without retry there is no connected handler either.
    pub fn set_retry_on_failed_connect(&mut self, retry: bool, connected: Option<ConnectionHandler>) {
        self.retry_on_failed_connect = retry;
        self.connected_handler = connected.filter(|_| retry);
    }

    /// Sets the prefix of reply subjects, without the dot after it. `None`, an empty one, and a refused one too,
    /// leave the default.
    pub fn set_custom_inbox_prefix(&mut self, prefix: Option<&[u8]>) -> Result<()> {
        self.custom_inbox_prefix = None;
        let Some(prefix) = prefix.filter(|prefix| !prefix.is_empty()) else { return Ok(()) };
        if !subject::is_valid_prefix(prefix) {
            return fail(Status::InvalidArg, format!("Invalid inbox prefix '{}'", shown(prefix)));
        }
        self.custom_inbox_prefix = Some(memory::concat(&[prefix, b"."])?.into());
        Ok(())
    }

    /// Both handlers or none; removes every other kind of JWT or NKey credentials.
    pub fn set_user_credentials_callbacks(
        &mut self,
        jwt: Option<UserJwtHandler>,
        signature: Option<SignatureHandler>,
    ) -> Result<()> {
        let credentials = match (jwt, signature) {
            (Some(jwt), Some(signature)) => Credentials::Callbacks { jwt, signature },
            (None, None) => Credentials::None,
            _ => return Err(Status::InvalidArg.into()),
        };
        self.set_credentials(credentials);
        Ok(())
    }

    /// File names; an empty one counts as none. Removes every other kind of JWT or NKey credentials.
    pub fn set_user_credentials_from_files(
        &mut self,
        chain: Option<&[u8]>,
        seed: Option<&[u8]>,
    ) -> Result<()> {
        let credentials = match (given(chain)?, given(seed)?) {
            (Some(chain), seed) => Credentials::Files { chain, seed },
            (None, None) => Credentials::None,
            (None, Some(_)) => return fail(Status::InvalidArg, "a seed file needs a file with the user JWT"),
        };
        self.set_credentials(credentials);
        Ok(())
    }

    /// JWT and seed like in a credentials file, not looked at here. Removes every other kind of JWT or NKey
    /// credentials.
    pub fn set_user_credentials_from_memory(&mut self, content: Option<&[u8]>) -> Result<()> {
        let content = content.map(Text::copy).transpose()?;
        self.set_credentials(content.map_or(Credentials::None, Credentials::Memory));
        Ok(())
    }

    /// Sets a public NKey and who signs with it, removing JWT credentials. Without a key the NKey is removed;
    /// a handler given then replaces that of credentials callbacks.
    pub fn set_nkey(&mut self, public_key: Option<&[u8]>, signature: Option<SignatureHandler>) -> Result<()> {
        match (given(public_key)?, signature) {
            (Some(public_key), Some(signature)) => {
                self.credentials = Credentials::None;
                self.nkey = NKey::Callback { public_key, signature };
            }
            (Some(_), None) => return Err(Status::InvalidArg.into()),
            (None, replacement) => {
                self.nkey = NKey::None;
                if let (Credentials::Callbacks { signature, .. }, Some(new)) =
                    (&mut self.credentials, replacement)
                {
                    *signature = new;
                }
            }
        }
        Ok(())
    }

    /// Sets a public NKey and the file with its seed; without a key removes NKey and JWT credentials.
    pub fn set_nkey_from_seed(&mut self, public_key: Option<&[u8]>, seed_file: Option<&[u8]>) -> Result<()> {
        let nkey = match (given(public_key)?, given(seed_file)?) {
            (Some(public_key), Some(seed_file)) => NKey::SeedFile { public_key, seed_file },
            (Some(_), None) => return Err(Status::InvalidArg.into()),
            (None, _) => NKey::None,
        };
        self.credentials = Credentials::None;
        self.nkey = nkey;
        Ok(())
    }

    fn set_credentials(&mut self, credentials: Credentials) {
        self.credentials = credentials;
        self.nkey = NKey::None;
    }

    /// TLS stays wanted when a later URL is not `tls://`.
    fn want_tls_for(&mut self, tls_url: bool) -> Result<()> {
        if !tls_url {
            return Ok(());
        }
        if self.tls.is_none() {
            let settings = tls::Settings::new()?;
            if !self.secure_explicit {
                self.tls = Some(Arc::new(settings));
            }
        }
        self.secure |= !self.secure_explicit;
        Ok(())
    }
}

/// Options that several threads may set.
pub struct SharedOptions(Mutex<Options>);

impl SharedOptions {
    pub fn new(options: Options) -> SharedOptions {
        SharedOptions(Mutex::new(options))
    }

    /// Works with the options. A child gets them whole and unlocked, whatever other threads of its parent did with them.
    pub fn with<T>(&self, work: impl FnOnce(&mut Options) -> T) -> T {
        fork::undisturbed(|| work(&mut self.0.lock()))
    }
}

pub(crate) fn not_negative(value: i64) -> Result<i64> {
    if value < 0 { Err(Status::InvalidArg.into()) } else { Ok(value) }
}

fn byte_count(value: i32) -> Result<usize> {
    usize::try_from(value).map_err(|_| Status::InvalidArg.into())
}

fn given(text: Option<&[u8]>) -> Result<Option<Text>> {
    text.filter(|text| !text.is_empty()).map(Text::copy).transpose()
}

fn is_tls(url: &[u8]) -> bool {
    url.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"tls://"))
}

/// Without the white space of C's `isspace` at both ends.
fn trim(text: &[u8]) -> &[u8] {
    let space = |b: &u8| matches!(b, b' ' | b'\t'..=b'\r');
    let Some(start) = text.iter().position(|b| !space(b)) else { return &[] };
    let end = text.iter().rposition(|b| !space(b)).map_or(start, |last| last + 1);
    &text[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> Text {
        Text::copy(bytes).unwrap()
    }

    fn options() -> Options {
        Options::new(&Defaults::default())
    }

    fn status(result: Result<()>) -> Status {
        result.map_or_else(|e| e.status(), |()| Status::Ok)
    }

    fn signer(signature: &'static [u8]) -> Option<SignatureHandler> {
        Some(Arc::new(move |_| Ok(signature.to_vec())))
    }

    fn jwt() -> Option<UserJwtHandler> {
        Some(Arc::new(|| Ok(b"JWT".to_vec())))
    }

    #[test]
    fn library_defaults_are_taken() {
        let o =
            Options::new(&Defaults { write_deadline_ms: 7, global_delivery: true, ..Defaults::default() });
        assert_eq!((o.write_deadline_ms, o.global_delivery), (7, true));
        assert_eq!((options().write_deadline_ms, options().global_delivery), (0, false));
    }

    #[cfg(feature = "tls")]
    #[test]
    fn urls_are_trimmed_and_may_ask_for_tls() {
        let mut o = options();
        o.set_url(Some(b" \x0b host:1\t\n")).unwrap();
        assert_eq!(o.url.as_deref(), Some(&b"host:1"[..]));
        assert!(!o.secure);
        o.set_url(Some(b"  TlS://x")).unwrap();
        assert!(o.secure);
        o.set_url(Some(b"nats://x")).unwrap();
        assert!(o.secure, "a plain URL does not take TLS back");
        o.set_url(None).unwrap();
        assert_eq!(o.url, None);
        o.set_url(Some(b" \t ")).unwrap();
        assert_eq!(o.url.as_deref(), Some(&b""[..]));
    }

    #[cfg(feature = "tls")]
    #[test]
    fn one_tls_server_is_enough_unless_tls_was_decided() {
        let mut o = options();
        o.set_servers([&b"a"[..], b" tls://b "]).unwrap();
        assert_eq!(*o.servers, [text(b"a"), text(b"tls://b")]);
        assert!(o.secure);

        let mut o = options();
        o.secure_explicit = true;
        o.set_servers([&b"tls://b"[..]]).unwrap();
        o.set_url(Some(b"tls://c")).unwrap();
        assert!(!o.secure);
    }

    #[cfg(feature = "tls")]
    #[test]
    fn settings_that_are_shared_are_locked() {
        let mut o = options();
        o.change_tls(|tls| tls.set_ciphers(b"HIGH")).unwrap();
        let connected = o.clone();
        let refused = o.change_tls(|_| Ok(())).unwrap_err();
        assert_eq!(refused.status(), Status::IllegalState);
        assert!(refused.text().contains("can't be modified"));
        assert_eq!(status(o.set_tls_first()), Status::IllegalState);
        assert!(!o.tls_first && !o.secure);
        o.set_secure(true).unwrap();
        drop(connected);
        o.set_tls_first().unwrap();
        assert!(o.tls_first && o.secure);

        let connected = o.clone();
        o.set_secure(false).unwrap();
        assert!(o.tls.is_none() && connected.tls.is_some());
        o.change_tls(|_| Ok(())).unwrap();
        assert!(!o.secure, "settings alone do not ask for TLS");
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn without_tls_nobody_can_ask_for_it() {
        let mut o = options();
        assert_eq!(status(o.set_secure(true)), Status::IllegalState);
        assert_eq!(status(o.set_secure(false)), Status::IllegalState);
        assert_eq!(status(o.set_tls_first()), Status::IllegalState);
        assert_eq!(status(o.set_url(Some(b" TLS://x"))), Status::IllegalState);
        assert_eq!(status(o.set_servers([&b"a"[..], b"tls://x"])), Status::IllegalState);
        assert!(!o.secure && o.url.is_none() && o.servers.is_empty());
        o.set_url(Some(b"nats://x")).unwrap();
    }

    #[test]
    fn a_lonely_password_is_dropped() {
        let mut o = options();
        o.set_user_info(None, Some(b"p")).unwrap();
        assert_eq!((&o.user, &o.password), (&None, &None));
        o.set_user_info(Some(b""), Some(b"p")).unwrap();
        assert_eq!((o.user, o.password), (Some(text(b"")), Some(text(b"p"))));
    }

    #[test]
    fn token_and_handler_exclude_each_other() {
        let mut o = options();
        let handler = || -> Option<TokenHandler> { Some(Arc::new(|| Ok(None))) };
        o.set_token(Some(b"")).unwrap();
        assert_eq!(status(o.set_token_handler(handler())), Status::IllegalState);
        assert_eq!(status(o.set_token_handler(None)), Status::Ok);
        o.set_token(None).unwrap();
        o.set_token_handler(handler()).unwrap();
        assert_eq!(status(o.set_token(Some(b"t"))), Status::IllegalState);
        assert_eq!(status(o.set_token(None)), Status::Ok);
        assert!(o.token.is_none() && o.token_handler.is_some());
    }

    #[test]
    fn bad_numbers_are_refused_and_keep_the_old_value() {
        let mut o = options();
        let refused = [
            o.set_timeout(-1),
            o.set_io_buf_size(-1),
            o.set_reconnect_wait(-1),
            o.set_reconnect_jitter(1, -1),
            o.set_reconnect_jitter(-1, 1),
            o.set_reconnect_buf_size(-1),
            o.set_max_pending_msgs(0),
            o.set_max_pending_bytes(0),
            o.set_ip_resolution_order(5),
            o.set_flusher_wait(-1),
            o.set_write_deadline(-1),
            o.set_message_buffer_padding(-1),
        ];
        for (i, result) in refused.into_iter().enumerate() {
            assert_eq!(status(result), Status::InvalidArg, "number {i}");
        }
        assert_eq!((o.timeout_ms, o.reconnect_wait_ms, o.reconnect_jitter_ms), (2000, 2000, 100));
        assert_eq!((o.io_buf_size, o.reconnect_buf_size), (32768, 8 << 20));
    }

    #[test]
    fn zero_is_accepted_where_it_means_something() {
        let mut o = options();
        o.set_timeout(0).unwrap();
        o.set_io_buf_size(0).unwrap();
        o.set_reconnect_buf_size(0).unwrap();
        for order in [0, 4, 6, 46, 64] {
            o.set_ip_resolution_order(order).unwrap();
        }
        assert_eq!((o.timeout_ms, o.io_buf_size, o.reconnect_buf_size), (0, 32768, 0));
    }

    #[test]
    fn pending_bytes_follow_the_messages_until_set() {
        let mut o = options();
        assert_eq!(o.pending_bytes_limit(), 65536 * 1024);
        o.set_max_pending_msgs(i32::MAX).unwrap();
        assert_eq!(o.pending_bytes_limit(), i64::from(i32::MAX) * 1024);
        o.set_max_pending_bytes(5).unwrap();
        assert_eq!(o.pending_bytes_limit(), 5);
    }

    #[test]
    fn a_refused_inbox_prefix_leaves_the_default() {
        let mut o = options();
        o.set_custom_inbox_prefix(Some(b"a*b")).unwrap();
        assert_eq!(o.custom_inbox_prefix.as_deref(), Some(&b"a*b."[..]));
        let refused = o.set_custom_inbox_prefix(Some(b"a.*")).unwrap_err();
        assert_eq!((refused.status(), refused.text()), (Status::InvalidArg, "Invalid inbox prefix 'a.*'"));
        assert_eq!(o.custom_inbox_prefix, None);
        assert_eq!(status(o.set_custom_inbox_prefix(Some(b"a."))), Status::InvalidArg);
        assert_eq!(status(o.set_custom_inbox_prefix(Some(b""))), Status::Ok);
    }

    #[test]
    fn the_connected_handler_needs_retry() {
        let mut o = options();
        let handler = || -> Option<ConnectionHandler> { Some(Arc::new(|_| ())) };
        o.set_retry_on_failed_connect(true, handler());
        assert!(o.retry_on_failed_connect && o.connected_handler.is_some());
        o.set_retry_on_failed_connect(false, handler());
        assert!(!o.retry_on_failed_connect && o.connected_handler.is_none());
    }

    #[test]
    fn jwt_credentials_replace_an_nkey() {
        let mut o = options();
        o.set_nkey(Some(b"PUB"), signer(b"s")).unwrap();
        assert_eq!(status(o.set_user_credentials_callbacks(jwt(), None)), Status::InvalidArg);
        assert_eq!(status(o.set_user_credentials_from_files(Some(b""), Some(b"s"))), Status::InvalidArg);
        assert!(matches!(o.nkey, NKey::Callback { .. }), "a refused setter changes nothing");
        o.set_user_credentials_callbacks(jwt(), signer(b"s")).unwrap();
        assert!(matches!((&o.nkey, &o.credentials), (NKey::None, Credentials::Callbacks { .. })));
        o.set_user_credentials_from_files(Some(b"c"), Some(b"")).unwrap();
        assert!(matches!(&o.credentials, Credentials::Files { chain, seed: None } if **chain == *b"c"));
        o.set_user_credentials_from_memory(Some(b"")).unwrap();
        assert!(matches!(&o.credentials, Credentials::Memory(content) if content.is_empty()));
        o.set_user_credentials_from_files(None, None).unwrap();
        assert!(matches!(o.credentials, Credentials::None));
    }

    #[test]
    fn an_nkey_replaces_jwt_credentials() {
        let mut o = options();
        o.set_user_credentials_from_memory(Some(b"m")).unwrap();
        assert_eq!(status(o.set_nkey(Some(b"PUB"), None)), Status::InvalidArg);
        assert_eq!(status(o.set_nkey_from_seed(Some(b"PUB"), Some(b""))), Status::InvalidArg);
        o.set_nkey(Some(b""), None).unwrap();
        assert!(matches!(o.credentials, Credentials::Memory(_)), "only the NKey is removed");
        o.set_nkey_from_seed(Some(b"PUB"), Some(b"f")).unwrap();
        assert!(matches!((&o.nkey, &o.credentials), (NKey::SeedFile { .. }, Credentials::None)));
        o.set_user_credentials_from_memory(Some(b"m")).unwrap();
        o.set_nkey_from_seed(None, Some(b"f")).unwrap();
        assert!(matches!((&o.nkey, &o.credentials), (NKey::None, Credentials::None)));
    }

    #[test]
    fn clearing_the_nkey_may_replace_the_signer_of_callbacks() {
        let mut o = options();
        o.set_user_credentials_callbacks(jwt(), signer(b"old")).unwrap();
        let signed = |o: &Options| match &o.credentials {
            Credentials::Callbacks { signature, .. } => signature(None).unwrap(),
            _ => panic!("the callbacks are gone"),
        };
        o.set_nkey(None, None).unwrap();
        assert_eq!(signed(&o), b"old");
        o.set_nkey(None, signer(b"new")).unwrap();
        assert_eq!(signed(&o), b"new");
    }
}
