//! Randomness, which is the operating system's.

use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::limits::{ADDRESS_MAX, ADDRESS_MIN, DRAWS_MAX, GUARD_LEN, PAGE_LEN};

/// The system gave none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoRandomness;

/// Fresh bytes.
pub(crate) fn bytes<const N: usize>() -> Result<Zeroizing<[u8; N]>, NoRandomness> {
    let mut bytes = Zeroizing::new([0; N]);
    SystemRandom::new().fill(bytes.as_mut()).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// The first of some draws that something is made of.
pub(crate) fn first<T>(mut made: impl FnMut(&[u8; 32]) -> Option<T>) -> Result<T, NoRandomness> {
    for _ in 0..DRAWS_MAX {
        if let Some(found) = made(&*bytes()?) {
            return Ok(found);
        }
    }
    Err(NoRandomness)
}

/// A word that is not zero.
pub(crate) fn word() -> Result<u64, NoRandomness> {
    first(|bytes| Some(head(bytes)).filter(|word| *word != 0))
}

/// Two pages that are not too near to each other.
pub(crate) fn pages() -> Result<[u64; 2], NoRandomness> {
    let one = page()?;
    first(|bytes| Some(page_of(head(bytes))).filter(|other| one.abs_diff(*other) >= GUARD_LEN + PAGE_LEN)).map(|other| [one, other])
}

fn page() -> Result<u64, NoRandomness> {
    first(|bytes| Some(page_of(head(bytes))))
}

/// One of the pages. There are fewer than 2^35, so the remainder favours none by more than 2^-29.
fn page_of(word: u64) -> u64 {
    ADDRESS_MIN + word % ((ADDRESS_MAX - ADDRESS_MIN) / PAGE_LEN) * PAGE_LEN
}

fn head(bytes: &[u8; 32]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *bytes;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    use machine::limits as machine;

    use super::*;

    #[test]
    fn pages_lie_where_the_machine_can_map_them() {
        assert_eq!((ADDRESS_MAX, GUARD_LEN), (machine::ADDRESS_MAX, machine::GUARD_LEN));
        const { assert!(ADDRESS_MIN >= machine::ADDRESS_MIN) };
        for word in [0, 1, u64::MAX, u64::MAX / 3] {
            let page = page_of(word);
            assert!((ADDRESS_MIN..=ADDRESS_MAX - PAGE_LEN).contains(&page) && page.is_multiple_of(PAGE_LEN), "{page:#x}");
        }
        let [one, other] = pages().expect("randomness");
        assert!(one.abs_diff(other) >= GUARD_LEN + PAGE_LEN);
    }

    #[test]
    fn what_is_never_good_is_given_up() {
        assert_eq!(first(|_| None::<()>), Err(NoRandomness));
    }
}
