//! Unique identifiers for inboxes.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// Length of an identifier in bytes.
pub(crate) const LEN: usize = 22;

const PREFIX_LEN: usize = 12;
const DIGITS: &[u8; BASE as usize] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const BASE: u64 = 36;
/// The sequence number has the remaining ten digits.
const MAX_SEQUENCE: u64 = BASE.pow((LEN - PREFIX_LEN) as u32);
const MIN_STEP: u64 = 33;
const MAX_STEP: u64 = 332;

/// A generator of identifiers: a random prefix, then a number that grows by random steps. One generator
/// never repeats itself, and two differ in their prefix.
pub(crate) struct Nuid {
    rng: SmallRng,
    prefix: [u8; PREFIX_LEN],
    sequence: u64,
}

impl Nuid {
    /// A generator of its own randomness, seeded from `rng`.
    pub(crate) fn new(rng: &mut impl Rng) -> Nuid {
        let mut nuid = Nuid { rng: SmallRng::from_rng(rng), prefix: [0; PREFIX_LEN], sequence: 0 };
        nuid.restart();
        nuid
    }

    /// The next identifier: characters `0-9A-Z`.
    pub(crate) fn next(&mut self) -> [u8; LEN] {
        self.sequence += self.rng.random_range(MIN_STEP..=MAX_STEP);
        if self.sequence >= MAX_SEQUENCE {
            self.restart();
        }
        let mut id = [0; LEN];
        id[..PREFIX_LEN].copy_from_slice(&self.prefix);
        let mut rest = self.sequence;
        for place in id[PREFIX_LEN..].iter_mut().rev() {
            *place = DIGITS[(rest % BASE) as usize];
            rest /= BASE;
        }
        id
    }

    fn restart(&mut self) {
        self.prefix = std::array::from_fn(|_| DIGITS[self.rng.random_range(0..DIGITS.len())]);
        self.sequence = self.rng.random_range(0..MAX_SEQUENCE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nuid() -> Nuid {
        Nuid::new(&mut SmallRng::seed_from_u64(7))
    }

    fn sequence(id: &[u8; LEN]) -> u64 {
        id[PREFIX_LEN..].iter().fold(0, |value, byte| {
            value * BASE + DIGITS.iter().position(|digit| digit == byte).expect("a base 36 digit") as u64
        })
    }

    #[test]
    fn steps_under_one_prefix() {
        assert_eq!(MAX_SEQUENCE, 3656158440062976);
        let mut nuid = nuid();
        nuid.sequence = 5;
        let mut last = nuid.sequence;
        for _ in 0..10_000 {
            let id = nuid.next();
            assert!(id.iter().all(|byte| DIGITS.contains(byte)));
            assert_eq!(id[..PREFIX_LEN], nuid.prefix);
            let step = sequence(&id) - last;
            assert!((MIN_STEP..=MAX_STEP).contains(&step));
            last = sequence(&id);
        }
    }

    #[test]
    fn a_new_prefix_when_the_sequence_is_used_up() {
        let mut nuid = nuid();
        let prefix = nuid.prefix;
        nuid.sequence = MAX_SEQUENCE - 1;
        let id = nuid.next();
        assert_ne!(id[..PREFIX_LEN], prefix);
        assert!(sequence(&id) < MAX_SEQUENCE);
    }

    #[test]
    fn seeds_decide() {
        let mut other = Nuid::new(&mut SmallRng::seed_from_u64(8));
        assert_eq!(nuid().next(), nuid().next());
        assert_ne!(nuid().next(), other.next());
    }
}
