//! The guest's only source of random bytes: ChaCha20 with fast key erasure.
//!
//! Each refill runs the cipher once over a pool; the first 32 bytes become the next key at once, the rest is handed out and wiped as it
//! goes. So who reads the generator's memory learns nothing of what it gave out before. (D. J. Bernstein, "Fast-key-erasure
//! random-number generators", 2017.)

use abi::limits::SEED_LEN;
use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Bytes of a refill: the next key, and fifteen times as much to hand out.
const POOL_LEN: usize = 512;

const _: () = assert!(POOL_LEN > SEED_LEN && POOL_LEN.is_multiple_of(64), "whole ChaCha20 blocks, and more than a key");

/// The generator.
pub struct Drbg {
    key: [u8; SEED_LEN],
    pool: [u8; POOL_LEN],
    /// How much of the pool is used up.
    used: usize,
}

impl Drbg {
    /// A generator that starts from `seed`: equal seeds, equal bytes.
    #[must_use]
    pub const fn new(seed: [u8; SEED_LEN]) -> Self {
        Self { key: seed, pool: [0; POOL_LEN], used: POOL_LEN }
    }

    /// A generator that starts from the seed page, which must not be used a second time. `None` when the page holds no seed: 32 zero bytes.
    #[must_use]
    pub fn take(page: &[u8]) -> Option<Self> {
        let mut seed = *page.first_chunk::<SEED_LEN>()?;
        let is_seed = seed.iter().fold(0, |all, byte| all | byte) != 0;
        let drbg = is_seed.then(|| Self::new(seed));
        seed.zeroize();
        drbg
    }

    /// A generator of its own, which shares nothing with this one.
    #[must_use]
    pub fn split(&mut self) -> Self {
        let mut seed = [0; SEED_LEN];
        self.fill(&mut seed);
        let split = Self::new(seed);
        seed.zeroize();
        split
    }

    /// Fills `out` with bytes that were never given out before and never will be again.
    pub fn fill(&mut self, out: &mut [u8]) {
        let mut rest = out;
        while !rest.is_empty() {
            rest = self.fill_some(rest);
        }
    }

    fn fill_some<'o>(&mut self, out: &'o mut [u8]) -> &'o mut [u8] {
        if self.used >= POOL_LEN {
            self.refill();
        }
        let (_, fresh) = self.pool.split_at_mut(self.used);
        let len = fresh.len().min(out.len());
        let (from, _) = fresh.split_at_mut(len);
        let (to, rest) = out.split_at_mut(len);
        to.copy_from_slice(from);
        from.zeroize();
        self.used = self.used.saturating_add(len);
        rest
    }

    fn refill(&mut self) {
        self.pool = [0; POOL_LEN];
        // The nonce may be constant: every key is used for one refill.
        ChaCha20::new(&self.key.into(), &[0; 12].into()).apply_keystream(&mut self.pool);
        let (next_key, _) = self.pool.split_at_mut(SEED_LEN);
        self.key.copy_from_slice(next_key);
        next_key.zeroize();
        self.used = SEED_LEN;
    }
}

impl Drop for Drbg {
    fn drop(&mut self) {
        self.key.zeroize();
        self.pool.zeroize();
    }
}

impl ZeroizeOnDrop for Drbg {}

impl core::fmt::Debug for Drbg {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Drbg(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    /// RFC 7539 appendix A.1, test vector 1: the first block of the all-zero key and nonce.
    const ZERO_BLOCK: [u8; 64] = [
        0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90, 0x40, 0x5d, 0x6a, 0xe5, 0x53, 0x86, 0xbd, 0x28, 0xbd, 0xd2, 0x19, 0xb8, 0xa0, 0x8d,
        0xed, 0x1a, 0xa8, 0x36, 0xef, 0xcc, 0x8b, 0x77, 0x0d, 0xc7, 0xda, 0x41, 0x59, 0x7c, 0x51, 0x57, 0x48, 0x8d, 0x77, 0x24, 0xe0, 0x3f,
        0xb8, 0xd8, 0x4a, 0x37, 0x6a, 0x43, 0xb8, 0xf4, 0x15, 0x18, 0xa1, 0x1c, 0xc3, 0x87, 0xb6, 0x69, 0xb2, 0xee, 0x65, 0x86,
    ];

    fn take(drbg: &mut Drbg, len: usize) -> std::vec::Vec<u8> {
        let mut out = vec![0; len];
        drbg.fill(&mut out);
        out
    }

    #[test]
    fn output_is_the_keystream_behind_the_next_key() {
        assert_eq!(take(&mut Drbg::new([0; SEED_LEN]), 32), ZERO_BLOCK[SEED_LEN..]);
    }

    #[test]
    fn a_refill_goes_on_with_the_erased_key() {
        let next_key: [u8; SEED_LEN] = *ZERO_BLOCK.first_chunk().unwrap();
        let mut drbg = Drbg::new([0; SEED_LEN]);
        let _ = take(&mut drbg, POOL_LEN - SEED_LEN);
        assert_eq!(take(&mut drbg, 700), take(&mut Drbg::new(next_key), 700));
    }

    #[test]
    fn how_a_stream_is_cut_does_not_change_it() {
        let whole = take(&mut Drbg::new([9; SEED_LEN]), 2000);
        let mut cut = Drbg::new([9; SEED_LEN]);
        let pieces: std::vec::Vec<u8> = [1, 479, 480, 481, 0, 559].into_iter().flat_map(|len| take(&mut cut, len)).collect();
        assert_eq!(whole, pieces);
    }

    #[test]
    fn what_was_given_out_is_not_kept() {
        let mut drbg = Drbg::new([3; SEED_LEN]);
        let given = take(&mut drbg, 64);
        assert!(!drbg.pool.windows(8).any(|window| given.windows(8).any(|bytes| bytes == window)));
        assert_eq!(drbg.pool[..SEED_LEN + 64], [0; SEED_LEN + 64]);
    }

    #[test]
    fn a_page_without_a_seed_is_refused() {
        let mut page = vec![0; 4096];
        assert!(Drbg::take(&page).is_none());
        page[SEED_LEN] = 1;
        assert!(Drbg::take(&page).is_none(), "only the first bytes count");
        page[SEED_LEN - 1] = 1;
        assert!(Drbg::take(&page).is_some());
    }

    #[test]
    fn a_page_too_short_for_a_seed_holds_none() {
        assert!(Drbg::take(&[1; SEED_LEN - 1]).is_none());
    }
}
