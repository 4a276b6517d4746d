//! Extension headers of IPv6 (RFC 8200 section 4, RFC 9288): no peer of a TLS endpoint sends any, so whatever stands behind one is dropped unread.

use e2e::Outcome;
use rawnet::{Segment, ethertype, icmp, ipv6, protocol};

use super::below::{Below, below};
use super::field::{ATTACKER_V6, Family, Field, TARGET_V6};
use crate::attack::Layer;
use crate::naive::Naive;

pub(super) const ATTACKS: &[Below] = &[
    v6(
        "hop_by_hop_options_are_dropped",
        "a SYN behind hop-by-hop options: padding, router alert, jumbo, unknown ones that ask for an error",
        Naive::Linux,
        hop_by_hop,
    ),
    v6("destination_options_are_dropped", "a SYN behind destination options, one and many", Naive::Linux, destination),
    v6(
        "routing_headers_are_dropped",
        "a SYN and an echo behind routing headers of types 0, 2, 3, 4 and unknown ones (RFC 5095)",
        Naive::Linux,
        routing,
    ),
    v6("header_chains_of_any_length_are_dropped", "a SYN behind 2 to 100 extension headers, in any order", Naive::Linux, chains),
    v6(
        "chains_that_lie_about_their_length_are_dropped",
        "extension headers longer than their packet, and cut in the middle",
        Naive::Parrot,
        lying,
    ),
    v6("no_next_header_is_silent", "no next header, with and without bytes behind it", Naive::Parrot, no_next),
    v6("authentication_and_mobility_headers_are_dropped", "a SYN behind headers of IPsec, mobility, HIP and shim6", Naive::Parrot, others),
    v6(
        "solicitations_behind_extensions_are_dropped",
        "neighbour discovery behind a fragment header and options (RFC 6980)",
        Naive::Parrot,
        solicitation,
    ),
];

const fn v6(name: &'static str, does: &'static str, naive: Naive, run: fn(&mut Field<'_>) -> Outcome) -> Below {
    below("N10", name, does, Layer::Link, naive, run).only(Family::V6)
}

/// A SYN from a fresh port behind these headers.
fn syn_behind(field: &Field<'_>, extensions: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let path = field.fresh();
    let syn = Segment::syn(7).bytes(path.from.socket(), path.to.socket());
    path.frame(ethertype::IPV6, &ipv6::Header::new(ATTACKER_V6, TARGET_V6, protocol::TCP).packet_behind(extensions, &syn))
}

fn hop_by_hop(field: &mut Field<'_>) -> Outcome {
    let bodies: [Vec<u8>; 6] = [
        ipv6::padding(6),
        vec![5, 2, 0, 0, 1, 0],
        vec![0xc2, 4, 0, 1, 0, 0],
        vec![0x80 | 30, 4, 0, 0, 0, 0],
        vec![0xc0 | 30, 4, 0, 0, 0, 0],
        ipv6::padding(254),
    ];
    for body in bodies {
        let frame = syn_behind(field, &[(ipv6::HOP_BY_HOP, body)]);
        field.silence("hop-by-hop options", &[frame])?;
    }
    let late = syn_behind(field, &[(ipv6::DESTINATION, ipv6::padding(6)), (ipv6::HOP_BY_HOP, ipv6::padding(6))]);
    field.silence("hop-by-hop options that do not come first", &[late])
}

fn destination(field: &mut Field<'_>) -> Outcome {
    for body in
        [ipv6::padding(6), ipv6::padding(254), vec![0x80 | 30, 4, 0, 0, 0, 0], vec![1, 0, 1, 0, 1, 0], vec![0; 6], vec![4, 200, 0, 0, 0, 0]]
    {
        let frame = syn_behind(field, &[(ipv6::DESTINATION, body)]);
        field.silence("destination options", &[frame])?;
    }
    Ok(())
}

fn routing(field: &mut Field<'_>) -> Outcome {
    let mut bodies = vec![ipv6::routing_0(&[TARGET_V6, ATTACKER_V6]), ipv6::routing_0(&[])];
    for kind in [2, 3, 4, 77, 255] {
        for left in [0, 1, 255] {
            bodies.push([&[kind, left, 0, 0, 0, 0][..], &ATTACKER_V6.octets()].concat());
        }
    }
    for body in bodies {
        let path = field.fresh();
        let echo = icmp::v6(ATTACKER_V6, TARGET_V6, icmp::ECHO_V6, 0, 1, &[7; 8]);
        let header = ipv6::Header::new(ATTACKER_V6, TARGET_V6, protocol::ICMPV6);
        let ping = path.frame(ethertype::IPV6, &header.packet_behind(&[(ipv6::ROUTING, body.clone())], &echo));
        let syn = syn_behind(field, &[(ipv6::ROUTING, body)]);
        field.silence("a routing header", &[ping, syn])?;
    }
    Ok(())
}

fn chains(field: &mut Field<'_>) -> Outcome {
    for count in [2, 3, 8, 20, 100] {
        let same = vec![(ipv6::DESTINATION, ipv6::padding(6)); count];
        let kinds = [ipv6::HOP_BY_HOP, ipv6::DESTINATION, ipv6::ROUTING, ipv6::FRAGMENT, ipv6::AUTHENTICATION];
        let mixed: Vec<_> = kinds.iter().cycle().take(count).map(|kind| (*kind, vec![0; 6])).collect();
        let frames = [syn_behind(field, &same), syn_behind(field, &mixed)];
        field.silence("a chain of headers", &frames)?;
    }
    Ok(())
}

fn lying(field: &mut Field<'_>) -> Outcome {
    for kind in [ipv6::HOP_BY_HOP, ipv6::DESTINATION, ipv6::ROUTING, ipv6::FRAGMENT, ipv6::AUTHENTICATION, ipv6::MOBILITY] {
        let whole = syn_behind(field, &[(kind, ipv6::padding(6))]);
        let mut long = whole.clone();
        // The first extension's length.
        long[55] = 255;
        let cut = [54, 55, 56, 61].map(|len| relabelled(&whole, len));
        field.silence("a lying extension header", &[&[long][..], &cut].concat())?;
    }
    Ok(())
}

/// The frame cut to this length, and its packet says so.
fn relabelled(frame: &[u8], len: usize) -> Vec<u8> {
    let mut cut = frame[..len].to_vec();
    let payload = u16::try_from(len.saturating_sub(54)).unwrap_or(0);
    cut[18..20].copy_from_slice(&payload.to_be_bytes());
    cut
}

fn no_next(field: &mut Field<'_>) -> Outcome {
    let path = field.fresh();
    let syn = Segment::syn(7).bytes(path.from.socket(), path.to.socket());
    let frames = [path.ip(ipv6::NO_NEXT, &[]), path.ip(ipv6::NO_NEXT, &syn)];
    field.silence("no next header", &frames)
}

fn others(field: &mut Field<'_>) -> Outcome {
    for kind in [ipv6::AUTHENTICATION, ipv6::MOBILITY, 50, 139, 140, 253, 254] {
        let frame = syn_behind(field, &[(kind, vec![0; 14])]);
        field.silence("an extension header of another trade", &[frame])?;
    }
    Ok(())
}

fn solicitation(field: &mut Field<'_>) -> Outcome {
    let path = field.fresh();
    let about = icmp::about(TARGET_V6, icmp::SOURCE_LINK, path.from.mac);
    let question = icmp::v6(ATTACKER_V6, TARGET_V6, icmp::NEIGHBOR_SOLICITATION, 0, 0, &about);
    let header = ipv6::Header { hop_limit: 255, ..ipv6::Header::new(ATTACKER_V6, TARGET_V6, protocol::ICMPV6) };
    for extension in
        [(ipv6::FRAGMENT, ipv6::fragment(0, false, 5)), (ipv6::HOP_BY_HOP, ipv6::padding(6)), (ipv6::DESTINATION, ipv6::padding(6))]
    {
        field.silence(
            "a solicitation behind an extension header",
            &[path.frame(ethertype::IPV6, &header.packet_behind(&[extension], &question))],
        )?;
    }
    Ok(())
}
