//! Server URLs, alone and as a list separated by line ends.

use rand::{SeedableRng, rngs::SmallRng};

use crate::proto::url::ServerUrl;
use crate::session::pool::ServerPool;

pub fn run(data: &[u8]) {
    let lines: Vec<Vec<u8>> = data.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let parsed: Vec<_> = lines.iter().filter_map(|line| one(line)).collect();
    one(data);
    list(&lines, parsed.len() == lines.len());
}

/// Checks one URL; gives it when it is one.
fn one(text: &[u8]) -> Option<ServerUrl> {
    let url = ServerUrl::parse(text).inspect_err(|error| assert!(!error.text().is_empty())).ok()?;
    assert!(!url.host.is_empty() && url.port <= i32::MAX as u32);
    assert!(url.user.as_ref().is_none_or(|user| !user.is_empty() && !user.contains(&0)));
    assert!(url.password.as_ref().is_none_or(|password| !password.contains(&0)));
    assert!(url.resolvable_host().len() <= url.host.len());
    let _ = (url.is_ip(), url.is_tls());
    public_form_carries_no_credentials(&url);
    canonical_form_is_stable(&url);
    Some(url)
}

fn public_form_carries_no_credentials(url: &ServerUrl) {
    let host_port = url.host_port().expect("there is memory");
    assert_eq!(url.public().expect("there is memory"), [b"nats://", &host_port[..]].concat());
    assert!(!url.host.contains(&b'@'), "an @ always ends the credentials");
}

/// The canonical form means the same. Not so for a password without a user, which gets no `@`.
fn canonical_form_is_stable(url: &ServerUrl) {
    if url.user.is_none() && url.password.is_some() {
        return;
    }
    let again = ServerUrl::parse(&url.full).expect("the canonical form is a URL");
    let empty_is_none = |password: &Option<Vec<u8>>| password.clone().filter(|text| !text.is_empty());
    assert_eq!((&again.host, again.port, &again.path), (&url.host, url.port, &url.path));
    assert_eq!((&again.scheme, &again.user), (&url.scheme, &url.user));
    assert_eq!(empty_is_none(&again.password), empty_is_none(&url.password));
}

/// A pool takes all or nothing, keeps the order and starts with the single URL.
fn list(urls: &[Vec<u8>], all_good: bool) {
    let mut rng = SmallRng::seed_from_u64(1);
    let pool = ServerPool::new(None, urls, false, &mut rng);
    assert_eq!(pool.is_ok(), all_good);
    let Ok(pool) = pool else { return };
    assert_eq!(pool.len(), urls.len());
    let user = pool.iter().find_map(|server| server.url.user.as_deref());
    assert_eq!(pool.default_credentials().map(|(user, _)| user), user);

    let first = urls[0].as_slice();
    let shuffled = ServerPool::new(Some(first), urls, true, &mut rng).expect("all are good");
    assert_eq!(shuffled.len(), urls.len() + 1);
    assert_eq!(
        shuffled.current().map(|server| &server.url),
        pool.iter().next().map(|server| &server.url),
        "the single URL is first"
    );
    let sorted = |pool: &ServerPool| {
        let mut urls = pool.public_urls(false).expect("there is memory");
        urls.sort();
        urls.dedup();
        urls
    };
    assert_eq!(sorted(&shuffled), sorted(&pool));
    assert!(pool.public_urls(true).expect("there is memory").is_empty(), "none was discovered");
}
