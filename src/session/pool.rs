//! The servers a connection may use, and the order in which they are tried.

use std::collections::HashSet;
use std::sync::Arc;

use rand::Rng;
use rand::seq::SliceRandom;

use crate::error::{Result, Status};
use crate::proto::info::{self, ServerInfo};
use crate::proto::memory::{self, Text};
use crate::proto::url::{DEFAULT_URL, ServerUrl};

/// The kinds of authentication errors that are remembered per server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthError {
    Violation,
    Expired,
}

/// One server of the pool; a copy shares its texts.
#[derive(Clone, Debug)]
pub struct Server {
    pub url: Arc<ServerUrl>,
    /// What tells two servers of the pool apart.
    key: Key,
    /// What tells whether a server is new: all names of this machine are one.
    seen_key: Key,
    /// Announced by a server, not named by the program.
    pub implicit: bool,
    /// Attempts to reconnect since the last success.
    pub attempts: i32,
    /// A handshake with it succeeded at least once.
    pub did_connect: bool,
    /// Host name to verify in its certificate in place of the URL's host.
    pub tls_name: Option<Text>,
    /// The authentication error it answered last, forgotten on success.
    pub last_auth_error: Option<AuthError>,
}

/// Made once, then shared by all that remember it.
type Key = Arc<Vec<u8>>;

impl Server {
    fn new(url: ServerUrl, implicit: bool) -> Result<Server> {
        let named_local = is_localhost(&url.host);
        let local = named_local || matches!(url.host.as_slice(), b"127.0.0.1" | b"[::1]");
        let local_key = || Key::new(format!("localhost:{}", url.port).into_bytes());
        let key = if named_local { local_key() } else { Key::new(url.host_port()?) };
        let seen_key = if local { local_key() } else { Key::clone(&key) };
        Ok(Server {
            url: Arc::new(url),
            key,
            seen_key,
            implicit,
            attempts: 0,
            did_connect: false,
            tls_name: None,
            last_auth_error: None,
        })
    }

    fn explicit(url: &[u8]) -> Result<Server> {
        Server::new(ServerUrl::parse(url)?, false)
    }
}

/// Most addresses that are remembered after they left the pool.
const MAX_SEEN: usize = 2 * info::MAX_URLS;

/// The addresses that one INFO announces, taken apart and told apart before anything is locked.
#[derive(Debug, Default)]
pub struct Announced {
    /// In the order of the list.
    servers: Vec<Server>,
    keys: HashSet<Key>,
}

impl Announced {
    /// Addresses without a port are left out. `NO_MEMORY` if the list is too long for what there is.
    pub fn new(info: &ServerInfo) -> Result<Announced> {
        let count = info.connect_urls.len();
        let mut all = Announced::default();
        all.servers.try_reserve_exact(count)?;
        all.keys.try_reserve(count)?;
        for entry in &info.connect_urls {
            let Some(url) = parse_announced(entry)? else { continue };
            let server = Server::new(url, true)?;
            if all.keys.insert(Key::clone(&server.key)) {
                all.servers.push(server);
            }
        }
        Ok(all)
    }
}

/// Never empty when made; reconnecting drops servers that failed too often.
#[derive(Debug)]
pub struct ServerPool {
    servers: Vec<Server>,
    current: Option<usize>,
    /// Every address ever in the pool, up to [`MAX_SEEN`]: only others count as discovered.
    seen: HashSet<Key>,
    /// The URL whose user and password are the defaults.
    credentials: Option<Arc<ServerUrl>>,
}

impl ServerPool {
    /// The pool of a connection: `servers`, shuffled if `randomize`, with `url` put in front (what was first
    /// goes last). Without any, the default URL. Fails on the first URL that does not parse.
    pub fn new(
        url: Option<&[u8]>,
        servers: &[impl AsRef<[u8]>],
        randomize: bool,
        rng: &mut impl Rng,
    ) -> Result<ServerPool> {
        let mut all = Vec::new();
        all.try_reserve_exact(servers.len() + 1)?;
        for url in servers {
            all.push(Server::explicit(url.as_ref())?);
        }
        let first = url.map(Server::explicit).transpose()?;
        let with_user = all.iter().chain(&first).find(|server| server.url.user.is_some());
        let credentials = with_user.map(|server| Arc::clone(&server.url));
        if randomize {
            all.shuffle(rng);
        }
        if let Some(first) = first {
            all.push(first);
            let last = all.len() - 1;
            all.swap(0, last);
        }
        if all.is_empty() {
            all.push(Server::explicit(DEFAULT_URL)?);
        }
        let seen = seen_keys(&all)?;
        Ok(ServerPool { servers: all, current: Some(0), seen, credentials })
    }

    /// The server in use or being tried; None once the pool is empty.
    pub fn current(&self) -> Option<&Server> {
        self.servers.get(self.current?)
    }

    /// The same, to be changed.
    pub fn current_mut(&mut self) -> Option<&mut Server> {
        self.servers.get_mut(self.current?)
    }

    pub fn len(&self) -> usize {
        self.servers.len()
    }

    pub fn is_empty(&self) -> bool {
        self.servers.is_empty()
    }

    /// The servers in the order in which they would be tried.
    pub fn iter(&self) -> impl Iterator<Item = &Server> {
        self.servers.iter()
    }

    /// Makes the server at `index` current without moving it: for the initial pass over the pool.
    /// Beyond the end there is no current server.
    pub fn select(&mut self, index: usize) {
        self.current = (index < self.servers.len()).then_some(index);
    }

    /// The server to try next after the current one was lost or failed: the first, once the current one went
    /// to the end, or out of the pool when it had its `max_reconnect` attempts (negative: no limit).
    pub fn next(&mut self, max_reconnect: i32) -> Option<&Server> {
        if let Some(index) = self.current.take().filter(|index| *index < self.servers.len()) {
            let lost = self.servers.remove(index);
            if max_reconnect < 0 || lost.attempts < max_reconnect {
                self.servers.push(lost);
            }
        }
        self.select(0);
        self.current()
    }

    /// Call after a successful handshake: the current server's attempts and its authentication error are
    /// forgotten.
    /// Returns how many attempts there were.
    pub fn reset_attempts_of_current(&mut self) -> i32 {
        let Some(server) = self.current_mut() else { return 0 };
        server.did_connect = true;
        server.last_auth_error = None;
        std::mem::take(&mut server.attempts)
    }

    /// Takes over the addresses a server announced; true when one was never seen before (then the discovered
    /// callback is due). An empty list changes nothing, nor does one for which there is no memory.
    ///
    /// Discovered servers that are no longer announced go, except the current one. If something was new and
    /// `randomize` is set, all but the first are shuffled.
    pub fn update(&mut self, announced: Announced, randomize: bool, rng: &mut impl Rng) -> bool {
        let mut known = HashSet::new();
        if announced.servers.is_empty() || self.reserve(announced.servers.len(), &mut known).is_err() {
            return false;
        }
        let name = self.current().filter(|server| !server.url.is_ip()).map(|s| Text::copy(&s.url.host));
        let Ok(tls_name) = name.transpose() else { return false };
        self.drop_unannounced(&announced.keys, &mut known);
        let mut discovered = false;
        for server in announced.servers {
            if !known.contains(&server.key) {
                discovered |= self.seen.insert(Key::clone(&server.seen_key));
                self.servers.push(Server { tls_name: tls_name.clone(), ..server });
            }
        }
        if discovered && randomize {
            self.shuffle_tail(rng);
        }
        discovered
    }

    /// What servers without credentials of their own use: user and password (a user alone is a token) of the
    /// first URL of the program that has a user, in the order given, the single URL last.
    pub fn default_credentials(&self) -> Option<(&[u8], Option<&[u8]>)> {
        let url = self.credentials.as_ref()?;
        Some((url.user.as_deref()?, url.password.as_deref()))
    }

    /// The URLs without credentials, all or only the discovered ones, in pool order.
    pub fn public_urls(&self, only_discovered: bool) -> Result<Vec<Vec<u8>>> {
        let mut urls = Vec::new();
        for server in self.servers.iter().filter(|server| server.implicit || !only_discovered) {
            memory::push(&mut urls, server.url.public()?)?;
        }
        Ok(urls)
    }

    /// Makes room for so many more servers, and in `known` for the keys of the present ones.
    fn reserve(&mut self, more: usize, known: &mut HashSet<Key>) -> Result<()> {
        if self.seen.len() > MAX_SEEN {
            let in_pool = seen_keys(&self.servers)?;
            self.seen.retain(|key| in_pool.contains(key));
        }
        self.seen.try_reserve(more)?;
        self.servers.try_reserve(more)?;
        known.try_reserve(self.servers.len())?;
        Ok(())
    }

    /// Puts the keys of those that stay into `known`.
    fn drop_unannounced(&mut self, announced: &HashSet<Key>, known: &mut HashSet<Key>) {
        let mut current = self.current;
        let mut index = 0;
        let mut kept = 0;
        self.servers.retain(|server| {
            let is_current = self.current == Some(index);
            let keep = is_current || !server.implicit || announced.contains(&server.key);
            if is_current {
                current = Some(kept);
            }
            index += 1;
            if keep {
                kept += 1;
                known.insert(Key::clone(&server.key));
            }
            keep
        });
        self.current = current;
    }

    /// Shuffles all but the first server; the current one stays current.
    fn shuffle_tail(&mut self, rng: &mut impl Rng) {
        for index in (2..self.servers.len()).rev() {
            let other = rng.random_range(1..=index);
            self.servers.swap(index, other);
            self.current = match self.current {
                Some(current) if current == index => Some(other),
                Some(current) if current == other => Some(index),
                current => current,
            };
        }
    }
}

/// `None` for an address without a port, or one that is no URL.
fn parse_announced(entry: &str) -> Result<Option<ServerUrl>> {
    let entry = entry.trim();
    let Some((host, port)) = entry.rsplit_once(':') else { return Ok(None) };
    let host = if is_localhost(host.as_bytes()) { "localhost" } else { host };
    let url = memory::concat(&[b"nats://", host.as_bytes(), b":", port.as_bytes()])?;
    match ServerUrl::parse(&url) {
        Err(error) if error.status() == Status::NoMemory => Err(error),
        url => Ok(url.ok()),
    }
}

fn seen_keys(servers: &[Server]) -> Result<HashSet<Key>> {
    let mut keys = HashSet::new();
    keys.try_reserve(servers.len())?;
    keys.extend(servers.iter().map(|server| Key::clone(&server.seen_key)));
    Ok(keys)
}

fn is_localhost(host: &[u8]) -> bool {
    host.eq_ignore_ascii_case(b"localhost")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::SmallRng};

    fn rng() -> SmallRng {
        SmallRng::seed_from_u64(7)
    }

    fn bytes(urls: &[&str]) -> Vec<Vec<u8>> {
        urls.iter().map(|url| url.as_bytes().to_vec()).collect()
    }

    fn pool(urls: &[&str]) -> ServerPool {
        ServerPool::new(None, &bytes(urls), false, &mut rng()).unwrap()
    }

    fn order(pool: &ServerPool) -> Vec<String> {
        pool.iter().map(|server| String::from_utf8(server.url.host_port().unwrap()).unwrap()).collect()
    }

    fn current(pool: &ServerPool) -> String {
        String::from_utf8(pool.current().unwrap().url.host_port().unwrap()).unwrap()
    }

    fn announced(urls: impl Iterator<Item = String>) -> Announced {
        Announced::new(&ServerInfo { connect_urls: urls.collect(), ..ServerInfo::default() }).unwrap()
    }

    fn announce(pool: &mut ServerPool, urls: &[&str]) -> bool {
        pool.update(announced(urls.iter().map(|url| url.to_string())), false, &mut rng())
    }

    /// Next server, counted as an attempt.
    fn attempt(pool: &mut ServerPool, max: i32) -> Option<String> {
        pool.next(max)?;
        pool.current_mut().unwrap().attempts += 1;
        Some(current(pool))
    }

    #[test]
    fn the_url_goes_first_and_the_first_server_last() {
        let servers = bytes(&["nats://a:1", "nats://b:2", "nats://c:3"]);
        let pool = ServerPool::new(Some(b"nats://u:9"), &servers, false, &mut rng()).unwrap();
        assert_eq!(order(&pool), ["u:9", "b:2", "c:3", "a:1"]);
        assert_eq!(current(&pool), "u:9");
    }

    #[test]
    fn the_default_url_is_only_for_an_empty_list() {
        let pool = ServerPool::new(None, &[""; 0], true, &mut rng()).unwrap();
        assert_eq!(pool.public_urls(false).unwrap(), [b"nats://localhost:4222".to_vec()]);
        assert_eq!(order(&self::pool(&["nats://a:1"])), ["a:1"]);
    }

    #[test]
    fn randomising_spares_the_url() {
        let names: Vec<String> = (0..20).map(|i| format!("nats://s{i}:1")).collect();
        let names: Vec<Vec<u8>> = names.into_iter().map(String::into_bytes).collect();
        let shuffled = ServerPool::new(Some(b"nats://u:9"), &names, true, &mut rng()).unwrap();
        let straight = ServerPool::new(Some(b"nats://u:9"), &names, false, &mut rng()).unwrap();
        let (mut a, mut b) = (order(&shuffled), order(&straight));
        assert_eq!(a[0], "u:9");
        assert_ne!(a, b);
        a.sort();
        b.sort();
        assert_eq!(a, b);
    }

    #[test]
    fn a_bad_url_anywhere_fails() {
        let bad = bytes(&["nats://a:1", "nats://b:x"]);
        assert!(ServerPool::new(None, &bad, false, &mut rng()).is_err());
        assert!(ServerPool::new(Some(b"nats://b:x"), &[""; 0], false, &mut rng()).is_err());
    }

    #[test]
    fn the_same_server_may_be_named_twice() {
        assert_eq!(order(&pool(&["nats://a:1", "nats://a:1"])), ["a:1", "a:1"]);
    }

    #[test]
    fn credentials_come_from_the_first_url_with_a_user_in_the_order_given() {
        let first = |url: Option<&[u8]>, servers: &[&str], randomize| {
            let pool = ServerPool::new(url, &bytes(servers), randomize, &mut rng()).unwrap();
            pool.default_credentials().map(|(user, password)| (user.to_vec(), password.map(<[u8]>::to_vec)))
        };
        let with = |user: &str, password: &str| Some((user.into(), Some(password.into())));
        let (u2, u3) = ("nats://u2:p2@h:2", "nats://u3:p3@h:3");
        assert_eq!(first(Some(b"nats://u1:p1@h:1"), &[u2], false), with("u2", "p2"));
        assert_eq!(first(Some(b"nats://u1:p1@h:1"), &["nats://h:2"], false), with("u1", "p1"));
        for seed in 0..8 {
            let mut rng = SmallRng::seed_from_u64(seed);
            let pool = ServerPool::new(None, &bytes(&["nats://h:1", u2, u3]), true, &mut rng).unwrap();
            assert_eq!(pool.default_credentials(), Some((&b"u2"[..], Some(&b"p2"[..]))));
        }
        assert_eq!(first(None, &["nats://tok@h:1", u3], false), Some((b"tok".to_vec(), None)));
        assert_eq!(first(None, &["nats://:p2@h:1", u3], false), with("u3", "p3"));
        assert_eq!(first(None, &["nats://h:1"], false), None);
    }

    #[test]
    fn rotation_goes_round_the_pool() {
        let mut pool = pool(&["nats://a:1", "nats://b:1", "nats://c:1"]);
        let tried: Vec<_> = (0..4).map(|_| attempt(&mut pool, -1).unwrap()).collect();
        assert_eq!(tried, ["b:1", "c:1", "a:1", "b:1"]);
        assert_eq!(order(&pool), ["b:1", "c:1", "a:1"]);
    }

    #[test]
    fn a_failed_initial_pass_starts_again_at_the_front() {
        let mut pool = pool(&["nats://a:1", "nats://c:1", "nats://b:1"]);
        pool.select(2);
        let tried: Vec<_> = std::iter::from_fn(|| attempt(&mut pool, 2)).collect();
        assert_eq!(tried, ["a:1", "c:1", "b:1", "a:1", "c:1", "b:1"]);
        assert!(pool.is_empty() && pool.current().is_none());
        assert!(pool.public_urls(false).unwrap().is_empty());
    }

    #[test]
    fn attempts_are_limited_per_server() {
        let mut one = pool(&["nats://a:1"]);
        assert_eq!(std::iter::from_fn(|| attempt(&mut one, 2)).count(), 2);
        let mut none = pool(&["nats://a:1"]);
        assert_eq!(attempt(&mut none, 0), None);
    }

    #[test]
    fn no_reconnects_still_gives_the_other_server_one_attempt() {
        let mut pool = pool(&["nats://a:1", "nats://b:1"]);
        pool.next(0);
        assert_eq!((pool.len(), current(&pool).as_str()), (1, "b:1"));
        pool.current_mut().unwrap().attempts += 1;
        assert!(pool.next(0).is_none());
    }

    #[test]
    fn success_wipes_what_a_server_did_wrong() {
        let mut pool = pool(&["nats://a:1"]);
        let server = pool.current_mut().unwrap();
        server.attempts = 5;
        server.last_auth_error = Some(AuthError::Expired);
        assert!(!server.did_connect);
        pool.reset_attempts_of_current();
        let server = pool.current().unwrap();
        assert_eq!((server.attempts, server.last_auth_error, server.did_connect), (0, None, true));
    }

    #[test]
    fn announced_servers_are_appended_in_order() {
        let mut pool = pool(&["nats://127.0.0.1:4222"]);
        assert!(announce(&mut pool, &["a:1", "b:2"]));
        assert!(announce(&mut pool, &["c:3", "b:2", "a:1"]));
        assert_eq!(order(&pool), ["127.0.0.1:4222", "a:1", "b:2", "c:3"]);
        assert_eq!(pool.public_urls(true).unwrap(), bytes(&["nats://a:1", "nats://b:2", "nats://c:3"]));
        assert!(pool.iter().skip(1).all(|server| server.implicit));
        assert!(!announce(&mut pool, &[]));
        assert_eq!(pool.len(), 4, "an empty list changes nothing");
    }

    #[test]
    fn a_server_that_left_is_removed_and_comes_back_without_news() {
        let mut pool = pool(&["nats://h:1"]);
        assert!(announce(&mut pool, &["a:1", "b:2"]));
        assert!(!announce(&mut pool, &["b:2"]));
        assert_eq!(order(&pool), ["h:1", "b:2"]);
        assert!(!announce(&mut pool, &["a:1", "b:2"]));
        assert_eq!(order(&pool), ["h:1", "b:2", "a:1"]);
    }

    #[test]
    fn the_current_server_and_the_explicit_ones_stay() {
        let mut pool = pool(&["nats://h:1", "nats://g:1"]);
        announce(&mut pool, &["a:1", "b:2", "c:3"]);
        pool.select(3);
        assert_eq!(current(&pool), "b:2");
        assert!(announce(&mut pool, &["d:4"]));
        assert_eq!(order(&pool), ["h:1", "g:1", "b:2", "d:4"]);
        assert_eq!(current(&pool), "b:2");
    }

    #[test]
    fn a_dropped_server_that_is_announced_again_is_no_news() {
        let mut pool = pool(&["nats://a:1", "nats://b:1"]);
        pool.next(0);
        assert!(!announce(&mut pool, &["a:1", "b:1"]));
        assert_eq!(order(&pool), ["b:1", "a:1"]);
        assert!(pool.iter().nth(1).unwrap().implicit);
    }

    #[test]
    fn the_names_of_this_machine_count_as_one() {
        let mut pool = pool(&["nats://h:1"]);
        assert!(announce(&mut pool, &["localhost:5000"]));
        for same in ["127.0.0.1:5000", "[::1]:5000", "LOCALHOST:5000"] {
            assert!(!announce(&mut pool, &[same]), "{same}");
            assert_eq!(pool.len(), 2, "{same} is in the pool all the same");
        }
        assert!(announce(&mut pool, &["localhost:5001"]));
        assert!(announce(&mut pool, &["127.0.0.2:5000"]));
        let mut explicit = self::pool(&["nats://localhost:4222"]);
        assert!(!announce(&mut explicit, &["127.0.0.1:4222"]));
        assert_eq!(order(&explicit), ["localhost:4222", "127.0.0.1:4222"]);
    }

    #[test]
    fn only_localhost_is_lower_cased() {
        let mut pool = pool(&["nats://h:1"]);
        announce(&mut pool, &["LOCALHOST:5000", "LocalHost:5001", "Foo:1", "foo:1"]);
        assert_eq!(order(&pool), ["h:1", "localhost:5000", "localhost:5001", "Foo:1", "foo:1"]);
        assert!(!announce(&mut pool, &["LOCALHOST:5000", "LocalHost:5001", "Foo:1", "foo:1"]));
        assert_eq!(pool.len(), 5);
    }

    #[test]
    fn odd_entries_are_left_out_and_doubles_taken_once() {
        let mut pool = pool(&["nats://h:1"]);
        assert!(announce(&mut pool, &["a", "", "c:x", "b:1", "b:1", " d:4 "]));
        assert_eq!(order(&pool), ["h:1", "b:1", "d:4"]);
        assert!(!announce(&mut pool, &["a", ""]));
        assert_eq!(pool.len(), 3, "nothing usable is as good as nothing");
    }

    #[test]
    fn discovered_servers_inherit_the_name_to_verify() {
        let mut named = pool(&["nats://h.example:1"]);
        announce(&mut named, &["10.0.0.1:1"]);
        let inherited = named.iter().nth(1).unwrap().tls_name.as_deref();
        assert_eq!(inherited, Some(&b"h.example"[..]));
        let mut by_address = pool(&["nats://10.0.0.2:1"]);
        announce(&mut by_address, &["10.0.0.1:1"]);
        assert_eq!(by_address.iter().nth(1).unwrap().tls_name, None);
    }

    #[test]
    fn news_shuffle_all_but_the_first() {
        let mut pool = pool(&["nats://h:1", "nats://g:1"]);
        pool.select(1);
        let names: Vec<String> = (0..20).map(|i| format!("s{i}:1")).collect();
        assert!(pool.update(announced(names.iter().cloned()), true, &mut rng()));
        let after = order(&pool);
        assert_eq!((after[0].as_str(), current(&pool).as_str(), after.len()), ("h:1", "g:1", 22));
        assert_ne!(after[2..], names);
        assert!(!pool.update(announced(names.iter().cloned()), true, &mut rng()));
        assert_eq!(order(&pool), after, "no news, no shuffle");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut pool = pool(&["nats://h:1"]);
        for round in 0..5 {
            let urls = (0..info::MAX_URLS).map(|i| format!("h{round}-{i}:1"));
            assert!(pool.update(announced(urls), false, &mut rng()));
            assert_eq!(pool.len(), 1 + info::MAX_URLS);
            assert!(pool.seen.len() <= MAX_SEEN + info::MAX_URLS, "{}", pool.seen.len());
        }
        assert!(!announce(&mut pool, &["h4-1:1"]), "it was there until now");
    }
}
