//! SYN cookies (RFC 4987 section 3.6): our first sequence number carries what we must not store.
//!
//! ```text
//!   31          20 19           8 7      6 5          2   1      0
//!  +--------------+--------------+--------+------------+------+------+
//!  |     tag      |    proof     |  mss   |   scale    | sack | slot |
//!  +--------------+--------------+--------+------------+------+------+
//!   MAC of ends,   MAC that also   hidden by a pad that depends on the ends
//!   slot, options  covers the peer's
//!                  sequence number
//! ```
//! A blind guess passes with probability 2^-24 for each slot that is still good, and there are two. Window scale and SACK fit into the
//! cookie, so no timestamp option is needed to carry them. The tag alone shows that a segment belongs to a handshake of ours: data that
//! overtook the ACK is then dropped, not answered by a RST that would kill an honest connection.

use core::time::Duration;

use crate::keys::{Ends, Keys};
use crate::limits::WINDOW_SCALE_MAX;

/// How long a slot lasts. A cookie is good in its slot and in the next.
const SLOT: Duration = Duration::from_secs(32);
const OPTION_BITS: u32 = 8;
const NO_SCALE: u8 = 15;

/// What a peer's SYN said and the cookie remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offer {
    /// Largest segment the peer takes, rounded down to what the cookie can say.
    pub(crate) mss: u16,
    /// The peer's window scale, if it scales.
    pub(crate) scale: Option<u8>,
    /// Whether the peer understands SACK.
    pub(crate) sack: bool,
}

/// What a returned cookie is worth.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Ours and fresh: the peer has seen our SYN-ACK.
    Genuine(Offer),
    /// From a handshake of ours, but this is not the segment that answers it.
    Overtaken,
    /// Not ours, or too old.
    Forged,
}

/// Segment sizes that a cookie can name, of IPv4 and IPv6 (those of Linux: they are the sizes that occur).
const SIZES_V4: [u16; 4] = [536, 1300, 1440, 1460];
const SIZES_V6: [u16; 4] = [1220, 1420, 1440, 8940];

/// The sequence number for a SYN-ACK.
pub(crate) fn bake(keys: &Keys, ends: &Ends, peer_sequence: u32, offer: Offer, now: Duration) -> u32 {
    let slot = slot_at(now);
    let options = pack(ends, offer) << 1 | u8::try_from(slot & 1).unwrap_or(0);
    let (tag, proof) = macs(keys, ends, peer_sequence, options, slot);
    tag << 20 | proof << OPTION_BITS | u32::from(options ^ pad(keys, ends))
}

/// Judges the cookie that an ACK brings back. `peer_sequence` is the sequence number its SYN must have had.
pub(crate) fn taste(keys: &Keys, ends: &Ends, peer_sequence: u32, cookie: u32, now: Duration) -> Verdict {
    let [.., low] = cookie.to_be_bytes();
    let options = low ^ pad(keys, ends);
    let slot = slot_of(options, now);
    let Some(slot) = slot else { return Verdict::Forged };
    let (tag, proof) = macs(keys, ends, peer_sequence, options, slot);
    match (cookie >> 20 == tag, cookie >> OPTION_BITS & 0xfff == proof) {
        (true, true) => Verdict::Genuine(unpack(ends, options >> 1)),
        (true, false) => Verdict::Overtaken,
        (false, _) => Verdict::Forged,
    }
}

/// The larger of the sizes a cookie can name that are not above `mss`; at least the smallest.
fn size_index(ends: &Ends, mss: u16) -> usize {
    sizes(ends).iter().rposition(|&size| size <= mss).unwrap_or(0)
}

fn pack(ends: &Ends, offer: Offer) -> u8 {
    let size = u8::try_from(size_index(ends, offer.mss)).unwrap_or(0);
    let scale = offer.scale.map_or(NO_SCALE, |scale| scale.min(WINDOW_SCALE_MAX));
    size << 5 | scale << 1 | u8::from(offer.sack)
}

fn unpack(ends: &Ends, packed: u8) -> Offer {
    let scale = packed >> 1 & 15;
    Offer { mss: sizes(ends)[usize::from(packed >> 5 & 3)], scale: (scale != NO_SCALE).then_some(scale), sack: packed & 1 == 1 }
}

fn sizes(ends: &Ends) -> &'static [u16; 4] {
    if ends.local.is_ipv4() { &SIZES_V4 } else { &SIZES_V6 }
}

fn macs(keys: &Keys, ends: &Ends, peer_sequence: u32, options: u8, slot: u64) -> (u32, u32) {
    let mut rest = [0; 13];
    rest[0] = options;
    rest[1..9].copy_from_slice(&slot.to_be_bytes());
    let tag = keys.cookie_mac(1, ends, &rest) >> 20;
    rest[9..].copy_from_slice(&peer_sequence.to_be_bytes());
    (tag, keys.cookie_mac(2, ends, &rest) >> 20)
}

fn pad(keys: &Keys, ends: &Ends) -> u8 {
    let [pad, ..] = keys.cookie_mac(3, ends, &[]).to_be_bytes();
    pad
}

/// The slot that the cookie's lowest bit names: this one or the one before.
fn slot_of(options: u8, now: Duration) -> Option<u64> {
    let current = slot_at(now);
    if u64::from(options & 1) == current & 1 { Some(current) } else { current.checked_sub(1) }
}

fn slot_at(now: Duration) -> u64 {
    now.as_secs() / SLOT.as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: Offer = Offer { mss: 1460, scale: Some(7), sack: true };
    const LIFE_MAX: Duration = Duration::from_secs(64);

    fn ends(text: &str) -> Ends {
        Ends { local: "192.0.2.1:443".parse().unwrap(), peer: text.parse().unwrap() }
    }

    fn keys() -> Keys {
        Keys::new(&[5; 32])
    }

    #[test]
    fn every_offer_comes_back_from_its_cookie() {
        let ends = ends("198.51.100.7:50000");
        for mss in SIZES_V4 {
            for scale in (0..=14).map(Some).chain([None]) {
                for sack in [false, true] {
                    let offer = Offer { mss, scale, sack };
                    let cookie = bake(&keys(), &ends, 77, offer, Duration::from_secs(31));
                    assert_eq!(taste(&keys(), &ends, 77, cookie, Duration::from_secs(32)), Verdict::Genuine(offer));
                }
            }
        }
    }

    #[test]
    fn sizes_are_rounded_down_and_never_below_the_minimum() {
        let ends = ends("198.51.100.7:50000");
        for (mss, named) in [(0, 536), (1, 536), (535, 536), (1299, 536), (1459, 1440), (1461, 1460), (u16::MAX, 1460)] {
            assert_eq!(unpack(&ends, pack(&ends, Offer { mss, ..OFFER })).mss, named);
        }
        assert_eq!(unpack(&ends, pack(&ends, Offer { scale: Some(255), ..OFFER })).scale, Some(14));
    }

    #[test]
    fn a_cookie_is_good_for_its_slot_and_the_next() {
        let ends = ends("198.51.100.7:50000");
        for born in 0..200 {
            let cookie = bake(&keys(), &ends, 77, OFFER, Duration::from_secs(born));
            let at = |age: u64| taste(&keys(), &ends, 77, cookie, Duration::from_secs(born + age));
            assert_eq!(at(32), Verdict::Genuine(OFFER));
            assert_eq!(at(LIFE_MAX.as_secs()), Verdict::Forged);
            assert_eq!(at(4 * LIFE_MAX.as_secs()), Verdict::Forged, "the slot's bit alone would say yes");
        }
    }

    #[test]
    fn a_cookie_is_bound_to_its_peer() {
        let cookie = bake(&keys(), &ends("198.51.100.7:50000"), 77, OFFER, Duration::ZERO);
        assert_ne!(taste(&keys(), &ends("198.51.100.7:50001"), 77, cookie, Duration::ZERO), Verdict::Genuine(OFFER));
        assert_eq!(taste(&keys(), &ends("198.51.100.7:50000"), 78, cookie, Duration::ZERO), Verdict::Overtaken);
    }

    #[test]
    fn guesses_do_not_pass() {
        let ends = ends("198.51.100.7:50000");
        let genuine = bake(&keys(), &ends, 77, OFFER, Duration::ZERO);
        let guesses = (0..100_000u32).map(|i| genuine.wrapping_add(i.wrapping_mul(0x9e37_79b1) | 1));
        let passed = guesses.filter(|&guess| matches!(taste(&keys(), &ends, 77, guess, Duration::ZERO), Verdict::Genuine(_))).count();
        assert_eq!(passed, 0);
    }
}
