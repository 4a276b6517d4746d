//! Packets in pieces (N9). No TCP peer needs them, nothing of them is kept, so nothing can be put together wrongly or fill up.

use e2e::{Outcome, ensure};
use rawnet::{Path, Segment, ethertype, icmp, ipv4, ipv6, protocol};

use super::below::{Below, below};
use super::field::{ATTACKER_V4, ATTACKER_V6, Family, Field, TARGET_V4, TARGET_V6};
use crate::attack::Layer;
use crate::naive::Naive;

pub(super) const ATTACKS: &[Below] = &[
    below(
        "N9",
        "fragmented_syns_are_dropped",
        "a SYN in pieces of 8 and 16 bytes, and in the wrong order",
        Layer::Link,
        Naive::Linux,
        syns,
    ),
    below(
        "N9",
        "overlapping_fragments_are_dropped",
        "a SYN whose second piece writes other flags over the first (RFC 1858, RFC 5722)",
        Layer::Link,
        Naive::Parrot,
        overlapping,
    ),
    below("N9", "fragmented_echoes_are_dropped", "an echo request in pieces", Layer::Link, Naive::Linux, echoes),
    below(
        "N9",
        "tiny_first_fragments_are_dropped",
        "first pieces too short for ports, flags, or anything at all",
        Layer::Link,
        Naive::Parrot,
        tiny,
    ),
    below(
        "N9",
        "fragments_without_end_leave_nothing",
        "20,000 first and middle pieces of packets that are never completed",
        Layer::Link,
        Naive::Parrot,
        endless,
    ),
    below(
        "N9",
        "fragments_beyond_64_kib_are_dropped",
        "a last piece that ends beyond the longest packet (ping of death)",
        Layer::Link,
        Naive::Parrot,
        beyond,
    ),
    below("N9", "atomic_fragments_are_dropped", "whole packets behind a fragment header (RFC 6946)", Layer::Link, Naive::Linux, atomic)
        .only(Family::V6),
];

/// Pieces that lead nowhere.
const ENDLESS: u32 = 20_000;
const VOLLEY: u32 = 500;

/// The pieces of one packet in frames: offset in units of 8 bytes, whether more follow, and the bytes.
fn pieces(field: &Field<'_>, path: Path, protocol: u8, id: u32, pieces: &[(u16, bool, &[u8])]) -> Vec<Vec<u8>> {
    let frame = |(offset, more, bytes): &(u16, bool, &[u8])| match field.family {
        Family::V4 => {
            let [_, _, high, low] = id.to_be_bytes();
            let fragment = *offset | if *more { ipv4::MF } else { 0 };
            let header =
                ipv4::Header { id: u16::from_be_bytes([high, low]), fragment, ..ipv4::Header::new(ATTACKER_V4, TARGET_V4, protocol) };
            path.frame(ethertype::IPV4, &header.packet(bytes))
        }
        Family::V6 => {
            let header = ipv6::Header::new(ATTACKER_V6, TARGET_V6, protocol);
            path.frame(ethertype::IPV6, &header.packet_behind(&[(ipv6::FRAGMENT, ipv6::fragment(*offset, *more, id))], bytes))
        }
    };
    pieces.iter().map(frame).collect()
}

/// Cuts evenly.
fn cut(field: &Field<'_>, path: Path, protocol: u8, id: u32, payload: &[u8], size: usize) -> Vec<Vec<u8>> {
    let count = payload.chunks(size).count();
    let list: Vec<_> =
        payload.chunks(size).enumerate().map(|(n, bytes)| (u16::try_from(n * size / 8).unwrap_or(0), n + 1 < count, bytes)).collect();
    pieces(field, path, protocol, id, &list)
}

fn syns(field: &mut Field<'_>) -> Outcome {
    for (id, size) in [(1, 8), (2, 16), (3, 24)] {
        let path = field.fresh();
        let segment = Segment::syn(7).bytes(path.from.socket(), path.to.socket());
        let mut frames = cut(field, path, protocol::TCP, id, &segment, size);
        field.silence("a SYN in pieces", &frames)?;
        frames.reverse();
        field.silence("a SYN in pieces, the last first", &frames)?;
    }
    Ok(())
}

fn overlapping(field: &mut Field<'_>) -> Outcome {
    let path = field.fresh();
    let ack = Segment::default().bytes(path.from.socket(), path.to.socket());
    let syn = Segment::syn(7).bytes(path.from.socket(), path.to.socket());
    let frames = pieces(field, path, protocol::TCP, 9, &[(0, true, &ack[..16]), (1, false, &syn[8..])]);
    field.silence("overlapping pieces", &frames)?;
    let same = pieces(field, path, protocol::TCP, 10, &[(0, true, &syn[..16]), (0, true, &syn[..16]), (2, false, &syn[16..])]);
    field.silence("doubled pieces", &same)
}

fn echoes(field: &mut Field<'_>) -> Outcome {
    let path = field.fresh();
    let (echo, protocol) = match field.family {
        Family::V4 => (icmp::v4(icmp::ECHO, 0, 0x0001_0001, &[7; 56]), protocol::ICMP),
        Family::V6 => (icmp::v6(ATTACKER_V6, TARGET_V6, icmp::ECHO_V6, 0, 0x0001_0001, &[7; 56]), protocol::ICMPV6),
    };
    let frames = cut(field, path, protocol, 11, &echo, 32);
    field.silence("an echo request in pieces", &frames)
}

fn tiny(field: &mut Field<'_>) -> Outcome {
    let path = field.fresh();
    let syn = Segment::syn(7).bytes(path.from.socket(), path.to.socket());
    for len in [0, 1, 4, 8, 12] {
        let frames = pieces(field, path, protocol::TCP, 20 + u32::try_from(len)?, &[(0, true, &syn[..len])]);
        field.silence("a tiny first piece", &frames)?;
    }
    Ok(())
}

fn endless(field: &mut Field<'_>) -> Outcome {
    let path = field.fresh();
    let before = field.heap()?;
    for first in (0..ENDLESS).step_by(VOLLEY as usize) {
        let frames: Vec<_> = (first..first + VOLLEY)
            .flat_map(|id| {
                let offset = u16::try_from(id % 8000).unwrap_or(0);
                pieces(field, path, protocol::TCP, id, &[(offset, true, &[0x5a; 512])])
            })
            .collect();
        field.silence("a piece without an end", &frames)?;
    }
    let after = field.heap()?;
    ensure(after <= before + 64 * 1024, format!("pieces are kept: {before} bytes, then {after}"))?;
    field.serves()
}

fn beyond(field: &mut Field<'_>) -> Outcome {
    let path = field.fresh();
    let frames = pieces(field, path, protocol::TCP, 31, &[(0, true, &[0; 512]), (8189, false, &[0x5a; 512]), (8191, false, &[0x5a; 1024])]);
    field.silence("a piece beyond the longest packet", &frames)?;
    field.serves()
}

fn atomic(field: &mut Field<'_>) -> Outcome {
    let path = field.fresh();
    let syn = Segment::syn(7).bytes(path.from.socket(), path.to.socket());
    let frames = pieces(field, path, protocol::TCP, 41, &[(0, false, &syn)]);
    field.silence("an atomic fragment", &frames)
}
