//! ARP and neighbour discovery (N15): what others say of themselves unasked is not believed, and changes no connection's way. A connection is answered where
//! its handshake came from.

use core::net::{Ipv4Addr, Ipv6Addr};
use core::time::Duration;

use e2e::{Outcome, ensure};
use rawnet::{BROADCAST, Mac, Seen, Segment, arp, ethernet, ethertype, icmp, ipv6, protocol};

use super::below::{Below, below};
use super::field::{ATTACKER, ATTACKER_V4, ATTACKER_V6, Family, Field, TARGET_V4, TARGET_V6};
use crate::attack::Layer;
use crate::naive::Naive;

pub(super) const ATTACKS: &[Below] = &[
    v4(
        "unsolicited_arp_replies_divert_nothing",
        "replies that name another link address for a connected client",
        Naive::Stock,
        arp_replies,
    ),
    v4("gratuitous_arp_requests_divert_nothing", "requests whose sender claims a connected client's address", Naive::Linux, arp_requests),
    v4("claims_to_its_own_address_are_silent", "ARP from others who say that they are the target", Naive::Parrot, own_address),
    v4("arp_that_contradicts_its_frame_is_silent", "ARP whose sender is another than the frame's", Naive::Linux, contradiction),
    v4("arp_from_impossible_senders_is_silent", "ARP from groups, other networks, and for others' addresses", Naive::Parrot, impossible),
    v4("malformed_arp_is_silent", "wrong hardware, protocol, lengths, operations", Naive::Parrot, malformed),
    v4("arp_floods_leave_nothing", "2,000 requests and as many replies from as many addresses", Naive::Parrot, arp_flood),
    v6(
        "unsolicited_advertisements_divert_nothing",
        "advertisements, solicited or not, of another link address for a client",
        Naive::Linux,
        advertisements,
    ),
    v6("solicitations_divert_nothing", "solicitations whose source link address is another than a client's", Naive::Linux, solicitations),
    v6("router_advertisements_are_not_listened_to", "routers, prefixes, MTUs, DNS servers, one and a thousand", Naive::Parrot, routers),
    v6("redirects_divert_nothing", "redirects of a connected client to another link address", Naive::Parrot, redirects),
    v6(
        "discovery_from_afar_is_silent",
        "solicitations with any other hop limit than 255, to groups that are not ours, from groups",
        Naive::Parrot,
        afar,
    ),
    v6("malformed_discovery_is_silent", "options of length 0, options beyond the end, no target", Naive::Parrot, malformed_discovery),
    v6("solicitation_floods_leave_nothing", "2,000 solicitations from as many addresses", Naive::Parrot, solicitation_flood),
];

/// To whom traffic is to be diverted.
const EVIL: Mac = [2, 0, 0, 0, 0xee, 0xee];
const FLOOD: u16 = 2000;
const VOLLEY: usize = 250;
const ALL_NODES: (Ipv6Addr, Mac) = (Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1), [0x33, 0x33, 0, 0, 0, 1]);

const fn v4(name: &'static str, does: &'static str, naive: Naive, run: fn(&mut Field<'_>) -> Outcome) -> Below {
    below("N15", name, does, Layer::Link, naive, run).only(Family::V4)
}

const fn v6(name: &'static str, does: &'static str, naive: Naive, run: fn(&mut Field<'_>) -> Outcome) -> Below {
    below("N15", name, does, Layer::Link, naive, run).only(Family::V6)
}

/// A connection whose traffic these frames would divert, and do not: what it says still goes where it went.
fn diverts_nothing(field: &mut Field<'_>, frames: &[Vec<u8>]) -> Outcome {
    let mut victim = field.established()?;
    let lure = victim.path().tcp(&Segment { payload: vec![0x16], ..victim.here() });
    victim.next = victim.next.wrapping_add(1);
    field.send(frames)?;
    let answers = field.provoke_flow(&[lure])?;
    let diverted: Vec<_> = answers.iter().filter(|seen| seen.to == EVIL && seen.tcp().is_some()).collect();
    ensure(diverted.is_empty(), format!("it speaks to somebody else now: {diverted:?}"))?;
    let heard = victim.hear_for(Duration::from_millis(20))?;
    let right = heard.iter().any(|tcp| tcp.ack == victim.next);
    ensure(right, format!("the client hears {heard:?} of {answers:?}"))
}

fn arp_frame(to: Mac, from: Mac, operation: u16, sender: (Mac, Ipv4Addr), target: (Mac, Ipv4Addr)) -> Vec<u8> {
    ethernet(to, from, ethertype::ARP, &arp::message(operation, sender, target))
}

fn arp_replies(field: &mut Field<'_>) -> Outcome {
    let it = field.it.mac;
    let claim = |to| arp_frame(to, EVIL, arp::REPLY, (EVIL, ATTACKER_V4), (it, TARGET_V4));
    diverts_nothing(
        field,
        &[claim(it), claim(BROADCAST), arp_frame(BROADCAST, EVIL, arp::REPLY, (EVIL, ATTACKER_V4), (BROADCAST, ATTACKER_V4))],
    )
}

fn arp_requests(field: &mut Field<'_>) -> Outcome {
    let it = field.it.mac;
    let asks = |to, wanted| arp_frame(to, EVIL, arp::REQUEST, (EVIL, ATTACKER_V4), ([0; 6], wanted));
    diverts_nothing(field, &[asks(BROADCAST, ATTACKER_V4), asks(BROADCAST, TARGET_V4), asks(it, TARGET_V4)])
}

fn own_address(field: &mut Field<'_>) -> Outcome {
    let it = field.it.mac;
    let mut frames = Vec::new();
    for operation in [arp::REQUEST, arp::REPLY] {
        for mac in [EVIL, it] {
            frames.push(arp_frame(BROADCAST, EVIL, operation, (mac, TARGET_V4), ([0; 6], TARGET_V4)));
            frames.push(arp_frame(it, EVIL, operation, (mac, TARGET_V4), (it, TARGET_V4)));
        }
    }
    field.silence("a claim to its own address", &frames)?;
    field.serves()
}

fn contradiction(field: &mut Field<'_>) -> Outcome {
    let it = field.it.mac;
    let frames = [
        arp_frame(BROADCAST, ATTACKER, arp::REQUEST, (EVIL, ATTACKER_V4), ([0; 6], TARGET_V4)),
        arp_frame(it, ATTACKER, arp::REPLY, (EVIL, ATTACKER_V4), (it, TARGET_V4)),
        arp_frame(BROADCAST, EVIL, arp::REQUEST, (ATTACKER, ATTACKER_V4), ([0; 6], TARGET_V4)),
        arp_frame(BROADCAST, ATTACKER, arp::REQUEST, (BROADCAST, ATTACKER_V4), ([0; 6], TARGET_V4)),
    ];
    field.silence("a contradiction", &frames)
}

fn impossible(field: &mut Field<'_>) -> Outcome {
    let asks =
        |mac, sender: [u8; 4], wanted: [u8; 4]| arp_frame(BROADCAST, mac, arp::REQUEST, (mac, sender.into()), ([0; 6], wanted.into()));
    let target = TARGET_V4.octets();
    let frames = [
        asks(BROADCAST, [10, 77, 0, 66], target),
        asks([1, 0, 0x5e, 0, 0, 1], [10, 77, 0, 66], target),
        asks(ATTACKER, [192, 0, 2, 1], target),
        asks(ATTACKER, [224, 0, 0, 1], target),
        asks(ATTACKER, [255, 255, 255, 255], target),
        asks(ATTACKER, [127, 0, 0, 1], target),
        asks(ATTACKER, [10, 77, 0, 66], [10, 77, 0, 3]),
        asks(ATTACKER, [10, 77, 0, 66], [10, 77, 0, 255]),
        asks(ATTACKER, [10, 77, 0, 66], [0, 0, 0, 0]),
    ];
    field.silence("an impossible question", &frames)
}

fn malformed(field: &mut Field<'_>) -> Outcome {
    let right = arp::message(arp::REQUEST, (ATTACKER, ATTACKER_V4), ([0; 6], TARGET_V4));
    let mut frames = Vec::new();
    for (at, wrong) in [(1, 2), (2, 0x86), (3, 6), (4, 0), (4, 8), (4, 255), (5, 0), (5, 16), (5, 255), (7, 0), (7, 3), (7, 9), (6, 1)] {
        let mut message = right.clone();
        message[at] = wrong;
        frames.push(ethernet(BROADCAST, ATTACKER, ethertype::ARP, &message));
    }
    field.silence("malformed ARP", &frames)
}

/// Each question gets its answer, no other frame gets any, and nothing is remembered.
fn arp_flood(field: &mut Field<'_>) -> Outcome {
    let (it, before) = (field.it.mac, field.heap()?);
    let hosts: Vec<u16> = (0..FLOOD).collect();
    for volley in hosts.chunks(VOLLEY) {
        let host = |n: &u16| (u8::try_from(n % 90).unwrap_or(0) + 3, n.to_be_bytes());
        let who = |n: &u16| ([2, 0, 0, 0x99, host(n).1[0], host(n).1[1]], Ipv4Addr::new(10, 77, 0, host(n).0));
        let questions: Vec<_> = volley.iter().map(|n| arp::request(who(n), TARGET_V4)).collect();
        let answers = field.provoke(&questions)?;
        ensure(answers.len() == questions.len(), format!("{} answers to {} questions", answers.len(), questions.len()))?;
        let claims: Vec<_> = volley.iter().map(|n| arp_frame(it, who(n).0, arp::REPLY, who(n), (it, TARGET_V4))).collect();
        field.silence("a claim", &claims)?;
    }
    flat(field, before)
}

fn flat(field: &mut Field<'_>, before: u64) -> Outcome {
    let after = field.heap()?;
    ensure(after <= before + 64 * 1024, format!("something is kept: {before} bytes, then {after}"))?;
    field.serves()
}

/// A message of neighbour discovery, from whom it says, unless told otherwise.
struct Message {
    from: (Mac, Ipv6Addr),
    to: (Mac, Ipv6Addr),
    hop_limit: u8,
    kind: u8,
    word: u32,
    body: Vec<u8>,
}

impl Message {
    fn frame(&self) -> Vec<u8> {
        let message = icmp::v6(self.from.1, self.to.1, self.kind, 0, self.word, &self.body);
        let header = ipv6::Header { hop_limit: self.hop_limit, ..ipv6::Header::new(self.from.1, self.to.1, protocol::ICMPV6) };
        ethernet(self.to.0, self.from.0, ethertype::IPV6, &header.packet(&message))
    }
}

/// From an attacker to the target.
fn message(field: &Field<'_>, from: (Mac, Ipv6Addr), kind: u8, word: u32, body: Vec<u8>) -> Message {
    Message { from, to: (field.it.mac, TARGET_V6), hop_limit: 255, kind, word, body }
}

fn advertisements(field: &mut Field<'_>) -> Outcome {
    let mut frames = Vec::new();
    for word in [icmp::OVERRIDE, icmp::SOLICITED | icmp::OVERRIDE, icmp::SOLICITED, 0, 0xe000_0000] {
        let claim =
            message(field, (EVIL, ATTACKER_V6), icmp::NEIGHBOR_ADVERTISEMENT, word, icmp::about(ATTACKER_V6, icmp::TARGET_LINK, EVIL));
        frames.push(claim.frame());
        frames.push(Message { to: (ALL_NODES.1, ALL_NODES.0), ..claim }.frame());
    }
    diverts_nothing(field, &frames)
}

fn solicitations(field: &mut Field<'_>) -> Outcome {
    let body = icmp::about(TARGET_V6, icmp::SOURCE_LINK, EVIL);
    let lie = message(field, (EVIL, ATTACKER_V6), icmp::NEIGHBOR_SOLICITATION, 0, body.clone());
    // The first is answered, to whom it came from. The second contradicts its frame.
    let contradiction = message(field, (ATTACKER, ATTACKER_V6), icmp::NEIGHBOR_SOLICITATION, 0, body);
    let (lie, contradiction) = (lie.frame(), contradiction.frame());
    let answers = field.provoke(core::slice::from_ref(&lie))?;
    let polite = answers.iter().all(|seen| seen.icmp().is_some_and(|icmp| icmp.kind == icmp::NEIGHBOR_ADVERTISEMENT));
    ensure(polite && answers.len() == 1, format!("a solicitation gets {answers:?}"))?;
    field.silence("a contradiction", &[contradiction])?;
    let mut victim = field.established()?;
    field.provoke(&[lie])?;
    victim.say(&[0x16]).map_err(|fault| format!("the client is cut off: {fault}").into())
}

fn routers(field: &mut Field<'_>) -> Outcome {
    let router = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
    let prefix = [&[3, 4, 64, 0xc0, 0, 0, 0x0e, 0x10, 0, 0, 0x0e, 0x10, 0, 0, 0, 0][..], &[0x20, 1, 0xd, 0xb8], &[0; 12]].concat();
    let mtu = [5, 1, 0, 0, 0, 0, 5, 0].to_vec();
    let dns = [&[25, 3, 0, 0, 0, 0, 0xff, 0xff][..], &ATTACKER_V6.octets()].concat();
    let body = [vec![0, 0, 0, 0, 0, 0, 0, 0], icmp::link_option(icmp::SOURCE_LINK, EVIL), prefix, mtu, dns].concat();
    let advert = Message {
        from: (EVIL, router),
        to: (ALL_NODES.1, ALL_NODES.0),
        hop_limit: 255,
        kind: icmp::ROUTER_ADVERTISEMENT,
        word: 0x40c0_ffff,
        body,
    };
    field.silence("a router advertisement", &[advert.frame()])?;
    let many: Vec<_> = (0..1000_u16)
        .map(|n| {
            Message {
                from: (EVIL, Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 1, n)),
                to: (field.it.mac, TARGET_V6),
                body: advert.body.clone(),
                ..advert
            }
            .frame()
        })
        .collect();
    for volley in many.chunks(VOLLEY) {
        field.silence("a router advertisement", volley)?;
    }
    // Its address of before is still its only one, and nobody routes for it.
    diverts_nothing(field, &[advert.frame()])
}

fn redirects(field: &mut Field<'_>) -> Outcome {
    let router = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
    let mut frames = Vec::new();
    for from in [(EVIL, router), (EVIL, Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 1))] {
        for better in [ATTACKER_V6, router] {
            let body = [&better.octets()[..], &ATTACKER_V6.octets(), &icmp::link_option(icmp::TARGET_LINK, EVIL)].concat();
            frames.push(message(field, from, icmp::REDIRECT_V6, 0, body).frame());
        }
    }
    field.silence("a redirect", &frames)?;
    diverts_nothing(field, &frames)
}

fn afar(field: &mut Field<'_>) -> Outcome {
    let ask = |field: &Field<'_>| {
        message(field, (ATTACKER, ATTACKER_V6), icmp::NEIGHBOR_SOLICITATION, 0, icmp::about(TARGET_V6, icmp::SOURCE_LINK, ATTACKER))
    };
    for hop_limit in [0, 1, 64, 254] {
        let frame = Message { hop_limit, ..ask(field) }.frame();
        field.silence("a solicitation from afar", &[frame])?;
    }
    let itself = (field.it.mac, TARGET_V6);
    let senders = [(ATTACKER, ALL_NODES.0), (ATTACKER, TARGET_V6), (ALL_NODES.1, ATTACKER_V6), itself];
    let mut frames: Vec<_> = senders.map(|from| Message { from, ..ask(field) }.frame()).into();
    let other = Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 3);
    frames.push(Message { body: icmp::about(other, icmp::SOURCE_LINK, ATTACKER), ..ask(field) }.frame());
    field.silence("an impossible solicitation", &frames)
}

fn malformed_discovery(field: &mut Field<'_>) -> Outcome {
    let target = TARGET_V6.octets();
    let bodies: [Vec<u8>; 6] = [
        [&target[..], &[1, 0, 0, 0, 0, 0, 0, 0]].concat(),
        [&target[..], &[1, 200, 2, 0, 0, 0, 0, 0]].concat(),
        [&target[..], &[1, 1, 2, 0]].concat(),
        target[..8].to_vec(),
        Vec::new(),
        [&target[..], &[14, 0], &[0; 6]].concat(),
    ];
    for kind in [icmp::NEIGHBOR_SOLICITATION, icmp::NEIGHBOR_ADVERTISEMENT, icmp::ROUTER_ADVERTISEMENT, icmp::REDIRECT_V6] {
        for body in &bodies {
            let frame = message(field, (ATTACKER, ATTACKER_V6), kind, 0, body.clone()).frame();
            field.silence(&format!("type {kind} with {body:?}"), &[frame])?;
        }
    }
    Ok(())
}

fn solicitation_flood(field: &mut Field<'_>) -> Outcome {
    let before = field.heap()?;
    let hosts: Vec<u16> = (0..FLOOD).collect();
    for volley in hosts.chunks(VOLLEY) {
        let ask = |n: &u16| {
            let [high, low] = n.to_be_bytes();
            let who = ([2, 0, 0, 0x99, high, low], Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 9, *n));
            message(field, who, icmp::NEIGHBOR_SOLICITATION, 0, icmp::about(TARGET_V6, icmp::SOURCE_LINK, who.0)).frame()
        };
        let frames: Vec<_> = volley.iter().map(ask).collect();
        let answers = field.provoke(&frames)?;
        let adverts = answers.iter().filter_map(Seen::icmp).filter(|icmp| icmp.kind == icmp::NEIGHBOR_ADVERTISEMENT).count();
        ensure(
            adverts == answers.len() && adverts <= frames.len(),
            format!("{} frames for {} solicitations", answers.len(), frames.len()),
        )?;
    }
    flat(field, before)
}
