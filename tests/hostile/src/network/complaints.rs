//! ICMP: errors that nobody should believe (RFC 5927), questions that are not answered, and echo, which is, within a rate (N13).

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Instant;

use e2e::{Outcome, ensure};
use rawnet::{End, Path, Peer, Seen, Segment, Sum, icmp, ipv4, ipv6, protocol};

use super::below::{Below, below};
use super::field::{ATTACKER_V4, ATTACKER_V6, Family, Field, TARGET_V4, TARGET_V6};
use crate::attack::Layer;
use crate::naive::Naive;

pub(super) const ATTACKS: &[Below] = &[
    below(
        "N13",
        "forged_unreachables_change_nothing",
        "destination unreachable, all codes, quoting a connection exactly",
        Layer::Doorman,
        Naive::Parrot,
        unreachable,
    ),
    below(
        "N13",
        "forged_packet_too_big_changes_nothing",
        "MTUs 0, 68, 552, 1279 and 65535, quoting a connection exactly",
        Layer::Doorman,
        Naive::Parrot,
        too_big,
    ),
    below(
        "N13",
        "redirects_quenches_and_expiries_change_nothing",
        "redirects, source quenches, time exceeded, parameter problems",
        Layer::Doorman,
        Naive::Parrot,
        others,
    ),
    below(
        "N13",
        "errors_that_quote_nothing_are_silent",
        "errors that quote no packet, half a packet, an error, a stranger's connection",
        Layer::Doorman,
        Naive::Parrot,
        quotes,
    ),
    below(
        "N13",
        "all_other_icmp_types_are_silent",
        "256 types with 3 codes each, echo and discovery excepted",
        Layer::Doorman,
        Naive::Parrot,
        types,
    ),
    below("N13", "an_echo_comes_back_as_it_went", "echo requests of 0 to 1,400 bytes", Layer::Doorman, Naive::Stock, echo),
    below(
        "N13",
        "broken_echoes_are_silent",
        "echo requests with a wrong checksum, another code, or too short",
        Layer::Doorman,
        Naive::Parrot,
        broken_echo,
    ),
    below(
        "N13",
        "echoes_to_groups_are_silent",
        "smurf: echo requests to broadcast and multicast, at either level",
        Layer::Link,
        Naive::Parrot,
        smurf,
    ),
    below("N13", "an_echo_flood_is_limited", "3,000 echo requests", Layer::Doorman, Naive::Linux, echo_flood),
];

/// Echo replies in a burst and a second.
const ECHOES_MAX: usize = 200;
const ECHOES: u16 = 3000;

/// What an error quotes: the segment that the target would have sent last.
fn quote(field: &Field<'_>, victim: &Peer, sequence: u32) -> Vec<u8> {
    let back = victim.path().back();
    let segment =
        Segment { sequence, ack: victim.next, payload: vec![0x16; 8], ..Segment::default() }.bytes(back.from.socket(), back.to.socket());
    match field.family {
        Family::V4 => ipv4::Header::new(TARGET_V4, ATTACKER_V4, protocol::TCP).packet(&segment),
        Family::V6 => ipv6::Header::new(TARGET_V6, ATTACKER_V6, protocol::TCP).packet(&segment),
    }
}

/// A message from a router that is none.
fn message(field: &Field<'_>, kind: u8, code: u8, word: u32, rest: &[u8]) -> Vec<u8> {
    from(field, field.fresh(), kind, code, word, rest)
}

fn from(field: &Field<'_>, path: Path, kind: u8, code: u8, word: u32, rest: &[u8]) -> Vec<u8> {
    match (path.from.address, path.to.address) {
        (IpAddr::V6(from), IpAddr::V6(to)) => path.ip(protocol::ICMPV6, &icmp::v6(from, to, kind, code, word, rest)),
        _ if field.family == Family::V4 => path.ip(protocol::ICMP, &icmp::v4(kind, code, word, rest)),
        _ => Vec::new(),
    }
}

/// Mounted on a connection: each message about it, quoting at, behind and before what it sends next. Silence, and it holds.
fn about_a_connection(field: &mut Field<'_>, messages: &[(u8, u8, u32)]) -> Outcome {
    let victim = field.established()?;
    for (kind, code, word) in messages {
        for sequence in [0, 1, u32::MAX, 1 << 20].map(|off: u32| victim.expected.wrapping_add(off)) {
            let rest = quote(field, &victim, sequence);
            let frame = message(field, *kind, *code, *word, &rest);
            field.silence(&format!("type {kind} code {code} {word:#x}"), &[frame])?;
        }
    }
    field.holds(victim)
}

fn unreachable(field: &mut Field<'_>) -> Outcome {
    let kind = if field.family == Family::V4 { icmp::UNREACHABLE } else { icmp::UNREACHABLE_V6 };
    // Code 4 of version 4 is about sizes.
    let codes = (0..=15).filter(|code| *code != 4 || field.family == Family::V6);
    about_a_connection(field, &codes.map(|code| (kind, code, 0)).collect::<Vec<_>>())
}

fn too_big(field: &mut Field<'_>) -> Outcome {
    let (kind, code) = if field.family == Family::V4 { (icmp::UNREACHABLE, 4) } else { (icmp::TOO_BIG_V6, 0) };
    about_a_connection(field, &[0, 68, 552, 576, 1279, 1280, 1499, 65_535].map(|mtu| (kind, code, mtu)))
}

fn others(field: &mut Field<'_>) -> Outcome {
    let router = u32::from(Ipv4Addr::new(10, 77, 0, 99));
    match field.family {
        Family::V4 => {
            let redirects = (0..4).map(|code| (icmp::REDIRECT, code, router));
            let rest = [
                (icmp::QUENCH, 0, 0),
                (icmp::TIME_EXCEEDED, 0, 0),
                (icmp::TIME_EXCEEDED, 1, 0),
                (icmp::PARAMETER, 0, 0),
                (icmp::PARAMETER, 2, 0),
            ];
            about_a_connection(field, &redirects.chain(rest).collect::<Vec<_>>())
        }
        Family::V6 => about_a_connection(field, &[(3, 0, 0), (3, 1, 0), (4, 0, 6), (4, 1, 40), (4, 2, 0), (100, 0, 0), (127, 255, 0)]),
    }
}

fn quotes(field: &mut Field<'_>) -> Outcome {
    let victim = field.established()?;
    let whole = quote(field, &victim, victim.expected);
    let stranger = quote(field, &field.peer()?, 7);
    let kinds: &[u8] = if field.family == Family::V4 { &[3, 4, 11, 12] } else { &[1, 2, 3, 4] };
    for kind in kinds {
        let mut frames: Vec<_> = (0..whole.len()).step_by(3).map(|len| message(field, *kind, 0, 0, &whole[..len])).collect();
        let nested = message(field, *kind, 0, 0, &whole)[14..].to_vec();
        frames.push(message(field, *kind, 0, 0, &nested));
        frames.push(message(field, *kind, 0, 0, &stranger));
        frames.push(message(field, *kind, 4, 68, &[0xff; 64]));
        field.silence("an error that quotes nothing", &frames)?;
    }
    field.holds(victim)
}

fn types(field: &mut Field<'_>) -> Outcome {
    let answered: &[u8] = match field.family {
        Family::V4 => &[icmp::ECHO],
        Family::V6 => &[icmp::ECHO_V6, icmp::NEIGHBOR_SOLICITATION],
    };
    for kind in (0..=255).filter(|kind| !answered.contains(kind)) {
        let frames: Vec<_> = [0, 1, 255].map(|code| message(field, kind, code, 0x0001_0001, &[0; 32])).into();
        field.silence(&format!("ICMP type {kind}"), &frames)?;
    }
    Ok(())
}

fn echo_kinds(family: Family) -> (u8, u8) {
    if family == Family::V4 { (icmp::ECHO, icmp::ECHO_REPLY) } else { (icmp::ECHO_V6, icmp::ECHO_REPLY_V6) }
}

/// One reply each, of the same bytes: whatever is asked, nothing is amplified.
fn echo(field: &mut Field<'_>) -> Outcome {
    let (ask, reply) = echo_kinds(field.family);
    for len in [0, 1, 2, 56, 57, 1400] {
        let text: Vec<u8> = (0..len).map(|n: u32| n.to_le_bytes()[0] ^ 0x5a).collect();
        let frame = message(field, ask, 0, 0x1234_0001, &text);
        let answers = field.provoke(core::slice::from_ref(&frame))?;
        let found = answers.first().and_then(Seen::icmp).ok_or_else(|| format!("{} answers to an echo", answers.len()))?;
        let same = found.rest[..] == [&[0x12, 0x34, 0, 1], &text[..]].concat();
        ensure(found.kind == reply && found.code == 0 && found.sum == Sum::Right && same, format!("an echo of {len} gets {found:?}"))?;
        ensure(answers.len() == 1 && answers[0].len <= frame.len().max(60), format!("an echo of {len} gets {answers:?}"))?;
    }
    field.serves()?;
    // Whoever has no more than a few listeners is taken by as many strangers' SYNs.
    let syns: Vec<_> = (0..8).map(|_| field.fresh().tcp(&Segment::syn(1))).collect();
    field.provoke(&syns)?;
    field.serves()
}

fn broken_echo(field: &mut Field<'_>) -> Outcome {
    let (ask, _) = echo_kinds(field.family);
    let mut wrong = message(field, ask, 0, 1, &[7; 16]);
    let last = wrong.len() - 1;
    wrong[last] ^= 1;
    let code = message(field, ask, 1, 1, &[7; 16]);
    let path = field.fresh();
    let number = if field.family == Family::V4 { protocol::ICMP } else { protocol::ICMPV6 };
    let short: Vec<_> = (0..4).map(|len| path.ip(number, &[ask, 0, 0, 0][..len])).collect();
    field.silence("a broken echo", &[vec![wrong, code], short].concat())
}

fn smurf(field: &mut Field<'_>) -> Outcome {
    let (ask, _) = echo_kinds(field.family);
    let path = field.fresh();
    let groups: Vec<IpAddr> = match field.family {
        Family::V4 => [[10, 77, 0, 255], [255, 255, 255, 255], [224, 0, 0, 1]].map(|group| Ipv4Addr::from(group).into()).into(),
        Family::V6 => {
            [Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1), Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 2)].map(IpAddr::from).into()
        }
    };
    for mac in [[0xff; 6], [0x33, 0x33, 0, 0, 0, 1], [1, 0, 0x5e, 0, 0, 1], path.to.mac] {
        for address in &groups {
            let to = End { mac, address: *address, port: 0 };
            let frame = from(field, Path { to, ..path }, ask, 0, 1, &[7; 16]);
            field.silence("an echo to a group", &[frame])?;
        }
    }
    let victim = path.from.posing_as(groups[0]);
    let frame = from(field, Path { from: victim, ..path }, ask, 0, 1, &[7; 16]);
    field.silence("an echo from a group", &[frame])
}

fn echo_flood(field: &mut Field<'_>) -> Outcome {
    let (ask, _) = echo_kinds(field.family);
    let began = Instant::now();
    let numbers: Vec<u16> = (0..ECHOES).collect();
    let mut replies = 0;
    for volley in numbers.chunks(500) {
        let frames: Vec<_> = volley.iter().map(|n| message(field, ask, 0, u32::from(*n), &[7; 56])).collect();
        replies += field.provoke(&frames)?.len();
    }
    let seconds = 1 + usize::try_from(began.elapsed().as_secs()).unwrap_or(0);
    ensure(replies <= ECHOES_MAX * (seconds + 1), format!("{replies} echoes in {:?}", began.elapsed()))?;
    field.serves()
}
