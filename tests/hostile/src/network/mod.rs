//! Attackers below TLS: rows N, on a TAP in a network namespace of the run's own.
//!
//! A suite with [`Net::Tap`] runs on a thread that lives in its namespace, and so do the threads that it starts: the host's end of the link is `bb0` with
//! 10.77.0.1 and fd77::1, where the honest client is. The attackers are hosts of their own on the same link ([`field`]), made of nothing but frames, so
//! that no kernel answers for them. A naive endpoint is started in a place of the same kind, at the far end of a pair of interfaces.
//!
//! An attack is a row of a table ([`below`]), mounted once for each version of IP:
//!
//! - [`blind`]: who sees nothing and guesses (N3, N4, N5);
//! - [`headers`]: packets that are not what they say (N10), or from whom they say (N6, N12);
//! - [`fragments`]: packets in pieces (N9); [`chains`]: extension headers of IPv6;
//! - [`states`]: every combination of flags to every state (N11);
//! - [`complaints`]: forged ICMP, echo (N13); [`neighbors`]: ARP and neighbour discovery (N15);
//! - [`windows`]: who does not read, or leaves gaps (N7, N16); [`endings`]: what becomes of a connection (N17);
//! - [`floods`]: SYNs, and what they bring back (N1, N18); [`prediction`]: what numbers give away (N2, N14, N19).

mod below;
mod blind;
mod chains;
mod complaints;
mod endings;
mod field;
mod floods;
mod fragments;
mod headers;
mod neighbors;
mod prediction;
mod states;
mod windows;

use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use e2e::{Net, Outcome};
use field::Family;

use crate::attack::Suite;
use crate::set_up::SetUp;

/// The suites of this folder: one for each version of IP.
pub(crate) fn suites() -> Outcome<Vec<Suite>> {
    Ok([("ipv4", Family::V4), ("ipv6", Family::V6)].map(suite).into())
}

fn suite((name, family): (&'static str, Family)) -> Suite {
    let tables = [
        blind::ATTACKS,
        headers::ATTACKS,
        fragments::ATTACKS,
        chains::ATTACKS,
        states::ATTACKS,
        complaints::ATTACKS,
        neighbors::ATTACKS,
        windows::ATTACKS,
        endings::ATTACKS,
        floods::ATTACKS,
        prediction::ATTACKS,
    ];
    Suite { name, net: Net::Tap, set_up, attacks: tables.iter().copied().flatten().filter_map(|row| row.attack(family)).collect() }
}

/// A listener of both versions. An attack may leave a connection alone for a while before it looks whether it still holds; who does not read is cut
/// off soon.
fn set_up() -> Outcome<SetUp> {
    let listen = SocketAddr::from((field::TARGET_V6, 8443));
    let limited = |config: e2e::Config| {
        let patient = config.limit("first_byte_timeout_ms", 60_000).limit("handshake_timeout_ms", 60_000);
        patient.limit("stall_timeout_ms", 1500).listen(listen)
    };
    Ok(SetUp { visitor: IpAddr::V4(Ipv4Addr::new(10, 77, 0, 1)), ..SetUp::with(limited)? })
}
