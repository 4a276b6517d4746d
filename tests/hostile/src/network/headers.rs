//! Packets that are not what they say, or not from whom they say: headers that lie (N10), sources that no honest packet has (N6, N12).

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use e2e::{Outcome, ensure};
use rawnet::{End, Path, Segment, ethernet, ethertype, flag, ipv4, ipv6, option, protocol};

use super::below::{Below, below};
use super::field::{ATTACKER, ATTACKER_V4, ATTACKER_V6, Family, Field, TARGET_V4, TARGET_V6};
use crate::attack::Layer;
use crate::naive::Naive;

pub(super) const ATTACKS: &[Below] = &[
    below("N6", "land_is_dropped", "SYNs, ACKs and echoes from its own address and port to itself", Layer::Link, Naive::Parrot, land),
    below(
        "N6",
        "land_behind_its_own_link_address_is_dropped",
        "the same, with its own link address as the sender's",
        Layer::Link,
        Naive::Stock,
        land_twin,
    ),
    below(
        "N12",
        "syns_from_impossible_sources_are_dropped",
        "SYNs from broadcast, multicast, loopback, unspecified and reserved addresses",
        Layer::Link,
        Naive::Parrot,
        impossible_sources,
    ),
    below(
        "N12",
        "acks_from_impossible_sources_are_dropped",
        "ACKs and RSTs from the same, which need no state to be answered",
        Layer::Link,
        Naive::Parrot,
        impossible_sources_of_acks,
    ),
    below(
        "N12",
        "group_link_addresses_as_source_are_dropped",
        "SYNs whose sender's link address is a group's",
        Layer::Link,
        Naive::Parrot,
        group_sender,
    ),
    below(
        "N12",
        "syns_to_groups_are_dropped",
        "SYNs to broadcast and multicast, at link and IP level",
        Layer::Link,
        Naive::Parrot,
        to_groups,
    ),
    below(
        "N12",
        "packets_for_others_are_dropped",
        "SYNs to other hosts' addresses at its link address",
        Layer::Link,
        Naive::Parrot,
        for_others,
    ),
    below(
        "N10",
        "wrong_tcp_checksums_are_dropped",
        "SYNs, ACKs and RSTs with a checksum that is off",
        Layer::Link,
        Naive::Parrot,
        wrong_tcp_checksum,
    ),
    below("N10", "wrong_ip_checksums_are_dropped", "headers with a checksum that is off", Layer::Link, Naive::Parrot, wrong_ip_checksum)
        .only(Family::V4),
    below("N10", "lying_header_lengths_are_dropped", "IHL from 0 to 15 where it is 5", Layer::Link, Naive::Parrot, header_lengths)
        .only(Family::V4),
    below("N10", "wrong_versions_are_dropped", "versions 0 to 15 in either frame type", Layer::Link, Naive::Parrot, versions),
    below("N10", "lying_lengths_are_dropped", "lengths that are shorter or longer than the packet", Layer::Link, Naive::Parrot, lengths),
    below(
        "N10",
        "ip_options_are_dropped",
        "record route, source routes, timestamps, router alert, loops",
        Layer::Link,
        Naive::Linux,
        ip_options,
    )
    .only(Family::V4),
    below("N10", "packets_cut_at_every_byte_are_dropped", "a SYN cut after each byte but the last", Layer::Link, Naive::Parrot, cut),
    below("N10", "lying_data_offsets_are_dropped", "data offsets 0 to 15 where it is 5", Layer::Doorman, Naive::Parrot, data_offsets),
    below(
        "N10",
        "broken_tcp_options_are_dropped",
        "options of length 0, 1 and beyond the header",
        Layer::Doorman,
        Naive::Parrot,
        broken_options,
    ),
    below(
        "N10",
        "strange_tcp_options_are_answered_soberly",
        "MSS 0, 1 and 65535, scale 15 and 255, unknown and repeated options, SACK blocks in a SYN",
        Layer::Doorman,
        Naive::Parrot,
        strange_options,
    ),
    below(
        "N10",
        "sack_junk_changes_nothing",
        "SACK blocks that are reversed, huge, or of nothing, in a connection",
        Layer::Flow,
        Naive::Parrot,
        sack_junk,
    ),
    below("N10", "urgent_pointers_change_nothing", "URG, with pointers to everywhere", Layer::Flow, Naive::Parrot, urgent),
    below("N10", "port_zero_is_dropped", "segments from and to port 0", Layer::Doorman, Naive::Parrot, port_zero),
    below(
        "N10",
        "unknown_protocols_are_dropped",
        "all protocols but TCP and ICMP, all frame types but three",
        Layer::Link,
        Naive::Parrot,
        unknown_protocols,
    ),
    below("N10", "closed_udp_ports_are_silent", "UDP to ports that are usual, closed, and the listener's", Layer::Link, Naive::Linux, udp),
];

/// A SYN from a fresh port, in each case; nobody answers it.
fn syn() -> Segment {
    Segment::syn(0x2222_0000)
}

fn land(field: &mut Field<'_>) -> Outcome {
    let itself = Path { from: field.it.posing_as(field.it.address), to: field.it };
    land_from(field, Path { from: End { mac: ATTACKER, ..itself.from }, ..itself })
}

fn land_twin(field: &mut Field<'_>) -> Outcome {
    let itself = Path { from: field.it, to: field.it };
    land_from(field, itself)
}

/// Whoever takes these for a connection is busy with itself from then on.
fn land_from(field: &mut Field<'_>, path: Path) -> Outcome {
    let mut frames: Vec<_> = [flag::SYN, flag::ACK, flag::SYN | flag::ACK, flag::FIN | flag::ACK]
        .iter()
        .map(|flags| path.tcp(&Segment { flags: *flags, sequence: 7, ack: 8, ..Segment::default() }))
        .collect();
    frames.push(path.ip(protocol::UDP, &[0x20, 0xfb, 0x20, 0xfb, 0, 8, 0, 0]));
    for port in 1..=8 {
        frames.push(Path { from: path.from.at(port), ..path }.tcp(&syn()));
    }
    field.silence("LAND", &frames)?;
    field.serves()
}

fn sources(family: Family) -> Vec<IpAddr> {
    let v4 = [
        "255.255.255.255",
        "10.77.0.255",
        "10.77.0.0",
        "0.0.0.0",
        "0.0.0.66",
        "127.0.0.1",
        "127.9.9.9",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
    ];
    let v6 = ["::", "::1", "ff02::1", "ff02::1:2", "ff05::2", "ff0e::1", "::ffff:10.77.0.66", "::ffff:127.0.0.1"];
    let texts: &[&str] = if family == Family::V4 { &v4 } else { &v6 };
    // A network's own address is a broadcast address of old (RFC 1122 section 3.2.1.3); only hosts of 4.2BSD used it.
    texts.iter().filter(|text| **text != "10.77.0.0").filter_map(|text| text.parse().ok()).collect()
}

fn impossible_sources(field: &mut Field<'_>) -> Outcome {
    from_each(field, &[flag::SYN])
}

fn impossible_sources_of_acks(field: &mut Field<'_>) -> Outcome {
    from_each(field, &[flag::ACK, flag::RST, flag::RST | flag::ACK, flag::SYN | flag::ACK, flag::FIN | flag::ACK])
}

fn from_each(field: &mut Field<'_>, flags: &[u8]) -> Outcome {
    let path = field.fresh();
    for source in sources(field.family) {
        let from = path.from.posing_as(source);
        let frames: Vec<_> = flags
            .iter()
            .map(|flags| Path { from, ..path }.tcp(&Segment { flags: *flags, sequence: 9, ack: 10, ..Segment::default() }))
            .collect();
        field.silence(&format!("a segment from {source}"), &frames)?;
    }
    field.serves()
}

fn group_sender(field: &mut Field<'_>) -> Outcome {
    let path = field.fresh();
    for mac in [[0xff; 6], [1, 0, 0x5e, 0, 0, 1], [0x33, 0x33, 0, 0, 0, 1], [0; 6], field.it.mac] {
        let from = End { mac, ..path.from };
        field.silence("a group's or its own SYN", &[Path { from, ..path }.tcp(&syn())])?;
    }
    Ok(())
}

fn to_groups(field: &mut Field<'_>) -> Outcome {
    let path = field.fresh();
    let groups: Vec<IpAddr> = match field.family {
        Family::V4 => [[255, 255, 255, 255], [10, 77, 0, 255], [224, 0, 0, 1]].map(|address| Ipv4Addr::from(address).into()).into(),
        Family::V6 => ["ff02::1", "ff02::1:ff00:2"].iter().filter_map(|text| text.parse().ok()).collect(),
    };
    for mac in [[0xff; 6], [1, 0, 0x5e, 0, 0, 1], [0x33, 0x33, 0, 0, 0, 1], path.to.mac] {
        for address in &groups {
            let to = End { mac, address: *address, ..path.to };
            field.silence("a SYN to a group", &[Path { to, ..path }.tcp(&syn())])?;
        }
        if mac != path.to.mac {
            let to = End { mac, ..path.to };
            field.silence("a SYN to a group at link level", &[Path { to, ..path }.tcp(&syn())])?;
        }
    }
    Ok(())
}

fn for_others(field: &mut Field<'_>) -> Outcome {
    let path = field.fresh();
    let others: [IpAddr; 2] = match field.family {
        Family::V4 => [Ipv4Addr::new(10, 77, 0, 3).into(), Ipv4Addr::new(192, 0, 2, 1).into()],
        Family::V6 => [Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 3).into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into()],
    };
    for address in others {
        field.silence("a SYN for another host", &[Path { to: path.to.posing_as(address), ..path }.tcp(&syn())])?;
    }
    let to = End { mac: [2, 0, 0, 0, 9, 9], ..path.to };
    field.silence("a SYN to another link address", &[Path { to, ..path }.tcp(&syn())])
}

fn wrong_tcp_checksum(field: &mut Field<'_>) -> Outcome {
    let victim = field.established()?;
    let mut frames = Vec::new();
    for off_by in [1, 0x100, 0x8000, 0xfffe] {
        frames.push(field.fresh().tcp(&Segment { checksum_off_by: off_by, ..syn() }));
        frames.push(field.fresh().tcp(&Segment { checksum_off_by: off_by, ack: 77, ..Segment::default() }));
        frames.push(victim.path().tcp(&Segment { flags: flag::RST, checksum_off_by: off_by, ..victim.here() }));
        frames.push(victim.path().tcp(&Segment { payload: vec![0x15; 5], checksum_off_by: off_by, ..victim.here() }));
    }
    field.silence("a wrong checksum", &frames)?;
    field.holds(victim)
}

/// A SYN from a fresh port to the listener, behind a header that is told how to be wrong.
fn with_header(field: &Field<'_>, change: impl Fn(&mut ipv4::Header)) -> Vec<u8> {
    let path = field.fresh();
    let mut header = ipv4::Header::new(ATTACKER_V4, TARGET_V4, protocol::TCP);
    change(&mut header);
    path.frame(ethertype::IPV4, &header.packet(&syn().bytes(path.from.socket(), path.to.socket())))
}

fn wrong_ip_checksum(field: &mut Field<'_>) -> Outcome {
    let frames: Vec<_> = [1, 0x100, 0x8000, 0xfffe].map(|off_by| with_header(field, |header| header.checksum_off_by = off_by)).into();
    field.silence("a wrong header checksum", &frames)
}

fn header_lengths(field: &mut Field<'_>) -> Outcome {
    let wrong = (0..16).filter(|words| *words != 5);
    let frames: Vec<_> = wrong.map(|words| with_header(field, |header| header.version_ihl = Some(0x40 | words))).collect();
    field.silence("a lying header length", &frames)
}

fn versions(field: &mut Field<'_>) -> Outcome {
    let path = field.fresh();
    let (kind, right) = if field.family == Family::V4 { (ethertype::IPV4, 4) } else { (ethertype::IPV6, 6) };
    for version in (0..16).filter(|version| *version != right) {
        let mut frame = path.tcp(&syn());
        frame[14] = version << 4 | frame[14] & 15;
        field.silence("a wrong version", &[frame])?;
    }
    let mut frame = path.tcp(&syn());
    let other = if kind == ethertype::IPV4 { ethertype::IPV6 } else { ethertype::IPV4 };
    frame[12..14].copy_from_slice(&other.to_be_bytes());
    field.silence("a packet in the other version's frame", &[frame])
}

fn lengths(field: &mut Field<'_>) -> Outcome {
    let path = field.fresh();
    let segment = syn().bytes(path.from.socket(), path.to.socket());
    let right = u16::try_from(segment.len())?;
    let frames: Vec<_> = match field.family {
        Family::V4 => {
            let wrong = [0, 1, 19, 20, 21, 39, right + 19, right + 21, 1500, 0xffff];
            wrong.map(|len| with_header(field, |header| header.len = Some(len))).into()
        }
        Family::V6 => {
            let wrong = [0, 1, 8, 19, right - 1, right + 1, 1460, 0xffff];
            let packet = |len| ipv6::Header { len: Some(len), ..ipv6::Header::new(ATTACKER_V6, TARGET_V6, protocol::TCP) }.packet(&segment);
            wrong.map(|len| path.frame(ethertype::IPV6, &packet(len))).into()
        }
    };
    field.silence("a lying length", &frames)
}

fn ip_options(field: &mut Field<'_>) -> Outcome {
    let lists: [&[u8]; 9] = [
        &[7, 7, 4, 0, 0, 0, 0, 0],
        &[131, 7, 4, 10, 77, 0, 2, 0],
        &[137, 7, 4, 10, 77, 0, 2, 0],
        &[68, 12, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[148, 4, 0, 0],
        &[130, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[1, 1, 1, 0],
        &[7, 0, 0, 0],
        &[7, 255, 4, 0],
    ];
    let frames: Vec<_> = lists.iter().map(|list| with_header(field, |header| header.options = list.to_vec())).collect();
    field.silence("a packet with IP options", &frames)
}

fn cut(field: &mut Field<'_>) -> Outcome {
    let whole = field.fresh().tcp(&syn());
    // Shorter frames than a header do not leave the interface.
    let frames: Vec<_> = (14..whole.len()).map(|len| whole[..len].to_vec()).collect();
    field.silence("a packet cut short", &frames)?;
    let arp = rawnet::arp::request((ATTACKER, ATTACKER_V4), TARGET_V4);
    let frames: Vec<_> = (14..arp.len()).map(|len| arp[..len].to_vec()).collect();
    field.silence("an ARP message cut short", &frames)
}

fn data_offsets(field: &mut Field<'_>) -> Outcome {
    let path = field.fresh();
    let bare = |offset| path.tcp(&Segment { flags: flag::SYN, offset: Some(offset), sequence: 5, ..Segment::default() });
    let frames: Vec<_> = (0..16).filter(|words| *words != 5).map(bare).collect();
    field.silence("a lying data offset", &frames)
}

fn broken_options(field: &mut Field<'_>) -> Outcome {
    let lists: [&[u8]; 10] = [
        &[2, 0, 5, 180],
        &[2, 1, 5, 180],
        &[2, 3, 5, 0],
        &[2, 255, 5, 180],
        &[3, 0, 0, 0],
        &[3, 4, 7, 7],
        &[1, 1, 1, 2],
        &[8, 10, 0, 0],
        &[254, 0, 0, 0],
        &[254, 200, 0, 0],
    ];
    for list in lists {
        let frame = field.fresh().tcp(&Segment { options: list.to_vec(), ..syn() });
        field.silence(&format!("a SYN with options {list:?}"), &[frame])?;
    }
    field.serves()
}

/// A SYN-ACK says only what the SYN said, in values that mean something; and the size that was asked for is not gone below.
fn strange_options(field: &mut Field<'_>) -> Outcome {
    let lists: [Vec<u8>; 9] = [
        option::mss(0),
        option::mss(1),
        option::mss(65_535),
        [option::mss(1460), option::scale(15)].concat(),
        [option::mss(1460), option::scale(255)].concat(),
        [option::mss(1460), option::mss(1), option::mss(0)].concat(),
        [option::mss(1460), vec![5, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1]].concat(),
        vec![
            254, 36, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32,
            33, 34,
        ],
        vec![1; 40],
    ];
    for options in lists {
        let path = field.fresh();
        let syn = Segment { options: options.clone(), ..syn() };
        let frame = path.tcp(&syn);
        let answer = field.one_segment(&format!("a SYN with options {options:?}"), core::slice::from_ref(&frame))?;
        let sober = answer.flags == flag::SYN | flag::ACK && answer.ack == syn.sequence + 1 && answer.options.len() <= syn.options.len();
        ensure(sober, format!("a SYN with {options:?} gets {answer:?}"))?;
        let known = [2, 3, 4].iter().all(|kind| answer.option(*kind).is_none() || options.contains(kind));
        ensure(known && answer.option(3).is_none_or(|scale| scale[0] <= 14), format!("{options:?} is answered with {:?}", answer.options))?;
        field.send(&[path.tcp(&Segment { flags: flag::RST, sequence: syn.sequence + 1, ..Segment::default() })])?;
    }
    let mut small = field.peer()?;
    small.knock(&Segment { options: option::mss(1), ..syn() })?;
    small.send(&small.here())?;
    field.fence()?;
    field.holds(small)
}

fn sack_junk(field: &mut Field<'_>) -> Outcome {
    let victim = field.established()?;
    let block = |left: u32, right: u32| [left.to_be_bytes(), right.to_be_bytes()].concat();
    let here = victim.expected;
    let lists = [
        [vec![1, 1, 5, 10], block(here.wrapping_add(100), here)].concat(),
        [vec![1, 1, 5, 10], block(here.wrapping_sub(1 << 31), here.wrapping_add(1 << 30))].concat(),
        [vec![1, 1, 5, 34], block(0, u32::MAX), block(u32::MAX, 0), block(here, here), block(1, 1)].concat(),
        vec![1, 1, 5, 2],
        vec![1, 1, 4, 2],
        option::mss(0),
        option::scale(14),
    ];
    for options in lists {
        let answers = field.provoke(&[victim.path().tcp(&Segment { options: options.clone(), ..victim.here() })])?;
        ensure(answers.is_empty(), format!("an ACK with options {options:?} is answered: {answers:?}"))?;
    }
    field.holds(victim)
}

fn urgent(field: &mut Field<'_>) -> Outcome {
    let victim = field.established()?;
    for pointer in [0, 1, 0x7fff, 0xffff] {
        let bare = Segment { flags: flag::ACK | flag::URG, urgent: pointer, ..victim.here() };
        field.silence("an urgent pointer", &[victim.path().tcp(&bare)])?;
    }
    field.holds(victim)
}

fn port_zero(field: &mut Field<'_>) -> Outcome {
    let path = field.fresh();
    let (none, open) = (Path { from: path.from.at(0), ..path }, Path { to: path.to.at(0), ..path });
    let both = Path { to: open.to, from: none.from };
    for path in [none, open, both] {
        for flags in [flag::SYN, flag::ACK, flag::FIN | flag::ACK] {
            field.silence("port 0", &[path.tcp(&Segment { flags, sequence: 3, ack: 4, ..Segment::default() })])?;
        }
    }
    Ok(())
}

fn unknown_protocols(field: &mut Field<'_>) -> Outcome {
    let path = field.fresh();
    let known = [protocol::TCP, protocol::ICMP, protocol::ICMPV6];
    let frames: Vec<_> = (0..=255).filter(|number| !known.contains(number)).map(|number| path.ip(number, &[0; 40])).collect();
    field.silence("an unknown protocol", &frames)?;
    let foreign = if field.family == Family::V4 { protocol::ICMPV6 } else { protocol::ICMP };
    field.silence("the other version's ICMP", &[path.ip(foreign, &rawnet::icmp::v4(8, 0, 1, &[7; 8]))])?;
    let kinds = [0, 46, 1500, 0x0801, 0x8035, 0x8100, 0x88a8, 0x8863, 0x8864, 0x88cc, 0xffff];
    let frames: Vec<_> = kinds.iter().map(|kind| ethernet(path.to.mac, path.from.mac, *kind, &[0x45; 60])).collect();
    field.silence("an unknown frame type", &frames)
}

fn udp(field: &mut Field<'_>) -> Outcome {
    let path = field.fresh();
    let ports = [1_u16, 53, 67, 123, 161, 443, 500, 546, 1900, 5353, 8443, 33_434, 65_535];
    let datagram = |port: u16| {
        let head = [&path.from.port.to_be_bytes()[..], &port.to_be_bytes(), &[0, 16, 0, 0], &[0; 8]].concat();
        let pseudo = rawnet::checksum::pseudo_header(path.from.address, path.to.address, protocol::UDP, head.len());
        let sum = !rawnet::checksum::sum(&[&pseudo, &head]);
        path.ip(protocol::UDP, &[&head[..6], &sum.to_be_bytes(), &head[8..]].concat())
    };
    let frames: Vec<_> = ports.map(datagram).into();
    field.silence("UDP", &frames)
}
