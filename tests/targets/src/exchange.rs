//! X25519 with one key for either end, made once: what is fuzzed is what is said of keys, and scalar multiplication took a tenth of a fuzzer's time. It also draws
//! nothing (see `draws`).
//!
//! What the two ends agree on is worked out once. With any other share it is worked out as anywhere else, so that whoever says one of his own gets his answer.

use std::sync::LazyLock;

use rustls_std::crypto::{ActiveKeyExchange, SharedSecret, SupportedKxGroup};
use rustls_std::{Error, NamedGroup, PeerMisbehaved};
use x25519_dalek::{PublicKey, StaticSecret};

/// One of the two.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Side {
    Client,
    Server,
}

/// The keys of both.
struct Pair {
    keys: [StaticSecret; 2],
    shares: [PublicKey; 2],
    agreed: Vec<u8>,
}

static PAIR: LazyLock<Pair> = LazyLock::new(|| {
    let keys = [[0x29; 32], [0x92; 32]].map(StaticSecret::from);
    let shares = [&keys[0], &keys[1]].map(PublicKey::from);
    let agreed = keys[0].diffie_hellman(&shares[1]).as_bytes().to_vec();
    Pair { keys, shares, agreed }
});

/// In place of the group that a server's provider has: see [`Provider::with_groups`](tls::Provider::with_groups).
pub(crate) fn of_server(group: NamedGroup) -> Option<&'static dyn SupportedKxGroup> {
    (group == NamedGroup::X25519).then_some(&Side::Server)
}

/// The same of a client's.
pub(crate) fn of_client(group: NamedGroup) -> Option<&'static dyn SupportedKxGroup> {
    (group == NamedGroup::X25519).then_some(&Side::Client)
}

impl SupportedKxGroup for Side {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        Ok(Box::new(*self))
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

impl Side {
    fn own(self) -> usize {
        usize::from(matches!(self, Self::Server))
    }

    fn agree(self, share: &[u8]) -> Option<Vec<u8>> {
        let share = PublicKey::from(<[u8; 32]>::try_from(share).ok()?);
        if share == PAIR.shares[1 - self.own()] {
            return Some(PAIR.agreed.clone());
        }
        let agreed = PAIR.keys[self.own()].diffie_hellman(&share);
        // RFC 8446 section 7.4.2.
        agreed.was_contributory().then(|| agreed.as_bytes().to_vec())
    }
}

impl ActiveKeyExchange for Side {
    fn complete(self: Box<Self>, share: &[u8]) -> Result<SharedSecret, Error> {
        self.agree(share).map(SharedSecret::from).ok_or(PeerMisbehaved::InvalidKeyShare.into())
    }

    fn pub_key(&self) -> &[u8] {
        PAIR.shares[self.own()].as_bytes()
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls_std::crypto::ring::kx_group;

    #[test]
    fn the_two_ends_agree_and_with_rustls_own_too() {
        for side in [Side::Client, Side::Server] {
            let other = if matches!(side, Side::Client) { Side::Server } else { Side::Client };
            for theirs in [&other as &dyn SupportedKxGroup, kx_group::X25519] {
                let begun = side.start().expect("a share");
                let answer = theirs.start_and_complete(begun.pub_key()).expect("an answer");
                let agreed = begun.complete(&answer.pub_key).expect("a share that is one");
                assert_eq!(agreed.secret_bytes(), answer.secret.secret_bytes(), "{side:?}");
            }
        }
    }

    #[test]
    fn shares_of_a_wrong_length_or_order_are_refused() {
        assert!(Side::Server.start_and_complete(&[9; 31]).is_err());
        assert!(Side::Server.start_and_complete(&[0; 32]).is_err(), "a share that makes every secret zero");
    }
}
