//! The choice among backends that could take a connection.

use core::net::{IpAddr, SocketAddr};

use keys::bundle::Balance;

/// A backend that could take it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    /// Its place in the pool.
    pub(super) index: usize,
    pub(super) address: SocketAddr,
    /// Connections that it has.
    pub(super) active: u32,
}

/// What the choice depends on beside the candidates.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chooser {
    pub(super) balance: Balance,
    /// Whose turn it is, as a place in the pool.
    pub(super) turn: usize,
    /// Backends in the pool.
    pub(super) count: usize,
    /// Where the client comes from.
    pub(super) source: IpAddr,
}

impl Chooser {
    pub(super) fn choose(&self, candidates: impl Iterator<Item = Candidate>) -> Option<usize> {
        candidates.min_by_key(|candidate| self.rank(candidate)).map(|candidate| candidate.index)
    }

    /// The least is taken.
    fn rank(&self, candidate: &Candidate) -> (u64, usize) {
        let turns_away = candidate.index.wrapping_add(self.count).wrapping_sub(self.turn).checked_rem(self.count).unwrap_or(0);
        match self.balance {
            Balance::RoundRobin => (0, turns_away),
            Balance::LeastConnections => (candidate.active.into(), turns_away),
            Balance::SourceHash => (weight(self.source, candidate.address), candidate.index),
        }
    }
}

/// Rendezvous hashing: each pair of source and backend has its own weight, so a backend that goes takes only its own clients along, and they come back
/// with it. Without a key, so that several boxes, and the next start, send a client the same way.
fn weight(source: IpAddr, backend: SocketAddr) -> u64 {
    let source = octets(source);
    let address = octets(backend.ip());
    let port = backend.port().to_be_bytes();
    mix(source.iter().chain(&address).chain(&port).fold(FNV_OFFSET, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(FNV_PRIME)))
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// The finalizer of SplitMix64: FNV alone leaves its high bits too alike for a comparison.
fn mix(hash: u64) -> u64 {
    let hash = (hash ^ hash >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ hash >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ hash >> 31
}

fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use core::net::Ipv4Addr;

    fn candidates(active: &[u32]) -> Vec<Candidate> {
        let address = |index: usize| SocketAddr::from(([100, 64, 0, u8::try_from(index).unwrap() + 1], 80));
        active.iter().enumerate().map(|(index, active)| Candidate { index, address: address(index), active: *active }).collect()
    }

    fn source(n: u32) -> IpAddr {
        Ipv4Addr::from_bits(0x5102_0000 + n).into()
    }

    fn choose(balance: Balance, turn: usize, n: u32, from: &[Candidate], count: usize) -> Option<usize> {
        Chooser { balance, turn, count, source: source(n) }.choose(from.iter().copied())
    }

    #[test]
    fn round_robin_takes_the_next_that_could() {
        let all = candidates(&[9, 0, 0, 0]);
        assert_eq!(choose(Balance::RoundRobin, 0, 1, &all, 4), Some(0));
        assert_eq!(choose(Balance::RoundRobin, 3, 1, &all, 4), Some(3));
        assert_eq!(choose(Balance::RoundRobin, 3, 1, &all[..3], 4), Some(0), "past the end is the beginning");
        assert_eq!(choose(Balance::RoundRobin, 0, 1, &[], 4), None);
    }

    #[test]
    fn least_connections_takes_the_least_loaded_and_turns_among_equals() {
        let all = candidates(&[2, 1, 1, 3]);
        assert_eq!(choose(Balance::LeastConnections, 0, 1, &all, 4), Some(1));
        assert_eq!(choose(Balance::LeastConnections, 2, 1, &all, 4), Some(2));
        assert_eq!(choose(Balance::LeastConnections, 3, 1, &all, 4), Some(1));
    }

    #[test]
    fn a_source_stays_with_its_backend_and_only_the_clients_of_one_that_goes_move() {
        let all = candidates(&[0; 5]);
        let left: Vec<_> = all.iter().copied().filter(|candidate| candidate.index != 2).collect();
        let mut per_backend = [0_u32; 5];
        for n in 0..5000 {
            let whole = choose(Balance::SourceHash, 0, n, &all, 5).unwrap();
            assert_eq!(choose(Balance::SourceHash, 3, n, &all, 5), Some(whole), "whoever's turn it is");
            per_backend[whole] += 1;
            let without = choose(Balance::SourceHash, 0, n, &left, 5).unwrap();
            assert!(whole == 2 || without == whole, "a client moved though its backend is there");
        }
        assert!(per_backend.iter().all(|count| (900..1100).contains(count)), "{per_backend:?}");
    }
}
