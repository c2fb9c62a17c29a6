//! Seeds: as text that may be one, and as bytes from which a good one is made and then spoiled.

use data_encoding::{BASE32_NOPAD, Encoding, Specification};

use crate::proto::nkeys::KeyPair;

const KEY_LEN: usize = 32;
/// First bytes of account, cluster, server and user seeds.
const KINDS: [u8; 4] = [0, 2 << 3, 13 << 3, 20 << 3];

pub fn run(data: &[u8]) {
    text(data);
    if let [kind, position, secret @ ..] = data
        && let Some(secret) = secret.first_chunk::<KEY_LEN>()
    {
        made(*kind, *position, secret);
    }
}

/// What is taken for a seed is base32, long enough. Digits behind the last whole byte are let pass.
fn text(data: &[u8]) {
    let Ok(pair) = KeyPair::from_seed(data) else { return };
    assert!(data.iter().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7')), "only base32 is a seed");
    let Ok(raw) = lenient().decode(data) else { return };
    assert!(raw.len() >= KEY_LEN + 4);
    let secret = raw[2..].first_chunk::<KEY_LEN>().expect("long enough");
    assert_eq!(pair.sign(data), signature(secret, data));
}

/// Base32 whose last bits need not be zero.
fn lenient() -> Encoding {
    let mut specification: Specification = BASE32_NOPAD.specification();
    specification.check_trailing_bits = false;
    specification.encoding().expect("a valid encoding")
}

fn made(kind: u8, position: u8, secret: &[u8; KEY_LEN]) {
    let mut raw = vec![18 << 3 | kind >> 5, kind << 3];
    raw.extend_from_slice(secret);
    raw.extend_from_slice(&checksum(&raw).to_le_bytes());
    let seed = BASE32_NOPAD.encode(&raw);
    let pair = KeyPair::from_seed(seed.as_bytes());
    assert_eq!(pair.is_ok(), KINDS.contains(&kind));
    if let Ok(pair) = pair {
        assert_eq!(pair.sign(b"nonce"), signature(secret, b"nonce"));
        spoiled(seed.into_bytes(), usize::from(position));
    }
}

/// One other character, wherever it is, makes it no seed. (Of the last one only three bits count.)
fn spoiled(mut seed: Vec<u8>, position: usize) {
    let last = seed.len() - 1;
    let at = position % last;
    seed[at] = if seed[at] == b'A' { b'B' } else { b'A' };
    assert!(KeyPair::from_seed(&seed).is_err(), "character {at}");
    seed.truncate(at);
    assert!(KeyPair::from_seed(&seed).is_err(), "cut at {at}");
}

fn signature(secret: &[u8; KEY_LEN], message: &[u8]) -> [u8; 64] {
    use ed25519_dalek::{Signer, SigningKey};
    SigningKey::from_bytes(secret).sign(message).to_bytes()
}

/// CRC-16/XMODEM, bit by bit over the whole.
fn checksum(data: &[u8]) -> u16 {
    let mut crc = 0u32;
    for byte in data {
        for bit in (0..8).rev() {
            let top = crc >> 15 & 1 ^ u32::from(byte >> bit & 1);
            crc = crc << 1 & 0xffff ^ if top == 1 { 0x1021 } else { 0 };
        }
    }
    crc as u16
}
