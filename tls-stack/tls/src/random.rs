//! The random numbers of the handshake: a ChaCha20 generator that erases its own past.
//!
//! rustls draws server randoms, session ids and ticket nonces from here. ring draws its ephemeral keys and ECDSA nonces from its own
//! `SystemRandom` (a sealed trait), which in the guest is the `getrandom` symbol that the platform backs with the tender's seed.

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use rustls::crypto::{GetRandomFailed, SecureRandom};
use spin::Mutex;
use zeroize::Zeroizing;

const KEY_LEN: usize = 32;

/// A generator with fast key erasure: each draw replaces the key by the first bytes of its own stream, so that whoever reads
/// the state learns nothing about what was drawn before.
pub(crate) struct Drbg(Mutex<Zeroizing<[u8; KEY_LEN]>>);

impl Drbg {
    pub(crate) fn new(seed: Zeroizing<[u8; KEY_LEN]>) -> Self {
        Self(Mutex::new(seed))
    }

    /// Fills `buf` with random bytes.
    pub(crate) fn draw(&self, buf: &mut [u8]) {
        let mut key = self.0.lock();
        let mut stream = ChaCha20::new((&**key).into(), &[0; 12].into());
        key.fill(0);
        stream.apply_keystream(&mut **key);
        buf.fill(0);
        // One stream has 256 GiB; no caller of ours asks for more than a few hundred bytes.
        stream.apply_keystream(buf);
    }
}

impl core::fmt::Debug for Drbg {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Drbg(..)")
    }
}

impl SecureRandom for Drbg {
    fn fill(&self, buf: &mut [u8]) -> Result<(), GetRandomFailed> {
        self.draw(buf);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drbg(seed: u8) -> Drbg {
        Drbg::new(Zeroizing::new([seed; KEY_LEN]))
    }

    #[test]
    fn one_seed_gives_one_sequence_and_another_seed_another() {
        let (mut a, mut b, mut c) = ([0; 48], [0; 48], [0; 48]);
        drbg(1).draw(&mut a);
        drbg(1).draw(&mut b);
        drbg(2).draw(&mut c);
        assert_eq!(a, b);
        assert_ne!(a, c);
    }

    #[test]
    fn draws_never_repeat_and_do_not_depend_on_what_the_buffer_held() {
        let (one, two) = (drbg(1), drbg(1));
        let (mut first, mut second, mut dirty) = ([0; 32], [0; 32], [0xff; 32]);
        one.draw(&mut first);
        one.draw(&mut second);
        two.draw(&mut dirty);
        assert_ne!(first, second);
        assert_eq!(first, dirty);
    }

    #[test]
    fn the_key_is_not_what_was_handed_out() {
        let drbg = drbg(3);
        let mut out = [0; 64];
        drbg.draw(&mut out);
        let key = drbg.0.lock();
        assert!(!out.windows(KEY_LEN).any(|w| w == &key[..]));
    }
}
