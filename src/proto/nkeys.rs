//! NKeys: Ed25519 keys whose seeds are written in base32, used to sign what the server asks for.

use crc::{CRC_16_XMODEM, Crc};
use data_encoding::{BASE32_NOPAD, Encoding};
use ed25519_dalek::{Signer, SigningKey};
use zeroize::Zeroizing;

use crate::error::{Result, Status, fail};
use crate::proto::memory;

/// Two prefix bytes, the key, the checksum.
const PREFIX_LEN: usize = 2;
const KEY_LEN: usize = 32;
const CHECKSUM_LEN: usize = 2;
const MIN_LEN: usize = PREFIX_LEN + CHECKSUM_LEN;
/// Length of a signature in bytes.
pub(crate) const SIGNATURE_LEN: usize = 64;

/// Upper five bits of the first byte: the letter `S`.
const SEED: u8 = 18 << 3;
/// The kinds of key that may sign, as letters: account, cluster, server, user.
const KINDS: [u8; 4] = [0, 2 << 3, 13 << 3, 20 << 3];

/// A signing key. Its secret is wiped when dropped.
pub(crate) struct KeyPair {
    key: SigningKey,
}

impl KeyPair {
    /// Takes an encoded seed (`SU...`); no blanks are allowed around it.
    ///
    /// Fails with `ERR` when the text is not such a seed.
    pub(crate) fn from_seed(encoded: &[u8]) -> Result<KeyPair> {
        let raw = decode_base32(encoded)?;
        if raw.len() < MIN_LEN {
            return fail(Status::Err, "invalid encoded key");
        }
        let (data, checksum) = raw.split_at(raw.len() - CHECKSUM_LEN);
        if crc16(data).to_le_bytes() != checksum {
            return fail(Status::Err, "invalid checksum");
        }
        // The kind of key lies across the byte border: three bits, then five.
        if data[0] & 0xf8 != SEED {
            return fail(Status::Err, "invalid seed");
        }
        let kind = data[0] << 5 | data[1] >> 3;
        if !KINDS.contains(&kind) {
            return fail(Status::Err, "invalid prefix byte");
        }
        let Some(secret) = data[PREFIX_LEN..].first_chunk::<KEY_LEN>() else {
            return fail(Status::Err, "invalid encoded key");
        };
        Ok(KeyPair { key: SigningKey::from_bytes(secret) })
    }

    /// The raw Ed25519 signature of `message`.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_LEN] {
        self.key.sign(message).to_bytes()
    }
}

/// Decodes base32 without padding (`A-Z2-7`). Bits that do not fill a byte at the end are dropped.
fn decode_base32(encoded: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(Vec::new());
    // It never grows, so that no copy of the secret is left behind.
    text.try_reserve_exact(encoded.len() + 1)?;
    text.extend_from_slice(encoded);
    // A digit of which no bit was used makes the text too long: it goes into a byte more, the checksum will
    // not match.
    if matches!(encoded.len() % 8, 1 | 3 | 6) {
        text.push(b'A');
    }
    let base32 = lenient_base32();
    let mut decoded = Zeroizing::new(memory::zeros(base32.decode_len(text.len()).unwrap_or_default())?);
    match base32.decode_mut(&text, &mut decoded) {
        Ok(_) => Ok(decoded),
        Err(partial) => {
            fail(Status::Err, format!("base32: invalid data at location {}", partial.error.position + 1))
        }
    }
}

/// Base32 whose last bits need not be zero.
fn lenient_base32() -> Encoding {
    let mut specification = BASE32_NOPAD.specification();
    specification.check_trailing_bits = false;
    specification.encoding().expect("only more is allowed than before")
}

/// The checksum of keys.
pub(crate) fn crc16(data: &[u8]) -> u16 {
    const CRC: Crc<u16> = Crc::<u16>::new(&CRC_16_XMODEM);
    CRC.checksum(data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::BASE64URL_NOPAD;

    const USER: &str = "SUAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H776Y";

    fn failure(seed: &str) -> String {
        let error = KeyPair::from_seed(seed.as_bytes()).err().expect("a bad seed");
        assert_eq!(error.status(), Status::Err);
        error.text().to_owned()
    }

    #[test]
    fn known_signatures() {
        for (seed, signature) in [
            (
                "SUAMK2FG4MI6UE3ACF3FK3OIQBCEIEZV7NSWFFEW63UXMRLFM2XLAXK4GY",
                "m50It12aTgfbJwsQhucujqhXbsq7tLM-Mf_hSjBQsG_4onm8y2Vkw6JG1bbcDkdxXe-Ng0K-7X9ov4rZ4wFcDg",
            ),
            (
                "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY",
                "AVfpO7Pw3rc56hoO1OJcFxXUCfBmO2qouchBchSlL45Fuur9zS15UzytEI1QC5wwVG7uiHIdqyfmOS6uPrwqCg",
            ),
        ] {
            let signed = KeyPair::from_seed(seed.as_bytes()).unwrap().sign(b"nonce");
            assert_eq!(BASE64URL_NOPAD.encode(&signed), signature);
        }
    }

    #[test]
    fn kinds_of_key() {
        let signature = KeyPair::from_seed(USER.as_bytes()).unwrap().sign(b"nonce");
        for seed in [
            "SAAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4HYMHI",
            "SNAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H2D5U",
            "SCAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4HYO7Q",
            // More than the key needs, and unused bits at the end.
            "SUAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4HZAXNKA",
            "SUAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H776Z",
        ] {
            assert_eq!(KeyPair::from_seed(seed.as_bytes()).unwrap().sign(b"nonce"), signature, "{seed}");
        }
        for seed in [
            "SOAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H2AJA",
            "SXAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H74KM",
            "SBAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4HYNLE",
            "SPAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H2BFM",
        ] {
            assert_eq!(failure(seed), "invalid prefix byte");
        }
        assert_eq!(failure("UUAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H3UAM"), "invalid seed");
    }

    /// As the digits come, without a look at how many there are.
    fn decoded_slowly(encoded: &[u8]) -> Vec<u8> {
        let (mut bits, mut count, mut decoded) = (0u32, 0, Vec::new());
        for digit in encoded.iter().map(|byte| if *byte < b'A' { byte - b'2' + 26 } else { byte - b'A' }) {
            (bits, count) = (bits << 5 | u32::from(digit), count + 5);
            if count >= 8 {
                count -= 8;
                decoded.push((bits >> count) as u8);
            }
        }
        if count >= 5 {
            decoded.push((bits << (8 - count)) as u8);
        }
        decoded
    }

    #[test]
    fn any_number_of_digits_is_decoded() {
        let digits = format!("{USER}7654ZYXWV2");
        for len in 0..digits.len() {
            let text = &digits.as_bytes()[..len];
            assert_eq!(*decode_base32(text).unwrap(), decoded_slowly(text), "{len}");
        }
    }

    #[test]
    fn damaged_seeds() {
        for (text, location) in [
            ("1", 1),
            (" SU", 1),
            ("=", 1),
            ("SUa", 3),
            ("SU=", 3),
            (&format!("{USER}\n"), 59),
            ("S\u{e9}", 2),
        ] {
            assert_eq!(failure(text), format!("base32: invalid data at location {location}"));
        }
        for text in ["", "A", "AAAA", "SU", "SC4YG", "SUAB5ZY"] {
            assert_eq!(failure(text), "invalid encoded key", "{text}");
        }
        for text in [format!("{USER}A"), format!("{USER}AB"), USER[..57].to_owned(), USER.replace('Y', "B")] {
            assert_eq!(failure(&text), "invalid checksum", "{text}");
        }
    }
}
