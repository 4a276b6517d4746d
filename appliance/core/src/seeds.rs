//! The secrets that one boot seed becomes: each its own stretch of one key stream, none of which tells anything of another.

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use keys::Secret;

/// See the module.
#[derive(Debug)]
pub(crate) struct Seeds {
    /// Sequence numbers, cookies and hash keys of the front link.
    pub(crate) front: [u8; 32],
    /// The same of the back link.
    pub(crate) back: [u8; 32],
    /// The TLS provider's generator.
    pub(crate) tls: Secret<[u8; 32]>,
    /// What ticket keys are derived from: tickets end with the boot.
    pub(crate) tickets: Secret<[u8; 32]>,
    /// The chance in the times of checks: no secret.
    pub(crate) checks: [u8; 8],
}

impl Seeds {
    pub(crate) fn from(seed: [u8; 32]) -> Self {
        let seed = Secret::new(seed);
        let mut stream = ChaCha20::new(seed.expose().into(), &[0; 12].into());
        let mut next = || {
            let mut key = [0; 32];
            stream.apply_keystream(&mut key);
            key
        };
        Self { front: next(), back: next(), tls: Secret::new(next()), tickets: Secret::new(next()), checks: first_eight(next()) }
    }
}

fn first_eight([a, b, c, d, e, f, g, h, ..]: [u8; 32]) -> [u8; 8] {
    [a, b, c, d, e, f, g, h]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_purposes_share_a_secret() {
        let seeds = Seeds::from([7; 32]);
        let all = [seeds.front, seeds.back, *seeds.tls.expose(), *seeds.tickets.expose()];
        for (index, one) in all.iter().enumerate() {
            assert!(all.iter().skip(index + 1).all(|other| other != one) && *one != [7; 32]);
        }
    }

    #[test]
    fn one_seed_gives_the_same_secrets_again_and_another_gives_others() {
        assert_eq!(Seeds::from([1; 32]).front, Seeds::from([1; 32]).front);
        assert_ne!(Seeds::from([1; 32]).front, Seeds::from([2; 32]).front);
    }
}
